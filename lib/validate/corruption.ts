// Corruption: shared memory that was handed to a hostile process may hold anything. A reader of such memory may
// get wrong values, but never waits for ever or loses its way: impossible values lead to an error.

import { InvalidStateError } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";

const { SharedArrayBuffer, TypeError, WeakSet, WeakSetPrototypeAdd, WeakSetPrototypeHas } =
  primordials;

/** More attempts in a row than honest processes can make necessary. */
const MAX_ATTEMPTS = 10_000;

/** The error for shared memory whose content this library can't have written. */
export function corrupted(what: string): InvalidStateError {
  return new InvalidStateError(
    `The shared memory of this ${what} is damaged: a process that has it has written into it by other means. ` +
      `Make a new ${what}, and don't hand it to code you don't trust.`,
  );
}

const ofHeldLocks = new WeakSet<object>();

/**
 * The error for a lock word in memory that hostile code can write, which is held longer than any process that runs
 * holds it: by hostile code, or by a process that has no processor at the moment, or that is ending.
 */
export function heldTooLong(): InvalidStateError {
  const error = corrupted("object");
  WeakSetPrototypeAdd(ofHeldLocks, error);
  return error;
}

/** Whether heldTooLong() made an error: then nothing was done, and trying again later may succeed. */
export function isHeldTooLong(error: unknown): boolean {
  return typeof error === "object" && error !== null && WeakSetPrototypeHas(ofHeldLocks, error);
}

/** Throws the error of corrupted() if honest processes can't have made so many attempts necessary. */
export function checkAttempts(attempts: number, what: string): void {
  if (attempts > MAX_ATTEMPTS) throw corrupted(what);
}

/** Returns a value that arrived, if it is shared memory of at least `least` bytes; throws a TypeError otherwise. */
export function arrivedMemory(value: unknown, least: number): SharedArrayBuffer {
  if (value instanceof SharedArrayBuffer && value.byteLength >= least) return value;
  throw new TypeError("What has arrived is not made of shared memory: somebody has forged it.");
}
