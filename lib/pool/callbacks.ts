// Calls of the program's own callbacks: an error that one throws is reported, and ends nothing of the pool.

import * as primordials from "../platform/primordials.ts";

const { console, Reflect } = primordials;

/** Calls a callback, and prints what it throws. */
export function callBack<A extends unknown[]>(
  name: string,
  callback: (...args: A) => unknown,
  ...args: A
): void {
  try {
    // Not spread: that calls the array iterator, which a program may have replaced.
    Reflect.apply(callback, undefined, args);
  } catch (error) {
    console.error(`A callback of a pool, ${name}, has failed:`, error);
  }
}
