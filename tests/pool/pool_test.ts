// Pools: single calls, maps, streams, the context of a task, its arguments, and the life of a pool.

import assert from "node:assert/strict";
import {
  asCompleted,
  CancelledError,
  InvalidStateError,
  Lock,
  Pool,
  type Progress,
  Queue,
  QueueFull,
  type Task,
  TaskError,
  TimeoutError,
  Value,
  wait,
} from "../../mod.ts";
import * as targets from "../support/targets/pool_targets.ts";
import { testInFull } from "../support/length.ts";

const { add, nap, same, spin, square } = targets;

Deno.test("apply() calls a function in a worker and resolves to what it returns", async () => {
  await using pool = new Pool({ processes: 2 });
  assert.equal(await pool.apply(square, [7]), 49);
  assert.equal(await pool.apply(add, [1, 2]), 3);
  assert.deepEqual(
    await pool.apply(same<unknown>, [new Map([["a", { b: [1n] }]])]),
    new Map([["a", { b: [1n] }]]),
  );
  assert.equal(await pool.apply(() => 5), 5);
  assert.equal(await pool.apply(nap, [1]), 1);
});

Deno.test("map() and starmap() keep the order, whatever the items take", async () => {
  await using pool = new Pool({ processes: 2 });
  const items = [30, 1, 20, 2, 10, 3];
  assert.deepEqual(await pool.map(nap, items), items);
  const numbers = Array.from({ length: 3000 }, (_, i) => i);
  for (const chunkSize of ["auto", 1, 7, 5000] as const) {
    assert.deepEqual(await pool.map(square, numbers, { chunkSize }), numbers.map((n) => n * n));
  }
  assert.deepEqual(await pool.starmap(add, [[1, 2], [3, 4]]), [3, 7]);
  assert.deepEqual(await pool.map(square, []), []);
  assert.deepEqual(await pool.map(square, new Set([1, 2])), [1, 4]);
});

Deno.test("items can be asynchronous", async () => {
  await using pool = new Pool({ processes: 2 });
  async function* items() {
    for (let i = 0; i < 20; i++) {
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      yield i;
    }
  }
  assert.deepEqual(await pool.map(square, items()), Array.from({ length: 20 }, (_, i) => i * i));
});

testInFull(
  "imap() gives results in order, imapUnordered() as they come, imapIndexed() with their index",
  async () => {
    await using pool = new Pool({ processes: 2 });
    await pool.ready();
    const items = [200, 1, 2];
    assert.deepEqual(await Array.fromAsync(pool.imap(nap, items)), items);
    const unordered = await Array.fromAsync(pool.imapUnordered(nap, items, { chunkSize: 1 }));
    assert.deepEqual(unordered.toSorted(), items.toSorted());
    assert.equal(unordered.at(-1), 200);
    const indexed = await Array.fromAsync(pool.imapIndexed(square, [5, 6]));
    assert.deepEqual(indexed.toSorted(([a], [b]) => a - b), [[0, 25], [1, 36]]);
  },
);

Deno.test("imap() reads an endless source only as far ahead as bufferSize, and closes it on break", async () => {
  await using pool = new Pool({ processes: 2 });
  let read = 0, closed = 0;
  function* naturals() {
    try {
      for (;; read++) yield read;
    } finally {
      closed++;
    }
  }
  for await (const n of pool.imap(square, naturals(), { bufferSize: 10 })) {
    assert.ok(read <= Math.sqrt(n) + 12, `${read} read for ${n}`);
    if (n > 100) break;
  }
  assert.equal(closed, 1);
});

Deno.test("an endless asynchronous source that is left by break is closed, and nothing hangs", async () => {
  await using pool = new Pool({ processes: 2 });
  let closed = 0;
  async function* naturals() {
    try {
      for (let n = 0;; n++) {
        await new Promise((resolve) => setTimeout(resolve));
        yield n;
      }
    } finally {
      closed++;
    }
  }
  for await (const n of pool.imapUnordered(same<number>, naturals())) if (n > 20) break;
  assert.equal(closed, 1);
});

