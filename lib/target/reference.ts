// A reference to a function: the URL of the module that exports it, and the name of the export. It is made in
// the isolate that has the function, and can be resolved in any other, any number of times.
//
// A reference never leads to another function than the one given. The exports of an evaluated module can be
// compared with the function itself. A module that is still evaluating, or has top-level await, doesn't show
// its exports (lib/platform/modules.ts). There the text decides: the module has to define the function once,
// where it is evaluated once, and no other module of the program may have a function with the same text.

import { types } from "node:util";
import { describe } from "../validate/describe.ts";
import {
  areLoaded,
  loadedText,
  type Namespace,
  namespaceOf,
  resolveIn,
  transpiled,
} from "../platform/modules.ts";
import { isOwn } from "./callers.ts";
import { Memo } from "./memo.ts";
import { ModuleText } from "./module_text.ts";
import type { Reference } from "../protocol/travel.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeConcat,
  ArrayPrototypeFilter,
  ArrayPrototypeFind,
  ArrayPrototypeFlatMap,
  ArrayPrototypeIncludes,
  ArrayPrototypeIndexOf,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  DatePrototypeGetTime,
  Deno,
  each,
  FunctionPrototypeToString,
  iterate,
  listOf,
  Object,
  performance,
  RegExpPrototypeTest,
  SafeMap,
  SafeSet,
  setOf,
  String,
  StringPrototypeEndsWith,
  StringPrototypeIncludes,
  StringPrototypeSlice,
  StringPrototypeStartsWith,
  TypeError,
  URL,
} = primordials;

// deno-lint-ignore no-explicit-any
type Code = ((...args: any[]) => unknown) | (abstract new (...args: never[]) => object);

/** A reference, or why there is none. */
export type Sought = { reference: Reference } | { why: string };

/** The text of a function, even if its own toString() gives another. */
export function textOf(code: object): string {
  return FunctionPrototypeToString(code);
}

/** Whether this is the text of a function that has none of its own: of a built-in or bound function, or a proxy. */
export function isNative(text: string): boolean {
  return RegExpPrototypeTest(/\{\s*\[native code\]\s*\}$/, text);
}

/**
 * Makes a reference to a function that is exported by one of these modules, or by a module that one of them
 * imports.
 *
 * @param modules the URLs of modules, some of which may be evaluating now
 * @param alone whether only these modules count, and not their imports
 */
export function referenceTo(code: Code, modules: readonly string[], alone: boolean): Sought {
  const text = textOf(code), name = `${code.name}`;
  const refer = (module: KnownModule, exportName: string | undefined): Sought => {
    const { url } = module;
    return { reference: { module: url, exportName, text, name, change: module.change() } };
  };
  const roots = ArrayPrototypeFilter(ArrayPrototypeMap(modules, known), (root) => root.isLoaded());
  if (roots.length === 0) return { why: unknownModules(modules) };
  const near = ArrayPrototypeFlatMap(
    roots,
    (root) => alone ? [root] : ArrayPrototypeConcat([root], root.imports()),
  );
  for (const module of each(near)) {
    const exportName = module.nameOf(code);
    if (exportName !== undefined) return refer(module, exportName);
  }
  for (const module of alone ? new SafeSet<KnownModule>() : exportedWhole(near)) {
    const exportName = module.nameOf(code);
    if (exportName !== undefined) return refer(module, exportName);
  }
  const hidden = ArrayPrototypeFilter(near, (module) => module.namespace() === undefined);
  if (isNative(text)) {
    const { 0: module } = hidden;
    return { why: module === undefined ? notExported(roots, code, alone) : noText(module, name) };
  }
  let doubtful: KnownModule | undefined;
  for (const module of setOf(hidden)) {
    const exportName = module.text()?.exportOf(text, name);
    if (exportName === undefined) {
      if (module.text()?.has(text)) doubtful ??= module;
      continue;
    }
    const twin = twinOf(module, text, roots);
    if (twin === undefined) return refer(module, exportName);
    return {
      why: `${shorten(module.url)} exports a function with its text as "${exportName}", but ` +
        `${shorten(twin)} has one, too`,
    };
  }
  if (doubtful !== undefined) return { why: notCertain(doubtful, name) };
  const remote = ArrayPrototypeFind(
    hidden,
    (module) => module.text() === undefined && RegExpPrototypeTest(/^https?:/, module.url),
  );
  if (remote !== undefined) return refer(remote, undefined);
  return { why: notExported(roots, code, alone) };
}

