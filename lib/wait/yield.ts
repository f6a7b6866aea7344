// Yielding to other tasks. A loop of awaits that never has to wait, like `while (true) await queue.get()` on
// a full queue, goes from microtask to microtask: timers, messages and signals would never get their turn. So
// every few milliseconds such an operation takes a turn of the event loop before it goes on.

import * as primordials from "../platform/primordials.ts";

const { performance, Promise, PromisePrototypeThen, setImmediate } = primordials;

/** Milliseconds without a turn before one is taken; where the thread has napped meanwhile, in which others could run. */
const MAX_WITHOUT_YIELD_MS = 4, MAX_AFTER_NAP_MS = 1;
/** Operations between two looks at the clock, which costs 0.1 µs. */
const LOOK_EVERY = 128;

let operations = 0;
let hasNapped = false;
let lastTurn = 0;

/** The turn that is being taken: results that come meanwhile must not overtake the result it is for. */
let turn: Promise<void> | undefined;

/** Whether the operation that just succeeded without waiting should take a turn of the loop. */
export function yieldIsDue(): boolean {
  if (turn !== undefined) return true;
  if (++operations < LOOK_EVERY) return false;
  operations = 0;
  return performance.now() - lastTurn > (hasNapped ? MAX_AFTER_NAP_MS : MAX_WITHOUT_YIELD_MS);
}

/** Called by operations that took long, as a spin does: makes the next look at the clock happen soon. */
export function countAsMany(): void {
  operations += LOOK_EVERY >> 2;
}

/** Called by operations that block the thread for a moment: the next look at the clock happens at once. */
export function countNap(): void {
  operations = LOOK_EVERY;
  hasNapped = true;
}

/** Delivers the result of a wait: after the turn that is being taken, if one is, so that it overtakes no other. */
export function deliver(result: () => void): void {
  if (turn === undefined) result();
  else PromisePrototypeThen(turn, result);
}

/** One turn of the event loop, then `value`. */
export function afterYield<T>(value: T): Promise<T> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      hasNapped = false;
      lastTurn = performance.now();
      resolve();
    });
  });
  return PromisePrototypeThen(turn, () => value);
}

/** A result that was there at once, after a turn of the event loop if one is due. */
export function done<T>(result: T): Promise<T> {
  return yieldIsDue() ? afterYield(result) : Promise.resolve(result);
}
