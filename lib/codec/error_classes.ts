// The classes whose errors arrive as errors of the same class: those of the language, of WebAssembly, of Deno,
// DOMException, and those of this package. A class is found by its prototype, so a class of the program that only
// has the same name isn't taken for one of them. An error of a class of the program arrives as an error of the
// nearest known class that it extends, under its own name.

import * as own from "../errors.ts";
import * as primordials from "../platform/primordials.ts";

const {
  AggregateError,
  DOMException,
  each,
  Error,
  EvalError,
  iterate,
  Map,
  MapPrototypeGet,
  MapPrototypeSet,
  Object,
  RangeError,
  ReferenceError,
  Reflect,
  String,
  SyntaxError,
  TypeError,
  URIError,
} = primordials;

/** Makes an error of a class. */
type MakeError = (message: string | undefined, name: string) => Error;

// deno-lint-ignore no-explicit-any
type AnyErrorClass = new (...args: any[]) => Error;

const makers = new Map<string, MakeError>();
const keys = new Map<object, string>();

function know(key: string, errorClass: AnyErrorClass | undefined, make?: MakeError): void {
  if (typeof errorClass !== "function") return;
  MapPrototypeSet(makers, key, make ?? ((message) => new errorClass(message)));
  MapPrototypeSet(keys, errorClass.prototype, key);
}

for (
  const errorClass of each([
    ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
  ])
) know(errorClass.name, errorClass);
know("AggregateError", AggregateError, (message) => new AggregateError([], message));
const { SuppressedError: Suppressed } = globalThis;
know("SuppressedError", Suppressed, (message) => new Suppressed(undefined, undefined, message));
know("DOMException", DOMException, (message, name) => new DOMException(message, name));
for (const name of each(["CompileError", "LinkError", "RuntimeError"] as const)) {
  know(`WebAssembly.${name}`, WebAssembly[name]);
}
for (const { 0: name, 1: errorClass } of each(Object.entries(globalThis.Deno.errors))) {
  know(`Deno.errors.${name}`, errorClass);
}
const { brand } = own;
for (const errorClass of each(Object.values(own) as unknown[])) {
  if (typeof errorClass !== "function" || !(errorClass.prototype instanceof Error)) continue;
  know(String(Reflect.get(errorClass.prototype, brand)), errorClass as AnyErrorClass);
}

/** The longest chain of prototypes that is followed: a Proxy may return prototypes without end. */
const MAX_PROTOTYPES = 100;

/** The prototypes of an object, the nearest first. Throws what a trap of a Proxy throws. */
export function prototypesOf(object: object): Iterable<object> {
  let at = object, left = MAX_PROTOTYPES;
  return iterate<object>(() => {
    const next = Object.getPrototypeOf(at) as object | null;
    if (next === null || left-- <= 0) return { done: true, value: undefined };
    return { done: false, value: at = next };
  });
}

/** The key of the class that has this prototype; undefined if the class isn't known. */
export function errorClassOf(prototype: object): string | undefined {
  const key = MapPrototypeGet(keys, prototype);
  if (key !== undefined) return key;
  // The class may belong to another copy of this package in the same isolate.
  const branded: unknown = Object.getOwnPropertyDescriptor(prototype, brand)?.value;
  return typeof branded === "string" ? branded : undefined;
}

/** Makes an error of the class with this key; an Error if there is no such class. */
export function makeError(key: string, message: string | undefined, name: string): Error {
  const make = MapPrototypeGet(makers, key);
  return make === undefined ? new Error(message) : make(message, name);
}
