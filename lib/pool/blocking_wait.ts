// A wait for a pool that blocks the thread.

import { WAIT } from "../wait/eventcount.ts";
import { blocking, type Operation } from "../wait/operation.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Worker } from "./worker.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypeMap,
  ArrayPrototypeSlice,
  ArrayPrototypeSome,
  each,
  Math,
  performance,
} = primordials;

/** Blocks the thread, and receives the messages of the workers meanwhile. */
export function blockUntil(
  scheduler: Scheduler,
  isDone: () => boolean,
  timeout: number,
  onTimeout: () => never,
): void {
  const end = performance.now() + timeout;
  while (!isDone()) {
    const workers = workersToHear(scheduler);
    const eventcounts = ArrayPrototypeMap(workers, ({ receiving }) => receiving.eventcount);
    const operation: Operation<boolean> = {
      eventcount: eventcounts[0],
      others: eventcounts.length === 1 ? undefined : ArrayPrototypeSlice(eventcounts, 1),
      attempt: () => {
        for (const worker of each(workers)) worker.hearSync();
        const now = workersToHear(scheduler);
        const isOther = ArrayPrototypeSome(workers, (worker, i) => worker !== now[i]);
        return isDone() || isOther || workers.length !== now.length || WAIT;
      },
      onTimeout,
    };
    const left = end - performance.now();
    blocking(operation, left === Infinity ? undefined : { timeout: Math.max(left, 0) });
  }
}

/** The workers that a message may come from: if nothing waits for a worker, those that have work. */
function workersToHear(scheduler: Scheduler): readonly Worker[] {
  const { workers } = scheduler;
  if (scheduler.waiting > 0) return workers;
  const busy = ArrayPrototypeFilter(workers, ({ load }) => load > 0);
  return busy.length > 0 ? busy : workers;
}
