// Where a child by source gets this package from: its own text as one module, so that nothing has
// to be read. In a program that imports the package from its modules the text is generated
// (runtime_text.ts, by `deno task generate`); a child that runs from such a text is that module.
//
// The text goes by a blob: URL, which all isolates of a program share. As a data: URL its 200 KB
// would make every start 30 ms slower, because Deno 2.9.6 handles the URL, not only what it stands for. A new
// blob: URL for each process would cost nearly as much: what Deno has parsed it keeps by the URL.

import { resolveObjectURL } from "node:buffer";
import { exportNames, text } from "./runtime_text.ts";

/** Whether this is such a child: the bundled text doesn't hold itself. */
export const isBundled: boolean = text === "";

let url: string | undefined;

/** The URL of the package as one module. Processes with permissions of their own can't revoke it: lockdown.ts. */
export function runtimeUrl(): string {
  if (isBundled) return import.meta.url;
  // Any worker of the program can revoke it.
  if (url === undefined || resolveObjectURL(url) === undefined) url = newUrl();
  return url;
}

function newUrl(): string {
  return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}

/** What that module exports and a function by source may use. */
export function runtimeExports(): readonly string[] {
  return exportNames;
}
