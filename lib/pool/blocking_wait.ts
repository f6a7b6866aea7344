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

/** Blocks the thread, at most until `end` by performance.now(), and receives the messages of the workers meanwhile. */
export function blockUntil(
  scheduler: Scheduler,
  isDone: () => boolean,
  end: number,
  onTimeout: () => void,
): void {
  while (!isDone()) {
    const left = end - performance.now();
    if (left <= 0) onTimeout();
    // While the thread is blocked, no timer checks the limits.
    const next = Math.min(left, checkLimits(scheduler));
    if (isDone()) return;
    const workers = workersToHear(scheduler);
    const eventcounts = ArrayPrototypeMap(workers, ({ receiving }) => receiving.eventcount);
    const operation: Operation<unknown> = {
      eventcount: eventcounts[0],
      others: eventcounts.length === 1 ? undefined : ArrayPrototypeSlice(eventcounts, 1),
      attempt: () => {
        for (const worker of each(workers)) worker.hearSync();
        scheduler.balance();
        const now = workersToHear(scheduler);
        const isOther = ArrayPrototypeSome(workers, (worker, i) => worker !== now[i]);
        const isSooner = checkLimits(scheduler) < next;
        return isDone() || isOther || isSooner || workers.length !== now.length || WAIT;
      },
      onTimeout: () => {},
    };
    blocking(operation, next === Infinity ? undefined : { timeout: Math.max(next, 0) });
  }
}

/** The workers that a message may come from: if nothing waits for a worker, those that have work. */
function workersToHear(scheduler: Scheduler): readonly Worker[] {
  const { workers } = scheduler;
  if (scheduler.waiting > 0) return workers;
  const busy = ArrayPrototypeFilter(workers, ({ load }) => load > 0);
  return busy.length > 0 ? busy : workers;
}

/** Ends the units that have reached their time limits; returns the time until the next limit, in ms. */
function checkLimits(scheduler: Scheduler): number {
  let next = Infinity;
  for (const worker of each(scheduler.workers)) next = Math.min(next, worker.checkLimits());
  return next;
}
