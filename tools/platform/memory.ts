// Shared memory, waits, memory limits and the stack.

import { getHeapStatistics } from "node:v8";
import { isOutOfMemory, resourceLimitsOf } from "../../lib/platform/threads.ts";
import {
  type Assumption,
  eventually,
  fileOf,
  pause,
  program,
  thread,
  words,
} from "./assumption.ts";

/** Fills the heap with arrays. */
const FILL = "const all = []; while (true) all.push({ n: all.length, text: [all.length, {}] });";

export const memory: Assumption[] = [
  {
    claim:
      "A thread whose heap is full ends with ERR_WORKER_OUT_OF_MEMORY, and the program goes on",
    places: ["lib/platform/threads.ts", "lib/host/supervisor.ts"],
    kind: "need",
    expected: ["known as out of memory"],
    observe: async () => {
      const worker = await thread(FILL, 0, { resourceLimits: resourceLimitsOf(31.5) });
      const failed = new Promise<string>((resolve) => {
        worker.on("error", (error: { code?: string }) => {
          resolve(isOutOfMemory(error) ? "known as out of memory" : `${error.code}`);
        });
      });
      return await Promise.race([failed, pause(8000).then(() => "no error")]);
    },
  },
  {
    claim:
      "Where the heap fills after an await, the thread isn't ended, but its heap_size_limit has grown",
    places: ["lib/platform/threads.ts", "lib/child/memory_watch.ts"],
    kind: "need",
    expected: ["it lives, and the limit has grown", "ERR_WORKER_OUT_OF_MEMORY"],
    observe: async () => {
      const worker = await thread(
        `const { getHeapStatistics } = await import("node:v8");
        const limit = getHeapStatistics().heap_size_limit;
        setInterval(() => data[0] = getHeapStatistics().heap_size_limit > limit ? 1 : 0, 20);
        await new Promise((resolve) => setTimeout(resolve, 50));
        for (const all = []; true;) all.push({ n: all.length, text: [all.length, {}] });`,
        counter,
        { resourceLimits: { maxOldGenerationSizeMb: 32 } },
      );
      const failed = new Promise<string>((resolve) => {
        worker.on("error", (error: { code?: string }) => resolve(`${error.code}`));
      });
      const grown = eventually(() => counter[0] === 1, 8000).then((has) =>
        has ? "it lives, and the limit has grown" : "it lives, and shows nothing"
      );
      return await Promise.race([failed, grown]);
    },
  },
  {
    claim: "V8 tells the limit of a thread's heap as heap_size_limit",
    places: ["lib/platform/threads.ts", "lib/child/memory_watch.ts"],
    kind: "need",
    expected: ["as set"],
    observe: async () => {
      const seen = words(), here = getHeapStatistics().heap_size_limit;
      await thread(
        `const { getHeapStatistics } = await import("node:v8");
        data[0] = getHeapStatistics().heap_size_limit / 2 ** 20;
        data[1] = 1;`,
        seen,
        { resourceLimits: { maxOldGenerationSizeMb: 40 } },
      );
      await eventually(() => seen[1] === 1);
      return seen[0] >= 40 && seen[0] < 200 && here > 2 ** 28 ? "as set" : `${seen[0]} MB, ${here}`;
    },
  },
  {
    claim: "A GCProfiler tells what each full collection has left",
    places: ["lib/platform/threads.ts", "lib/child/memory_watch.ts"],
    kind: "need",
    expected: ["as much as there is"],
    observe: async () => {
      const seen = words();
      await thread(
        `const { GCProfiler } = await import("node:v8");
        const profiler = new GCProfiler(), all = [];
        profiler.start();
        for (let i = 0; i < 1e6; i++) all.push({ i });
        const full = profiler.stop().statistics.filter(({ gcType }) => gcType === "MarkSweepCompact");
        data[0] = Math.max(...full.map(({ afterGC }) => afterGC.heapStatistics.usedHeapSize)) / 2 ** 20;
        data[1] = all.length;`,
        seen,
        { resourceLimits: { maxOldGenerationSizeMb: 100 } },
      );
      await eventually(() => seen[1] > 0, 8000);
      return seen[0] > 10 && seen[0] < 120 ? "as much as there is" : `${seen[0]} MB`;
    },
  },
  {
    claim: "With a heap limit of 16 MB a thread can load this package",
    places: ["lib/platform/threads.ts", "lib/process/options.ts"],
    kind: "need",
    expected: ["loaded"],
    observe: async () => {
      const seen = words();
      const worker = await thread(
        `await import(${JSON.stringify(fileOf("mod.ts"))}); data[0] = 1;`,
        seen,
        {
          resourceLimits: resourceLimitsOf(16),
        },
      );
      let failed = "not loaded";
      worker.on("error", (error) => failed = `${error}`);
      return await eventually(() => seen[0] === 1) ? "loaded" : failed;
    },
  },
  {
    claim: "A pending Atomics.waitAsync doesn't keep a program alive, with a timeout or without",
    places: ["lib/wait/async_waiter.ts", "lib/wait/broadcast.ts"],
    kind: "need",
    expected: ["it ends at once, it ends at once"],
    observe: async () => {
      const seen: string[] = [];
      for (const timeout of ["", ", 15_000"]) {
        const { ms, code } = await program(
          `Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0${timeout});`,
        );
        seen.push(code === 0 && ms < 11_000 ? "it ends at once" : "it waits");
      }
      return seen.join(", ");
    },
  },
  {
    claim: "The waitAsync calls of an isolate are there until it has ended, and are gone then",
    places: ["lib/protocol/heartbeat.ts"],
    kind: "need",
    expected: ["1 woken in a loop, 0 once terminated"],
    observe: async () => {
      const data = words();
      const worker = await thread(
        "for (let i = 0; i < 16; i++) Atomics.waitAsync(data, 0, 0);" +
          "while (true) Atomics.add(data, 1, 1);",
        data,
      );
      await eventually(() => Atomics.load(data, 1) > 1000);
      const inLoop = Atomics.notify(data, 0, 1);
      worker.terminate();
      const isGone = await eventually(() => Atomics.notify(data, 0, 1) === 0);
      return `${inLoop} woken in a loop, ${isGone ? 0 : "some"} once terminated`;
    },
  },
  {
    claim: "Atomics.wait blocks in the main isolate as in every other, and in a sandbox",
    places: ["lib/wait/operation.ts"],
    kind: "need",
    expected: ["timed-out"],
    observe: () => Atomics.wait(words(), 0, 0, 5),
  },
  {
    claim: "A SharedArrayBuffer that grows reserves memory without using it",
    places: ["lib/shm/mpmc_ring.ts", "lib/protocol/result_buffer.ts"],
    kind: "need",
    expected: ["1000 of 1 GiB"],
    observe: () => {
      const before = Deno.memoryUsage().rss;
      const all = Array.from(
        { length: 1000 },
        () => new SharedArrayBuffer(8, { maxByteLength: 2 ** 30 }),
      );
      const used = (Deno.memoryUsage().rss - before) / 2 ** 20;
      return used < 100 ? `${all.length} of 1 GiB` : `${used} MB used`;
    },
  },
  {
    claim:
      "A view that tracks the length of a growing SharedArrayBuffer is slower than one of fixed length",
    places: ["lib/shm/mpmc_ring.ts", "lib/shm/shared_state.ts"],
    kind: "quirk",
    expected: ["more than 3 times"],
    observe: () => {
      const buffer = new SharedArrayBuffer(4096, { maxByteLength: 2 ** 20 });
      const time = (view: Int32Array) => {
        const run = new Function(
          "view",
          `let sum = 0;
          for (let i = 0; i < 20000; i++) for (let j = 0; j < 512; j++) sum += view[j];
          return sum;`,
        );
        run(view);
        const began = performance.now();
        run(view);
        return performance.now() - began;
      };
      const tracking = time(new Int32Array(buffer)), fixed = time(new Int32Array(buffer, 0, 1024));
      return tracking > 3 * fixed ? "more than 3 times" : `${(tracking / fixed).toFixed(1)} times`;
    },
  },
  {
    claim:
      "A function with a call of 200 arguments throws at its start when the stack has no room for it",
    places: ["lib/liveness/critical_section.ts"],
    kind: "need",
    expected: ["0 of 200 begun and not ended"],
    observe: async () => {
      const { enter, leave } = await import("../../lib/liveness/critical_section.ts");
      let halves = 0;
      for (let round = 0; round < 200; round++) {
        let isDone = false;
        const dive = () => {
          try {
            dive();
          } catch {
            // At this level a little more of the stack is free.
          }
          if (isDone) return;
          let hasBegun = false;
          try {
            enter();
            hasBegun = true;
            leave();
            isDone = true;
          } catch {
            if (hasBegun) halves++;
          }
        };
        dive();
      }
      return `${halves} of 200 begun and not ended`;
    },
  },
];

const counter = words();
