// Interruptible making of arrays.
//
//   fixed length      V8 leaves the check for interruptions out of an optimized loop that contains a call,
//                     because a callee checks; but the builtin that makes arrays of a fixed length doesn't
//                     check. `while (true) all.push(Array(1000).fill(0))`, the simplest way to fill a heap,
//                     could not be stopped by anything, and took all the memory there is.
//
// So in a process with a limit, `Array` is a proxy whose handlers are functions, which check.

import * as primordials from "./primordials.ts";

const { Proxy, Reflect } = primordials;

/** Called once in a process with a limit, before any code of the user's runs. */
export function makeArraysByFunction(): void {
  const original = globalThis.Array;
  const made: typeof Array = new Proxy(original, {
    construct: (_, args, newTarget) => {
      return Reflect.construct(original, args, newTarget === made ? original : newTarget);
    },
    apply: (_, self, args) => Reflect.apply(original, self, args),
  });
  // The `constructor` of arrays stays: replaced, it would make map, filter and slice twenty times slower.
  globalThis.Array = made;
}
