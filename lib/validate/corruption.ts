// Corruption: shared memory that was handed to a hostile process may hold anything. A reader of such memory may
// get wrong values, but never waits for ever or loses its way: impossible values lead to an error.

import { InvalidStateError } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";

const { SharedArrayBuffer, TypeError } = primordials;

/** More attempts in a row than honest processes can make necessary. */
const MAX_ATTEMPTS = 10_000;

/** The error for shared memory whose content this library can't have written. */
export function corrupted(what: string): InvalidStateError {
  return new InvalidStateError(
    `The shared memory of this ${what} is damaged: a process that has it has written into it by other means. ` +
      `Make a new ${what}, and don't hand it to code you don't trust.`,
  );
}

/** Throws that error if honest processes can't have made so many attempts necessary. */
export function checkAttempts(attempts: number, what: string): void {
  if (attempts > MAX_ATTEMPTS) throw corrupted(what);
}

/** Returns a value that arrived, if it is shared memory of at least `least` bytes; throws a TypeError otherwise. */
export function arrivedMemory(value: unknown, least: number): SharedArrayBuffer {
  if (value instanceof SharedArrayBuffer && value.byteLength >= least) return value;
  throw new TypeError("What has arrived is not made of shared memory: somebody has forged it.");
}
