// The failure of a process as data: the description of an error, or of any other thrown value, with all its
// parts. A plain structured clone would lose the class name of most errors, and one function in the value
// would make the whole clone fail.
//
// The description is a list of objects that refer to each other by their numbers, so that no chain of
// causes is too deep to cross and a cycle needs no special case. The description holds plain data only.
// Describing never throws, and reads each property once. recreate_error.ts makes values of descriptions.

import { types } from "node:util";
import { errorClassOf, prototypesOf } from "../codec/error_classes.ts";
import { refusalOf } from "../codec/uncloneable.ts";
import { cannotClone } from "./transferable.ts";
import { isHostSymbol } from "../platform/host_objects.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayBuffer,
  ArrayPrototypeFilter,
  ArrayPrototypeFlatMap,
  ArrayPrototypeIncludes,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  ArrayPrototypeSome,
  Deno,
  each,
  entriesOfMap,
  FunctionPrototypeToString,
  hasValue,
  listOf,
  Math,
  Object,
  ObjectPrototypeToString,
  Reflect,
  SafeMap,
  setOf,
  String,
  StringPrototypeIndexOf,
  StringPrototypeLastIndexOf,
  StringPrototypeSlice,
  StringPrototypeStartsWith,
  valuesOfSet,
} = primordials;

/** A described value: a primitive as it is, any other value by its number in the list. */
export type Item = undefined | null | boolean | number | bigint | string | Reference;

/** The number of a described object. */
export interface Reference {
  at: number;
}

/** Names of properties, each followed by its value. */
export type Properties = (string | Item)[];

/** A described object. */
export type Described =
  | {
    is: "error";
    /** The class to recreate the error with, by its key in codec/error_classes.ts. */
    base: string;
    name: string;
    message: string;
    stack: string | undefined;
    properties: Properties;
    /** The properties that aren't enumerable, such as the cause. */
    hidden: Properties;
  }
  | { is: "object"; className: string | null; properties: Properties }
  | { is: "array"; length: number; properties: Properties; items: Item[] }
  | { is: "map" | "set"; items: Item[] }
  /** An object that structured clone copies as it is: a Date, a buffer … */
  | { is: "leaf"; value: unknown }
  /** A value that can't cross, as it would be printed. */
  | { is: "words"; words: string; isFunction: boolean };

/** The description of a thrown value. */
export interface Failure {
  thrown: Item;
  objects: Described[];
}

// The limits of a description, so that describing takes no longer than a second or so.
/** Values and properties. */
const MAX_VALUES = 100_000;
/** UTF-16 code units of all texts together; each text may have MIN_TEXT of them in any case. */
const MAX_TEXT = 2 ** 24, MIN_TEXT = 200;
/** Bytes of all buffers. */
const MAX_BYTES = 2 ** 26;
/** Levels of nested objects, as causes of causes: few enough for the recreated value to be put into a queue. */
const MAX_DEPTH = 900;

const { inspect } = Deno;
const { hasOwn, keys: keysOf, getOwnPropertyDescriptor, getPrototypeOf } = Object;

/**
 * Describes a thrown value. Functions are left out of objects, as in JSON. In places that must be filled, as in
 * an array, a function is described by its printed text, and so is every other value that can't cross.
 *
 * @param sharedMemory whether the description is posted, so that it can hold shared memory and the like
 */
export function describeFailure(thrown: unknown, sharedMemory = true): Failure {
  return new Describer(sharedMemory).describe(thrown);
}

/** The same description, with printed text in place of every object that is copied as it is. */
export function withoutLeaves({ thrown, objects }: Failure): Failure {
  const plain = ArrayPrototypeMap(objects, (object): Described => {
    if (object.is !== "leaf") return object;
    return { is: "words", words: printed(object.value), isFunction: false };
  });
  return { thrown, objects: plain };
}

/** The result of a read: the value, or the thrown value. */
type Read = { value: unknown } | { thrown: unknown };

function attempt(work: () => unknown): Read {
  try {
    return { value: work() };
  } catch (thrown) {
    return { thrown };
  }
}

/** Reads a property once; a trap or a getter may throw. */
function read(object: object, key: string): Read {
  const found = attempt(() => getOwnPropertyDescriptor(object, key));
  const descriptor = hasValue(found) ? found.value as PropertyDescriptor | undefined : undefined;
  if (descriptor !== undefined && hasValue(descriptor)) return { value: descriptor.value };
  return attempt(() => Reflect.get(object, key));
}

