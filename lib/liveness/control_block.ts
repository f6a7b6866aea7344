// The control block of a process: a few words of shared memory that the process, the one that
// started it and the isolate that hosts it can all see. Who writes which word:
//
//   EXIT       the host, once, when the process has ended; 0 while it lives
//   FINISHED   the process itself, as its last step before its host ends it
//   KILL       whoever terminates or kills it, once; 0 while nobody has
//   CRITICAL   the process itself: 1 while it holds a lock word of a structure others use
//   STOPPED    the host, when it gives the order to end the worker, after KILL
//   LOADED     the process itself, once its modules are loaded: when, in ms of the wall clock
//   CLAIM      whoever is to host it, by compare-and-swap: main, or its starter
//   ASKED      the starter, when somebody asked for its result
//   LIMIT      the host, when it ends the process because of a limit: which one
//   BEATS      the process itself: see lib/protocol/heartbeat.ts
//
// What the host writes of the end, EXIT, LIMIT and the eventcount, is in another block like this, its fate, where
// the process has permissions of its own and may be hostile: that one it doesn't see.
//
// EXIT and FINISHED hold 0 until they are written; a code from 0 up is written as one more.

import * as primordials from "../platform/primordials.ts";

const { Atomics, Int32Array, Math, SharedArrayBuffer, Symbol } = primordials;

/** Word offsets in a control block. */
export const EXIT = 0,
  FINISHED = 1,
  KILL = 2,
  LOADED = 3,
  CLAIM = 4,
  ASKED = 5,
  STOPPED = 6,
  LIMIT = 7,
  BEATS = 8;
/** On a cache line of its own: its owner writes it twice an operation. */
export const CRITICAL = 16;
/** The eventcount (lib/wait/eventcount.ts) that opens when the process has ended. */
export const END_GATE = 32;
/** Never written: a word to sleep on until the host ends the isolate. */
export const NEVER = 48;
/** Never written either: the process lies on it as long as its isolate is there. */
export const PULSE = 49;
const WORDS = 64;

/** Values of CLAIM. */
export const UNCLAIMED = 0, BY_MAIN = 1, BY_STARTER = 2;

/** Values of LIMIT. */
export const NO_LIMIT = 0, TIME_LIMIT = 1, MEMORY_LIMIT = 2;

/** A new control block, of a process that lives. */
export function newControl(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(WORDS * 4));
}

/** The code a word of EXIT or FINISHED stands for, or null while it is unwritten. */
export function readCode(control: Int32Array, word: number): number | null {
  const value = Atomics.load(control, word);
  return value === 0 ? null : value > 0 ? value - 1 : value;
}

/** Writes an exit code once; false if there was one. */
export function writeCode(control: Int32Array, word: number, code: number): boolean {
  const value = code < 0 ? code : Math.min(code, 2 ** 31 - 2) + 1;
  return Atomics.compareExchange(control, word, 0, value) === 0;
}

/** Whether this is what newControl() makes: somebody else says so. */
export function isControl(value: unknown): value is Int32Array {
  return value instanceof Int32Array && value.buffer instanceof SharedArrayBuffer &&
    value.length === WORDS;
}

/** Whether a process may take no further step: it has taken its last, or is being ended. */
export function isOver(control: Int32Array): boolean {
  return Atomics.load(control, FINISHED) !== 0 || Atomics.load(control, KILL) !== 0;
}

/** In the global scope, because a second copy of this package in the isolate must use the same. */
const OWN = Symbol.for("@multiproc/multiprocessing/control");
const global: typeof globalThis & { [OWN]?: Int32Array } = globalThis;

let own = global[OWN] ??= newControl();

/** The control block of the process this isolate is. */
export function ownControl(): Int32Array {
  return own;
}

/** Called once in a sealed process: nobody else in its isolate is to find it. */
export function hideControl(): void {
  delete global[OWN];
}

/** Called once, as the first step of a started process. */
export function adoptControl(control: Int32Array): void {
  own = global[OWN] = control;
}
