// Options have names here, where Python's arguments are mostly positional. If unknown options were ignored,
// `get(0.1)` and `get({ timeOut: 100 })` would wait for ever; so they are refused.

import { describe } from "./describe.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayPrototypeAt,
  ArrayPrototypeIncludes,
  ArrayPrototypeJoin,
  ArrayPrototypeSlice,
  Object,
  TypeError,
} = primordials;

/**
 * Reads an option. Properties that the program, or one of its libraries, has added to Object.prototype are not
 * options.
 */
export function option<O extends object, K extends keyof O & string>(
  options: O | undefined,
  name: K,
): O[K] | undefined {
  if (options === undefined || options === null) return undefined;
  return name in Object.prototype && isInherited(options, name) ? undefined : options[name];
}

/** Whether no object before Object.prototype, in the chain of prototypes, has a property of this name. */
function isInherited(options: object, name: string): boolean {
  for (let o: object | null = options; o !== null; o = Object.getPrototypeOf(o)) {
    if (o === Object.prototype) return true;
    if (Object.hasOwn(o, name)) return false;
  }
  return true;
}

/** The options themselves, or a copy without inherited ones if Object.prototype has one of their names. */
function withoutInherited<O extends object>(options: O, names: readonly string[]): O {
  let isAdded = false;
  for (let i = 0; i < names.length; i++) isAdded ||= names[i] in Object.prototype;
  if (!isAdded) return options;
  const own: Record<string, unknown> = { __proto__: null } as object as Record<string, unknown>;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (!isInherited(options, name)) own[name] = (options as Record<string, unknown>)[name];
  }
  return own as O;
}

/**
 * Checks that the options are an object with no names but these. Returns the options, without properties that
 * the program has added to Object.prototype.
 *
 * @param more names that only some calls of this kind have
 * @param example a call with correct options
 * @throws {TypeError} if they are not
 */
export function checkNames<O extends object>(
  options: O,
  names: readonly string[],
  example: string,
  more: readonly string[] = [],
): O {
  checkOnlyNames(options, names, example, more);
  return withoutInherited(options, names);
}

/** Does the same check, without the copy; the caller reads the options by {@linkcode option}. */
export function checkOnlyNames(
  options: object,
  names: readonly string[],
  example: string,
  more: readonly string[] = [],
): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(
      `The options are ${describe(options)}. Give an object, as in ${example}.`,
    );
  }
  const given = Object.keys(options);
  for (let i = 0; i < given.length; i++) {
    const name = given[i];
    if (ArrayPrototypeIncludes(names, name) || ArrayPrototypeIncludes(more, name)) continue;
    const all = names.length === 1 ? `The only one is ${names[0]}` : `There are ${list(names)}`;
    throw new TypeError(`${name} is no option here. ${all}, as in ${example}.`);
  }
}

/** Throws if an option or argument isn't right; the TypeError says what the value is, and what to give. */
export function checkOption(what: string, value: unknown, isRight: boolean, wanted: string): void {
  if (!isRight) throw new TypeError(`${what} is ${describe(value)}. Give ${wanted}.`);
}

/** Checks an option that is on or off, and is off where it is left out. */
export function checkFlag(what: string, value: boolean | undefined): boolean {
  checkOption(what, value, value === undefined || typeof value === "boolean", "true or false");
  return value ?? false;
}

/** Checks a function that may be left out. */
export function checkFunction(what: string, value: unknown): void {
  checkOption(what, value, value === undefined || typeof value === "function", "a function");
}

/** Checks a name. */
export function checkName(name: unknown): void {
  checkOption("name", name, typeof name === "string" && name !== "", "a string that isn't empty");
}

function list(names: readonly string[]): string {
  return `${ArrayPrototypeJoin(ArrayPrototypeSlice(names, 0, -1), ", ")} and ${
    ArrayPrototypeAt(names, -1)
  }`;
}
