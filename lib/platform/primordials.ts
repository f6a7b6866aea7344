// The globals of JavaScript, the web and Deno as they are when this module is loaded: primordials, as Node and
// Deno call their own copies. A program may replace any global later: fake timers in a test, a polyfill, an
// instrumented Promise. This library uses only these copies, so a replaced global neither hangs it nor changes
// its behaviour. In a child this module is loaded before the user's.
//
// A file takes the globals it uses from here, under their usual names:
//
//   import * as primordials from "./primordials.ts";
//   const { Atomics, Map } = primordials;
//
// (tests/platform/primordials_test.ts reports a file that uses another global). A constant of the file, and not
// an import by name, because V8 optimises calls of a constant as well as calls of a global (Deno 2.9.6).
//
// Where such a name also occurs in the types of the public API, the code has primordials.Promise: documentation
// tools would take the constant for the type.
//
// Namespaces are copies with the members that this library uses. Classes with static methods are stand-ins that
// make the same objects as the originals. Other classes are the originals.

import { withoutAdded } from "./added.ts";
import { each } from "./containers.ts";

export * from "./containers.ts";
export * from "./events.ts";
export * from "./methods.ts";

const { defineProperty, fromEntries, getOwnPropertyDescriptor, setPrototypeOf } = globalThis.Object;
const { apply, construct, ownKeys } = globalThis.Reflect;
const bind = globalThis.Function.prototype.bind;

/** A function bound to its object; undefined where a runtime doesn't have the function. */
// deno-lint-ignore no-explicit-any
function bound<F extends (...args: any) => unknown>(method: F, self: unknown): F {
  return method === undefined ? method : apply(bind, method, [self]) as F;
}

// deno-lint-ignore no-explicit-any
type Class = new (...args: any) => any;
// deno-lint-ignore no-explicit-any
type Conversion = (...args: any) => any;

/** Gives a stand-in for a class the static methods that the class has now. */
function copyStatics(original: object, standIn: object): void {
  const keys = ownKeys(original);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i], { value } = getOwnPropertyDescriptor(original, key)!;
    // A changed name or length would make V8 look up each method in a table (Deno 2.9.6).
    if (value === undefined || getOwnPropertyDescriptor(standIn, key) !== undefined) continue;
    const own = typeof value === "function" ? bound(value, original) : value;
    defineProperty(standIn, key, { __proto__: null, value: own } as PropertyDescriptor);
  }
}

/**
 * A stand-in for a class. `new` makes an object of the original, and instanceof answers as for the original. A
 * class can't extend the stand-in.
 */
function keepClass<C extends Class>(original: C): C {
  const standIn = function (...args: unknown[]): unknown {
    return construct(original, args);
  };
  standIn.prototype = original.prototype;
  copyStatics(original, standIn);
  return standIn as unknown as C;
}

/**
 * A stand-in for a class that is called without `new`. It isn't made by keepClass(): if a second function has
 * String.prototype as its prototype, all operations on strings are slower (Deno 2.9.6).
 */
function keepConversion<C extends Conversion>(original: C): C {
  const standIn = (...args: unknown[]): unknown => apply(original, undefined, args);
  copyStatics(original, standIn);
  return standIn as unknown as C;
}

// Functions

const g = globalThis;
const addGlobalListener = bound(g.addEventListener, g);
export const setTimeout = g.setTimeout,
  clearTimeout = g.clearTimeout,
  setInterval = g.setInterval,
  clearInterval = g.clearInterval,
  queueMicrotask = g.queueMicrotask,
  structuredClone = g.structuredClone,
  encodeURIComponent = g.encodeURIComponent,
  addEventListener: typeof globalThis.addEventListener = (...args: unknown[]) =>
    withoutAdded(() => apply(addGlobalListener, undefined, args)),
  removeEventListener = bound(g.removeEventListener, g);

const immediately = g.setImmediate;

/** Calls back after a turn of the event loop. */
export function setImmediate(callback: () => void): void {
  const immediate = immediately(callback) as unknown as { _argv?: unknown } | undefined;
  // Deno spreads the list of further arguments, as the program may have replaced the iterator of arrays by then.
  if (typeof immediate === "object" && immediate !== null) immediate._argv = undefined;
}

