// The mutex of an internal structure, held for the copying of a record and no longer. After Drepper, "Futexes
// Are Tricky" (2011), mutex2: 0 is free, 1 is held, 2 is held and somebody may be asleep. It is only taken
// inside a critical section (critical_section.ts), so its holder is never killed and waiting for it is short.
//
// Some workers can end anywhere even so: one with a memory limit, which V8 interrupts where its heap is
// full; one that ends with the worker it runs in; one that this library did not start. Such a process
// writes a mark of its own for each time it holds a lock into the bits above. A waiter that has seen the same
// mark for three seconds takes the lock: no live holder needs a hundredth of that, and no other
// waiter can have taken it meanwhile, because the mark would be another. A lock that is held without a
// mark for so long that it can't be true was written by hostile code.
//
// The next holder finds what the dead one has written so far, up to any of its stores. So each structure
// orders its stores such that this is right: a change becomes true by one store, and what belongs to it
// lies ready then (shm/mpmc_ring.ts, shared_table.ts); or that one store says what is to be done, and the
// next holder does the rest, as from the log of a transaction (sync/semaphore_state.ts,
// sync/barrier_state.ts, sync/condition_queue.ts). tests/explore ends processes before each store.
//
// The seconds are counted in slices of waiting, so that a time in which the whole program was stopped, by
// a signal or a debugger, counts as one slice.
//
// Memory order: taking and releasing are sequentially consistent read-modify-writes of the same
// word, so what a holder wrote before releasing is seen by the next one.

import { isMainThread } from "node:worker_threads";
import { withoutKill } from "./critical_section.ts";
import { corrupted } from "../validate/corruption.ts";
import { PerIsolate } from "./per_isolate.ts";
import { isExposed, isSpoiled, markSpoiled, suspect } from "./tainted_memory.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, crypto, Int32Array, Math, performance } = primordials;

const FREE = 0, HELD = 1, CONTENDED = 2;
/** What is above the two lowest bits: who has made the mark, and how many he has. */
const MARK = ~3, MARKER = ~0xffff, ONE_MARKER = 0x10000, ONE_MARK = 4, NO_MARK = 0;

/** Looks at a held lock this often before sleeping: about a microsecond, the time of a copy. */
const SPINS = 100;
/** In ms. */
const SLICE_MS = 50;
/** So many slices with the same mark: its holder has ended. Without one: nobody holds it. */
const ENDED = 60, NEVER_TRUE = 200;
/** Where hostile code can write, nobody waits longer, and gets an error then; after three seconds it is as above. In ms: a hundred times as long as any honest holder takes. */
const EXPOSED = 150;
/** The same once that was too long. */
const EXPOSED_AGAIN = 5;
/** Attempts that find the lock held, then free, then held: more than others can make necessary. */
const MAX_ATTEMPTS = 10_000_000;

const perIsolate = new PerIsolate<boolean>("ends-anywhere");

let mayEnd = perIsolate.getOr(() => !isMainThread);
let mark = mayEnd ? firstMark() : NO_MARK;

/** Whether this process can end in the middle of a critical section. */
export function mayEndAnywhere(): boolean {
  return mayEnd;
}

/** Called once, first of all, in a process that knows. */
export function setMayEndAnywhere(may: boolean): void {
  mayEnd = perIsolate.set(may);
  mark = may ? firstMark() : NO_MARK;
}

function firstMark(): number {
  const marker = crypto.getRandomValues(new Int32Array(1))[0] & MARKER;
  return marker === 0 ? ONE_MARKER : marker;
}

/** The mark of the next time this process holds a lock. */
function nextMark(): number {
  return mark = mark & MARKER | (mark + ONE_MARK) & ~MARKER;
}

/** The lock word of an internal structure, as one isolate sees it. */
export class Mutex {
  readonly #words: Int32Array;
  readonly #at: number;

  /** @param at which of the words is the lock */
  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** Takes the lock; in a critical section. */
  lock(): void {
    const words = this.#words, at = this.#at;
    const held = mayEnd ? nextMark() | HELD : HELD;
    if (Atomics.compareExchange(words, at, FREE, held) !== FREE) this.#lockContended(held);
  }

  #lockContended(held: number): void {
    const words = this.#words, at = this.#at;
    for (let i = 0; i < SPINS; i++) {
      if (
        Atomics.load(words, at) === FREE &&
        Atomics.compareExchange(words, at, FREE, held) === FREE
      ) return;
    }
    // Whoever gets it from here on leaves others asleep, perhaps.
    const mine = held & MARK | CONTENDED;
    let unchanged = FREE, slices = 0, allSlices = 0;
    const began = isExposed(words.buffer) ? performance.now() : Infinity;
    const patience = isSpoiled(words.buffer) ? EXPOSED_AGAIN : EXPOSED;
    for (let attempts = 0;; attempts++) {
      // Hostile code can write a new mark again and again, as no honest process does.
      if (
        performance.now() - began > patience || allSlices > 2 * NEVER_TRUE ||
        attempts > MAX_ATTEMPTS
      ) {
        // An honest process that has ended holds it with one mark for ever, and then it is taken from that.
        const found = Atomics.load(words, at), marked = found & MARK;
        if (
          marked !== NO_MARK && isExposed(words.buffer) &&
          suspect(words.buffer, at, marked) > ENDED * SLICE_MS &&
          Atomics.compareExchange(words, at, found, mine) === found
        ) return;
        markSpoiled(words.buffer);
        throw corrupted("object");
      }
      const seen = Atomics.load(words, at);
      if (seen === FREE) {
        if (Atomics.compareExchange(words, at, FREE, mine) === FREE) return;
        continue;
      }
      const contended = seen & MARK | CONTENDED;
      if (seen !== contended && Atomics.compareExchange(words, at, seen, contended) !== seen) {
        continue;
      }
      allSlices++;
      const isUnchanged =
        Atomics.wait(words, at, contended, Math.min(SLICE_MS, patience)) === "timed-out" &&
        contended === unchanged;
      slices = isUnchanged ? slices + 1 : 0;
      unchanged = contended;
      const most = (contended & MARK) === NO_MARK ? NEVER_TRUE : ENDED;
      if (
        slices >= most && Atomics.compareExchange(words, at, contended, mine) === contended
      ) return;
    }
  }

  /** Releases the lock. */
  unlock(): void {
    if (mayEnd) return this.#unlockMarked();
    const words = this.#words, at = this.#at;
    if ((Atomics.exchange(words, at, FREE) & CONTENDED) !== 0) Atomics.notify(words, at, 1);
  }

  /** It may have been taken from this process. */
  #unlockMarked(): void {
    const words = this.#words, at = this.#at;
    for (;;) {
      const held = Atomics.load(words, at);
      if (((held ^ mark) & MARKER) !== 0) return;
      if (Atomics.compareExchange(words, at, held, FREE) !== held) continue;
      if ((held & CONTENDED) !== 0) Atomics.notify(words, at, 1);
      return;
    }
  }

  /** Does `work` as a critical section, under the lock. */
  withLockNoKill(work: () => void): void {
    withoutKill(() => this.withLock(work));
  }

  /** Does `work` under the lock, in a critical section. */
  withLock(work: () => void): void {
    let held = false;
    const words = this.#words, at = this.#at;
    try {
      this.lock();
      held = true;
      work();
      this.unlock();
      held = false;
    } catch (error) {
      // Not unlock(): V8 may have to compile a function at its first call, and the stack can be too full for that.
      if (held && Atomics.exchange(words, at, FREE) !== FREE) Atomics.notify(words, at);
      throw error;
    }
  }
}
