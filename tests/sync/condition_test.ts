// Condition: a waiter goes on when it is notified, and always with the lock.

import assert from "node:assert/strict";
import { Condition, Lock, Queue, RLock, SharedArray } from "../../mod.ts";
import { abandon, bound, start, turn, until } from "../support/sync.ts";
import * as targets from "../support/targets/sync_targets.ts";
import { testInFull } from "../support/length.ts";

/** For the tasks of this process, which an RLock wouldn't keep apart. */
const between = () => new Condition(new Lock());

/** A task that waits, and then says who it is. */
async function waiter(
  condition: Condition,
  log: string[],
  name: string,
  options?: { timeout?: number; signal?: AbortSignal },
) {
  using _held = await condition.hold();
  log.push(`${name} ${await condition.wait(options).catch((reason) => `${reason}`)}`);
}

Deno.test("a condition's lock is acquired and released in all faces", async () => {
  for (const condition of [new Condition(), between(), new Condition(new RLock())]) {
    assert.equal(await condition.acquire(), true);
    condition.release();
    assert.equal(condition.acquireSync(), true);
    condition.release();
    assert.equal(condition.tryAcquire(), true);
    condition.release();
    {
      using _held = await condition.hold();
    }
    using _held = condition.holdSync();
  }
});

Deno.test("several conditions can share a lock", async () => {
  const lock = new Lock();
  const full = new Condition(lock), empty = new Condition(lock);
  await full.acquire();
  assert.equal(empty.tryAcquire(), false);
  lock.release();
  assert.equal(empty.tryAcquire(), true);
  full.release();
});

Deno.test("those who waited longest are notified first, as many as were asked for", async () => {
  const condition = between(), log: string[] = [];
  const all = ["a", "b", "c", "d", "e"].map((name) => waiter(condition, log, name));
  await turn();
  await condition.acquire();
  condition.notify();
  condition.release();
  await until(() => log.length === 1);
  assert.deepEqual(log, ["a true"]);
  await condition.acquire();
  condition.notify(2);
  condition.notify(0);
  condition.release();
  await until(() => log.length === 3);
  assert.deepEqual(log.sort(), ["a true", "b true", "c true"]);
  await condition.acquire();
  condition.notifyAll();
  condition.notifyAll();
  condition.notify(100);
  condition.release();
  await Promise.all(all);
  assert.equal(log.length, 5);
});

Deno.test("a notification nobody waits for is nothing", async () => {
  const condition = between(), log: string[] = [];
  await condition.acquire();
  condition.notify(3);
  condition.release();
  await waiter(condition, log, "late", { timeout: 5 });
  assert.deepEqual(log, ["late false"]);
});

Deno.test("who waits goes on only when the lock is released, and holds it then", async () => {
  const condition = between();
  let goesOn = false;
  const waiting = (async () => {
    await condition.acquire();
    await condition.wait();
    goesOn = true;
    assert.equal(condition.tryAcquire(), false);
    condition.release();
  })();
  await turn();
  await condition.acquire();
  condition.notify();
  await turn();
  assert.equal(goesOn, false);
  condition.release();
  await waiting;
});

Deno.test("a wait that timed out has reacquired the lock first, however long that took", async () => {
  const condition = between(), log: string[] = [];
  const waiting = waiter(condition, log, "a", { timeout: 1 });
  await turn();
  await condition.acquire();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(log, []);
  condition.notify(); // too late
  condition.release();
  await waiting;
  assert.deepEqual(log, ["a false"]);
  await condition.acquire();
  assert.equal(condition.waitSync({ timeout: 5 }), false);
  assert.equal(condition.waitNowait(), false);
  assert.equal(await condition.wait({ timeout: 0 }), false);
  assert.equal(condition.tryAcquire(), false);
  condition.release();
});

Deno.test("a wait that is aborted rejects with the reason, and has the lock again", async () => {
  const condition = between(), controller = new AbortController();
  const { signal } = controller;
  await condition.acquire();
  const waiting = condition.wait({ signal });
  await condition.acquire();
  controller.abort(new Error("no longer wanted"));
  let isOver = false;
  waiting.catch(() => isOver = true);
  await turn();
  assert.equal(isOver, false);
  condition.release();
  await assert.rejects(waiting, /no longer wanted/);
  assert.equal(condition.tryAcquire(), false);
  // Aborted before: it is refused at once, and the lock is never released.
  await assert.rejects(condition.wait({ signal }), /no longer wanted/);
  condition.release();
});

