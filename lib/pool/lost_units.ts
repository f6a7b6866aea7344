// What becomes of the units of a worker that has ended.

import type { Board, Claim } from "./board.ts";
import { type Ending, failureOf } from "./ending.ts";
import type { SentUnits } from "./sent_units.ts";
import type { Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, each, performance } = primordials;

/** A unit counts as the cause when so many workers have ended while it was the next, and none of theirs had begun. */
const MAX_LOSSES = 3;

/** The worker that has ended. */
export interface EndedWorker {
  readonly name: string;
  /** Whether it has begun any item. */
  hasBegun: boolean;
  /** An item has failed with it. */
  failed(unit: Unit, item: number, runningMs: number): void;
}

/** Fails the item that was running, or runs it anew; returns the units that another worker must run. */
export function settleLost(
  worker: EndedWorker,
  lost: [slot: number, unit: Unit][],
  { board, sentAt }: SentUnits,
  ending: Ending,
): Unit[] {
  const rest: Unit[] = [];
  const suspect = suspectOf(lost, board);
  for (const { 0: slot, 1: unit } of each(lost)) {
    if (unit.isDropped) continue;
    const { claim, item } = board.look(slot);
    const hasBegun = isBegun(claim) || unit === suspect && ++unit.losses >= MAX_LOSSES;
    worker.hasBegun ||= hasBegun;
    const wasRunning = hasBegun && (claim === "free" || item >= unit.settled);
    let from = unit.settled;
    if (wasRunning) {
      const at = unit.settled++;
      from = at + 1;
      if (mayRunAnew(unit)) {
        ArrayPrototypePush(rest, unit.slice(at, at + 1, unit.attempt + 1));
      } else {
        worker.failed(unit, at, performance.now() - sentAt[slot]);
        unit.client.failed(unit.first + at, failureOf(worker.name, unit, at, ending));
      }
    }
    if (from === unit.items.length) continue;
    if (unit.options.transfer.length > 0) {
      // Its buffers have moved to the worker, and are gone with it.
      while (unit.settled < unit.items.length) {
        const at = unit.settled++;
        worker.failed(unit, at, 0);
        unit.client.failed(unit.first + at, failureOf(worker.name, unit, at, ending));
      }
    } else if (from === 0) ArrayPrototypePush(rest, unit);
    else {
      ArrayPrototypePush(rest, unit.slice(from, unit.items.length));
    }
  }
  return rest;
}

/** Whether an item that was running may be run again. */
function mayRunAnew({ attempt, options, hasYielded }: Unit): boolean {
  return attempt <= options.retries && options.transfer.length === 0 && !hasYielded;
}

function isBegun(claim: Claim): boolean {
  return claim !== "pending" && claim !== "revoked";
}

/** The unit that the worker was about to begin, if it had begun no other: it may end whoever decodes it. */
function suspectOf(lost: [slot: number, unit: Unit][], board: Board): Unit | undefined {
  let next: Unit | undefined;
  for (const { 0: slot, 1: unit } of each(lost)) {
    if (isBegun(board.look(slot).claim)) return undefined;
    if (!unit.isDropped) next ??= unit;
  }
  return next;
}
