// Deadlocks of locks.
//
// Certain: a cycle of blocked threads, each waiting without end for a lock that the next one holds. No message and
// no event reaches a blocked thread, so none of them can release what it holds. A blocked thread follows the chain
// of holders at each look, and takes a cycle for certain when it has seen this:
//
//   T1   the SEQs of all waits were read, then how often each thread had looked at its lock (CHECKED);
//   T2   each thread has looked twice more since, so once wholly after T1, and found the next one to hold its
//        lock; then the SEQs were read again, and are the same.
//
// A SEQ that is the same says that the thread was blocked all the time from T1 to T2. So it released nothing in
// between: it holds at T2 what another thread saw it hold after T1. All edges hold at once.
//
// Likely: tasks wait for the locks, and other tasks of the same processes may release them. It counts where all
// waits of all processes concerned are for locks of each other, no timer runs and no connection is open there, and
// nothing has changed while each looked twice, once a second.

import { DeadlockError } from "../errors.ts";
import { DEADLOCK } from "../liveness/event_rings.ts";
import { ownProcessTable } from "../liveness/membership.ts";
import { recorder } from "../liveness/recorder.ts";
import {
  AWAITED_POLICY,
  BLOCKED,
  BLOCKED_POLICY,
  CHECKED,
  FLAGS,
  HAS_SIGNAL,
  HOLDER,
  KIND,
  NO_VICTIM,
  NUMBER,
  ownSlot,
  programWords,
  ROW_WORDS,
  SANDBOXED,
  SEQ,
  SINCE,
  Slot,
  slotOfToken,
  slotsOf,
  TOKEN,
  UNTIL,
  WAY,
} from "../liveness/wait_board.ts";
import { describeCycle, type Edge } from "./describe_wait.ts";
import { type ReadProcess, readProcess, type ReadWait, readWait } from "./read_board.ts";
import { LOCK, RLOCK } from "./subject.ts";
import { addWatcher, failWait, recordedSlot } from "./wait_records.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  ArrayPrototypeSort,
  Atomics,
  console,
  each,
  SafeMap,
} = primordials;

/** Values of BLOCKED_POLICY. */
export const BLOCKED_ERROR = 0, BLOCKED_OFF = 1;
/** Values of AWAITED_POLICY. */
export const AWAITED_WARNING = 0, AWAITED_ERROR = 1, AWAITED_OFF = 2;

/** Looks that a thread must have made between the two readings. */
const LOOKS = 2;
/** The longest cycle that is looked for. */
const MOST_MEMBERS = 1000;

/** A member of a cycle. */
interface Member {
  slot: Slot;
  token: number;
  row: number;
  seq: number;
  checked: number;
}

/** The cycle that was seen first, and is to be seen again. */
let candidate: Member[] | undefined;

const views = new SafeMap<number, Slot>();

/** The slot of a process that lives and whose waits count: one with permissions of its own may write anything. */
function slotOf(board: SharedArrayBuffer, token: number): Slot | undefined {
  const number = slotOfToken(token);
  if (number <= 0 || number >= slotsOf(board)) return undefined;
  let slot = views.get(number);
  if (slot === undefined) views.set(number, slot = new Slot({ board, slot: number }));
  if (Atomics.load(slot.words, TOKEN) !== token) return undefined;
  if ((slot.words[FLAGS] & SANDBOXED) !== 0) return undefined;
  return ownProcessTable().isTokenAlive(token) ? slot : undefined;
}

/** The board of the program; undefined in a process with permissions of its own. */
function programBoard(): SharedArrayBuffer | undefined {
  const content = ownSlot();
  return content?.board.growable ? content.board : undefined;
}

function isEndlessLock(slot: Slot, row: number): boolean {
  const at = row * ROW_WORDS, kind = slot.words[at + KIND];
  return (kind === LOCK || kind === RLOCK) && slot.times[(at + UNTIL) / 2] === Infinity &&
    (slot.words[at + WAY] & HAS_SIGNAL) === 0;
}

