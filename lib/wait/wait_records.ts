// The waits of this isolate on the wait board (lib/liveness/wait_board.ts): a row is written when a wait is about
// to sleep, and cleared when it ends. What costs more is written later: how the object is, at each look; where the
// wait was begun, at the first. A blocked thread looks every 20 ms, waiting tasks every second.

import { isMainThread } from "node:worker_threads";
import { ownProcessTable } from "../liveness/membership.ts";
import {
  BLOCKED,
  BLOCKING,
  BUSY,
  CHECKED,
  CPU_MS,
  HEAP_KB,
  HOLDER,
  KIND,
  LAG_MS,
  LOOKED_AT,
  MORE,
  MOST,
  MOVES,
  NUMBER,
  ownSlot,
  ROW_WORDS,
  ROWS,
  SEQ,
  SINCE,
  SIZE,
  Slot,
  TIMERS,
  UNTIL,
  VERB,
  WAY,
} from "../liveness/wait_board.ts";
import { HEAP, WAIT_BEGIN, WAIT_END } from "../liveness/event_rings.ts";
import { attend, recorder } from "../liveness/recorder.ts";
import {
  outsideResources,
  pendingResources,
  processorMilliseconds,
} from "../platform/resources.ts";
import type { Context } from "../platform/telemetry.ts";
import { activeContext, isTracing, LONG_WAIT_MS, spanOfWait } from "../telemetry/spans.ts";
import type { CallSite } from "./call_site.ts";
import { callOf, objectOf } from "./describe_wait.ts";
import { NO_SUBJECT, type Subject } from "./subject.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePop, ArrayPrototypePush, Atomics, Date, Deno, each, listOf, SafeSet } =
  primordials;

/** Whether the main isolate makes a board at its first wait; the explorer needs none. */
const MAKES_BOARD = 1;
/** Rows that are kept for blocking waits, however many tasks wait. */
const KEPT_ROWS = 4;
/** The answers of beginWait() where there is no row: there is no board, and there is no free row. */
const NO_BOARD = 0, NO_ROW = -1;

/** A task that waits. */
export interface WaitingTask {
  /** Ends its wait with an error. */
  endBy(error: unknown): void;
}

/** What is known of a wait in this isolate. */
export interface Waiting {
  readonly subject?: Subject;
  readonly verb?: number;
}

/** The slot of this isolate, and its free rows, once it has waited. */
let own: Slot | undefined;
let free: number[];
let wasAsked = false;

/** The waits by row, and where they were begun. */
const waits: (Waiting | undefined)[] = [], callers: (CallSite | undefined)[] = [];
/** The contexts in which they were begun, by row: for spans. */
const contexts: (Context | undefined)[] = [];
/** The tasks that wait, by row. */
const tasks: (WaitingTask | undefined)[] = [];
for (let row = 0; row < ROWS; row++) waits[row] = callers[row] = tasks[row] = undefined;

/** The slot of this isolate; undefined where it has none, as in a worker that this library did not start. */
export function recordedSlot(): Slot | undefined {
  if (own !== undefined) return own;
  let content = ownSlot();
  if (content === undefined && !wasAsked && MAKES_BOARD && isMainThread) {
    wasAsked = true;
    ownProcessTable();
    content = ownSlot();
  }
  if (content === undefined) return undefined;
  free = content.free;
  return own = new Slot(content);
}

/**
 * Records a wait that is about to sleep.
 *
 * @param timeout in ms
 * @param way how it waits: see WAY
 * @returns the row, for endWait()
 */
export function beginWait(
  waiting: Waiting,
  timeout: number,
  way: number,
  caller: CallSite | undefined,
  task: WaitingTask | undefined,
): number {
  const slot = own ?? recordedSlot();
  if (slot === undefined) return NO_BOARD;
  attend();
  const { words, times } = slot;
  const isBlocking = (way & BLOCKING) !== 0;
  const row = isBlocking || free.length > KEPT_ROWS ? ArrayPrototypePop(free) : undefined;
  words[MOVES]++;
  if (row === undefined) {
    words[MORE]++;
    return NO_ROW;
  }
  const at = row * ROW_WORDS, { subject } = waiting, since = Date.now();
  waits[row] = waiting;
  callers[row] = caller;
  tasks[row] = task;
  if (isTracing) contexts[row] = activeContext();
  words[at + VERB] = waiting.verb ?? 0;
  words[at + KIND] = subject === undefined ? NO_SUBJECT : subject.kind;
  words[at + NUMBER] = subject === undefined ? 0 : subject.number;
  words[at + WAY] = way;
  words[at + HOLDER] = words[at + CHECKED] = 0;
  times[(at + SINCE) / 2] = since;
  times[(at + UNTIL) / 2] = since + timeout;
  slot.clearSite(row);
  Atomics.add(words, at + SEQ, 1);
  if (recorder !== undefined) {
    recorder.event(
      WAIT_BEGIN,
      row | way << 8,
      words[at + KIND],
      words[at + NUMBER],
      words[at + VERB],
    );
  }
  return row;
}

