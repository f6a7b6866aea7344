// Errors about a place in a message to a worker, or to the process that has made the pool, as ones about a place in
// what the caller gave.

import type { Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const { Number, RangeError, RegExpPrototypeExec, StringPrototypeSlice, TypeError } = primordials;

/** Rewrites an error about a place in a message as one about a place in the caller's arguments. */
export function placed(error: unknown, { isSpread, items, first }: Unit): unknown {
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) return error;
  const place = RegExpPrototypeExec(/^message(?:\[3\]|\[2\]\.items)\[(\d+)\]/, error.message);
  if (place === null) return error;
  const isCall = isSpread && items.length === 1 && first === 0;
  const given = isCall ? "args" : `items[${first + Number(place[1])}]`;
  const message = given + StringPrototypeSlice(error.message, place[0].length);
  return error instanceof TypeError ? new TypeError(message) : new RangeError(message);
}