/** The cycle of blocked threads that this thread is in, as it looks now. */
function cycleOf(board: SharedArrayBuffer, own: Slot, ownRow: number): Member[] | undefined {
  const members: Member[] = [], first = own.words[TOKEN];
  let slot: Slot | undefined = own, token = first, row = ownRow;
  while (slot !== undefined && members.length < MOST_MEMBERS) {
    const at = row * ROW_WORDS, seq = Atomics.load(slot.words, at + SEQ);
    if (row === 0 || (seq & 1) === 0 || !isEndlessLock(slot, row)) return undefined;
    ArrayPrototypePush(members, { slot, token, row, seq, checked: 0 });
    token = slot.words[at + HOLDER];
    if (token === first) return members;
    if (token === 0) return undefined;
    slot = slotOf(board, token);
    if (slot !== undefined) row = Atomics.load(slot.words, BLOCKED);
  }
  return undefined;
}

function checkedOf({ slot, row }: Member): number {
  return Atomics.load(slot.words, row * ROW_WORDS + CHECKED);
}

function isSameWait(one: Member, other: Member): boolean {
  return one.token === other.token && one.row === other.row && one.seq === other.seq;
}

/** Called by a blocked thread after each look: throws if its wait is in a deadlock and is the one to end. */
export function checkBlocked(row: number): void {
  const board = programBoard(), own = recordedSlot();
  if (board === undefined || own === undefined || !isEndlessLock(own, row)) return;
  if (Atomics.load(programWords(board), BLOCKED_POLICY) === BLOCKED_OFF) return;
  const seen = candidate;
  if (seen === undefined) {
    const cycle = cycleOf(board, own, row);
    if (cycle === undefined) return;
    for (const member of each(cycle)) member.checked = checkedOf(member);
    candidate = cycle;
    return;
  }
  for (const member of each(seen)) {
    if (((checkedOf(member) - member.checked) | 0) < LOOKS) {
      // Not yet, unless one of them has gone on.
      if (!isSameCycle(cycleOf(board, own, row), seen)) candidate = undefined;
      return;
    }
  }
  // This reads the holders first and the SEQs of all after them.
  const now = cycleOf(board, own, row);
  const isCertain = isSameCycle(now, seen) && isSameCycle(cycleOf(board, own, row), seen);
  candidate = undefined;
  if (!isCertain) return;
  const victim = youngest(seen);
  if (victim === undefined || victim.token !== own.words[TOKEN]) return;
  const edges = edgesOf(seen);
  if (recorder !== undefined) recordDeadlock(own, row);
  throw new DeadlockError(
    `${describeCycle(edges, true)}\n${own.name(0)} began to wait last, and gets this error. ` +
      "Take locks in the same order everywhere.",
  );
}

function recordDeadlock({ words }: Slot, row: number): void {
  const at = row * ROW_WORDS;
  recorder?.event(DEADLOCK, words[at + KIND], words[at + NUMBER]);
}

function isSameCycle(cycle: Member[] | undefined, seen: Member[]): boolean {
  if (cycle?.length !== seen.length) return false;
  for (let i = 0; i < seen.length; i++) if (!isSameWait(cycle[i], seen[i])) return false;
  return true;
}

/** The member that began to wait last, of those whose wait may end by an error. */
function youngest(members: Member[]): Member | undefined {
  let found: Member | undefined, latest = -Infinity;
  for (const member of each(members)) {
    const at = member.row * ROW_WORDS, since = member.slot.times[(at + SINCE) / 2];
    if ((member.slot.words[at + WAY] & NO_VICTIM) !== 0) continue;
    if (since > latest || since === latest && member.token > found!.token) {
      found = member;
      latest = since;
    }
  }
  return found;
}

function edgesOf(members: Member[]): Edge[] {
  return ArrayPrototypeFilter(
    ArrayPrototypeMap(members, ({ slot, row }, index) => {
      const process = readProcess(slot), wait = readWait(slot, row);
      const holder = members[(index + 1) % members.length].slot.name(0);
      return process && wait && { process, wait, holder };
    }),
    (edge) => edge !== undefined,
  ) as Edge[];
}

