// The options of a pool and of its calls, and their checks: bad options are refused at the call.

import { checkFunction, checkName, checkNames, checkOption, option } from "../validate/options.ts";
import { checkCount, checkLimit, checkMilliseconds, checkNumber } from "../validate/numbers.ts";
import { signalOf } from "../wait/options.ts";
import type { ProcessOptions } from "../process/options.ts";
import * as primordials from "../platform/primordials.ts";

const { Array, Number, RangeError, TypeError } = primordials;

/**
 * The progress of a call over many items, as `onProgress` gets it.
 *
 * @example
 * ```ts
 * import { Pool, type Progress } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * let last: Progress | undefined;
 * const onProgress = (progress: Progress) => void (last = progress);
 * await pool.map((n: number) => n * n, [1, 2, 3], { onProgress });
 * console.log(last?.done, last?.total); // 3 3
 * ```
 */
export interface Progress {
  /** Items that have an outcome, failed ones among them. */
  done: number;
  /** Items that have failed. */
  failed: number;
  /** All items, where that is known: of an array, a Set or a Map. */
  total: number | undefined;
  /** Items a second, over the last seconds. */
  rate: number;
  /** Milliseconds until the end at that rate, where `total` is known. */
  eta: number | undefined;
}

/**
 * The options of a new {@linkcode Pool}.
 *
 * @example
 * ```ts
 * import { Pool, type PoolOptions } from "@multiproc/multiprocessing";
 *
 * const options: PoolOptions = { processes: 1, name: "squares" };
 * await using pool = new Pool(options);
 * console.log(await pool.apply((n: number) => n * n, [7])); // 49
 * ```
 */
export interface PoolOptions<S = unknown, I extends unknown[] = unknown[]> {
  /** The most workers. Default: `cpuCount()`. */
  processes?: number;
  /** Workers that are started at once and kept. Default: `processes`. */
  minProcesses?: number;
  /**
   * Loaded workers beyond those, which step in for recycled and killed ones. Default: 0; with `permissions` 1.
   */
  spares?: number;
  /** Milliseconds after which a worker above `minProcesses` that has nothing to do ends. Default: 10,000. */
  idleTimeout?: number;
  /** Called once in each worker before its first task; `workerState()` returns its result to tasks. */
  initializer?: (...args: I) => S | PromiseLike<S>;
  /** The arguments of `initializer`. */
  initargs?: I;
  /** Called with the initializer's value when a worker ends in good order. */
  finalizer?: (state: Awaited<S>) => unknown;
  /** A worker is replaced after so many items. Default: Infinity. Python's `maxtasksperchild`. */
  maxTasksPerChild?: number;
  /** A worker is replaced after an item that left a larger heap than this, in MB. */
  recycleAboveMb?: number;
  /** Items that a worker runs at once: more than the default of 1 for tasks that mostly wait. */
  tasksPerProcess?: number;
  /** The most items that wait for a worker. Then `apply` and `map` wait, and `submit` throws. Default: Infinity. */
  maxQueueSize?: number;
  /** The default of its tasks: see {@linkcode TaskOptions}. */
  timeLimit?: number;
  /** The default of its tasks: see {@linkcode TaskOptions}. */
  retries?: number;
  /** The default of its tasks: see {@linkcode TaskOptions}. */
  priority?: number;
  /** The permissions of the workers: as of a {@linkcode Process}. */
  permissions?: ProcessOptions["permissions"];
  /** The most heap of each worker, in MB: as of a {@linkcode Process}. */
  memoryLimitMb?: number;
  /** The module that exports the functions of its tasks, where that isn't found by itself. */
  module?: string | URL;
  /** How functions travel: as of a {@linkcode Process}. */
  by?: "reference" | "source";
  /** The name of the pool; its workers are called after it. Default: "Pool-1". */
  name?: string;
  /** Ends the pool, as `terminate()`, when aborted. */
  signal?: AbortSignal;
}

/**
 * How a task is run.
 *
 * @example
 * ```ts
 * import { Pool, type TaskOptions } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * const options: TaskOptions = { timeout: 10_000, name: "square" };
 * console.log(await pool.apply((n: number) => n * n, [7], options)); // 49
 * ```
 */
