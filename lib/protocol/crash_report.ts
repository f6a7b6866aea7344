// What is left, in shared memory, of a process that ended badly: either the error of its target in words,
// which the process leaves itself for its host to print; or the error for which its worker couldn't run,
// which the host leaves for the starter. Shared memory and not a message, because a message could still
// be on its way to a listener, where nobody can take it, when the end is noticed (measured: 1 in 20).

import { recreateFailure } from "../transfer/recreate_error.ts";
import { isEmpty, newResultBuffer, read, writeTo } from "./result_buffer.ts";
import * as primordials from "../platform/primordials.ts";

const { hasValue, StringPrototypeSlice } = primordials;

/** The longest error that is printed whole, in UTF-16 code units. */
const MAX_WORDS = 2 ** 15;
/** So much of the end of a longer one is printed: the stack. */
const TAIL = 2 ** 12;

/** New shared memory for one. */
export function newCrashReport(): SharedArrayBuffer {
  const header = 2 ** 6;
  return newResultBuffer(2 * MAX_WORDS + header);
}

/** Leaves an error in words. */
export function leaveWords(report: SharedArrayBuffer, words: string): void {
  const isLong = words.length > MAX_WORDS;
  const said = isLong
    ? `${StringPrototypeSlice(words, 0, MAX_WORDS - TAIL)} … ${StringPrototypeSlice(words, -TAIL)}`
    : words;
  writeTo(report).returned(said);
}

/** The words that a process left; undefined if it left none. Not of one that may be hostile. */
export function wordsLeft(report: SharedArrayBuffer): unknown {
  const found = read(report);
  return found && hasValue(found) ? found.value : undefined;
}

/** Leaves the error for which a worker couldn't run, unless there are words. */
export function leaveError(report: SharedArrayBuffer, error: unknown): void {
  if (isEmpty(report)) writeTo(report).threw(error);
}

/** That error; undefined if there is none. */
export function errorLeft(report: SharedArrayBuffer): unknown {
  const found = read(report);
  return found && "failure" in found ? recreateFailure(found.failure) : undefined;
}
