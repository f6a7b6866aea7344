// A wait for a pool that blocks the thread.

import { WAIT } from "../wait/eventcount.ts";
import { blocking, type Operation } from "../wait/operation.ts";
import type { Scheduler } from "./scheduler.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeMap, ArrayPrototypeSlice, ArrayPrototypeSome, each, Math, performance } =
  primordials;

/** Blocks the thread, and receives the messages of the workers meanwhile. */
export function blockUntil(
  scheduler: Scheduler,
  isDone: () => boolean,
  timeout: number,
  onTimeout: () => never,
): void {
  const end = performance.now() + timeout;
  while (!isDone()) {
    const workers = scheduler.workers;
    const eventcounts = ArrayPrototypeMap(workers, ({ receiving }) => receiving.eventcount);
    const operation: Operation<boolean> = {
      eventcount: eventcounts[0],
      others: ArrayPrototypeSlice(eventcounts, 1),
      attempt: () => {
        for (const worker of each(workers)) worker.hearSync();
        const now = scheduler.workers;
        const isOther = ArrayPrototypeSome(workers, (worker, i) => worker !== now[i]);
        return isDone() || isOther || workers.length !== now.length || WAIT;
      },
      onTimeout,
    };
    const left = end - performance.now();
    blocking(operation, left === Infinity ? undefined : { timeout: Math.max(left, 0) });
  }
}
