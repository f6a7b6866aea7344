// Membership: which entry of which process table this isolate is. A worker that this library did not start
// can be given something by a program after it has processes of its own, and then stands in two tables.

import { BrokeredProcessTable } from "./brokered_table.ts";
import type { ProcessTable, Ref } from "./process_table.ts";
import { SharedProcessTable } from "./shared_table.ts";
import * as primordials from "../platform/primordials.ts";

const { SafeMap, Symbol } = primordials;

/** A process table, and which of its entries this isolate is. */
export interface Place {
  roster: ProcessTable;
  self: Ref;
}

/** In the global scope, because a second copy of this package in the isolate must use the same. */
const OWN = Symbol.for("@multiproc/multiprocessing/roster");
const global: typeof globalThis & { [OWN]?: Place } = globalThis;

/** Of a process with a desk: nobody else in its isolate is to have it. */
let hidden: Place | undefined;

/** Made at the first need: a worker that this library did not start may be told of its maker's. */
function ownPlace(): Place {
  return hidden ?? (global[OWN] ??= newPlace());
}

function newPlace(): Place {
  const roster = SharedProcessTable.make();
  return { roster, self: roster.registerProcess("MainProcess") };
}

/** The roster of the program this isolate belongs to. */
export function ownRoster(): ProcessTable {
  return ownPlace().roster;
}

/** Who this isolate is in the roster of its program. */
export function ownRef(): Ref {
  return ownPlace().self;
}

/** Called once, first of all, where somebody else has entered this isolate in a roster. */
export function adoptPlace(shares: SharedArrayBuffer, self: Ref): void {
  global[OWN] = { roster: new SharedProcessTable(shares), self };
}

/** As adoptPlace(), in a process that has a desk. */
export function adoptDesk(desk: SharedArrayBuffer, self: Ref, name: string): void {
  hidden = { roster: new BrokeredProcessTable(desk, self, name), self };
}

/** Rosters of other programs: of one who gave this isolate something after it had its own. */
const foreign = new SafeMap<string, Place>();

/** This isolate's place in the roster with this id, if it has one. */
export function placeIn(id: string): Place | undefined {
  const own = hidden ?? global[OWN];
  return own?.roster.id === id ? own : foreign.get(id);
}

/**
 * Takes a place in somebody's roster: as its own, if this isolate has none yet. If it is in that
 * roster already, it stays who it was.
 */
export function takePlace(shares: SharedArrayBuffer, self: Ref): Place {
  const known = placeIn(new SharedProcessTable(shares).id);
  if (known !== undefined) return known;
  const place = { roster: new SharedProcessTable(shares), self };
  if (hidden === undefined && global[OWN] === undefined) global[OWN] = place;
  else foreign.set(place.roster.id, place);
  return place;
}
