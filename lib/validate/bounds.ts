// How much a queue or a pipe may hold, as users say it.

import { option } from "./options.ts";
import { checkWhole } from "./numbers.ts";

/** What may be on its way where nobody says otherwise, in bytes. */
export const DEFAULT_MAX_BYTES = 2 ** 30;
/** The least and the most maxBytes there can be: what a ring in shared memory has room for. */
const MIN_BYTES = 64, MAX_BYTES = 2 ** 31 - 16;
const MAX_RECORDS = 2 ** 31 - 1;

/** The bounds, checked; without one, maxSize is 0 and maxBytes 2 ** 30. */
export function checkBounds(
  options: { maxSize?: number; maxBytes?: number },
): { maxSize: number; maxBytes: number } {
  const { maxSize = 0, maxBytes = DEFAULT_MAX_BYTES } = {
    maxSize: option(options, "maxSize"),
    maxBytes: option(options, "maxBytes"),
  };
  checkMaxSize(maxSize);
  checkWhole("maxBytes", maxBytes, MIN_BYTES, MAX_BYTES, "the default is 2 ** 30");
  return { maxSize, maxBytes };
}

/** How many records there may be. */
export function checkMaxSize(maxSize: unknown): number {
  return checkWhole("maxSize", maxSize, 0, MAX_RECORDS, "0 for no bound");
}
