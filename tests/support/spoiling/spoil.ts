// Everything that a program may replace after this library was loaded: every global, every static method, every
// method and getter of a prototype. Each can be spoiled and restored. The code here uses nothing that it spoils.

import { EventEmitter } from "node:events";
import process from "node:process";
import * as threads from "node:worker_threads";

/** How a thing is spoiled: it throws, or it answers nothing. */
export const WAYS = ["throws", "answers nothing"] as const;
export type Way = typeof WAYS[number];

/** One thing that can be replaced. */
export interface Target {
  /** As `Array.prototype.map`. */
  readonly name: string;
  readonly object: object;
  readonly key: PropertyKey;
}

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { ownKeys } = Reflect;
const OriginalError = Error;

/** Prototypes that no global names. */
function hidden(): Record<string, object> {
  async function* asyncGenerator() {}
  function* generator() {}
  const arrayIterator = getPrototypeOf([][Symbol.iterator]());
  return {
    "%TypedArray%": getPrototypeOf(Uint8Array),
    "%TypedArray%.prototype": getPrototypeOf(Uint8Array.prototype),
    "%ArrayIterator%": arrayIterator,
    "%MapIterator%": getPrototypeOf(new Map().values()),
    "%SetIterator%": getPrototypeOf(new Set().values()),
    "%StringIterator%": getPrototypeOf(""[Symbol.iterator]()),
    "%RegExpStringIterator%": getPrototypeOf("".matchAll(/x/g)),
    "%Iterator%": getPrototypeOf(arrayIterator),
    "%Generator%": getPrototypeOf(generator.prototype),
    "%AsyncGenerator%": getPrototypeOf(asyncGenerator.prototype),
    "%AsyncIterator%": getPrototypeOf(getPrototypeOf(asyncGenerator.prototype)),
    "EventEmitter.prototype": EventEmitter.prototype,
    "threads.Worker.prototype": threads.Worker.prototype,
    "threads.MessagePort.prototype": threads.MessagePort.prototype,
    "threads.BroadcastChannel.prototype": threads.BroadcastChannel.prototype,
    "threads.MessageChannel.prototype": threads.MessageChannel.prototype,
    process,
    "navigator.prototype": getPrototypeOf(navigator),
    "crypto.prototype": getPrototypeOf(crypto),
    "Deno.permissions.prototype": getPrototypeOf(Deno.permissions),
    "Deno.errors": Deno.errors,
    "Deno.env": Deno.env,
  };
}

/** All of them, in the order of their names' roots. */
export function targets(): Target[] {
  const all: Target[] = [], known = new Set<object>();
  const add = (name: string, object: object) => {
    if (known.has(object)) return;
    known.add(object);
    for (const key of ownKeys(object)) {
      const descriptor = getOwnPropertyDescriptor(object, key)!;
      if (!descriptor.configurable || key === "globalThis" || key === "self") continue;
      if (object === globalThis && typeof key === "symbol") continue;
      const value = descriptor.value;
      const isReplaceable = typeof value === "function" || descriptor.get !== undefined ||
        name === "globalThis" && typeof value === "object" || key === "constructor";
      if (!isReplaceable) continue;
      all.push({
        name: name === "globalThis" ? String(key) : `${name}.${String(key)}`,
        object,
        key,
      });
    }
  };
  add("globalThis", globalThis);
  for (const key of ownKeys(globalThis)) {
    const value = getOwnPropertyDescriptor(globalThis, key)?.value;
    if (typeof key !== "string" || !(value instanceof Object) || value === globalThis) continue;
    add(key, value);
    if (typeof value === "function" && value.prototype instanceof Object) {
      add(`${key}.prototype`, value.prototype);
    }
    if (key === "Object") add("Object.prototype", Object.prototype);
  }
  for (const [name, object] of Object.entries(hidden())) add(name, object);
  return all;
}

/** Replaces a thing; returns how to give it back. */
export function spoil({ name, object, key }: Target, way: Way): () => void {
  const before = getOwnPropertyDescriptor(object, key)!;
  const spoiled = function () {
    if (way === "throws") throw new OriginalError(`${name} is spoiled`);
  };
  const descriptor = before.get === undefined
    ? {
      __proto__: null,
      value: spoiled,
      writable: true,
      enumerable: before.enumerable,
      configurable: true,
    }
    : {
      __proto__: null,
      get: spoiled,
      set: before.set,
      enumerable: before.enumerable,
      configurable: true,
    };
  const back = {
    __proto__: null,
    enumerable: before.enumerable,
    configurable: true,
    ...(before.get === undefined
      ? { value: before.value, writable: before.writable }
      : { get: before.get, set: before.set }),
  };
  defineProperty(object, key, descriptor as PropertyDescriptor);
  return () => {
    defineProperty(object, key, back as PropertyDescriptor);
  };
}

/** The names of what a program can replace of the language's classes without anything of Deno's own failing. */
export const METHODS_OF_THE_LANGUAGE =
  /^(?!Function\.prototype\.call$)(?:(?:Array|Map|Set|Promise|String|Function|RegExp|WeakMap|WeakSet|WeakRef|BigInt|Number|Date|Symbol)\.prototype\.(?!constructor$)|%(?:\w*Iterator|AsyncGenerator)%\.|%TypedArray%\.prototype\.(?!constructor$|length$|byteLength$|byteOffset$|buffer$|Symbol\(Symbol\.toStringTag))/;

/** Replaces all of these; returns how to give them back. */
export function spoilAll(all: readonly Target[], way: Way): () => void {
  const backs: (() => void)[] = [];
  for (let i = 0; i < all.length; i++) backs[i] = spoil(all[i], way);
  return () => {
    for (let i = backs.length - 1; i >= 0; i--) backs[i]();
  };
}
