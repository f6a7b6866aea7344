// The warning that every process waits and nothing has moved for ten seconds. Main looks once a second while it
// waits itself. It can't be known for certain that nothing will come from outside: so it is said once, and not where
// a timer, a server or a listener for signals is known, where a wait has a limit, or where a process with permissions of its own lives.

import {
  FLAGS,
  HAS_SIGNAL,
  IDLE_POLICY,
  ownSlot,
  PARENT,
  programWords,
  SANDBOXED,
} from "../liveness/wait_board.ts";
import { addWatcher, recordedSlot } from "../wait/wait_records.ts";
import { inspectionOf } from "./inspection.ts";
import { readAll, type Seen } from "./read_all.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, console, each, performance } = primordials;

/** Milliseconds without a move. */
const IDLE_MS = 10_000;

/** The waits that were seen, and since when they are the same. */
let seenMoves = "", since = 0;
let wasTold = false;

function checkIdle(): void {
  const own = recordedSlot(), content = ownSlot();
  if (wasTold || own === undefined || content === undefined || own.words[PARENT] !== 0) return;
  if (!content.board.growable || (own.words[FLAGS] & SANDBOXED) !== 0) return;
  if (Atomics.load(programWords(content.board), IDLE_POLICY) !== 0) return;
  const all = readAll(), moves = movesOf(all), now = performance.now();
  if (moves === undefined || moves !== seenMoves) {
    seenMoves = moves ?? "";
    since = now;
    return;
  }
  if (now - since < IDLE_MS) return;
  wasTold = true;
  console.error(
    `@multiproc/multiprocessing: nothing has moved for ten seconds. ${inspectionOf(all)}\n` +
      'If that is meant, because something from outside will wake it, say detectDeadlocks({ idle: "off" }).',
  );
}

/** What all processes wait for, where each waits without a limit; undefined where one may go on by itself. */
function movesOf(all: Seen[]): string | undefined {
  let moves = "";
  for (const { process, isAlive } of each(all)) {
    if (!isAlive) continue;
    const { waits, more, timers, outside, blocked, flags, token } = process;
    if (waits.length === 0 || (flags & SANDBOXED) !== 0) return undefined;
    if (blocked === 0 && (more > 0 || timers > 0 || outside > 0)) return undefined;
    for (const { row, until, way } of each(waits)) {
      if (blocked !== 0 && row !== blocked) continue;
      if (until !== Infinity || (way & HAS_SIGNAL) !== 0) return undefined;
    }
    moves += `${token}:${process.moves} `;
  }
  return moves;
}

addWatcher(checkIdle);
