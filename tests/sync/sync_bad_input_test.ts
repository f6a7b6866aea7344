// Bad input to locks, semaphores, events, conditions and barriers: each is refused at the call, in
// words that name the fault and a way out, and leaves the object as it was.

import assert from "node:assert/strict";
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  InvalidStateError,
  Lock,
  Pipe,
  RLock,
  Semaphore,
} from "../../mod.ts";
import { type ErrorClass, says, wrong } from "../support/local.ts";
import { bound, start } from "../support/sync.ts";
import * as targets from "../support/targets/sync_targets.ts";
import { testInFull } from "../support/length.ts";

/** Values that no number of anything can be, and what is said of them. */
const noCounts: [unknown, ErrorClass, RegExp][] = [
  [-1, RangeError, /is -1/],
  [NaN, RangeError, /is NaN/],
  [1.5, RangeError, /is 1\.5/],
  [Infinity, RangeError, /is Infinity/],
  ["1", TypeError, /is a string, "1"/],
  [null, TypeError, /is null/],
  [1n, TypeError, /is a bigint/],
  [{}, TypeError, /is an object/],
];

Deno.test("a semaphore needs a whole number of permits", () => {
  for (
    const [n, errorClass, pattern] of [...noCounts, [2 ** 31, RangeError, /2147483648/]] as const
  ) {
    for (const Class of [Semaphore, BoundedSemaphore]) {
      assert.throws(() => new Class(wrong(n)), says(errorClass, pattern, /^n is .* Give /));
    }
  }
  assert.equal(new Semaphore(undefined).value, 1);
});

Deno.test("a barrier needs a whole number of parties, one at least", () => {
  for (const [n, errorClass, pattern] of [...noCounts, [0, RangeError, /is 0/]] as const) {
    assert.throws(() => new Barrier(wrong(n)), says(errorClass, pattern, /^parties is .* Give /));
  }
  assert.throws(() => new Barrier(wrong(undefined)), says(TypeError, /^parties is undefined/));
  assert.throws(() => new Barrier(2 ** 16 + 1), says(RangeError, /from 1 to 65536/));
});

Deno.test("a barrier's options are checked", () => {
  for (const options of [null, 5, "timeout"]) {
    assert.throws(() => new Barrier(1, wrong(options)), says(TypeError, /^The options are /));
  }
  for (const action of [null, 5, "action", {}]) {
    const given = { action: wrong(action) };
    assert.throws(() => new Barrier(1, given), says(TypeError, /^action is .* not a function/));
  }
  for (const timeout of [-1, NaN]) {
    assert.throws(() => new Barrier(1, { timeout }), says(RangeError, /^timeout is /));
  }
  assert.throws(() => new Barrier(1, { timeout: wrong("1") }), says(TypeError, /^timeout is /));
});

Deno.test("a condition needs a lock", () => {
  for (const lock of [null, 5, {}, new Semaphore(), new Condition(), Lock]) {
    assert.throws(() => new Condition(wrong(lock)), says(TypeError, /^lock is .* Give a Lock/));
  }
});