class Describer {
  readonly #sharedMemory: boolean;
  readonly #objects: Described[] = [];
  readonly #numbers = new SafeMap<object, number>();
  /** The objects that are yet to be described: breadth first, so that the deepest objects are left out. */
  readonly #waiting: { object: object; number: number; depth: number }[] = [];
  #values = 0;
  #text = 0;
  #bytes = 0;

  constructor(sharedMemory: boolean) {
    this.#sharedMemory = sharedMemory;
  }

  describe(value: unknown): Failure {
    const thrown = this.#item(value, 0);
    for (let next = 0; next < this.#waiting.length; next++) {
      const { object, number, depth } = this.#waiting[next];
      const described = attempt(() => this.#object(object, depth + 1));
      this.#objects[number] = hasValue(described)
        ? described.value as Described
        : { is: "words", words: this.#cut(printed(object)), isFunction: false };
    }
    return { thrown, objects: this.#objects };
  }

  #item(value: unknown, depth: number): Item {
    switch (typeof value) {
      case "string":
        return this.#cut(value);
      case "symbol":
        return this.#words(String(value));
      case "function":
        return this.#words(printedFunction(value), true);
      case "object":
        return value === null ? null : this.#reference(value, depth);
      default:
        return value as Item;
    }
  }

  #words(words: string, isFunction = false): Reference {
    const at = this.#objects.length;
    ArrayPrototypePush(this.#objects, { is: "words", words: this.#cut(words), isFunction });
    return { at };
  }

  #reference(object: object, depth: number): Reference {
    const known = this.#numbers.get(object);
    if (known !== undefined) return { at: known };
    if (depth > MAX_DEPTH) return this.#words("[what lies deeper was left out]");
    if (this.#isFull) return this.#words("[left out: there was too much]");
    const number = this.#objects.length;
    this.#numbers.set(object, number);
    ArrayPrototypePush(this.#objects, { is: "words", words: "", isFunction: false });
    ArrayPrototypePush(this.#waiting, { object, number, depth });
    this.#values++;
    return { at: number };
  }

  get #isFull(): boolean {
    return this.#values > MAX_VALUES;
  }

  /** The text, or as much of its beginning and its end, where a stack has its frames, as there is room for. */
  #cut(text: string): string {
    const room = Math.max(MAX_TEXT - this.#text, MIN_TEXT);
    const cut = text.length <= room ? text : shortened(text, room);
    this.#text += cut.length;
    return cut;
  }

  #object(object: object, depth: number): Described {
    const errorClass = this.#errorClass(object);
    if (errorClass !== undefined) return this.#error(object, errorClass, depth);
    if (cannotClone in object) return this.#unclonable(object);
    if (Array.isArray(object)) return this.#array(object, depth);
    if (types.isProxy(object)) return this.#plain(object, depth);
    if (types.isMap(object)) {
      const { keys, values } = entriesOfMap(object as Map<unknown, unknown>);
      return { is: "map", items: this.#items(flat(keys, values), depth) };
    }
    if (types.isSet(object)) {
      return { is: "set", items: this.#items(valuesOfSet(object as Set<unknown>), depth) };
    }
    const refusal = attempt(() => refusalOf(object, this.#sharedMemory));
    if (hasValue(refusal) && refusal.value !== undefined) return this.#unclonable(object);
    return isLeaf(object) ? this.#leaf(object) : this.#plain(object, depth);
  }

  #unclonable(object: object): Described {
    return { is: "words", words: this.#cut(printed(object)), isFunction: false };
  }

  #leaf(object: object): Described {
    const buffer = ArrayBuffer.isView(object) ? object.buffer : object;
    if (buffer instanceof ArrayBuffer) {
      if (this.#bytes + buffer.byteLength > MAX_BYTES) {
        const name = StringPrototypeSlice(ObjectPrototypeToString(object), 8, -1);
        const words = `[${name} of ${buffer.byteLength} bytes: left out]`;
        return { is: "words", words, isFunction: false };
      }
      this.#bytes += buffer.byteLength;
    }
    return { is: "leaf", value: object };
  }

  #items(values: readonly unknown[], depth: number): Item[] {
    const items: Item[] = [];
    for (const value of each(values)) {
      if (this.#isFull) {
        ArrayPrototypePush(items, "… and more");
        break;
      }
      this.#values++;
      ArrayPrototypePush(items, this.#item(value, depth));
    }
    return items;
  }

  #array(array: unknown[], depth: number): Described {
    const { length } = array, items: Item[] = [];
    let isDense = true;
    for (let i = 0; i < length && !this.#isFull; i++) {
      if (isDense && !hasOwn(array, i)) isDense = false;
      if (!isDense) break;
      this.#values++;
      ArrayPrototypePush(items, this.#readItem(array, `${i}`, depth));
    }
    const properties: Properties = [];
    if (this.#isFull && items.length < length) {
      ArrayPrototypePush(items, `… ${length - items.length} more`);
    } else {
      const names = ArrayPrototypeSlice(keysOf(array), items.length);
      if (names.length > 0) this.#properties(array, names, depth, properties);
    }
    return { is: "array", length: isDense ? items.length : length, properties, items };
  }

  #readItem(object: object, key: string, depth: number): Item {
    const found = read(object, key);
    return hasValue(found) ? this.#item(found.value, depth) : this.#complaint(found.thrown);
  }

  /** The description of a property that throws when it is read. */
  #complaint(thrown: unknown): Item {
    return this.#words(`[Throws when read: ${summaryOf(thrown)}]`);
  }

  #properties(object: object, keys: readonly string[], depth: number, properties: Properties) {
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      if (this.#isFull) {
        ArrayPrototypePush(properties, "…", `${keys.length - index} more properties`);
        return;
      }
      this.#values++;
      ArrayPrototypePush(properties, this.#cut(key), this.#readItem(object, key, depth));
    }
  }

  #plain(object: object, depth: number): Described {
    const properties: Properties = [];
    this.#properties(object, keysOf(object), depth, properties);
    return { is: "object", className: classNameOf(object), properties };
  }

  /** The key of the class to recreate an error with; undefined if the object isn't an error. */
  #errorClass(object: object): string | undefined {
    const prototypes = attempt(() => listOf(prototypesOf(object)));
    if (hasValue(prototypes)) {
      for (const prototype of each(prototypes.value as object[])) {
        const found = errorClassOf(prototype);
        if (found !== undefined) return found;
      }
    }
    if (!types.isNativeError(object)) return undefined;
    // The error is of another realm, as of node:vm, or has lost its prototype.
    const found = read(object, "name");
    return hasValue(found) && typeof found.value === "string" ? found.value : "Error";
  }

