// Finds the place of a part of a value that can't be cloned. The encoder keeps no path, which would cost every
// message for the sake of the few that fail, so the value is walked once more to find the place.

import { types } from "node:util";
import { isHandedOver } from "./clone_protocol.ts";
import { kindOf } from "./kinds.ts";
import { type Refusal, refusalOf } from "./uncloneable.ts";
import { MAX_DEPTH } from "./format.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayBuffer,
  ArrayPrototypeJoin,
  ArrayPrototypePop,
  ArrayPrototypePush,
  ArrayPrototypeReverse,
  ArrayPrototypeSlice,
  each,
  entriesOfMap,
  JSON,
  Object,
  RangeError,
  Reflect,
  RegExpPrototypeTest,
  Set,
  SetPrototypeAdd,
  SetPrototypeHas,
  valuesOfSet,
} = primordials;

/** The objects that may cross besides those that structured cloning copies. */
export interface CrossingOptions {
  /** The value is posted, which shares a SharedArrayBuffer. Default false: the value becomes bytes. */
  sharedMemory?: boolean;
  /** The value is posted, and objects in it are handed over, inside plain objects, arrays, Maps and Sets. */
  isPosted?: boolean;
  /** Whether an object crosses by other means; such objects are skipped, with all they contain. */
  mayCross?: (object: object) => boolean;
}

/**
 * The first place in `value` that structured cloning refuses, as "args[1].onDone is a function",
 * or undefined. `root` is the value's name. Getters of the value are invoked.
 */
export function findUncloneable(
  value: unknown,
  root: string,
  options: CrossingOptions = {},
): string | undefined {
  const found = new Search(options).find(value, root);
  return found && `${found.place} is ${found.refusal.what}`;
}

/** The same place and reason as a sentence, followed by one that says what to do; undefined if there is none. */
export function findRefusal(
  value: unknown,
  root: string,
  options: CrossingOptions = {},
): string | undefined {
  const found = search(value, root, options);
  return found && `${found.place} is ${found.refusal.what}${found.refusal.advice}`;
}

/** The same for a value that the encoder has refused. */
export function explainRefusal(
  value: unknown,
  root: string,
  options: CrossingOptions = {},
): string {
  return findRefusal(value, root, options) ??
    `${root} holds something that can't be cloned. Send plain data.`;
}

