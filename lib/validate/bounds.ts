// The bounds of a queue or a pipe, as users give them.

import { option } from "./options.ts";
import { checkWhole } from "./numbers.ts";

/** The default of maxBytes. */
export const DEFAULT_MAX_BYTES = 2 ** 30;
/** The smallest and the largest maxBytes that an MPMC ring in shared memory can have. */
const MIN_BYTES = 64, MAX_BYTES = 2 ** 31 - 16;
const MAX_RECORDS = 2 ** 31 - 1;

/** Checks the bounds and returns them; the default of maxSize is 0, that of maxBytes is 2 ** 30. */
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

/** Checks maxSize, the largest number of records, and returns it. */
export function checkMaxSize(maxSize: unknown): number {
  return checkWhole("maxSize", maxSize, 0, MAX_RECORDS, "0 for no bound");
}
