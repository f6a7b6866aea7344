// Lock and RLock: one holder at a time, whichever process ends in whatever way.
// The contract of holdables tests the features that all have.

import assert from "node:assert/strict";
import { Lock, Queue, RLock } from "../../mod.ts";
import { abandon, addTogether, bound, endings, names, start } from "../support/sync.ts";
import * as targets from "../support/targets/sync_targets.ts";
import { testInFull } from "../support/length.ts";

Deno.test("another process can't acquire an RLock before the last release", async () => {
  const lock = new RLock(), said = new Queue<string>();
  await lock.acquire();
  await lock.acquire();
  const other = start(targets.acquire, lock, said, "async");
  await said.get(bound);
  lock.release();
  assert.equal(await other.join({ timeout: 20 }), false);
  lock.release();
  assert.equal(await other.result(bound), "acquired");
});

for (const face of ["async", "sync"] as const) {
  Deno.test(`4 processes that increment under a lock lose nothing: ${face}`, async () => {
    await Promise.all([
      addTogether(new Lock(), 2, 5_000, face),
      addTogether(new RLock(), 2, 5_000, face),
    ]);
  });
}

for (const [how, ending] of Object.entries(endings)) {
  Deno.test(`a lock whose holder ${how} is reported once, and is free then`, async () => {
    const lock = new Lock(), rlock = new RLock();
    const [first, second] = await Promise.all([abandon(lock, ending), abandon(rlock, ending)]);
    await assert.rejects(lock.acquire(), names(first));
    await assert.rejects(rlock.acquire(), names(second));
    for (const free of [lock, rlock]) {
      assert.equal(free.tryAcquire(), true);
      free.release();
    }
  });
}

Deno.test("an abandoned RLock says how often it was held", async () => {
  const lock = new RLock();
  await abandon(lock, { ending: "return" }, 3);
  await assert.rejects(lock.acquire(), /held the RLock 3 times/);
  await lock.acquire();
  lock.release();
  assert.equal(lock.locked, false);
});

testInFull(
  "of those who wait for a lock one learns that its holder died, and the others get it",
  async () => {
    const lock = new Lock(), said = new Queue<string>();
    const holder = start(targets.hold, lock, said, "spin", 1);
    await said.get(bound);
    const faces = ["async", "sync", "async", "sync"] as const;
    const waiting = faces.map((face) => start(targets.acquire, lock, said, face));
    for (const _ of waiting) await said.get(bound);
    const mine = lock.acquire(bound).then(() => {
      lock.release();
      return "acquired";
    }, String);
    holder.kill();
    const outcomes = [await mine];
    for (const process of waiting) outcomes.push(await process.result(bound));
    outcomes.sort();
    assert.match(outcomes[0], new RegExp(`^AbandonedLockError: ${holder.name} `));
    assert.deepEqual(outcomes.slice(1), Array(4).fill("acquired"));
  },
);
