// Finding the place of what can't be cloned. Encoding keeps no path, which would cost every
// message for the sake of the few that fail; this walks the value once more to find it.

import { kindOf } from "./kinds.ts";
import { type Refusal, refusalOf } from "./refusals.ts";
import * as primordials from "../../platform/primordials.ts";

const { Array, JSON, Map, Object, RangeError, Reflect, Set } = primordials;

/** What may cross besides what structured cloning copies. */
export interface CrossingOptions {
  /** The value is to be posted, which shares a SharedArrayBuffer. Default false: it becomes bytes. */
  sharedMemory?: boolean;
  /** Tells objects that cross by other means; they are skipped with all that they hold. */
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

/** The same place and reason as a sentence, and one that says what to do; undefined if there is none. */
export function findRefusal(
  value: unknown,
  root: string,
  options: CrossingOptions = {},
): string | undefined {
  const found = search(value, root, options);
  return found && `${found.place} is ${found.refusal.what}${found.refusal.advice}`;
}

/** The same where something is known to be refused. */
export function explainRefusal(
  value: unknown,
  root: string,
  options: CrossingOptions = {},
): string {
  return findRefusal(value, root, options) ??
    `${root} holds something that can't be cloned. Send plain data.`;
}

/** Finds nothing if a getter gives something else this time, or too deep for the stack left. */
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
  readonly #seen = new Set<object>();

  constructor({ sharedMemory = false, mayCross }: CrossingOptions) {
    this.#sharedMemory = sharedMemory;
    this.#mayCross = mayCross;
  }

  find(value: unknown, place: string): Found | undefined {
    if (typeof value === "object" && value !== null) {
      if (this.#seen.has(value)) return undefined;
      this.#seen.add(value);
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
      case "array":
        return this.#properties(object, place);
      case "map":
        return this.#map(object as Map<unknown, unknown>, place);
      case "set":
        return this.#all(Set.prototype.values.call(object), place);
      case "error":
        return this.#error(object as Error, place);
      default:
        return undefined;
    }
  }

  #properties(object: object, place: string): Found | undefined {
    const isArray = Array.isArray(object);
    for (const key of Object.keys(object)) {
      const found = this.find(Reflect.get(object, key), place + step(key, isArray));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #map(map: Map<unknown, unknown>, place: string): Found | undefined {
    let i = 0;
    for (const [key, value] of Map.prototype.entries.call(map)) {
      const found = this.find(key, `[...${place}.keys()][${i}]`) ??
        this.find(value, valuePlace(key, i, place));
      if (found !== undefined) return found;
      i++;
    }
    return undefined;
  }

  #all(values: Iterable<unknown>, place: string): Found | undefined {
    let i = 0;
    for (const value of values) {
      const found = this.find(value, `[...${place}][${i}]`);
      if (found !== undefined) return found;
      i++;
    }
    return undefined;
  }

  #error(error: Error, place: string): Found | undefined {
    const message = Object.getOwnPropertyDescriptor(error, "message")?.value;
    const cause = Object.getOwnPropertyDescriptor(error, "cause")?.value;
    // Name and message become strings, which only a symbol can't.
    return (typeof error.name === "symbol" ? this.find(error.name, `${place}.name`) : undefined) ??
      (typeof message === "symbol" ? this.find(message, `${place}.message`) : undefined) ??
      this.find(cause, `${place}.cause`);
  }
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function step(key: string, isArray: boolean): string {
  if (isArray && /^\d+$/.test(key)) return `[${key}]`;
  return identifier.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
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
