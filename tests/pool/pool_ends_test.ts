// How calls end early, and what goes on beside them: cancels and limits among others, streams that are left, full pools,
// callbacks that throw, and the end of the pool.

import assert from "node:assert/strict";
import {
  BrokenPoolError,
  CancelledError,
  InvalidStateError,
  Pool,
  Process,
  Queue,
  SharedArray,
  TaskError,
  TimeoutError,
  Value,
} from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import { granted, needs, run } from "../support/programs.ts";
import * as targets from "../support/targets/pool_targets.ts";

const { hang, nap, spin, square } = targets;

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nap(1);
}

testInFull(
  "workers that are ended for their tasks don't break the pool, however many",
  async () => {
    await using pool = new Pool({ processes: 1 });
    for (let i = 0; i < 7; i++) {
      const task = pool.submit(spin);
      await until(() => task.running());
      task.cancel();
      await assert.rejects(task.result(), CancelledError);
    }
    assert.equal(await pool.apply(square, [3]), 9);
  },
);

testInFull("a task among others that ignores its signal costs the others nothing", async () => {
  for (const how of ["cancel", "timeLimit"]) {
    await using pool = new Pool({ processes: 1, tasksPerProcess: 2 });
    const begun = new Value("i32", 0), told = new Queue<number>();
    const other = pool.submit(targets.beginAndWait, [begun, told]);
    const timeLimit = how === "timeLimit" ? 100 : undefined;
    const task = pool.submit(targets.beginAndHang, [begun], { timeLimit });
    await until(() => begun.value === 2);
    if (how === "cancel") task.cancel();
    const error = await task.result().catch((error) => error);
    if (how === "cancel") assert.ok(error instanceof CancelledError);
    else assert.deepEqual([error.limit, error.attempts], ["timeLimit", 1]);
    await told.put(5);
    assert.equal(await other, 5);
  }
});

testInFull("a task among others that blocks the thread ends it when it was cancelled", async () => {
  await using pool = new Pool({ processes: 1, tasksPerProcess: 2 });
  const begun = new Value("i32", 0), told = new Queue<number>();
  const other = pool.submit(targets.beginAndWait, [begun, told]);
  await until(() => begun.value === 1);
  const task = pool.submit(spin);
  await until(() => task.running());
  task.cancel();
  await assert.rejects(other.result(), TaskError);
  assert.equal(await pool.apply(square, [3]), 9);
});

testInFull("a generator that is left and doesn't return is ended", async () => {
  for (const generator of [targets.yieldAndSpin, targets.yieldAndHang]) {
    await using pool = new Pool({ processes: 1 });
    for await (const n of pool.stream(generator)) {
      assert.equal(n, 1);
      break;
    }
  }
});

testInFull("a generator is run anew only if it has yielded nothing", async () => {
  await using pool = new Pool({ processes: 1 });
  const tries = new Value("i32", 0);
  const stream = (isAfter: boolean) => {
    return Array.fromAsync(pool.stream(targets.dieOnce, [tries, isAfter], { retries: 1 }));
  };
  assert.deepEqual(await stream(false), [1, 2]);
  tries.value = 0;
  await assert.rejects(stream(true), (error: TaskError) => error.exitCode === 5);
});

testInFull(
  "apply() on a full pool ends by its timeout, its signal, and goes on when a task is cancelled",
  async () => {
    await using pool = new Pool({ processes: 1, maxQueueSize: 1 });
    const running = pool.submit(hang);
    await until(() => running.running());
    const waiting = pool.submit(square, [1]);
    await assert.rejects(pool.apply(square, [2], { timeout: 20 }), TimeoutError);
    const stop = new AbortController();
    const aborted = pool.apply(square, [2], { signal: stop.signal });
    stop.abort("enough");
    await assert.rejects(aborted, { name: "CancelledError", cause: "enough" });
    const next = pool.apply(square, [3]);
    waiting.cancel();
    await assert.rejects(waiting.result(), CancelledError);
    await until(() => pool.qsize() === 1);
    running.cancel();
    await assert.rejects(running.result(), CancelledError);
    assert.equal(await next, 9);
  },
);

