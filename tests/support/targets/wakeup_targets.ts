// Targets of tests/full/wakeup_rounds.ts.

import type { Lock, RLock, SharedArray } from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/**
 * Elements of `state`: 1 while the lock is held, 2 when it is to be released, 3 when it
 * was taken again; 1 while somebody waits.
 */
export const HELD = 0, WAITS = 1;

/**
 * Holds the lock until told, releases it, takes it at once again, and releases it, noting when it was free for the
 * waiter; false if the waiter had it in between, as one does that has reserved it.
 */
export function releaseTwice(
  lock: Lock | RLock,
  state: SharedArray<"i32">,
  times: SharedArray<"f64">,
) {
  lock.acquireSync();
  Atomics.store(state, 0, 1);
  while (Atomics.load(state, 0) !== 2) Atomics.wait(state, 0, 1, 100);
  times[0] = performance.timeOrigin + performance.now();
  lock.release();
  const isMine = lock.tryAcquire();
  if (!isMine) lock.acquireSync(); // a waiter was quicker
  Atomics.store(state, 0, 3);
  // All who were woken have acted.
  Atomics.wait(state, 0, 3, 60);
  if (isMine) times[0] = performance.timeOrigin + performance.now();
  lock.release();
  // Its end would be announced, and then everybody looks.
  Atomics.wait(state, 1, 1, 5000);
  return isMine;
}

/** Waits for the lock, and notes when it has it. */
export async function waitFor(
  lock: Lock | RLock,
  state: SharedArray<"i32">,
  times: SharedArray<"f64">,
) {
  Atomics.store(state, 1, 1);
  await lock.acquire();
  times[1] = performance.timeOrigin + performance.now();
  lock.release();
  Atomics.store(state, 1, 2);
  Atomics.notify(state, 1);
}
