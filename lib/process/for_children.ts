// The modules that only children import, by URLs made as they are started. Named here too, they belong
// to the graph of a program: what caches, vendors or compiles it takes them along. Never called.

/** The modules a child may run first. */
export function forChildren(): Promise<unknown>[] {
  return [import("./child.ts"), import("./arrivals.ts")];
}
