// Targets that fail in every possible way: see tests/transfer/remote_error_test.ts.

import { deepEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { runInNewContext } from "node:vm";

import { BufferTooShort, ProcessError, QueueEmpty, QueueFull } from "../../../mod.ts";

/** Where this is, for `module`. */
export const here = import.meta.url;

/** An error of a class of the program, with fields. */
export class OutOfPaper extends RangeError {
  tray = 3;
  details = { printer: "p1", sheets: [1, 2], print: () => "a function" };
}

/** One with a name of its own, set as most do. */
export class HttpError extends Error {
  override name = "HttpError";
  status: number;
  constructor(status: number, options?: ErrorOptions) {
    super(`status ${status}`, options);
    this.status = status;
  }
}

/** What the calls of a kind throw. */
function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

/** Errors of all kinds, by name. */
export const errors: Record<string, () => unknown> = {
  suppressed: () => new SuppressedError(new RangeError("later"), new TypeError("first"), "both"),
  using: () =>
    caught(() => {
      using _resource = {
        [Symbol.dispose]() {
          throw new HttpError(500);
        },
      };
      throw new Deno.errors.NotFound("no file");
    }),
  aggregate: () =>
    new AggregateError([new HttpError(404), new DOMException("d", "DataError"), 7], "all"),
  notFound: () => Object.assign(new Deno.errors.NotFound("no file"), { code: "ENOENT" }),
  timedOut: () => new Deno.errors.TimedOut("too long", { cause: new Deno.errors.Busy("busy") }),
  abort: () => caught(() => AbortSignal.abort().throwIfAborted()),
  domException: () => new DOMException("wrong", "DataCloneError"),
  compileError: () => caught(() => new WebAssembly.Module(new Uint8Array(4))),
  linkError: () => new WebAssembly.LinkError("link"),
  runtimeError: () => new WebAssembly.RuntimeError("unreachable"),
  node: () => caught(() => deepEqual({ a: 1 }, { a: 2 })),
  system: () => {
    const fields = { errno: -2, code: "ENOENT", syscall: "open", path: "/no/file" };
    return Object.assign(new Error("ENOENT: no such file or directory"), fields);
  },
  nodeType: () => caught(() => Buffer.from(5 as never)),
  ownClass: () => new OutOfPaper("no paper"),
  full: () => new QueueFull("no room", 3),
  tooShort: () => new BufferTooShort("3 bytes", new Uint8Array([1, 2, 3])),
  process: () => new ProcessError("Process-9 failed", 4, { cause: new QueueEmpty("nothing") }),
  otherRealm: () => caught(() => runInNewContext("null.x")),
  plain: () => new Error(),
  inProperties: () =>
    Object.assign(new Error("outer"), {
      inner: new HttpError(404, { cause: new Deno.errors.NotFound("deep") }),
      list: [new RangeError("in a list"), { error: new OutOfPaper("in an object") }],
      map: new Map<unknown, unknown>([["key", new HttpError(500)], [new URIError("a key"), 1]]),
      set: new Set([new EvalError("in a set")]),
      when: new Date(5),
      bytes: new Uint8Array([1, 2, 3]),
      big: 2n ** 70n,
      nothing: undefined,
      half: { data: 1, run() {}, symbol: Symbol("s"), list: [1, () => 2, 3] },
    }),
  cyclic: () => {
    const error: Error & { self?: unknown; list?: unknown[] } = new Error("round");
    error.self = error;
    error.list = [error, { error }];
    error.cause = new RangeError("and round", { cause: error });
    return error;
  },
  deep: () => {
    let error: Error = new HttpError(0);
    for (let i = 1; i < 500; i++) error = new HttpError(i, { cause: error });
    return error;
  },
};

/** Throws one of some, with nothing from outside of it: it may travel by source. */
export async function fail(name: string, isLate = false, ms = 0): Promise<never> {
  class HttpError extends Error {
    override name = "HttpError";
    status = 404;
  }
  const revocable = Proxy.revocable(new Error("gone"), {});
  revocable.revoke();
  const trap = () => {
    throw new Error("a trap");
  };
  const some: Record<string, () => unknown> = {
    notFound: () => Object.assign(new Deno.errors.NotFound("no file"), { code: "ENOENT" }),
    suppressed: () => new SuppressedError(new RangeError("later"), new HttpError("first"), "both"),
    domException: () => new DOMException("wrong", "DataCloneError"),
    inProperties: () =>
      Object.assign(new Error("outer"), { list: [{ inner: new HttpError("in") }] }),
    proxyGet: () => new Proxy(new RangeError("behind a proxy"), { get: trap }),
    revoked: () => revocable.proxy,
    noToString: () => ({ toString: null }),
    withFunctions: () => ({ code: 7, retry: () => {}, nested: { run() {}, list: [1] } }),
  };
  if (isLate) await new Promise((resolve) => setTimeout(resolve, ms));
  throw some[name]();
}

const throwing = (): never => {
  throw new Error("a getter, or a trap");
};

function withGetter(key: string): unknown {
  return Object.defineProperty(new RangeError("as it was"), key, {
    get: throwing,
    enumerable: true,
  });
}

const allTraps = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((name) => [name, throwing]),
);

