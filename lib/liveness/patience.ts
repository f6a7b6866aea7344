// How long this isolate waits for lock words that hostile code can write to. A call can wait for several, one after
// another, and hostile code can let go of each in the last moment; so the waits together are bounded: they share a
// time that refills as fast as other time passes. Honest holders keep a lock word for microseconds.

import * as primordials from "../platform/primordials.ts";

const { Math, performance } = primordials;

/** The longest wait: a hundred times as long as any honest holder takes. In ms. */
const MOST_MS = 100;
/** The longest wait after such waits have used up the time: a holder that isn't hostile needs no more. */
const LEAST_MS = 10;

let left = MOST_MS, since = 0;

/** How long a wait that begins now may take, in ms. */
export function patience(): number {
  const now = performance.now();
  left = Math.min(MOST_MS, left + now - since);
  since = now;
  return Math.max(LEAST_MS, left);
}

/** Called at the end of a wait that began when patience() was called last. */
export function spendPatience(): void {
  const now = performance.now();
  left = Math.max(0, left - (now - since));
  since = now;
}
