// Features of queues between processes only: their bytes, a full stack, and deaths in the middle. The contract of
// queues tests the common ones.

import assert from "node:assert/strict";
import { JoinableQueue, Pipe, Process, Queue, QueueFull, sleep } from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import * as targets from "../support/targets/queue_targets.ts";
import { afterYield } from "../../lib/wait/yield.ts";

const module = targets.here;

Deno.test("a queue of limited bytes makes puts wait for room", async () => {
  const queue = new Queue<Uint8Array>({ maxBytes: 1000 });
  await queue.put(new Uint8Array(600));
  const second = queue.put(new Uint8Array(600));
  assert.equal(queue.qsize(), 1);
  assert.equal((await queue.get()).length, 600);
  await second;
  assert.equal((await queue.get()).length, 600);
});

Deno.test("a small item overtakes none that waits for more room, by no form of put", async () => {
  const queue = new Queue<Uint8Array>({ maxBytes: 1000 });
  const [small, large] = [new Uint8Array(10), new Uint8Array(600)];
  await queue.put(large);
  const waiting = queue.put(large);
  assert.throws(() => queue.putNowait(small), QueueFull);
  assert.throws(() => queue.putSync(small, { timeout: 0 }), QueueFull);
  assert.throws(() => queue.putManyNowait([small]), QueueFull);
  await assert.rejects(queue.put(small, { timeout: 0 }), QueueFull);
  const later = queue.put(small);
  const lengths: number[] = [];
  for (let i = 0; i < 3; i++) lengths.push((await queue.get()).length);
  await Promise.all([waiting, later]);
  assert.deepEqual(lengths, [600, 600, 10]);
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

Deno.test("statistics tell the bytes of what is in it", async () => {
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
  staysOnFullStack(new Queue<unknown>());
});

testInFull("the same where an item is leased", () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("leased");
  const lease = queue.leaseNowait();
  staysOnFullStack(queue);
  lease.done();
});

function staysOnFullStack(queue: Queue<unknown>): void {
  const nest = (depth: number): unknown => depth === 0 ? "x" : { nested: nest(depth - 1) };
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
}

Deno.test("items got before one for which the stack is too full are got", () => {
  const nest = (depth: number): unknown => depth === 0 ? "x" : { nested: nest(depth - 1) };
  const items = [300, 0, 900, 0, 100, 600].map((depth, i) => ({ i, nested: nest(depth) }));
  const queue = new Queue<unknown>();
  const got: unknown[] = [];
  const dive = () => {
    try {
      dive();
    } catch {
      // Back on this level there is a little more of the stack.
    }
    if (queue.qsize() > 0) {
      const some = queue.getManyNowait(6);
      for (let i = 0; i < some.length; i++) got[got.length] = some[i];
    }
  };
  for (let round = 0; round < 2; round++) {
    got.length = 0;
    for (const item of items) queue.putNowait(item);
    dive();
    assert.deepEqual(got, items);
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

Deno.test("the item of a task that waited doesn't overtake one that takes a turn of the event loop", async () => {
  const queue = new Queue<string>(), order: string[] = [];
  const waiting = queue.get().then((item) => order.push(item));
  const first = afterYield("first").then((item) => order.push(item));
  queue.putNowait("second");
  await Promise.all([waiting, first]);
  assert.deepEqual(order, ["first", "second"]);
});
