// Calls of V8's that end the whole program, in a sealed process. V8 gives up ("Fatal JavaScript out of memory",
// "invalid size error") where one call asks for a list of more than some hundred million parts, or where the address
// space is used up. Such calls are made by way of loops of JavaScript, which throw instead, or they are bounded.

import { types } from "node:util";
import {
  hasResizable,
  limitReservations,
  noteResizable,
  reserve,
} from "../validate/reservations.ts";
import * as primordials from "../platform/primordials.ts";

const { each, Math, Number, Object, Proxy, RangeError, Reflect, SafeSet, String, TypeError } =
  primordials;

// deno-lint-ignore no-explicit-any
type Class = new (...args: any[]) => object;
// deno-lint-ignore no-explicit-any
type Method = (this: any, ...args: any[]) => unknown;

const { defineProperty, getOwnPropertyDescriptor, keys } = Object;
const { apply, construct } = Reflect;
const PlainProxy = Proxy;
const { isArray } = globalThis.Array;
const { ArrayBuffer, Map, Set, SharedArrayBuffer } = globalThis;
const { isView } = ArrayBuffer;
const { hasOwn } = globalThis.Object;
const { isProxy } = types;
const isResizable = getOwnPropertyDescriptor(ArrayBuffer.prototype, "resizable")!.get!;
const mostOf = getOwnPropertyDescriptor(ArrayBuffer.prototype, "maxByteLength")!.get!;
const bufferOf = getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "buffer")!
  .get!;
const bufferOfDataView = getOwnPropertyDescriptor(DataView.prototype, "buffer")!.get!;
const eachOfMap = Map.prototype.forEach, eachOfSet = Set.prototype.forEach;
const sortOriginal = globalThis.Array.prototype.sort,
  sliceOriginal = globalThis.Array.prototype.slice,
  splitOriginal = globalThis.String.prototype.split;

/** The most parts of a list that one call makes or changes, and the most characters of a text that it searches. */
let maxParts = 2 ** 26, maxText = 2 ** 27;

/** The methods of arrays that V8 can't interrupt, and that take memory for each element. */
const METHODS = [
  ...["copyWithin", "fill", "reverse", "splice", "toReversed", "toSpliced", "unshift", "with"],
];

/** The methods of texts, and the functions, that make a whole new text of one. */
const TEXT_METHODS = [
  ...["normalize", "toLowerCase", "toUpperCase", "toLocaleLowerCase", "toLocaleUpperCase"],
  "toWellFormed",
];
const TEXT_FUNCTIONS = [
  ...["escape", "unescape", "encodeURI", "encodeURIComponent", "decodeURI", "decodeURIComponent"],
  ...["btoa", "atob"],
];

/** Called once, before any code of the user's runs, and after all that replaces the same classes. */
export function boundCalls(memoryLimitMb: number | undefined): void {
  if (memoryLimitMb !== undefined) {
    const bytes = memoryLimitMb * 2 ** 20;
    maxParts = Math.min(maxParts, Math.floor(bytes / 8));
    maxText = Math.min(maxText, Math.floor(bytes));
  }
  limitReservations();
  boundBuffers(ArrayBuffer.prototype, "ArrayBuffer");
  boundBuffers(SharedArrayBuffer.prototype, "SharedArrayBuffer");
  replace(ArrayBuffer.prototype, "transfer", (original) =>
    function (...args) {
      if (apply(isResizable, this, []) !== true) return apply(original, this, args);
      return reserve(
        apply(mostOf, this, []) as number,
        () => apply(original, this, args) as object,
      );
    });
  replace(globalThis, "structuredClone", (clone) =>
    function (...args) {
      const result = apply(clone, undefined, args);
      if (hasResizable()) countResizable(result);
      return result;
    });
  replace(globalThis.Array.prototype, "sort", () => sort);
  replace(globalThis.Array.prototype, "toSorted", () => toSorted);
  replace(globalThis.Array.prototype, "flat", () => flat);
  replace(globalThis.Array.prototype, "flatMap", () => flatMap);
  replace(globalThis.String.prototype, "split", () => split);
  for (const name of each(METHODS)) {
    replace(globalThis.Array.prototype, name, (original) =>
      function (...args) {
        checkLength(this, name);
        return apply(original, this, args);
      });
  }
  for (const key of each([Symbol.match, Symbol.replace, Symbol.split])) {
    replace(RegExp.prototype, key, (original) =>
      function (text, argument) {
        return apply(original, this, [checkText(text), argument]);
      });
  }
  for (const name of each(["replace", "replaceAll"])) {
    replace(globalThis.String.prototype, name, (original) =>
      function (...args) {
        // Other objects are made texts of by the original.
        const isText = typeof this === "string" || this instanceof globalThis.String;
        return apply(original, isText ? checkText(this) : this, args);
      });
  }
  for (const name of each(["repeat", "padStart", "padEnd"])) {
    replace(globalThis.String.prototype, name, (original) =>
      function (count, filler) {
        if (this === undefined || this === null) return apply(original, this, [count, filler]);
        const text = `${this}`, times = +(count as number);
        checkSize(name === "repeat" ? times * text.length : times, name);
        return apply(original, text, filler === undefined ? [times] : [times, filler]);
      });
  }
  for (const name of each(TEXT_METHODS)) {
    replace(globalThis.String.prototype, name, (original) =>
      function (argument) {
        const isText = typeof this === "string" || this instanceof globalThis.String;
        return apply(original, isText ? checkText(this) : this, [argument]);
      });
  }
  for (const name of each(TEXT_FUNCTIONS)) {
    replace(globalThis, name, (original) =>
      function (...args) {
        if (args.length > 0) args[0] = checkText(args[0]);
        return apply(original, undefined, args);
      });
  }
  for (const object of each([console, URLSearchParams.prototype, SubtleCrypto.prototype])) {
    for (const name of each(Object.getOwnPropertyNames(object))) boundTexts(object, name);
  }
  boundTexts(globalThis, "URLSearchParams");
  replace(globalThis.JSON, "parse", (original) =>
    function (text, reviver) {
      return apply(original, undefined, [checkText(text), reviver]);
    });
  const { parse } = globalThis.JSON;
  for (const { prototype } of each([Request, Response])) {
    const { text } = prototype;
    replace(prototype, "json", () =>
      async function () {
        return parse(await apply(text, this, []) as string);
      });
  }
}

