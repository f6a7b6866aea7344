// The statistics of a pool: counts, durations, the running tasks, and the slowest ones.

import { describeItem } from "./errors.ts";
import { Histogram, type Percentiles } from "./histogram.ts";
import type { Unit } from "./unit.ts";
import type { Worker, WorkerState } from "./worker.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSort, each, Math, performance } =
  primordials;

/**
 * A task that runs or has run.
 *
 * @example
 * ```ts
 * import { Pool, type TaskLook } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * await pool.apply((n: number) => n * n, [7]);
 * const slowest: TaskLook[] = pool.statistics().slowest;
 * console.log(slowest.length, slowest[0].ms >= 0); // 1 true
 * ```
 */
export interface TaskLook {
  /** The name of the task, or that of its function. */
  task: string;
  /** The index of the item in its map. */
  index: number;
  /** The item, or the arguments, in at most 200 characters. */
  item: string;
  /** How long the item has been running, or ran, in ms. */
  ms: number;
}

/**
 * What one worker does.
 *
 * @example
 * ```ts
 * import { Pool, type WorkerLook } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * await pool.apply((n: number) => n * n, [7]);
 * const workers: WorkerLook[] = pool.statistics().workers;
 * console.log(workers.length, workers[0].done); // 1 1
 * ```
 */
export interface WorkerLook {
  /** The name of the worker. */
  name: string;
  /** "loading", "ready", "leaving" (finishes its units), "stopped" or "ended". */
  state: WorkerState;
  /** The number of its items that have an outcome. */
  done: number;
  /** The number of its units that have no outcome yet. */
  load: number;
  /** The tasks that run in it now. */
  running: TaskLook[];
}

/**
 * A snapshot of a {@linkcode Pool}, as {@linkcode Pool.statistics} returns it. Times are in ms.
 *
 * @example
 * ```ts
 * import { Pool, type PoolStatistics } from "@multiproc/multiprocessing";
 *
 * export const square = (n: number) => n * n;
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 1 });
 *   await pool.map(square, [1, 2, 3]);
 *   const { completed, failed }: PoolStatistics = pool.statistics();
 *   console.log(completed, failed); // 3 0
 * }
 * ```
 */
export interface PoolStatistics {
  /** Items that have returned. */
  completed: number;
  /** Items that have failed. */
  failed: number;
  /** Calls, and chunks of calls, that wait for a worker. */
  waiting: number;
  /** Workers that were started in the place of others. */
  restarts: number;
  /** Times from a call until it is sent to a worker. */
  waitingMs: Percentiles;
  /** Times from then, or from the end of the item before, until an item has its outcome. */
  runningMs: Percentiles;
  /** The part of the workers' time in which they had something to do, from 0 to 1. */
  utilization: number;
  /** The time since the pool was made. */
  uptimeMs: number;
  /** What each worker does. */
  workers: WorkerLook[];
  /** The five items that took longest. */
  slowest: TaskLook[];
}

/** The number of slowest items that are kept. */
const SLOWEST = 5;

/** The histograms of a pool. */
export interface Histograms {
  waiting: Histogram["buckets"];
  running: Histogram["buckets"];
}

/** Counts and measures the items of a pool. */
export class PoolAccount {
  readonly #began = performance.now();
  readonly #waited = new Histogram();
  readonly #ran = new Histogram();
  #completed = 0;
  #failed = 0;
  /** The times of the workers that have ended, and of those the times in which they had something to do, in ms. */
  #livedMs = 0;
  #busyMs = 0;
  /** Items as text, so that the items themselves can be freed. */
  readonly #slowest: TaskLook[] = [];

  /** A unit was sent to a worker, at that time by performance.now(). */
  dispatched(unit: Unit, now: number): void {
    this.#waited.add(now - unit.since);
  }

  /** So many items, from this one on, have an outcome; each has taken so long. */
  finished(unit: Unit, item: number, count: number, ms: number, hasFailed: boolean): void {
    if (hasFailed) this.#failed += count;
    else this.#completed += count;
    this.#ran.add(ms, count);
    if (this.#slowest.length === SLOWEST && ms <= this.#slowest[SLOWEST - 1].ms) return;
    ArrayPrototypePush(this.#slowest, lookAt({ unit, item, ms }));
    ArrayPrototypeSort(this.#slowest, (a, b) => b.ms - a.ms);
    if (this.#slowest.length > SLOWEST) this.#slowest.length = SLOWEST;
  }

  /** How many of its items waited, and ran, how long: see Histogram.buckets. */
  get histograms(): Histograms {
    return { waiting: this.#waited.buckets, running: this.#ran.buckets };
  }

  /** A worker has ended. */
  workerEnded({ startedAt, busyMs }: Worker): void {
    this.#livedMs += performance.now() - startedAt;
    this.#busyMs += busyMs;
  }

  /** What each worker does. */
  workersOf(workers: readonly Worker[]): WorkerLook[] {
    return ArrayPrototypeMap(workers, ({ name, state, done, load, running }) => {
      return { name, state, done, load, running: ArrayPrototypeMap(running, lookAt) };
    });
  }

  /** The snapshot that Pool.statistics() returns. */
  statistics(workers: readonly Worker[], waiting: number, restarts: number): PoolStatistics {
    const now = performance.now();
    let lived = this.#livedMs, busy = this.#busyMs;
    for (const { startedAt, busyMs } of each(workers)) {
      lived += now - startedAt;
      busy += busyMs;
    }
    return {
      completed: this.#completed,
      failed: this.#failed,
      ...{ waiting, restarts },
      waitingMs: this.#waited.percentiles,
      runningMs: this.#ran.percentiles,
      utilization: lived === 0 ? 0 : Math.min(1, busy / lived),
      uptimeMs: now - this.#began,
      workers: this.workersOf(workers),
      slowest: ArrayPrototypeMap(this.#slowest, (look) => ({ ...look })),
    };
  }
}

function lookAt({ unit, item, ms }: { unit: Unit; item: number; ms: number }): TaskLook {
  return {
    task: unit.options.name ?? unit.call.name,
    index: unit.first + item,
    item: describeItem(unit.items[item]),
    ms,
  };
}
