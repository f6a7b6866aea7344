// What a queue does for the tasks of one process, and that no wait takes what it shouldn't.

import assert from "node:assert/strict";
import {
  JoinableQueue,
  Pipe,
  Process,
  Queue,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  sleep,
} from "../../mod.ts";
import * as targets from "../support/targets/queue_targets.ts";

const module = targets.here;

Deno.test("items come out in the order they went in", async () => {
  const queue = new Queue<number>();
  for (let i = 0; i < 1000; i++) await queue.put(i);
  assert.equal(queue.qsize(), 1000);
  for (let i = 0; i < 1000; i++) assert.equal(await queue.get(), i);
  assert.ok(queue.empty());
});

Deno.test("the three faces of get and put mix", async () => {
  const queue = new Queue<string>({ maxSize: 3 });
  queue.putNowait("a");
  queue.putSync("b");
  await queue.put("c");
  assert.ok(queue.full());
  assert.equal(queue.getSync(), "a");
  assert.equal(await queue.get(), "b");
  assert.equal(queue.getNowait(), "c");
});

Deno.test("an empty queue says so now, after a timeout, and after a blocking one", async () => {
  const queue = new Queue<number>();
  assert.throws(() => queue.getNowait(), QueueEmpty);
  assert.throws(() => queue.getSync({ timeout: 0 }), QueueEmpty);
  assert.throws(() => queue.getSync({ timeout: 5 }), QueueEmpty);
  await assert.rejects(queue.get({ timeout: 0 }), QueueEmpty);
  await assert.rejects(queue.get({ timeout: 5 }), QueueEmpty);
  await assert.rejects(queue.getMany(3, { timeout: 5 }), QueueEmpty);
});

Deno.test("a full queue says so, and the refused item is not in it", async () => {
  const queue = new Queue<number>({ maxSize: 1 });
  queue.putNowait(1);
  assert.throws(() => queue.putNowait(2), QueueFull);
  assert.throws(() => queue.putSync(3, { timeout: 5 }), QueueFull);
  await assert.rejects(queue.put(4, { timeout: 5 }), QueueFull);
  assert.equal(queue.getNowait(), 1);
  assert.throws(() => queue.getNowait(), QueueEmpty);
});

Deno.test("a get that timed out or was aborted leaves the item to the next get", async () => {
  const queue = new Queue<string>();
  const aborted = new AbortController();
  const first = queue.get({ signal: aborted.signal });
  const second = queue.get({ timeout: 1 });
  const third = queue.get();
  aborted.abort(new Error("no longer wanted"));
  await assert.rejects(first, /no longer wanted/);
  await assert.rejects(second, QueueEmpty);
  await queue.put("for the third");
  assert.equal(await third, "for the third");
});

