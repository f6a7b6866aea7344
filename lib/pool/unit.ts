// A unit of work: one call, a chunk of the items of a map, or a generator. Units wait in the pool, go to a worker, and
// come back from a dead one; the client of a unit is told the outcome of each item.

import type { Cells } from "./cells.ts";
import type { CurrentTask } from "./current_task.ts";
import type { RUN, STREAM } from "./protocol.ts";
import type { Registered } from "./functions.ts";
import { isTracing, traceparentOf } from "../telemetry/spans.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFlatMap,
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  each,
  performance,
  WeakMap,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} = primordials;

/** Receives the outcomes of a unit's items. */
export interface Client {
  /** An item has returned, or a generator has ended, at that time by performance.now(). */
  returned(index: number, value: unknown, at?: number): void;
  /** As returned(), for so many items of a unit, from this one on, whose results lie in cells from `at` on. */
  returnedInCells?(index: number, count: number, cells: Cells, at: number): void;
  /** An item has failed for good. */
  failed(index: number, failure: ItemFailure): void;
  /** A unit has been sent to a worker, or has come back from one. */
  assigned?(worker: string | undefined, at?: number): void;
  /** A task sends a value while it runs. */
  message?(value: unknown): void;
  /** A generator yields. */
  yielded?(value: unknown): void;
}

/** Why an item has failed. */
export interface ItemFailure {
  /** "threw": the function threw `cause`. "ended": the worker ended. */
  how: "threw" | "ended";
  cause: unknown;
  exitCode: number;
  limit: "timeLimit" | "memoryLimitMb" | undefined;
  worker: string | undefined;
  attempts: number;
  item: unknown;
}

/** How the items of a unit are run. */
export interface UnitOptions {
  priority: number;
  /** In ms, for each item. */
  timeLimit: number | undefined;
  /** How often an item is begun anew after its worker has died. */
  retries: number;
  transfer: readonly object[];
  name: string | undefined;
}

/** A unit of work. */
export class Unit {
  readonly type: typeof RUN | typeof STREAM;
  readonly call: Registered;
  readonly client: Client;
  readonly options: UnitOptions;
  /** Whether an item is the list of arguments. */
  readonly isSpread: boolean;
  /** The number of the first item's task in the pool. */
  readonly id: number;
  /** The index of the first item. */
  readonly first: number;
  readonly items: readonly unknown[];
  /** 1, and one more each time the items are run anew. */
  readonly attempt: number;
  /** The task that waits for the unit: its place in its worker is free meanwhile. */
  readonly submitter: CurrentTask | undefined;
  /** For a broadcast: the only worker that may run the unit. */
  readonly pinned: object | undefined;
  /** The number of items that have an outcome. */
  settled = 0;
  /** The number of workers that ended after they got the unit and before they began it. */
  losses = 0;
  /** Whether a generator has yielded: run anew, it would yield the same again. */
  hasYielded = false;
  /** Whether the caller has given the unit up. */
  isDropped = false;
  /** The time when the unit was made, by performance.now(), for the statistics. */
  readonly since: number = performance.now();
  /** The traceparent of the call, where spans are exported. */
  readonly traceparent: string | undefined;

  constructor(
    made:
      & Pick<
        Unit,
        "type" | "call" | "client" | "options" | "isSpread" | "id" | "first" | "items"
      >
      & { attempt?: number; pinned?: object; submitter?: CurrentTask; traceparent?: string },
  ) {
    this.type = made.type;
    this.call = made.call;
    this.client = made.client;
    this.options = made.options;
    this.isSpread = made.isSpread;
    this.id = made.id;
    this.first = made.first;
    this.items = made.items;
    this.attempt = made.attempt ?? 1;
    this.pinned = made.pinned;
    this.submitter = made.submitter;
    this.traceparent = isTracing ? made.traceparent ?? traceparentOf() : undefined;
  }

  get priority(): number {
    return this.options.priority;
  }

  /** Makes a unit of some of the items. */
  slice(from: number, to: number, attempt = this.attempt): Unit {
    const part = new Unit({
      ...this,
      id: this.id + from,
      first: this.first + from,
      items: ArrayPrototypeSlice(this.items, from, to),
      attempt,
    });
    part.losses = this.losses;
    const others = WeakMapPrototypeGet(parts, this);
    if (others === undefined) WeakMapPrototypeSet(parts, this, [part]);
    else ArrayPrototypePush(others, part);
    return part;
  }

  /** Gives up the unit and all parts that were sliced from it. */
  drop(): void {
    this.isDropped = true;
    for (const part of each(WeakMapPrototypeGet(parts, this) ?? [])) part.drop();
  }

  /** The unit itself, or the parts that were sliced from it. */
  get remains(): readonly Unit[] {
    const own = WeakMapPrototypeGet(parts, this);
    return own === undefined ? [this] : ArrayPrototypeFlatMap(own, (part) => part.remains);
  }
}

/** The parts that were sliced from a unit. */
const parts = new WeakMap<Unit, Unit[]>();
