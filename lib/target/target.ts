// How a target travels to the child: by reference, as the URL of a module and the name of an export
// (reference.ts), or by source, as the function's own text (source.ts). By reference the child has the
// function's imports and helpers; by source nothing needs to be read. The rule is in docs/targets.md.

import { describe } from "../validate/describe.ts";
import { isOwn, MAIN } from "./callers.ts";
import { childModule, isChildModuleInBundle } from "./child_module.ts";
import { ownTarget } from "./own_targets.ts";
import type { Grants, Name } from "../protocol/grants.ts";
import type { BundleParts } from "../protocol/bundle_parts.ts";
import type { Reference, Travel } from "../protocol/travel.ts";
import { referenceByName, referenceTo, type Sought, textOf } from "./reference.ts";
import { bundleFiles, bundleParts, LOADER } from "./bundle.ts";
import { asExpression, mainModule, scopeOf, strictMainModule } from "./source.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayPrototypeConcat,
  ArrayPrototypeFilter,
  ArrayPrototypeIncludes,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  Deno,
  encodeURIComponent,
  JSON,
  Object,
  RegExpPrototypeTest,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  StringPrototypeStartsWith,
  StringPrototypeToUpperCase,
  TypeError,
  URL,
} = primordials;

/** The two ways a target can travel. */
export type By = "reference" | "source";

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => unknown;

/** The code that a process runs: a function, the name of an export, or a subclass with a run(). */
export interface Target {
  code: AnyFunction | (abstract new (...args: never[]) => object) | string;
  isClass: boolean;
  /** The URL of the module that exports the target, if it was given. */
  module: string | undefined;
  /** The modules whose code made the process, the nearest first. */
  callers: readonly string[];
  by: By | undefined;
  /** Further modules to load with the process, where it has permissions of its own and can't import any. */
  preload?: readonly string[];
}

/** How a target travels, and with what its worker is made. */
export interface Plan {
  travel: Travel;
  /** The data: URL of the main module. */
  main: string;
  /** The permissions with which the worker is made, if it doesn't inherit them. */
  grants: Grants | undefined;
  /** The permissions that the child gives up before it runs any code of the user's. */
  giveUp: readonly Name[];
  /** The whole text of this package, if a spare that has loaded it can run the main module. */
  runtime?: string;
}

/** Advice for a function that can travel in neither way. */
const WAYS_OUT =
  "Export it from a module of its own and import it from there, say under which name it is " +
  'exported (target: "…", module: …), or wrap it in a function that stands by itself.';

/** The facts besides the target that decide how it travels. */
export interface Worker {
  /** The permissions of the process; undefined where it inherits them. */
  grants: Grants | undefined;
  /** Whether the process has a limit, so that with permissions of its own it runs in a thread in a sandbox. */
  isSandboxedThread: boolean;
  /** Whether objects are handed over to the process. */
  hasObjects: boolean;
  /** Whether the starter is sealed, and so may be hostile. */
  isStarterSealed: boolean;
}

/**
 * Plans how the target travels to a process.
 *
 * @throws {TypeError} if it can't travel; the message says which way was tried, and why it failed
 * @throws {Deno.errors.NotCapable} if the target was to travel by reference, and its module or this package may
 *   not be read
 */
