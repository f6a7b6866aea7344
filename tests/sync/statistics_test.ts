// statistics() of shared memory and of processes.

import { testInFull } from "../support/length.ts";
import assert from "node:assert/strict";
import { Process, Queue, SharedArray, Value } from "../../mod.ts";

Deno.test("a Value and a SharedArray tell of their bytes and their lock", () => {
  const value = new Value("i32", 1), array = new SharedArray("f64", 3);
  assert.equal(value.statistics().bytes, 4);
  assert.equal(array.statistics().bytes, 24);
  array.lock.acquireSync();
  array.lock.acquireSync();
  assert.deepEqual(array.statistics().lock, { owner: "MainProcess", count: 2, waiting: 0 });
  array.lock.release();
  array.lock.release();
  assert.deepEqual(value.statistics().lock, { owner: null, count: 0, waiting: 0 });
});

testInFull(
  "a process tells when it was started, and what it needs once it has waited",
  async () => {
    const queue = new Queue<number>(), before = Date.now();
    const process = new Process({
      target: (queue: Queue<number>) => queue.getSync(),
      args: [queue],
    });
    assert.equal(process.statistics().startedAt, null);
    process.start();
    assert.ok(process.statistics().startedAt! >= before);
    while (process.statistics().heap === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { waits, cpu, heap } = process.statistics();
    assert.ok(waits === 1 && cpu! >= 0 && heap! > 100_000, `${waits}, ${cpu}, ${heap}`);
    await queue.put(1);
    assert.equal(await process.result(), 1);
    assert.deepEqual(process.statistics(), {
      startedAt: null,
      waits: 0,
      cpu: null,
      heap: null,
      lag: null,
    });
    process.close();
    assert.throws(() => process.statistics(), /closed/);
  },
);
