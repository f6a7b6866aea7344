// Targets that acquire and release: see queue_targets.ts for the terms.

import {
  AbandonedLockError,
  type Barrier,
  BrokenBarrierError,
  type Condition,
  type Event,
  type Lock,
  type RLock,
  type Semaphore,
  type SharedArray,
  type Value,
} from "../../../mod.ts";
import type { At, States } from "../states.ts";

/** What is acquired and released. */
export type Acquirable = Lock | RLock | Semaphore | Condition;

/** Counts up under a Value's or a SharedArray's lock. */
export type Counter = Value<"f64"> | SharedArray<"i32">;

/** Notes in `reports`, by the number in its name, of whom it was told that he died as a holder. */
type Reports = Int32Array;

/**
 * Holds it again and again until it is over; `inside` names who does. With `permits` others may hold
 * it at the same time. Beside acquiring it, it gives up waiting again and again.
 */
export async function contend(
  words: Int32Array,
  at: At,
  is: States,
  what: Acquirable,
  inside: Int32Array,
  reports: Reports,
  me: number,
  isAlone: boolean,
  isSync: boolean,
  pace: number,
  nap: number,
): Promise<void> {
  let rounds = 0;
  while (Atomics.load(words, at.over) === 0) {
    Atomics.store(words, at.begun, rounds + 1);
    Atomics.store(words, at.state, isSync ? is.sync : is.async);
    try {
      const kind = rounds % 5;
      let has = false;
      if (kind === 4) has = what.tryAcquire();
      else if (kind === 3 && isSync) has = what.acquireSync({ timeout: 1 });
      else if (kind === 3) has = await what.acquire({ timeout: 1 });
      else if (kind === 2 && !isSync) {
        const controller = new AbortController();
        const timer = setTimeout(() => controller.abort("enough"), 1);
        try {
          has = await what.acquire({ signal: controller.signal });
        } catch (error) {
          if (error !== "enough") throw error;
        } finally {
          clearTimeout(timer);
        }
      } else has = isSync ? what.acquireSync() : await what.acquire();
      if (has) {
        Atomics.store(words, at.state, is.holding);
        Atomics.store(inside, 0, me);
        // Another who thinks that he holds it would write his own number here.
        for (let look = 0; isAlone && look < 300; look++) {
          if (Atomics.load(inside, 0) !== me) Atomics.add(words, at.wrong, 1);
        }
        // A victim keeps it for a moment, for him who comes to kill it.
        if (nap === 0 && isSync) Atomics.wait(words, at.words - 1, 0, rounds % 3);
        else if (nap === 0) await new Promise((resolve) => setTimeout(resolve, rounds % 3));
        Atomics.store(words, at.state, is.computing);
        what.release();
      }
    } catch (error) {
      if (!(error instanceof AbandonedLockError)) throw error;
      Atomics.add(reports, Number(/-(\d+) /.exec(error.message)![1]), 1);
    }
    Atomics.store(words, at.done, ++rounds);
    Atomics.store(words, at.state, is.computing);
    if (rounds % pace === 0) await new Promise((resolve) => setTimeout(resolve, nap));
  }
}

/** Counts up by update() until it is over. */
export async function countUp(
  words: Int32Array,
  at: At,
  is: States,
  counter: Counter,
  reports: Reports,
  pace: number,
  nap: number,
): Promise<void> {
  for (let i = 0; Atomics.load(words, at.over) === 0;) {
    Atomics.store(words, at.begun, i + 1);
    Atomics.store(words, at.state, is.sync);
    try {
      const add = (n: number) => {
        Atomics.store(words, at.state, is.holding);
        if (nap === 0) Atomics.wait(words, at.words - 1, 0, i % 3);
        return n + 1;
      };
      if ("value" in counter) counter.update(add);
      else counter.update(1, add);
      Atomics.store(words, at.done, ++i);
    } catch (error) {
      if (!(error instanceof AbandonedLockError)) throw error;
      Atomics.store(words, at.begun, i);
      Atomics.add(reports, Number(/-(\d+) /.exec(error.message)![1]), 1);
    }
    Atomics.store(words, at.state, is.computing);
    if (i % pace === 0) await new Promise((resolve) => setTimeout(resolve, nap));
  }
}

/** Consumes what there is, and waits for it in between, until it is over. */
export async function consumeUnder(
  words: Int32Array,
  at: At,
  is: States,
  condition: Condition,
  items: Int32Array,
  isSync: boolean,
): Promise<void> {
  const isReady = () => items[0] > 0 || Atomics.load(words, at.over) !== 0;
  while (Atomics.load(words, at.over) === 0) {
    Atomics.store(words, at.state, isSync ? is.sync : is.async);
    try {
      if (isSync) condition.acquireSync();
      else await condition.acquire();
    } catch (error) {
      if (!(error instanceof AbandonedLockError)) throw error;
      continue;
    }
    try {
      Atomics.add(words, at.begun, 1);
      if (isSync) condition.waitForSync(isReady);
      else await condition.waitFor(isReady);
    } catch (error) {
      // It holds the lock all the same.
      if (!(error instanceof AbandonedLockError)) throw error;
    }
    Atomics.store(words, at.state, is.holding);
    if (items[0] > 0) {
      items[0]--;
      Atomics.add(words, at.done, 1);
    }
    condition.release();
    Atomics.store(words, at.state, is.computing);
  }
}

/**
 * Passes a barrier round after round until it breaks; then waits for its repair, until it is over.
 * `arrived` counts who has come, by eras: n parties can't have passed r rounds before n * r had come.
 */
export async function pass(
  words: Int32Array,
  at: At,
  is: States,
  barrier: Barrier,
  arrived: Int32Array,
  broken: Semaphore,
  repaired: [Event, Event],
  isSync: boolean,
  pace: number,
): Promise<void> {
  for (let era = Atomics.load(arrived, 0);; era++) {
    try {
      for (let rounds = 1;; rounds++) {
        Atomics.add(arrived, 1 + era, 1);
        Atomics.store(words, at.begun, rounds);
        Atomics.store(words, at.state, isSync ? is.sync : is.async);
        const index = isSync ? barrier.waitSync() : await barrier.wait();
        Atomics.store(words, at.done, rounds);
        Atomics.store(words, at.state, is.computing);
        Atomics.add(words, at.extra, 1);
        const isEarly = Atomics.load(arrived, 1 + era) < barrier.parties * rounds;
        if (isEarly || index < 0 || index >= barrier.parties) Atomics.add(words, at.wrong, 1);
        if (rounds % pace === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
    } catch (error) {
      if (!(error instanceof BrokenBarrierError)) throw error;
    }
    broken.release();
    if (isSync) repaired[era % 2].waitSync();
    else await repaired[era % 2].wait();
    if (Atomics.load(words, at.over) !== 0) return;
  }
}
