// The messages between a pool and its workers. They are arrays, because the codec writes arrays shorter and faster
// than objects; the first element is the type of the message.

import type { FunctionTravel } from "../target/function_travel.ts";
import type { Failure } from "../transfer/remote_error.ts";
import * as primordials from "../platform/primordials.ts";

const { String } = primordials;

/** Buffers of more bytes are posted beside the messages. */
export const LARGE = 2 ** 16;

// The types of units.
/** A call for each item. */
export const RUN = 1;
/** A call of a generator function. */
export const STREAM = 2;

// Messages to a worker.
/** Defines the function with a number, before its first use. */
export const DEFINE = 0;
/** A unit of one item. */
export const ONE = 1;
/** A unit of several items, which the worker calls the function with, one after the other. */
export const MANY = 2;
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

/**
 * A message to a worker. A number is the ticket of a unit that is one call without arguments. A unit of one item brings
 * the item, a larger one the list of its items; the name is left out where it is the function's, and the traceparent of
 * the call where no spans are exported. The rest of a unit
 * stands in its header: see headers.ts.
 */
export type ToWorker =
  | number
  | [typeof DEFINE, id: number, travel: FunctionTravel, name: string]
  | [typeof ONE, ticket: number, item: unknown, name?: string, traceparent?: string]
  | [typeof MANY, ticket: number, items: readonly unknown[], name?: string, traceparent?: string]
  | [typeof CREDIT, slot: number, id: number, count: number]
  | [typeof RETURN, slot: number, id: number]
  | [typeof ABORT, slot: number, id: number, reason: unknown]
  | [typeof END]
  | [typeof OBJECTS];

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
/** The worker has told a task that it isn't wanted any more; so its thread isn't blocked. */
export const TOLD = 8;
/** A unit that the pool had stopped has ended: the worker goes on with others. */
export const STOPPED = 9;
/** Results lie in cells: see cells.ts. */
export const IN_CELLS = 10;

/** A message from a worker. */
export type FromWorker =
  | [typeof READY]
  | [typeof DONE, slot: number, value: unknown]
  | [typeof FAILED, slot: number, failure: Failure]
  | [typeof MESSAGE, slot: number, id: number, value: unknown]
  | [typeof YIELD, slot: number, value: unknown]
  | [typeof BROKEN, failure: Failure]
  | [typeof GROWN, heapMb: number]
  | [typeof PLACES, count: number]
  | [typeof TOLD | typeof STOPPED, slot: number, id: number]
  | [typeof IN_CELLS];

/** The arguments that a worker is started with. */
export interface WorkerSetup {
  board: SharedArrayBuffer;
  headers: SharedArrayBuffer;
  cells: SharedArrayBuffer;
  /** The time from which the board counts, in ms since 1970. */
  epoch: number;
  /** The most items that run at once. */
  concurrency: number;
  initializer: FunctionTravel | undefined;
  initargs: readonly unknown[];
  finalizer: FunctionTravel | undefined;
  recycleAboveMb: number | undefined;
}

/** The reason of an abort as it can be sent: objects become text. */
export function sendableReason(reason: unknown): unknown {
  const isData = reason === null || typeof reason !== "object" && typeof reason !== "function" &&
      typeof reason !== "symbol";
  try {
    return isData ? reason : String(reason);
  } catch {
    return "a reason that can't be shown";
  }
}
