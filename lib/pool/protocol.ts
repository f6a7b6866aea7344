// Everything that a pool and its workers say to one another. Messages are arrays, because the codec writes
// them shorter and faster than objects; the first element says what a message is.

import type { FunctionTravel } from "../target/function_travel.ts";
import type { Failure } from "../transfer/remote_error.ts";

// To a worker.
/** The function of a number, before its first use. */
export const DEFINE = 0;
/** Items to call it with, one after the other. */
export const RUN = 1;
/** Arguments of a generator function, and how many values it may yield ahead. */
export const STREAM = 2;
/** The consumer has taken so many values. */
export const CREDIT = 3;
/** The consumer wants no more. */
export const RETURN = 4;
/** The caller doesn't want it any more; what runs may stop early. */
export const ABORT = 5;
/** Nothing more will come. */
export const END = 6;
/** What comes may hold objects of this package: queues, locks and the like. */
export const OBJECTS = 7;

/** A message to a worker. */
export type ToWorker =
  | [typeof DEFINE, id: number, reference: FunctionTravel]
  | [typeof RUN, slot: number, unit: UnitHeader, items: readonly unknown[]]
  | [typeof STREAM, slot: number, unit: UnitHeader, items: readonly unknown[]]
  | [typeof CREDIT, slot: number, id: number, count: number]
  | [typeof RETURN, slot: number, id: number]
  | [typeof ABORT, slot: number, id: number, reason: unknown]
  | [typeof END]
  | [typeof OBJECTS];

/**
 * What a worker knows of a unit of work: the number of its first item's task, of the function, whether an item
 * is a list of arguments, the index of the first item, the attempt, whether each item is timed, its name if it has one.
 */
export type UnitHeader = [
  id: number,
  functionId: number,
  isSpread: boolean,
  first: number,
  attempt: number,
  isTimed: boolean,
  name: string | undefined,
];

// From a worker.
/** It has loaded, and its initializer has run. */
export const READY = 0;
/** What the next item of a unit returned, or a generator at its end. */
export const DONE = 1;
/** What it threw. */
export const FAILED = 2;
/** What a task sends while it runs. */
export const MESSAGE = 3;
/** What a generator yields. */
export const YIELD = 4;
/** The initializer has failed. */
export const BROKEN = 5;
/** So many of its tasks wait for others of a pool, and have their places free. */
export const PLACES = 7;
/** Its heap is larger than the pool allows, in MB. */
export const GROWN = 6;

/** A message from a worker. */
export type FromWorker =
  | [typeof READY]
  | [typeof DONE, slot: number, value: unknown]
  | [typeof FAILED, slot: number, failure: Failure]
  | [typeof MESSAGE, slot: number, id: number, value: unknown]
  | [typeof YIELD, slot: number, value: unknown]
  | [typeof BROKEN, failure: Failure]
  | [typeof GROWN, heapMb: number]
  | [typeof PLACES, count: number];

/** What a worker is started with. */
export interface WorkerSetup {
  board: SharedArrayBuffer;
  /** The time from which the board counts, in ms since 1970. */
  epoch: number;
  /** Items that may be under way at once. */
  concurrency: number;
  initializer: FunctionTravel | undefined;
  initargs: readonly unknown[];
  finalizer: FunctionTravel | undefined;
  recycleAboveMb: number | undefined;
}