// Namespaces

export const performance = {
  now: bound(g.performance.now, g.performance),
  timeOrigin: g.performance.timeOrigin,
};

export const crypto = {
  getRandomValues: bound(g.crypto.getRandomValues, g.crypto),
  randomUUID: bound(g.crypto.randomUUID, g.crypto),
};

export const navigator = { hardwareConcurrency: g.navigator.hardwareConcurrency };

export const Atomics = {
  load: g.Atomics.load,
  store: g.Atomics.store,
  add: g.Atomics.add,
  sub: g.Atomics.sub,
  and: g.Atomics.and,
  or: g.Atomics.or,
  exchange: g.Atomics.exchange,
  compareExchange: g.Atomics.compareExchange,
  wait: g.Atomics.wait,
  waitAsync: g.Atomics.waitAsync,
  notify: g.Atomics.notify,
};

export const Math = {
  min: g.Math.min,
  max: g.Math.max,
  abs: g.Math.abs,
  ceil: g.Math.ceil,
  floor: g.Math.floor,
  round: g.Math.round,
  trunc: g.Math.trunc,
  imul: g.Math.imul,
  clz32: g.Math.clz32,
  log2: g.Math.log2,
  random: g.Math.random,
};

export const JSON = { stringify: g.JSON.stringify, parse: g.JSON.parse };

export const Object = {
  prototype: g.Object.prototype,
  assign: g.Object.assign,
  create: g.Object.create,
  defineProperty: define,
  defineProperties: g.Object.defineProperties,
  entries: g.Object.entries,
  freeze: g.Object.freeze,
  // deno-lint-ignore no-explicit-any
  fromEntries: (entries: readonly (readonly any[])[]): any => fromEntries(each(entries)),
  getOwnPropertyDescriptor: g.Object.getOwnPropertyDescriptor,
  getOwnPropertyDescriptors: g.Object.getOwnPropertyDescriptors,
  getOwnPropertyNames: g.Object.getOwnPropertyNames,
  getOwnPropertySymbols: g.Object.getOwnPropertySymbols,
  getPrototypeOf: g.Object.getPrototypeOf,
  hasOwn: g.Object.hasOwn,
  is: g.Object.is,
  isExtensible: g.Object.isExtensible,
  isFrozen: g.Object.isFrozen,
  keys: g.Object.keys,
  preventExtensions: g.Object.preventExtensions,
  seal: g.Object.seal,
  setPrototypeOf: g.Object.setPrototypeOf,
  values: g.Object.values,
};

/** Object(value): an object whose properties can be read, whatever the value is. */
// deno-lint-ignore no-explicit-any
export const ToObject: (value: unknown) => any = g.Object;

export const Reflect = {
  apply: g.Reflect.apply,
  construct: g.Reflect.construct,
  defineProperty: g.Reflect.defineProperty,
  deleteProperty: g.Reflect.deleteProperty,
  get: g.Reflect.get,
  getOwnPropertyDescriptor: g.Reflect.getOwnPropertyDescriptor,
  getPrototypeOf: g.Reflect.getPrototypeOf,
  has: g.Reflect.has,
  ownKeys: g.Reflect.ownKeys,
  set: g.Reflect.set,
  setPrototypeOf: g.Reflect.setPrototypeOf,
};

/**
 * Object.defineProperty, with a descriptor that inherits nothing from Object.prototype, where a program may
 * have added members.
 */
function define<T>(
  object: T,
  key: PropertyKey,
  descriptor: PropertyDescriptor & ThisType<unknown>,
): T {
  return defineProperty(object, key, setPrototypeOf(descriptor, null));
}

// Classes with static methods

export const Array = keepConversion(g.Array),
  ArrayBuffer = keepClass(g.ArrayBuffer),
  BigInt = keepConversion(g.BigInt),
  Date = keepClass(g.Date),
  Function = keepClass(g.Function),
  Number = keepConversion(g.Number),
  Promise = keepClass(g.Promise),
  String = keepConversion(g.String),
  Symbol = keepConversion(g.Symbol),
  URL = keepClass(g.URL);

