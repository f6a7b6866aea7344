// Where a child by source gets this package from: its own text as one module, so that nothing has
// to be read. In a program that imports the package from its modules the text is generated
// (bundle_text.ts, by `deno task generate`); a child that runs from such a text is that module.
//
// The text goes by one blob: URL for the whole program; why, and what that relies on, is told in
// lib/platform/object_urls.ts.

import { isObjectUrl, newObjectUrl } from "../platform/object_urls.ts";
import type { BundleParts } from "../protocol/bundle_parts.ts";
import { core, exportNames, localNames, rest } from "./bundle_text.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeJoin,
  JSON,
  Reflect,
  RegExpPrototypeTest,
  StringPrototypeStartsWith,
  Symbol,
  URL,
} = primordials;

/** Whether this is such a child: the bundled text doesn't hold itself. */
export const isBundled: boolean = core === "";

/** Whether a bundler has put this package into a module of the user's, where its own files aren't. */
export const isInlined: boolean = !isBundled &&
  !RegExpPrototypeTest(/\/lib\/target\/bundle\.[cm]?[jt]s$/, import.meta.url ?? "");

/** The symbol under which a child that imports a bundle leaves a function for what it is to run first. */
export const LOADER = "@multiproc/multiprocessing:child";

const loader: unknown = Reflect.get(globalThis, Symbol.for(LOADER));

/** Whether a child is importing this module within a bundle, and has not come to run its target. */
export function isLoadedByChild(): boolean {
  return typeof loader === "function";
}

/** Has such a child load the modules that it runs first. */
export function giveToChild(load: () => Promise<unknown>[]): void {
  if (typeof loader === "function") loader(load);
}

/** By object URLs, which every child can import. Processes with permissions of their own can't revoke them: child/lockdown.ts. */
let parts: BundleParts = { core: "", whole: "" };

/** The parts of the text, for any child. */
export function bundleParts(): BundleParts {
  // Any worker of the program can revoke them; a child that runs from them can't make them anew.
  if (!isBundled && !(isObjectUrl(parts.core) && isObjectUrl(parts.whole))) {
    const url = newObjectUrl(core);
    parts = { core: url, whole: newObjectUrl(ArrayPrototypeJoin(rest, JSON.stringify(url))) };
  }
  return parts;
}

/** Called in a child that runs from them, with those of its starter. */
export function adoptParts(inherited: BundleParts): void {
  parts = inherited;
}

/**
 * The same as files beside this one; undefined where this isn't a file. Deno keeps their code from one run of a program
 * to the next, so that the first start takes 20 ms less.
 */
export function bundleFiles(): BundleParts | undefined {
  if (isBundled || isInlined || !StringPrototypeStartsWith(import.meta.url, "file:")) return;
  const url = (name: string) => new URL(`./bundle/${name}.js`, import.meta.url).href;
  return { core: url("core"), whole: url("rest") };
}

/** The module that has all, in a child that runs from it. */
let here = "";

/** Called by that module. */
export function knowWhole(url: string): void {
  here = url;
}

/** The URL of the module that has all, in a child that runs from it. */
export function wholeUrl(): string {
  return here;
}

/** Whether a module is one of the parts, in a child that runs from them. */
export function isPart(url: string): boolean {
  return isBundled && (url === import.meta.url || url === here);
}

/** What that module exports and a function by source may use. */
export function runtimeExports(): readonly string[] {
  return exportNames;
}

/** The texts of mod.ts and local.ts for a child that runs from that text: they export what is in it. */
export function entryPoints(): { mod: string; local: string } {
  const from = JSON.stringify(here);
  return {
    mod: `export { ${ArrayPrototypeJoin(exportNames, ", ")} } from ${from};`,
    local: `import { multiprocessing$local } from ${from};
export const { ${ArrayPrototypeJoin(localNames, ", ")} } = multiprocessing$local;`,
  };
}
