// A table in shared memory: rows of some words each, as many as are needed at the same time. The holders of
// permits, the waiters at a condition and the parties of a barrier stand in one.
//
//   LOCK   held while rows are taken or given back, and while words change together
//   USED   rows from here on are free
//
// A row whose first word is 0 is free. Everything is written under LOCK, and so in a critical section: a
// process that is killed has done a piece of work or hasn't. A process that can end anywhere
// (liveness/mutex.ts) may have done the first of its stores and not the others. The file that builds on the
// table says what makes a change true, and how the next holder of LOCK completes one that was begun.
//
// The buffer grows; a view shows what there was when it was made. So work under LOCK begins anew,
// with a new view, where others have used rows that this view doesn't show.

import { checkAttempts } from "../validate/corruption.ts";
import { Mutex } from "../liveness/mutex.ts";
import { newSharedState, type SharedState, viewOf } from "./shared_state.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, Math, RangeError, SharedArrayBufferPrototypeGrow } = primordials;

const LOCK = 0, USED = 1;
/** Words at the beginning of the shared memory that are the table's own. */
export const SLOT_TABLE_WORDS = 2;

/** Rows there is room for at first. */
const FIRST_ROWS = 16;
/** Rows there can be. */
export const MAX_ROWS: number = 1 << 16;

/** New shared memory: `first` words, SLOT_TABLE_WORDS included, and then the rows. */
export function newSlotTable(first: number, stride: number): SharedState {
  return newSharedState(first + FIRST_ROWS * stride, first + MAX_ROWS * stride);
}

/** One isolate's view of a table. */
export class SlotTable {
  readonly #first: number;
  readonly #stride: number;
  #words: Int32Array<SharedArrayBuffer>;
  readonly #lock: Mutex;
  #isFull = false;

  constructor({ words }: SharedState, first: number, stride: number) {
    this.#words = words;
    this.#lock = new Mutex(words, LOCK);
    this.#first = first;
    this.#stride = stride;
  }

  /** All words, as far as this view shows them. */
  get words(): Int32Array<SharedArrayBuffer> {
    return this.#words;
  }

  /** Rows from here on are free; those that this view doesn't show aren't counted. */
  get used(): number {
    return Math.min(Atomics.load(this.#words, USED), this.#rows);
  }

  get #rows(): number {
    return (this.#words.length - this.#first) / this.#stride;
  }

  /** Where a word of a row is, among all words: for what stands in a row and has a type of its own. */
  at(row: number, word: number): number {
    return this.#first + row * this.#stride + word;
  }

  /** A word of a row. */
  get(row: number, word: number): number {
    return Atomics.load(this.#words, this.#first + row * this.#stride + word);
  }

  /** Writes a word of a row; under LOCK. */
  set(row: number, word: number, value: number): void {
    Atomics.store(this.#words, this.#first + row * this.#stride + word, value);
  }

  /** Adds to a word of a row; under LOCK. */
  add(row: number, word: number, n: number): void {
    Atomics.add(this.#words, this.#first + row * this.#stride + word, n);
  }

  /** Has this view show all that is there. */
  renew(): void {
    if (this.#words.length < this.#words.buffer.byteLength >> 2) {
      this.#words = viewOf(this.#words.buffer);
    }
  }

  /**
   * Does `work` under LOCK. Any call can find the stack full, and the process can end anywhere: see above
   * how what belongs together is changed. If it asks for a free row and there is none, it is done once more after
   * `reclaim` has freed one, or the table has grown.
   *
   * @param reclaim frees rows that nobody needs any more; true if there were any
   * @throws {RangeError} if the table can't grow
   */
  section(work: () => void, reclaim?: () => boolean): void {
    for (let done = false, reclaimed = false, attempts = 0; !done; attempts++) {
      checkAttempts(attempts, "object");
      if (Atomics.load(this.#words, USED) > this.#rows) this.renew();
      this.#isFull = false;
      this.#lock.withLockNoKill(() => {
        if (Atomics.load(this.#words, USED) > this.#rows) return;
        work();
        done = !this.#isFull;
        if (!done && reclaim !== undefined) reclaimed = reclaim();
      });
      if (this.#isFull && !reclaimed) this.#grow();
    }
  }

  /** Under LOCK: a free row, the lowest; or -1, and then the work must change nothing. */
  free(): number {
    const words = this.#words, first = this.#first, stride = this.#stride;
    let used = Atomics.load(words, USED);
    while (used > 0 && Atomics.load(words, first + (used - 1) * stride) === 0) used--;
    Atomics.store(words, USED, used);
    for (let row = 0; row < used; row++) {
      if (Atomics.load(words, first + row * stride) === 0) return row;
    }
    if (used < this.#rows) {
      Atomics.store(words, USED, used + 1);
      return used;
    }
    this.#isFull = true;
    return -1;
  }

  #grow(): void {
    const { buffer } = this.#words;
    const seen = this.#rows;
    if (seen >= MAX_ROWS) {
      throw new RangeError(
        `There are ${MAX_ROWS} tasks and processes in it, and no room for more. ` +
          "Have some of them end or let go of it first.",
      );
    }
    const bytes = (this.#first + Math.min(2 * seen, MAX_ROWS) * this.#stride) * 4;
    try {
      if (buffer.byteLength < bytes) SharedArrayBufferPrototypeGrow(buffer, bytes);
    } catch (error) {
      // Another process may have been quicker, and have made more of it.
      if (buffer.byteLength < bytes) throw error;
    }
    this.renew();
  }
}
