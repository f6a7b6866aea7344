// Cycles of processes of which each waits, without a limit, for what the next one holds, or for the end of the next
// one.

import { BLOCKING, HAS_SIGNAL, SANDBOXED } from "../liveness/wait_board.ts";
import type { ReadProcess, ReadWait } from "../wait/read_board.ts";
import { LOCK, PROCESS, RLOCK } from "../wait/subject.ts";
import type { Seen } from "./read_all.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, ArrayPrototypeSlice, each, SafeMap, SafeSet } = primordials;

/** A wait for another process. */
export interface WaitEdge {
  process: ReadProcess;
  wait: ReadWait;
  /** The pid of the process that is waited for. */
  holder: number;
}

/** A cycle. */
export interface Cycle {
  certain: boolean;
  edges: WaitEdge[];
}

function isLock({ kind }: ReadWait): boolean {
  return kind === LOCK || kind === RLOCK;
}

/** The cycles, each once. */
export function cyclesOf(all: Seen[]): Cycle[] {
  const byPid = new SafeMap<number, WaitEdge[]>(), pids = new SafeMap<number, number>();
  for (const { process, isAlive } of each(all)) {
    if (isAlive) pids.set(process.token, process.pid);
  }
  for (const { process } of each(all)) {
    // What a process with permissions of its own says of itself counts for nothing here.
    if ((process.flags & SANDBOXED) !== 0) continue;
    const edges: WaitEdge[] = [];
    for (const wait of each(process.waits)) {
      if (process.blocked !== 0 && wait.row !== process.blocked) continue;
      if (wait.until !== Infinity || (wait.way & HAS_SIGNAL) !== 0) continue;
      const holder = isLock(wait)
        ? pids.get(wait.holder)
        : wait.kind === PROCESS
        ? wait.number
        : undefined;
      if (holder !== undefined) ArrayPrototypePush(edges, { process, wait, holder });
    }
    byPid.set(process.pid, edges);
  }
  const cycles: Cycle[] = [], done = new SafeSet<number>();
  for (const pid of byPid.keys()) follow(byPid, pid, [], done, cycles);
  return cycles;
}

/** Follows the edges from a process, and adds the cycles that end on the path. */
function follow(
  byPid: Map<number, WaitEdge[]>,
  pid: number,
  path: WaitEdge[],
  done: Set<number>,
  cycles: Cycle[],
): void {
  for (let i = 0; i < path.length; i++) {
    if (path[i].process.pid !== pid) continue;
    const edges = ArrayPrototypeSlice(path, i);
    ArrayPrototypePush(cycles, { certain: isCertain(edges), edges });
    return;
  }
  if (done.has(pid)) return;
  for (const edge of each(byPid.get(pid) ?? [])) {
    ArrayPrototypePush(path, edge);
    follow(byPid, edge.holder, path, done, cycles);
    path.length--;
  }
  done.add(pid);
}

/**
 * Whether all are blocked by locks, and each has seen the next one hold its lock when that one was blocked already:
 * then that one still holds it.
 */
function isCertain(edges: WaitEdge[]): boolean {
  for (let i = 0; i < edges.length; i++) {
    const { wait } = edges[i], next = edges[(i + 1) % edges.length].wait;
    if (!isLock(wait) || (wait.way & BLOCKING) === 0 || wait.lookedAt <= next.since) return false;
  }
  return true;
}
