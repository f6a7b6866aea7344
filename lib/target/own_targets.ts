// Targets of this package's own, such as the loop of a pool's workers. By reference they come from a module of
// this package, by source from the text that holds the whole package. The program's modules have no part in
// that.

import * as primordials from "../platform/primordials.ts";

const { SafeMap } = primordials;

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => unknown;

/** The place where a target of this package's own is found. */
export interface OwnTarget {
  /** The path of the module, relative to lib/child. */
  path: string;
  /** The name of the export, of that module and of the runtime (tools/generate_runtime.ts). */
  name: string;
}

const targets = new SafeMap<unknown, OwnTarget>();

/** Registers where a function of this package is found in a child. */
export function registerOwnTarget(code: AnyFunction, target: OwnTarget): void {
  targets.set(code, target);
}

/** Where a function is found in a child, if it is registered as this package's own. */
export function ownTarget(code: unknown): OwnTarget | undefined {
  return targets.get(code);
}
