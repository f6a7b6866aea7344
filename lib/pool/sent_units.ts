// The units that were sent to a worker and have no outcome yet. Each has a slot on the worker's claim board.

import { type Board, SLOTS } from "./board.ts";
import { type Cells, NO_CELLS } from "./cells.ts";
import type { Unit } from "./unit.ts";
import { UnitSlots } from "./unit_slots.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, each, Float64Array, Int32Array, performance } = primordials;

/** An item that runs, and for how long it has run, in ms. */
export interface RunningItem {
  unit: Unit;
  item: number;
  ms: number;
}

/** The units in a worker's hands. */
export class SentUnits {
  readonly board: Board;
  /** The units by slot, in the order of sending. */
  readonly units: UnitSlots<Unit> = new UnitSlots<Unit>(true);
  /** By slot: when the unit was sent, or the last of its items had an outcome, by performance.now(). */
  readonly sentAt: Float64Array = new Float64Array(SLOTS);
  /** By slot: the place of the unit's cells. */
  readonly #cellsAt: Int32Array = new Int32Array(SLOTS);
  readonly #cells: Cells;
  #nextSlot = 0;

  constructor(board: Board, cells: Cells) {
    this.board = board;
    this.#cells = cells;
  }

  /** The running items, and for how long each has run, in ms. */
  get running(): RunningItem[] {
    const running: RunningItem[] = [];
    for (const { 0: slot, 1: unit } of each(this.units.entries)) {
      const { claim, item } = this.board.look(slot);
      if (claim !== "claimed") continue;
      ArrayPrototypePush(running, { unit, item, ms: this.board.running(slot) });
    }
    return running;
  }

  /** A slot that no unit has. There is one: a worker has at most SLOTS - 1 units, and is between two steps of one. */
  freeSlot(): number {
    while (this.units.has(this.#nextSlot) || !this.board.isFree(this.#nextSlot)) {
      this.#nextSlot = (this.#nextSlot + 1) % SLOTS;
    }
    const slot = this.#nextSlot;
    this.#nextSlot = (slot + 1) % SLOTS;
    return slot;
  }

  /** A unit was sent. */
  add(slot: number, unit: Unit, cells: number, now: number = performance.now()): void {
    this.units.set(slot, unit, now);
    this.#cellsAt[slot] = cells;
    this.sentAt[slot] = now;
  }

  /** The place of a unit's cells; NO_CELLS if it has none. */
  cellsOf(slot: number): number {
    return this.#cellsAt[slot];
  }

  /** The number of items whose results lie in cells, from the first one on that has no outcome yet. */
  countInCells(slot: number, unit: Unit): number {
    const at = this.#cellsAt[slot];
    if (at === NO_CELLS) return 0;
    const over = this.board.over(slot, unit.items.length);
    return this.#cells.count(at + unit.settled, over - unit.settled);
  }

  /** The worker is done with a unit, or never began it. */
  delete(slot: number): void {
    this.units.delete(slot);
    this.#cells.give(this.#cellsAt[slot]);
  }

  /** The slot of a unit; undefined if the worker doesn't have it. */
  slotOf(unit: Unit): number | undefined {
    return this.units.slotOf(unit);
  }

  /** Takes back a unit that has not begun; false if it has. */
  revoke(unit: Unit): boolean {
    const slot = this.slotOf(unit);
    if (slot === undefined || !this.board.revoke(slot)) return false;
    this.delete(slot);
    return true;
  }
}
