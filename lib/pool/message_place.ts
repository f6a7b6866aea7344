// Errors about a place in a message to a worker, or to the process that has made the pool, as ones about a place in
// what the caller gave.

import type { Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const { Number, RangeError, RegExpPrototypeExec, StringPrototypeSlice, TypeError } = primordials;

/** The places of an item in a message that asks the maker of the pool, and in those of a worker: see protocol.ts. */
const ASKED = /^message\[2\]\.items\[(\d+)\]/,
  MANY = /^message\[2\]\[(\d+)\]/,
  ONE = /^message\[2\]()/;

/**
 * Rewrites an error about a place in a message as one about a place in the caller's arguments.
 *
 * @param isAsked whether the message asks the process that has made the pool
 */
export function placed(
  error: unknown,
  { isSpread, items, first }: Unit,
  isAsked = false,
): unknown {
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) return error;
  const form = isAsked ? ASKED : items.length === 1 ? ONE : MANY;
  const place = RegExpPrototypeExec(form, error.message);
  if (place === null) return error;
  const isCall = isSpread && items.length === 1 && first === 0;
  const given = isCall ? "args" : `items[${first + Number(place[1])}]`;
  const message = given + StringPrototypeSlice(error.message, place[0].length);
  return error instanceof TypeError ? new TypeError(message) : new RangeError(message);
}