export interface TaskOptions {
  /** Milliseconds for all of it, waiting included. Then the task is ended, and fails with a TimeoutError. */
  timeout?: number;
  /** Ends the task when aborted, wherever it is. */
  signal?: AbortSignal;
  /** Milliseconds that an item may run, from its own start. Then its worker is killed. */
  timeLimit?: number;
  /** How often an item is run anew when its worker has died; not when it threw. Default: 0. */
  retries?: number;
  /** Larger ones go first; equal ones in order. Default: 0. */
  priority?: number;
  /** Objects that are moved to the worker instead of copied. Such a task is not run anew. */
  transfer?: Transferable[];
  /** The name of the task in errors and statistics. Default: the name of the function. */
  name?: string;
  /** Called with each value that the task sends by `currentTask().send()`. */
  // deno-lint-ignore no-explicit-any
  onMessage?: (value: any) => void;
}

/**
 * How the items of a map are run.
 *
 * @example
 * ```ts
 * import { type MapOptions, Pool } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 2 });
 * const options: MapOptions = { chunkSize: 2, timeLimit: 10_000 };
 * console.log(await pool.map((n: number) => n * n, [1, 2, 3], options)); // [ 1, 4, 9 ]
 * ```
 */
export interface MapOptions extends TaskOptions {
  /** Items that go to a worker at once; "auto", the default, measures. Python's `chunksize`. */
  chunkSize?: number | "auto";
  /** Items that are read ahead of the results taken so far. Default: as many as keep all workers busy. */
  bufferSize?: number;
  /** Puts a TaskError in the place of an item that failed, and goes on. Default: false. */
  returnExceptions?: boolean;
  /** Called at most ten times a second, and at the end; true draws a line on a terminal. */
  onProgress?: ((progress: Progress) => void) | true;
}

/** The names of the options of each. */
const OF_POOLS = [
  ...["processes", "minProcesses", "spares", "idleTimeout", "initializer", "initargs", "finalizer"],
  ...[
    "maxTasksPerChild",
    "recycleAboveMb",
    "tasksPerProcess",
    "maxQueueSize",
    "timeLimit",
    "retries",
  ],
  ...["priority", "permissions", "memoryLimitMb", "module", "by", "name", "signal"],
];
const OF_TASKS = [
  ...["timeout", "signal", "timeLimit", "retries", "priority", "transfer", "name", "onMessage"],
];
const OF_MAPS = [...OF_TASKS, "chunkSize", "bufferSize", "returnExceptions", "onProgress"];

/** A pool's options, checked, with the defaults in place. */
export interface CheckedPool {
  processes: number;
  minProcesses: number;
  /** Whether minProcesses was left out: then it is as large as `processes`, whatever resize() makes of that. */
  isFixed: boolean;
  spares: number;
  idleTimeout: number;
  maxTasksPerChild: number;
  recycleAboveMb: number | undefined;
  tasksPerProcess: number;
  maxQueueSize: number;
  timeLimit: number | undefined;
  retries: number;
  priority: number;
  /** The options of tasks that are given none, once they are needed. */
  ofTasks?: CheckedTask;
}

/** A task's options, checked. */
export interface CheckedTask {
  timeout: number;
  signal: AbortSignal | undefined;
  timeLimit: number | undefined;
  retries: number;
  priority: number;
  transfer: readonly object[];
  name: string | undefined;
  onMessage: ((value: unknown) => void) | undefined;
}

/** A map's options, checked. */
export interface CheckedMap extends CheckedTask {
  chunkSize: number | "auto";
  bufferSize: number | undefined;
  returnExceptions: boolean;
  onProgress: ((progress: Progress) => void) | true | undefined;
}

/** Checks a limit; undefined and Infinity mean none. */
function checkPoolLimit(what: string, value: unknown, unit: string): number | undefined {
  const limit = checkLimit(what, value, unit);
  return limit === Infinity ? undefined : limit;
}

function checkPriority(value: unknown): number {
  const isNumber = (n: number) => !Number.isNaN(n);
  return checkNumber("priority", value, isNumber, "Give a number; larger ones go first.");
}

/** An option, or its default if it is undefined; null counts as given. */
function given<T>(option: T | undefined, fallback: T): T {
  return option === undefined ? fallback : option;
}

/** Checks that options of a pool have known names only. */
export function namedPoolOptions<O extends object>(options: O): O {
  return checkNames(options, OF_POOLS, "new Pool({ processes: 4 })");
}

