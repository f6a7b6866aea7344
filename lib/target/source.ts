// A function by source: its text as an expression, and what the names in it stand for where it has no
// module around it. Its own parameters and variables shadow everything, as JavaScript has it; beyond
// them a name is one of three things:
//
// - imported from this package by the function's module: then it is bound to the same in the child;
// - bound by that module, or by a function around it, to something else: then using it is an error, also
//   where there is a global of that name, or an export of this package;
// - neither: then it is a global.
//
// Where the text of the module can't be had, the first two can't be told apart. Then all exports of this
// package count, but for those that a global has the name of; as `multiprocessing` all of them are there.

import type { Scope } from "../protocol/travel.ts";
import { Memo } from "./memo.ts";
import { ModuleText } from "./module_text.ts";
import { importedNamespace, isNative, modulesAround, moduleText, textOf } from "./reference.ts";
import { isOwnNamespace, ownExportName, ownFunctions } from "./own_exports.ts";
import { isInlined, runtimeExports } from "./bundle.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeConcat,
  ArrayPrototypeIncludes,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  ArrayPrototypeSome,
  each,
  Function,
  JSON,
  matchesOf,
  Object,
  Reflect,
  RegExpPrototypeTest,
  setOf,
  TypeError,
  WeakMap,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} = primordials;

/** What all exports of this package are called, for functions of a module whose text can't be had. */
const ALL = "multiprocessing";

/**
 * The text of an expression that makes the function.
 *
 * @throws {TypeError} if its text means nothing by itself
 */