testInFull("blocking calls keep to the limits of their items", async () => {
  for (const permissions of ["inherit", "none"] as const) {
    await using pool = new Pool({ processes: 1, permissions, by: "source" });
    assert.throws(() =>
      pool.applySync(
        () => {
          while (true);
        },
        [],
        { timeLimit: 100 },
      ), { name: "TaskError", limit: "timeLimit" });
    const options = { timeLimit: 100, returnExceptions: true } as const;
    const [one, two, three] = pool.mapSync(
      (n: number) => {
        while (n === 2);
        return n;
      },
      [1, 2, 3],
      options,
    );
    assert.ok(two instanceof TaskError && two.limit === "timeLimit");
    // On a busy machine the others may take that long, too.
    for (const [n, result] of [[1, one], [3, three]]) {
      assert.ok(result === n || result instanceof TaskError && result.limit === "timeLimit");
    }
    assert.throws(() => pool.applySync(() => Deno.exit(4)), { name: "TaskError", exitCode: 4 });
  }
});

Deno.test({
  name: `what callbacks and a finalizer throw is reported once, and costs nothing ${needs}`,
  ignore: !granted,
  fn: async () => {
    const { code, out, errors } = await run("pool_reports.ts");
    assert.deepEqual({ code, out }, { code: 0, out: ["[ 1, 4 ]", "second true", "9"] });
    const told = errors.match(/^[^ ].* failed: Error: .*$|^.* belongs to no task: .*$/gm);
    assert.deepEqual(told?.map((line) => line.replace(/^Pool-\d+-\d+/, "A worker")), [
      "A callback of a pool, onMessage, has failed: Error: message 1",
      "A callback of a pool, onProgress, has failed: Error: progress",
      "A callback of a pool, onMessage, has failed: Error: message 2",
      "A callback of a pool, addDoneCallback, has failed: Error: done",
      "A callback of a pool, addDoneCallback, has failed: Error: done already",
      "A worker has ended with an error that belongs to no task: Error: the end",
    ], errors);
  },
});

testInFull("a hanging initializer: waits end in time, and so does the pool", async () => {
  for (const initializer of [hang, spin]) {
    await using pool = new Pool({ processes: 1, initializer });
    assert.equal(await pool.ready({ timeout: 20 }), false);
    await assert.rejects(pool.apply(square, [1], { timeout: 20 }), TimeoutError);
  }
});

testInFull("terminate() starts no workers in the place of those that it ends", async () => {
  const pool = new Pool({ processes: 2 });
  let started = 0;
  await pool.ready();
  pool.addEventListener("workerstart", () => started++);
  const tasks = [pool.submit(spin), pool.submit(spin)];
  await until(() => tasks.every((task) => task.running()));
  pool.terminate();
  await Promise.allSettled(tasks);
  await pool.join();

  assert.equal(started, 0);
});

testInFull("a process with a pool that was terminated, or is broken, is told so", async () => {
  for (const how of ["terminated", "broken"]) {
    const go = new Queue<number>();
    const pool = new Pool({
      processes: 1,
      minProcesses: how === "broken" ? 0 : 1,
      initializer: how === "broken" ? targets.openAndFail : undefined,
    });
    const process = new Process({
      target: async (pool: Pool, go: Queue<number>) => {
        await go.get();
        return await pool.apply((n: number) => n, [1]).catch((error) => error.name);
      },
      args: [pool, go],
    });
    process.start();
    if (how === "broken") await assert.rejects(pool.apply(square, [1]), BrokenPoolError);
    else pool.terminate();
    await go.put(1);
    const expected = how === "broken" ? "BrokenPoolError" : "InvalidStateError";
    assert.equal(await process.result(), expected);
    pool.terminate();
    await pool.join();
    assert.throws(
      () => pool.submit(square, [1]),
      how === "broken" ? BrokenPoolError : InvalidStateError,
    );
  }
});

