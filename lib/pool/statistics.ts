// What a pool can tell of itself: counts, how long things take, what runs now, and what took longest.

import { describeItem } from "./errors.ts";
import { Histogram, type Percentiles } from "./histogram.ts";
import type { Unit } from "./unit.ts";
import type { Worker, WorkerState } from "./worker.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeMap, ArrayPrototypePush, ArrayPrototypeSort, each, Math, performance } =
  primordials;

/**
 * A task that runs, or has run.
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
  /** Its name, or that of its function. */
  task: string;
  /** Which item of a map it is. */
  index: number;
  /** The item, or the arguments, in at most 200 characters. */
  item: string;
  /** How long it has been running, or ran, in ms. */
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
  /** Its name. */
  name: string;
  /** "loading", "ready", "leaving" (finishes what it has), "stopped" or "ended". */
  state: WorkerState;
  /** Items of its that have an outcome. */
  done: number;
  /** Units it has in hand. */
  load: number;
  /** What runs in it now. */
  running: TaskLook[];
}

/**
 * A look at a {@linkcode Pool}: what {@linkcode Pool.statistics} answers. Times are in ms.
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
  /** From a call to its being sent to a worker. */
  waitingMs: Percentiles;
  /** From then, or from the end of the item before, to the outcome of an item. */
  runningMs: Percentiles;
  /** The part of the workers' time in which they had something to do, from 0 to 1. */
  utilization: number;
  /** Since the pool was made. */
  uptimeMs: number;
  /** What each worker does. */
  workers: WorkerLook[];
  /** The five items that took longest. */
  slowest: TaskLook[];
}

/** How many of the slowest are kept. */
const SLOWEST = 5;

/** Keeps account of a pool. */
export class PoolAccount {
  readonly #began = performance.now();
  readonly #waited = new Histogram();
  readonly #ran = new Histogram();
  #completed = 0;
  #failed = 0;
  #busyMs = 0;
  /** In words: what the items were is let go of. */
  readonly #slowest: TaskLook[] = [];

  /** A unit was sent to a worker. */
  dispatched(unit: Unit): void {
    this.#waited.add(performance.now() - unit.since);
  }

  /** An item has an outcome. */
  finished(unit: Unit, item: number, ms: number, hasFailed: boolean): void {
    if (hasFailed) this.#failed++;
    else this.#completed++;
    this.#ran.add(ms);
    this.#busyMs += ms;
    if (this.#slowest.length === SLOWEST && ms <= this.#slowest[SLOWEST - 1].ms) return;
    ArrayPrototypePush(this.#slowest, lookAt({ unit, item, ms }));
    ArrayPrototypeSort(this.#slowest, (a, b) => b.ms - a.ms);
    if (this.#slowest.length > SLOWEST) this.#slowest.length = SLOWEST;
  }

  /** What workers do. */
  workersOf(workers: readonly Worker[]): WorkerLook[] {
    return ArrayPrototypeMap(workers, ({ name, state, done, load, running }) => {
      return { name, state, done, load, running: ArrayPrototypeMap(running, lookAt) };
    });
  }

  /** All of it. */
  statistics(workers: readonly Worker[], waiting: number, restarts: number): PoolStatistics {
    const now = performance.now();
    let lived = 0;
    for (const { startedAt } of each(workers)) lived += now - startedAt;
    return {
      completed: this.#completed,
      failed: this.#failed,
      ...{ waiting, restarts },
      waitingMs: this.#waited.percentiles,
      runningMs: this.#ran.percentiles,
      utilization: lived === 0 ? 0 : Math.min(1, this.#busyMs / lived),
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
