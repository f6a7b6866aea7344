// What the page shows, made of what all processes have written into shared memory and of what the main process has
// told. A snapshot is made when the page asks, and at most so often that it takes a hundredth of the time: nothing is
// done while nobody watches.

import { explain } from "../inspect/explain.ts";
import { inspectionOf } from "../inspect/inspection.ts";
import { readAll, type Seen } from "../inspect/read_all.ts";
import { callOf, harmless, objectOf, stateOf } from "../wait/describe_wait.ts";
import type { ReadWait } from "../wait/read_board.ts";
import { KINDS, LOCK, PROCESS, QUEUE, RLOCK, SEMAPHORE } from "../wait/subject.ts";
import type { LockLook, QueueLook, Rows, Snapshot, Waiter, WaitsFor } from "./protocol.ts";
import type { Watched, WatchedLock, WatchedQueue } from "./watched.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  ArrayPrototypeSort,
  each,
  Math,
  performance,
  SafeMap,
  StringPrototypeIncludes,
} = primordials;

/** Snapshots aren't made more often than this, in ms, nor than for one part in SHARE of the time. */
const LEAST_MS = 900, SHARE = 100;
/** The most rows of a table, waits of a process, waiters of an object, and edges, that are sent. */
const MOST_ROWS = 40, MOST_WAITS = 6, MOST_WAITERS = 12, MOST_EDGES = 200;

/** A wait is explained once it has taken so long, in ms. */
const LONG_MS = 5000;

/** Which rows the page wants. */
export interface Wanted {
  /** A part of the name, or of what the object is called. */
  filter: string;
  order: string;
}

type Base = Pick<Snapshot, "at" | "processes" | "deadlocks" | "waitsFor" | "advice">;

/** Makes snapshots. */
export class Snapshots {
  readonly #watched: Watched;
  /** What the main process told last, beside its objects. */
  pools: Snapshot["pools"] = [];
  toldAt: number | null = null;
  untold = 0;
  #base: Base | undefined;
  #waiters = new SafeMap<string, Waiter[]>();
  /** Queues and locks of other processes, for which a process waits. */
  #queues: QueueLook[] = [];
  #locks: LockLook[] = [];
  #madeAt = -Infinity;
  /** The time that the last one took, with all texts made of it, and that one usually takes, in ms. */
  #cost = 0;
  #usualCost = 0;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** The text of the newest snapshot. */
  text(wanted: Wanted): string {
    const began = performance.now();
    if (this.#base === undefined || began - this.#madeAt >= this.#interval) {
      // The first one takes longer, until the code is compiled: no single one decides.
      this.#usualCost += (this.#cost - this.#usualCost) * 0.3;
      this.#cost = 0;
      this.#base = this.#look();
      this.#madeAt = began;
    }
    const snapshot: Snapshot = {
      ...this.#base,
      queues: this.#selectQueues(wanted),
      locks: this.#selectLocks(wanted),
      pools: this.pools,
      toldAt: this.toldAt,
      untold: this.untold,
      interval: this.#interval,
      cost: this.#usualCost,
    };
    const text = primordials.JSON.stringify(snapshot);
    this.#cost += performance.now() - began;
    return text;
  }

