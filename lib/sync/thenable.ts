// Promises where none can be waited for.

import * as primordials from "../platform/primordials.ts";

const { Promise, ToObject } = primordials;

/**
 * Whether a function has returned a promise. If so it is refused, which is reported; that it may
 * reject later isn't, as nobody waits for it.
 */
export function isThenable(result: unknown): boolean {
  if (typeof ToObject(result).then !== "function") return false;
  Promise.resolve(result).catch(() => {});
  return true;
}
