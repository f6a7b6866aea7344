// A unit of work: one call, a chunk of the items of a map, or a generator. It is what waits in the pool, goes to a
// worker, comes back from a dead one, and tells whoever asked for it what became of each of its items.

import type { RUN, STREAM } from "./protocol.ts";
import type { Registered } from "./functions.ts";
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

/** What whoever asked for a unit is told. */
export interface Client {
  /** An item has returned, or a generator has ended. */
  returned(index: number, value: unknown): void;
  /** An item has failed for good. */
  failed(index: number, failure: ItemFailure): void;
  /** A unit has been sent to a worker, or has come back from one. */
  assigned?(worker: string | undefined): void;
  /** A task sends a value while it runs. */
  message?(value: unknown): void;
  /** A generator yields. */
  yielded?(value: unknown): void;
}

/** Why an item has failed. */
export interface ItemFailure {
  /** "threw": `cause` is what. "ended": its worker did. */
  how: "threw" | "ended";
  cause: unknown;
  exitCode: number;
  limit: "timeLimit" | "memoryLimitMb" | undefined;
  worker: string | undefined;
  attempts: number;
  item: unknown;
}

/** How its items are run. */
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
  /** The number of its first item's task in the pool. */
  readonly id: number;
  /** The index of its first item. */
  readonly first: number;
  readonly items: readonly unknown[];
  /** 1 the first time. */
  readonly attempt: number;
  /** The one worker that is to run it; of a broadcast. */
  readonly pinned: object | undefined;
  /** How many of its items have an outcome. */
  settled = 0;
  /** How many workers have ended that had it and had not begun it. */
  losses = 0;
  /** Nobody wants it any more. */
  isDropped = false;
  /** When it was made, for the statistics: performance.now(). */
  readonly since: number = performance.now();

  constructor(
    made:
      & Pick<
        Unit,
        "type" | "call" | "client" | "options" | "isSpread" | "id" | "first" | "items"
      >
      & { attempt?: number; pinned?: object },
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
  }

  get priority(): number {
    return this.options.priority;
  }

  /** Some of its items as a unit of their own. */
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

  /** Nobody wants it any more, nor what has come of it. */
  drop(): void {
    this.isDropped = true;
    for (const part of each(WeakMapPrototypeGet(parts, this) ?? [])) part.drop();
  }

  /** It, or the parts of it that are left. */
  get remains(): readonly Unit[] {
    const own = WeakMapPrototypeGet(parts, this);
    return own === undefined ? [this] : ArrayPrototypeFlatMap(own, (part) => part.remains);
  }
}

/** The units that were made of what was left of another one. */
const parts = new WeakMap<Unit, Unit[]>();
