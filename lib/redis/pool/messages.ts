// What callers and workers of a pool tell each other through the server. A caller puts units of tasks into the
// pool's queue; a worker puts answers into the caller's queue, several in one item.

import type { Failure } from "../../transfer/remote_error.ts";
import type { ItemFailure } from "../../pool/unit.ts";

/** A unit of tasks as it lies in the queue of the pool. The items come last: errors name their place in it. */
export type UnitMessage = [
  /** The program that calls, the id of its queue of answers, and the number of the unit there. */
  caller: string,
  queueId: string,
  number: number,
  /** Where the function is found. */
  module: string,
  exportName: string,
  isSpread: boolean,
  /** The index of the first item. */
  first: number,
  timeLimit: number | undefined,
  retries: number,
  name: string,
  items: readonly unknown[],
];

/** The place of the items in a message. */
export const ITEMS = 10;

// Answers; the second part is the number of the unit.
/** A worker has begun the unit. */
export const BEGUN = 0;
/** An item has returned. */
export const RETURNED = 1;
/** An item has failed for good. */
export const FAILED = 2;
/** A task has sent a value. */
export const SENT = 3;

/** An answer to a caller. */
export type Answer =
  | [typeof BEGUN, number: number, worker: string]
  | [typeof RETURNED, number: number, index: number, value: unknown]
  | [
    typeof FAILED,
    number: number,
    index: number,
    failure: Omit<ItemFailure, "cause" | "item">,
    cause: Failure | undefined,
  ]
  | [typeof SENT, number: number, value: unknown];

/** The name of a unit, by which all workers know it. */
export function unitName(caller: string, number: number): string {
  return `${caller}.${number}`;
}

/** What describes a worker in the server. */
export interface WorkerDescription {
  name: string;
  processes: number;
  modules: string[];
  /** In ms since 1970, by the worker's clock. */
  since: number;
}
