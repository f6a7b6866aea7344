// Membership: the entry of this isolate in a process table. A worker that this library did not start can have
// two: one in a table of its own, once it has processes or pipes of its own, and one in the table of a program
// that hands it something after that.

import { BrokeredProcessTable } from "./brokered_table.ts";
import { useHolders } from "./mutex.ts";
import { PerIsolate } from "./per_isolate.ts";
import type { ProcessTable, Ref } from "./process_table.ts";
import { SharedProcessTable } from "./shared_table.ts";
import { newRings } from "./event_rings.ts";
import { adoptSlot, enter, newBoard } from "./wait_board.ts";
import * as primordials from "../platform/primordials.ts";

const { Date, Deno, each, entriesOfMap, SafeMap } = primordials;

/** Whether there is a wait board; the explorer needs none. */
const HAS_BOARD = 1;

/** A process table, and the entry of this isolate in it. */
export interface Place {
  processTable: ProcessTable;
  self: Ref;
}

/** A place as plain data. */
interface Membership {
  shares: SharedArrayBuffer;
  self: Ref;
}

const perIsolate = new PerIsolate<Membership>("process-table");

/** The place of this isolate, once this copy of the package has asked for it. */
let own: Place | undefined;

/** The place is made at the first need, because a worker that this library did not start can be given one before. */
function ownPlace(): Place {
  return own ??= placeOf(perIsolate.getOr(newMembership));
}

/** The place of this isolate; undefined if it has none. */
function knownPlace(): Place | undefined {
  const known = perIsolate.get();
  return own ??= known && placeOf(known);
}

function placeOf({ shares, self }: Membership): Place {
  return { processTable: new SharedProcessTable(shares), self };
}

function newMembership(): Membership {
  const processTable = SharedProcessTable.make();
  const name = "MainProcess", self = processTable.registerProcess(name);
  if (HAS_BOARD) {
    const slot = { board: newBoard(), slot: self.index >> 1, rings: newRings() };
    const startedAt = Date.now();
    const token = processTable.token(self);
    enter(slot, { token, name, pid: Deno.pid, parent: 0, flags: 0, startedAt });
    adoptSlot(slot);
  }
  return { shares: processTable.shares, self };
}

/** The process table of the program this isolate belongs to. */
export function ownProcessTable(): ProcessTable {
  return ownPlace().processTable;
}

/** The entry of this isolate in its process table. */
export function ownRef(): Ref {
  return ownPlace().self;
}

/** Called once, first of all, where another isolate has registered this one in a table. */
export function adoptPlace(shares: SharedArrayBuffer, self: Ref): void {
  own = placeOf(perIsolate.set({ shares, self }));
}

/** As adoptPlace(), in a process that has a broker channel. No other code in the isolate can find the channel. */
export function adoptBrokeredTable(channel: SharedArrayBuffer, self: Ref, name: string): void {
  own = { processTable: new BrokeredProcessTable(channel, self, name), self };
}

/** The places in the tables of other programs, which gave this isolate something after it had a table of its own. */
const foreign = new SafeMap<string, Place>();

/** The place of this isolate in the table with this id, if it has one there. */
export function placeIn(id: string): Place | undefined {
  const place = knownPlace();
  return place?.processTable.id === id ? place : foreign.get(id);
}

/**
 * Takes a place in the table of another program, and returns it. If the isolate has no place yet, this becomes
 * its own place. If the isolate has a place in that table already, it keeps the old one.
 */
export function takePlace(shares: SharedArrayBuffer, self: Ref): Place {
  const known = placeIn(new SharedProcessTable(shares).id);
  if (known !== undefined) return known;
  if (knownPlace() === undefined) return own = placeOf(perIsolate.set({ shares, self }));
  const place = placeOf({ shares, self });
  foreign.set(place.processTable.id, place);
  return place;
}

/** Whether a live process has this marker, in any table that this isolate is in. */
function isMarkerAlive(marker: number): boolean {
  const place = knownPlace();
  if (place === undefined || place.processTable.isMarkerAlive(marker)) return true;
  for (const { processTable } of each(entriesOfMap(foreign).values)) {
    if (processTable.isMarkerAlive(marker)) return true;
  }
  return false;
}

useHolders(isMarkerAlive);
