// Reads what all processes of the program have written on the wait board, and what the process table says of them.

import { ownProcessTable } from "../liveness/membership.ts";
import {
  confinedBoards,
  INSPECTOR,
  ownSlot,
  Slot,
  slotsOf,
  TOKEN,
} from "../liveness/wait_board.ts";
import { type ReadProcess, readProcess } from "../wait/read_board.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, ArrayPrototypeSort, each } = primordials;

/** The most processes that have ended which are told of: the last ones. */
const MOST_ENDED = 100;

/** A process as it was read, and what the process table says of it. */
export interface Seen {
  process: ReadProcess;
  isAlive: boolean;
  exitCode: number | undefined;
  host: number | undefined;
}

/** Reads what all processes have written. */
export function readAll(): Seen[] {
  const table = ownProcessTable(), content = ownSlot();
  const all: Seen[] = [], ended: Seen[] = [];
  if (content === undefined) return all;
  const { board } = content, isProgram = board.growable;
  const first = isProgram ? 1 : content.slot, last = isProgram ? slotsOf(board) - 1 : first;
  for (let slot = first; slot <= last; slot++) {
    const header = new Slot({ board, slot });
    if (header.words[TOKEN] === 0) continue;
    const confined = isProgram ? confinedBoards.get(header.words[TOKEN]) : undefined;
    const rows = confined === undefined ? header : new Slot({ board: confined, slot: 0 });
    const process = readProcess(header, rows);
    if (process === undefined || (process.flags & INSPECTOR) !== 0) continue;
    const isAlive = table.isTokenAlive(process.token);
    // After the end of a process its rows mean nothing.
    if (!isAlive) process.waits = [];
    const seen = { process, isAlive, ...table.lookUp(process.token) };
    ArrayPrototypePush(isAlive ? all : ended, seen);
  }
  ArrayPrototypeSort(ended, (one, other) => other.process.startedAt - one.process.startedAt);
  if (ended.length > MOST_ENDED) ended.length = MOST_ENDED;
  for (const seen of each(ended)) ArrayPrototypePush(all, seen);
  return ArrayPrototypeSort(
    all,
    (one, other) =>
      one.process.startedAt - other.process.startedAt || one.process.token - other.process.token,
  );
}
