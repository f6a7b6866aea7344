// The lock word of an internal structure, held for the copying of a record and no longer.
// After Drepper, "Futexes Are Tricky" (2011), mutex2: 0 is free, 1 is held, 2 is held and
// somebody may be asleep. Only ever taken inside a critical section (critical.ts), so its
// holder is never killed and waiting for it is short.
//
// One thing can throw anywhere in a critical section: a call, when the user's recursion has filled
// the stack. Then no call of ours would fit either, so a lock is released in place, by Atomics,
// which need none.
//
// One kind of process can even end anywhere: one with a memory limit, which V8 interrupts where its
// heap is full. Such a process writes a mark of its own for each time it holds a lock into the bits
// above. Who has seen the same mark for two seconds takes the lock from it: no live holder needs a
// thousandth of that, and no other waiter can have taken it meanwhile, because the mark would be
// another. What the dead one was in the middle of is nothing, as after an error: what makes a step
// true is one store.
//
// Memory order: taking and releasing are sequentially consistent read-modify-writes of the same
// word, so what a holder wrote before releasing is seen by the next one.

import { uninterrupted } from "./critical.ts";

const FREE = 0, HELD = 1, CONTENDED = 2;
/** What is above the two lowest bits. */
const MARK = ~3, NO_MARK = 0, ONE_MARK = 4;

/** Looks at a held lock this often before sleeping: about a microsecond, the time of a copy. */
const SPINS = 100;
/** In ms: who holds a lock so long with the same mark has ended. */
const ENDED = 2000;

let mayEndAnywhere = false;
let mark = NO_MARK;

/** Called in a process that can end in the middle of a critical section. */
export function markHeldLocks(): void {
  mayEndAnywhere = true;
  mark = crypto.getRandomValues(new Int32Array(1))[0] & MARK;
}

/** The mark of the next time this process holds a lock. */
function nextMark(): number {
  if (!mayEndAnywhere) return NO_MARK;
  mark = (mark + ONE_MARK) | 0;
  if (mark === NO_MARK) mark = ONE_MARK;
  return mark;
}

/** Takes the lock at words[at]. */
export function lock(words: Int32Array, at: number): void {
  const held = mayEndAnywhere ? nextMark() | HELD : HELD;
  if (Atomics.compareExchange(words, at, FREE, held) !== FREE) lockContended(words, at, held);
}

function lockContended(words: Int32Array, at: number, held: number): void {
  for (let i = 0; i < SPINS; i++) {
    if (
      Atomics.load(words, at) === FREE &&
      Atomics.compareExchange(words, at, FREE, held) === FREE
    ) return;
  }
  // Whoever gets it from here on leaves others asleep, perhaps.
  const mine = held & MARK | CONTENDED;
  for (;;) {
    const seen = Atomics.load(words, at);
    if (seen === FREE) {
      if (Atomics.compareExchange(words, at, FREE, mine) === FREE) return;
      continue;
    }
    const theirs = seen & MARK, contended = theirs | CONTENDED;
    if (seen !== contended && Atomics.compareExchange(words, at, seen, contended) !== seen) {
      continue;
    }
    if (theirs === NO_MARK) Atomics.wait(words, at, contended);
    else if (
      Atomics.wait(words, at, contended, ENDED) === "timed-out" &&
      Atomics.compareExchange(words, at, contended, mine) === contended
    ) return;
  }
}

/** Releases the lock at words[at]. */
export function unlock(words: Int32Array, at: number): void {
  if ((Atomics.exchange(words, at, FREE) & CONTENDED) !== 0) Atomics.notify(words, at, 1);
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