Deno.test("what the source of a map throws, the map rejects with", async () => {
  await using pool = new Pool({ processes: 1 });
  function* items() {
    yield 1;
    throw new RangeError("no more");
  }
  await assert.rejects(pool.map(square, items()), { name: "RangeError", message: "no more" });
  await assert.rejects(Array.fromAsync(pool.imap(square, items())), { message: "no more" });
  assert.equal(await pool.apply(square, [2]), 4);
});

// Python's test_imap_handle_iterable_exception, and test_imap_unordered_handle_iterable_exception.
Deno.test("of an iterator, what was read before its source threw comes first", async () => {
  await using pool = new Pool({ processes: 2 });
  function* items() {
    yield* [0, 1, 2];
    throw new RangeError("no more");
  }
  async function* asynchronous() {
    yield* items();
  }
  for (const source of [items, asynchronous]) {
    for (const chunkSize of ["auto", 1, 2] as const) {
      for (const call of ["imap", "imapUnordered"] as const) {
        const seen: number[] = [];
        await assert.rejects(async () => {
          for await (const n of pool[call](square, source(), { chunkSize })) seen.push(n);
        }, { name: "RangeError", message: "no more" });
        assert.deepEqual(seen.sort(), [0, 1, 4], `${call} ${source.name} ${chunkSize}`);
      }
    }
  }
});

// Python's test_empty_iterable.
Deno.test("no items have no results", async () => {
  await using pool = new Pool({ processes: 1 });
  assert.deepEqual(await pool.map(square, []), []);
  assert.deepEqual(await pool.starmap(add, []), []);
  assert.deepEqual(pool.mapSync(square, []), []);
  assert.deepEqual(await Array.fromAsync(pool.imap(square, [])), []);
  assert.deepEqual(await Array.fromAsync(pool.imapUnordered(square, [])), []);
});

Deno.test("stream() iterates what a generator yields, not far ahead of who takes it", async () => {
  await using pool = new Pool({ processes: 1 });
  assert.deepEqual(await Array.fromAsync(pool.stream(targets.count, [5])), [0, 1, 2, 3, 4]);
  assert.deepEqual(await Array.fromAsync(pool.stream(targets.countSlowly, [3])), [0, 1, 2]);
  const left = new Queue<string>();
  for await (const n of pool.stream(targets.countUntilLeft, [left])) if (n > 100) break;
  assert.equal(await left.get(), "left");
  const seen: number[] = [];
  await assert.rejects(
    async () => {
      for await (const n of pool.stream(targets.failsInTheMiddle)) seen.push(n);
    },
    (error: TaskError) => error instanceof TaskError && error.cause instanceof RangeError,
  );
  assert.deepEqual(seen, [1]);
  assert.throws(() => pool.stream(square as never, [1] as never), TypeError);
});

Deno.test("a task knows its name, its index and its attempt, and can send values while it runs", async () => {
  await using pool = new Pool({ processes: 1 });
  const task = pool.submit(targets.whoAmI, [], { name: "who" });
  assert.deepEqual(await task, { name: "who", index: 0, id: task.id, attempt: 1 });
  const all = await pool.map(() => 0, [1, 2]).then(() =>
    pool.map(targets.whoAmI as (n: number) => { index: number }, [7, 8, 9])
  );
  assert.deepEqual(all.map(({ index }) => index), [0, 1, 2]);
  const messages: unknown[] = [];
  assert.equal(
    await pool.apply(targets.report, [3], { onMessage: (value) => messages.push(value) }),
    "done",
  );
  assert.deepEqual(messages, [{ step: 0 }, { step: 1 }, { step: 2 }]);
});

Deno.test("an initializer runs once in each worker, and a finalizer at its end", async () => {
  const log = new Queue<string>();
  {
    await using pool = new Pool({
      processes: 2,
      initializer: targets.openWithLog,
      initargs: [log],
      finalizer: targets.closing,
    });
    await pool.ready();
    assert.deepEqual(await pool.map(targets.opened as (n: number) => number, [1, 2, 3, 4]), [
      1,
      1,
      1,
      1,
    ]);
  }
  assert.deepEqual(await log.getMany(10), ["closed 1", "closed 1"]);
});