Deno.test("notifications don't go to those who gave up", async () => {
  const condition = between(), log: string[] = [];
  const controller = new AbortController();
  const all = [
    waiter(condition, log, "a", { timeout: 1 }),
    waiter(condition, log, "b", { signal: controller.signal }),
    waiter(condition, log, "c"),
  ];
  await all[0];
  controller.abort("aborted");
  await condition.acquire();
  condition.notify();
  condition.release();
  await Promise.all(all);
  assert.deepEqual(log.sort(), ["a false", "b aborted", "c true"]);
});

Deno.test("a notification given to a wait that is aborted goes to the next who waited then", async () => {
  const condition = between(), log: string[] = [];
  const controller = new AbortController();
  const first = waiter(condition, log, "first", { signal: controller.signal });
  const second = waiter(condition, log, "second");
  await turn();
  await condition.acquire();
  condition.notify();
  controller.abort("aborted");
  condition.release();
  await Promise.all([first, second]);
  assert.deepEqual(log.sort(), ["first aborted", "second true"]);
});

Deno.test("one who comes later doesn't get an earlier one's notification", async () => {
  const condition = between(), log: string[] = [];
  const controller = new AbortController();
  const first = waiter(condition, log, "first", { signal: controller.signal });
  await turn();
  await condition.acquire();
  condition.notify();
  const late = condition.wait({ timeout: 20 });
  controller.abort("aborted");
  await first;
  assert.equal(await late, false);
  assert.deepEqual(log, ["first aborted"]);
  condition.release();
});

Deno.test("an RLock is released wholly by a wait, and held as often again", async () => {
  const condition = new Condition(), said = new Queue<string>();
  for (const face of ["async", "sync"] as const) {
    for (let level = 0; level < 3; level++) await condition.acquire();
    const other = start(targets.acquire, condition, said, "async");
    await said.get(bound);
    // The other can acquire it only if it is released wholly.
    let isOver = other.exitCode !== null;
    while (!isOver) {
      const timeout = 5;
      if (face === "async") assert.equal(await condition.wait({ timeout }), false);
      else assert.equal(condition.waitSync({ timeout }), false);
      isOver = other.exitCode !== null;
    }
    assert.equal(await other.result(bound), "acquired");
    for (let level = 0; level < 3; level++) condition.release();
    assert.throws(() => condition.release(), /nobody holds it/);
  }
});

Deno.test("waitFor gives what the predicate returned, truthy or at the end of the time", async () => {
  const condition = between();
  let value = 0;
  await condition.acquire();
  assert.equal(await condition.waitFor(() => value, { timeout: 5 }), 0);
  assert.equal(await condition.waitFor(() => value, { timeout: 0 }), 0);
  assert.equal(await condition.waitFor(() => Promise.resolve("at once")), "at once");
  assert.equal(condition.waitForSync(() => value || null, { timeout: 5 }), null);
  assert.equal(condition.waitForNowait(() => "now"), "now");
  let seen = 0;
  const waiting = condition.waitFor(() => (seen = value) > 2 && `is ${value}`);
  for (let i = 0; i < 3; i++) {
    await condition.acquire();
    value++;
    condition.notifyAll();
    condition.release();
    await until(() => seen === value);
  }
  assert.equal(await waiting, "is 3");
  await assert.rejects(
    condition.waitFor(() => {
      throw new Error("in the predicate");
    }),
    /in the predicate/,
  );
  // It is held still.
  condition.release();
});

testInFull("processes are notified in the order they came, in both faces", async () => {
  const condition = new Condition(), said = new Queue<string>();
  const all = [];
  for (const face of ["async", "sync", "sync", "async"] as const) {
    all.push(start(targets.awaitCondition, condition, said, face));
    assert.equal(await said.get(bound), "waits");
  }
  for (const process of all) {
    await condition.acquire();
    condition.notify();
    condition.release();
    assert.equal(await said.get(bound), process.name);
    await process.join(bound);
  }
});

testInFull("processes hand over to each other, in both faces", async () => {
  for (const parties of [2, 4]) {
    const turns = new SharedArray("i32", 2), condition = new Condition();
    const all = Array.from({ length: parties }, (_, me) => {
      const face = me % 2 ? "async" : "sync";
      return start(targets.handOn, condition, turns, me, parties, 1000, face);
    });
    for (const process of all) await process.result(bound);
    assert.equal(turns[1], parties * 1000);
  }
});

Deno.test("notifications don't go to processes that have died", async () => {
  const condition = new Condition(), said = new Queue<string>();
  const all = [];
  for (const face of ["async", "sync", "async", "sync"] as const) {
    all.push(start(targets.awaitCondition, condition, said, face));
    assert.equal(await said.get(bound), "waits");
  }
  // The lock is to be had once all of them wait.
  await condition.acquire();
  condition.release();
  for (const victim of all.slice(0, 2)) {
    victim.kill();
    await victim.join(bound);
  }
  for (const process of all.slice(2)) {
    await condition.acquire();
    condition.notify();
    condition.release();
    assert.equal(await said.get(bound), process.name);
  }
});