/** The modules that these export as namespaces, as in `export * as tasks`, and the modules that those export so. */
function exportedWhole(modules: readonly KnownModule[]): Set<KnownModule> {
  const found = new SafeSet<KnownModule>(), add = (module: KnownModule) => found.add(module);
  for (const module of each(modules)) module.forEachExportedWhole(add);
  for (const module of found) module.forEachExportedWhole(add);
  return found;
}

/** A reference to the export of a module with this name, whichever function that is. */
export function referenceByName(exportName: string, module: string): Reference {
  const change = known(module).change();
  return { module, exportName, text: undefined, name: exportName, change };
}

/** Imports a module; with `{ with: { type: "text" } }`, its text. */
export type LoadModule = (
  module: string,
  options?: { with: { type: "text" } },
) => Namespace | Promise<Namespace>;

/**
 * Finds the function again.
 *
 * @param load imports the module of the reference
 * @throws {TypeError} if the module doesn't export it there, or exports something else
 */
export async function resolveReference(reference: Reference, load: LoadModule): Promise<Code> {
  const { text, name, change } = reference;
  const where = reference.exportName === undefined
    ? await exportIn(reference.module, text!, name, load)
    : { module: reference.module, exportName: reference.exportName };
  if (where === undefined) {
    const what = name === "" || name === "target"
      ? "The target, which is anonymous,"
      : `The target "${name}"`;
    throw new TypeError(
      `${what} is not exported by ${reference.module}, nor by what that imports, as a function or class that ` +
        `is defined once, at the top level.${WAYS_OUT}`,
    );
  }
  const { module, exportName } = where;
  // A copy, because the value of a promise must not have a then().
  const exports = { __proto__: null, ...await load(module) } as Namespace;
  const found = exports[exportName];
  const isFound = typeof found === "function";
  if (isFound && (text === undefined || textOf(found) === text)) return found as Code;
  const changed = change === undefined ? "" : ` ${change}`;
  throw new TypeError(
    found === undefined
      ? `"${exportName}" is not exported by ${module}.${changed} Export it there, name the module that ` +
        'exports it (module: …), or let it travel by source: by: "source".'
      : !isFound
      ? `"${exportName}", as exported by ${module}, is not a function.${changed} ` +
        `It is ${describe(found)}. Export a function by that name.`
      : `The "${exportName}" that ${module} exports in the child is not the function given as target.` +
        `${changed || " That module makes another one there."}${WAYS_OUT}`,
  );
}

const WAYS_OUT = ' Give its name (target: "…", module: …) for whatever is exported by that name, ' +
  'or let it travel by source: by: "source".';

/** Finds by their texts which export of a remote module, or of a module that it imports, is the function. */
async function exportIn(
  url: string,
  text: string,
  name: string,
  load: LoadModule,
): Promise<{ module: string; exportName: string } | undefined> {
  const asText = async (module: string) => {
    try {
      const loaded = await load(module, { with: { type: "text" } });
      return ModuleText.of(transpiled(String(loaded.default)));
    } catch {
      return undefined;
    }
  };
  const near = await asText(url);
  const texts = new SafeMap<string, ModuleText | undefined>();
  texts.set(url, near);
  for (const specifier of each(near?.imports ?? [])) {
    if (!RegExpPrototypeTest(/^(\.|\/|https?:)/, specifier)) continue;
    const module = new URL(specifier, url).href;
    if (!isOwn(module)) texts.set(module, await asText(module));
  }
  const homes = ArrayPrototypeFilter(listOf(texts), ({ 1: module }) => module?.has(text));
  const { 0: { 0: module, 1: home } = [undefined, undefined] } = homes;
  const exportName = homes.length === 1 ? home?.exportOf(text, name) : undefined;
  return exportName === undefined ? undefined : { module: module!, exportName };
}

// Messages

