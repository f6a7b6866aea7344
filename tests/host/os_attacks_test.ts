// What hostile code tries in a process of the operating system, as a table: what happens to the process, that the
// program lives on, and the longest stall of its event loop meanwhile. With the realm sealed, where much is refused
// before it can do harm, and without, where the process alone holds it.

import assert from "node:assert/strict";
import { Process, ProcessError, type ProcessOptions } from "../../mod.ts";
import { testInFull } from "../support/length.ts";

/** What may become of the process: it is ended by a limit or a signal, exits, or gets an error. */
type End = "memoryLimitMb" | "timeLimit" | "error" | number;

interface Attack {
  target: () => unknown;
  /** What becomes of the process without a sealed realm. */
  ends: End[];
}

/**
 * Where memory runs out: a limit is told, an allocation is an error, or one of Deno's own fails, which ends the process
 * by a signal. Which one comes first differs from run to run.
 */
const OUT_OF_MEMORY: End[] = ["memoryLimitMb", "error", -6, -5, -9];

// deno-lint-ignore no-explicit-any
type Any = any;

/** Found in the process only: these targets travel by source. */
declare const Deno: Any;

const ATTACKS: Record<string, Attack> = {
  "a loop": {
    target: () => {
      for (;;);
    },
    ends: ["timeLimit"],
  },
  "a heap that grows": {
    target: () => {
      for (const all: unknown[] = [];;) all.push(new Array(1000).fill(1.5));
    },
    ends: ["memoryLimitMb"],
  },
  "one large allocation": {
    target: () => new Array(33_000_000).fill(1.5).length,
    ends: ["memoryLimitMb"],
  },
  "typed arrays": {
    target: () => {
      for (const all: unknown[] = [];;) all.push(new Uint8Array(5e6).fill(1));
    },
    ends: OUT_OF_MEMORY,
  },
  "one large buffer": {
    target: () => new Uint8Array(3e9).fill(1).length,
    ends: OUT_OF_MEMORY,
  },
  "memories of WebAssembly": {
    target: () => {
      for (const all: unknown[] = [];;) {
        const memory = new WebAssembly.Memory({ initial: 100 });
        new Uint8Array(memory.buffer).fill(1);
        all.push(memory);
      }
    },
    ends: OUT_OF_MEMORY,
  },
  "Blobs": {
    target: () => {
      for (const all: unknown[] = [];;) all.push(new Blob([new Uint8Array(5e6).fill(1)]));
    },
    ends: OUT_OF_MEMORY,
  },
  "one call of split": {
    target: () => "x".repeat(2 ** 27).split("").length,
    ends: OUT_OF_MEMORY,
  },
  "JSON without end": {
    target: () => JSON.parse(`[${"[],".repeat(2e7)}[]]`).length,
    ends: OUT_OF_MEMORY,
  },
  "deep data: text": {
    target: () => import("data:text/javascript," + "[".repeat(30_000)),
    ends: [-6, "error"],
  },
  "deep TypeScript": {
    target: () => import("data:text/typescript," + "[".repeat(30_000)),
    ends: [-6, -11, "error", "memoryLimitMb", "timeLimit"],
  },
  "abort": {
    target: async () => (await import("node:process")).abort(),
    ends: [-6, "error"],
  },
  "an unstable API": {
    target: () => Deno.connect({ transport: "vsock", cid: 2, port: 1 }),
    ends: [70, "error"],
  },
  "Deno's internals": {
    target: () => new Deno[Deno.internal].core.ops.BrowserWindow({}),
    ends: [1, 101, -6, "error"],
  },
  "SQLite without end": {
    target: async () => {
      const { DatabaseSync } = await import("node:sqlite");
      const database = new DatabaseSync(":memory:");
      database.prepare(
        "with recursive x(n) as (select 1 union all select n + 1 from x) select max(n) from x",
      ).get();
    },
    ends: ["timeLimit", "error"],
  },
  "SQLite's temporary folder": {
    target: async () => {
      const { DatabaseSync } = await import("node:sqlite");
      const database = new DatabaseSync(":memory:");
      database.exec("pragma temp_store_directory = '/tmp/os-attack'; pragma temp_store = 1");
      return true;
    },
    ends: ["error", 0],
  },
  "pbkdf2 without end": {
    target: async () => {
      const { pbkdf2Sync } = await import("node:crypto");
      pbkdf2Sync("a", "b", 2 ** 31 - 1, 64, "sha512");
    },
    ends: ["timeLimit", "error"],
  },
  "inspect over a getter": {
    target: async () => {
      const { inspect } = await import("node:util");
      const slow = {
        get x() {
          for (let i = 0; i < 1e6; i++);
          return 1;
        },
      };
      for (;;) inspect(slow, { getters: true });
    },
    ends: ["timeLimit", "error"],
  },
  "clearInterval of all": {
    target: () => {
      for (let i = 0; i < 10_000; i++) clearInterval(i);
      for (const all: unknown[] = [];;) all.push(new Uint8Array(5e6).fill(1));
    },
    ends: OUT_OF_MEMORY,
  },
  "a flood of messages on all channels": {
    target: () => {
      const channel = new BroadcastChannel("@multiproc/multiprocessing");
      for (;;) channel.postMessage(new Uint8Array(1e6));
    },
    ends: ["timeLimit", ...OUT_OF_MEMORY],
  },
  "a package of npm": {
    target: () => import("npm:" + "left-pad"),
    ends: ["error"],
  },
  "the network": {
    target: () => fetch("http://127.0.0.1:1"),
    ends: ["error"],
  },
  "the files": {
    target: () => Deno.readTextFileSync("/etc/passwd"),
    ends: ["error"],
  },
  "the descriptors": {
    target: async () => {
      const { readSync } = (await import("node:fs")).default;
      for (let fd = 4; fd < 100; fd++) {
        try {
          readSync(fd, new Uint8Array(1));
        } catch {
          continue;
        }
        return fd;
      }
      throw new Error("none can be read");
    },
    ends: ["error"],
  },
  "workers that spin": {
    target: () => {
      const spin = "data:text/javascript,for(;;);";
      for (let i = 0; i < 20; i++) new Worker(spin, { type: "module" });
      for (;;);
    },
    ends: ["timeLimit", "error", -9],
  },
  "a result that is none": {
    target: async () => {
      const { writeSync } = (await import("node:fs")).default;
      const frame = new Uint8Array(5 + 1000).fill(255);
      frame.set([232, 3, 0, 0, 17]);
      writeSync(3, frame);
      for (;;);
    },
    ends: [-9, "error", "timeLimit"],
  },
  "frames without end": {
    target: async () => {
      const { writeSync } = (await import("node:fs")).default;
      const frame = new Uint8Array(5 + 60_000);
      frame.set([96, 234, 0, 0, 17]);
      for (;;) writeSync(3, frame);
    },
    ends: [-9, "error", "timeLimit"],
  },
  "words without end": {
    target: async () => {
      const { writeSync } = (await import("node:fs")).default;
      const frame = new Uint8Array(5 + 60_000);
      frame.set([96, 234, 0, 0, 18]);
      for (;;) writeSync(3, frame);
    },
    ends: [-9, "error", "timeLimit"],
  },
};

