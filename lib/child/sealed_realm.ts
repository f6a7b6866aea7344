// A sealed realm: the globals of a process with permissions of its own, built by an allow-list instead of a
// deny-list. It is made before any code of the user's runs. Deno's own permissions are the first line of
// defence. Removed here are the APIs that Deno guards with no permission, and those that end or hang the whole
// program: Deno's internals, the modules of node:, raw workers, channels, WebGPU, unstable APIs, imports of
// text.
//
// Nothing here depends on functions that the user's code may replace later: all code that runs afterwards (the
// hook of imports, the stubs) uses only this module's own variables, string indexing and comparison.

import process from "node:process";
import {
  deno as denoMembers,
  globals,
  GUARDED_GLOBALS,
  guardedDeno,
  IMPORTED_SCHEMES,
  navigatorMembers,
  NEEDS_ALL,
  subtle,
  TAKES_TRANSPORT,
  TRANSPORTS,
} from "./allow_list.ts";
import type { Grants, Name } from "../protocol/grants.ts";

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { apply, deleteProperty, ownKeys } = Reflect;
const { NotCapable } = Deno.errors;
const PlainTypeError = TypeError, PlainPromise = Promise;

type Methods = Record<PropertyKey, unknown>;

/**
 * Seals the realm. Throws if this Deno doesn't let a property be removed: the process then ends before its
 * target begins.
 */
export function sealRealm(grants: Grants, keeps: readonly string[]): void {
  // Not later: node:module is loaded here, and its parts need some of the globals that are removed.
  ({ registerHooks } = process.getBuiltinModule("node:module") as unknown as Registering);
  const isGranted = (name: Name) => grants[name] !== undefined && grants[name] !== false;
  const hasAll = (name: Name) => isGranted(name) && typeof grants[name] !== "object";
  const scope = globalThis as unknown as Methods;
  const deno = Deno as unknown as Methods;
  // Deno's own code holds these classes, and their instances lead to them.
  for (const name of ["Worker", "BroadcastChannel", "MessageChannel", "MessagePort"]) {
    const prototype = (scope[name] as { prototype?: object } | undefined)?.prototype;
    if (prototype !== undefined) remove(prototype, "constructor");
  }
  if (isGranted("net")) { for (const name of TAKES_TRANSPORT) checkTransport(deno, name); }
  keepOnly(getPrototypeOf(navigator), [...navigatorMembers(), Symbol.toStringTag]);
  keepOnly(navigator, []);
  keepOnly(getPrototypeOf(crypto.subtle), [...subtle(), Symbol.toStringTag]);
  keepOnly(URL, [...ownKeys(URL)].filter((key) => !`${String(key)}`.endsWith("ObjectURL")));
  build(deno, "Deno.", denoMembers(), guardedDeno(), isGranted, hasAll);
  build(scope, "", [...globals(), ...keeps], GUARDED_GLOBALS, isGranted, hasAll);
  ownTimers(scope);
}

/**
 * Freezes Deno. Called once this library has replaced what it must replace there, so that it later calls its
 * own functions.
 */
export function keepDeno(): void {
  Object.freeze(Deno);
  defineProperty(globalThis, "Deno", { value: Deno, writable: false, configurable: false });
}

/**
 * Removes from an object all that isn't allowed, and puts stubs in the place of members that would need a
 * permission. In a main isolate Deno.jupyter can't be removed: it throws whenever it is read (Deno 2.9.6).
 */
function build(
  object: Methods,
  prefix: string,
  kept: readonly string[],
  guarded: Readonly<Record<string, readonly Name[]>>,
  isGranted: (name: Name) => boolean,
  hasAll: (name: Name) => boolean,
): void {
  for (const key of ownKeys(object)) {
    // The globals' symbols are those of EventTarget.
    if (typeof key === "symbol" ? prefix === "" : kept.includes(key)) continue;
    const permissions = typeof key === "symbol" ? undefined : guarded[key];
    const isWhole = NEEDS_ALL.includes(key as string) ? hasAll : isGranted;
    if (permissions?.some(isWhole)) continue;
    const value = permissions === undefined ? undefined : peek(object, key);
    if (key === "jupyter" && !deleteProperty(object, key)) continue;
    remove(object, key);
    if (permissions !== undefined) {
      const stub = stubOf(value, `${prefix}${String(key)}`, permissions[0]);
      defineProperty(object, key, { value: stub, writable: true, configurable: true });
    }
  }
}

