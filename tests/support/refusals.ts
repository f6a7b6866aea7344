// Checks that bad input is refused: with the right class of error, and a message that names the fault and
// a way out.

import assert from "node:assert/strict";
import { type Process, ProcessError } from "../../mod.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

export type ErrorClass = abstract new (...args: never[]) => Error;

/** What the compiler would refuse, too. */
// deno-lint-ignore no-explicit-any -- it has to pass for every type
export function wrong(value: unknown): any {
  return value;
}

/** Checks that a call throws this class of error, and that its message has all the patterns. */
export function refused(call: () => unknown, errorClass: ErrorClass, ...patterns: RegExp[]): void {
  let thrown: unknown;
  try {
    const result = call();
    if (result instanceof Promise) result.catch(() => {});
  } catch (error) {
    thrown = error;
  }
  checkError(thrown, errorClass, patterns);
}

/** The same of a call that returns a promise: it must reject, and not throw. */
export async function rejected(
  call: () => Promise<unknown>,
  errorClass: ErrorClass,
  ...patterns: RegExp[]
): Promise<void> {
  const promise = call();
  checkError(await promise.then(() => undefined, (error) => error), errorClass, patterns);
}

/** The same of what a process failed with. */
export async function failed(
  process: Process,
  errorClass: ErrorClass,
  ...p: RegExp[]
): Promise<void> {
  process.start();
  const error = await process.result(bound).then(() => undefined, (error) => error);
  checkError(error, ProcessError, []);
  assert.equal(error.exitCode, 1);
  checkError(error.cause, errorClass, p);
}

function checkError(error: unknown, errorClass: ErrorClass, patterns: RegExp[]): void {
  assert.ok(error instanceof errorClass, `not a ${errorClass.name}: ${error}`);
  for (const pattern of patterns) assert.match(error.message, pattern);
  assert.match(error.message, /^[^]+[.] [A-Z][^]+[.]$/, "a sentence, and what to do");
}

/** A call by one of the faces: refused at the call, or by a rejection where it is asynchronous. */
export function fails(
  face: string,
  call: () => unknown,
  errorClass: ErrorClass,
  ...patterns: RegExp[]
): void | Promise<void> {
  if (/Nowait|Sync/.test(face)) return refused(call, errorClass, ...patterns);
  return rejected(() => wrong(call()), errorClass, ...patterns);
}