export function plan(target: Target, worker: Worker): Plan {
  const { code, by } = target, { grants, isSandboxedThread, isStarterSealed } = worker;
  const isConfined = grants !== undefined;
  const asReferred = (reference: Reference): Plan => {
    if (isConfined && isChildModuleInBundle()) {
      throw new TypeError(
        `The target can't travel by reference: ${BUNDLED}. Give the function itself.`,
      );
    }
    return {
      ...byReference(target, reference, worker),
      ...isSandboxedThread && isConfined ? lend(grants) : { grants, giveUp: [] },
    };
  };
  const asWritten = (why: string | undefined): Plan => ({
    ...bySource(target, why, worker),
    ...{ grants, giveUp: [] },
  });
  const own = ownTarget(code);
  if (own !== undefined) {
    const isReadable = by !== "source" && !isChildModuleInBundle() &&
      whyNot(childModule(), "this library") === undefined &&
      !(isSandboxedThread && isPartial(grants?.read));
    if (isReadable) {
      return asReferred(referenceByName(own.name, new URL(own.path, childModule()).href));
    }
    const scope = { names: { [own.name]: own.name }, dead: [], isKnown: true };
    const travel: Travel = {
      ...{ by: "source", name: own.name, isClass: false, scope, notByReference: undefined },
    };
    const { whole } = partsFor(isConfined);
    const main = isStarterSealed
      ? strictMainModule(own.name, scope, bundleParts().whole)
      : `${mainModule(own.name, scope, whole, isConfined)}
multiprocessing$child.keepRuntime(${JSON.stringify(whole)}, multiprocessing$runtime);`;
    return { travel, main: dataUrl(main), grants, giveUp: [] };
  }
  if (typeof code === "string") {
    if (by === "source") {
      throw new TypeError(
        `The target is the name "${code}", and only a function can travel by source. ` +
          "Give the function itself, or the module that exports it.",
      );
    }
    return asReferred(named(code, target));
  }
  if (by === "source") return asWritten(undefined);
  if (by === "reference") return asReferred(found(code, target));
  const sought = seek(code, target, isSandboxedThread ? grants : undefined, isConfined);
  if ("reference" in sought) return asReferred(sought.reference);
  try {
    return asWritten(sought.why);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const message =
      `The target "${code.name}" can't travel. By reference: ${sought.why}. By source: ` +
      `${withoutAdvice(cause.message)} ${WAYS_OUT}`;
    throw new TypeError(message, { cause });
  }
}

function named(code: string, { module, callers }: Target): Reference {
  const url = module ?? callers[0];
  if (url === undefined) {
    throw new TypeError(
      `The module that exports "${code}" isn't known. Name it, as in module: import.meta.url.`,
    );
  }
  checkReadable("its module", url);
  checkReadable("this library", childModule());
  return referenceByName(code, url);
}

function found(code: Exclude<Target["code"], string>, target: Target): Reference {
  const sought = look(code, target);
  if ("reference" in sought) {
    checkReadable("its module", sought.reference.module);
    checkReadable("this library", childModule());
    return sought.reference;
  }
  const waysOut = code.name === ""
    ? "Give it a name and export it,"
    : "Export it there, name the module that exports it (module: …), give the name of the export " +
      '(target: "…"),';
  throw new TypeError(
    `${sentence(sought.why)} ${waysOut} or let it travel by source: by: "source".`,
  );
}

function sentence(text: string): string {
  return `${StringPrototypeToUpperCase(StringPrototypeSlice(text, 0, 1))}${
    StringPrototypeSlice(text, 1)
  }.`;
}

function look(code: Exclude<Target["code"], string>, { module, callers }: Target): Sought {
  return module === undefined
    ? referenceTo(code, withMain(callers), false)
    : referenceTo(code, [module], true);
}

/** With the program's main module, which in a callback isn't on the stack. */
export { withMain as callersWithMain };

function withMain(modules: readonly string[]): readonly string[] {
  const main = mainModuleUrl();
  return main === undefined || ArrayPrototypeIncludes(modules, main)
    ? modules
    : ArrayPrototypeConcat(modules, [main]);
}

function mainModuleUrl(): string | undefined {
  // A worker doesn't know the program's main module: Deno gives it none, or the data: URL of the worker itself.
  const url: string | undefined = Deno.mainModule;
  return url !== undefined && StringPrototypeStartsWith(url, MAIN) ? undefined : url;
}

/** The message of "by source" without its advice, because other advice follows it. */
function withoutAdvice(message: string): string {
  const at = StringPrototypeIndexOf(message, " Wrap it in ");
  return at < 0 ? message : StringPrototypeSlice(message, 0, at);
}

const BUNDLED =
  "in a bundled program, a process with permissions of its own takes its target by source";

/** A reference to a function, if there is one and its module may be loaded. */
export function findReference(code: AnyFunction, target: Target): Sought {
  return seek(code, target, undefined, false);
}

