// Recreates a thrown value from its description (remote_error.ts). The description may come from a hostile
// process: it is data, none of it is run, and data that isn't a description leads to a TypeError.

import { makeError } from "../codec/error_classes.ts";
import {
  type Described,
  type Failure,
  type Item,
  type Properties,
  shortened,
} from "./remote_error.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  Deno,
  each,
  Map,
  MapPrototypeSet,
  Object,
  Set,
  SetPrototypeAdd,
  String,
  Symbol,
  TypeError,
} = primordials;

const { inspect } = Deno;
const { defineProperty } = Object;
const customInspect = Symbol.for("Deno.customInspect");

/** The longest text about a thrown value in a message, in UTF-16 code units. */
const MAX_HEADLINE = 2 ** 13;

/** The thrown value. An error has its class name, message, stack, cause and further properties. */
export function recreateFailure(failure: Failure): unknown {
  return new Recreation(failure, false).thrown;
}

/** The thrown value as its own process would have printed it: functions and the like are shown. */
export function printFailure(failure: Failure): string {
  return inspect(new Recreation(failure, true).thrown);
}

/** The thrown value in few words: `${error}` of an error, the printed form of any other value. */
export function headlineOf(failure: Failure): string {
  return shortened(wholeHeadlineOf(failure), MAX_HEADLINE);
}

function wholeHeadlineOf(failure: Failure): string {
  const { thrown, objects } = failure;
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  const found = objects[thrown.at];
  if (found?.is === "words") return found.words;
  if (found?.is !== "error") return printFailure(failure);
  const { name, message } = found;
  return ArrayPrototypeJoin(ArrayPrototypeFilter([name, message], (part) => part !== ""), ": ");
}

class Recreation {
  readonly thrown: unknown;
  readonly #objects: unknown[];
  readonly #described: readonly Described[];
  /** Whether the value is made to be printed. */
  readonly #isShown: boolean;

  constructor({ thrown, objects }: Failure, isShown: boolean) {
    this.#isShown = isShown;
    this.#described = objects;
    // All objects are made first and filled then, because they refer to each other.
    this.#objects = ArrayPrototypeMap(objects, (described) => this.#make(described));
    for (let i = 0; i < objects.length; i++) this.#fill(objects[i], this.#objects[i]);
    this.thrown = this.#value(thrown);
  }

  #make(described: Described): unknown {
    switch (described.is) {
      case "error":
        return remake(described);
      case "object":
        return this.#isShown ? emptyOf(described.className) : {};
      case "array":
        return [];
      case "map":
        return new Map();
      case "set":
        return new Set();
      case "leaf":
        return described.value;
      case "words":
        return this.#isShown ? { [customInspect]: () => described.words } : described.words;
      default:
        throw new TypeError("There is no description of what was thrown.");
    }
  }

  #fill(described: Described, made: unknown): void {
    switch (described.is) {
      case "error":
        this.#define(made as object, described.properties, true);
        this.#define(made as object, described.hidden, false);
        return;
      case "object":
        return this.#define(made as object, described.properties, true);
      case "array": {
        const array = made as unknown[];
        for (const item of each(described.items)) ArrayPrototypePush(array, this.#value(item));
        array.length = described.length;
        return this.#define(array, described.properties, true);
      }
      case "map": {
        const { items } = described, map = made as Map<unknown, unknown>;
        for (let i = 0; i < items.length; i += 2) {
          MapPrototypeSet(map, this.#value(items[i]), this.#value(items[i + 1]));
        }
        return;
      }
      case "set":
        for (const item of each(described.items)) {
          SetPrototypeAdd(made as Set<unknown>, this.#value(item));
        }
    }
  }

  #value(item: Item): unknown {
    if (typeof item !== "object" || item === null) return item;
    if (item.at >>> 0 !== item.at || item.at >= this.#objects.length) {
      throw new TypeError(`What was thrown has no part ${item.at}.`);
    }
    return this.#objects[item.at];
  }

  #define(object: object, properties: Properties, enumerable: boolean): void {
    for (let i = 0; i < properties.length; i += 2) {
      const key = properties[i] as string, item = properties[i + 1];
      const isReference = typeof item === "object" && item !== null;
      const described = isReference ? this.#described[item.at] : undefined;
      if (!this.#isShown && described?.is === "words" && described.isFunction) continue;
      if (key === "cause" && item === undefined) continue;
      // Defined, because assigning "__proto__" would set the prototype.
      defineProperty(object, key, {
        ...{ value: this.#value(item), enumerable },
        ...{ writable: true, configurable: true },
      });
    }
  }
}

/** Makes an error, without its further properties. */
function remake({ base, name, message, stack }: Described & { is: "error" }): Error {
  const error = makeError(base, message === "" ? undefined : message, name);
  const define = (key: string, value: string) => {
    defineProperty(error, key, { value, writable: true, configurable: true });
  };
  if (error.name !== name) define("name", name);
  if (error.message !== message) define("message", message);
  define("stack", stack ?? (message === "" ? name : `${name}: ${message}`));
  return error;
}

/** Makes an empty object that is printed as one of a class with this name. */
function emptyOf(className: string | null): object {
  if (className === null) return Object.create(null);
  if (className === "") return {};
  const named = { [className]: class {} };
  return new named[className]();
}
