// The matrix that CPython's and loky's suites run: crash, exit and throw, while encoding and decoding, in the task, in
// the initializer and in a callback, in a worker and in the program. Each costs its own item, and the pool goes on.

import assert from "node:assert/strict";
import { BrokenPoolError, Pool, TaskError, type TaskOptions } from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import { granted, needs, run } from "../support/programs.ts";
import * as targets from "../support/targets/pool_matrix_targets.ts";
import type { Way } from "../support/targets/pool_matrix_targets.ts";

const WAYS: readonly Way[] = ["throw", "exit", "outside", "rejection", "limit"];

/** What the error of the item shows: its exit code, its limit, and its cause. */
const ENDS: Record<Way, { exitCode: number; limit?: string; cause: RegExp }> = {
  throw: { exitCode: 1, cause: /RangeError: (encoding|task|callback)/ },
  exit: { exitCode: 6, cause: /undefined/ },
  outside: { exitCode: 1, cause: /RangeError: outside/ },
  rejection: { exitCode: 1, cause: /RangeError: nobody catches it/ },
  limit: { exitCode: -9, limit: "timeLimit", cause: /undefined/ },
};

/** The places in a worker, and how a task is struck there; it gives the task's error. */
const PLACES: Record<string, (pool: Pool, way: Way, options: TaskOptions) => Promise<unknown>> = {
  "while encoding": (pool, way, options) =>
    pool.submit(targets.whileEncoding, [way], options).exception(),
  "in the task": (pool, way, options) =>
    pool.submit(targets.strike, [way, "task"], options).exception(),
  "in a callback": (pool, way, options) =>
    pool.submit(targets.strike, [way, "callback"], options).exception(),
};

for (const permissions of ["inherit", "none"] as const) {
  const kind = permissions === "none" ? "a sandbox" : "a thread";
  for (const [place, strike] of Object.entries(PLACES)) {
    testInFull(`${kind} that fails ${place}, in every way, costs one item`, async () => {
      await using pool = new Pool({ processes: 1, permissions, by: "source" });
      for (const way of WAYS) {
        // What an encoder starts goes on outside of the item, which has returned by then.
        if (place === "while encoding" && (way === "outside" || way === "rejection")) continue;
        const struck = strike(pool, way, { timeLimit: way === "limit" ? 100 : undefined });
        const next = pool.submit(targets.same, [way]);
        const error = await struck;
        assert.ok(error instanceof TaskError, `${way}: ${error}`);
        const { exitCode, limit, cause } = ENDS[way];
        assert.deepEqual([error.exitCode, error.limit], [exitCode, limit], `${way}: ${error}`);
        assert.match(`${error.cause}`, cause, way);
        assert.equal(await next, way);
      }
    });
  }

  testInFull(`${kind} whose prototypes are spoilt decodes its arguments all the same`, async () => {
    await using pool = new Pool({
      processes: 1,
      permissions,
      by: "source",
      initializer: targets.spoil,
    });
    const value = { value: [1, 2], map: new Map([[1, new Set([2])]]), error: new RangeError("it") };
    assert.deepEqual(await pool.apply(targets.same, [value]), value);
    assert.deepEqual(await pool.map(targets.same, [1, 2, 3]), [1, 2, 3]);
  });

  for (const way of ["throw", "exit", "outside", "rejection"] as const) {
    testInFull(`${kind} that fails in the initializer breaks the pool: ${way}`, async () => {
      await using pool = new Pool({
        processes: 2,
        permissions,
        by: "source",
        initializer: targets.strike,
        initargs: [way, "initializer"],
      });
      const task = pool.submit(targets.same, [1]);
      const mapping = pool.map(targets.same, [1, 2]);
      const outcomes = await Promise.allSettled([task.result(), mapping, pool.ready()]);
      for (const outcome of outcomes) {
        assert.ok(outcome.status === "rejected");
        assert.ok(outcome.reason instanceof BrokenPoolError, `${way}: ${outcome.reason}`);
        if (way !== "exit") assert.ok(outcome.reason.cause instanceof RangeError);
      }
      assert.throws(() => pool.submit(targets.same, [1]), BrokenPoolError);
    });
  }
}

testInFull("a worker that fails in the finalizer costs nothing, however often", async () => {
  await using pool = new Pool({
    processes: 1,
    initializer: targets.keepWay,
    initargs: ["exit"],
    finalizer: targets.inFinalizer,
  });
  for (let i = 0; i < 6; i++) await pool.recycle();
  assert.equal(await pool.apply(targets.same, [3]), 3);
});

testInFull("what can't be encoded in the program fails its own item", async () => {
  await using pool = new Pool({ processes: 1 });
  const throwing = {
    get value(): number {
      throw new RangeError("encoding");
    },
  };
  const error = await pool.submit(targets.same, [throwing]).exception();
  assert.ok(error instanceof TaskError && error.cause instanceof RangeError, `${error}`);
  const options = { chunkSize: 1, returnExceptions: true } as const;
  const [one, two, three, four] = await pool.map(targets.same, [1, throwing, () => 1, 4], options);
  assert.deepEqual([one, four], [1, 4]);
  assert.ok(two instanceof TaskError && two.index === 1 && two.cause instanceof RangeError);
  assert.ok(three instanceof TaskError && three.index === 2 && three.cause instanceof TypeError);
  assert.match(`${three.cause}`, /items\[2\] is a function/);
});

testInFull("one item that can't be encoded fails no other of its chunk", async () => {
  await using pool = new Pool({ processes: 1 });
  const items = [1, { f: () => 1 }, 3];
  const results = await pool.map(targets.same, items, { chunkSize: 3, returnExceptions: true });
  assert.deepEqual([results[0], results[2]], [1, 3]);
  assert.match(`${(results[1] as TaskError).cause}`, /items\[1\]\.f is a function/);
});

testInFull(
  "what the items' iterator throws, its call rejects with, and the pool goes on",
  async () => {
    await using pool = new Pool({ processes: 1 });
    const bad = {
      [Symbol.iterator](): Iterator<number> {
        throw new RangeError("iterator");
      },
    };
    await assert.rejects(pool.map(targets.same, bad), { name: "RangeError", message: "iterator" });
    const worse = { [Symbol.iterator]: () => ({ next: () => 5 }) } as unknown as Iterable<number>;
    await assert.rejects(pool.map(targets.same, worse), TypeError);
    assert.equal(await pool.apply(targets.same, [3]), 3);
  },
);

for (
  const where of [
    "encoding",
    "items",
    "onMessage",
    "onProgress",
    "addDoneCallback",
    "event",
    "throw",
    "idle",
  ]
) {
  Deno.test({
    name: `a program that ends itself ends at once, whatever its pool does: ${where} ${needs}`,
    ignore: !granted,
    fn: async () => {
      const { code, out, errors } = await run("pool_host_exit.ts", [where]);
      const expected = where === "idle" ? 0 : where === "throw" ? 1 : 7;
      assert.equal(code, expected, `${out} ${errors}`);
      assert.deepEqual(out, where === "idle" ? ["idle"] : []);
    },
  });
}