/** Ends the record of a wait. */
export function endWait(row: number): void {
  if (row === NO_BOARD) return;
  const { words } = own!;
  words[MOVES]++;
  if (row === NO_ROW) {
    words[MORE]--;
    return;
  }
  Atomics.add(words, row * ROW_WORDS + SEQ, 1);
  if (recorder !== undefined) recordEnd(row);
  if (isTracing) tellOfLong(row);
  waits[row] = callers[row] = tasks[row] = undefined;
  if (isTracing) contexts[row] = undefined;
  ArrayPrototypePush(free, row);
}

/** Makes a span of a wait that has taken long. */
function tellOfLong(row: number): void {
  const { words, times } = own!, at = row * ROW_WORDS, since = times[(at + SINCE) / 2];
  const { subject, verb = 0 } = waits[row]!;
  if (Date.now() - since < LONG_WAIT_MS || subject === undefined || subject.isInternal) return;
  const { kind, number } = subject, name = subject.subjectName ?? "";
  const call = callOf({ kind, verb, way: words[at + WAY] });
  spanOfWait(call, objectOf({ kind, number, name }), since, contexts[row]);
}

/** Records the end of a wait, and where it was begun if that is known. */
function recordEnd(row: number): void {
  const slot = own!, isKnown = slot.words[row * ROW_WORDS + CHECKED] !== 0 && slot.hasSite(row);
  recorder!.event(WAIT_END, row, isKnown ? recorder!.text(slot.site(row)) : 0);
}

/** Records that the thread is blocked by the wait in this row; returns the row to be given to unblocked(). */
export function blocked(row: number): number {
  const { words } = own!, before = words[BLOCKED];
  Atomics.store(words, BLOCKED, row);
  return before;
}

/** Ends what blocked() began. */
export function unblocked(before: number): void {
  Atomics.store(own!.words, BLOCKED, before);
}

/** Writes how the object of a wait is now, and, the first time, where the wait was begun. */
export function look(row: number, caller?: () => CallSite): void {
  const slot = own!, { words } = slot, at = row * ROW_WORDS, waiting = waits[row];
  if (waiting === undefined) return;
  const { subject } = waiting, begunAt = Date.now();
  if (subject !== undefined) {
    words[at + HOLDER] = subject.holderToken ?? 0;
    words[at + SIZE] = subject.amount ?? 0;
    words[at + MOST] = subject.capacity ?? 0;
  }
  slot.times[(at + LOOKED_AT) / 2] = begunAt;
  if (words[at + CHECKED] === 0) {
    if (subject?.subjectName !== undefined) slot.setName(row, subject.subjectName);
    const begun = callers[row] ??= caller?.();
    if (begun !== undefined) slot.setSite(row, begun.place());
  }
  Atomics.add(words, at + CHECKED, 1);
}

/** Work that is done after each look at all waits. */
const watchers = new SafeSet<() => void>();

/** Has a function called after each look at all waits, that is every second while anything waits. */
export function addWatcher(watcher: () => void): void {
  watchers.add(watcher);
}

/** Looks at all waits of this isolate, and writes how the process itself is. */
export function lookAtAll(): void {
  const slot = own;
  if (slot === undefined) return;
  for (let row = 1; row < ROWS; row++) if (waits[row] !== undefined) look(row);
  watch();
}

/** What is done once a second while this process waits, or is blocked: see addWatcher(). */
export function watch(): void {
  if (own === undefined) return;
  describeProcess(own);
  for (const watcher of each(listOf(watchers))) watcher();
}

/** Writes how the process is. */
function describeProcess(slot: Slot): void {
  const { words, times } = slot;
  words[TIMERS] = pendingResources() & 0xffff | outsideResources() << 16;
  words[HEAP_KB] = Deno.memoryUsage().heapUsed / 1024;
  attend();
  if (recorder !== undefined) recorder.event(HEAP, words[HEAP_KB]);
  times[CPU_MS / 2] = processorMilliseconds();
}

/** When the next look is due, in ms of performance.now(); by how much it is late is the lag of the event loop. */
export function noteLag(ms: number): void {
  const slot = own;
  if (slot === undefined) return;
  slot.words[LAG_MS] = ms > 0 ? ms : 0;
  slot.words[BUSY] = 0;
}

/** Ends the wait of a task in a row with an error. False if there is none any more. */
export function failWait(row: number, error: unknown): boolean {
  const task = tasks[row];
  if (task === undefined) return false;
  task.endBy(error);
  return true;
}
