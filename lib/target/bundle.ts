// Where a child by source gets this package from: its own text as one module, so that nothing has
// to be read. In a program that imports the package from its modules the text is generated
// (bundle_text.ts, by `deno task generate`); a child that runs from such a text is that module.
//
// The text goes by one blob: URL for the whole program; why, and what that relies on, is told in
// lib/platform/object_urls.ts.

import { isObjectUrl, newObjectUrl } from "../platform/object_urls.ts";
import { core, exportNames, localNames, rest } from "./bundle_text.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeJoin, JSON, RegExpPrototypeTest } = primordials;

/** Whether this is such a child: the bundled text doesn't hold itself. */
export const isBundled: boolean = core === "";

/** Whether a bundler has put this package into a module of the user's, where its own files aren't. */
export const isInlined: boolean = !isBundled &&
  !RegExpPrototypeTest(/\/lib\/target\/bundle\.[cm]?[jt]s$/, import.meta.url ?? "");

/** The symbol under which a child that imports a bundle leaves a function for what it is to run first. */
export const LOADER = "@multiproc/multiprocessing:child";

/** The URLs of the parts: of `core`, and of the module that has all. */
let coreUrl = "", wholeUrl = "";

/** Called by the rest of the text, in a child that has it. */
export function knowRest(url: string): void {
  wholeUrl = url;
}

/** The URL of the package as one module. Processes with permissions of their own can't revoke it: child/lockdown.ts. */
export function runtimeUrl(): string {
  makeUrls();
  return wholeUrl;
}

/** The URL of that part of it that exports boot(), and is enough for a child that uses nothing of the package. */
export function childUrl(): string {
  makeUrls();
  return coreUrl;
}

function makeUrls(): void {
  if (isBundled) {
    coreUrl = import.meta.url;
    return;
  }
  // Any worker of the program can revoke them.
  if (isObjectUrl(coreUrl) && isObjectUrl(wholeUrl)) return;
  coreUrl = newObjectUrl(core);
  wholeUrl = newObjectUrl(ArrayPrototypeJoin(rest, JSON.stringify(coreUrl)));
}

/** Whether a module is one of the parts, in a child that runs from them. */
export function isPart(url: string): boolean {
  return isBundled && (url === import.meta.url || url === wholeUrl);
}

/** What that module exports and a function by source may use. */
export function runtimeExports(): readonly string[] {
  return exportNames;
}

/** The texts of mod.ts and local.ts for a child that runs from that text: they export what is in it. */
export function entryPoints(): { mod: string; local: string } {
  const from = JSON.stringify(runtimeUrl());
  return {
    mod: `export { ${ArrayPrototypeJoin(exportNames, ", ")} } from ${from};`,
    local: `import { multiprocessing$local } from ${from};
export const { ${ArrayPrototypeJoin(localNames, ", ")} } = multiprocessing$local;`,
  };
}
