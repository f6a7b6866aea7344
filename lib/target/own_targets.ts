// Targets of this package's own, such as what the workers of a pool run. By reference they come from a module of
// this package, by source from the text that holds all of it; the program's modules have no part in that.

import * as primordials from "../platform/primordials.ts";

const { SafeMap } = primordials;

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => unknown;

/** Where a target of this package's own is found. */
export interface OwnTarget {
  /** Its module, relative to lib/child. */
  path: string;
  /** What it is exported as, there and by the runtime (tools/generate_runtime.ts). */
  name: string;
}

const targets = new SafeMap<unknown, OwnTarget>();

/** Says where a function of this package is found in a child. */
export function registerOwnTarget(code: AnyFunction, target: OwnTarget): void {
  targets.set(code, target);
}

/** Where it is found, if it is one of this package's. */
export function ownTarget(code: unknown): OwnTarget | undefined {
  return targets.get(code);
}