  get #interval(): number {
    return Math.ceil(Math.max(LEAST_MS, this.#usualCost * SHARE));
  }

  #look(): Base {
    const all = readAll(), { at, processes, deadlocks } = inspectionOf(all);
    const now = performance.now();
    for (const queue of this.#watched.queues.values()) queue.read(now);
    for (const process of each(processes)) {
      const { waits } = process;
      if (waits.length <= MOST_WAITS) continue;
      process.moreWaits += waits.length - MOST_WAITS;
      process.waits = ArrayPrototypeSlice(waits, 0, MOST_WAITS);
    }
    this.#gather(all);
    return {
      ...{ at, processes, deadlocks },
      waitsFor: waitsFor(all),
      advice: explain(longWaits(all, at)),
    };
  }

  /** Notes which objects are waited for, and by whom. */
  #gather(all: Seen[]): void {
    const known = new SafeMap<string, true>();
    for (const { number } of this.#watched.queues.values()) known.set(`${QUEUE} ${number}`, true);
    for (const { kind, number } of this.#watched.locks.values()) {
      known.set(`${kind} ${number}`, true);
    }
    const pids = new SafeMap<number, number>();
    for (const { process } of each(all)) pids.set(process.token, process.pid);
    this.#waiters = new SafeMap();
    this.#queues = [];
    this.#locks = [];
    for (const { process, isAlive } of each(all)) {
      if (!isAlive) continue;
      for (const wait of each(process.waits)) {
        const key = `${wait.kind} ${wait.number}`;
        const waiter = { pid: process.pid, call: callOf(wait), since: wait.since };
        const others = this.#waiters.get(key);
        if (others !== undefined) {
          ArrayPrototypePush(others, waiter);
          continue;
        }
        const waiters = [waiter];
        this.#waiters.set(key, waiters);
        if (known.has(key) || wait.number === 0) continue;
        const { kind, number: id } = wait, name = harmless(wait.name);
        if (kind === QUEUE) {
          ArrayPrototypePush(this.#queues, {
            ...{ id, name, waiters, waiterCount: 1, put: 0, got: 0, putRate: null, gotRate: null },
            ...{ shutDown: false, maxSize: wait.most },
            size: wait.checked === 0 ? null : wait.size,
          });
        } else if (isLock(kind)) {
          ArrayPrototypePush(this.#locks, {
            ...{
              id,
              name,
              waiters,
              waiterCount: 1,
              kind: KINDS[kind],
              heldBy: pids.get(wait.holder) ?? null,
            },
            detail: kind === SEMAPHORE ? stateOf(wait) ?? "" : "",
          });
        }
      }
    }
    for (const watched of this.#watched.locks.values()) {
      watched.heldBy = pids.get(watched.lock.holderToken ?? 0) ?? null;
    }
  }

  #waitersOf(kind: number, number: number): Waiter[] {
    return this.#waiters.get(`${kind} ${number}`) ?? [];
  }

  #selectQueues({ filter, order }: Wanted): Rows<QueueLook> {
    const watched: (WatchedQueue | QueueLook)[] = [];
    for (const queue of this.#watched.queues.values()) ArrayPrototypePush(watched, queue);
    for (const queue of each(this.#queues)) ArrayPrototypePush(watched, queue);
    const total = watched.length,
      matching: { queue: WatchedQueue | QueueLook; weight: number }[] = [];
    for (const queue of each(watched)) {
      const number = "number" in queue ? queue.number : queue.id;
      if (!isWanted("queue", number, queue.name, filter)) continue;
      const waiters = this.#waitersOf(QUEUE, number).length;
      const weight = order === "rate"
        ? (queue.putRate ?? 0) + (queue.gotRate ?? 0)
        : order === "waiting"
        ? waiters
        : order === "number"
        ? -number
        : order === "size"
        ? queue.size ?? 0
        // What somebody waits for, then what moves, then what is full.
        : waiters * 1e9 + ((queue.putRate ?? 0) + (queue.gotRate ?? 0)) * 1e3 + (queue.size ?? 0);
      ArrayPrototypePush(matching, { queue, weight });
    }
    ArrayPrototypeSort(matching, (one, other) => other.weight - one.weight);
    const rows: QueueLook[] = [];
    for (const { queue } of each(ArrayPrototypeSlice(matching, 0, MOST_ROWS))) {
      ArrayPrototypePush(rows, "number" in queue ? this.#queueLook(queue) : cutWaiters(queue));
    }
    if (order === "") ArrayPrototypeSort(rows, (one, other) => one.id - other.id);
    return { rows, total, matching: matching.length };
  }

  #queueLook(queue: WatchedQueue): QueueLook {
    const { number: id, name, size, put, got, putRate, gotRate, maxSize, isShut } = queue;
    const waiters = this.#waitersOf(QUEUE, id);
    return cutWaiters({
      ...{ id, name, size, maxSize, put, got, putRate, gotRate, shutDown: isShut },
      ...{ waiters, waiterCount: waiters.length },
    });
  }

  #selectLocks({ filter }: Wanted): Rows<LockLook> {
    const matching: LockLook[] = [];
    for (const watched of this.#watched.locks.values()) {
      const { kind, number, name } = watched;
      if (!isWanted(KINDS[kind], number, name, filter)) continue;
      ArrayPrototypePush(matching, this.#lockLook(watched));
    }
    for (const lock of each(this.#locks)) {
      if (isWanted(lock.kind, lock.id, lock.name, filter)) ArrayPrototypePush(matching, lock);
    }
    const weight = ({ waiters, heldBy }: LockLook) =>
      2 * waiters.length + (heldBy === null ? 0 : 1);
    ArrayPrototypeSort(matching, (one, other) => weight(other) - weight(one));
    const rows: LockLook[] = [];
    for (const lock of each(ArrayPrototypeSlice(matching, 0, MOST_ROWS))) {
      ArrayPrototypePush(rows, cutWaiters(lock));
    }
    // Which rows are shown may change with each snapshot, but not their order.
    ArrayPrototypeSort(rows, (one, other) => one.id - other.id);
    const total = this.#watched.locks.size + this.#locks.length;
    return { rows, total, matching: matching.length };
  }

  #lockLook({ kind, number: id, name, lock, heldBy }: WatchedLock): LockLook {
    const isSemaphore = kind === SEMAPHORE, waiters = this.#waitersOf(kind, id);
    const detail = isSemaphore ? `${lock.amount} of ${lock.capacity} permits free` : "";
    return { kind: KINDS[kind], id, name, heldBy, detail, waiters, waiterCount: waiters.length };
  }
}

function isLock(kind: number): boolean {
  return kind === LOCK || kind === RLOCK || kind === SEMAPHORE;
}

function isWanted(kind: string, number: number, name: string, filter: string): boolean {
  return filter === "" || StringPrototypeIncludes(name, filter) ||
    StringPrototypeIncludes(`${kind} ${number}`, filter);
}

function cutWaiters<T extends { waiters: Waiter[]; waiterCount: number }>(look: T): T {
  const { waiters } = look;
  return {
    ...look,
    waiterCount: waiters.length,
    waiters: ArrayPrototypeSlice(waiters, 0, MOST_WAITERS),
  };
}

/**
 * The processes, with the waits that are worth a sentence: of some age, and for a process that waits as long itself, if
 * they are for a process. Waiting for one that works is how programs are.
 */
function longWaits(all: Seen[], at: number): Seen[] {
  const old = ArrayPrototypeMap(all, (seen) => {
    const waits = ArrayPrototypeFilter(seen.process.waits, ({ since }) => at - since > LONG_MS);
    return { ...seen, process: { ...seen.process, waits } };
  });
  const stuck = new SafeMap<number, boolean>();
  for (const { process } of each(old)) {
    const { token, pid, waits } = process;
    stuck.set(token, waits.length > 0);
    stuck.set(-pid, waits.length > 0);
  }
  return ArrayPrototypeMap(old, (seen) => {
    const waits = ArrayPrototypeFilter(seen.process.waits, ({ kind, number, holder }) => {
      if (kind === PROCESS) return stuck.get(-number) === true;
      return kind === LOCK || kind === RLOCK ? stuck.get(holder) === true : true;
    });
    return { ...seen, process: { ...seen.process, waits } };
  });
}

/** Who waits for whom. */
function waitsFor(all: Seen[]): WaitsFor[] {
  const edges: WaitsFor[] = [], pids = new SafeMap<number, number>();
  for (const { process, isAlive } of each(all)) if (isAlive) pids.set(process.token, process.pid);
  for (const { process } of each(all)) {
    for (const wait of each(process.waits)) {
      if (process.blocked !== 0 && wait.row !== process.blocked) continue;
      const to = holderOf(wait, pids);
      if (to === undefined || edges.length === MOST_EDGES) continue;
      const object = wait.kind === PROCESS ? "" : objectOf(wait);
      ArrayPrototypePush(edges, { from: process.pid, to, object, since: wait.since });
    }
  }
  return edges;
}

function holderOf(wait: ReadWait, pids: Map<number, number>): number | undefined {
  if (wait.kind === PROCESS) return wait.number;
  return wait.kind === LOCK || wait.kind === RLOCK ? pids.get(wait.holder) : undefined;
}