function notExported(roots: KnownModule[], { name }: Code, alone: boolean): string {
  for (const root of each(roots)) {
    const namesake = root.namespace()?.[name];
    if (typeof namesake === "function") {
      return `the "${name}" that ${shorten(root.url)} exports is not the function given as target`;
    }
  }
  const urls = ArrayPrototypeJoin(ArrayPrototypeMap(roots, ({ url }) => shorten(url)), ", ");
  const others = alone ? "" : ", nor by what that imports";
  return `${called(name)} is not exported by ${urls}${others}${changes(roots)}`;
}

/** The name in messages. JavaScript gives a function that is written in the options the name of the option. */
function called(name: string): string {
  return name === "" || name === "target" ? "the target is anonymous, and" : `"${name}"`;
}

function notCertain(module: KnownModule, name: string): string {
  const what = name === "" || name === "target" ? "the target, which is anonymous," : `"${name}"`;
  return `${what} is not exported by ${
    shorten(module.url)
  } as a function or class that is defined once, at its ` +
    "top level: so there may be others with the same text, and which one is meant can't be told while that " +
    `module runs (in a module of its own, which is imported, it can)${changes([module])}`;
}

function noText(module: KnownModule, name: string): string {
  return `${called(name)} is not among what is known of the exports of ${
    shorten(module.url)
  }: it has no text ` +
    "of its own to find it by while that module runs (in a module of its own, which is imported, it is found)";
}

function changes(modules: KnownModule[]): string {
  const change = ArrayPrototypeFind(
    ArrayPrototypeMap(modules, (module) => module.change()),
    (found) => found !== undefined,
  );
  return change === undefined
    ? ""
    : `. ${StringPrototypeEndsWith(change, ".") ? StringPrototypeSlice(change, 0, -1) : change}`;
}

function unknownModules(modules: readonly string[]): string {
  return modules.length === 0
    ? "the module that made the process isn't known"
    : `${
      ArrayPrototypeJoin(ArrayPrototypeMap(modules, shorten), ", ")
    } is not a module that is loaded here`;
}

function shorten(url: string): string {
  return url.length > 300 ? `${StringPrototypeSlice(url, 0, 300)}…` : url;
}

// Modules

const registry = new SafeMap<string, KnownModule>();

function known(url: string): KnownModule {
  let module = registry.get(url);
  if (module === undefined) registry.set(url, module = new KnownModule(url));
  return module;
}

/** The text of a module that is loaded here, or may be read; undefined for others, and where Deno doesn't tell it. */
export function moduleText(url: string): ModuleText | undefined {
  return known(url).text();
}

/** These modules, the modules that they import, and so on: of the imports only local ones, near modules first. */
export function modulesAround(urls: readonly string[]): Iterable<string> {
  const seen = setOf(urls), all = seen.values();
  let last: string | undefined;
  return iterate<string>(() => {
    if (last !== undefined) addImports(last, seen);
    let step = all.next();
    while (!step.done && isOwn(step.value)) step = all.next();
    last = step.value;
    return step as IteratorResult<string, undefined>;
  });
}

function addImports(url: string, to: Set<string>): void {
  if (!StringPrototypeStartsWith(url, "file:") || StringPrototypeIncludes(url, "/node_modules/")) {
    return;
  }
  for (const next of each(known(url).importUrls())) {
    if (StringPrototypeStartsWith(next, "file:")) to.add(next);
  }
}

/** The namespace of a module that a module imports, by its specifier. */
export function importedNamespace(url: string, specifier: string): Namespace | undefined {
  const module = known(url);
  const index = ArrayPrototypeIndexOf(module.text()?.imports ?? [], specifier);
  const imported = module.resolved()[index];
  return imported === undefined ? undefined : known(imported).namespace();
}

const twins = new Memo<string | undefined>();

/** Another module, among the modules around the roots, that has a function with the same text. */
function twinOf(module: KnownModule, text: string, roots: KnownModule[]): string | undefined {
  const urls = ArrayPrototypeMap(roots, ({ url }) => url);
  return twins.get(
    `${module.url} ${ArrayPrototypeJoin(urls)} ${text}`,
    () =>
      ArrayPrototypeFind(
        listOf(modulesAround(urls)),
        (url) => url !== module.url && moduleText(url)?.has(text),
      ),
  );
}

/** The facts that are known about one module. */
class KnownModule {
  readonly url: string;
  #isLoaded = false;
  #text: ModuleText | null | undefined;
  #namespace: Namespace | null | undefined;
  #resolved: (string | undefined)[] | undefined;
  #imports: KnownModule[] | undefined;

