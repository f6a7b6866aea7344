// The mutex of an internal structure, held for the copying of a record and no longer (Drepper, "Futexes Are
// Tricky", 2011, mutex2): 0 is free, 1 is held, 2 is held and waiters may be asleep. The mutex is only taken
// inside a critical section (critical_section.ts), so its holder is never killed, and waiting for it is short.
//
// Some processes can end anywhere even so: a process with a memory limit, which V8 interrupts where its heap is
// full; a process that ends with the worker it runs in; a worker that this library did not start. Such a process
// writes a mark into the higher bits of the lock word, another one each time it takes a lock. A waiter that has
// seen the same mark for three seconds takes the lock: no live holder needs a hundredth of that, and no other
// waiter can have taken the lock meanwhile, because the mark would have changed. A lock that is held without a
// mark for longer than any honest process holds it was written by hostile code. A waiter needs no three seconds where
// the process table says that no live process has that mark.
//
// The next holder finds the stores of the dead holder, up to any of them. So each structure orders its stores
// such that their result is consistent: a change becomes true by one store, and the words that belong to it were
// written before (shm/mpmc_ring.ts, shared_table.ts); or that one store says what is to be done, and the
// next holder completes the change, as from a write-ahead log (sync/semaphore_state.ts,
// sync/barrier_state.ts, sync/condition_queue.ts). tests/explore ends processes before each store.
//
// The seconds are counted in slices of waiting, so that a time in which the whole program was stopped, by
// a signal or a debugger, counts as one slice.
//
// Memory order: taking and releasing are sequentially consistent read-modify-writes of the same
// word, so the next holder sees whatever a holder wrote before it released.

import { isMainThread } from "node:worker_threads";
import { withoutKill } from "./critical_section.ts";
import { heldTooLong } from "../validate/corruption.ts";
import { PerIsolate } from "./per_isolate.ts";
import { patience, spendPatience } from "./patience.ts";
import { isOfEntry, markerOf, type Ref } from "./process_table.ts";
import { isExposed, isSpoiled, markSpoiled, suspect } from "./tainted_memory.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, crypto, Int32Array, Math, performance } = primordials;

const FREE = 0, HELD = 1, CONTENDED = 2;
/** The mark, above the two lowest bits: the marker of the process, or a random one that is positive, and a counter. */
const MARK = ~3, MARKER = ~0xffff, ONE_MARKER = 0x10000, ONE_MARK = 4, NO_MARK = 0;
const MOST_MARKER = 0x7fff0000;

/** A waiter reads a held lock this often before it sleeps: about a microsecond, the time of a copy. */
const SPINS = 100;
/** The length of one sleep of a waiter. */
const SLICE_MS = 50;
/** After this many slices with the same mark, the holder has ended; after this many without one, there is no holder. */
const ENDED_SLICES = 60, NEVER_TRUE_SLICES = 200;
/** The longest wait for a lock in memory where such a wait has failed because hostile code can write there. */
const SPOILED_TIMEOUT_MS = 5;
/** Attempts that find the lock held, then free, then held: more than honest processes can make necessary. */
const MAX_ATTEMPTS = 10_000_000;

const perIsolate = new PerIsolate<boolean>("ends-anywhere");

let mayEnd = perIsolate.getOr(() => !isMainThread);
let mark = mayEnd ? firstMark() : NO_MARK;

/** Whether this process can end in the middle of a critical section. */
export function mayEndAnywhere(): boolean {
  return mayEnd;
}

/** Called once, first of all, in a process that knows whether it can, with its entry in the process table. */
export function setMayEndAnywhere(may: boolean, self?: Ref): void {
  mayEnd = perIsolate.set(may);
  mark = !may ? NO_MARK : self === undefined ? firstMark() : markerOf(self);
}

function firstMark(): number {
  const marker = crypto.getRandomValues(new Int32Array(1))[0] & MARKER & MOST_MARKER;
  return marker === 0 ? ONE_MARKER : marker;
}

/** Whether a live process has a marker. */
let isMarkerAlive: (marker: number) => boolean = () => true;

/** Called once, with what looks into the process tables that this isolate is in. */
export function useHolders(isAlive: (marker: number) => boolean): void {
  isMarkerAlive = isAlive;
}

/** The mark of the last holder from which this process has taken a lock, because the holder had ended. */
let ended = NO_MARK;
/** So many locks, at most, that holder has taken after that lock, in the same critical section. */
const MOST_LOCKS = 8;

/** Whether a lock is held by that holder, too, which took it while it held the other: nobody need wait for it. */
function isOfEnded(held: number): boolean {
  if (ended === NO_MARK || ((held ^ ended) & MARKER) !== 0) return false;
  // A later process can have the same marker.
  if (isOfEntry(held) && isMarkerAlive(held & MARKER)) return false;
  const later = (held & MARK & ~MARKER) - (ended & ~MARKER);
  return later > 0 && later <= MOST_LOCKS * ONE_MARK;
}

/** Whether the process that wrote a mark is certain to have ended. */
function isOfNobody(mark: number): boolean {
  return isOfEntry(mark) && !isMarkerAlive(mark & MARKER);
}

