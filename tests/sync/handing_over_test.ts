// Locks, semaphores, events, conditions and barriers in another process: the same objects, at any depth.

import assert from "node:assert/strict";
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  Pipe,
  Queue,
  RLock,
  Semaphore,
} from "../../mod.ts";
import { bound, start } from "../support/sync.ts";
import { says } from "../support/local.ts";
import * as targets from "../support/targets/sync_targets.ts";

Deno.test("all kinds are handed over in args, at any depth", async () => {
  const lock = new Lock(), rlock = new RLock(), semaphore = new BoundedSemaphore(2);
  const event = new Event(), condition = new Condition(), barrier = new Barrier(7);
  await semaphore.acquire();
  const kit: targets.Kit = {
    lock,
    list: [rlock, new Map([["semaphore", semaphore]])],
    event,
    condition,
    barrier,
    again: lock,
  };
  const process = start(targets.use, kit);
  assert.deepEqual(await process.result(bound), {
    found: [false, false, 1, false, 7],
    isOne: true,
    isBounded: true,
  });
  assert.deepEqual(
    [lock.locked, rlock.locked, semaphore.value, event.isSet(), barrier.broken],
    [true, true, 2, true, true],
  );
  await assert.rejects(lock.acquire(), new RegExp(process.name));
  await assert.rejects(rlock.acquire(), new RegExp(process.name));
});

Deno.test("a lock that goes with its condition and by itself is one lock", async () => {
  const lock = new Lock(), condition = new Condition(lock), said = new Queue<string>();
  const waiting = start(targets.waitUnderLock, lock, condition, said);
  assert.equal(await said.get(bound), "waits");
  await lock.acquire();
  condition.notify();
  lock.release();
  assert.equal(await waiting.result(bound), true);
});

Deno.test("they go through a pipe, and come back as the same", async () => {
  const [here, there] = Pipe<Semaphore>();
  start(targets.echoObject, there);
  const semaphore = new Semaphore(1);
  await here.send(semaphore);
  const back = await here.recv(bound);
  assert.notEqual(back, semaphore);
  assert.ok(back instanceof Semaphore);
  assert.equal(back.value, 2);
  await back.acquire();
  assert.equal(semaphore.value, 1);
});

Deno.test("what comes back here is held by this process, by whichever object", async () => {
  const [here, there] = Pipe<RLock>();
  const lock = new RLock();
  await here.send(lock);
  const same = await there.recv(bound);
  await lock.acquire();
  same.release();
  assert.equal(lock.locked, false);
});

Deno.test("a queue refuses them all, and says what to do", () => {
  const queue = new Queue<unknown>();
  const all = { Lock, RLock, Semaphore, BoundedSemaphore, Event, Condition };
  const objects = Object.entries(all).map(([name, Class]) => [name, new Class()] as const);
  for (const [name, object] of [...objects, ["Barrier", new Barrier(1)] as const]) {
    const check = says(
      TypeError,
      new RegExp(`^item\\.inner is an? ${name}, which is handed over, not copied`),
    );
    assert.throws(() => queue.putNowait({ inner: object }), check);
  }
  assert.ok(queue.empty());
});

Deno.test("a barrier whose action has no text is refused where it is given to a process", () => {
  class Owner {
    #secret() {}
    action = this.#secret;
  }
  for (const action of [(() => {}).bind(null), Date.now, new Owner().action]) {
    const barrier = new Barrier(1, { action });
    assert.throws(
      () => start(targets.rounds, barrier, 1, "async"),
      says(TypeError, /^The action ".*" can't go to another process/, /Wrap it/),
    );
    assert.equal(barrier.waitSync(), 0);
  }
});
