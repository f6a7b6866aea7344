// The queues, locks, semaphores and pools of the main process, from the import of the monitor on. They are held
// weakly: a program that lets a queue go gets its memory back, after the monitor was told.

import { histogramsOf, nameOfPool, Pool } from "../pool/pool.ts";
import type { TaskLook } from "../pool/statistics.ts";
import { type Made, onMade } from "../wait/made.ts";
import { harmless } from "../wait/describe_wait.ts";
import type { ItemLook, PoolLook, ToldObject } from "./protocol.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeMap, ArrayPrototypePush, each, FinalizationRegistry, SafeMap, WeakRef } =
  primordials;

/** The most objects that the monitor is told of, and the most in one message. */
const MOST = 20_000, MOST_AT_ONCE = 500;
/** The most pools, workers and running items that are shown. */
const MOST_POOLS = 20, MOST_WORKERS = 128, MOST_RUNNING = 8;

/** In the order in which they were made. */
const objects = new SafeMap<number, WeakRef<Made>>(), pools = new SafeMap<number, WeakRef<Pool>>();
let last = 0;
/** Objects that are gone, of which a monitor has to be told. */
let gone: number[] = [], isHeard = false;

const collected = new FinalizationRegistry((id: number) => {
  pools.delete(id);
  if (objects.delete(id) && isHeard) ArrayPrototypePush(gone, id);
});

onMade((object) => {
  const id = ++last;
  if (object instanceof Pool) pools.set(id, new WeakRef(object));
  else objects.set(id, new WeakRef(object as Made));
  collected.register(object, id);
});

/** What one monitor has been told of. */
export class Told {
  /** All objects up to this one. */
  #upTo = 0;
  #count = 0;

  constructor() {
    isHeard = true;
    gone = [];
  }

  /** The objects that are new, as many as one message holds, and those that are gone. */
  next(): { made: ToldObject[]; gone: number[]; untold: number } {
    const made: ToldObject[] = [];
    if (this.#upTo === last) return { made, gone, untold: 0 };
    for (const { 0: id, 1: ref } of objects) {
      if (id <= this.#upTo) continue;
      if (made.length === MOST_AT_ONCE || this.#count + made.length >= MOST) break;
      const object = ref.deref();
      if (object === undefined) continue;
      const { kind, number, subjectName = "", content } = object;
      ArrayPrototypePush(made, { id, kind, number, name: harmless(subjectName), content });
    }
    return { made, gone, untold: objects.size - this.#count - made.length };
  }

  /** Notes that the monitor has got what next() returned. */
  got({ made, gone: told }: { made: ToldObject[]; gone: number[] }): void {
    if (made.length > 0) this.#upTo = made[made.length - 1].id;
    this.#count += made.length - told.length;
    gone = [];
  }

  /** No monitor is to be told any more. */
  end(): void {
    isHeard = false;
    gone = [];
  }
}

/** How the pools are. */
export function lookAtPools(): PoolLook[] {
  const looks: PoolLook[] = [];
  for (const ref of pools.values()) {
    const pool = ref.deref();
    if (pool === undefined || looks.length === MOST_POOLS) continue;
    const statistics = pool.statistics(), { completed, failed, waiting, restarts } = statistics;
    const { utilization, uptimeMs, waitingMs, runningMs, slowest } = statistics;
    const workers: PoolLook["workers"] = [];
    for (const { name, state, done, load, running } of each(statistics.workers)) {
      if (workers.length === MOST_WORKERS) break;
      if (running.length > MOST_RUNNING) running.length = MOST_RUNNING;
      const items = ArrayPrototypeMap(running, withoutItem);
      ArrayPrototypePush(workers, { name: harmless(name), state, done, load, running: items });
    }
    ArrayPrototypePush(looks, {
      name: harmless(nameOfPool(pool)),
      closed: pool.closed,
      ...{ completed, failed, waiting, restarts, utilization, uptimeMs, waitingMs, runningMs },
      histograms: histogramsOf(pool),
      workers,
      slowest: ArrayPrototypeMap(slowest, withoutItem),
    });
  }
  return looks;
}

/** What an item is stays in the process. */
function withoutItem({ task, index, ms }: TaskLook): ItemLook {
  return { task: harmless(task), index, ms };
}
