// Enters a new process on the wait board (lib/liveness/wait_board.ts), where inspect() finds it.

import { ownProcessTable, ownRef } from "../liveness/membership.ts";
import {
  headerOf,
  newConfinedRings,
  ON,
  originOf,
  setOrigin,
  STARTED,
} from "../liveness/event_rings.ts";
import type { Ref } from "../liveness/process_table.ts";
import { attend, recorder } from "../liveness/recorder.ts";
import {
  confinedBoards,
  confinedRings,
  DAEMON,
  enter,
  makeRoom,
  newConfinedBoard,
  noteConfinedBoard,
  ownSlot,
  SANDBOXED,
  type SlotContent,
} from "../liveness/wait_board.ts";
import type { Identity } from "../protocol/identity.ts";
import { ownIdentity } from "./current.ts";
import * as primordials from "../platform/primordials.ts";

const { Date } = primordials;

/** The most confined boards of processes that have ended, which are forgotten then. */
const MOST_FORGOTTEN = 64;

/**
 * Enters a process, and returns where it writes what it waits for; undefined where this process has no board.
 *
 * @param isConfined whether it has permissions of its own: it gets a board that no other process but this one reads
 */
export function enterProcess(
  self: Ref,
  { name, pid, daemon }: Identity,
  isConfined: boolean,
): SlotContent | undefined {
  const table = ownProcessTable(), own = ownSlot(), number = self.index >> 1;
  if (own === undefined || !own.board.growable || !makeRoom(own.board, number)) return undefined;
  const token = table.token(self), slot = { board: own.board, slot: number, rings: own.rings };
  const flags = (daemon ? DAEMON : 0) | (isConfined ? SANDBOXED : 0);
  enter(slot, { token, name, pid, parent: table.token(ownRef()), flags, startedAt: Date.now() });
  attend();
  if (recorder !== undefined) {
    recorder.event(STARTED, pid, ownIdentity().pid, recorder.text(name), token);
  }
  if (!isConfined) return slot;
  if (confinedBoards.size >= MOST_FORGOTTEN) {
    for (const known of confinedBoards.keys()) {
      if (table.isTokenAlive(known)) continue;
      confinedBoards.delete(known);
      confinedRings.delete(known);
    }
  }
  const board = newConfinedBoard();
  noteConfinedBoard(token, board);
  return { board, slot: 0, rings: own.rings && ringsFor(token, pid, own.rings) };
}

/** Where a process with permissions of its own records events, if a trace runs. */
function ringsFor(
  token: number,
  pid: number,
  all: SharedArrayBuffer,
): SharedArrayBuffer | undefined {
  const trace = headerOf(all)[ON];
  if (trace === 0) return undefined;
  const rings = newConfinedRings();
  setOrigin(rings, originOf(all));
  headerOf(rings)[ON] = trace;
  confinedRings.set(token, { pid, rings });
  return rings;
}
