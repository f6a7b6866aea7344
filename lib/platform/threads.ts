// Workers of node:worker_threads: behaviour beyond the documentation. How they are interrupted is in interruption.ts.
//
//   heap limit        The limit `maxOldGenerationSizeMb` takes whole numbers. A thread whose heap is full
//                     ends with ERR_WORKER_OUT_OF_MEMORY, and the program lives.
//   after an await    When the heap is full, V8 doubles the limit and interrupts the code, and Deno ends the
//                     thread. But where the code ran after an await, the interruption is lost, and with it the
//                     rest of the code. Only the heap_size_limit of node:v8, which has grown, shows it.
//   one allocation    What V8 can't do with a limit is one allocation after which the heap, collected, has more than
//                     four times the limit: it doubles the limit twice, and then ends the program ("Reached heap
//                     limit"). The largest allocation is that of a text of 2 ** 29 characters with two bytes each.
//   least limit       With 16 MB a thread can load this package. With less it may run out of memory before that
//                     can be noticed.
//   nested            A worker that is started from a worker takes half a second longer to come up than a
//                     worker that is started from main: Deno waits for a debugger. A worker has a session
//                     with the inspector of main from its first step, and the workers of an isolate with a
//                     session wait until the inspector releases them or 500 ms have passed (Deno 2.9.6).
//   leaks             A worker that is killed while its main module is still evaluating, its top-level await
//                     included, leaks what it had loaded.
//   panics            Deno loads much of itself only when a thread needs it. Where a thread is terminated in the
//                     middle of that, Deno can panic ("Option::unwrap() on a None value" in ext_script.rs), which
//                     ends the program: seen twice in some 20,000 ends, on a very busy machine.
//   permissions       A thread shares the permissions of its starter instead of having a copy of them: what the
//                     thread revokes is lost to both.
//   with its starter  A worker ends with the worker that has started it.

import * as v8 from "node:v8";
import type { ResourceLimits } from "node:worker_threads";
import * as primordials from "./primordials.ts";

const { Math, Reflect, ToObject } = primordials;
const { getHeapStatistics } = v8;

/** The limits of a thread; undefined and Infinity mean none. */
export function resourceLimitsOf(memoryLimitMb: number | undefined): ResourceLimits | undefined {
  if (memoryLimitMb === undefined || memoryLimitMb === Infinity) return undefined;
  return { maxOldGenerationSizeMb: Math.ceil(memoryLimitMb) };
}

/** The least heap limit with which no allocation ends the program, in MB: a quarter of the largest one, and some more. */
export const SAFE_HEAP_MB = 288;

/** Whether the "error" event of a thread says that its heap was full. */
export function isOutOfMemory(error: unknown): boolean {
  return (ToObject(error) as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY";
}

/** The limit of this isolate's heap, which grows when the heap was full; and the size of its buffers. In bytes. */
export function memoryUse(): { heapLimit: number; buffers: number } {
  const statistics = getHeapStatistics() as { heap_size_limit: number; external_memory: number };
  return { heapLimit: statistics.heap_size_limit, buffers: statistics.external_memory };
}

let profiler: Pick<v8.GCProfiler, "start" | "stop"> | undefined;

/**
 * The most bytes of objects that a full collection has left in this isolate's heap since the last call; 0 if there was
 * no full collection. The first call, before any code of the user's runs, only begins to look.
 */
export function liveObjects(): number {
  if (profiler === undefined) {
    const made = new v8.GCProfiler(), { start, stop } = made;
    profiler = {
      start: () => Reflect.apply(start, made, []),
      stop: () => Reflect.apply(stop, made, []),
    };
    profiler.start();
    return 0;
  }
  const { statistics } = profiler.stop();
  let most = 0;
  for (let i = 0; i < statistics.length; i++) {
    const { gcType, afterGC } = statistics[i];
    if (gcType === "MarkSweepCompact") most = Math.max(most, afterGC.heapStatistics.usedHeapSize);
  }
  profiler.start();
  return most;
}