/** The text, if it isn't too long. */
function checkText(value: unknown): string {
  const text = typeof value === "string" ? value : `${value}`;
  if (text.length <= maxText) return text;
  throw new RangeError(
    `A text of ${text.length} characters is too long for this call in a sealed process: it takes ${maxText} ` +
      "(2 ** 27, or as many as memoryLimitMb has bytes). Take the text in parts.",
  );
}

/** Checks that a method of texts makes none that is too long. */
function checkSize(characters: number, name: string): void {
  if (!(characters > maxText)) return;
  throw new RangeError(
    `Invalid string length: String.prototype.${name} makes at most ${maxText} characters in a sealed process.`,
  );
}

/** Checks that a method of arrays has no more elements to do with than V8 has room for. */
function checkLength(self: unknown, name: string): void {
  if (typeof self !== "object" && typeof self !== "function" || self === null) return;
  let length = 0;
  if (isArray(self)) ({ length } = self);
  else if (!isView(self)) {
    // The length is read once more, and mustn't have changed.
    const own = isProxy(self) ? undefined : getOwnPropertyDescriptor(self, "length");
    if (own === undefined || !hasOwn(own, "value")) {
      if (!("length" in self)) return;
      throw new TypeError(
        `Array.prototype.${name} takes arrays, and objects whose length is a plain property, in a sealed process.`,
      );
    }
    length = typeof own.value === "number" ? own.value : Infinity;
  }
  if (!(length > maxParts)) return;
  throw new RangeError(
    `Array.prototype.${name} takes at most ${maxParts} elements in a sealed process, and these are ${length}.`,
  );
}

function replace(object: object, key: PropertyKey, made: (original: Method) => Method): void {
  const original = (object as Record<PropertyKey, Method>)[key], value = made(original);
  defineProperty(value, "name", { value: original.name, configurable: true });
  defineProperty(object, key, { value, writable: true, configurable: true });
}

/** Has a function of Deno's take no long text: for some it ends the program, where it gives back more than 2 ** 29 bytes. */
function boundTexts(object: object, name: string): void {
  const own = getOwnPropertyDescriptor(object, name)!;
  if (typeof own.value !== "function" || name === "constructor") return;
  const checked = (args: unknown[]) => {
    for (let i = 0; i < args.length; i++) if (typeof args[i] === "string") checkText(args[i]);
    return args;
  };
  const value: Class = new PlainProxy(own.value, {
    apply: (original, self, args) => apply(original, self, checked(args)),
    construct: (original, args, target) =>
      construct(original, checked(args), target === value ? original : target),
  });
  const { prototype } = own.value;
  if (prototype !== undefined) defineProperty(prototype, "constructor", { value });
  defineProperty(object, name, { ...own, value });
}

/** Bounds how many buffers of a class can change their size. */
function boundBuffers(prototype: object, name: "ArrayBuffer" | "SharedArrayBuffer"): void {
  const original = globalThis[name] as Class;
  const guarded: Class = new PlainProxy(original, {
    construct(_, args, target) {
      const { 0: size, 1: options } = args;
      const base = (target === guarded ? original : target) as Class;
      const most = typeof options === "object" && options !== null
        ? (options as { maxByteLength?: unknown }).maxByteLength
        : undefined;
      if (most === undefined) return construct(original, [size], base);
      const maxByteLength = Number(most);
      if (name === "ArrayBuffer") noteResizable();
      return reserve(
        Math.max(maxByteLength, 0) || 0,
        () => construct(original, [size, { __proto__: null, maxByteLength }], base),
      );
    },
  });
  defineProperty(prototype, "constructor", { value: guarded, writable: true, configurable: true });
  defineProperty(globalThis, name, { value: guarded, writable: true, configurable: true });
}

