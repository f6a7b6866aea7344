// Units that no worker runs: the client of each is told that its items have failed.

import type { Unit } from "./unit.ts";
import type { Worker } from "./worker.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeSplice, each } = primordials;

/** Fails the units that only this worker could run. */
export function abandonOwn(worker: Worker): void {
  for (const unit of each(ArrayPrototypeSplice(worker.own, 0))) {
    unit.client.failed(unit.first, {
      how: "ended",
      cause: undefined,
      exitCode: worker.exitCode ?? 0,
      limit: undefined,
      worker: worker.name,
      attempts: 0,
      item: unit.items[0],
    });
  }
}

/** Fails the items of units that wait: no worker can run them any more. */
export function failAll(units: readonly Unit[], cause: unknown): void {
  for (const unit of each(units)) {
    for (let i = unit.settled; i < unit.items.length && !unit.isDropped; i++) {
      unit.settled++;
      unit.client.failed(unit.first + i, {
        ...{ how: "ended", cause, exitCode: 1, limit: undefined, worker: undefined },
        ...{ attempts: unit.attempt - 1, item: unit.items[i] },
      });
    }
  }
}

/** Fails the items of a unit that could not be sent to a worker. */
export function failUnsent(unit: Unit, cause: unknown): void {
  for (let i = unit.settled; i < unit.items.length; i++) {
    unit.settled++;
    unit.client.failed(unit.first + i, {
      how: "threw",
      cause,
      exitCode: 1,
      limit: undefined,
      worker: undefined,
      attempts: 0,
      item: unit.items[i],
    });
  }
}