/** Watches the event loop; the longest pause between two turns. */
function watchLoop(): () => number {
  let last = performance.now(), longest = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 10);
    last = now;
  }, 10);
  return () => {
    clearInterval(timer);
    return Math.round(longest);
  };
}

const LIMITS = { memoryLimitMb: 64, timeLimit: 2000 };

/** What became of a process. */
async function endOf(options: ProcessOptions<[], unknown>): Promise<[End, string]> {
  const process = new Process(
    { isolation: "os", by: "source", ...LIMITS, ...options } as ProcessOptions<[], unknown>,
  );
  process.start();
  const outcome = await process.result({ timeout: 60_000 }).then(() => 0, (error) => error);
  if (outcome === 0) return [0, "returned"];
  assert.ok(outcome instanceof ProcessError, `${outcome}`);
  if (outcome.limit !== undefined) return [outcome.limit, outcome.limit];
  if (outcome.cause !== undefined) return ["error", `${outcome.cause}`.slice(0, 60)];
  return [outcome.exitCode, `exit code ${outcome.exitCode}`];
}

for (const sealed of [false, true]) {
  testInFull(
    `nothing that hostile code does in a process of the operating system ends or hangs the program, ${
      sealed ? "sealed" : "not sealed"
    }`,
    async () => {
      if (globalThis.Deno.build.os === "windows") return;
      const wrong: string[] = [];
      for (const [name, { target, ends }] of Object.entries(ATTACKS)) {
        const loop = watchLoop(), began = performance.now();
        const [end, words] = await endOf({ target, sealed });
        const took = Math.round(performance.now() - began);
        console.log(`${name.padEnd(36)} ${words.padEnd(62)} ${took} ms, stall ${loop()} ms`);
        // A sealed realm refuses much with an error. On a busy machine the time may be up first.
        const expected: End[] = [...ends, "timeLimit", ...sealed ? ["error" as const] : []];
        if (!expected.includes(end)) wrong.push(`${name}: ${words}`);
      }
      assert.deepEqual(wrong, []);
      assert.deepEqual(await endOf({ target: () => 1 }), [0, "returned"]);
    },
  );
}
