// The globals of a simulated process, and the names by which transformed code calls the kernel.

import { Buffer } from "node:buffer";
import { inspect, types } from "node:util";
import { AbortController, AbortSignal } from "./aborting.ts";
import { hashText, hashValue } from "./hash.ts";
import { BroadcastChannels, messageChannels, type MessagePort } from "./ports.ts";
import { FinalizationRegistry, primordialOf, WeakRef } from "./primordials.ts";
import type { Process } from "./process.ts";
import { isGenerator, promisesOf, type Running, type SimulatedPromise } from "./promise.ts";
import type { Simulation } from "./scenario.ts";
import { isKill, ModelError, STOP } from "./signals.ts";

/** What Atomics works on. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A program of scenarios, to be evaluated for each process. */
export interface Program {
  readonly factory: (...environment: unknown[]) => unknown;
  /** Where each operation stands in the code under test. */
  readonly sites: readonly string[];
}

/** The names by which transformed code reaches the kernel. */
export const NAMES: readonly string[] = (
  "$A $S $AG $Y $g $s $as $aw $np $r $w $bulk $each $set $keep $again $k $refuse $unmodelled $node $primordial sim " +
  "globalThis performance Date setTimeout clearTimeout setInterval clearInterval setImmediate " +
  "queueMicrotask Promise SharedArrayBuffer crypto Deno WeakRef FinalizationRegistry AbortController " +
  "AbortSignal MessagePort MessageChannel BroadcastChannel structuredClone addEventListener " +
  "removeEventListener console"
).split(" ");

/** Makes a program of the text of an iife that sets $exports. */
export function compile(text: string): (...environment: unknown[]) => unknown {
  return new Function(...NAMES, `"use strict"; let $t;\n${text}\nreturn $exports;`) as never;
}

const OPERATIONS = [
  ...["load", "store", "add", "sub", "and", "or", "xor", "exchange", "compareExchange"],
  ...["wait", "waitAsync", "notify"],
];

