// Lock and RLock: one holder at a time, whoever ends however.

import assert from "node:assert/strict";
import {
  AbandonedLockError,
  Condition,
  type Held,
  InvalidStateError,
  Lock,
  Pipe,
  Queue,
  RLock,
  Semaphore,
  TimeoutError,
} from "../../mod.ts";
import { abandon, addTogether, bound, endings, names, start, turn } from "../support/sync.ts";
import * as targets from "../support/targets/sync_targets.ts";

Deno.test("a lock is acquired and released in all faces", async () => {
  const lock = new Lock();
  assert.equal(lock.locked, false);
  assert.equal(await lock.acquire(), true);
  assert.equal(lock.locked, true);
  lock.release();
  assert.equal(lock.acquireSync(), true);
  lock.release();
  assert.equal(lock.tryAcquire(), true);
  lock.release();
  assert.equal(lock.locked, false);
});

Deno.test("who can't have the lock in time is told so in all faces, and has taken nothing", async () => {
  const lock = new Lock();
  await lock.acquire();
  assert.equal(lock.tryAcquire(), false);
  assert.equal(await lock.acquire({ timeout: 0 }), false);
  assert.equal(await lock.acquire({ timeout: 5 }), false);
  assert.equal(lock.acquireSync({ timeout: 0 }), false);
  assert.equal(lock.acquireSync({ timeout: 5 }), false);
  await assert.rejects(lock.hold({ timeout: 5 }), TimeoutError);
  assert.throws(() => lock.holdSync({ timeout: 5 }), TimeoutError);
  lock.release();
  assert.equal(lock.tryAcquire(), true);
});

Deno.test("a wait for a lock that is aborted has taken nothing", async () => {
  const lock = new Lock();
  const controller = new AbortController(), signal = controller.signal;
  await lock.acquire();
  const aborted = lock.acquire({ signal }), patient = lock.acquire();
  controller.abort(new Error("no longer wanted"));
  await assert.rejects(aborted, /no longer wanted/);
  lock.release();
  assert.equal(await patient, true);
  lock.release();
  await assert.rejects(lock.acquire({ signal }), /no longer wanted/);
  assert.equal(lock.locked, false);
});

Deno.test("the tasks of one process have a lock one at a time, in their order", async () => {
  const lock = new Lock();
  const order: number[] = [];
  let inside = 0;
  await Promise.all(Array.from({ length: 50 }, async (_, i) => {
    using _held = await lock.hold();
    assert.equal(inside++, 0);
    order.push(i);
    await turn();
    inside--;
  }));
  assert.deepEqual(order, Array.from({ length: 50 }, (_, i) => i));
});

Deno.test("a task that comes later doesn't overtake those of its process that wait", async () => {
  const lock = new Lock();
  await lock.acquire();
  const first = lock.acquire();
  lock.release();
  assert.equal(lock.tryAcquire(), false);
  assert.equal(lock.acquireSync({ timeout: 0 }), false);
  assert.equal(await first, true);
});

Deno.test("what is held is released at the end of the block, even if it throws", async () => {
  for (const lock of [new Lock(), new RLock(), new Condition(), new Semaphore()]) {
    let outside: Held | undefined;
    await assert.rejects(async () => {
      using held = await lock.hold();
      outside = held;
      assert.equal(held.released, false);
      throw new Error("half-way");
    }, /half-way/);
    assert.equal(outside?.released, true);
    {
      await using held = lock.holdSync();
      assert.equal(held.released, false);
    }
    const again = lock.holdSync();
    again.release();
    again.release();
    assert.equal(again.released, true);
    assert.equal(lock.tryAcquire(), true);
    lock.release();
  }
});

Deno.test("an RLock is free when it was released as often as acquired", async () => {
  const lock = new RLock();
  await lock.acquire();
  lock.acquireSync();
  assert.equal(lock.tryAcquire(), true);
  using _other = await lock.hold();
  for (let level = 4; level > 1; level--) {
    const attempt = start(targets.tryTo, "tryAcquire", lock);
    lock.release();
    assert.equal(lock.locked, true);
    await attempt.result();
  }
});

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

Deno.test("the tasks of one process share an RLock, and don't keep each other out", async () => {
  const lock = new RLock();
  using _one = await lock.hold();
  using _other = await lock.hold({ timeout: 0 });
});

Deno.test("release of what this process doesn't hold names who holds it, if anybody does", async () => {
  for (const lock of [new Lock(), new RLock()]) {
    assert.throws(() => lock.release(), InvalidStateError);
    assert.throws(() => lock.release(), /nobody holds it\. Acquire it first/);
    await lock.acquire();
    assert.match(
      await start(targets.tryTo, "release", lock).result(bound),
      /^InvalidStateError: .*MainProcess holds it/,
    );
    lock.release();
    const [here, there] = Pipe<string>();
    const holder = start(targets.holdUntil, lock, there);
    await here.recv(bound);
    assert.throws(() => lock.release(), new RegExp(`${holder.name} holds it`));
    await here.send("release");
    await here.recv(bound);
    await holder.join(bound);
  }
});

for (const face of ["async", "sync", "mixed"] as const) {
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

Deno.test("every face reports an abandoned lock", async () => {
  const lock = new Lock();
  const faces = [
    () => lock.acquire({ timeout: 1000 }),
    () => lock.hold(),
    () => lock.acquireSync(),
    () => lock.acquireSync({ timeout: 0 }),
    () => lock.tryAcquire(),
    () => lock.holdSync(),
  ];
  for (const face of faces) {
    const name = await abandon(lock);
    await assert.rejects(async () => await face(), names(name));
    assert.equal(lock.locked, false);
  }
});

Deno.test("an abandoned RLock says how often it was held", async () => {
  const lock = new RLock();
  await abandon(lock, { ending: "return" }, 3);
  await assert.rejects(lock.acquire(), /held the RLock 3 times/);
  await lock.acquire();
  lock.release();
  assert.equal(lock.locked, false);
});

Deno.test("of those who wait for a lock one learns that its holder died, and the others get it", async () => {
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
});

Deno.test("a process killed while it waits for a lock doesn't take it along", async () => {
  const lock = new Lock(), said = new Queue<string>();
  for (const face of ["async", "sync"] as const) {
    await lock.acquire();
    const victim = start(targets.acquire, lock, said, face);
    await said.get(bound);
    const mine = lock.acquire(bound);
    victim.kill();
    lock.release();
    await victim.join(bound);
    assert.equal(
      await mine.catch((error) => {
        // It may just have got it.
        assert.ok(error instanceof AbandonedLockError);
        return lock.acquire(bound);
      }),
      true,
    );
    lock.release();
  }
});

Deno.test("a loop that acquires and releases a lock lets timers run", async () => {
  const lock = new Lock();
  let fired = false;
  const timer = setTimeout(() => fired = true, 1);
  for (let i = 0; i < 5_000_000 && !fired; i++) {
    await lock.acquire();
    lock.release();
  }
  clearTimeout(timer);
  assert.ok(fired);
});
