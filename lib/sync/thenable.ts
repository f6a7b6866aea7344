// Promises where none can be waited for.

import * as primordials from "../platform/primordials.ts";

const { Promise, PromisePrototypeThen, ToObject } = primordials;

/**
 * Whether a function has returned a promise. If so it is refused, which is reported; that it may
 * reject later isn't, as nobody waits for it.
 */
export function isThenable(result: unknown): boolean {
  if (result === null || result === undefined || typeof ToObject(result).then !== "function") {
    return false;
  }
  PromisePrototypeThen(Promise.resolve(result), undefined, () => {});
  return true;
}
