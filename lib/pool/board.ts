// The claim board of one worker of a pool, in shared memory: a word for each unit of work that the pool has
// sent to the worker and that is not finished. The word says what each side may still do with the unit, and only a
// compare-and-swap changes it, so the pool and the worker always agree, whatever is killed and when:
//
//   FREE ──offer──▶ PENDING ──claim──▶ CLAIMED, item 0 ──advance──▶ CLAIMED, item 1 … ──finish──▶ FREE
//                      └──revoke──▶ REVOKED          └──────────stop──────────▶ STOPPED
//
// The pool offers, revokes and stops; the worker claims, advances and finishes. A revoked unit never began.
// A unit is stopped at one item: a worker that has gone on to the next one meanwhile is not stopped, and one
// that is stopped takes no further step. That makes cancelling exact. A pending word bears the number of the sending:
// the message of a unit that was revoked, which the worker reads later, doesn't claim the next unit in its slot.

import * as primordials from "../platform/primordials.ts";

const { Atomics, Int32Array, Math, performance, SharedArrayBuffer } = primordials;

/** The most units that a worker has at once. */
export const SLOTS = 64;
const SLOT_BITS = 6;

const FREE = 0, PENDING = 1, CLAIMED = 2, REVOKED = 3, STOPPED = 4;
/** A word holds the state in its low bits, and above them the number of the sending, then that of the item. */
const ITEM_SHIFT = 3, STATE_MASK = 7;
/** The number of the sending, in the bits that a word, and a ticket, has for it. */
const NUMBER_MASK = 2 ** 24 - 1;
/** The start of an item is kept in tenths of a millisecond, modulo 2 ** 31. */
const TICKS_PER_MS = 10;

/** A slot and the number of a sending, in a small integer. */
export function ticketOf(slot: number, number: number): number {
  return number * SLOTS + slot;
}

/** The slot of a ticket. */
export function slotOf(ticket: number): number {
  return ticket & SLOTS - 1;
}

/** The number of the sending of a ticket. */
export function numberOf(ticket: number): number {
  return ticket >>> SLOT_BITS;
}

/** The state of a slot. */
export type Claim = "free" | "pending" | "claimed" | "revoked" | "stopped";
const CLAIMS: readonly Claim[] = ["free", "pending", "claimed", "revoked", "stopped"];

/** Makes the shared memory of a board. */
export function newBoardMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * SLOTS * Int32Array.BYTES_PER_ELEMENT);
}

/** One side's view of a board. */
export class Board {
  readonly #claims: Int32Array;
  readonly #starts: Int32Array;
  readonly #epoch: number;
  #nextNumber = 0;

  /** @param epoch the time, in ms since 1970, from which starts are counted: the same on both sides */
  constructor(memory: SharedArrayBuffer, epoch: number) {
    this.#claims = new Int32Array(memory, 0, SLOTS);
    this.#starts = new Int32Array(memory, SLOTS * Int32Array.BYTES_PER_ELEMENT, SLOTS);
    this.#epoch = epoch - performance.timeOrigin;
  }

  // The pool's operations

  /** Lets the worker claim the unit that is about to be sent; returns the number of the sending. */
  offer(slot: number): number {
    const number = this.#nextNumber++ & NUMBER_MASK;
    Atomics.store(this.#claims, slot, PENDING | number << ITEM_SHIFT);
    return number;
  }

  /** Takes back a unit that has not begun; false if it has. */
  revoke(slot: number): boolean {
    const pending = Atomics.load(this.#claims, slot);
    return (pending & STATE_MASK) === PENDING &&
      Atomics.compareExchange(this.#claims, slot, pending, REVOKED) === pending;
  }

  /** The number of items of a unit of `count` that are over. */
  over(slot: number, count: number): number {
    const word = Atomics.load(this.#claims, slot), state = word & STATE_MASK;
    if (state === FREE) return count;
    return state === CLAIMED || state === STOPPED ? Math.min(word >>> ITEM_SHIFT, count) : 0;
  }

  /** Whether the unit has not begun. */
  isPending(slot: number): boolean {
    return (Atomics.load(this.#claims, slot) & STATE_MASK) === PENDING;
  }

  /** Stops the worker at the item it runs; false if the worker has gone on. After true the worker must be killed. */
  stop(slot: number, item: number): boolean {
    const claimed = CLAIMED | item << ITEM_SHIFT;
    const stopped = STOPPED | item << ITEM_SHIFT;
    return Atomics.compareExchange(this.#claims, slot, claimed, stopped) === claimed;
  }

  /** Frees the slot of a stopped unit that has ended. */
  free(slot: number): void {
    Atomics.store(this.#claims, slot, FREE);
  }

  /** Whether the worker is done with the unit that the slot had. */
  isFree(slot: number): boolean {
    const state = Atomics.load(this.#claims, slot) & STATE_MASK;
    return state === FREE || state === REVOKED;
  }

  /** The state of a unit and the number of its current item. */
  look(slot: number): { claim: Claim; item: number } {
    const word = Atomics.load(this.#claims, slot), state = word & STATE_MASK;
    return { claim: CLAIMS[state], item: state === PENDING ? 0 : word >> ITEM_SHIFT };
  }

  /** How long the current item has been running, in ms. */
  running(slot: number): number {
    return ((this.#now() - Atomics.load(this.#starts, slot)) & 0x7fffffff) / TICKS_PER_MS;
  }

  // The worker's operations

  /** Whether the unit of this sending can be claimed: it wasn't revoked by now. */
  isOffered(slot: number, number: number): boolean {
    return Atomics.load(this.#claims, slot) === (PENDING | number << ITEM_SHIFT);
  }

  /** Claims the unit of this sending before its first item runs; false if it was revoked. */
  claim(slot: number, number: number): boolean {
    const pending = PENDING | number << ITEM_SHIFT;
    if (Atomics.load(this.#claims, slot) !== pending) return false;
    Atomics.store(this.#starts, slot, this.#now());
    return Atomics.compareExchange(this.#claims, slot, pending, CLAIMED) === pending;
  }

  /**
   * Goes on from an item to the next one; false if the unit was stopped.
   *
   * @param start the time by performance.now(), if the start of the item is to be noted
   */
  advance(slot: number, item: number, start?: number): boolean {
    if (start !== undefined) Atomics.store(this.#starts, slot, this.#ticks(start));
    const from = CLAIMED | item << ITEM_SHIFT, to = CLAIMED | (item + 1) << ITEM_SHIFT;
    return Atomics.compareExchange(this.#claims, slot, from, to) === from;
  }

  /** Frees the slot after the last item; false if the unit was stopped. */
  finish(slot: number, item: number): boolean {
    const from = CLAIMED | item << ITEM_SHIFT;
    return Atomics.compareExchange(this.#claims, slot, from, FREE) === from;
  }

  #now(): number {
    return this.#ticks(performance.now());
  }

  #ticks(time: number): number {
    return Math.floor((time - this.#epoch) * TICKS_PER_MS) & 0x7fffffff;
  }
}
