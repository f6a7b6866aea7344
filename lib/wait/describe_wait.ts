// Waits in words. Texts of other processes may hold anything: they are printed without control characters, and cut.

import { BLOCKING } from "../liveness/wait_board.ts";
import type { ReadProcess, ReadWait } from "./read_board.ts";
import {
  BARRIER,
  CONDITION,
  CONNECTION,
  EVENT,
  JOIN,
  KINDS,
  LOCK,
  PROCESS,
  PUT,
  QUEUE,
  RLOCK,
  SEMAPHORE,
  VERBS,
} from "./subject.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  Date,
  Math,
  NumberPrototypeToFixed,
  RegExpPrototypeExec,
  StringFromCharCode,
  StringPrototypeCharCodeAt,
  StringPrototypeSlice,
} = primordials;

/** The most characters of a text from another process. */
const MOST = 240;

/** A text that may come from a hostile process, without control characters (ANSI escapes, line ends), and cut. */
export function harmless(text: string): string {
  let plain = "";
  for (let i = 0; i < text.length && i < MOST; i++) {
    const code = StringPrototypeCharCodeAt(text, i);
    const isControl = code < 0x20 || code >= 0x7f && code < 0xa0 || code === 0x2028 ||
      code === 0x2029 || code >= 0x202a && code <= 0x202e || code >= 0x2066 && code <= 0x2069;
    plain += isControl ? "\ufffd" : StringFromCharCode(code);
  }
  return plain;
}

/** How the objects of each kind are called in a sentence. */
const WORDS = [
  "",
  "queue",
  "pipe",
  "lock",
  "RLock",
  "semaphore",
  "event",
  "condition",
  "barrier",
  "process",
];

/** The call that waits: "Queue.getSync"; "" where it is none that users call. */
export function callOf({ kind, verb, way }: Pick<ReadWait, "kind" | "verb" | "way">): string {
  const name = KINDS[kind] ?? "", method = VERBS[verb] ?? "";
  if (name === "" || method === "") return "";
  return `${name}.${method}${(way & BLOCKING) === 0 ? "" : "Sync"}`;
}

/** The object: `queue 1 "lines"`. */
export function objectOf({ kind, number, name }: Pick<ReadWait, "kind" | "number" | "name">) {
  if (kind === PROCESS) return `"${harmless(name)}"`;
  const word = WORDS[kind] ?? "";
  const numbered = number > 0 ? `${word} ${number}` : `a ${word}`;
  return name === "" ? numbered : `${numbered} "${harmless(name)}"`;
}

/** How the object was when the waiter last looked, in words; undefined while that isn't known. */
export function stateOf(wait: ReadWait): string | undefined {
  const { kind, verb, size, most, checked } = wait;
  if (checked === 0) return undefined;
  switch (kind) {
    case CONNECTION:
      return size === 0 ? "empty" : `${size} messages`;
    case QUEUE:
      if (verb === JOIN) return undefined;
      if (verb === PUT) return most > 0 ? `full, ${size} of ${most}` : `full, ${size} items`;
      return size === 0 ? "empty" : `${size} items`;
    case SEMAPHORE:
      return `${size} of ${most} permits free`;
    case EVENT:
      return "not set";
    case BARRIER:
      return `${size} of ${most} have come`;
    case CONDITION:
    case LOCK:
    case RLOCK:
    case PROCESS:
      return undefined;
  }
  return undefined;
}

/** A place in the program. */
export interface Place {
  /** The URL of the module, the line and the column. */
  at: string;
  /** The same with the name of the file alone. */
  short: string;
  /** The name of the function, if it has one. */
  by: string | undefined;
}

/** The place that a frame of a stack tells; undefined if it tells none. */
export function placeOf(frame: string): Place | undefined {
  if (frame === "") return undefined;
  const named = RegExpPrototypeExec(/^(?:async )?([^()]*?) \((.*)\)$/, frame);
  const at = harmless(named === null ? frame : named[2]);
  const file = RegExpPrototypeExec(/([^/,\s()]{1,60}:\d+:\d+)\)*$/, at);
  const by = named === null || named[1] === "" ? undefined : harmless(named[1]);
  return { at, short: file === null ? at : file[1], by };
}

/** A time in words: "0.2 s". */
export function seconds(ms: number): string {
  return `${NumberPrototypeToFixed(Math.max(ms, 0) / 1000, 1)} s`;
}

/** A process that waits for a lock that another one holds. */
export interface Edge {
  process: ReadProcess;
  wait: ReadWait;
  /** The name of the process that holds it. */
  holder: string;
}

/** A cycle in words. */
export function describeCycle(edges: Edge[], isCertain: boolean): string {
  const now = Date.now();
  const lines = ArrayPrototypeMap(edges, ({ process, wait, holder }) => {
    const place = placeOf(wait.site), how = (wait.way & BLOCKING) === 0 ? "waits" : "is blocked";
    const since = seconds(now - wait.since);
    return `  ${harmless(process.name)} (pid ${process.pid}) ${how} for ${since} in ${
      callOf(wait)
    } of ` +
      `${objectOf(wait)}${place === undefined ? "" : ` at ${place.short}`}, ` +
      `${wait.kind === PROCESS ? "waiting for" : "held by"} ${harmless(holder)}`;
  });
  const head = isCertain
    ? "Deadlock: each waits for what the next one holds."
    : "Probably a deadlock: each waits for what the next one holds.";
  return ArrayPrototypeJoin([head, ...lines], "\n");
}

/** The first characters of a text. */
export function cut(text: string, most: number): string {
  return text.length > most ? `${StringPrototypeSlice(text, 0, most - 1)}…` : text;
}
