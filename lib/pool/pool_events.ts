// The events of a pool: an event costs nothing unless its type ever had a listener.

import type { SchedulerEvents } from "./scheduler.ts";
import type { PoolAccount } from "./statistics.ts";
import type { Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const { CustomEvent, Reflect, SafeSet } = primordials;

/** Dispatches the events of a pool. */
export class PoolEvents {
  readonly #pool: EventTarget;
  /** The types of events that had a listener at any time. */
  readonly #listened = new SafeSet<string>();

  constructor(pool: EventTarget) {
    this.#pool = pool;
  }

  /** Events of this type have a listener from now on. */
  listen(type: string): void {
    this.#listened.add(type);
  }

  /** Whether events of this type have a listener. */
  isHeard(type: string): boolean {
    return this.#listened.has(type);
  }

  /** Dispatches an event with this detail, if its type has a listener. */
  tell(type: string, detail: () => unknown): void {
    if (this.#listened.has(type)) dispatch(this.#pool, type, detail());
  }
}

/** What the pool does at the events of its scheduler: it counts, and tells its listeners. */
export function schedulerEvents(
  events: PoolEvents,
  account: PoolAccount,
  roomMade: () => void,
): SchedulerEvents {
  return {
    workerStarted: ({ name }) => events.tell("workerstart", () => ({ worker: name })),
    workerEnded: (worker) => {
      const { name, exitCode } = worker;
      account.workerEnded(worker);
      events.tell("workerend", () => ({ worker: name, exitCode }));
    },
    dispatched: (worker, unit, now) => {
      account.dispatched(unit, now);
      if (!events.isHeard("taskstart")) return;
      events.tell("taskstart", () => ({
        ...{ id: unit.id, name: nameOf(unit), index: unit.first },
        ...{ count: unit.items.length, worker: worker.name },
      }));
    },
    finished: (worker, unit, from, count, ms, hasFailed) => {
      account.finished(unit, from, count, ms, hasFailed);
      if (!events.isHeard("taskend")) return;
      for (let item = from; item < from + count; item++) {
        events.tell("taskend", () => ({
          ...{ id: unit.id + item, name: nameOf(unit), index: unit.first + item },
          ...{ worker: worker.name, ms, failed: hasFailed },
        }));
      }
    },
    drained: () => events.tell("drain", () => undefined),
    roomMade,
  };
}

const { dispatchEvent } = EventTarget.prototype;

/** Dispatches an event to the listeners. */
function dispatch(pool: EventTarget, type: string, detail: unknown): void {
  const event = new CustomEvent(type, { __proto__: null, detail } as CustomEventInit);
  Reflect.apply(dispatchEvent, pool, [event]);
}

function nameOf(unit: Unit): string {
  return unit.options.name ?? unit.call.name;
}
