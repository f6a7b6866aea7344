// The modules that only children import, by URLs made as they are started. Named here too, they belong to
// the graph of a program: what caches, vendors or compiles it takes them along.
//
// A bundler puts them into a module of the user's, where a child can't import them by themselves. There it
// imports that module, having left a function that is given them: see target/target.ts.

import { LOADER } from "../target/bundle.ts";

/** The modules a child may run first. */
export function forChildren(): Promise<unknown>[] {
  return [import("./boot.ts"), import("./deserializers.ts"), import("../pool/pool.ts")];
}

const loader: unknown = Reflect.get(globalThis, Symbol.for(LOADER));
if (typeof loader === "function") loader(forChildren);

/** Whether a child is importing this module within a bundle, and has not come to run its target. */
export function isLoadedByChild(): boolean {
  return typeof loader === "function";
}
