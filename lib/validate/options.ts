// Options have names here, where Python's arguments mostly have places: `get(0.1)` would wait for ever, and so
// would `get({ timeOut: 100 })`. So what is no option is refused.

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
 * An option. Not one is what a program, or a library of its, has added to Object.prototype.
 */
export function option<O extends object, K extends keyof O & string>(
  options: O | undefined,
  name: K,
): O[K] | undefined {
  if (options === undefined || options === null) return undefined;
  return name in Object.prototype && isInherited(options, name) ? undefined : options[name];
}

/** Whether an object has a property, if at all, from Object.prototype. */
function isInherited(options: object, name: string): boolean {
  for (let o: object | null = options; o !== null; o = Object.getPrototypeOf(o)) {
    if (o === Object.prototype) return true;
    if (Object.hasOwn(o, name)) return false;
  }
  return true;
}

/** The options, or a copy of them if Object.prototype has one of their names. */
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
 * Checks that the options are an object with none but these names. Returns the options, without what somebody
 * has added to Object.prototype.
 *
 * @param more names that not every call of this kind has
 * @param example a call with options as they should be
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

/** The same check alone; options are then read by {@linkcode option}. */
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

/** Checks one option or argument, by whether it is right; the TypeError says what it is, and what to give. */
export function checkOption(what: string, value: unknown, isRight: boolean, wanted: string): void {
  if (!isRight) throw new TypeError(`${what} is ${describe(value)}. Give ${wanted}.`);
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