/** Looks for a reference to a function whose module may be loaded, or a reason why there is none. */
function seek(
  code: Exclude<Target["code"], string>,
  target: Target,
  threadGrants: Grants | undefined,
  isConfined: boolean,
): Sought {
  const { module, callers } = target;
  const obstacle = whyNot(childModule(), "this library");
  if (obstacle !== undefined) return { why: obstacle };
  if (isConfined && isChildModuleInBundle()) return { why: BUNDLED };
  if (isPartial(threadGrants?.read)) {
    return { why: "with a limit, permissions.read may not be a list" };
  }
  const from = module ?? callers[0];
  const hindrance = from === undefined ? undefined : whyNot(from, "its module");
  const sought = look(code, target);
  if ("why" in sought) return { why: hindrance ?? sought.why };
  if (sought.reference.exportName === undefined && isConfined) {
    return {
      why:
        "what a remote module exports while it runs can't be told in a process with permissions of its own",
    };
  }
  const why = whyNot(sought.reference.module, "its module");
  return why === undefined ? sought : { why };
}

/** The reason why a child that inherits all permissions can't import a module, as far as this isolate can tell. */
function whyNot(module: string, what: string): string | undefined {
  if (!StringPrototypeStartsWith(module, "file:")) {
    return RegExpPrototypeTest(/^(https?|npm|jsr|node|data):/, module)
      ? undefined
      : `${what}, ${module}, can't be imported`;
  }
  const url = new URL(module);
  if (!mayRead(url)) return `${what}, ${module}, may not be read: that takes --allow-read`;
  try {
    // The module of `deno eval`, or of the REPL, is in no file.
    return Deno.statSync(url).isFile ? undefined : `${what}, ${module}, is not a file`;
  } catch {
    return `${what}, ${module}, is not a file`;
  }
}

function mayRead(file: URL): boolean {
  return Deno.permissions.querySync({ name: "read", path: file }).state === "granted";
}

/**
 * Throws if a module may not be read. Deno would refuse to load it in the child, where no readable error could
 * be made of that.
 */
function checkReadable(what: string, module: string): void {
  if (!StringPrototypeStartsWith(module, "file:") || mayRead(new URL(module))) return;
  throw new Deno.errors.NotCapable(
    `A target by reference needs ${what}, ${module}, and this process may not read it. ` +
      'Run the program with --allow-read, or let the target travel by source: by: "source".',
  );
}

/** The permissions that a worker needs to load modules from files and from elsewhere. */
const TO_LOAD = ["read", "import"] as const;

/**
 * Lends a thread in a sandbox the permissions that it needs to load its modules, because it loads them with the
 * rights of the sandbox. It gives them up before it runs any of these modules.
 */
function lend(grants: Grants): Pick<Plan, "grants" | "giveUp"> {
  if (isPartial(grants.read)) {
    throw new TypeError(
      `permissions.read is ${describe(grants.read)}, and with a limit a target can travel by ` +
        "reference only with all of it, or nothing. Let it travel by source: " +
        'by: "source", leave out the limit, or set read to true or false.',
    );
  }
  const giveUp = ArrayPrototypeFilter(
    TO_LOAD,
    (name) => grants[name] === undefined || grants[name] === false,
  );
  const lent = Object.fromEntries(ArrayPrototypeMap(giveUp, (name) => [name, "inherit"]));
  return { grants: { ...grants, ...lent }, giveUp };
}

function isPartial(grant: Grants["read"]): boolean {
  return Array.isArray(grant);
}

function byReference(
  { isClass, preload = [] }: Target,
  reference: Reference,
  { grants, isStarterSealed }: Worker,
): Pick<Plan, "travel" | "main" | "runtime"> {
  const { module, name } = reference;
  const main = isStarterSealed
    ? strictMain()
    : grants !== undefined
    ? confinedMain(module, preload)
    : freeMain();
  const isFree = !isStarterSealed && grants === undefined && !isChildModuleInBundle();
  return {
    travel: { by: "reference", reference, name, isClass },
    main: dataUrl(main),
    runtime: isFree ? partsFor(false).whole : undefined,
  };
}

function freeMain(): string {
  if (isChildModuleInBundle()) return bundledMain();
  // The target's module is imported from here: a package from JSR may import none that isn't on JSR.
  return `import { multiprocessing$child as child } from ${JSON.stringify(partsFor(false).whole)};
child.bootModule((module, options) => import(module, options));`;
}

