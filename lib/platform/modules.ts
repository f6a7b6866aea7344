// What Deno knows about the modules an isolate has loaded: their text, as V8 runs it, and their exports. Deno
// answers both at once, needs no permission for it and evaluates nothing that has not been evaluated. An
// unexpected answer of another Deno version means "unknown".
//
// Deno 2.9.4 to 2.9.6, through what node:module offers:
// - the loader of ".cjs" files reads any module of the program's graph without read permission, from the
//   disk, and transpiles TypeScript and JSX to the text that V8 runs;
// - the loader of ".mjs" files answers the namespace of a module that is evaluated, and refuses one that
//   is still evaluating, or has top-level await in its graph;
// - a module compiled from a text links only with modules that are loaded already;
// - stripTypeScriptTypes transpiles as the loader of modules does.

import module from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as primordials from "./primordials.ts";

const {
  ArrayPrototypeEvery,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  crypto,
  Error,
  JSON,
  Reflect,
  RegExpPrototypeTest,
  StringPrototypeStartsWith,
  URL,
} = primordials;

/** The exports of a module. */
export type Namespace = Record<string, unknown>;

interface Loading {
  exports: Namespace;
}

type Loader = (loading: object, path: string) => void;

/** The members of node:module's class that are used here. */
interface ModuleClass {
  _extensions: Record<string, Loader>;
  stripTypeScriptTypes(text: string, options: { mode: "transform" }): string;
  prototype: {
    _compile(this: Loading, text: string, path: string, format: "module", fromHook: true): void;
  };
}

const { _extensions, stripTypeScriptTypes, prototype: { _compile } } =
  module as unknown as ModuleClass;
const loadText = _extensions[".cjs"], loadNamespace = _extensions[".mjs"];

/**
 * The path of a file: URL, if pathToFileURL() makes the same URL from that path; so it is for modules without a
 * query.
 */
function pathOf(url: string): string | undefined {
  if (!StringPrototypeStartsWith(url, "file:")) return undefined;
  try {
    const path = fileURLToPath(url);
    return pathToFileURL(path).href === url ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Whether all of these ES modules are loaded, evaluated or not. */
export function areLoaded(urls: readonly string[]): boolean {
  try {
    const imports = ArrayPrototypeJoin(
      ArrayPrototypeMap(urls, (url) => `import ${JSON.stringify(url)};`),
      "",
    );
    // The module is linked and never evaluated: a module with top-level await can't be evaluated synchronously.
    compile(`${imports} await undefined;`);
    return false;
  } catch (error) {
    return isAsyncError(error);
  }
}

/**
 * The text of a local module as V8 runs it; undefined where Deno doesn't tell it.
 *
 * @param url of a module that is loaded, or that may be read: for other modules Deno would ask the person at
 *   the terminal
 */
export function loadedText(url: string): string | undefined {
  const path = pathOf(url);
  if (path === undefined) return undefined;
  let text: string | undefined;
  try {
    loadText({ _compile: (content: string) => text = content }, path);
  } catch {
    return undefined;
  }
  return text;
}

/**
 * The exports of a module, if it is evaluated; undefined while it is not; null if Deno never tells them,
 * because there is top-level await in the module or in its imports.
 *
 * @param url of a module that is loaded: another one would be loaded by this call
 */
export function namespaceOf(url: string): Namespace | null | undefined {
  const path = pathOf(url);
  try {
    if (path === undefined) return compile(`export * as found from ${JSON.stringify(url)};`).found;
    const loading: Partial<Loading> = {};
    loadNamespace(loading, path);
    return loading.exports;
  } catch (error) {
    return isAsyncError(error) ? null : undefined;
  }
}

function isAsyncError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_REQUIRE_ASYNC_MODULE";
}

/** The URLs to which specifiers resolve in a module; undefined for those that don't resolve. */
export function resolveIn(url: string, specifiers: readonly string[]): (string | undefined)[] {
  const isPath = (specifier: string) => RegExpPrototypeTest(/^(\.\.?\/|\/|[a-z]+:\/\/)/, specifier);
  const paths = ArrayPrototypeMap(
    specifiers,
    (specifier) =>
      isPath(specifier) && URL.canParse(specifier, url) ? new URL(specifier, url).href : undefined,
  );
  if (!StringPrototypeStartsWith(url, "file:") || ArrayPrototypeEvery(specifiers, isPath)) {
    return paths;
  }
  try {
    const text = `export const found = ${JSON.stringify(specifiers)}.map((specifier) => {
      try { return import.meta.resolve(specifier); } catch {}
    });`;
    return compile(text, url).found as unknown as (string | undefined)[];
  } catch {
    return paths;
  }
}

/** The text of a module in TypeScript or JavaScript, as V8 would run it. */
export function transpiled(text: string): string {
  return stripTypeScriptTypes(text, { mode: "transform" });
}

let compiled = 0;

/** Evaluates a module made of this text, in the folder of another module. */
function compile(text: string, beside = "file:///"): Record<string, Namespace> {
  const url = new URL(`./multiprocessing-${compiled++}-${crypto.randomUUID()}.mjs`, beside);
  const loading: Loading = { exports: {} };
  Reflect.apply(_compile, loading, [text, fileURLToPath(url), "module", true]);
  return loading.exports as Record<string, Namespace>;
}