/** Finds nothing if a getter returns another value this time, or if the stack is too full for the depth. */
function search(value: unknown, root: string, options: CrossingOptions): Found | undefined {
  try {
    return new Search(options).find(value, root);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

interface Found {
  place: string;
  refusal: Refusal;
}

class Search {
  readonly #sharedMemory: boolean;
  readonly #mayCross: ((object: object) => boolean) | undefined;
  readonly #handsOver: boolean;
  /**
   * The objects searched so far; and, apart, those searched inside of a container that can't hold objects that are
   * handed over: the same object can have places of both kinds.
   */
  readonly #seen = new Set<object>();
  readonly #seenOutside = new Set<object>();
  #isOutside = false;

  constructor({ isPosted = false, sharedMemory = isPosted, mayCross }: CrossingOptions) {
    this.#sharedMemory = sharedMemory;
    this.#handsOver = isPosted;
    this.#mayCross = mayCross;
  }

  find(value: unknown, place: string): Found | undefined {
    if (typeof value === "object" && value !== null) {
      const seen = this.#isOutside ? this.#seenOutside : this.#seen;
      if (SetPrototypeHas(seen, value)) return undefined;
      SetPrototypeAdd(seen, value);
      if (this.#handsOver && !this.#isOutside && isHandedOver(value)) return undefined;
    }
    const mayHold = typeof value === "object" || typeof value === "function";
    if (mayHold && value !== null && this.#mayCross?.(value)) return undefined;
    const refusal = refusalOf(value, this.#sharedMemory);
    if (refusal !== undefined) return { place, refusal };
    return typeof value === "object" && value !== null ? this.#inside(value, place) : undefined;
  }

  #inside(object: object, place: string): Found | undefined {
    switch (kindOf(object, this.#sharedMemory)) {
      case "plain":
        if (!isPlain(object)) return this.#outside(() => this.#properties(object, place));
        return this.#properties(object, place);
      case "array":
        return this.#properties(object, place);
      case "map":
        return this.#map(object as Map<unknown, unknown>, place);
      case "set":
        return this.#all(valuesOfSet(object as Set<unknown>), place);
      case "error":
        return this.#outside(() => this.#error(object as Error, place));
      default:
        return undefined;
    }
  }

  #outside(look: () => Found | undefined): Found | undefined {
    const before = this.#isOutside;
    this.#isOutside = true;
    try {
      return look();
    } finally {
      this.#isOutside = before;
    }
  }

  #properties(object: object, place: string): Found | undefined {
    const isArray = Array.isArray(object);
    for (const key of each(Object.keys(object))) {
      const found = this.find(Reflect.get(object, key), place + step(key, isArray));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #map(map: Map<unknown, unknown>, place: string): Found | undefined {
    const { keys, values } = entriesOfMap(map);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i], value = values[i];
      const found = this.find(key, `[...${place}.keys()][${i}]`) ??
        this.find(value, valuePlace(key, i, place));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #all(values: readonly unknown[], place: string): Found | undefined {
    let i = 0;
    for (const value of each(values)) {
      const found = this.find(value, `[...${place}][${i}]`);
      if (found !== undefined) return found;
      i++;
    }
    return undefined;
  }

  #error(error: Error, place: string): Found | undefined {
    const message = Object.getOwnPropertyDescriptor(error, "message")?.value;
    const cause = Object.getOwnPropertyDescriptor(error, "cause")?.value;
    // Name and message become strings; only a symbol can't become one.
    return (typeof error.name === "symbol" ? this.find(error.name, `${place}.name`) : undefined) ??
      (typeof message === "symbol" ? this.find(message, `${place}.message`) : undefined) ??
      this.find(cause, `${place}.cause`);
  }
}

function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}

/** The number of steps of the path to a too deep object that the message names. */
const STEPS_TOLD = 3;

/** A sentence that says which part of a value is nested too deep, followed by one that says what to do. */
export function placeTooDeep(value: unknown, root: string): string {
  const steps = stepsTooDeep(value as object),
    told = ArrayPrototypeJoin(ArrayPrototypeSlice(steps, 0, STEPS_TOLD), "");
  const where = told === "" ? "" : `, in ${root}${told}`;
  return `${root} is nested deeper than ${MAX_DEPTH} levels${where}. Send long chains as arrays.`;
}

/** An object inside another object. */
interface Level {
  object: object;
  depth: number;
  step: string;
  outer: Level | undefined;
}

/**
 * The path to an object that is nested too deep. The search follows data properties only, so no getter is run,
 * and doesn't recurse, because there may be no room on the stack.
 */
function stepsTooDeep(value: object): string[] {
  const seen = new Set<unknown>();
  const waiting: Level[] = [{ object: value, depth: 1, step: "", outer: undefined }];
  for (
    let level = ArrayPrototypePop(waiting);
    level !== undefined;
    level = ArrayPrototypePop(waiting)
  ) {
    const { object, depth } = level;
    if (depth > MAX_DEPTH) return stepsTo(level);
    const inner: [step: string, value: unknown][] = [];
    let levels = 1;
    if (types.isProxy(object)) continue;
    if (types.isMap(object)) {
      const { keys, values } = entriesOfMap(object as Map<unknown, unknown>);
      for (let i = 0; i < keys.length; i++) {
        ArrayPrototypePush(inner, [`.keys()[${i}]`, keys[i]], [
          valuePlace(keys[i], i, ""),
          values[i],
        ]);
      }
    } else if (types.isSet(object)) {
      for (const value of each(valuesOfSet(object as Set<unknown>))) {
        ArrayPrototypePush(inner, [`.values()[${inner.length}]`, value]);
      }
    } else if (!ArrayBuffer.isView(object)) {
      const isError = types.isNativeError(object);
      if (isError) levels = 2;
      const names = isError ? ["cause"] : Object.keys(object);
      for (const name of each(names)) {
        const value = Object.getOwnPropertyDescriptor(object, name)?.value;
        ArrayPrototypePush(inner, [step(name, Array.isArray(object)), value]);
      }
    }
    // The stack of waiting objects is last in, first out: reversed, the first part is searched first.
    for (const { 0: step, 1: value } of each(ArrayPrototypeReverse(inner))) {
      if (typeof value !== "object" || value === null || SetPrototypeHas(seen, value)) continue;
      SetPrototypeAdd(seen, value);
      ArrayPrototypePush(waiting, { object: value, depth: depth + levels, step, outer: level });
    }
  }
  return [];
}

function stepsTo(level: Level): string[] {
  const steps: string[] = [];
  for (let at: Level | undefined = level; at?.outer !== undefined; at = at.outer) {
    ArrayPrototypePush(steps, at.step);
  }
  return ArrayPrototypeReverse(steps);
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function step(key: string, isArray: boolean): string {
  if (isArray && RegExpPrototypeTest(/^\d+$/, key)) return `[${key}]`;
  return RegExpPrototypeTest(identifier, key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function valuePlace(key: unknown, index: number, place: string): string {
  switch (typeof key) {
    case "string":
      return `${place}.get(${JSON.stringify(key)})`;
    case "number":
    case "boolean":
      return `${place}.get(${key})`;
    default:
      return `[...${place}.values()][${index}]`;
  }
}
