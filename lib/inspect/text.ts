// The text of an inspection: a line for each process and each wait, then what explains them, in sentences.

import { describeCycle, harmless, placeOf, seconds } from "../wait/describe_wait.ts";
import { callOf, objectOf, stateOf } from "../wait/describe_wait.ts";
import type { ReadProcess, ReadWait } from "../wait/read_board.ts";
import { KINDS } from "../wait/subject.ts";
import { cyclesOf } from "./cycles.ts";
import { explain } from "./explain.ts";
import type { Seen } from "./read_all.ts";
import type { Inspection, ProcessState } from "./types.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  each,
  Math,
  SafeMap,
} = primordials;

/** The most lines for the waits of one process, and for processes that have ended. */
const MOST_WAITS = 20, MOST_ENDED = 8;

/** The text of an inspection, made of the value and of what was read for it. */
export function textOf(inspection: Inspection, all: Seen[]): string {
  const { processes, at } = inspection, lines: string[] = [headline(inspection)];
  let ended = 0, isEnded = 0;
  for (const { state } of each(processes)) if (state === "ended") ended++;
  for (let i = 0; i < processes.length; i++) {
    const process = processes[i];
    if (process.state === "ended") {
      if (ended - isEnded++ > MOST_ENDED) continue;
      ArrayPrototypePush(lines, `${title(process)}${howItEnded(process.exitCode)}`);
      continue;
    }
    ArrayPrototypePush(lines, `${title(process)}${stateText(process)}`);
    for (const line of each(waitLines(all[i].process, at, all))) ArrayPrototypePush(lines, line);
  }
  if (ended > MOST_ENDED) {
    ArrayPrototypePush(lines, `and ${ended - MOST_ENDED} processes that have ended before`);
  }
  const names = new SafeMap<number, string>();
  for (const { process } of each(all)) names.set(process.pid, process.name);
  for (const { certain, edges } of each(cyclesOf(all))) {
    const told = ArrayPrototypeMap(
      edges,
      (edge) => ({ ...edge, holder: names.get(edge.holder) ?? "a process" }),
    );
    ArrayPrototypePush(lines, "", describeCycle(told, certain));
  }
  const sentences = explain(all);
  if (sentences.length > 0) ArrayPrototypePush(lines, "");
  for (const sentence of each(sentences)) ArrayPrototypePush(lines, sentence);
  return ArrayPrototypeJoin(lines, "\n");
}

function headline({ processes, at }: Inspection): string {
  const alive = ArrayPrototypeFilter(processes, ({ state }) => state !== "ended");
  let waiting = 0, last = 0;
  for (const { state, since } of each(alive)) {
    if (state === "waiting" || state === "blocked") waiting++;
    last = Math.max(last, since);
  }
  const count = `${alive.length} process${alive.length === 1 ? "" : "es"}`;
  if (waiting < alive.length) return `${count}, ${waiting} of them wait`;
  const waits = alive.length === 1 ? "which waits" : "all wait";
  return `${count}, ${waits}; nothing has moved for ${seconds(at - last)}`;
}

function title({ name, pid, sandboxed, daemon }: ProcessState): string {
  const what = `${sandboxed ? "sandboxed, " : ""}${daemon ? "daemon, " : ""}`;
  return `${name}  (${what}pid ${pid})  `;
}

function stateText({ state, waits, moreWaits, cpu }: ProcessState): string {
  const tasks = waits.length + moreWaits;
  const used = cpu === undefined ? "" : `, ${seconds(cpu)} of processor time`;
  if (state === "waiting") return `waits, ${tasks} task${tasks === 1 ? "" : "s"}${used}`;
  return `${state === "running" ? "runs: no wait is known" : state}${used}`;
}

/** How a process ended, in words. */
export function howItEnded(exitCode: number | null): string {
  if (exitCode === null) return "ended";
  if (exitCode === -15) return "was terminated";
  if (exitCode === -9) return "was killed, or reached a limit";
  return `ended, exit code ${exitCode}`;
}

function waitLines({ waits, more, blocked }: ReadProcess, at: number, all: Seen[]): string[] {
  const counts = new SafeMap<string, { wait: ReadWait; count: number }>();
  for (const wait of each(waits)) {
    // While the thread is blocked, its tasks don't wait for what they wait for.
    if (blocked !== 0 && wait.row !== blocked) continue;
    const key = `${wait.kind} ${wait.number} ${wait.verb} ${wait.site}`;
    const same = counts.get(key);
    if (same === undefined) counts.set(key, { wait, count: 1 });
    else same.count++;
  }
  const lines: string[] = [];
  let left = more > 0 ? more : 0;
  for (const { wait, count } of counts.values()) {
    if (lines.length < MOST_WAITS) ArrayPrototypePush(lines, waitLine(wait, count, at, all));
    else left += count;
  }
  if (left > 0) ArrayPrototypePush(lines, `  and ${left} more`);
  return lines;
}

function waitLine(wait: ReadWait, count: number, at: number, all: Seen[]): string {
  const call = callOf(wait), state = stateOf(wait), place = placeOf(wait.site);
  const what = call === ""
    ? "a wait inside of this library"
    : `${call} of ${objectOf(wait)}${state === undefined ? "" : ` (${state})`}`;
  const times = count > 1 ? `  ${count} times` : "";
  const until = wait.until === Infinity ? "" : `, for ${seconds(wait.until - at)} more at most`;
  const where = place === undefined
    ? ""
    : `  ${place.short}${place.by === undefined ? "" : `  ${place.by}`}`;
  const isLock = KINDS[wait.kind] === "Lock" || KINDS[wait.kind] === "RLock";
  const holder = isLock ? nameOf(wait.holder, all) : undefined;
  const held = holder === undefined ? "" : `  held by ${holder}`;
  return `  ${what}${times}  ${seconds(at - wait.since)}${until}${held}${where}`;
}

/** The name of the process with a token; undefined where it isn't known. */
export function nameOf(token: number, all: Seen[]): string | undefined {
  if (token === 0) return undefined;
  for (const { process } of each(all)) if (process.token === token) return harmless(process.name);
  return undefined;
}