/** What is hard to describe, by name. */
export const riddles: Record<string, () => unknown> = {
  messageGetter: () => withGetter("message"),
  nameGetter: () => withGetter("name"),
  stackGetter: () => withGetter("stack"),
  causeGetter: () => withGetter("cause"),
  propertyGetter: () => withGetter("detail"),
  strangeMessage: () => Object.assign(new Error("x"), { message: { toString: null } }),
  strangeName: () => Object.assign(new Error("x"), { name: Symbol("strange") }),
  strangeStack: () => Object.assign(new Error("x"), { stack: { lines: 2 } }),
  strangeCause: () => new Error("x", { cause: { toString: null, run() {} } }),
  noPrototype: () => Object.setPrototypeOf(new TypeError("bare"), null),
  proxyOfError: () => new Proxy(new RangeError("behind a proxy"), {}),
  proxyGet: () => new Proxy(new RangeError("behind a proxy"), { get: throwing }),
  proxyAll: () => new Proxy(new RangeError("behind a proxy"), allTraps),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable(new Error("gone"), {});
    revoke();
    return proxy;
  },
  causeProxy: () => new Error("x", { cause: new Proxy({ a: 1 }, allTraps) }),
  noToString: () => ({ toString: null }),
  nullPrototype: () => Object.assign(Object.create(null), { code: 7 }),
  symbol: () => Symbol("thrown"),
  function: () => function thrown() {},
  class: () => OutOfPaper,
  withFunctions: () => ({ code: 7, retry: () => {}, nested: { run() {}, list: [1] } }),
  promise: () => Promise.resolve(1),
  instance: () =>
    new (class Jam {
      sheet = 3;
    })(),
  array: () => [1, () => {}, { a: Symbol("s") }],
  objectGetter: () => ({
    get bad() {
      return throwing();
    },
    good: 1,
  }),
  customInspect: () => ({ [Symbol.for("Deno.customInspect")]: throwing, a: 1 }),
  toStringTag: () => ({
    get [Symbol.toStringTag]() {
      return throwing();
    },
    a: 1,
  }),
  hugeMessage: () => new Error("x".repeat(2 ** 24 + 1000)),
  hugeString: () => "x".repeat(2 ** 24 + 1000),
  deepCauses: () => {
    let error = new Error("innermost");
    for (let i = 0; i < 20_000; i++) error = new Error("outer", { cause: error });
    return error;
  },
  deepData: () => {
    let data: unknown = "innermost";
    for (let i = 0; i < 100_000; i++) data = [data];
    return Object.assign(new Error("deep data"), { data });
  },
  manyProperties: () => {
    const error: Error & Record<string, unknown> = new Error("many") as never;
    for (let i = 0; i < 150_000; i++) error[`p${i}`] = i;
    return error;
  },
  endless: () => {
    const endless = (): object =>
      new Proxy({}, {
        get: endless,
        ownKeys: () => ["a", "b", "c"],
        getOwnPropertyDescriptor: () => ({
          value: endless(),
          enumerable: true,
          configurable: true,
        }),
      });
    return Object.assign(new Error("endless"), { endless: endless() });
  },
};

/** Throws an error whose getters count how often they are read. */
export function countReads(reads: Int32Array): never {
  const count = (i: number) => ({ enumerable: true, get: () => Atomics.add(reads, i, 1) });
  const nested = Object.defineProperty({}, "count", count(1));
  throw Object.defineProperties(Object.assign(new Error("counted"), { nested }), {
    direct: count(0),
    cause: { get: () => new Error(`cause ${Atomics.add(reads, 2, 1)}`) },
  });
}