// Other classes

export const Map = g.Map,
  Set = g.Set,
  WeakMap = g.WeakMap,
  WeakSet = g.WeakSet,
  WeakRef = g.WeakRef,
  FinalizationRegistry = g.FinalizationRegistry,
  Proxy = g.Proxy,
  RegExp = g.RegExp,
  Boolean = g.Boolean,
  SharedArrayBuffer = g.SharedArrayBuffer,
  DataView = g.DataView,
  Int8Array = g.Int8Array,
  Uint8Array = g.Uint8Array,
  Uint8ClampedArray = g.Uint8ClampedArray,
  Int16Array = g.Int16Array,
  Uint16Array = g.Uint16Array,
  Int32Array = g.Int32Array,
  Uint32Array = g.Uint32Array,
  BigInt64Array = g.BigInt64Array,
  BigUint64Array = g.BigUint64Array,
  Float16Array = g.Float16Array,
  Float32Array = g.Float32Array,
  Float64Array = g.Float64Array;

export const Error = g.Error,
  AggregateError = g.AggregateError,
  EvalError = g.EvalError,
  RangeError = g.RangeError,
  ReferenceError = g.ReferenceError,
  SuppressedError = g.SuppressedError,
  SyntaxError = g.SyntaxError,
  TypeError = g.TypeError,
  URIError = g.URIError,
  DOMException = g.DOMException;

export const captureStackTrace = g.Error.captureStackTrace;

export const AbortController = g.AbortController,
  AbortSignal = g.AbortSignal,
  Blob = g.Blob,
  CustomEvent = g.CustomEvent,
  MessagePort = g.MessagePort,
  ReadableStream = g.ReadableStream,
  WritableStream = g.WritableStream,
  TransformStream = g.TransformStream,
  TextEncoder = g.TextEncoder,
  TextDecoder = g.TextDecoder,
  Worker = g.Worker;

// Deno

/** A function that reads a property by the getter that the property has now. */
function getterOf<T extends object, K extends keyof T>(object: T, name: K): () => T[K] {
  const getter = getOwnPropertyDescriptor(object, name)?.get;
  return getter === undefined ? () => object[name] : bound(getter, object);
}

/** The original console.error, also where a program replaces console.error. */
export const console = { error: bound(g.console.error, g.console) };

function keepDeno() {
  const { permissions } = g.Deno;
  const getExitCode = getterOf(g.Deno, "exitCode"), getMainModule = getterOf(g.Deno, "mainModule");
  return {
    pid: g.Deno.pid,
    errors: { ...g.Deno.errors },
    permissions: {
      querySync: bound(permissions.querySync, permissions),
      revokeSync: bound(permissions.revokeSync, permissions),
    },
    build: g.Deno.build,
    env: {
      get: bound(g.Deno.env.get, g.Deno.env),
      toObject: bound(g.Deno.env.toObject, g.Deno.env),
    },
    execPath: g.Deno.execPath,
    exit: g.Deno.exit,
    get exitCode(): number {
      return getExitCode();
    },
    get mainModule(): string {
      return getMainModule();
    },
    inspect: g.Deno.inspect,
    readTextFileSync: g.Deno.readTextFileSync,
    statSync: g.Deno.statSync,
    openSync: g.Deno.openSync,
    unrefTimer: g.Deno.unrefTimer,
    stdin: { isTerminal: bound(g.Deno.stdin.isTerminal, g.Deno.stdin) },
    stdout: { writeSync: bound(g.Deno.stdout.writeSync, g.Deno.stdout) },
    stderr: {
      isTerminal: bound(g.Deno.stderr.isTerminal, g.Deno.stderr),
      writeSync: bound(g.Deno.stderr.writeSync, g.Deno.stderr),
    },
    memoryUsage: g.Deno.memoryUsage,
    addSignalListener: g.Deno.addSignalListener,
    removeSignalListener: g.Deno.removeSignalListener,
  };
}

/** undefined in another runtime, where only local.ts can be used. */
export const Deno: ReturnType<typeof keepDeno> = "Deno" in g ? keepDeno() : undefined!;
