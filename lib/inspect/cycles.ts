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
    byPid.set(process.pid, edgesOf(process, pids));
  }
  const cycles: Cycle[] = [], done = new SafeSet<number>();
  for (const pid of byPid.keys()) follow(byPid, pid, [], done, cycles);
  return cycles;
}

/**
 * The edges of a process. If it isn't blocked, another task of it may release what it holds: it has edges only where
 * nothing else is known to go on there.
 */
function edgesOf(process: ReadProcess, pids: Map<number, number>): WaitEdge[] {
  const { blocked, more, timers, outside } = process, edges: WaitEdge[] = [];
  const isBlocked = blocked !== 0;
  if (!isBlocked && (more > 0 || timers > 0 || outside > 0)) return edges;
  for (const wait of each(process.waits)) {
    if (isBlocked && wait.row !== blocked) continue;
    const holder = holderOf(wait, pids);
    if (holder !== undefined) ArrayPrototypePush(edges, { process, wait, holder });
    else if (!isBlocked) return [];
  }
  return edges;
}

/** The pid of the process that a wait without an end is for; undefined if it may end otherwise. */
function holderOf(wait: ReadWait, pids: Map<number, number>): number | undefined {
  if (wait.until !== Infinity || (wait.way & HAS_SIGNAL) !== 0) return undefined;
  if (isLock(wait)) return pids.get(wait.holder);
  return wait.kind === PROCESS ? wait.number : undefined;
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