  #error(error: object, base: string, depth: number): Described {
    const name = this.#cut(
      nameOf(error) ?? StringPrototypeSlice(base, StringPrototypeLastIndexOf(base, ".") + 1),
    );
    const found = read(error, "stack");
    const stack = hasValue(found) && typeof found.value === "string" ? found.value : undefined;
    const message = this.#cut(this.#messageOf(error, name, stack));
    const properties: Properties = [], hidden: Properties = [];
    const shown = namesOf(() => keysOf(error));
    const others = shown.length > MANY_NAMES
      ? ArrayPrototypeFilter(["errors", "error", "suppressed"], (key) => hasOwn(error, key))
      : hiddenOf(error, shown);
    const hasCause = attempt(() => !ArrayPrototypeIncludes(others, "cause") && "cause" in error);
    if (hasValue(hasCause) && hasCause.value && !ArrayPrototypeIncludes(shown, "cause")) {
      ArrayPrototypePush(others, "cause");
    }
    // The hidden properties come first, because there may be too many enumerable ones.
    this.#properties(error, others, depth, hidden);
    this.#properties(error, shown, depth, properties);
    return {
      ...{ is: "error", base, name, message },
      ...{ stack: stack === undefined ? undefined : this.#cut(stack), properties, hidden },
    };
  }

  #messageOf(error: object, name: string, stack: string | undefined): string {
    const found = read(error, "message");
    if (hasValue(found)) {
      const { value } = found;
      if (typeof value === "string") return value;
      const text = attempt(() => String(value));
      return hasValue(text) ? text.value as string : printed(value);
    }
    // The stack begins with the message that the error had when it was made.
    const header = stack === undefined
      ? ""
      : StringPrototypeSlice(stack, 0, Math.max(StringPrototypeIndexOf(stack, "\n    at "), 0));
    if (StringPrototypeStartsWith(header, `${name}: `)) {
      return StringPrototypeSlice(header, name.length + 2);
    }
    return `[Throws when read: ${summaryOf(found.thrown)}]`;
  }
}