Deno.test("an aborted signal rejects at once, even when there is an item", async () => {
  const queue = new Queue<number>();
  queue.putNowait(1);
  await assert.rejects(queue.get({ signal: AbortSignal.abort() }), { name: "AbortError" });
  await assert.rejects(queue.put(2, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(queue.qsize(), 1);
});

Deno.test("waiting gets are served in their order", async () => {
  const queue = new Queue<number>();
  const gets = [queue.get(), queue.get(), queue.get()];
  queue.putNowait(1);
  queue.putNowait(2);
  gets.push(queue.get());
  queue.putNowait(3);
  queue.putNowait(4);
  assert.deepEqual(await Promise.all(gets), [1, 2, 3, 4]);
});

Deno.test("waiting puts go in in their order, and nobody overtakes them", async () => {
  const queue = new Queue<number>({ maxSize: 1 });
  queue.putNowait(0);
  const puts = [queue.put(1), queue.put(2)];
  assert.throws(() => queue.putNowait(99), QueueFull);
  const got: number[] = [];
  for (let i = 0; i < 3; i++) got.push(await queue.get());
  await Promise.all(puts);
  assert.deepEqual(got, [0, 1, 2]);
});

Deno.test("putMany and getMany move many at once, in order", async () => {
  const queue = new Queue<number>();
  const items = Array.from({ length: 10_000 }, (_, i) => i);
  await queue.putMany(items);
  const got: number[] = [];
  while (got.length < items.length) got.push(...await queue.getMany(777));
  assert.deepEqual(got, items);
  queue.putManySync([1, 2]);
  queue.putManyNowait(new Set([3, 4]));
  assert.deepEqual(queue.getManySync(3), [1, 2, 3]);
  assert.deepEqual(queue.getManyNowait(3), [4]);
  assert.throws(() => queue.getManyNowait(3), QueueEmpty);
});

Deno.test("putMany goes on as there is room, and says how many it put when there is none", async () => {
  const queue = new Queue<number>({ maxSize: 3 });
  const put = queue.putMany([1, 2, 3, 4, 5]);
  assert.deepEqual([await queue.get(), await queue.get()], [1, 2]);
  await put;
  assert.equal(queue.qsize(), 3);
  await queue.get();
  await assert.rejects(
    queue.putMany([6, 7, 8], { timeout: 5 }),
    (error) => error instanceof QueueFull && error.count === 1,
  );
});

Deno.test("if one item of putMany can't be cloned, none is put", async () => {
  const queue = new Queue<unknown>();
  await assert.rejects(queue.putMany([1, { f() {} }, 3]), /items\[1\]\.f/);
  assert.ok(queue.empty());
});

Deno.test("after a shutdown puts fail, gets drain the queue, and loops end", async () => {
  const queue = new Queue<number>();
  await queue.putMany([1, 2, 3]);
  queue.shutdown();
  await assert.rejects(queue.put(4), QueueShutDown);
  assert.throws(() => queue.putNowait(4), QueueShutDown);
  const got = [];
  for await (const item of queue) got.push(item);
  assert.deepEqual(got, [1, 2, 3]);
  await assert.rejects(queue.get(), QueueShutDown);
  assert.throws(() => queue.getSync(), QueueShutDown);
  assert.ok(queue.statistics().shutDown);
});

Deno.test("a loop that is stopped while it waits takes nothing any more", async () => {
  const queue = new Queue<number>();
  const items = queue[Symbol.asyncIterator]();
  const waiting = items.next();
  assert.deepEqual(await items.return?.(), { done: true, value: undefined });
  assert.deepEqual(await waiting, { done: true, value: undefined });
  await queue.put(1);
  assert.deepEqual(await items.next(), { done: true, value: undefined });
  assert.equal(queue.getNowait(), 1);
});

Deno.test("an immediate shutdown drops the items and wakes who waits", async () => {
  const full = new Queue<number>({ maxSize: 1 });
  full.putNowait(1);
  const put = full.put(2);
  full.shutdown({ immediate: true });
  await assert.rejects(put, QueueShutDown);
  await assert.rejects(full.get(), QueueShutDown);
  const empty = new Queue<number>();
  const get = empty.get();
  empty.shutdown();
  await assert.rejects(get, QueueShutDown);
});

Deno.test("a queue of limited bytes makes puts wait for room", async () => {
  const queue = new Queue<Uint8Array>({ maxBytes: 1000 });
  await queue.put(new Uint8Array(600));
  const second = queue.put(new Uint8Array(600));
  assert.equal(queue.qsize(), 1);
  assert.equal((await queue.get()).length, 600);
  await second;
  assert.equal((await queue.get()).length, 600);
});

Deno.test("a JoinableQueue knows when all is done", async () => {
  const queue = new JoinableQueue<number>();
  assert.equal(await queue.join(), true);
  await queue.putMany([1, 2]);
  assert.equal(queue.unfinished, 2);
  assert.equal(await queue.join({ timeout: 0 }), false);
  const joined = queue.join();
  for (let i = 0; i < 2; i++) {
    await queue.get();
    queue.taskDone();
  }
  assert.equal(await joined, true);
  assert.equal(queue.joinSync(), true);
  await queue.put(3);
  queue.shutdown({ immediate: true });
  assert.equal(await queue.join(), true);
});

Deno.test("as web streams it carries items with back-pressure and ends with a shutdown", async () => {
  const from = new Queue<number>(), to = new Queue<string>({ maxSize: 2 });
  const piped = from.readable
    .pipeThrough(new TransformStream({ transform: (n, out) => out.enqueue(`n${n}`) }))
    .pipeTo(to.writable);
  await from.putMany([1, 2, 3, 4, 5]);
  from.shutdown();
  const got = [];
  for await (const item of to) got.push(item);
  await piped;
  assert.deepEqual(got, ["n1", "n2", "n3", "n4", "n5"]);
});

Deno.test("a stream that is cancelled has taken nothing it didn't give", async () => {
  const queue = new Queue<number>();
  const reader = queue.readable.getReader();
  const read = reader.read();
  await reader.cancel();
  assert.equal((await read).done, true);
  queue.putNowait(7);
  assert.equal(await queue.get(), 7);
});

Deno.test("a loop that never has to wait lets timers run", async () => {
  const queue = new Queue<number>();
  let fired = false;
  const timer = setTimeout(() => fired = true, 1);
  // Bounded, so that a failure is one and no hang.
  for (let i = 0; i < 5_000_000 && !fired; i++) {
    await queue.put(i);
    await queue.get();
  }
  clearTimeout(timer);
  assert.ok(fired);
});

Deno.test("a getter in this process and one in another both get what they wait for", async () => {
  const to = new Queue<unknown>(), from = new Queue<unknown>();
  await using other = new Process({ target: targets.echo, args: [to, from], module });
  other.start();
  for (let i = 0; i < 200; i++) {
    const answer = from.get();
    await to.put(i);
    assert.equal(await answer, i);
  }
});

Deno.test("a process killed while it waits for an item takes none with it", async () => {
  const from = new Queue<unknown>(), to = new Queue<unknown>();
  for (let round = 0; round < 4; round++) {
    const victim = new Process({ target: targets.pass, args: [from, to], module });
    victim.start();
    // It is up and waits again once it has passed on one.
    await from.put("first");
    assert.equal(await to.get(), "first");
    const mine = from.get({ timeout: 20_000 });
    victim.kill();
    await victim.join();
    await from.put(round);
    assert.equal(await mine, round);
  }
});

Deno.test("waiters learn within moments that nobody else will take their item", async () => {
  // The victim is chosen for the wake-up, and dies before it can use it.
  const queue = new Queue<number>();
  const sink = new Queue<unknown>();
  const victim = new Process({ target: targets.pass, args: [queue, sink], module });
  victim.start();
  await queue.put(0);
  await sink.get();
  const mine = queue.get({ timeout: 20_000 });
  victim.kill();
  queue.putNowait(1);
  await victim.join();
  const taken = sink.qsize();
  if (taken === 0) assert.equal(await mine, 1);
  else {
    queue.putNowait(2);
    assert.equal(await mine, 2);
  }
});

Deno.test("statistics tell what is in it and who waits here", async () => {
  const queue = new Queue<number>({ maxSize: 5 });
  queue.putNowait(1);
  queue.putNowait(2);
  queue.getNowait();
  const seen = queue.statistics();
  assert.equal(seen.size, 1);
  assert.equal(seen.put, 2);
  assert.equal(seen.got, 1);
  assert.equal(seen.maxSize, 5);
  assert.ok(seen.bytes > 0 && seen.bytes <= seen.capacity);
  queue.getNowait();
  const waiting = queue.get();
  assert.equal(queue.statistics().waitingToGet, 1);
  queue.putNowait(3);
  await waiting;
  assert.equal(queue.statistics().waitingToGet, 0);
});

Deno.test("items put before a process ends are there after its end", async () => {
  const queue = new Queue<[number, number]>();
  const process = new Process({ target: targets.produce, args: [queue, 0, 100], module });
  process.start();
  await process.join();
  assert.equal(queue.qsize(), 100);
  await sleep(0);
});

Deno.test("a stack that overflows in the middle of a get or a put leaves the queue usable", async () => {
  for (const target of [targets.overflow, targets.overflowPutting]) {
    for (let round = 0; round < 3; round++) {
      const queue = new Queue<unknown>();
      await queue.putMany(Array.from({ length: 20_000 }, (_, i) => i));
      const process = new Process({ target, args: [queue], module });
      process.start();
      await assert.rejects(process.result(), /call stack/);
      queue.putSync("usable", { timeout: 20_000 });
      const items = await queue.getMany(100_000);
      assert.equal(items.at(-1), "usable");
    }
  }
});

Deno.test("an item got where the stack is too full for it stays in the queue", () => {
  const nest = (depth: number): unknown => depth === 0 ? "x" : { nested: nest(depth - 1) };
  const queue = new Queue<unknown>();
  let got = 0;
  const dive = (get: () => number) => {
    try {
      dive(get);
    } catch {
      // Back on this level there is a little more of the stack.
    }
    if (!queue.empty()) got += get();
  };
  const gets = [() => queue.getNowait() === undefined ? 0 : 1, () => queue.getManyNowait(3).length];
  for (const get of gets) {
    for (let depth = 0; depth < 200; depth += 20) {
      const items = Array.from({ length: 20 }, (_, i) => ({ i, nested: nest(depth) }));
      for (const item of items) queue.putNowait(item);
      got = 0;
      try {
        dive(get);
      } catch {
        // On the first level, too.
      }
      assert.equal(got + queue.qsize(), items.length);
      const left = queue.empty() ? [] : queue.getManyNowait(100);
      assert.deepEqual(left, items.slice(got));
    }
  }
});

Deno.test("a wake-up for one who needs more room than there is lets others put", async () => {
  const queue = new Queue<string>({ maxSize: 3, maxBytes: 1200 });
  for (const item of ["a", "y".repeat(800), "b"]) queue.putNowait(item);
  const big = new Process({ target: targets.putOne, args: [queue, "z".repeat(900)], module });
  big.start();
  await sleep(200);
  const put = queue.put("small", { timeout: 20_000 });
  assert.equal(queue.getNowait(), "a");
  await put;
  assert.equal(queue.qsize(), 3);
  assert.equal(queue.getNowait(), "y".repeat(800));
  assert.equal(await big.join({ timeout: 20_000 }), true);
  assert.equal(queue.qsize(), 3);
});

Deno.test("a stream that is cancelled as its item arrives doesn't lose it", async () => {
  const queue = new Queue<number>();
  const reader = queue.readable.getReader();
  const read = reader.read();
  const cancelled = queue.get().then(() => reader.cancel());
  await sleep(0); // now the stream waits, too, behind that get
  queue.putNowait(1);
  queue.putNowait(2);
  await cancelled;
  const { value } = await read;
  assert.deepEqual([value, queue.qsize()], [2, 0]);
});

Deno.test("gets that are begun together resolve in their order", async () => {
  const queue = new Queue<number>();
  const count = 2000;
  await queue.putMany(Array.from({ length: count }, (_, i) => i));
  const order: number[] = [];
  await Promise.all(Array.from({ length: count }, () => queue.get().then((i) => order.push(i))));
  assert.deepEqual(order, Array.from({ length: count }, (_, i) => i));
});

Deno.test("a loop that polls an empty queue lets timers run", async () => {
  const queue = new Queue<number>();
  let fired = false;
  const timer = setTimeout(() => fired = true, 1);
  for (let i = 0; i < 2_000_000 && !fired; i++) await queue.get({ timeout: 0 }).catch(() => {});
  clearTimeout(timer);
  assert.ok(fired);
});

Deno.test("the error a wait ends with shows where it was begun", async () => {
  const queue = new Queue<number>();
  const [here, there] = Pipe<number>();
  const process = new Process({ target: () => Deno.exit(3), by: "source" });
  async function asker() {
    await null;
    await queue.get({ timeout: 1 });
  }
  async function receiver() {
    setTimeout(() => there.close(), 1);
    await here.recv();
  }
  async function starter() {
    process.start();
    await process.result();
  }
  const stop = new AbortController(), reason = new Error("of the user's");
  const { stack } = reason;
  async function aborted() {
    setTimeout(() => stop.abort(reason), 1);
    await queue.get({ signal: stop.signal });
  }
  for (const call of [asker, receiver, starter]) {
    const error = await call().then(() => assert.fail(), (error) => error);
    assert.match(error.stack, new RegExp(`^${error.name}: .*\\n(.*\\n)?.*at ${call.name} `));
  }
  await assert.rejects(aborted(), (error) => error === reason && reason.stack === stack);
  here.close();
});