/** What an async function waits for. */
class Await {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

type Operation = (
  site: number,
  array: TypedArray,
  index: number,
  value?: number | bigint,
  other?: number | bigint,
) => unknown;

/** The buffers of the real class, with what the kernel knows of them. */
export interface SharedBuffer extends SharedArrayBuffer {
  /** Its number in the run; the buffers of no run have none. */
  $id?: number;
  $words?: Int32Array;
  $made?: number;
  $most?: number | undefined;
}

const RealSharedArrayBuffer = SharedArrayBuffer;

/** The values of NAMES, in their order. */
export function environmentOf(process: Process): unknown[] {
  const operations: Record<string, Operation> = {}, atOnce: Record<string, Operation> = {};
  const general: Record<string, (...args: never[]) => unknown> = {};
  for (const kind of OPERATIONS) {
    operations[kind] = (site, array, index, value, other) =>
      process.operation(kind, site, array, index, value, other);
    atOnce[kind] = (site, array, index, value, other) =>
      process.operationAtOnce(kind, site, array, index, value, other);
    // For code that passes Atomics on: the site is not known.
    general[kind] = function* (
      array: TypedArray,
      index: number,
      value?: number | bigint,
      other?: number | bigint,
    ): Running {
      const result = process.operation(kind, -1, array, index, value, other);
      return result === STOP ? yield : result;
    };
  }
  const promises = promisesOf(() => process.microtasks);
  process.Promise = promises;
  const timers = timersOf(process);
  const ports = messageChannels(process);
  const BroadcastChannel = BroadcastChannels(process);
  const clock = clockOf(process);
  const simulatedCrypto = {
    getRandomValues(view: Int32Array) {
      for (let i = 0; i < view.length; i++) view[i] = process.random();
      return view;
    },
    randomUUID: () => `uuid-${process.id}-${process.random()}`,
  };
  const simulatedDeno = {
    ...{ pid: 1000, unrefTimer() {}, refTimer() {}, exitCode: 0, inspect: Deno.inspect },
    ...{ version: Deno.version, errors: Deno.errors },
  };
  const locals: Record<string, unknown> = {
    ...timers,
    ...{ AbortController, AbortSignal, WeakRef, FinalizationRegistry },
    ...ports,
    ...clock,
    BroadcastChannel,
    Promise: promises,
    SharedArrayBuffer: sharedMemoryOf(process),
    crypto: simulatedCrypto,
    Deno: simulatedDeno,
    queueMicrotask: (work: () => unknown) => process.microtasks.push(work),
    structuredClone: (value: unknown) => structuredClone(value),
    addEventListener() {},
    removeEventListener() {},
    console: { log() {}, error() {}, warn() {} },
  };
  const global: Record<PropertyKey, unknown> = Object.create(
    globalThis,
    Object.getOwnPropertyDescriptors(locals),
  );
  Object.defineProperty(global, "globalThis", { value: global });
  process.again.push(() => {
    // What the code under test keeps in the global scope stands under symbols.
    for (const key of Object.getOwnPropertySymbols(global)) delete global[key];
  });
  const node = {
    ...ports,
    BroadcastChannel,
    ...{ isMainThread: process.id === 0, SHARE_ENV: Symbol("SHARE_ENV"), workerData: undefined },
    Worker: class {
      constructor() {
        throw process.kernel.modelError("there is no model of a Worker");
      }
    },
    ...{ locks: {}, process: { on() {}, once() {}, off() {}, exit() {} }, types, inspect, Buffer },
  };
  const values: Record<string, unknown> = {
    $A: operations,
    $S: atOnce,
    $AG: general,
    $Y: STOP,
    $g: isGenerator,
    ...runningOf(process),
    ...elementsOf(process),
    $each: callingBack,
    $set: setting,
    ...renewalOf(process),
    $k: () => process.kernel.checkpoint(process),
    $refuse: (site: number) => {
      throw process.kernel.modelError(`it can't be treated truly: ${process.kernel.sites[site]}`);
    },
    $unmodelled: (name: string) => {
      throw process.kernel.modelError(`there is no model of ${name}`);
    },
    $node: node,
    $primordial: (name: string) => primordialOf(name, { ...locals, Atomics: general }),
    sim: simulationOf(process),
    globalThis: global,
    ...locals,
  };
  return NAMES.map((name) => {
    if (!Object.hasOwn(values, name)) throw new ModelError(`${name} has no value.`);
    return values[name];
  });
}

/** How functions are run that yield. */
function runningOf(process: Process): Record<string, unknown> {
  const { Promise: Promises } = process;
  function runAtOnce(value: unknown): unknown {
    if (!isGenerator(value)) return value;
    process.atomic++;
    try {
      const result = value.next();
      if (result.done) return result.value;
      throw process.kernel.modelError("it would wait where nothing can yield");
    } finally {
      process.atomic--;
    }
  }
  /** Goes on with an async function until it waits for something. */
  function* drive(
    body: Running,
    promise: SimulatedPromise,
    value: unknown,
    isError: boolean,
  ): Generator<unknown, void, unknown> {
    try {
      let step = isError ? body.throw(value) : body.next(value);
      for (;;) {
        if (step.done) {
          promise.fulfill(step.value);
          return;
        }
        if (step.value instanceof Await) {
          Promises.resolve(step.value.value).whenSettled(
            (result) => drive(body, promise, result, false),
            (error) => drive(body, promise, error, true),
          );
          return;
        }
        let got: unknown, isThrown = false;
        try {
          got = yield step.value;
        } catch (error) {
          got = error;
          isThrown = true;
        }
        step = isThrown ? body.throw(got) : body.next(got);
      }
    } catch (error) {
      if (isKill(error) || error instanceof ModelError) throw error;
      promise.reject(error);
    }
  }
  return {
    $s: runAtOnce,
    $as: function* (body: Running) {
      const promise = new Promises();
      yield* drive(body, promise, undefined, false);
      return promise;
    },
    $aw: (value: unknown) => new Await(value),
    $np: function* (executor: (resolve: unknown, reject: unknown) => unknown) {
      const promise = new Promises();
      try {
        const result = executor(
          (value: unknown) => promise.fulfill(value),
          (reason: unknown) => promise.reject(reason),
        );
        if (isGenerator(result)) yield* result;
      } catch (error) {
        if (isKill(error) || error instanceof ModelError) throw error;
        promise.reject(error);
      }
      return promise;
    },
  };
}

type Elements = Record<PropertyKey, unknown> & { buffer?: SharedBuffer };

/** Plain accesses of elements. */
function elementsOf(process: Process): Record<string, unknown> {
  const isShared = (object: Elements) => object.buffer?.$id !== undefined;
  return {
    $r: (site: number, object: Elements, key: PropertyKey) => {
      if (!isShared(object)) return object[key];
      process.checkAlive();
      return process.kernel.readPlain(process, site, object as never, key as number);
    },
    $w: (site: number, object: Elements, key: PropertyKey, value: unknown) => {
      if (!isShared(object)) return object[key] = value;
      process.checkAlive();
      return process.kernel.writePlain(
        process,
        site,
        object as never,
        key as number,
        value as never,
      );
    },
    $bulk: (site: number, name: string, object: unknown, ...args: unknown[]) => {
      const target = object as Record<string, (...args: unknown[]) => unknown>;
      if (ArrayBuffer.isView(object)) {
        process.checkAlive();
        process.kernel.bulk(process, site, name, object as TypedArray, args);
      }
      return target[name](...args);
    },
  };
}

/** Array's methods that call back, step by step. */
function* callingBack(
  name: string,
  object: unknown,
  callback: (...args: unknown[]) => unknown,
  ...rest: unknown[]
): Running {
  const isList = Array.isArray(object), isMap = object instanceof Map || object instanceof Set;
  if (!isList && !(isMap && name === "forEach")) {
    const target = object as Record<string, (...args: unknown[]) => unknown>;
    const result = target[name](callback, ...rest);
    return isGenerator(result) ? yield* result : result;
  }
  const call = function* (...args: unknown[]): Running {
    const result = callback(...args);
    return isGenerator(result) ? yield* result : result;
  };
  if (!isList) {
    const entries = object instanceof Map ? object.entries() : (object as Set<unknown>).entries();
    for (const [key, value] of entries) yield* call(value, key, object);
    return undefined;
  }
  const results: unknown[] = [];
  let sum = rest[0], start = 0;
  if (name === "reduce" && rest.length === 0) sum = object[start++];
  for (let i = start; i < object.length; i++) {
    const value = object[i];
    const result = name === "reduce"
      ? yield* call(sum, value, i, object)
      : yield* call(value, i, object);
    switch (name) {
      case "some":
        if (result) return true;
        break;
      case "every":
        if (!result) return false;
        break;
      case "find":
        if (result) return value;
        break;
      case "findIndex":
        if (result) return i;
        break;
      case "filter":
        if (result) results.push(value);
        break;
      case "map":
        results.push(result);
        break;
      case "flatMap":
        results.push(...(Array.isArray(result) ? result : [result]));
        break;
      case "reduce":
        sum = result;
    }
  }
  switch (name) {
    case "some":
      return false;
    case "every":
      return true;
    case "findIndex":
      return -1;
    case "filter":
    case "map":
    case "flatMap":
      return results;
    case "reduce":
      return sum;
  }
  return undefined;
}

/** An assignment to a property that may have a setter which yields. */
function* setting(object: Record<string, unknown>, name: string, value: unknown): Running {
  const setter = object[`$set_${name}`];
  if (typeof setter === "function") yield* setter.call(object, value) as Running;
  else object[name] = value;
  return value;
}

/** What is at the top of modules is as new before each run. */
function renewalOf(process: Process): Record<string, unknown> {
  const again = (work: () => void) => process.again.push(work);
  const keep = (read: () => unknown, name: string, isPure: boolean) => {
    const restore = restorer(read());
    if (restore === undefined) {
      // What never sees shared memory may keep what it has made.
      if (isPure) return;
      throw new ModelError(
        `${name} is at the top of a module, and can't be made anew before a run.`,
      );
    }
    process.again.push(restore);
  };
  return { $again: again, $keep: keep };
}

/** What puts a value back into the state it has now, or when it is first used. */
function restorer(value: unknown): (() => void) | undefined {
  if (typeof value !== "object" || value === null || value instanceof RegExp) return () => {};
  if (
    value instanceof WeakMap || value instanceof WeakSet || value instanceof FinalizationRegistry
  ) {
    return () => {};
  }
  if (value instanceof TextEncoder || value instanceof TextDecoder) return () => {};
  // What modules register with each other as they are evaluated is there at the first run, and stays.
  let kept: unknown[] | undefined;
  if (value instanceof Map) {
    return () => {
      kept ??= [...value];
      value.clear();
      for (const [key, each] of kept as [unknown, unknown][]) value.set(key, each);
    };
  }
  if (value instanceof Set) {
    return () => {
      kept ??= [...value];
      value.clear();
      for (const each of kept) value.add(each);
    };
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const array = value as Uint8Array;
    const copy = array.slice();
    return () => array.set(copy);
  }
  if (Array.isArray(value)) {
    return () => {
      kept ??= [...value];
      value.length = 0;
      value.push(...kept);
    };
  }
  return recordRestorer(value as Record<string, unknown>);
}

function recordRestorer(record: Record<string, unknown>): (() => void) | undefined {
  if (Object.isFrozen(record)) return () => {};
  const prototype = Object.getPrototypeOf(record);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  let kept: Record<string, unknown> | undefined;
  let views: (() => void)[] = [];
  return () => {
    if (kept === undefined) {
      kept = { ...record };
      views = Object.values(kept).filter(ArrayBuffer.isView).map((view) => restorer(view)!);
    }
    for (const key of Object.keys(record)) if (!Object.hasOwn(kept, key)) delete record[key];
    Object.assign(record, kept);
    for (const restore of views) restore();
  };
}

function timersOf(process: Process): Record<string, unknown> {
  const clear = (id: unknown) => process.clearTimer(id);
  return {
    setTimeout: (work: () => unknown, ms?: number) => process.setTimer(work, ms, false),
    setInterval: (work: () => unknown, ms?: number) => process.setTimer(work, ms, true),
    setImmediate: (work: () => unknown) => process.post(work, 5),
    clearTimeout: clear,
    clearInterval: clear,
  };
}

/** A look at the clock takes 0.04 ms, so that loops which watch it end. */
const LOOK_MS = 0.04;

function clockOf(process: Process): Record<string, unknown> {
  const read = (): number => {
    process.ahead += LOOK_MS;
    const now = process.kernel.now + process.ahead;
    process.history.mix(Math.round(now * 100));
    return now;
  };
  return {
    performance: { now: read, timeOrigin: 0 },
    Date: class extends Date {
      static override now() {
        const now = Math.floor(process.kernel.now + 1e-9);
        process.history.mix(now);
        return 1.7e12 + now;
      }
    },
  };
}

/** Buffers are taken again from run to run: making them is most of what a run costs. */
function sharedMemoryOf(process: Process): unknown {
  class SimSharedArrayBuffer {
    constructor(bytes: number, options?: { maxByteLength?: number }) {
      const most = options?.maxByteLength;
      return process.kernel.newBuffer(bytes, most);
    }

    static [Symbol.hasInstance](value: unknown) {
      return value instanceof RealSharedArrayBuffer;
    }
  }
  // Its objects are those of the real class: so are the methods.
  const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(
    RealSharedArrayBuffer.prototype,
  );
  Object.defineProperties(SimSharedArrayBuffer.prototype, members);
  return SimSharedArrayBuffer;
}

function simulationOf(process: Process): Simulation {
  return {
    id: process.id,
    log(name, value) {
      process.checkAlive();
      process.log = Math.imul(process.log ^ hashText(`${name}:${value}`), 0x9E3779B1) + 1 | 0;
      process.dirty = true;
      process.kernel.logEvent(process, name, value);
    },
    fail(message) {
      process.checkAlive();
      process.kernel.fail(message);
    },
    label(memory, name) {
      const buffer: SharedBuffer = ArrayBuffer.isView(memory)
        ? memory.buffer as SharedBuffer
        : memory;
      process.kernel.labels.set(buffer.$id!, name);
    },
    killed: () => process.kernel.killed,
    endsAnywhere: () => process.kernel.endsAnywhere,
    get(cell) {
      const value = process.kernel.cells.get(cell) ?? 0;
      process.history.mix(hashValue(value));
      return value;
    },
    set(cell, value) {
      process.checkAlive();
      process.kernel.cells.set(cell, value);
      process.dirty = true;
    },
    add(cell, n) {
      process.checkAlive();
      const value = (process.kernel.cells.get(cell) ?? 0) + n;
      process.kernel.cells.set(cell, value);
      process.history.mix(value);
      process.dirty = true;
      return value;
    },
    get objects() {
      return process.kernel.objects;
    },
    adopt(port) {
      (port as MessagePort).adopt(process);
    },
    start(id, ended) {
      process.checkAlive();
      process.kernel.start(id, () => process.post(ended, 21));
    },
    terminate(id) {
      process.checkAlive();
      process.kernel.condemn(id);
    },
  };
}
