// The lock word of an internal structure, held for the copying of a record and no longer.
// After Drepper, "Futexes Are Tricky" (2011), mutex2: 0 is free, 1 is held, 2 is held and
// somebody may be asleep. Only ever taken inside a critical section (critical.ts), so its
// holder is never killed and waiting for it is short.
//
// Memory order: taking and releasing are sequentially consistent read-modify-writes of the same
// word, so what a holder wrote before releasing is seen by the next one.

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
