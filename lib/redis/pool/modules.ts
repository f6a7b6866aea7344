// The modules that a worker was started with, and which of them a caller means. The same file lies in different
// folders on different machines, so that a file is known by its name, and by that of its folders where two of a
// worker's modules have the same.

import { describe } from "../core.ts";

/** A module that a worker has loaded. */
export interface LoadedModule {
  url: string;
  exports: Readonly<Record<string, unknown>>;
}

/** The parts of a URL's path, the last first. */
function partsOf(url: string): string[] {
  return new URL(url).pathname.split("/").filter((part) => part !== "").reverse();
}

/** How many parts two paths have in common at their ends. */
function inCommon(a: string[], b: string[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/** The last part of a URL. */
export function shortName(url: string): string {
  return partsOf(url)[0] ?? url;
}

/** The module of a worker that a caller means by a URL of its own; throws a TypeError if there is none. */
export function moduleFor(url: string, modules: readonly LoadedModule[]): LoadedModule {
  const same = modules.find((module) => module.url === url);
  if (same !== undefined) return same;
  const parts = partsOf(url);
  let best: LoadedModule | undefined, most = 0, isTie = false;
  for (const module of modules) {
    const n = inCommon(parts, partsOf(module.url));
    if (n > most) [best, most, isTie] = [module, n, false];
    else if (n === most && n > 0) isTie = true;
  }
  if (best !== undefined && !isTie) return best;
  const names = modules.map((module) => shortName(module.url)).join(", ");
  throw new TypeError(
    isTie
      ? `This worker has several modules that ${url} may be: ${names}. Call them by different file names.`
      : `This worker was started without a module ${shortName(url)}; it has ${names}. ` +
        `Start it with --module …/${shortName(url)}.`,
  );
}

/** Throws a TypeError unless the module exports a function of this name. */
export function checkExport({ url, exports }: LoadedModule, name: string): void {
  const found = exports[name];
  if (typeof found === "function") return;
  throw new TypeError(
    found === undefined
      ? `"${name}" is not exported by ${
        shortName(url)
      } of this worker. Export it, or start the worker anew if ` +
        "its file is an older one."
      : `"${name}", as exported by ${shortName(url)} of this worker, is ${
        describe(found)
      }. Export a function.`,
  );
}