Deno.test("a timeout that is none, and a signal that is none, are refused by every wait", async () => {
  const condition = new Condition(new Lock()), barrier = new Barrier(2), event = new Event();
  await condition.acquire();
  const waits: Record<string, (options: object) => Promise<unknown>> = {
    lock: (options) => new Lock().acquire(options),
    rlock: (options) => new RLock().acquire(options),
    semaphore: (options) => new Semaphore().acquire(options),
    hold: (options) => new Semaphore().hold(options),
    event: (options) => event.wait(options),
    condition: (options) => condition.wait(options),
    waitFor: (options) => condition.waitFor(() => true, options),
    barrier: (options) => barrier.wait(options),
  };
  for (const [name, wait] of Object.entries(waits)) {
    await assert.rejects(wait({ timeout: -1 }), says(RangeError, /^timeout is -1/), name);
    await assert.rejects(wait({ timeout: NaN }), says(RangeError, /^timeout is NaN/), name);
    await assert.rejects(wait({ timeout: "5" }), says(TypeError, /^timeout is a string/), name);
    await assert.rejects(wait({ signal: {} }), says(TypeError, /^signal is an object/), name);
  }
  const blocking: Record<string, (options: object) => unknown> = {
    lock: (options) => new Lock().acquireSync(options),
    rlock: (options) => new RLock().acquireSync(options),
    semaphore: (options) => new Semaphore().acquireSync(options),
    hold: (options) => new Semaphore().holdSync(options),
    event: (options) => event.waitSync(options),
    condition: (options) => condition.waitSync(options),
    waitFor: (options) => condition.waitForSync(() => true, options),
    barrier: (options) => barrier.waitSync(options),
  };
  for (const [name, wait] of Object.entries(blocking)) {
    assert.throws(() => wait({ timeout: -1 }), says(RangeError, /^timeout is -1/), name);
    assert.throws(() => wait({ timeout: "5" }), says(TypeError, /^timeout is a string/), name);
  }
  assert.equal(barrier.nWaiting, 0);
  assert.equal(barrier.broken, false);
  assert.equal(condition.tryAcquire(), false);
});

testInFull("a condition is waited at and notified only by who holds its lock", async () => {
  for (const condition of [new Condition(), new Condition(new Lock())]) {
    const calls: Record<string, () => unknown> = {
      wait: () => condition.wait(),
      waitSync: () => condition.waitSync(),
      waitNowait: () => condition.waitNowait(),
      waitFor: () => condition.waitFor(() => true),
      waitForSync: () => condition.waitForSync(() => true),
      waitForNowait: () => condition.waitForNowait(() => true),
      notify: () => condition.notify(),
      notifyAll: () => condition.notifyAll(),
    };
    const refused = async (who: string) => {
      for (const [name, call] of Object.entries(calls)) {
        const said =
          `${name}() was called on a Condition whose lock this process doesn't hold: ${who}`;
        await assert.rejects(
          async () => await call(),
          (error) => says(InvalidStateError)(error) && (error as Error).message.startsWith(said),
        );
      }
    };
    await refused("nobody holds it.");
    assert.throws(() => condition.release(), InvalidStateError);
    const [here, there] = Pipe<string>();
    const holder = start(targets.holdUntil, condition, there);
    await here.recv(bound);
    await refused(`${holder.name} holds it.`);
    for (const method of ["wait", "notify", "release"] as const) {
      assert.match(
        await start(targets.tryTo, method, condition).result(bound),
        new RegExp(`^InvalidStateError: .*${holder.name} holds it\\. Acquire it first\\.$`),
      );
    }
    await here.send("release");
    await holder.join(bound);
  }
});

Deno.test("notify needs a whole number, and a predicate is a function that answers at once", async () => {
  const condition = new Condition();
  using _held = await condition.hold();
  for (const [n, errorClass, pattern] of noCounts) {
    assert.throws(() => condition.notify(wrong(n)), says(errorClass, pattern, /^n is .* Give /));
  }
  for (const predicate of [null, 5, "true"]) {
    const check = says(TypeError, /^predicate is .* not a function/);
    await assert.rejects(condition.waitFor(wrong(predicate)), check);
    assert.throws(() => condition.waitForSync(wrong(predicate)), check);
    assert.throws(() => condition.waitForNowait(wrong(predicate)), check);
  }
  const promising = () => Promise.reject(new Error("unseen"));
  const check = says(TypeError, /^The predicate returned a promise/, /or call waitFor\(\)/);
  assert.throws(() => condition.waitForSync(promising), check);
  assert.throws(() => condition.waitForNowait(promising), check);
});

Deno.test("errors of what isn't held, or is released too often, say what to do", () => {
  for (const lock of [new Lock(), new RLock(), new Condition()]) {
    assert.throws(() => lock.release(), says(InvalidStateError, /nobody holds it\. Acquire it/));
  }
  assert.throws(() => new BoundedSemaphore().release(), says(RangeError, /Call it once/));
});
