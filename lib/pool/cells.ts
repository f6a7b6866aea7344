// Cells for results in the shared memory between a pool and one of its workers. A result that is a number, a boolean,
// null or undefined is stored in the cell of its item, and no message is needed for it; any other outcome is sent as
// a message, and its cell says so. The worker writes the cell of an item before the claim board says that the item
// is over, so the pool reads what is finished whatever becomes of the worker.
//
// Each slot of the board has a cell, for units of one item. Larger units get a page of cells while they are in the
// worker's hands, if one is free.

import { SLOTS } from "./board.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypePop,
  ArrayPrototypePush,
  Atomics,
  Float64Array,
  Int32Array,
  SharedArrayBuffer,
  TypedArrayPrototypeFill,
  Uint8Array,
} = primordials;

/** The number of pages, and of cells in a page. */
const PAGES = 8, PAGE_CELLS = 8192;
const CELLS = SLOTS + PAGES * PAGE_CELLS;
/** The bytes of the numbers; the word TOLD and the kinds come behind them. */
const NUMBER_BYTES = CELLS * Float64Array.BYTES_PER_ELEMENT;
const TOLD_BYTES = 8;

/** The kinds of cells. A cell that was not written is EMPTY. */
const EMPTY = 0, NUMBER = 1, UNDEFINED = 2, NULL = 3, TRUE = 4, FALSE = 5, MESSAGE = 6;

/** The answer of read() for an outcome that isn't in its cell. */
export const NO_RESULT: unique symbol = Symbol("no result");
/** The place of a unit that has no cells. */
export const NO_CELLS = -1;

/** Makes the shared memory of cells. It takes real memory only as far as it is used. */
export function newCellMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(NUMBER_BYTES + TOLD_BYTES + CELLS);
}

/** One side's view of the cells. */
export class Cells {
  readonly #numbers: Float64Array;
  readonly #told: Int32Array;
  readonly #kinds: Uint8Array;
  /** The first cells of the pages that no unit has; used by the pool. */
  readonly #free: number[] = [];

  constructor(memory: SharedArrayBuffer) {
    this.#numbers = new Float64Array(memory, 0, CELLS);
    this.#told = new Int32Array(memory, NUMBER_BYTES, 1);
    this.#kinds = new Uint8Array(memory, NUMBER_BYTES + TOLD_BYTES, CELLS);
    for (let page = PAGES - 1; page >= 0; page--) {
      ArrayPrototypePush(this.#free, SLOTS + page * PAGE_CELLS);
    }
  }

  // The pool's operations

  /** Makes cells ready for a unit of so many items in this slot; answers the place of the first, or NO_CELLS. */
  take(slot: number, count: number): number {
    if (count === 1) {
      this.#kinds[slot] = EMPTY;
      return slot;
    }
    if (count > PAGE_CELLS) return NO_CELLS;
    const at = ArrayPrototypePop(this.#free);
    if (at === undefined) return NO_CELLS;
    TypedArrayPrototypeFill(this.#kinds, EMPTY, at, at + count);
    return at;
  }

  /** The worker is done with the cells of a unit. */
  give(at: number): void {
    if (at >= SLOTS) ArrayPrototypePush(this.#free, at);
  }

  /** The result in a cell; NO_RESULT if there is none. Whether the item is over, the board says. */
  read(at: number): unknown {
    switch (this.#kinds[at]) {
      case NUMBER:
        return this.#numbers[at];
      case UNDEFINED:
        return undefined;
      case NULL:
        return null;
      case TRUE:
        return true;
      case FALSE:
        return false;
      default:
        return NO_RESULT;
    }
  }

  /** The number of cells from `at` on, at most so many, that have a result. */
  count(at: number, most: number): number {
    const kinds = this.#kinds, end = at + most;
    let next = at;
    while (next < end && kinds[next] !== EMPTY && kinds[next] !== MESSAGE) next++;
    return next - at;
  }

  /** Called before the pool looks at the board: what is finished from now on is told anew. */
  heard(): void {
    Atomics.store(this.#told, 0, 0);
  }

  // The worker's operations

  /** Stores a result; false if it must be sent as a message. */
  write(at: number, value: unknown): boolean {
    const kind = kindOf(value);
    if (kind === NUMBER) this.#numbers[at] = value as number;
    this.#kinds[at] = kind;
    return kind !== MESSAGE;
  }

  /** The outcome of an item is sent as a message. */
  skip(at: number): void {
    this.#kinds[at] = MESSAGE;
  }

  /** Called when the board says that an item is over; true if the pool must be told that there is something. */
  mustTell(): boolean {
    return Atomics.load(this.#told, 0) === 0 && Atomics.exchange(this.#told, 0, 1) === 0;
  }
}

function kindOf(value: unknown): number {
  switch (typeof value) {
    case "number":
      return NUMBER;
    case "undefined":
      return UNDEFINED;
    case "boolean":
      return value ? TRUE : FALSE;
    default:
      return value === null ? NULL : MESSAGE;
  }
}