testInFull("a notification given to a process that dies with it goes to the next", async () => {
  for (const face of ["async", "sync"] as const) {
    const condition = new Condition(), said = new Queue<string>();
    const all = [];
    for (let i = 0; i < 2; i++) {
      all.push(start(targets.awaitCondition, condition, said, face));
      assert.equal(await said.get(bound), "waits");
    }
    await condition.acquire();
    condition.notify();
    // It can't have gone on, as the lock is held.
    all[0].kill();
    await all[0].join(bound);
    condition.release();
    assert.equal(await said.get(bound), all[1].name);
    await all[1].join(bound);
  }
});

Deno.test("a wait that finds its lock abandoned says so, and holds it", async () => {
  for (const face of ["async", "sync"] as const) {
    const condition = between(), said = new Queue<string>();
    const waiting = start(targets.awaitInVain, condition, said, face);
    assert.equal(await said.get(bound), "waits");
    const holder = start(targets.notifyAndKeep, condition, said, 1);
    assert.equal(await said.get(bound), "held");
    holder.kill();
    const message = await waiting.result(bound);
    assert.ok(message.startsWith(`AbandonedLockError: ${holder.name} has ended`), message);
  }
});

testInFull(
  "all who wait return when a holder dies, though none was notified, and one is told",
  async () => {
    for (const face of ["async", "sync"] as const) {
      const condition = new Condition(), said = new Queue<string>();
      const all = [];
      for (let i = 0; i < 3; i++) {
        all.push(start(targets.awaitInVain, condition, said, face));
        assert.equal(await said.get(bound), "waits");
      }
      const holder = start(targets.notifyAndKeep, condition, said, 0);
      assert.equal(await said.get(bound), "held");
      holder.kill();
      const messages = await Promise.all(all.map((process) => process.result(bound)));
      const [told, ...others] = messages.sort().reverse();
      assert.ok(told.startsWith(`AbandonedLockError: ${holder.name} has ended`), told);
      assert.deepEqual(others, ["", ""]);
    }
  },
);

testInFull(
  "those who wait return also when another who acquires the lock is told of a death",
  async () => {
    for (const face of ["async", "sync"] as const) {
      const condition = new Condition(), said = new Queue<string>();
      const waiting = start(targets.awaitInVain, condition, said, face);
      assert.equal(await said.get(bound), "waits");
      const holder = start(targets.notifyAndKeep, condition, said, 0);
      assert.equal(await said.get(bound), "held");
      const acquiring = condition.acquire(bound);
      holder.kill();
      const isTold = await acquiring.then(
        () => false,
        (error) => error.name === "AbandonedLockError",
      );
      if (!isTold) condition.release();
      const message = await waiting.result(bound);
      assert.equal(message.startsWith("AbandonedLockError"), !isTold, message);
    }
  },
);

testInFull(
  "an item is not lost on those who wait when the one notified dies with the lock",
  async () => {
    for (const face of ["async", "sync"] as const) {
      const condition = new Condition(),
        items = new SharedArray("i32", 1),
        up = new Queue<string>();
      const first = start(targets.keepOnceNotified, condition, items, up, face);
      assert.equal(await up.get(bound), "waits");
      const second = start(targets.takeItem, condition, items, up, face);
      assert.equal(await up.get(bound), "waits");
      await condition.acquire();
      items[0] = 1;
      condition.notify();
      condition.release();
      assert.equal(await up.get(bound), "has it");
      first.kill();
      assert.equal(await second.result(bound), "AbandonedLockError, 1 left");
    }
  },
);

Deno.test("an abandoned condition is reported as its lock is", async () => {
  const condition = new Condition();
  const name = await abandon(condition);
  await assert.rejects(condition.acquire(), new RegExp(`^AbandonedLockError: ${name} .*RLock`));
  assert.equal(condition.tryAcquire(), true);
});

Deno.test("a thousand tasks wait at one condition, and each is notified once", async () => {
  const condition = between(), log: string[] = [];
  const all = Array.from({ length: 1000 }, (_, i) => waiter(condition, log, `${i}`));
  await turn();
  await condition.acquire();
  condition.notify(400);
  condition.release();
  await until(() => log.length === 400);
  await condition.acquire();
  assert.deepEqual(log, Array.from({ length: 400 }, (_, i) => `${i} true`));
  condition.notifyAll();
  condition.release();
  await Promise.all(all);
  assert.equal(new Set(log).size, 1000);
});
