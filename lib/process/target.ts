// How a target travels to the child: by reference, as the URL of a module and the name of an
// export, or by source, as the function's own text. By reference the child has the function's
// imports and helpers; by source nothing needs to be read. Resolving the reference is left to the
// child: importing the module here would never settle while it is in its own top-level await.

import { describe } from "../describe.ts";
import "./for_children.ts";
import { childModule } from "./current.ts";
import type { Launch, Travel } from "./messages.ts";
import type { Grants } from "./permissions.ts";
import { isBundled, runtimeExports, runtimeUrl } from "./runtime.ts";

/** The two ways a target can travel. */
export type By = "reference" | "source";

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => unknown;

/** What a process runs: a function, the name of an export, or a subclass with a run(). */
export interface Target {
  code: AnyFunction | (abstract new (...args: never[]) => object) | string;
  isClass: boolean;
  /** The URL of the module that exports it. */
  module: string | undefined;
  by: By | undefined;
}

/** The folder of this package's own code, or the one module that holds all of it. */
const here = isBundled ? import.meta.url : new URL("../", import.meta.url).href;

/** The URL of the module whose code called into this package. */
export function callingModule(): string | undefined {
  const holder: { stack?: unknown } = {};
  const { prepareStackTrace } = Error;
  try {
    // The call sites, because Deno shortens long URLs in the text of a stack.
    Error.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder);
    for (const site of holder.stack as NodeJS.CallSite[]) {
      const url = site.getScriptNameOrSourceURL();
      if (url && !url.startsWith(here) && /^(?!ext:|node:)[a-z]+:/.test(url)) return url;
    }
    return undefined;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
}

/** How a target travels, and what its worker is made with. */
export interface Plan extends Pick<Launch, "main" | "grants" | "giveUp"> {
  travel: Travel;
}

/**
 * Plans how the target travels to a process with these permissions; undefined ones are inherited.
 *
 * @param isJailed whether they are those of a thread in a sandbox
 */
export function plan(target: Target, grants: Grants | undefined, isJailed: boolean): Plan {
  const by = target.by ?? defaultWay(target, isJailed ? grants : undefined);
  const isConfined = grants !== undefined;
  if (by === "source") return { ...bySource(target, isConfined), grants, giveUp: [] };
  const lent = isJailed && isConfined ? lend(grants) : { grants, giveUp: [] };
  return { ...byReference(target, isConfined), ...lent };
}

function defaultWay({ module, code }: Target, jailed: Grants | undefined): By {
  if (typeof code === "string") return "reference";
  return module !== undefined && mayImport(module) && mayImport(childModule()) &&
      !isPartial(jailed?.read)
    ? "reference"
    : "source";
}

/** What a worker needs to load modules from files and from elsewhere. */
const TO_LOAD = ["read", "import"] as const;

/**
 * A thread in a sandbox loads its modules with the rights of the sandbox. So it is lent what it
 * needs for that, and gives it up before it runs any of them.
 */
function lend(grants: Grants): Pick<Plan, "grants" | "giveUp"> {
  if (isPartial(grants.read)) {
    throw new TypeError(
      `permissions.read is ${describe(grants.read)}, and with a limit a target can travel by ` +
        "reference only with all of it, or nothing. Let it travel by source: " +
        'by: "source", leave out the limit, or set read to true or false.',
    );
  }
  const giveUp = TO_LOAD.filter((name) => grants[name] === undefined || grants[name] === false);
  const lent = Object.fromEntries(giveUp.map((name) => [name, "inherit"]));
  return { grants: { ...grants, ...lent }, giveUp };
}

function isPartial(grant: Grants["read"]): boolean {
  return Array.isArray(grant);
}

/** Whether a child that inherits everything may import a module, as far as can be told here. */
function mayImport(module: string): boolean {
  const url = new URL(module);
  if (url.protocol === "https:" || url.protocol === "http:") return true;
  if (url.protocol !== "file:" || !mayRead(url)) return false;
  try {
    // The module of `deno eval`, or of the REPL, isn't anywhere.
    return Deno.statSync(url).isFile;
  } catch {
    return false;
  }
}

function mayRead(file: URL): boolean {
  return Deno.permissions.querySync({ name: "read", path: file }).state === "granted";
}

/** Deno would refuse to load it in the child, where nobody could say so. */
function checkReadable(what: string, module: string): void {
  const url = new URL(module);
  if (url.protocol !== "file:" || mayRead(url)) return;
  throw new Deno.errors.NotCapable(
    `A target by reference needs ${what}, ${module}, and this process may not read it. ` +
      'Run the program with --allow-read, or let the target travel by source: by: "source".',
  );
}