/**
 * The value of a member that needs a permission. Deno loads some of its functions when they are first read, which
 * takes milliseconds: for these, any function stands.
 */
function peek(object: Methods, key: PropertyKey): unknown {
  const { get, value } = getOwnPropertyDescriptor(object, key)!;
  return get === undefined ? value : () => {};
}

function keepOnly(object: object, kept: readonly PropertyKey[]): void {
  for (const key of ownKeys(object)) if (!kept.includes(key)) remove(object, key);
}

function remove(object: object, key: PropertyKey): void {
  if (deleteProperty(object, key)) return;
  throw new PlainTypeError(
    `This Deno can't be sealed: ${
      String(key)
    } can't be removed. Start the process with sealed: false.`,
  );
}

/**
 * A stub that throws the name of the missing permission, as Deno itself would, but never asks the person at the
 * terminal.
 */
function stubOf(original: unknown, name: string, permission: Name): unknown {
  const refusal = (what: string) =>
    new NotCapable(
      `Requires ${permission} access: ${what} can't be used in a process that was started without ` +
        `permissions.${permission}. Grant it, or do it in the process that has started this one.`,
    );
  if (typeof original !== "function") {
    if (typeof original !== "object" || original === null) return undefined;
    const stub = { __proto__: null } as Methods;
    for (const key of [...ownKeys(original), ...ownKeys(getPrototypeOf(original))]) {
      if (typeof key === "symbol" || key === "constructor") continue;
      stub[key] = () => {
        throw refusal(`${name}.${key}`);
      };
    }
    return stub;
  }
  const isAsync = Object.prototype.toString.call(original) === "[object AsyncFunction]" ||
    name === "fetch";
  if (isAsync) return () => new PlainPromise((_, reject) => reject(refusal(name)));
  // A function and no arrow, because a class is called with new.
  return function () {
    throw refusal(name);
  };
}

/** Has a function refuse transports that are behind an unstable flag: for these Deno ends the program. */
function checkTransport(deno: Methods, name: string): void {
  const original = deno[name];
  if (typeof original !== "function") return;
  deno[name] = (...args: unknown[]) => {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      if (typeof arg !== "object" || arg === null) continue;
      // A copy, so that the checked options are the ones that are used.
      const options = { ...arg } as { transport?: unknown };
      const { transport } = options;
      if (transport !== undefined && !isOneOf(transport, TRANSPORTS)) {
        throw new PlainTypeError(
          `transport is ${typeof transport === "string" ? `"${transport}"` : "no string"}. ` +
            'Give "tcp" or "unix": others can\'t be used in a sealed process.',
        );
      }
      args[i] = options;
    }
    return apply(original, deno, args);
  };
}

/** Lets the process clear only the timers that it has made itself, and not this library's. */
function ownTimers(scope: Methods): void {
  const own = { __proto__: null } as unknown as Record<string, boolean>;
  const pairs = [["setTimeout", "clearTimeout"], ["setInterval", "clearInterval"]];
  for (const [set] of pairs) {
    const original = scope[set] as (...args: unknown[]) => unknown;
    const made = (callback: unknown, ...args: unknown[]) => {
      // Once the timer has fired there is nothing to clear, and its number may be reused.
      const isOnce = set === "setTimeout" && typeof callback === "function";
      const wrapped = isOnce
        ? function (this: unknown, ...given: unknown[]) {
          delete own[id];
          return apply(callback, this, given);
        }
        : callback;
      const timer = original(wrapped, ...args), id = `${+(timer as number)}`;
      own[id] = true;
      return timer;
    };
    defineProperty(made, "name", { value: set, configurable: true });
    scope[set] = made;
  }
  for (const [, clear] of pairs) {
    const original = scope[clear] as (timer: unknown) => void;
    const cleared = (timer: unknown) => {
      const id = `${+(timer as number)}`;
      if (own[id] !== true) return;
      delete own[id];
      original(+id);
    };
    defineProperty(cleared, "name", { value: clear, configurable: true });
    scope[clear] = cleared;
  }
}