testInFull("resize() keeps the minProcesses that were asked for", async () => {
  await using pool = new Pool({ processes: 2, minProcesses: 1 });
  pool.resize(4);
  assert.equal(pool.workers.length, 1);
  await using other = new Pool({ processes: 1 });
  other.resize(3);
  assert.equal(other.workers.length, 3);
});

testInFull("buffers move with the items they are in, and never to all workers", async () => {
  await using pool = new Pool({ processes: 2 });
  const arrays = [1, 2, 3, 4].map((length) => new Uint8Array(length));
  const transfer = arrays.map(({ buffer }) => buffer);
  assert.deepEqual(await pool.map(targets.byteLength, arrays, { transfer, chunkSize: 1 }), [
    1,
    2,
    3,
    4,
  ]);
  assert.ok(arrays.every(({ length }) => length === 0));
  const bytes = new Uint8Array(5);
  await assert.rejects(
    pool.broadcast(targets.byteLength, [bytes], { transfer: [bytes.buffer] }),
    /broadcast\(\) gives every worker the same arguments/,
  );
  assert.equal(bytes.length, 5);
});

testInFull("broadcast() reaches each worker once, also while workers leave", async () => {
  await using pool = new Pool({ processes: 2, tasksPerProcess: 2 });
  await pool.ready();
  const counts = new SharedArray("i32", 1);
  const busy = pool.map(nap, Array(40).fill(5), { chunkSize: 1 });
  const all = pool.broadcast(targets.countAndReturn, [counts, 0]);
  const recycling = pool.recycle();
  assert.deepEqual(await all, [0, 0]);
  await Promise.all([busy, recycling]);
  assert.equal(counts[0], 2);
});

// The units that were sent ahead to a slow worker are taken back and sent anew, again and again.
testInFull(
  "nothing runs twice, however often units are taken back from a slow worker",
  async () => {
    await using pool = new Pool({ processes: 2 });
    await pool.ready();
    const counts = new SharedArray("i32", 3001);
    for (let round = 0; round < 3; round++) {
      counts.fill(0);
      const call = (n: number, ms: number) => pool.apply(targets.computeAndCount, [counts, n, ms]);
      await Promise.all(Array.from({ length: 200 }, () => call(3000, 0)));
      const results = await Promise.all(Array.from({ length: 3000 }, (_, n) => {
        return call(n, n % 1000 === 10 ? 150 : 0);
      }));
      assert.deepEqual(results, Array.from({ length: 3000 }, (_, n) => n));
      assert.ok(counts.subarray(0, 3000).every((count) => count === 1));
    }
  },
);

testInFull(
  "a stream goes on while its worker leaves, and when it was sent ahead of its turn",
  async () => {
    await using pool = new Pool({ processes: 1 });
    await pool.map(square, Array(2000).fill(1), { chunkSize: 1 }); // short units: more are sent ahead
    const busy = pool.submit(nap, [50]);
    const streams = [pool.stream(targets.countSlowly, [100]), pool.stream(targets.count, [100])];
    const all = streams.map((stream) => Array.fromAsync(stream));
    await busy;
    await pool.recycle();
    for (const values of await Promise.all(all)) assert.equal(values.length, 100);
  },
);

testInFull(
  "tasks that wait for their pool don't keep others from working as their workers leave",
  async () => {
    await using pool = new Pool({ processes: 2 });
    await pool.ready();
    const items = Array.from({ length: 200 }, (_, i) => i);
    const nests = [1, 2, 3].map(() => pool.apply(targets.sumOfSquares, [pool, items]));
    for (const processes of [1, 2, 1]) {
      pool.resize(processes);
      await pool.recycle();
    }
    for (const sum of await Promise.all(nests)) assert.equal(sum, 2646700);
  },
);
