// Membership: which entry of which process table this isolate is. A worker that this library did not start
// can be given something by a program after it has processes of its own, and then stands in two tables.

import { BrokeredProcessTable } from "./brokered_table.ts";
import { PerIsolate } from "./per_isolate.ts";
import type { ProcessTable, Ref } from "./process_table.ts";
import { SharedProcessTable } from "./shared_table.ts";
import * as primordials from "../platform/primordials.ts";

const { SafeMap } = primordials;

/** A process table, and which of its entries this isolate is. */
export interface Place {
  roster: ProcessTable;
  self: Ref;
}

/** The same as data. */
interface Membership {
  shares: SharedArrayBuffer;
  self: Ref;
}

const perIsolate = new PerIsolate<Membership>("process-table");

/** The place of this isolate, once this copy of the package has asked for it. */
let own: Place | undefined;

/** Made at the first need: a worker that this library did not start can be given a place before. */
function ownPlace(): Place {
  return own ??= placeOf(perIsolate.getOr(newMembership));
}

/** The place of this isolate; undefined if it has none. */
function knownPlace(): Place | undefined {
  const known = perIsolate.get();
  return own ??= known && placeOf(known);
}

function placeOf({ shares, self }: Membership): Place {
  return { roster: new SharedProcessTable(shares), self };
}

function newMembership(): Membership {
  const roster = SharedProcessTable.make();
  return { shares: roster.shares, self: roster.registerProcess("MainProcess") };
}

/** The process table of the program this isolate belongs to. */
export function ownRoster(): ProcessTable {
  return ownPlace().roster;
}

/** The entry of this isolate in that table. */
export function ownRef(): Ref {
  return ownPlace().self;
}

/** Called once, first of all, where another isolate has registered this one in a table. */
export function adoptPlace(shares: SharedArrayBuffer, self: Ref): void {
  own = placeOf(perIsolate.set({ shares, self }));
}

/** As adoptPlace(), in a process that has a desk: no other code in the isolate is to have that. */
export function adoptDesk(desk: SharedArrayBuffer, self: Ref, name: string): void {
  own = { roster: new BrokeredProcessTable(desk, self, name), self };
}

/** The places in tables of other programs, which gave this isolate something after it had a table. */
const foreign = new SafeMap<string, Place>();

/** This isolate's place in the table with this id, if it has one. */
export function placeIn(id: string): Place | undefined {
  const place = knownPlace();
  return place?.roster.id === id ? place : foreign.get(id);
}

/**
 * Takes a place in the table of another program: as its own, if this isolate has none yet. If it has an
 * entry in that table already, it keeps that.
 */
export function takePlace(shares: SharedArrayBuffer, self: Ref): Place {
  const known = placeIn(new SharedProcessTable(shares).id);
  if (known !== undefined) return known;
  if (knownPlace() === undefined) return own = placeOf(perIsolate.set({ shares, self }));
  const place = placeOf({ shares, self });
  foreign.set(place.roster.id, place);
  return place;
}