/** The resolution hook of module.registerHooks. */
interface Hooks {
  resolve(
    specifier: string,
    context: { parentURL?: string; conditions?: readonly string[] },
    next: (specifier: string, context?: object) => { url: string | null },
  ): { url: string | null };
}

interface Registering {
  registerHooks?: (hooks: Hooks) => void;
}
let registerHooks: Registering["registerHooks"];

/**
 * From now on code can import only files and modules from the net, for which Deno asks for permissions. Called
 * when all modules that the target's module imports are loaded, and none of them has run.
 *
 * @param library the folder of this package, as a URL; empty if it is one module
 */
export function closeImports(library: string): void {
  if (registerHooks === undefined) {
    throw new PlainTypeError(
      "This Deno can't be sealed: it has no module.registerHooks. Start the process with sealed: false.",
    );
  }
  const isPublic = (url: string) => url === `${library}mod.ts` || url === `${library}local.ts`;
  const isOwn = (url: string) =>
    library !== "" && (beginsWith(url, `${library}lib/`) || isPublic(url));
  registerHooks({
    resolve(specifier, context, next) {
      // Only CommonJS modules have require(), and the only ones here are those that the target's modules import.
      if (context.conditions?.[1] === "require") return next(specifier, context);
      // Modules that Deno's own modules load later: Deno 2.9.4 calls the hook for these, too, and lets no other
      // module import them.
      if (isInternal(context.parentURL ?? "") && beginsWith(specifier, "ext:")) {
        return next(specifier, context);
      }
      // This package's modules may import each other, and the modules they need.
      if (isOwn(context.parentURL ?? "")) return next(specifier, context);
      if (!mayBeImported(specifier, false)) throw refusedImport(specifier);
      const resolved = next(specifier, context), { url } = resolved;
      if (typeof url !== "string") throw named(`Import "${specifier}" not found.`);
      const isAllowed = mayBeImported(url, true) && (!isOwn(url) || isPublic(url));
      if (!isAllowed) throw refusedImport(specifier);
      return { url, shortCircuit: true } as { url: string };
    },
  });
}

/** Whether a specifier may be resolved, or a URL imported. */
function mayBeImported(url: string, isWhole: boolean): boolean {
  let scheme = "", begun = false;
  for (let i = 0; i < url.length; i++) {
    const character = url[i];
    // As URLs are parsed: blanks around them and line ends in them don't count.
    if (character <= " " && (!begun || character !== " ")) continue;
    begun = true;
    scheme += character;
    if (character === ":") return isOneOf(lowered(scheme), IMPORTED_SCHEMES);
    if (character === "/" || character === "?" || character === "#") break;
  }
  return !isWhole;
}

const CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", SMALL = "abcdefghijklmnopqrstuvwxyz";

function lowered(text: string): string {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    let character = text[i];
    for (let j = 0; j < CAPITALS.length; j++) if (CAPITALS[j] === character) character = SMALL[j];
    result += character;
  }
  return result;
}

function isOneOf(value: unknown, all: readonly unknown[]): boolean {
  for (let i = 0; i < all.length; i++) if (all[i] === value) return true;
  return false;
}

function beginsWith(text: string, start: string): boolean {
  if (text.length < start.length) return false;
  for (let i = 0; i < start.length; i++) if (text[i] !== start[i]) return false;
  return true;
}

/** Whether this is a module of Deno itself. */
function isInternal(url: string): boolean {
  return beginsWith(url, "node:") || beginsWith(url, "ext:");
}

function refusedImport(specifier: string): TypeError {
  return named(
    `"${
      specifier.length > 60 ? "…" : specifier
    }" can't be imported while a sealed process runs: only files and what ` +
      "comes over the net, with the permissions for them. Import it statically in the target's module, or " +
      "start the process with sealed: false.",
  );
}

function named(message: string): TypeError {
  const error = new PlainTypeError(message);
  // Deno puts the text of this error into an error of its own.
  defineProperty(error, "name", { value: "" });
  return error;
}
