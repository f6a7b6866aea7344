// The exports of this package by name, which names in a function by source may stand for. The entry point
// registers itself here, because none of the modules that this package consists of may import the entry point.

import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeFilter, ArrayPrototypeFind, Object } = primordials;

/** The exports of this package, if its entry point is loaded. */
let exported: Readonly<Record<string, unknown>> = {};

/** Called by the package's entry point, with its own namespace. */
export function knowOwnExports(namespace: Readonly<Record<string, unknown>>): void {
  exported = namespace;
}

/** The name under which this package exports a value. */
export function ownExportName(value: unknown): string | undefined {
  return ArrayPrototypeFind(Object.keys(exported), (name) => exported[name] === value);
}

/** Whether this is the namespace of the package's entry point, or a namespace that includes it. */
export function isOwnNamespace(value: unknown): boolean {
  return typeof value === "object" && value !== null && "Process" in value &&
    value.Process !== undefined && value.Process === exported.Process;
}

/** The functions and classes that this package exports, by name. */
export function ownFunctions(): [string, object][] {
  return ArrayPrototypeFilter(
    Object.entries(exported),
    (entry): entry is [string, object] => typeof entry[1] === "function",
  );
}