Deno.test("a task can be given queues, locks, values and pools", async () => {
  await using pool = new Pool({ processes: 2 });
  const queue = new Queue<number>(), lock = new Lock(), value = new Value("i32", 0);
  await pool.apply(targets.put, [queue, 5]);
  assert.equal(await queue.get(), 5);
  await Promise.all([1, 2, 3, 4, 5].map(() => pool.apply(targets.addUnderLock, [lock, value])));
  assert.equal(value.value, 5);
  assert.equal(await pool.apply(targets.sumOfSquares, [pool, [1, 2, 3]]), 14);
});

Deno.test("tasks that wait for others of the same pool leave their places to those", async () => {
  await using pool = new Pool({ processes: 1 });
  const outer = await Promise.all(
    [1, 2, 3].map((n) => pool.apply(targets.sumOfSquares, [pool, [n, n]])),
  );
  assert.deepEqual(outer, [2, 8, 18]);
});

Deno.test("buffers are moved to a task and back", async () => {
  await using pool = new Pool({ processes: 1 });
  const bytes = new Uint8Array(1_000_000);
  assert.equal(
    await pool.apply(targets.byteLength, [bytes], { transfer: [bytes.buffer] }),
    1_000_000,
  );
  assert.equal(bytes.length, 0);
  assert.equal((await pool.apply(targets.zeros, [1_000_000])).length, 1_000_000);
});

Deno.test("load() makes the functions of a module calls to the pool", async () => {
  await using pool = new Pool({ processes: 1 });
  const path = pool.load<typeof import("node:path")>("node:path");
  assert.equal(await path.basename("/tmp/a.txt"), "a.txt");
  await assert.rejects(
    (path as unknown as Record<string, () => Promise<unknown>>).nothing(),
    TaskError,
  );
  assert.throws(() => pool.load("./no-url.ts"), TypeError);
});

Deno.test("a task says what becomes of it", async () => {
  await using pool = new Pool({ processes: 1 });
  const task: Task<number> = pool.submit(nap, [1]);
  assert.equal(task.done(), false);
  const seen: Task<number>[] = [];
  task.addDoneCallback((it) => seen.push(it));
  assert.equal(await task, 1);
  assert.equal(await task.result(), 1);
  assert.equal(await task.exception(), undefined);
  assert.deepEqual([task.done(), task.cancelled(), task.running(), seen], [true, false, false, [
    task,
  ]]);
  assert.ok(task.timing.total! >= task.timing.running!);
  const failing = pool.submit(targets.fussy, [3]);
  const [first, second] = await Promise.all([failing.exception(), failing.exception()]);
  assert.ok(first instanceof TaskError && second instanceof TaskError && first !== second);
  assert.equal(first.index, 0);
});

Deno.test("a wait for a task doesn't end the task", async () => {
  await using pool = new Pool({ processes: 1 });
  const task = pool.submit(nap, [100]);
  await assert.rejects(task.result({ timeout: 1 }), TimeoutError);
  const stop = new AbortController();
  const waiting = task.result({ signal: stop.signal });
  stop.abort("no patience");
  await waiting.then(() => assert.fail(), (reason) => assert.equal(reason, "no patience"));
  assert.equal(await task, 100);
});

testInFull("asCompleted() and wait() take tasks", async () => {
  await using pool = new Pool({ processes: 2 });
  await pool.ready();
  const tasks = [300, 1].map((ms) => pool.submit(nap, [ms]));
  assert.deepEqual(await wait(tasks), [tasks[1]]);
  const order: number[] = [];
  for await (const task of asCompleted(tasks)) order.push(await task);
  assert.deepEqual(order, [1, 300]);
  const endless = pool.submit(spin);
  await assert.rejects(Array.fromAsync(asCompleted([endless], { timeout: 20 })), TimeoutError);
  endless.cancel();
  await assert.rejects(endless.result(), CancelledError);
});

Deno.test("maxQueueSize: submit() throws when it is full, apply() and map() wait", async () => {
  await using pool = new Pool({ processes: 1, maxQueueSize: 2 });
  await pool.ready();
  const tasks: Task<number>[] = [];
  assert.throws(() => {
    for (let i = 0; i < 10; i++) tasks.push(pool.submit(nap, [20]));
  }, QueueFull);
  assert.ok(tasks.length <= 4);
  assert.equal(await pool.apply(nap, [1]), 1);
  assert.deepEqual(await pool.map(nap, [1, 2, 3, 4, 5], { chunkSize: 1 }), [1, 2, 3, 4, 5]);
  await Promise.all(tasks);
});