/** Checks the options of a pool, and fills in the defaults. */
export function checkPool(options: PoolOptions<never, never[]>, cores: number): CheckedPool {
  const { processes = cores, permissions } = options;
  checkCount("processes", processes, 1);
  const minProcesses = checkCount("minProcesses", given(options.minProcesses, processes), 0);
  if (minProcesses > processes) {
    throw new RangeError(
      `minProcesses is ${minProcesses}, more than processes, ${processes}. Give at most that.`,
    );
  }
  const isConfined = permissions !== undefined && permissions !== "inherit";
  checkFunction("initializer", options.initializer);
  checkFunction("finalizer", options.finalizer);
  const { initargs = [] } = options;
  checkOption(
    "initargs",
    initargs,
    Array.isArray(initargs),
    "an array of the initializer's arguments",
  );
  if (options.initargs !== undefined && options.initializer === undefined) {
    throw new TypeError("initargs was given without an initializer. Give both, or neither.");
  }
  const { name } = options;
  if (name !== undefined) checkName(name);
  signalOf({ signal: options.signal });
  return {
    processes,
    minProcesses,
    isFixed: options.minProcesses === undefined,
    spares: checkCount("spares", given(options.spares, isConfined ? 1 : 0), 0),
    idleTimeout: checkMilliseconds("idleTimeout", given(options.idleTimeout, 10_000)),
    maxTasksPerChild: checkCount(
      "maxTasksPerChild",
      given(options.maxTasksPerChild, Infinity),
      1,
      true,
    ),
    recycleAboveMb: checkPoolLimit("recycleAboveMb", options.recycleAboveMb, "MB"),
    tasksPerProcess: checkCount("tasksPerProcess", given(options.tasksPerProcess, 1), 1),
    maxQueueSize: checkCount("maxQueueSize", given(options.maxQueueSize, Infinity), 1, true),
    timeLimit: checkPoolLimit("timeLimit", options.timeLimit, "milliseconds"),
    retries: checkCount("retries", given(options.retries, 0), 0, true),
    priority: checkPriority(given(options.priority, 0)),
  };
}

/** Checks the options of a task; the pool's are the defaults. */
export function checkTask(
  options: TaskOptions | undefined,
  pool: CheckedPool,
  names: readonly string[] = OF_TASKS,
  example = "{ timeout: 1000, priority: 1 }",
): CheckedTask {
  if (options === undefined) return pool.ofTasks ??= { ...NOTHING, ...defaultsOf(pool) };
  options = checkNames(options, names, example);
  const { timeout, transfer = [], name, onMessage } = options;
  checkOption("transfer", transfer, Array.isArray(transfer), "an array of what is to be moved");
  if (name !== undefined) checkName(name);
  checkFunction("onMessage", onMessage);
  return {
    timeout: timeout === undefined ? Infinity : checkMilliseconds("timeout", timeout),
    signal: signalOf({ signal: options.signal }),
    timeLimit: options.timeLimit === undefined
      ? pool.timeLimit
      : checkPoolLimit("timeLimit", options.timeLimit, "milliseconds"),
    retries: checkCount("retries", given(options.retries, pool.retries), 0, true),
    priority: checkPriority(given(options.priority, pool.priority)),
    transfer,
    name,
    onMessage,
  };
}

const NOTHING = {
  timeout: Infinity,
  signal: undefined,
  transfer: [],
  name: undefined,
  onMessage: undefined,
};

function defaultsOf({ timeLimit, retries, priority }: CheckedPool) {
  return { timeLimit, retries, priority };
}

/** Checks the options of a map. */
export function checkMap(options: MapOptions | undefined, pool: CheckedPool): CheckedMap {
  const task = checkTask(options, pool, OF_MAPS, "{ chunkSize: 100 }");
  const chunkSize = given(option(options, "chunkSize"), "auto"),
    bufferSize = option(options, "bufferSize"),
    returnExceptions = given(option(options, "returnExceptions"), false),
    onProgress = option(options, "onProgress");
  if (chunkSize !== "auto") checkCount("chunkSize", chunkSize, 1);
  if (bufferSize !== undefined) checkCount("bufferSize", bufferSize, 1, true);
  const isBoolean = typeof returnExceptions === "boolean";
  checkOption("returnExceptions", returnExceptions, isBoolean, "true or false");
  if (onProgress !== true) checkFunction("onProgress", onProgress);
  return { ...task, chunkSize, bufferSize, returnExceptions, onProgress };
}