  constructor(url: string) {
    this.url = url;
  }

  isLoaded(): boolean {
    return this.#isLoaded ||= areLoaded([this.url]);
  }

  text(): ModuleText | undefined {
    if (this.#text !== undefined) return this.#text ?? undefined;
    if (!this.isLoaded() && !mayRead(this.url)) return undefined;
    const text = loadedText(this.url);
    this.#text = text === undefined ? null : ModuleText.of(text) ?? null;
    return this.#text ?? undefined;
  }

  namespace(): Namespace | undefined {
    if (this.#namespace === undefined && this.isLoaded()) this.#namespace = namespaceOf(this.url);
    return this.#namespace ?? undefined;
  }

  /**
   * The name under which this module exports a function. If there are several, the function's own name is
   * preferred.
   */
  nameOf(code: Code): string | undefined {
    const namespace = this.namespace();
    if (namespace === undefined) return undefined;
    const names = ArrayPrototypeFilter(
      Object.keys(namespace),
      (name) => valueOf(namespace, name) === code,
    );
    const { 0: first } = names;
    return ArrayPrototypeIncludes(names, code.name) ? code.name : first;
  }

  resolved(): (string | undefined)[] {
    return this.#resolved ??= ArrayPrototypeMap(
      resolveIn(this.url, this.text()?.imports ?? []),
      (url) => url === undefined ? undefined : asLoaded(url),
    );
  }

  importUrls(): string[] {
    return ArrayPrototypeFilter(this.resolved(), (url) => url !== undefined);
  }

  /** The imports of this module that are loaded. */
  imports(): KnownModule[] {
    if (this.#imports !== undefined) return this.#imports;
    const modules = ArrayPrototypeMap(this.importUrls(), known);
    const isLoaded = areLoaded(ArrayPrototypeMap(modules, ({ url }) => url));
    for (const module of each(modules)) module.#isLoaded ||= isLoaded;
    return this.#imports = ArrayPrototypeFilter(modules, (module) => module.isLoaded());
  }

  /** Calls `use` with each module whose namespace this module exports. */
  forEachExportedWhole(use: (module: KnownModule) => void): void {
    const namespace = this.namespace();
    if (namespace === undefined || isOwn(this.url)) return;
    for (const name of each(Object.keys(namespace))) {
      const whole = valueOf(namespace, name);
      if (!types.isModuleNamespaceObject(whole)) continue;
      const module = ArrayPrototypeFind(this.imports(), (other) => other.namespace() === whole);
      if (module !== undefined) use(module);
    }
  }

  /**
   * A sentence that says that the module's file was changed or removed after this program had begun to run;
   * undefined if it wasn't.
   */
  change(): string | undefined {
    if (!StringPrototypeStartsWith(this.url, "file:") || !mayRead(this.url)) return undefined;
    try {
      const { mtime } = Deno.statSync(new URL(this.url));
      if (mtime === null || DatePrototypeGetTime(mtime) <= performance.timeOrigin) return undefined;
      return "That file was changed while the program was running, so that the child has another " +
        "version of it: start the program again.";
    } catch {
      return "That file is no longer there: it was removed or renamed while the program was running.";
    }
  }
}

/** Endings that may be missing from a specifier, where Deno runs with sloppy imports. */
const LEFT_OUT = [
  ...[".ts", ".js", ".tsx", ".jsx", ".mts", ".mjs"],
  ...["/index.ts", "/index.js", "/index.tsx", "/index.jsx", "/index.mts", "/index.mjs"],
];

/** The URL of the module that Deno loads for a specifier with this URL. */
function asLoaded(url: string): string {
  if (!RegExpPrototypeTest(/^file:.*\/[^./]+$/, url)) return url;
  return url + (ArrayPrototypeFind(LEFT_OUT, (end) => areLoaded([`${url}${end}`])) ?? "");
}

function valueOf(namespace: Namespace, name: string): unknown {
  try {
    return namespace[name];
  } catch {
    return undefined; // not initialised yet
  }
}

function mayRead(url: string): boolean {
  if (!StringPrototypeStartsWith(url, "file:")) return false;
  return Deno.permissions.querySync({ name: "read", path: new URL(url) }).state === "granted";
}
