// The headers of the units in a worker's hands, in shared memory: what a worker must know of a unit beside its items. A
// message that names the slot says the rest. The pool writes a header before it offers the unit on the board, and the
// worker reads it only while the board says that this very sending is on offer, or that it has claimed it; so a message
// of a unit that was taken back never meets the header of the next unit in its slot.

import { SLOTS } from "./board.ts";
import * as primordials from "../platform/primordials.ts";

const { Float64Array, SharedArrayBuffer } = primordials;

/** The numbers of a header. */
const FIELDS = 8;
const TYPE = 0, ID = 1, FUNCTION = 2, FIRST = 3, ATTEMPT = 4, FLAGS = 5, CELLS = 6;
const IS_SPREAD = 1, IS_TIMED = 2;

/** What a worker must know of a unit beside its items. */
export interface UnitHeader {
  /** RUN or STREAM. */
  readonly type: number;
  /** The number of its first item's task. */
  readonly id: number;
  /** The number of the function. */
  readonly functionId: number;
  /** Whether an item is a list of arguments. */
  readonly isSpread: boolean;
  /** The index of the first item. */
  readonly first: number;
  readonly attempt: number;
  /** Whether the start of each item is noted. */
  readonly isTimed: boolean;
  /** The place of its cells. */
  readonly cells: number;
}

/** Makes the shared memory of headers. */
export function newHeaderMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLOTS * FIELDS * Float64Array.BYTES_PER_ELEMENT);
}

/** One side's view of the headers. */
export class Headers {
  readonly #fields: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#fields = new Float64Array(memory);
  }

  /** Called by the pool before it offers the unit. */
  write(
    slot: number,
    type: number,
    id: number,
    functionId: number,
    isSpread: boolean,
    first: number,
    attempt: number,
    isTimed: boolean,
    cells: number,
  ): void {
    const fields = this.#fields, at = slot * FIELDS;
    fields[at + TYPE] = type;
    fields[at + ID] = id;
    fields[at + FUNCTION] = functionId;
    fields[at + FIRST] = first;
    fields[at + ATTEMPT] = attempt;
    fields[at + FLAGS] = (isSpread ? IS_SPREAD : 0) | (isTimed ? IS_TIMED : 0);
    fields[at + CELLS] = cells;
  }

  /** The number of the function, of a unit that may have been taken back meanwhile. */
  functionId(slot: number): number {
    return this.#fields[slot * FIELDS + FUNCTION];
  }

  /** The number of the first item's task, of a unit that may have been taken back meanwhile. */
  id(slot: number): number {
    return this.#fields[slot * FIELDS + ID];
  }

  /** Called by the worker when it has claimed the unit. */
  read(slot: number): UnitHeader {
    const fields = this.#fields, at = slot * FIELDS, flags = fields[at + FLAGS];
    return {
      type: fields[at + TYPE],
      id: fields[at + ID],
      functionId: fields[at + FUNCTION],
      isSpread: (flags & IS_SPREAD) !== 0,
      first: fields[at + FIRST],
      attempt: fields[at + ATTEMPT],
      isTimed: (flags & IS_TIMED) !== 0,
      cells: fields[at + CELLS],
    };
  }
}