/** For an error with more properties than this, only a few properties that aren't enumerable are read. */
const MANY_NAMES = 10_000;

function hiddenOf(error: object, shown: string[]): string[] {
  const isShown = setOf(shown);
  return ArrayPrototypeFilter(namesOf(() => Reflect.ownKeys(error)), (key) => !isShown.has(key));
}

/** The names of the properties of an error, except message, stack and name, which are described apart. */
function namesOf(keys: () => (string | symbol)[]): string[] {
  const found = attempt(keys);
  if (!hasValue(found)) return [];
  return ArrayPrototypeFilter(found.value as (string | symbol)[], (key): key is string => {
    return typeof key === "string" && key !== "message" && key !== "stack" && key !== "name";
  });
}

function isLeaf(object: object): boolean {
  if (types.isDate(object) || types.isRegExp(object) || types.isBoxedPrimitive(object)) return true;
  if (ArrayBuffer.isView(object) || types.isAnyArrayBuffer(object)) return true;
  // A platform object (a Blob, a CryptoKey …): its content isn't in its properties.
  const own = attempt(() => Object.getOwnPropertySymbols(object));
  const symbols = hasValue(own) ? own.value as symbol[] : [];
  return ArrayPrototypeSome(symbols, isHostSymbol);
}

function flat(keys: readonly unknown[], values: readonly unknown[]): unknown[] {
  return ArrayPrototypeFlatMap(keys, (key, i) => [key, values[i]]);
}

/** The name of an error: that of its class if the error only inherits a known class's name; undefined if none. */
function nameOf(error: object): string | undefined {
  const found = attempt(() => {
    if (hasOwn(error, "name")) return undefined;
    let nearest: string | undefined;
    for (const prototype of prototypesOf(error)) {
      const descriptor = getOwnPropertyDescriptor(prototype, "name");
      const { constructor } = prototype;
      if (typeof constructor === "function" && hasOwn(prototype, "constructor")) {
        nearest ??= constructor.name;
      }
      if (descriptor === undefined) continue;
      const isOfClass = errorClassOf(prototype) !== undefined && hasValue(descriptor);
      return isOfClass ? nearest : undefined;
    }
  });
  if (hasValue(found) && typeof found.value === "string" && found.value !== "") return found.value;
  const name = read(error, "name");
  if (!hasValue(name) || name.value === undefined) return undefined;
  const text = attempt(() => String(name.value));
  return hasValue(text) ? text.value as string : undefined;
}

/** The name of the class of an object; "" for a plain one, null for one without a prototype. */
function classNameOf(object: object): string | null {
  const found = attempt(() => {
    const prototype = getPrototypeOf(object);
    if (prototype === null) return null;
    if (prototype === Object.prototype) return "";
    const { name } = prototype.constructor;
    return typeof name === "string" && name !== "Object" ? name : "";
  });
  return hasValue(found) ? found.value as string | null : "";
}

function printedFunction(value: object): string {
  const found = attempt(() => getOwnPropertyDescriptor(value, "name")?.value);
  const name = hasValue(found) && typeof found.value === "string" ? found.value : "";
  const text = attempt(() =>
    StringPrototypeSlice(FunctionPrototypeToString(value as object), 0, 6)
  );
  const isClass = hasValue(text) && text.value === "class ";
  if (isClass) return `[class ${name || "(anonymous)"}]`;
  return name === "" ? "[Function (anonymous)]" : `[Function: ${name}]`;
}

/** A value as it would be printed. */
function printed(value: unknown): string {
  const found = attempt(() =>
    inspect(value, { depth: 1, iterableLimit: 10, strAbbreviateSize: 100 })
  );
  if (hasValue(found) && typeof found.value === "string") return shortened(found.value, 2 ** 15);
  // A revoked Proxy, for one, can't be printed.
  return types.isProxy(value) ? "[Proxy]" : `[${typeof value}]`;
}

/** A thrown value in one line. */
function summaryOf(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return shortened(printed(thrown), MIN_TEXT);
  const message = read(thrown, "message");
  if (!hasValue(message) || typeof message.value !== "string") return "an object";
  return shortened(`${nameOf(thrown) ?? "Error"}: ${message.value}`, MIN_TEXT);
}

/** The text, or the `most` code units of its beginning and its end if it is longer. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = most >> 2;
  return `${StringPrototypeSlice(text, 0, most - end)} … ${StringPrototypeSlice(text, -end)}`;
}
