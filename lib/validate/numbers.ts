// How much may be on its way in shared memory, checked as users give it.

import { describe } from "./describe.ts";
import { option } from "./options.ts";
import { LEAST_BYTES, MOST_BYTES } from "../shm/mpmc_ring.ts";
import * as primordials from "../platform/primordials.ts";

const { Number, RangeError, TypeError } = primordials;

/** What may be on its way where nobody says otherwise, in bytes. */
export const DEFAULT_MAX_BYTES = 2 ** 30;
const MOST_RECORDS = 2 ** 31 - 1;

/** The bounds, checked; without one, maxSize is 0 and maxBytes 2 ** 30. */
export function checkBounds(
  options: { maxSize?: number; maxBytes?: number },
): { maxSize: number; maxBytes: number } {
  const { maxSize = 0, maxBytes = DEFAULT_MAX_BYTES } = {
    maxSize: option(options, "maxSize"),
    maxBytes: option(options, "maxBytes"),
  };
  checkMaxSize(maxSize);
  checkWhole("maxBytes", maxBytes, LEAST_BYTES, MOST_BYTES, "the default is 2 ** 30");
  return { maxSize, maxBytes };
}

/** How many records there may be. */
export function checkMaxSize(maxSize: unknown): number {
  checkWhole("maxSize", maxSize, 0, MOST_RECORDS, "0 for no bound");
  return maxSize as number;
}

/** A whole number in a range; the hint says what it stands for. */
export function checkWhole(
  what: string,
  value: unknown,
  least: number,
  most: number,
  hint: string,
): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `${what} is ${describe(value)}, not a number. Give a whole number, ${hint}.`,
    );
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(
      `${what} is ${value}. Give a whole number from ${least} to ${most}; ${hint}.`,
    );
  }
}
