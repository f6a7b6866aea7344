// What this package exports, by name: what names in a function that travels by source may stand for. The
// module that exports it says so itself, because none of those that it consists of may import it.

import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeFilter, ArrayPrototypeFind, Object } = primordials;

/** What this package exports, if its entry point is loaded. */
let exported: Readonly<Record<string, unknown>> = {};

/** Called by the package's entry point, with itself. */
export function knowOwnExports(namespace: Readonly<Record<string, unknown>>): void {
  exported = namespace;
}

/** The name under which this package exports a value. */
export function ownExportName(value: unknown): string | undefined {
  return ArrayPrototypeFind(Object.keys(exported), (name) => exported[name] === value);
}

/** Whether this is the namespace of the package's entry point, or one that holds it. */
export function isOwnNamespace(value: unknown): boolean {
  return typeof value === "object" && value !== null && "Process" in value &&
    value.Process !== undefined && value.Process === exported.Process;
}

/** The functions and classes that it exports, by name. */
export function ownFunctions(): [string, object][] {
  return ArrayPrototypeFilter(
    Object.entries(exported),
    (entry): entry is [string, object] => typeof entry[1] === "function",
  );
}