export function asExpression(code: { name: string }): string {
  const text = textOf(code), { name } = code;
  if (isNative(text)) {
    throw new TypeError(
      `The target "${name}" has no source text: it is built in, was made by bind(), or is a proxy. ` +
        "Wrap it in a function of your own.",
    );
  }
  if (isCompiled(`(${text})`)) return `(${text})`;
  // A method's text, as in `{ async work() {} }`, is no expression by itself.
  const object = `({ ${text} })`, isAccessor = RegExpPrototypeTest(/^[gs]et\s+[^(]/, text);
  if (
    !isAccessor && !RegExpPrototypeTest(/^(async\s+)?(\*\s*)?\[(?!["'])/, text) &&
    isCompiled(object)
  ) {
    return `${object}[${JSON.stringify(name)}]`;
  }
  // Parts of it are there only in a module.
  if (RegExpPrototypeTest(/^(async\s+)?function\b|^class\b|=>/, text) && !isAccessor) {
    return `(${text})`;
  }
  throw new TypeError(
    `The target "${name}" can't travel by source: a private method, a getter or one with a computed ` +
      "name means nothing outside of its class. Wrap it in a function of your own.",
  );
}

/** It is compiled, not run. */
function isCompiled(expression: string): boolean {
  try {
    new Function(`"use strict"; ${expression}`);
    return true;
  } catch {
    return false;
  }
}

const scopes = new Memo<Scope>();

/** What the names in a function's text stand for, in the child. */
export function scopeOf(text: string, modules: readonly string[]): Scope {
  return scopes.get(`${ArrayPrototypeJoin(modules)} ${text}`, () => findScope(text, modules));
}

function findScope(text: string, modules: readonly string[]): Scope {
  const pattern = /[\p{ID_Start}$_][\p{ID_Continue}$]*/gu;
  const words = setOf(ArrayPrototypeMap(matchesOf(pattern, text), ({ 0: word }) => word));
  const own = inheritedHome();
  const homes = own?.text.has(text) ? [own] : homesOf(text, modules);
  if (homes.length === 0) return scopeOfUnknown(words);
  const names: Record<string, string> = {}, dead: string[] = [];
  for (const word of words) {
    const meanings = ArrayPrototypeMap(homes, (home) => meaningIn(home, word, text));
    const { 0: meaning } = meanings;
    if (ArrayPrototypeSome(meanings, (other) => other !== meaning) || meaning === "") {
      ArrayPrototypePush(dead, word);
    } else if (meaning !== undefined) names[word] = meaning;
  }
  return { names, dead, isKnown: true };
}

/** Where a function's text stands, and what of this package has a name there. */
interface Home {
  text: ModuleText;
  names: Readonly<Record<string, string>>;
  /** Names that mean something else there. */
  dead: readonly string[];
}

/** The function that this process runs, if that has come by source. */
let origin: { code: { name: string }; scope: Scope } | undefined;
/** The text of that function, where the functions in it are at home; null if it can't be told. */
let inherited: Home | null | undefined;

/** Says what this process runs by source. */
export function becomeSource(code: { name: string }, scope: Scope): void {
  origin = { code, scope };
}

function inheritedHome(): Home | null {
  if (inherited !== undefined || origin === undefined) return inherited ?? null;
  const { code, scope } = origin;
  const text = ModuleText.of(`export default ${asExpression(code)};`);
  return inherited = text === undefined ? null : { text, ...scope };
}

/** The name of this package's that a word is; empty for what it may not be, undefined for a global. */
function meaningIn(home: Home, word: string, text: string): string | undefined {
  // Words are also the names of what every object has.
  if (Object.hasOwn(home.names, word)) return home.names[word];
  return isShadowed(home, word, text) ? "" : undefined;
}

/**
 * Whether a word means something else at home than the child would find. What the child doesn't find is
 * an error by itself, but for `typeof`.
 */
function isShadowed({ text: module, dead }: Home, word: string, text: string): boolean {
  if (ArrayPrototypeIncludes(dead, word)) return true;
  if (UNBINDABLE.has(word)) return false;
  const isFound = word in globalThis || GLOBALS_OF_WORKERS.has(word) || word === ALL;
  return (isFound || isAskedFor(word, text)) && module.binds(word, text);
}

function isAskedFor(word: string, text: string): boolean {
  const pattern = /\btypeof\b[\s(]*([\p{ID_Start}$_][\p{ID_Continue}$]*)/gu;
  return ArrayPrototypeSome(matchesOf(pattern, text), ({ 1: asked }) => asked === word);
}

/** What no module can bind. */
const UNBINDABLE = setOf(["undefined", "NaN", "Infinity", "eval", "arguments", "globalThis"]);

/** What is there in some workers, and perhaps not here. */
const GLOBALS_OF_WORKERS = setOf([
  "self",
  "name",
  "close",
  "postMessage",
  "onmessage",
  "onerror",
]);

function homesOf(text: string, modules: readonly string[]): Home[] {
  const near = setOf(modules);
  const homes: Home[] = [];
  for (const url of modulesAround(modules)) {
    if (homes.length > 0 && !near.has(url)) break;
    const module = moduleText(url);
    if (module?.has(text)) {
      ArrayPrototypePush(homes, { text: module, names: packageNames(url, module), dead: [] });
    }
  }
  return homes;
}

/** What a module imports from this package, also by way of another module. */
function packageNames(url: string, module: ModuleText): Record<string, string> {
  const names = isInlined ? inlinedNames(module) : {};
  for (const { local, specifier, name } of each(module.bindings())) {
    const from = importedNamespace(url, specifier);
    if (from === undefined || !module.declares(local)) continue;
    const value = name === "*" ? from : from[name];
    const exported = isOwnNamespace(value) ? "*" : ownExportName(value);
    if (exported !== undefined) names[local] = exported;
  }
  return names;
}

const inlined = new WeakMap<ModuleText, Record<string, string>>();

/** What this package's exports are called in a module that a bundler has made of it and a program. */
function inlinedNames(module: ModuleText): Record<string, string> {
  let names = WeakMapPrototypeGet(inlined, module);
  if (names === undefined) {
    names = {};
    for (const { 0: name, 1: value } of each(ownFunctions())) {
      for (const local of each(module.localNames(textOf(value)))) names[local] = name;
    }
    WeakMapPrototypeSet(inlined, module, names);
  }
  return { ...names };
}

function scopeOfUnknown(words: Set<string>): Scope {
  const names: Record<string, string> = {};
  for (const word of words) {
    if (word === ALL) names[word] = "*";
    else if (ArrayPrototypeIncludes(runtimeExports(), word) && !(word in globalThis)) {
      names[word] = word;
    }
  }
  return { names, dead: [], isKnown: false };
}

/** A function by source as data, for a child that makes it itself. */
export interface SourceText {
  /** The body of a function that returns it. */
  body: string;
  /** Names in it, and which exports of this package they stand for. */
  names: Readonly<Record<string, string>>;
}

/** Makes the function, in the child. */
export function compileSource(
  { body, names }: SourceText,
  exports: Readonly<Record<string, unknown>>,
): unknown {
  const locals = Object.keys(names);
  const values = ArrayPrototypeMap(
    locals,
    (local) => names[local] === "*" ? exports : exports[names[local]],
  );
  const parameters = ArrayPrototypeConcat(locals, [`"use strict";\n${body}`]);
  return Reflect.apply(Reflect.construct(Function, parameters), undefined, values);
}

/**
 * The main module of a child that hostile code starts. Nothing of what that code can replace has a say in the text:
 * what comes from it stands in strings, which JSON.stringify can't leave, whatever toJSON it finds.
 */
export function strictMainModule(expression: string, scope: Scope, runtimeUrl: string): string {
  const source: SourceText = { body: bodyOf(expression, scope), names: scope.names };
  return `import * as multiprocessing$runtime from ${JSON.stringify(`${runtimeUrl}`)};
multiprocessing$runtime.boot(${JSON.stringify(source)}, multiprocessing$runtime);`;
}

/**
 * The text of the child's main module.
 *
 * @param runtimeUrl where it finds this package
 * @param isConfined whether the child has permissions of its own
 */
export function mainModule(
  expression: string,
  scope: Scope,
  runtimeUrl: string,
  isConfined: boolean,
): string {
  const { names } = scope;
  const locals = Object.keys(names);
  const bind = ArrayPrototypeJoin(
    ArrayPrototypeMap(
      locals,
      (local) =>
        names[local] === "*"
          ? `const ${local} = multiprocessing$all;`
          : `const { ${names[local]}: ${local} } = multiprocessing$all;`,
    ),
    "\n",
  );
  const body = bodyOf(expression, scope);
  return `import * as multiprocessing$runtime from ${JSON.stringify(runtimeUrl)};
const {
  boot: multiprocessing$boot, multiprocessing$child, multiprocessing$local,
  ...multiprocessing$all
} = multiprocessing$runtime;
${bind}
multiprocessing$boot(() => { ${isConfined ? compiled(body, locals) : body} });`;
}

/** The body of a function that makes the function; what it may use of this package has the names of the scope. */
export function bodyOf(expression: string, { dead }: Scope): string {
  if (dead.length === 0) return `return ${expression};`;
  // They are never initialised, and so can't be used.
  const names = ArrayPrototypeJoin(dead, ", ");
  return `switch (0) { case 1: let ${names}; default: return ${expression}; }`;
}

/**
 * A body that is compiled only when it runs. What a main module's own text imports is loaded with
 * the rights of the starter (platform/web_workers.ts), `await import("file:///…")` in a function included.
 */
function compiled(body: string, locals: readonly string[]): string {
  const parameters = ArrayPrototypeMap(
    ArrayPrototypeConcat(locals, [`"use strict";\n${body}`]),
    (text) => JSON.stringify(text),
  );
  return `return new Function(${ArrayPrototypeJoin(parameters, ", ")})(${
    ArrayPrototypeJoin(locals, ", ")
  });`;
}
