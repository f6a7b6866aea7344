// Enters a new process on the wait board (lib/liveness/wait_board.ts), where inspect() finds it.

import { ownProcessTable, ownRef } from "../liveness/membership.ts";
import type { Ref } from "../liveness/process_table.ts";
import {
  confinedBoards,
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
  const token = table.token(self), slot = { board: own.board, slot: number };
  const flags = (daemon ? DAEMON : 0) | (isConfined ? SANDBOXED : 0);
  enter(slot, { token, name, pid, parent: table.token(ownRef()), flags, startedAt: Date.now() });
  if (!isConfined) return slot;
  if (confinedBoards.size >= MOST_FORGOTTEN) {
    for (const known of confinedBoards.keys()) {
      if (!table.isTokenAlive(known)) confinedBoards.delete(known);
    }
  }
  const board = newConfinedBoard();
  noteConfinedBoard(token, board);
  return { board, slot: 0 };
}