/** Counts the resizable buffers in a clone, which is plain data. */
function countResizable(clone: unknown): void {
  const seen = new SafeSet<object>(), left: unknown[] = [clone];
  const add = (value: unknown) => {
    if (typeof value === "object" && value !== null) left[left.length] = value;
  };
  for (let i = 0; i < left.length; i++) {
    const value = left[i] as object;
    left[i] = undefined;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof ArrayBuffer) {
      if (apply(isResizable, value, []) !== true) continue;
      reserve(apply(mostOf, value, []) as number, () => value);
    } else if (isView(value)) {
      add(apply(value instanceof DataView ? bufferOfDataView : bufferOf, value, []));
    } else {
      if (value instanceof Map) {
        apply(eachOfMap, value, [(item: unknown, key: unknown) => {
          add(item);
          add(key);
        }]);
      } else if (value instanceof Set) apply(eachOfSet, value, [add]);
      const names = keys(value);
      for (let j = 0; j < names.length; j++) add((value as Record<string, unknown>)[names[j]]);
      add(getOwnPropertyDescriptor(value, "cause")?.value);
    }
  }
}

function lengthOf(object: object): number {
  const length = Math.trunc(Number((object as { length?: unknown }).length)) || 0;
  return Math.min(Math.max(length, 0), Number.MAX_SAFE_INTEGER);
}

function checkCompare(compare: unknown): void {
  if (compare === undefined || typeof compare === "function") return;
  throw new TypeError("The comparison function must be either a function or undefined");
}

function objectOf(value: unknown): Record<number, unknown> {
  if (value === undefined || value === null) {
    throw new TypeError(`Array.prototype.sort called on ${String(value)}`);
  }
  return primordials.ToObject(value) as Record<number, unknown>;
}

/** Array.prototype.sort, as the language defines it: by a list of its own. */
function sort(this: unknown, compare?: unknown): unknown {
  checkCompare(compare);
  const object = objectOf(this), length = lengthOf(object), items: unknown[] = [];
  for (let i = 0; i < length; i++) if (i in object) items[items.length] = object[i];
  apply(sortOriginal, items, [compare]);
  let i = 0;
  for (; i < items.length; i++) object[i] = items[i];
  for (; i < length; i++) if (i in object) delete object[i];
  return object;
}

function toSorted(this: unknown, compare?: unknown): unknown {
  checkCompare(compare);
  const object = objectOf(this), length = lengthOf(object), items: unknown[] = [];
  if (length > 2 ** 32 - 1) throw new RangeError("Invalid array length");
  for (let i = 0; i < length; i++) items[items.length] = object[i];
  return apply(sortOriginal, items, [compare]);
}

function flat(this: unknown, depth?: unknown): unknown {
  const object = objectOf(this), deep = depth === undefined ? 1 : Math.trunc(Number(depth)) || 0;
  const items = apply(sliceOriginal, object, [0, 0]) as unknown[];
  addFlat(items, object, deep);
  return items;
}

function addFlat(items: unknown[], from: Record<number, unknown>, depth: number): void {
  const length = lengthOf(from);
  for (let i = 0; i < length; i++) {
    if (!(i in from)) continue;
    const item = from[i];
    if (depth > 0 && isArray(item)) addFlat(items, item, depth - 1);
    else items[items.length] = item;
  }
}

function flatMap(this: unknown, callback: unknown, self?: unknown): unknown {
  const object = objectOf(this), length = lengthOf(object);
  if (typeof callback !== "function") {
    throw new TypeError("flatMap mapper function is not callable");
  }
  const items = apply(sliceOriginal, object, [0, 0]) as unknown[];
  for (let i = 0; i < length; i++) {
    if (!(i in object)) continue;
    const made = apply(callback as Method, self, [object[i], i, object]);
    if (isArray(made)) addFlat(items, made, 0);
    else items[items.length] = made;
  }
  return items;
}

/** String.prototype.split, with at most so many parts. */
function split(this: unknown, separator?: unknown, limit?: unknown): unknown {
  if (this === undefined || this === null) {
    throw new TypeError("String.prototype.split called on null or undefined");
  }
  if (typeof separator === "object" && separator !== null || typeof separator === "function") {
    const splitter = (separator as { [Symbol.split]?: unknown })[Symbol.split];
    if (splitter !== undefined && splitter !== null) {
      return apply(splitter as Method, separator, [this, limit]);
    }
  }
  const text = `${this}`, most = limit === undefined ? 2 ** 32 - 1 : Number(limit) >>> 0;
  const by = separator === undefined ? undefined : `${separator}`;
  const parts = apply(splitOriginal, text, [by, Math.min(most, maxParts)]) as unknown[];
  if (parts.length < maxParts || most <= maxParts) return parts;
  throw new RangeError(`Invalid array length: split makes fewer than ${maxParts} parts`);
}
