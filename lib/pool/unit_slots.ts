// The units in a worker's hands, by the slots of its claim board, in the order of sending. The order is a linked list in
// typed arrays: a Map whose entries come and go all the time leaves dead tables that keep dead units in memory until
// the next full collection.

import { SLOTS } from "./board.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, performance, TypedArrayPrototypeFill, Uint8Array } = primordials;

/** The end of the list, and the slot behind the last one. */
const END = SLOTS;

/** Units by slot. */
export class UnitSlots<T> {
  readonly #units: (T | undefined)[] = [];
  readonly #next = new Uint8Array(SLOTS + 1);
  readonly #previous = new Uint8Array(SLOTS + 1);
  readonly #isTimed: boolean;
  #size = 0;
  /** When the first of the units came, and the time in which there were any before that, in ms. */
  #since = 0;
  #busyMs = 0;

  /** @param isTimed whether busyMs is measured */
  constructor(isTimed = false) {
    this.#isTimed = isTimed;
    for (let slot = 0; slot < SLOTS; slot++) ArrayPrototypePush(this.#units, undefined);
    this.clear();
  }

  /** The number of units. */
  get size(): number {
    return this.#size;
  }

  /** The time in which there were any units, in ms. */
  get busyMs(): number {
    return this.#busyMs + (this.#size > 0 ? this.#now() - this.#since : 0);
  }

  #now(): number {
    return this.#isTimed ? performance.now() : 0;
  }

  /** The unit in a slot. */
  get(slot: number): T | undefined {
    return this.#units[slot];
  }

  has(slot: number): boolean {
    return this.#units[slot] !== undefined;
  }

  /** Puts a unit into a slot, at that time: behind all others, or in the place of the one that is there. */
  set(slot: number, unit: T, now: number = this.#now()): void {
    if (this.#units[slot] === undefined) {
      if (this.#size === 0) this.#since = now;
      const last = this.#previous[END];
      this.#next[last] = this.#previous[END] = slot;
      this.#next[slot] = END;
      this.#previous[slot] = last;
      this.#size++;
    }
    this.#units[slot] = unit;
  }

  /** Takes out the unit in a slot, if there is one. */
  delete(slot: number): void {
    if (this.#units[slot] === undefined) return;
    const before = this.#previous[slot], behind = this.#next[slot];
    this.#next[before] = behind;
    this.#previous[behind] = before;
    this.#units[slot] = undefined;
    if (--this.#size === 0) this.#busyMs += this.#now() - this.#since;
  }

  /** Takes out all units. */
  clear(): void {
    this.#busyMs = this.busyMs;
    for (let slot = 0; slot < SLOTS; slot++) this.#units[slot] = undefined;
    TypedArrayPrototypeFill(this.#next, END, 0, END + 1);
    TypedArrayPrototypeFill(this.#previous, END, 0, END + 1);
    this.#size = 0;
  }

  /** The slot of a unit; undefined if none has it. */
  slotOf(unit: T): number | undefined {
    for (let slot = this.#next[END]; slot !== END; slot = this.#next[slot]) {
      if (this.#units[slot] === unit) return slot;
    }
    return undefined;
  }

  /** The slots that have a unit. */
  get slots(): number[] {
    const slots: number[] = [];
    for (let slot = this.#next[END]; slot !== END; slot = this.#next[slot]) {
      ArrayPrototypePush(slots, slot);
    }
    return slots;
  }

  /** The units. */
  get values(): T[] {
    const units: T[] = [];
    for (let slot = this.#next[END]; slot !== END; slot = this.#next[slot]) {
      ArrayPrototypePush(units, this.#units[slot]!);
    }
    return units;
  }

  /** The slots, each with its unit. */
  get entries(): [slot: number, unit: T][] {
    const entries: [number, T][] = [];
    for (let slot = this.#next[END]; slot !== END; slot = this.#next[slot]) {
      ArrayPrototypePush(entries, [slot, this.#units[slot]!]);
    }
    return entries;
  }
}