Deno.test("larger priorities go first, equal ones in order", async () => {
  await using pool = new Pool({ processes: 1 });
  await pool.ready();
  const first = pool.submit(nap, [50]);
  const order: string[] = [];
  const submit = (name: string, priority: number) => {
    const task = pool.submit(nap, [1], { name, priority });
    task.addDoneCallback(({ name }) => order.push(name));
    return task;
  };
  const all = [submit("a", 0), submit("b", 1), submit("c", 0), submit("d", 2), submit("e", 1)];
  await Promise.all([first, ...all]);
  assert.deepEqual(order, ["d", "b", "e", "a", "c"]);
});

Deno.test("tasksPerProcess: a worker runs so many waiting tasks at once", async () => {
  await using pool = new Pool({ processes: 1, tasksPerProcess: 10 });
  await pool.ready();
  const stop = new AbortController();
  const running = pool.map(nap, Array(10).fill(60_000), { chunkSize: 1, signal: stop.signal });
  while (pool.workers[0].running.length < 10) await nap(5);
  stop.abort("seen");
  await running.catch((reason) => assert.equal(reason, "seen"));
});

Deno.test("broadcast() calls a function once in every worker", async () => {
  await using pool = new Pool({ processes: 3, initializer: targets.open, initargs: [4] });
  await pool.ready();
  assert.deepEqual(await pool.broadcast(targets.opened), [4, 4, 4]);
});

Deno.test("applySync() and mapSync() block the thread", async () => {
  await using pool = new Pool({ processes: 2 });
  assert.equal(pool.applySync(square, [9]), 81);
  assert.deepEqual(pool.mapSync(square, [1, 2, 3]), [1, 4, 9]);
  assert.throws(() => pool.mapSync(targets.fussy, [1, 2, 3]), TaskError);
  assert.throws(() => pool.applySync(spin, [], { timeout: 50 }), TimeoutError);
  assert.equal(pool.applySync(square, [3]), 9);
});

Deno.test("onProgress tells what is done, and the end", async () => {
  await using pool = new Pool({ processes: 2 });
  const seen: Progress[] = [];
  await pool.map(targets.fussy, [1, 2, 3, 4], {
    returnExceptions: true,
    onProgress: (it) => seen.push(it),
  });
  const last = seen.at(-1)!;
  assert.deepEqual([last.done, last.failed, last.total, last.eta], [4, 1, 4, 0]);
  await pool.map(square, [1], { onProgress: true }); // no terminal: nothing is drawn
});

Deno.test("statistics() counts, and tells the slowest with their arguments", async () => {
  await using pool = new Pool({ processes: 2 });
  await pool.map(nap, [50, 1, 1, 1], { chunkSize: 1 });
  await pool.apply(targets.fussy, [3]).catch(() => {});
  const { completed, failed, runningMs, slowest, workers } = pool.statistics();
  assert.deepEqual([completed, failed, runningMs.count], [4, 1, 5]);
  assert.ok(runningMs.max >= 45 && runningMs.p50 <= runningMs.max);
  assert.ok(slowest.some(({ task, item }) => task === "nap" && item === "50"));
  assert.equal(workers.length, 2);
});

Deno.test("events tell of tasks and workers, and when nothing is left to do", async () => {
  const seen: string[] = [];
  {
    await using pool = new Pool({ processes: 1, minProcesses: 0 });
    for (const type of ["taskstart", "taskend", "workerstart", "workerend", "drain"]) {
      pool.addEventListener(type, () => seen.push(type));
    }
    await pool.apply(square, [2]);
  }
  assert.deepEqual(seen, ["workerstart", "taskstart", "taskend", "drain", "workerend"]);
});

testInFull(
  "recycle() and resize() lose nothing, and leave the right number of workers",
  async () => {
    await using pool = new Pool({ processes: 2 });
    await pool.ready();
    const before = pool.workers.map(({ name }) => name);
    const running = pool.map(nap, Array(20).fill(5), { chunkSize: 1 });
    await pool.recycle();
    assert.deepEqual(await running, Array(20).fill(5));
    assert.ok(
      pool.workers.filter(({ state }) => state === "ready").every(({ name }) =>
        !before.includes(name)
      ),
    );
    pool.resize(1);
    assert.deepEqual(await pool.map(nap, [1, 2, 3]), [1, 2, 3]);
    pool.resize(3);
    await pool.ready();
    assert.equal(pool.workers.filter(({ state }) => state === "ready").length, 3);
  },
);

