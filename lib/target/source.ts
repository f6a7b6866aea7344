// A function by source: its text as an expression, and the meanings of the names in it where it has no module
// around it. Its own parameters and variables shadow everything, as in JavaScript. Any other name is one of
// three:
//
// - a name that the function's module imports from this package: in the child it is bound to the same export;
// - a name that this module, or a function around the function, binds to something else: using it is an error,
//   even where there is a global or an export of this package with that name;
// - any other name: a global.
//
// Where the text of the module isn't known, the first two can't be told apart. Then every export of this
// package is bound unless a global has its name, and `multiprocessing` is bound to all of them.

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

/** The name for all exports of this package, in functions of a module whose text isn't known. */
const ALL = "multiprocessing";

/**
 * The text of an expression that makes the function.
 *
 * @throws {TypeError} if the function's text means nothing by itself
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
  // Some syntax in it, such as import.meta, is allowed only in a module.
  if (RegExpPrototypeTest(/^(async\s+)?function\b|^class\b|=>/, text) && !isAccessor) {
    return `(${text})`;
  }
  throw new TypeError(
    `The target "${name}" can't travel by source: a private method, a getter or one with a computed ` +
      "name means nothing outside of its class. Wrap it in a function of your own.",
  );
}

/** Whether an expression compiles. It isn't run. */
function isCompiled(expression: string): boolean {
  try {
    new Function(`"use strict"; ${expression}`);
    return true;
  } catch {
    return false;
  }
}

const scopes = new Memo<Scope>();

/** The meanings of the names in a function's text, in the child. */
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

/** A text in which a function is defined, and the names that exports of this package have there. */
interface Home {
  text: ModuleText;
  names: Readonly<Record<string, string>>;
  /** Names with another meaning there. */
  dead: readonly string[];
}

/** The function that this process runs, if it has come by source. */
let origin: { code: { name: string }; scope: Scope } | undefined;
/** The text of that function, in which the functions inside it are defined; null if it isn't known. */
let inherited: Home | null | undefined;

/** Sets the function that this process runs by source. */
export function becomeSource(code: { name: string }, scope: Scope): void {
  origin = { code, scope };
}

function inheritedHome(): Home | null {
  if (inherited !== undefined || origin === undefined) return inherited ?? null;
  const { code, scope } = origin;
  const text = ModuleText.of(`export default ${asExpression(code)};`);
  return inherited = text === undefined ? null : { text, ...scope };
}

/** The export of this package that a word stands for; "" for a word with another meaning, undefined for a global. */
function meaningIn(home: Home, word: string, text: string): string | undefined {
  // A word may also be the name of a member of Object.prototype.
  if (Object.hasOwn(home.names, word)) return home.names[word];
  return isShadowed(home, word, text) ? "" : undefined;
}

/**
 * Whether a word means something else in the function's module than in the child. A word that the child doesn't
 * have is an error anyway, except after `typeof`.
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

/** Names that no module can bind. */
const UNBINDABLE = setOf(["undefined", "NaN", "Infinity", "eval", "arguments", "globalThis"]);

/** Globals that some workers have, and this isolate perhaps not. */
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

/** The names that a module imports from this package, directly or through another module. */
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

/** The names of this package's exports in a module that a bundler has made of this package and a program. */
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

/** A function by source as data, from which the child makes the function. */
export interface SourceText {
  /** The body of a function that returns it. */
  body: string;
  /** The names in the body that stand for exports of this package, and those exports. */
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
 * The main module of a child that hostile code starts. Nothing that this code can replace affects the text: all
 * that comes from the hostile code stands in strings, and JSON.stringify always makes complete strings,
 * whatever toJSON it finds.
 */
export function strictMainModule(expression: string, scope: Scope, runtimeUrl: string): string {
  const source: SourceText = { body: bodyOf(expression, scope), names: scope.names };
  return `import * as multiprocessing$runtime from ${JSON.stringify(`${runtimeUrl}`)};
multiprocessing$runtime.boot(${JSON.stringify(source)}, multiprocessing$runtime);`;
}

/**
 * The text of the child's main module.
 *
 * @param runtimeUrl the URL of this package for the child
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
  multiprocessing$redis,
  ...multiprocessing$all
} = multiprocessing$runtime;
${bind}
multiprocessing$boot(() => { ${isConfined ? compiled(body, locals) : body} });`;
}

/** The body of a function that makes the function. The exports of this package have the names of the scope there. */
export function bodyOf(expression: string, { dead }: Scope): string {
  if (dead.length === 0) return `return ${expression};`;
  // These variables are never initialised, so any use throws.
  const names = ArrayPrototypeJoin(dead, ", ");
  return `switch (0) { case 1: let ${names}; default: return ${expression}; }`;
}

/**
 * A body that is compiled only when it runs. Imports in the main module's own text are loaded with the rights
 * of the starter (platform/web_workers.ts), even `await import("file:///…")` inside a function.
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