// Likely deadlocks

/** A process, and those of its waits that count. */
interface Stuck {
  process: ReadProcess;
  waits: ReadWait[];
}

/**
 * The processes that this one waits for, directly or through others, if none of them can go on by what is known:
 * each wait is for a lock that one of them holds.
 */
function knotOf(board: SharedArrayBuffer, own: Slot): Map<number, Stuck> | undefined {
  const found = new SafeMap<number, Stuck>(), left: number[] = [own.words[TOKEN]];
  for (let i = 0; i < left.length && i < MOST_MEMBERS; i++) {
    const token = left[i];
    if (found.has(token)) continue;
    const slot = slotOf(board, token), process = slot && readProcess(slot);
    if (process === undefined || process.token !== token) return undefined;
    const isBlocked = process.blocked !== 0;
    const { more, timers, outside } = process;
    if (!isBlocked && (more > 0 || timers > 0 || outside > 0)) return undefined;
    const waits = isBlocked
      ? ArrayPrototypeFilter(process.waits, ({ row }) => row === process.blocked)
      : process.waits;
    if (waits.length === 0) return undefined;
    for (const { row, holder } of each(waits)) {
      if (!isEndlessLock(slot!, row) || holder === 0) return undefined;
      ArrayPrototypePush(left, holder);
    }
    found.set(token, { process, waits });
  }
  return found;
}

/** What was seen at the last looks: the waits, how often that was, and how often each had looked at first. */
let seenWaits = "", seenTimes = 0;
/** The looks, once a second, at which a likely deadlock must be the same. */
const LIKELY_AFTER = 3;

function checkAwaited(): void {
  const board = programBoard(), own = recordedSlot();
  if (board === undefined || own === undefined) return;
  const policy = Atomics.load(programWords(board), AWAITED_POLICY);
  if (policy === AWAITED_OFF) return;
  const knot = knotOf(board, own), token = own.words[TOKEN];
  if (knot === undefined) {
    seenWaits = "";
    return;
  }
  const edges: (Edge & { token: number; key: string })[] = [];
  for (const { process, waits } of knot.values()) {
    for (const wait of each(waits)) {
      const holder = knot.get(wait.holder)!.process.name,
        key = `${process.token}:${wait.row}:${wait.seq}`;
      ArrayPrototypePush(edges, { process, wait, holder, token: process.token, key });
    }
  }
  const keys = ArrayPrototypeMap(edges, ({ key }) => key);
  ArrayPrototypeSort(keys, (one, other) => one < other ? -1 : 1);
  const waits = ArrayPrototypeJoin(keys, " ");
  seenTimes = waits === seenWaits ? seenTimes + 1 : 1;
  seenWaits = waits;
  if (seenTimes !== LIKELY_AFTER) return;
  // The process that began to wait last, of those for which another one waits, tells of it.
  let last: typeof edges[number] | undefined;
  for (const edge of each(edges)) {
    let isWaitedFor = false;
    for (const { wait } of each(edges)) isWaitedFor ||= wait.holder === edge.token;
    if (!isWaitedFor) continue;
    if (edge.wait.checked < 2) {
      // All choose the same one only where all have looked as often; this process looks again.
      seenTimes--;
      return;
    }
    const { since } = edge.wait, latest = last?.wait.since ?? -Infinity;
    if (since > latest || since === latest && edge.token > last!.token) last = edge;
  }
  if (last === undefined || last.token !== token) return;
  const text = describeCycle(edges, false);
  const canFail = policy === AWAITED_ERROR && (last.wait.way & NO_VICTIM) === 0;
  if (canFail) {
    const error = new DeadlockError(
      `${text}\n${last.process.name} began to wait last, and gets this error.`,
    );
    if (recorder !== undefined) recordDeadlock(own, last.wait.row);
    if (failWait(last.wait.row, error)) return;
  }
  console.error(
    `${text}\nIt doesn't end, unless another task of one of them releases what it holds. ` +
      "Take locks in the same order everywhere.",
  );
}

addWatcher(checkAwaited);
