// The memory limit, seen from inside. When the heap of a limited worker is full, V8 doubles the limit
// and interrupts the code, and Deno 2.9.6 ends the worker: but not where that code ran after an
// await. There the interruption is lost, and with it the rest of the target. The limit that has
// grown tells.
//
// What buffers take V8 knows, too, but sets no limit to. They are let grow by SLACK_MB beyond the limit, because the
// sum has those in it that nothing refers to any more: V8 collects them once they have grown by about 64 MB.

import * as v8 from "node:v8";

import * as primordials from "../platform/primordials.ts";

const { clearInterval, Deno, setInterval } = primordials;

/** How often it is looked at, in ms. */
const LOOK_MS = 50;
const SLACK_MB = 64;

const { getHeapStatistics } = v8;
const MB = 2 ** 20;

/** Sees to it that a process keeps within its memory. */
export class MemoryWatch {
  readonly #exceeded: () => void;
  readonly #heapLimit = getHeapStatistics().heap_size_limit;
  #bufferLimit = Infinity;
  /** What V8 doesn't count: shared memory and Blobs that are alive. */
  #uncounted = 0;

  /** @param exceeded called once it has more than it may */
  constructor(exceeded: () => void) {
    this.#exceeded = exceeded;
    const timer = setInterval(() => {
      if (this.check(0)) clearInterval(timer);
    }, LOOK_MS);
    Deno.unrefTimer(timer as unknown as number);
  }

  /** From now on buffers count. */
  limitBuffers(memoryLimitMb: number): void {
    this.#bufferLimit = (memoryLimitMb + SLACK_MB) * MB;
  }

  /** Counts what V8 doesn't; a negative number what isn't there any more. */
  add(bytes: number): void {
    this.#uncounted += bytes;
  }

  /** Whether it has more than it may, or would have with so many bytes more; then it is ended. */
  check(more: number): boolean {
    const { heap_size_limit, external_memory } = getHeapStatistics() as {
      heap_size_limit: number;
      external_memory: number;
    };
    const isWithin = heap_size_limit === this.#heapLimit &&
      external_memory + this.#uncounted + more <= this.#bufferLimit;
    if (isWithin) return false;
    this.#exceeded();
    return true;
  }
}
