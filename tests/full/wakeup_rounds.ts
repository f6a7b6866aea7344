// How long a lock lies free while a process waits for it, when the waiter that is woken has given up
// meanwhile; `deno task test` runs it. With a lost wake-up it is most of a second.

import assert from "node:assert/strict";
import { Lock, Process, RLock, SharedArray } from "../../mod.ts";
import { bound } from "../support/sync.ts";
import * as targets from "../support/targets/wakeup_targets.ts";

const ROUNDS = 20;

for (const make of [() => new Lock(), () => new RLock()]) {
  const name = make().constructor.name;
  Deno.test(`of a ${name} that is released, taken and released again, its waiter is told`, async () => {
    const lock = make(), times = new SharedArray("f64", 2), state = new SharedArray("i32", 2);
    const free: number[] = [];
    let taken = 0;
    for (let round = 0; round < ROUNDS; round++) {
      state.fill(0);
      const holder = started(targets.releaseTwice, [lock, state, times]);
      while (Atomics.load(state, targets.HELD) === 0) await pause(1);
      // Leaves a sleeper behind, in front of the waiter's.
      assert.equal(await lock.acquire({ timeout: 5 }), false);
      const waiter = started(targets.waitFor, [lock, state, times]);
      while (Atomics.load(state, targets.WAITS) === 0) await pause(1);
      await pause(20);
      Atomics.store(state, targets.HELD, 2);
      Atomics.notify(state, targets.HELD);
      // The one that is woken is busy until another has the lock.
      const end = performance.now() + bound.timeout;
      while (Atomics.load(state, targets.HELD) === 2 && performance.now() < end);
      if (await holder.result(bound)) taken++;
      await waiter.result(bound);
      free.push(times[1] - times[0]);
    }
    free.sort((a, b) => a - b);
    const median = free[ROUNDS >> 1], most = free[ROUNDS - 1];
    console.log(
      `free with a waiter: median ${median.toFixed(1)} ms, at most ${most.toFixed(1)} ms; ` +
        `taken again first in ${taken} of ${ROUNDS} rounds`,
    );
    assert.ok(median < 200, "the waiter has it only once it looks by itself");
  });
}

function started<A extends unknown[], R>(target: (...args: A) => R | PromiseLike<R>, args: A) {
  const process = new Process({ target, args, module: targets.here });
  process.start();
  return process;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
