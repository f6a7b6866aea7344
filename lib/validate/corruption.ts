// Shared memory that was handed to a hostile process may hold anything. Whoever reads it may be told
// nonsense, but neither waits for ever nor goes astray: what can't be is an error.

import { InvalidStateError } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";

const { SharedArrayBuffer, TypeError } = primordials;

/** More attempts in a row than others can make necessary by honest work. */
const MAX_ATTEMPTS = 10_000;

/** The error of who finds what nobody of this library has written. */
export function corrupted(what: string): InvalidStateError {
  return new InvalidStateError(
    `The shared memory of this ${what} is damaged: a process that has it has written into it by other means. ` +
      `Make a new ${what}, and don't hand it to code you don't trust.`,
  );
}

/** Throws that error if so many attempts can't be honest. */
export function checkAttempts(attempts: number, what: string): void {
  if (attempts > MAX_ATTEMPTS) throw corrupted(what);
}

/** What has arrived as shared memory, of so many bytes at least; throws a TypeError if it isn't. */
export function arrivedMemory(value: unknown, least: number): SharedArrayBuffer {
  if (value instanceof SharedArrayBuffer && value.byteLength >= least) return value;
  throw new TypeError("What has arrived is not made of shared memory: somebody has forged it.");
}