Deno.test("maxTasksPerChild: a worker is replaced after so many items", async () => {
  await using pool = new Pool({ processes: 1, maxTasksPerChild: 2 });
  const names = new Set<string>();
  pool.addEventListener("workerstart", (event) => names.add((event as CustomEvent).detail.worker));
  assert.deepEqual(await pool.map(square, [1, 2, 3, 4, 5]), [1, 4, 9, 16, 25]);
  assert.ok(names.size >= 2, `${[...names]}`);
});

Deno.test("minProcesses: workers are started when they are needed, and end when they are idle", async () => {
  await using pool = new Pool({ processes: 2, minProcesses: 0, idleTimeout: 1 });
  assert.equal(pool.workers.length, 0);
  assert.deepEqual(await pool.map(nap, [20, 20], { chunkSize: 1 }), [20, 20]);
  while (pool.workers.length > 0) await nap(5);
  assert.equal(await pool.apply(square, [3]), 9);
});

Deno.test("close() finishes what was taken on, terminate() cancels it", async () => {
  const pool = new Pool({ processes: 1 });
  const task = pool.submit(nap, [20]);
  pool.close();
  assert.throws(() => pool.submit(square, [1]), InvalidStateError);
  await assert.rejects(pool.apply(square, [1]), InvalidStateError);
  assert.equal(await pool.join(), true);
  assert.equal(await task, 20);

  const other = new Pool({ processes: 1 });
  const endless = other.submit(spin), mapping = other.map(spin as (n: number) => number, [1, 2]);
  const outcomes = Promise.allSettled([endless.result(), mapping]);
  other.terminate();
  assert.equal(await other.join(), true);
  for (const outcome of await outcomes) {
    assert.ok(outcome.status === "rejected" && outcome.reason instanceof CancelledError);
  }
});

Deno.test("shutdown() waits so long, then terminates", async () => {
  const pool = new Pool({ processes: 1 });
  const endless = pool.submit(spin), waiting = pool.submit(square, [1]);
  const outcomes = Promise.allSettled([endless.result(), waiting.result()]);
  while (!endless.running()) await nap(5);
  assert.equal(await pool.shutdown({ timeout: 50, cancelFutures: true }), false);
  for (const { status } of await outcomes) assert.equal(status, "rejected");
});

Deno.test("join() of an open pool is an error, and so is what needs the pool's own process", async () => {
  await using pool = new Pool({ processes: 1 });
  await assert.rejects(pool.join(), InvalidStateError);
  const message = await pool.apply((pool: Pool) => {
    try {
      pool.close();
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  }, [pool]);
  assert.match(message, /where the pool was made/);
});

Deno.test("a signal ends the pool", async () => {
  const stop = new AbortController();
  const pool = new Pool({ processes: 1, signal: stop.signal });
  const task = pool.submit(spin);
  stop.abort("enough");
  await assert.rejects(
    task.result(),
    (error: Error) => error instanceof CancelledError && error.cause === "enough",
  );
  assert.equal(await pool.join(), true);
});

Deno.test("a map in which the last items return as one has failed rejects", async () => {
  await using pool = new Pool({ processes: 1 });
  await pool.ready();
  for (const chunkSize of [3, 1] as const) {
    const mapping = pool.map(targets.fussy, [1, 3, 5], { chunkSize });
    mapping.catch(() => {}); // it may reject before it is waited for
    // All three outcomes are there before any is heard.
    await new Promise((resolve) => setTimeout(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    await assert.rejects(mapping, { name: "TaskError", message: /fussy\(3\) failed/ });
  }
});

Deno.test("ready() of a pool that starts its workers for work waits for none", async () => {
  await using pool = new Pool({ processes: 2, minProcesses: 0 });
  assert.equal(await pool.ready({ timeout: 60_000 }), true);
  assert.equal(pool.workers.length, 0);
});
