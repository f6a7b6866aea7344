// A table in shared memory: rows of some words each, as many as are needed at the same time. The holders of
// permits of a semaphore, the waiters at a condition and the parties of a barrier are rows of such tables.
//
//   LOCK   held while rows are taken or given back, and while words change together
//   USED   the rows from this number on are free
//
// A row whose first word is 0 is free. All words are written under LOCK, and so in a critical section: a
// process that is killed has done the whole of a change or none of it. A process that can end anywhere
// (liveness/mutex.ts) may have done the first stores of a change and not the others. The file that builds on the
// table says which store makes a change true, and how the next holder of LOCK completes a change that was begun.
//
// The buffer grows, and a view shows the rows that there were when the view was made. So work under LOCK begins
// anew, with a new view, where other processes have used rows that this view doesn't show.

import { checkAttempts } from "../validate/corruption.ts";
import { holdingOuter, Mutex } from "../liveness/mutex.ts";
import { newSharedState, type SharedState, viewOf } from "./shared_state.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, Math, RangeError, SharedArrayBufferPrototypeGrow } = primordials;

const LOCK = 0, USED = 1;
/** The number of words at the beginning of the shared memory that belong to the table itself. */
export const SLOT_TABLE_WORDS = 2;

/** The number of rows that a new table has room for. */
const FIRST_ROWS = 16;
/** The largest number of rows. */
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
  readonly #isOuter: boolean;

  /** @param isOuter whether other locks are taken under LOCK */
  constructor(
    { words }: Pick<SharedState, "words">,
    first: number,
    stride: number,
    isOuter = false,
  ) {
    this.#isOuter = isOuter;
    this.#words = words;
    this.#lock = new Mutex(words, LOCK);
    this.#first = first;
    this.#stride = stride;
  }

  /** All words, as far as this view shows them. */
  get words(): Int32Array<SharedArrayBuffer> {
    return this.#words;
  }

  /** The rows from this number on are free. Rows that this view doesn't show aren't counted. */
  get used(): number {
    return Math.min(Atomics.load(this.#words, USED), this.#rows);
  }

  get #rows(): number {
    return (this.#words.length - this.#first) / this.#stride;
  }

  /** The index of a word of a row among all words: for a structure inside a row that has a class of its own. */
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

  /** Makes this view show all rows that there are now. */
  renew(): void {
    if (this.#words.length < this.#words.buffer.byteLength >> 2) {
      this.#words = viewOf(this.#words.buffer);
    }
  }

  /**
   * Does `work` under LOCK. Any call in it can find the stack full, and the process can end anywhere: see above
   * how words are changed that belong together. Where `work` asks for a free row and there is none, `work` is
   * done once more after `reclaim` has freed rows, or the table has grown.
   *
   * @param reclaim frees rows that are no longer needed; true if there were any
   * @throws {RangeError} if the table can't grow
   */
  section(work: () => void, reclaim?: () => boolean): void {
    for (let done = false, reclaimed = false, attempts = 0; !done; attempts++) {
      checkAttempts(attempts, "object");
      if (Atomics.load(this.#words, USED) > this.#rows) this.renew();
      this.#isFull = false;
      this.#lock.withLockNoKill(() => {
        if (Atomics.load(this.#words, USED) > this.#rows) return;
        if (this.#isOuter) holdingOuter(this.#lock, work);
        else work();
        done = !this.#isFull;
        if (!done && reclaim !== undefined) reclaimed = reclaim();
      });
      if (this.#isFull && !reclaimed) this.#grow();
    }
  }

  /** Under LOCK: the lowest free row; or -1, and then the work must change nothing. */
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

  /** Under LOCK: a row that was never used; or -1, and then the work must change nothing. */
  append(): number {
    const used = Atomics.load(this.#words, USED);
    if (used < this.#rows) {
      Atomics.store(this.#words, USED, used + 1);
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
      // Another process may have grown the buffer first, and further.
      if (buffer.byteLength < bytes) throw error;
    }
    this.renew();
  }
}
