// Semaphore and BoundedSemaphore: the number of permits, whichever process takes them and ends in whatever way.
// The contract of holdables tests the features that all have.

import assert from "node:assert/strict";
import {
  AbandonedLockError,
  BoundedSemaphore,
  type Process,
  Queue,
  Semaphore,
  SharedArray,
  TimeoutError,
} from "../../mod.ts";
import { inFull, testInFull } from "../support/length.ts";
import { abandon, addTogether, bound, endings, names, start } from "../support/sync.ts";
import * as targets from "../support/targets/sync_targets.ts";

Deno.test("a semaphore gives as many permits as it has, in all faces", async () => {
  const permits = new Semaphore(4);
  assert.equal(await permits.acquire(), true);
  assert.equal(permits.acquireSync(), true);
  assert.equal(permits.tryAcquire(), true);
  {
    using _held = await permits.hold();
    assert.equal(permits.value, 0);
    assert.equal(permits.tryAcquire(), false);
    assert.equal(await permits.acquire({ timeout: 0 }), false);
    assert.equal(await permits.acquire({ timeout: 5 }), false);
    assert.equal(permits.acquireSync({ timeout: 5 }), false);
    await assert.rejects(permits.hold({ timeout: 5 }), TimeoutError);
    assert.throws(() => permits.holdSync({ timeout: 5 }), TimeoutError);
  }
  assert.equal(permits.value, 1);
  for (let i = 0; i < 3; i++) permits.release();
  assert.equal(permits.value, 4);
});

Deno.test("a semaphore of none is a signal, and counts the signals", async () => {
  const signals = new Semaphore(0);
  const first = signals.acquire(), second = signals.acquire();
  signals.release();
  assert.equal(await first, true);
  signals.release();
  signals.release();
  assert.equal(await second, true);
  assert.equal(signals.value, 1);
});

Deno.test("a bounded semaphore refuses a release too many, and stays as it was", async () => {
  const permits = new BoundedSemaphore(2);
  assert.ok(permits instanceof Semaphore);
  assert.throws(() => permits.release(), RangeError);
  await permits.acquire();
  permits.release();
  assert.throws(() => permits.release(), /with all its permits \(2\) in place\. Call it once/);
  assert.equal(permits.value, 2);
});

Deno.test("a semaphore that isn't bounded can get more permits than it had", () => {
  const permits = new Semaphore(1);
  permits.release();
  assert.equal(permits.value, 2);
  const full = new Semaphore(2 ** 31 - 1);
  assert.throws(() => full.release(), RangeError);
});

testInFull("no more processes are inside than there are permits", async () => {
  const permits = new Semaphore(2), inside = new SharedArray("i32", 1);
  const all = Array.from({ length: 4 }, () => start(targets.share, permits, inside, 100));
  const most = [];
  for (const process of all) most.push(await process.result(bound));
  assert.ok(Math.max(...most) <= 2, `${most}`);
  assert.equal(permits.value, 2);
});

for (const face of ["async", "sync"] as const) {
  testInFull(`4 processes that increment with the only permit lose nothing: ${face}`, async () => {
    await addTogether(new Semaphore(), 4, 2_000, face);
  });
}

for (const [how, ending] of Object.entries(endings)) {
  Deno.test(`the permits of a process that ${how} are reported once, and are free then`, async () => {
    const permits = new Semaphore(3);
    const name = await abandon(permits, ending, 2);
    assert.equal(permits.value, 1);
    await assert.rejects(permits.acquire(), names(name));
    assert.equal(permits.value, 3);
    assert.equal(permits.tryAcquire(), true);
    permits.release();
  });
}

testInFull("every face reports abandoned permits, even where there are others", async () => {
  const permits = new BoundedSemaphore(2);
  const faces = [
    () => permits.acquire({ timeout: 1000 }),
    () => permits.hold(),
    () => permits.acquireSync(),
    () => permits.acquireSync({ timeout: 0 }),
    () => permits.tryAcquire(),
    () => permits.holdSync(),
  ];
  for (const face of faces) {
    const name = await abandon(permits);
    await assert.rejects(async () => await face(), names(name));
    assert.equal(permits.value, 2);
  }
});

testInFull("processes that die with a permit each are reported one by one", async () => {
  const count = inFull(20, 8);
  const permits = new Semaphore(count + 1), said = new Queue<string>();
  const all: Process[] = [];
  for (let i = 0; i < count; i++) {
    all.push(start(targets.hold, permits, said, "wait", 1) as unknown as Process);
  }
  for (const _ of all) await said.get(bound);
  assert.equal(permits.value, 1);
  for (const process of all) process.kill();
  for (const process of all) await process.join(bound);
  const reported = new Set<string>();
  while (
    !await permits.acquire(bound).catch((error) => {
      assert.ok(error instanceof AbandonedLockError);
      reported.add(error.message.split(" ")[0]);
    })
  );
  assert.deepEqual([...reported].sort(), all.map(({ name }) => name).sort());
  assert.equal(permits.value, count);
});

Deno.test("one who consumes signals and ends has abandoned nothing", async () => {
  const signals = new Semaphore(0);
  const consumer = start(targets.consumePermits, signals, 3);
  for (let i = 0; i < 5; i++) signals.release();
  await consumer.result(bound);
  assert.equal(signals.value, 2);
  assert.equal(await signals.acquire(), true);
  assert.equal(signals.value, 1);
});

Deno.test("permits acquired here and released there are not freed a second time by a death", async () => {
  // As the free places of a bounded buffer: the producer acquires them, the consumer releases them.
  const places = new Semaphore(5);
  await start(targets.consumePermits, places, 3).result(bound);
  for (let i = 0; i < 3; i++) places.release();
  assert.equal(await places.acquire(), true);
  assert.equal(places.value, 4);
  places.release();
  assert.equal(places.value, 5);
});

Deno.test("what is released in the place of a dead process counts once, before or after", async () => {
  for (const permits of [new Semaphore(5), new BoundedSemaphore(5)]) {
    const producer = start(targets.consumePermits, permits, 3);
    await producer.result(bound);
    permits.release();
    await assert.rejects(permits.acquire(), names(producer.name));
    assert.equal(permits.value, 5);
    // These two were freed already.
    permits.release();
    permits.release();
    assert.equal(permits.value, 5);
    if (permits instanceof BoundedSemaphore) assert.throws(() => permits.release(), RangeError);
    else permits.release();
  }
});
