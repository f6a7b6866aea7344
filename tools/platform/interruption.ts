// Interruption: which code can be stopped, by which call, and when.

import type { MessagePort } from "node:worker_threads";
import {
  type Assumption,
  eventually,
  fileOf,
  moduleOf,
  newSandbox,
  pause,
  program,
  stops,
  thread,
  words,
} from "./assumption.ts";

const INTERRUPTION = "lib/platform/interruption.ts";

/** Runs a loop that calls count() in a thread, terminates it and says whether the loop goes on. */
async function terminated(loop: string, options: Parameters<typeof thread>[2] = {}) {
  const counter = words();
  const worker = await thread(
    `const count = () => Atomics.add(data, 0, 1); ${loop}`,
    counter,
    options,
  );
  if (!await eventually(() => Atomics.load(counter, 0) > 1000)) return "the loop doesn't begin";
  await pause(50);
  worker.terminate();
  return await stops(counter) ? "stops" : "goes on";
}

export const interruption: Assumption[] = [
  {
    claim: "terminate() stops a thread that holds a Web Lock in the middle of a loop",
    places: [INTERRUPTION, "lib/host/workers/thread.ts"],
    kind: "need",
    expected: ["stops"],
    observe: () => terminated("while (true) count();"),
  },
  {
    claim: "terminate() stops a thread that holds a Web Lock in the middle of Atomics.wait",
    places: [INTERRUPTION, "lib/host/workers/thread.ts", "lib/wait/operation.ts"],
    kind: "need",
    expected: ["its port closes"],
    observe: async () => {
      const { port1, port2 } = new MessageChannel();
      const transferList = [port2 as unknown as MessagePort];
      const worker = await thread("Atomics.wait(data.words, 0, 0);", { words: words(), port2 }, {
        transferList,
      });
      await pause(50);
      let isClosed = false;
      port1.addEventListener("close", () => isClosed = true);
      port1.start();
      worker.terminate();
      return await eventually(() => isClosed) ? "its port closes" : "it waits on";
    },
  },
  {
    claim: "terminate() doesn't stop a thread without a Web Lock in the middle of a loop",
    places: [INTERRUPTION],
    kind: "quirk",
    expected: ["goes on"],
    observe: () => terminated("while (true) count();", { holdsLock: false }),
  },
  {
    claim: "terminate() doesn't stop a web Worker in the middle of a loop, Web Lock or not",
    places: [
      "lib/platform/web_workers.ts",
      "lib/host/workers/sandbox.ts",
      "lib/liveness/critical_section.ts",
    ],
    kind: "quirk",
    expected: ["goes on, goes on"],
    observe: async () => {
      const seen: string[] = [];
      for (
        const lock of [
          "",
          "await new Promise((held) => navigator.locks.request('a', () => (held(), new Promise(() => {}))));",
        ]
      ) {
        const counter = words();
        const worker = newSandbox(
          moduleOf(`${lock} onmessage = ({ data }) => { while (true) Atomics.add(data, 0, 1); };`)
            .href,
        );
        worker.postMessage(counter);
        if (!await eventually(() => Atomics.load(counter, 0) > 1000)) {
          return "the loop doesn't begin";
        }
        worker.terminate();
        seen.push(await stops(counter) ? "stops" : "goes on");
      }
      return seen.join(", ");
    },
  },
  {
    claim: "terminate() stops a web Worker at the next turn of its event loop",
    places: [
      "lib/platform/web_workers.ts",
      "lib/host/workers/sandbox.ts",
      "lib/liveness/critical_section.ts",
    ],
    kind: "need",
    expected: ["stops"],
    observe: async () => {
      const counter = words();
      const worker = newSandbox(
        moduleOf(`onmessage = ({ data }) => setInterval(() => Atomics.add(data, 0, 1), 0);`).href,
      );
      worker.postMessage(counter);
      await eventually(() => Atomics.load(counter, 0) > 10);
      worker.terminate();
      return await stops(counter) ? "stops" : "goes on";
    },
  },
  {
    claim: "An order to end is lost on a thread that inspects a value just then",
    places: ["lib/platform/interruptible_console.ts"],
    kind: "quirk",
    expected: ["lost at least once in 10", "never lost in 10"],
    observe: async () => {
      for (let i = 0; i < 10; i++) {
        const seen = await terminated(
          "const value = { a: [1, { b: 2 }] }; while (true) { Deno.inspect(value); count(); }",
        );
        if (seen === "goes on") return "lost at least once in 10";
      }
      return "never lost in 10";
    },
  },
  {
    claim: "terminate() doesn't stop an optimized loop that makes arrays of a fixed length",
    places: ["lib/platform/interruptible_arrays.ts"],
    kind: "quirk",
    expected: ["goes on", "stops"],
    observe: () => terminated(MAKING_ARRAYS),
  },
  {
    claim: "terminate() stops such a loop where arrays are made by a function",
    places: ["lib/platform/interruptible_arrays.ts"],
    kind: "need",
    expected: ["stops"],
    observe: () =>
      terminated(
        `const { makeArraysByFunction } = await import("${
          fileOf("lib/platform/interruptible_arrays.ts")
        }");
        makeArraysByFunction();
        setTimeout(() => { ${MAKING_ARRAYS} }, 10);`,
      ),
  },
  {
    claim: "A worker ends with the worker that has started it",
    places: ["lib/host/supervisor.ts", "lib/host/workers/sandboxed_thread.ts"],
    kind: "need",
    expected: ["stops"],
    observe: async () => {
      const counter = words();
      const inner = `import { workerData } from "node:worker_threads";
        setInterval(() => Atomics.add(workerData, 0, 1), 1);`;
      const outer = await thread(
        `new threads.Worker(new URL(${
          JSON.stringify(moduleOf(inner).href)
        }), { workerData: data });`,
        counter,
      );
      await eventually(() => Atomics.load(counter, 0) > 10);
      outer.terminate();
      return await stops(counter) ? "stops" : "goes on";
    },
  },
  {
    claim: "A program doesn't wait for an unref'd thread that computes without end",
    places: ["lib/host/workers/thread.ts"],
    kind: "need",
    expected: ["it ends"],
    observe: async () => {
      const spin = moduleOf("while (true) {}").href;
      const { code } = await program(`import { Worker } from "node:worker_threads";
        new Worker(new URL(${JSON.stringify(spin)})).unref(); setTimeout(() => {}, 300);`);
      return code === 0 ? "it ends" : "it doesn't end";
    },
  },
];

/** A loop that can be stopped only until V8 has optimized it. */
const MAKING_ARRAYS = `const all = [];
  for (let n = 0; true;) {
    all[n & 1023] = new Array(1000).fill(0);
    data[0] = ++n;
  }`;