/** In a bundle, a child gets the modules that it runs first by importing the bundle, and so the program. */
function bundledMain(): string {
  const symbol = `Symbol.for(${JSON.stringify(LOADER)})`;
  return `let load;
const value = (modules) => load ??= modules;
Object.defineProperty(globalThis, ${symbol}, { value, configurable: true });
await import(${JSON.stringify(childModule())});
delete globalThis[${symbol}];
const [child] = await Promise.all(load());
child.bootModule((module, options) => import(module, options));`;
}

/**
 * The main module of a child that a sealed process starts, which may be hostile. The target's module is
 * imported when the child is sealed, and with the child's own rights, because only the hostile code has chosen
 * it.
 */
function strictMain(): string {
  const library = childModule();
  let folder = "";
  for (let i = 0; i < library.length - "lib/child/boot.ts".length; i++) folder += library[i];
  return `import ${JSON.stringify(`${folder}mod.ts`)};
import ${JSON.stringify(`${folder}lib/child/deserializers.ts`)};
import { bootSealed } from ${JSON.stringify(`${library}`)};
bootSealed();`;
}

function confinedMain(module: string, preload: readonly string[]): string {
  // Modules with a literal specifier are loaded with the rights of the starter (platform/web_workers.ts). So is
  // the target's module, which is evaluated when it is imported: with the rights of the child.
  return `import { multiprocessing$child as child } from ${JSON.stringify(bundleParts().whole)};
child.bootConfined(() => import(${JSON.stringify(dataUrl(sealing(module, preload)))}));`;
}

/**
 * A module that exports the target's module. All that the target's module imports is loaded before any of it is
 * evaluated.
 */
function sealing(module: string, preload: readonly string[]): string {
  const { whole } = bundleParts();
  const seal = `import { multiprocessing$child as child } from ${JSON.stringify(whole)};
child.modulesAreThere();`;
  // A module that is loaded in case that it is needed may fail, as a module of tests does: there is no Deno.test.
  const others = ArrayPrototypeMap(preload, (url) => {
    const text = JSON.stringify(url);
    return `await import(${text}).then((m) => { others[${text}] = m; }, () => {});`;
  });
  return `import ${JSON.stringify(dataUrl(seal))};
import * as target from ${JSON.stringify(isOwn(module) ? whole : module)};
const others = ${isOwn(module) ? `{ ${JSON.stringify(whole)}: target }` : "{}"};
${ArrayPrototypeJoin(others, "\n")}
export { others, target };`;
}

function bySource(
  { code, isClass, module, callers }: Target,
  notByReference: string | undefined,
  { grants, hasObjects, isStarterSealed }: Worker,
): Pick<Plan, "travel" | "main" | "runtime"> {
  const written = code as Exclude<Target["code"], string>;
  const expression = asExpression(written);
  const scope = scopeOf(
    textOf(written),
    module === undefined ? withMain(callers) : ArrayPrototypeConcat([module], callers),
  );
  const travel: Travel = { by: "source", name: written.name, isClass, scope, notByReference };
  // A child runs without this package's classes where the function names none of them and none of their objects
  // is handed over.
  const isSmall = !hasObjects && Object.keys(scope.names).length === 0;
  const main = isStarterSealed
    ? strictMainModule(expression, scope, bundleParts().whole)
    : mainModule(
      expression,
      scope,
      partsFor(grants !== undefined)[isSmall ? "core" : "whole"],
      grants !== undefined,
    );
  // In a spare the function's module isn't the main module of the worker, as import.meta would show.
  const isFree = !isStarterSealed && grants === undefined &&
    !RegExpPrototypeTest(/\bmeta\b/, expression);
  return {
    travel,
    main: dataUrl(main),
    runtime: isFree ? partsFor(false).whole : undefined,
  };
}

/** The parts of this package's text, for a child that runs from them: as files where the child may read these. */
function partsFor(isConfined: boolean): BundleParts {
  // Not where the child has permissions of its own: its children get the same URLs, and may read as little.
  const files = isConfined ? undefined : bundleFiles();
  const isReadable = files !== undefined && whyNot(files.core, "") === undefined &&
    whyNot(files.whole, "") === undefined;
  return isReadable ? files : bundleParts();
}

/** The URL of a child's main module with this text. */
export function dataUrl(text: string): string {
  return `${MAIN}${encodeURIComponent(text)}`;
}
