// The options of a pool in a server and of its calls, and their checks.

import {
  checkCount,
  type CheckedPool,
  checkLimit,
  checkName,
  checkNames,
  checkOption,
  option,
} from "../core.ts";
import type { MapOptions, TaskOptions } from "../../pool/options.ts";

/**
 * Options of {@linkcode Hub.pool}.
 *
 * @example
 * ```ts ignore
 * import { connect, type RemotePoolOptions } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const options: RemotePoolOptions = { retries: 1, timeLimit: 10_000 };
 * const pool = hub.pool("an example with options", options);
 * console.log(pool.name); // an example with options
 * await pool.delete();
 * ```
 */
export interface RemotePoolOptions {
  /**
   * How often a task is run anew when its worker has died; not when it threw. After that it fails, and is among the
   * pool's `dead` letters. Default: 3; Infinity for no limit.
   */
  retries?: number;
  /** Milliseconds that an item may run, from its own start. Default: no limit. */
  timeLimit?: number;
  /**
   * The most calls of this program that wait for a worker. Then `apply` and `map` wait, and `submit` throws.
   * Default: Infinity.
   */
  maxQueueSize?: number;
  /** The module that exports the functions of its tasks, where that isn't found by itself. */
  module?: string | URL;
}

/**
 * How a task of a {@linkcode RemotePool} is run: the options of tasks of a `Pool`, without `priority` (tasks go in
 * their order) and `transfer` (all is copied).
 *
 * @example
 * ```ts ignore
 * import { connect, type RemoteTaskOptions } from "@multiproc/multiprocessing/redis";
 * import { resize } from "./tasks.ts";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const options: RemoteTaskOptions = { timeLimit: 60_000, retries: 0 };
 * await hub.pool("thumbnails").apply(resize, ["a.jpg"], options);
 * ```
 */
export type RemoteTaskOptions = Omit<TaskOptions, "priority" | "transfer">;

/**
 * How the items of a map of a {@linkcode RemotePool} are run.
 *
 * @example
 * ```ts ignore
 * import { connect, type RemoteMapOptions } from "@multiproc/multiprocessing/redis";
 * import { resize } from "./tasks.ts";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const options: RemoteMapOptions = { chunkSize: 1, returnExceptions: true };
 * await hub.pool("thumbnails").map(resize, ["a.jpg", "b.jpg"], options);
 * ```
 */
export type RemoteMapOptions = Omit<MapOptions, "priority" | "transfer">;

const OF_POOLS = ["retries", "timeLimit", "maxQueueSize", "module"];
const OF_TASKS = ["timeout", "signal", "timeLimit", "retries", "name", "onMessage"];
const OF_MAPS = [...OF_TASKS, "chunkSize", "bufferSize", "returnExceptions", "onProgress"];

/** How often a task is run anew by default. */
const RETRIES = 3;

/** Checks the options of a pool, and fills in the defaults. */
export function checkRemotePool(options: RemotePoolOptions = {}): CheckedPool {
  checkNames(options, OF_POOLS, 'hub.pool("name", { retries: 3 })');
  const timeLimit = checkLimit("timeLimit", option(options, "timeLimit"), "milliseconds");
  const module = option(options, "module");
  const isUrl = module === undefined || URL.canParse(`${module}`);
  checkOption("module", module, isUrl, 'a URL: import.meta.resolve("./tasks.ts")');
  return {
    ...{ processes: 1, minProcesses: 0, isFixed: true, spares: 0, idleTimeout: Infinity },
    ...{ maxTasksPerChild: Infinity, recycleAboveMb: undefined, tasksPerProcess: 1 },
    maxQueueSize: checkCount("maxQueueSize", option(options, "maxQueueSize") ?? Infinity, 1, true),
    timeLimit: timeLimit === Infinity ? undefined : timeLimit,
    retries: checkCount("retries", option(options, "retries") ?? RETRIES, 0, true),
    priority: 0,
  };
}

/** Checks that the options of a task have known names. */
export function namedTask<O extends RemoteTaskOptions>(options: O | undefined): O | undefined {
  return options && checkNames(options, OF_TASKS, "{ timeout: 1000 }");
}

/** Checks that the options of a map have known names. */
export function namedMap<O extends RemoteMapOptions>(options: O | undefined): O | undefined {
  return options && checkNames(options, OF_MAPS, "{ chunkSize: 100 }");
}

/** Checks the name of a task that is called by its name. */
export { checkName };
