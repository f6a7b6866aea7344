// The modules whose code called into this package, found on the stack. A program may have replaced
// Error.prepareStackTrace, or may have frozen Error.

import { pathToFileURL } from "node:url";
import { isBundled, isInlined, isPart } from "./bundle.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayPrototypeConcat,
  ArrayPrototypeFilter,
  ArrayPrototypeFlatMap,
  ArrayPrototypeIncludes,
  ArrayPrototypeMap,
  each,
  Error,
  listOf,
  matchesOf,
  Object,
  Reflect,
  RegExpPrototypeTest,
  SafeSet,
  StringPrototypeStartsWith,
  URL,
} = primordials;

/**
 * The folder of this package's own code; empty where that code is in one file with the program's, or in the
 * bundled text.
 */
const ownCode: string = isInlined || isBundled ? "" : new URL("../", import.meta.url).href;

/** The URLs of the entry points, which stand outside of that folder. */
const entryPoints = ArrayPrototypeMap(
  ["../mod.ts", "../local.ts", "../redis.ts", "../worker.ts", "../monitor.ts"],
  (name) => URL.canParse(name, ownCode) ? new URL(name, ownCode).href : "",
);

/** The folder of this package's files, in a child that runs from the bundled text; empty where it isn't needed. */
let files = "";

/** Sets the folder of this package's files, in such a child. */
export function knowFiles(folder: string): void {
  files = folder;
}

/** The beginning of the main module's URL in every child. No module of a user's begins so. */
export const MAIN = "data:text/javascript,/*multiprocessing*/";

const { captureStackTrace } = Error;
const { defineProperty, getOwnPropertyDescriptor } = Object;

/** How many frames of the stack are read. */
const FRAMES = 200;

/** The URLs of the modules on the stack, the nearest first, without those of this package. */
export function callers(): string[] {
  const urls = new SafeSet<string>();
  for (const url of each(urlsOnStack())) {
    if (isOwn(url) || !RegExpPrototypeTest(/^(?!ext:|node:)[a-z]+:/, url)) continue;
    urls.add(url);
  }
  // A bundler may have put this package beside the program, or into the same module.
  const others = ArrayPrototypeFilter(listOf(urls), (url) => url !== import.meta.url);
  return others.length < urls.size ? ArrayPrototypeConcat(others, [import.meta.url]) : others;
}

/** Whether a module is one of this package's, or the main module of one of its children. */
export function isOwn(url: string): boolean {
  if (StringPrototypeStartsWith(url, MAIN) || isPart(url)) return true;
  if (files !== "" && isOneOf(url, files)) return true;
  return ownCode !== "" && StringPrototypeStartsWith(url, ownCode) ||
    ArrayPrototypeIncludes(entryPoints, url);
}

/** Whether a module is one of the files in this package's folder. */
function isOneOf(url: string, folder: string): boolean {
  if (StringPrototypeStartsWith(url, `${folder}lib/`)) return true;
  return url === `${folder}mod.ts` || url === `${folder}local.ts` || url === `${folder}redis.ts` ||
    url === `${folder}worker.ts` || url === `${folder}monitor.ts`;
}

function urlsOnStack(): string[] {
  // The call sites, because Deno shortens long URLs in the text of a stack.
  const sites = withProperties(
    { stackTraceLimit: FRAMES, prepareStackTrace: (_: unknown, sites: unknown) => sites },
    stackHere,
  );
  if (Array.isArray(sites)) {
    return ArrayPrototypeFlatMap(
      sites as NodeJS.CallSite[],
      (site) => urlOf(site) ?? [],
    );
  }
  const text = typeof sites === "string" ? sites : "";
  return ArrayPrototypeMap(
    matchesOf(/^ {4}at (?:.*\()?([a-z]+:.*?):\d+:\d+\)?$/gm, text),
    ({ 1: url }) => url,
  );
}

/**
 * The URL of a call site's module: its file name, and not a name that the code gives itself ("[eval]", or the
 * sourceURL of a bundler). For files V8 gives the path.
 */
function urlOf(site: NodeJS.CallSite): string | undefined {
  const name = site.getFileName();
  if (name === null) return undefined;
  return RegExpPrototypeTest(/^(\/|[A-Z]:\\)/, name) ? pathToFileURL(name).href : name;
}

function stackHere(): unknown {
  const holder: { stack?: unknown } = {};
  captureStackTrace(holder);
  return holder.stack;
}

/** Calls `work` while Error has these properties, where Error can be changed. */
function withProperties<T>(properties: Record<string, unknown>, work: () => T): T {
  const before = ArrayPrototypeMap(
    Object.keys(properties),
    (name) => [name, getOwnPropertyDescriptor(Error, name)] as const,
  );
  for (const name of each(Object.keys(properties))) {
    set(name, { value: properties[name], writable: true, enumerable: true, configurable: true });
  }
  try {
    return work();
  } finally {
    for (const { 0: name, 1: descriptor } of each(before)) {
      if (descriptor === undefined) Reflect.deleteProperty(Error, name);
      else set(name, descriptor);
      // Of a sealed process (lib/child/bounded_stacks.ts).
      if (isFixed(descriptor)) Reflect.set(Error, name, Reflect.get(Error, name));
    }
  }
}

function set(name: string, descriptor: PropertyDescriptor): void {
  try {
    defineProperty(Error, name, descriptor);
  } catch {
    // Error is frozen, or the property can't be changed.
    if (isFixed(getOwnPropertyDescriptor(Error, name))) Reflect.set(Error, name, descriptor.value);
  }
}

/** Whether a property is given by functions, and can't be changed but by them. */
function isFixed(descriptor: PropertyDescriptor | undefined): boolean {
  return descriptor?.set !== undefined && !descriptor.configurable;
}
