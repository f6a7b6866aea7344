// The messages between a pool and its workers. They are arrays, because the codec writes arrays shorter and faster
// than objects; the first element is the type of the message.

import type { FunctionTravel } from "../target/function_travel.ts";
import type { Failure } from "../transfer/remote_error.ts";

/** Buffers of more bytes are posted beside the messages. */
export const LARGE = 2 ** 16;

// Messages to a worker.
/** Defines the function with a number, before its first use. */
export const DEFINE = 0;
/** A unit of items, which the worker calls the function with, one after the other. */
export const RUN = 1;
/** A unit that calls a generator function, and how many values it may yield ahead. */
export const STREAM = 2;
/** The consumer of a generator has taken so many values. */
export const CREDIT = 3;
/** The consumer of a generator wants no more. */
export const RETURN = 4;
/** The caller doesn't want the unit any more; a running item may stop early. */
export const ABORT = 5;
/** No more messages will come. */
export const END = 6;
/** Later messages may hold objects of this package: queues, locks and the like. */
export const OBJECTS = 7;

/** A message to a worker. */
export type ToWorker =
  | [typeof DEFINE, id: number, travel: FunctionTravel, name: string]
  | [typeof RUN, slot: number, unit: UnitHeader, items: readonly unknown[]]
  | [typeof STREAM, slot: number, unit: UnitHeader, items: readonly unknown[]]
  | [typeof CREDIT, slot: number, id: number, count: number]
  | [typeof RETURN, slot: number, id: number]
  | [typeof ABORT, slot: number, id: number, reason: unknown]
  | [typeof END]
  | [typeof OBJECTS];

/**
 * The header of a unit of work: the number of its first item's task, the number of the function, whether an item is a
 * list of arguments, the index of the first item, the attempt, whether each item is timed, and the name unless it is the function's.
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

// Messages from a worker.
/** The worker has loaded, and its initializer has run. */
export const READY = 0;
/** The value that the next item of a unit returned, or a generator at its end. */
export const DONE = 1;
/** The error that the next item threw. */
export const FAILED = 2;
/** A value that a task sends while it runs. */
export const MESSAGE = 3;
/** A value that a generator yields. */
export const YIELD = 4;
/** The initializer has failed. */
export const BROKEN = 5;
/** The number of tasks that wait for other tasks of a pool, so that their places are free. */
export const PLACES = 7;
/** The worker's heap is larger than `recycleAboveMb`. */
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

/** The arguments that a worker is started with. */
export interface WorkerSetup {
  board: SharedArrayBuffer;
  /** The time from which the board counts, in ms since 1970. */
  epoch: number;
  /** The most items that run at once. */
  concurrency: number;
  initializer: FunctionTravel | undefined;
  initargs: readonly unknown[];
  finalizer: FunctionTravel | undefined;
  recycleAboveMb: number | undefined;
}
