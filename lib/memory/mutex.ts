// The lock word of an internal structure, held for the copying of a record and no longer.
// After Drepper, "Futexes Are Tricky" (2011), mutex2: 0 is free, 1 is held, 2 is held and
// somebody may be asleep. Only ever taken inside a critical section (critical.ts), so its
// holder is never killed and waiting for it is short.
//
// One thing can throw anywhere in a critical section: a call, when the user's recursion has filled
// the stack. Then no call of ours would fit either, so a lock is released in place, by Atomics,
// which need none.
//
// Memory order: taking and releasing are sequentially consistent read-modify-writes of the same
// word, so what a holder wrote before releasing is seen by the next one.

import { uninterrupted } from "./critical.ts";

const FREE = 0, HELD = 1, CONTENDED = 2;

/** Looks at a held lock this often before sleeping: about a microsecond, the time of a copy. */
const SPINS = 100;

/** Takes the lock at words[at]. */
export function lock(words: Int32Array, at: number): void {
  if (Atomics.compareExchange(words, at, FREE, HELD) !== FREE) lockContended(words, at);
}

function lockContended(words: Int32Array, at: number): void {
  for (let i = 0; i < SPINS; i++) {
    if (
      Atomics.load(words, at) === FREE &&
      Atomics.compareExchange(words, at, FREE, HELD) === FREE
    ) return;
  }
  while (Atomics.exchange(words, at, CONTENDED) !== FREE) Atomics.wait(words, at, CONTENDED);
}

/** Releases the lock at words[at]. */
export function unlock(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, FREE) === CONTENDED) Atomics.notify(words, at, 1);
}

/** Does `work` as a critical section under the lock at words[at]. */
export function critically(words: Int32Array, at: number, work: () => void): void {
  uninterrupted(() => holding(words, at, work));
}

/** Does `work` under the lock at words[at], in a critical section. */
export function holding(words: Int32Array, at: number, work: () => void): void {
  let held = false;
  try {
    lock(words, at);
    held = true;
    work();
    unlock(words, at);
    held = false;
  } catch (error) {
    if (held && Atomics.exchange(words, at, FREE) !== FREE) Atomics.notify(words, at);
    throw error;
  }
}
