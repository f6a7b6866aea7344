// The crash report of a process that ended badly, in shared memory: either the error of the target as text,
// which the process leaves for its host to print; or the error for which the worker couldn't run, which the
// host leaves for the starter. It is shared memory and no message, because when the end is noticed a message
// could still be on its way to a listener, where it can't be received synchronously (measured: 1 in 20).

import { recreateFailure } from "../transfer/recreate_error.ts";
import { isEmpty, newResultBuffer, read, writeTo } from "./result_buffer.ts";
import * as primordials from "../platform/primordials.ts";

const { hasValue, StringPrototypeSlice } = primordials;

/** The longest error that is printed whole, in UTF-16 code units. */
const MAX_WORDS = 2 ** 15;
/** How much is printed of the end of a longer error: the stack. */
const TAIL = 2 ** 12;

/** New shared memory for a crash report. */
export function newCrashReport(): SharedArrayBuffer {
  const header = 2 ** 6;
  return newResultBuffer(2 * MAX_WORDS + header);
}

/** Leaves an error as text. */
export function leaveWords(report: SharedArrayBuffer, words: string): void {
  const isLong = words.length > MAX_WORDS;
  const said = isLong
    ? `${StringPrototypeSlice(words, 0, MAX_WORDS - TAIL)} … ${StringPrototypeSlice(words, -TAIL)}`
    : words;
  writeTo(report).returned(said);
}

/** Where this process leaves the error it ends with; undefined where the host reads nothing of this process. */
let own: SharedArrayBuffer | undefined;

/** Called once in a started process. */
export function useCrashReport(report: SharedArrayBuffer | undefined): void {
  own = report;
}

/** Leaves an error of this process as text; false where the host reads nothing of this process. */
export function leaveOwnWords(words: string): boolean {
  if (own !== undefined) leaveWords(own, words);
  return own !== undefined;
}

/** The text that a process left; undefined if it left none. Not to be called for a process that may be hostile. */
export function wordsLeft(report: SharedArrayBuffer): unknown {
  const found = read(report);
  return found && hasValue(found) ? found.value : undefined;
}

/** Leaves the error for which a worker couldn't run, unless the process has left a text. */
export function leaveError(report: SharedArrayBuffer, error: unknown): void {
  if (isEmpty(report)) writeTo(report).threw(error);
}

/** The error that leaveError() left; undefined if there is none. */
export function errorLeft(report: SharedArrayBuffer): unknown {
  const found = read(report);
  return found && "failure" in found ? recreateFailure(found.failure) : undefined;
}
