// Deno makes the text of an error's stack, and ends the whole program where that has more than 2 ** 29 bytes: where an
// error has a very long name or message, or a function on the stack has one (Deno 2.9.6). In a sealed process these
// texts are made here, as Deno makes them, and what is very long is left out. The user's Error.prepareStackTrace comes
// first, as ever. The methods of call sites keep a list in which Deno looks for its own entries, and end the program
// where the language's objects have getters for those: then they are refused.

import * as primordials from "../platform/primordials.ts";

const { Object, Reflect, StringPrototypeIndexOf, StringPrototypeSlice } = primordials;
const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { apply, ownKeys } = Reflect;
const ArrayPrototype = globalThis.Array.prototype, ObjectPrototype = globalThis.Object.prototype;

/** The most characters of a name or a message, and of a name in a frame. */
const MAX_TEXT = 2 ** 24, MAX_NAME = 10_000;

type Site = Record<string, () => unknown>;

/** What a frame of a stack is made of. */
const PARTS = [
  ...["getFunctionName", "getTypeName", "getMethodName", "getEvalOrigin", "getFileName"],
  "getScriptNameOrSourceURL",
];

/** Called once, before any code of the user's runs. */
export function boundStacks(): void {
  const { Error } = globalThis;
  let own: unknown, before: unknown;
  const prepare = (error: unknown, sites: readonly Site[]) =>
    typeof own === "function"
      ? apply(own, Error, [error, guardedSites(sites)])
      : stackOf(error, sites);
  defineProperty(Error, "prepareStackTrace", {
    // Deno calls what it finds here.
    get: () => prepare,
    set(value: unknown) {
      // Whoever sets it for a while, and then what it was, restores that.
      if (value === prepare) own = before;
      else {
        before = own;
        own = value;
      }
    },
    configurable: false,
  });
  defineProperty(globalThis, "Error", { value: Error, writable: false, configurable: false });
}

/** A call site for the user's code: its prototype has the same methods, guarded. */
class GuardedSite {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  static of(value: object): Site | undefined {
    return #site in value ? value.#site : undefined;
  }
}
const siteOf = GuardedSite.of;
let hasMethods = false;

/** Call sites for the user's code, by guarded methods. */
function guardedSites(sites: readonly Site[]): object[] {
  const made: object[] = [];
  if (hasEntries() || sites.length === 0) return made;
  if (!hasMethods) addMethods(getPrototypeOf(sites[0]));
  for (let i = 0; i < sites.length; i++) made[i] = new GuardedSite(sites[i]);
  return made;
}

function addMethods(methods: Record<PropertyKey, unknown>): void {
  hasMethods = true;
  const { prototype } = GuardedSite;
  delete (prototype as { constructor?: unknown }).constructor;
  for (const name of primordials.each(ownKeys(methods))) {
    const original = methods[name];
    if (typeof original !== "function") continue;
    const value = function (this: object) {
      const site = siteOf(this);
      return site === undefined || hasEntries()
        ? undefined
        : apply(original as () => unknown, site, []);
    };
    defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
}

/** Whether arrays inherit one of the entries that Deno's lists have. */
function hasEntries(): boolean {
  if (getPrototypeOf(ArrayPrototype) !== ObjectPrototype) return true;
  for (let i = 0; i < 3; i++) {
    if (getOwnPropertyDescriptor(ArrayPrototype, i) !== undefined) return true;
    if (getOwnPropertyDescriptor(ObjectPrototype, i) !== undefined) return true;
  }
  return false;
}

function stackOf(error: unknown, sites: readonly Site[]): string {
  const name = partOf(error, "name", "Error"), message = partOf(error, "message", "");
  let text = name !== "" && message !== "" ? `${name}: ${message}` : name + message;
  for (let i = 0; i < sites.length; i++) text += `\n    at ${frameOf(sites[i])}`;
  return text;
}

function partOf(error: unknown, key: "name" | "message", otherwise: string): string {
  try {
    const value = (error as Record<string, unknown>)[key];
    if (value === undefined) return otherwise;
    const text = `${value}`;
    return text.length > MAX_TEXT ? `(${text.length} characters)` : text;
  } catch { // a getter threw, or there is no text of the value
    return otherwise;
  }
}

function frameOf(site: Site): string {
  if (hasEntries()) return "<anonymous>";
  try {
    for (let i = 0; i < PARTS.length; i++) {
      const part = site[PARTS[i]]();
      if (typeof part === "string" && part.length > MAX_NAME) return "<anonymous>";
    }
    const text = site.toString(), file = site.getFileName();
    if (typeof text !== "string") return "<anonymous>";
    // Here Deno gives paths, and in stacks URLs.
    if (typeof file !== "string" || file[0] !== "/") return text;
    const at = StringPrototypeIndexOf(text, file);
    if (at < 0) return text;
    return `${StringPrototypeSlice(text, 0, at)}file://${StringPrototypeSlice(text, at)}`;
  } catch { // the user's code has replaced a method
    return "<anonymous>";
  }
}
