// The text of this package as one module, from which children run, so that nothing has to be read. In a program
// that imports the package from its modules the text is generated (bundle_text.ts, by `deno task generate`); a
// child that runs from such a text is that module.
//
// The text has one blob: URL in the whole program. The reasons, and what this relies on, are in
// lib/platform/object_urls.ts.

import { isObjectUrl, newObjectUrl } from "../platform/object_urls.ts";
import type { BundleParts } from "../protocol/bundle_parts.ts";
import { core, exportNames, localNames, redisNames, rest } from "./bundle_text.ts";
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

/** Whether this isolate runs from the bundled text. The bundled text doesn't contain itself. */
export const isBundled: boolean = core === "";

/** Whether a bundler has put this package into a module of the user's, so that its own files don't exist. */
export const isInlined: boolean = !isBundled &&
  !RegExpPrototypeTest(/\/lib\/target\/bundle\.[cm]?[jt]s$/, import.meta.url ?? "");

/**
 * The symbol under which a child that imports a bundle leaves a function, which receives a loader of the
 * modules that the child runs first.
 */
export const LOADER = "@multiproc/multiprocessing:child";

const loader: unknown = Reflect.get(globalThis, Symbol.for(LOADER));

/** Whether a child is importing this module within a bundle, and has not begun to run its target. */
export function isLoadedByChild(): boolean {
  return typeof loader === "function";
}

/** Gives such a child the loader of the modules that it runs first. */
export function giveToChild(load: () => Promise<unknown>[]): void {
  if (typeof loader === "function") loader(load);
}

/**
 * The parts by their object URLs, which every child can import. Processes with permissions of their own can't
 * revoke these URLs: child/lockdown.ts.
 */
let parts: BundleParts = { core: "", whole: "" };

/** The parts of the text, for any child. */
export function bundleParts(): BundleParts {
  // Any worker of the program can revoke the URLs. A child that runs from them can't make them anew.
  if (!isBundled && !(isObjectUrl(parts.core) && isObjectUrl(parts.whole))) {
    const url = newObjectUrl(core);
    parts = { core: url, whole: newObjectUrl(ArrayPrototypeJoin(rest, JSON.stringify(url))) };
  }
  return parts;
}

/** Takes over the starter's parts, in a child that runs from them. */
export function adoptParts(inherited: BundleParts): void {
  parts = inherited;
}

/**
 * The parts as files beside this one; undefined where this module isn't a file. Deno keeps the compiled code of
 * files from one run of a program to the next, so that the first start takes 20 ms less.
 */
export function bundleFiles(): BundleParts | undefined {
  if (isBundled || isInlined || !StringPrototypeStartsWith(import.meta.url, "file:")) return;
  const url = (name: string) => new URL(`./bundle/${name}.js`, import.meta.url).href;
  return { core: url("core"), whole: url("rest") };
}

/** The URL of the module with the whole text, in a child that runs from it. */
let here = "";

/** Called by the module with the whole text. */
export function knowWhole(url: string): void {
  here = url;
}

/** The URL of the module with the whole text, in a child that runs from it. */
export function wholeUrl(): string {
  return here;
}

/** Whether a module is one of the parts, in a child that runs from them. */
export function isPart(url: string): boolean {
  return isBundled && (url === import.meta.url || url === here);
}

/** The exports of that module that a function by source may use. */
export function runtimeExports(): readonly string[] {
  return exportNames;
}

/**
 * Texts for mod.ts, local.ts, lib/redis/core.ts and monitor.ts in a child that runs from the bundled text: they
 * re-export what is in it.
 */
export function entryPoints(): Record<"mod" | "local" | "redis" | "monitor", string> {
  const from = JSON.stringify(here);
  return {
    mod: `export { ${ArrayPrototypeJoin(exportNames, ", ")} } from ${from};`,
    local: `import { multiprocessing$local } from ${from};
export const { ${ArrayPrototypeJoin(localNames, ", ")} } = multiprocessing$local;`,
    redis: `import { multiprocessing$redis } from ${from};
export const { ${ArrayPrototypeJoin(redisNames, ", ")} } = multiprocessing$redis;`,
    monitor: `export { multiprocessing$serveMonitor as serveMonitor } from ${from};`,
  };
}