/** The lock that this process holds while it waits for another: see holdingOuter(). */
let outer: Mutex | undefined;

/**
 * Does `work`, which takes another lock, under a lock that this process has. While `work` waits, because the holder
 * of the other lock has ended, the mark of this one changes: else others would take this process for ended, too.
 */
export function holdingOuter(held: Mutex, work: () => void): void {
  outer = held;
  try {
    work();
  } finally {
    outer = undefined;
  }
}

/** The mark for the next lock that this process takes. */
function nextMark(): number {
  return mark = mark & MARKER | (mark + ONE_MARK) & ~MARKER;
}

/** The lock word of an internal structure, as one isolate sees it. */
export class Mutex {
  readonly #words: Int32Array;
  readonly #at: number;

  /** @param at the index of the lock word */
  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** Takes the lock; called in a critical section. */
  lock(): void {
    const words = this.#words, at = this.#at;
    const held = mayEnd ? nextMark() | HELD : HELD;
    if (Atomics.compareExchange(words, at, FREE, held) !== FREE) this.#lockContended(held);
  }

  #lockContended(held: number): void {
    const { buffer } = this.#words;
    if (!isExposed(buffer)) return this.#waitFor(held, Infinity);
    const timeout = patience();
    try {
      this.#waitFor(held, isSpoiled(buffer) ? SPOILED_TIMEOUT_MS : timeout);
    } finally {
      spendPatience();
    }
  }

  /**
   * Takes the lock when it is free.
   *
   * @param timeout where hostile code can write the longest wait, in ms: then the caller gets an error, and a mark that
   *   stays for three seconds is treated as above
   */
  #waitFor(held: number, timeout: number): void {
    const words = this.#words, at = this.#at;
    for (let i = 0; i < SPINS; i++) {
      if (
        Atomics.load(words, at) === FREE &&
        Atomics.compareExchange(words, at, FREE, held) === FREE
      ) return;
    }
    // A waiter that takes the lock from here on marks it as contended, because other waiters may be asleep.
    const mine = held & MARK | CONTENDED;
    let unchanged = FREE, slices = 0, allSlices = 0;
    const began = timeout === Infinity ? 0 : performance.now();
    for (let attempts = 0;; attempts++) {
      // Hostile code can write new marks again and again; honest processes don't.
      if (
        timeout !== Infinity && performance.now() - began > timeout ||
        allSlices > 2 * NEVER_TRUE_SLICES ||
        attempts > MAX_ATTEMPTS
      ) {
        // An honest process that has ended holds the lock with one mark for ever: then this waiter takes the lock.
        const found = Atomics.load(words, at), marked = found & MARK;
        if (
          marked !== NO_MARK && isExposed(words.buffer) &&
          (isOfNobody(marked) || suspect(words.buffer, at, marked) > ENDED_SLICES * SLICE_MS) &&
          Atomics.compareExchange(words, at, found, mine) === found
        ) {
          ended = marked;
          return;
        }
        markSpoiled(words.buffer);
        throw heldTooLong();
      }
      const seen = Atomics.load(words, at);
      if (seen === FREE) {
        if (Atomics.compareExchange(words, at, FREE, mine) === FREE) return;
        continue;
      }
      if (isOfEnded(seen)) {
        if (Atomics.compareExchange(words, at, seen, mine) === seen) return;
        continue;
      }
      const contended = seen & MARK | CONTENDED;
      if (seen !== contended && Atomics.compareExchange(words, at, seen, contended) !== seen) {
        continue;
      }
      allSlices++;
      const isUnchanged =
        Atomics.wait(words, at, contended, Math.min(SLICE_MS, timeout)) === "timed-out" &&
        contended === unchanged;
      slices = isUnchanged ? slices + 1 : 0;
      if (outer !== undefined) outer.#markAnew();
      unchanged = contended;
      // Asked after each slice: a process that may be hostile has the answer of its host only then.
      const most = isOfNobody(contended & MARK)
        ? 1
        : (contended & MARK) === NO_MARK
        ? NEVER_TRUE_SLICES
        : ENDED_SLICES;
      if (
        slices >= most && Atomics.compareExchange(words, at, contended, mine) === contended
      ) {
        ended = contended & MARK;
        return;
      }
    }
  }

  /** Changes the mark of this lock, which this process has. */
  #markAnew(): void {
    if (!mayEnd) return;
    const words = this.#words, at = this.#at, held = Atomics.load(words, at);
    // The bits that say how it is held stay, and others may set them meanwhile: then the next slice does it.
    if (((held ^ mark) & MARKER) !== 0) return;
    Atomics.compareExchange(words, at, held, nextMark() | held & ~MARK);
  }

  /** Releases the lock. */
  unlock(): void {
    if (mayEnd) return this.#unlockMarked();
    const words = this.#words, at = this.#at;
    if ((Atomics.exchange(words, at, FREE) & CONTENDED) !== 0) Atomics.notify(words, at, 1);
  }

  /** Releases the lock, unless another process has taken it from this one. */
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
      // Not by unlock(): V8 compiles a function when it is first called, and the stack can be too full for that.
      if (held && Atomics.exchange(words, at, FREE) !== FREE) Atomics.notify(words, at);
      throw error;
    }
  }
}
