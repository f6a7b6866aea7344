// A pool in other hands: in its own tasks, in processes, in sandboxes, and handed on from there.

import assert from "node:assert/strict";
import { currentTask, Pool, Process } from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import * as targets from "../support/targets/pool_targets.ts";

const { square } = targets;

Deno.test("a task hands its pool on, and its call may close meanwhile", async () => {
  let task;
  {
    await using pool = new Pool({ processes: 1 });
    task = pool.submit(targets.handOn, [pool, 7]);
  }
  assert.equal(await task, 8);
});

testInFull(
  "a recursive task with its pool as an argument ends, on any number of workers",
  async () => {
    for (const processes of [1, 2, 3]) {
      await using pool = new Pool({ processes });
      assert.equal(await pool.apply(targets.fibonacciOf, [pool, 7]), 13);
    }
  },
);

testInFull("a sandboxed process uses a pool, and a task a pool of its own", async () => {
  await using pool = new Pool({ processes: 1 });
  await using process = new Process({
    target: async (pool: Pool) => await pool.map((n: number) => n + 1, [1, 2]),
    args: [pool],
    permissions: "none",
  });
  process.start();
  assert.deepEqual(await process.result(), [2, 3]);
  const own = async () => {
    await using pool = new Pool({ processes: 1 });
    return [await pool.apply((n: number) => n + 1, [1]), pool.applySync((n: number) => n + 1, [2])];
  };
  assert.deepEqual(await pool.apply(own), [2, 3]);
});

/** Each runs in a task, with the pool of that task. */
const calls: Record<string, [call: (pool: Pool) => Promise<unknown>, expected: unknown]> = {
  timeLimit: [
    (pool) =>
      pool.apply(
        () => {
          while (true);
        },
        [],
        { timeLimit: 50 },
      ).catch(({ name, limit }) => [name, limit]),
    ["TaskError", "timeLimit"],
  ],
  timeout: [
    (pool) =>
      pool.apply(
        () => {
          while (true);
        },
        [],
        { timeout: 50 },
      ).catch(({ name }) => name),
    "TimeoutError",
  ],
  signal: [
    (pool) => {
      const stop = new AbortController();
      const task = pool.submit(() => new Promise((_) => setInterval(() => {}, 60_000)), [], {
        signal: stop.signal,
      });
      stop.abort("enough");
      return task.result().catch(({ name, cause }) => [name, cause]);
    },
    ["CancelledError", "enough"],
  ],
  mapSignal: [
    (pool) => {
      const stop = new AbortController();
      const wait = (_: number) => new Promise((_) => setInterval(() => {}, 60_000));
      const mapping = pool.map(wait, [1, 2], { signal: stop.signal, onProgress: () => {} });
      stop.abort("enough");
      return mapping.catch((reason) => reason);
    },
    "enough",
  ],
  returnExceptions: [
    async (pool) => {
      const fussy = (n: number) => {
        if (n === 2) throw new Error("two");
        return n;
      };
      const all = await pool.map(fussy, [1, 2, 3], { returnExceptions: true, chunkSize: 3 });
      return all.map((it) => it instanceof Error ? [it.index, it.item, `${it.cause}`] : it);
    },
    [1, [1, "2", "Error: two"], 3],
  ],
  stream: [
    async (pool) => {
      const seen: number[] = [];
      const count = function* (to: number) {
        for (let i = 0; i < to; i++) yield i;
      };
      for await (const n of pool.stream(count, [40])) seen.push(n);
      for await (const n of pool.stream(count, [Infinity])) {
        seen.push(n);
        break;
      }
      return seen.length;
    },
    41,
  ],
  imap: [
    async (pool) => {
      let seen = 0, closed = 0;
      const naturals = function* () {
        try {
          for (let n = 0;; n++) yield n;
        } finally {
          closed++;
        }
      };
      for await (const n of pool.imap((n: number) => n, naturals())) {
        if (n > 5) break;
        else seen++;
      }
      return [seen, closed];
    },
    [6, 1],
  ],
  onMessage: [
    async (pool) => {
      const seen: unknown[] = [];
      const chunks = function* () {
        yield 1;
      };
      await pool.apply((n: number) => n, [1], { onMessage: (value) => seen.push(value) });
      for await (const n of pool.stream(chunks, [], { onMessage: () => {} })) seen.push(n);
      return seen;
    },
    [1],
  ],
  notCloneable: [
    (pool) => pool.apply((f: unknown) => f, [{ f: () => 1 }]).catch(({ message }) => message),
    /args\[0\]\.f is a function/,
  ],
  itemNotCloneable: [
    (pool) => {
      const same = (f: unknown) => f;
      return pool.map(same, [1, { f: () => 1 }]).catch(({ message }) => message);
    },
    /items\[1\]\.f is a function/,
  ],
};

for (const [name, [call, expected]] of Object.entries(calls)) {
  testInFull(`a task uses the pool that it runs in: ${name}`, async () => {
    await using pool = new Pool({ processes: 2 });
    await pool.ready();
    const result = await pool.apply(call, [pool]);
    if (expected instanceof RegExp) assert.match(result as string, expected);
    else assert.deepEqual(result, expected);
    assert.equal(await pool.apply(square, [3]), 9);
  });
}

// A module that can't run in a worker, as this one, may be loaded with a sandbox in case that it is needed.
Deno.test("a sandboxed pool works from a module that only tests can import", async () => {
  await using pool = new Pool({ processes: 1, permissions: "none", spares: 0 });
  assert.equal(await pool.apply((n: number) => n + 1, [1]), 2);
});

testInFull("in a sandbox functions by source use this package's names", async () => {
  for (const by of ["source", undefined] as const) {
    await using pool = new Pool({ processes: 1, permissions: "none", by, spares: 0 });
    assert.deepEqual(
      await pool.apply(targets.whoAmI, [], { name: "it" }).then(({ name }) => name),
      "it",
    );
    const name = () => currentTask()!.name;
    assert.equal(await pool.apply(name), "name");
    assert.equal(await pool.apply((pool: Pool) => pool.apply(() => currentTask()!.id), [pool]), 4);
  }
});