function byReference(
  { code, isClass, module }: Target,
  isConfined: boolean,
): Pick<Plan, "travel" | "main"> {
  const exportName = typeof code === "string" ? code : code.name;
  const what = isClass ? "class" : "target";
  if (exportName === "") {
    throw new TypeError(
      `The ${what} is anonymous, so the child can't find it among the exports of its module. ` +
        'Give it a name and export it, or let it travel by source: by: "source".',
    );
  }
  if (module === undefined) {
    throw new TypeError(
      `The module that exports "${exportName}" isn't known. ` +
        'Name it, as in module: import.meta.url, or let the target travel by source: by: "source".',
    );
  }
  checkReadable("its module", module);
  checkReadable("this library", childModule());
  const text = typeof code === "string" ? undefined : textOf(code);
  const main = isConfined ? confinedMain(module) : freeMain();
  return { travel: { by: "reference", module, exportName, text, isClass }, main: dataUrl(main) };
}

function freeMain(): string {
  // Not a static import, nor one of a literal: with those Deno 2.9.6, where it type-checks (as
  // `deno test` does), checks the whole package anew for each child, a second each time.
  // The target's module is imported from here: a package from JSR may import none that isn't on JSR.
  return `const url = ${JSON.stringify(childModule())};
(await import(url)).bootModule((module) => import(module));`;
}

function confinedMain(module: string): string {
  const library = (name: string) => JSON.stringify(new URL(name, childModule()));
  // What stands here literally is loaded with the rights of the starter (Deno 2.9.6), the target's module
  // too, which is evaluated when it is imported: with the rights of the child.
  return `import ${library("arrivals.ts")};
import { bootConfined } from ${library("child.ts")};
bootConfined(() => import(${JSON.stringify(dataUrl(sealing(module)))}));`;
}

/** A module that has the target's: what that imports is loaded before anything of it is evaluated. */
function sealing(module: string): string {
  const library = JSON.stringify(childModule());
  const seal = `import { modulesAreThere } from ${library};\nmodulesAreThere();`;
  return `import ${JSON.stringify(dataUrl(seal))};
import * as target from ${JSON.stringify(module)};
export { target };`;
}

function bySource(
  { code, isClass }: Target,
  isConfined: boolean,
): Pick<Plan, "travel" | "main"> {
  if (typeof code === "string") {
    throw new TypeError(
      `The target is the name "${code}", and only a function can travel by source. ` +
        "Give the function itself, or the module that exports it.",
    );
  }
  const text = textOf(code);
  if (/\{\s*\[native code\]\s*\}$/.test(text)) {
    throw new TypeError(
      `The target "${code.name}" has no source text: it is built in, or was made by bind(). ` +
        "Wrap it in a function of your own.",
    );
  }
  const expression = asExpression(text, code.name);
  const main = `import * as runtime from ${JSON.stringify(runtimeUrl())};
const { ${runtimeExports().join(", ")} } = runtime;
runtime.boot(() => ${isConfined ? compiled(expression) : expression});`;
  return { travel: { by: "source", exportName: code.name, isClass }, main: dataUrl(main) };
}

/**
 * The text of an expression that evaluates another one only when it runs. What a main module's own
 * text imports, Deno 2.9.6 loads with the rights of the starter, `await import("file:///…")` in a
 * function included.
 */
function compiled(expression: string): string {
  const names = runtimeExports(), body = `"use strict";\nreturn ${expression};`;
  const parameters = [...names, body].map((text) => JSON.stringify(text)).join(", ");
  return `new Function(${parameters})(${names.join(", ")})`;
}

function textOf(code: { toString(): string }): string {
  return Function.prototype.toString.call(code);
}

/** A method's text, as in `{ async work() {} }`, is no expression by itself. */
function asExpression(text: string, name: string): string {
  const object = `({ ${text} })`;
  if (isExpression(text) && !isMethod(object, text)) return `(${text})`;
  if (isMethod(object, text)) return `${object}[${JSON.stringify(name)}]`;
  throw new TypeError(
    `The target "${name}" can't travel by source: a private method, a getter or one with a computed ` +
      "name means nothing outside of its class. " +
      "Wrap it in a function of your own.",
  );
}

/** Not a private one, a getter or one with a computed name. It is compiled, not run. */
function isMethod(object: string, text: string): boolean {
  if (/^(\[(?!["'])|[gs]et\s+[^(])/.test(text)) return false;
  try {
    new Function(object);
    return true;
  } catch {
    return false;
  }
}

function isExpression(text: string): boolean {
  return /^(async\s+)?function\b|^class\b|^(async\s*)?(\(|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>)/u
    .test(text);
}

function dataUrl(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}
