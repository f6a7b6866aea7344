// The units that were sent to a worker and have no outcome yet. Each has a slot on the worker's claim board.

import { type Board, SLOTS } from "./board.ts";
import type { Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, Float64Array, performance, SafeMap } = primordials;

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
  readonly units: Map<number, Unit> = new SafeMap<number, Unit>();
  /** By slot: when the unit was sent, or the last of its items had an outcome, by performance.now(). */
  readonly sentAt: Float64Array = new Float64Array(SLOTS);
  #nextSlot = 0;

  constructor(board: Board) {
    this.board = board;
  }

  /** The running items, and for how long each has run, in ms. */
  get running(): RunningItem[] {
    const running: RunningItem[] = [];
    for (const { 0: slot, 1: unit } of this.units) {
      const { claim, item } = this.board.look(slot);
      if (claim !== "claimed") continue;
      ArrayPrototypePush(running, { unit, item, ms: this.board.running(slot) });
    }
    return running;
  }

  /** A slot that no unit has. */
  freeSlot(): number {
    while (this.units.has(this.#nextSlot)) this.#nextSlot = (this.#nextSlot + 1) % SLOTS;
    const slot = this.#nextSlot;
    this.#nextSlot = (slot + 1) % SLOTS;
    return slot;
  }

  /** A unit was sent. */
  add(slot: number, unit: Unit): void {
    this.units.set(slot, unit);
    this.sentAt[slot] = performance.now();
  }

  /** The slot of a unit; undefined if the worker doesn't have it. */
  slotOf(unit: Unit): number | undefined {
    for (const { 0: slot, 1: other } of this.units) if (other === unit) return slot;
    return undefined;
  }

  /** Takes back a unit that has not begun; false if it has. */
  revoke(unit: Unit): boolean {
    const slot = this.slotOf(unit);
    if (slot === undefined || !this.board.revoke(slot)) return false;
    this.units.delete(slot);
    return true;
  }
}
