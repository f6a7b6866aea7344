// Where a child that travels by source gets this package from: its own text, as one data: module,
// so that nothing has to be read. In a program that imports the package from its modules the text
// is generated (runtime_text.ts, by `deno task generate`); in a child that runs from such a text,
// this very module is part of it, and its URL holds all of it.

import { exportNames, text } from "./runtime_text.ts";

/** The data: URL of the package as one module. */
export function runtimeUrl(): string {
  return text === "" ? import.meta.url : `data:text/javascript;base64,${btoa(text)}`;
}

/** What that module exports and a function by source may use. */
export function runtimeExports(): readonly string[] {
  return exportNames;
}
