// The workers of a pool, and how many there are: they are started as the sizes and the demand ask, and end when they have
// been idle for too long.

import type { Worker } from "./worker.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  ArrayPrototypeSort,
  clearTimeout,
  Deno,
  each,
  Math,
  performance,
  setTimeout,
} = primordials;

/** The number of workers of a pool, and the conditions for their replacement. */
export interface Sizes {
  processes: number;
  minProcesses: number;
  /** Whether all processes are kept, however many there are. */
  isFixed: boolean;
  spares: number;
  /** In ms, of a worker without work. */
  idleTimeout: number;
  /** In items. */
  maxTasksPerChild: number;
  /** The number of units that a worker runs at once. */
  concurrency: number;
}

/** The set of workers. */
export class WorkerSet {
  readonly #sizes: Sizes;
  readonly #make: () => Worker;
  readonly #started: (worker: Worker) => void;
  /** The end of a worker makes a new list; a started worker is added to the list there is. */
  list: Worker[] = [];
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #isWatching = true;
  /** The minProcesses of the program; Infinity for as many as there are processes. */
  readonly #least: number;

  /** @param started called when the set has a new worker */
  constructor(sizes: Sizes, make: () => Worker, started: (worker: Worker) => void) {
    this.#sizes = sizes;
    this.#least = sizes.isFixed ? Infinity : sizes.minProcesses;
    this.#make = make;
    this.#started = started;
  }

  /** The workers that accept units, now or once they have loaded. */
  get alive(): Worker[] {
    return ArrayPrototypeFilter(this.list, ({ state }) => {
      return state === "ready" || state === "loading";
    });
  }

  get #readyOnes(): number {
    let count = 0;
    for (const { state } of each(this.list)) if (state === "ready") count++;
    return count;
  }

  /** Whether as many workers have loaded as there should be. */
  get isReady(): boolean {
    return this.#readyOnes >= Math.min(this.#sizes.minProcesses, this.#sizes.processes);
  }

  /** Whether as many workers have loaded as may work at once: what is missing are spares. */
  get isAtStrength(): boolean {
    return this.#readyOnes >= this.#sizes.processes;
  }

  get #capacity(): number {
    const { list } = this;
    let capacity = 0;
    for (let i = 0; i < list.length; i++) {
      const { state } = list[i];
      if (state === "ready" || state === "loading") capacity++;
    }
    return capacity;
  }

  /** Starts workers until there are as many as the sizes, and the units that wait, ask for. */
  startMissing(waiting: number): void {
    const { processes, minProcesses, spares } = this.#sizes;
    const wanted = Math.min(processes, Math.max(minProcesses, this.#demand(waiting))) + spares;
    for (let capacity = this.#capacity; capacity < wanted; capacity++) this.start();
  }

  /** The number of workers that could have something to do. */
  #demand(waiting: number): number {
    let busy = 0;
    for (const worker of each(this.list)) {
      if (worker.load > 0 && worker.state === "ready") busy++;
    }
    return busy + waiting;
  }

  /** Starts a worker. */
  start(): Worker {
    const worker = this.#make();
    ArrayPrototypePush(this.list, worker);
    this.#started(worker);
    return worker;
  }

  /** Takes out a worker that has ended. */
  remove(worker: Worker): void {
    this.list = ArrayPrototypeFilter(this.list, (other) => other !== worker);
  }

  /** Changes the number of workers; returns the surplus ones, those with the fewest units first. */
  resize(processes: number): Worker[] {
    this.#sizes.processes = processes;
    this.#sizes.minProcesses = Math.min(this.#least, processes);
    const alive = ArrayPrototypeSort(this.alive, (a, b) => a.load - b.load);
    const surplus = alive.length - (processes + this.#sizes.spares);
    return ArrayPrototypeSlice(alive, 0, Math.max(surplus, 0));
  }

  /** Ends workers that have had no work for too long, now and later. */
  watchIdle(): void {
    const { minProcesses, idleTimeout, spares } = this.#sizes;
    // The timer, once set, looks anew at what is idle then: a busy pool would set one for each task.
    if (this.#idleTimer !== undefined || !this.#isWatching || idleTimeout === Infinity) return;
    let extra = this.#capacity - minProcesses - spares, next = Infinity;
    if (extra <= 0) return;
    const now = performance.now();
    for (const worker of each(this.list)) {
      if (worker.load > 0 || worker.state !== "ready") continue;
      const left = worker.idleSince + idleTimeout - now;
      if (left > 0) next = Math.min(next, left);
      else if (extra > 0) {
        extra--;
        worker.retire();
      }
    }
    if (extra <= 0 || next === Infinity) return;
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined;
      this.watchIdle();
    }, Math.min(Math.ceil(next), 2 ** 31 - 1));
    Deno.unrefTimer(this.#idleTimer as unknown as number);
  }

  /** From now on, idle workers go on. */
  stopWatching(): void {
    this.#isWatching = false;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
  }
}
