// Promises that come where none can be awaited.

import * as primordials from "../platform/primordials.ts";

const { Promise, PromisePrototypeThen, ToObject } = primordials;

/**
 * Whether a function has returned a promise. The caller then refuses the result and reports that; a later
 * rejection of the promise isn't reported, as nothing awaits it.
 */
export function isThenable(result: unknown): boolean {
  if (result === null || result === undefined || typeof ToObject(result).then !== "function") {
    return false;
  }
  PromisePrototypeThen(Promise.resolve(result), undefined, () => {});
  return true;
}
