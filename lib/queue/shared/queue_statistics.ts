// The statistics of a queue between processes.

import type { AsyncJoinableQueueStatistics, AsyncQueueStatistics } from "../contract.ts";

/**
 * The statistics of a {@linkcode Queue}: the answer of {@linkcode Queue.statistics}.
 *
 * @example
 * ```ts
 * import { Queue, type QueueStatistics } from "@multiproc/multiprocessing";
 *
 * const queue = new Queue<string>({ maxSize: 10 });
 * await queue.putMany(["a", "b", "c"]);
 * await queue.get();
 * const { size, put, got, shutDown }: QueueStatistics = queue.statistics();
 * console.log(size, put, got, shutDown); // 2 3 1 false
 * ```
 */
export interface QueueStatistics extends AsyncQueueStatistics {
  /** Items in the queue. */
  size: number;
  /** The most items it holds; 0 when their number isn't bounded. */
  maxSize: number;
  /** Bytes of shared memory that the items in the queue use. */
  bytes: number;
  /** The most bytes its items may use. */
  maxBytes: number;
  /** Bytes of shared memory taken for items so far; it grows as needed and isn't given back. */
  capacity: number;
  /** Items put since the queue was made, modulo 2 ** 32. */
  put: number;
  /** Items got since the queue was made, modulo 2 ** 32, without those that have come back from a lease. */
  got: number;
  /** Tasks of this process that wait for an item. */
  waitingToGet: number;
  /** Tasks of this process that wait for room. */
  waitingToPut: number;
  /** Whether it was shut down. */
  shutDown: boolean;
}

/**
 * The statistics of a {@linkcode JoinableQueue}: the answer of {@linkcode JoinableQueue.statistics}.
 *
 * @example
 * ```ts
 * import { JoinableQueue, type JoinableQueueStatistics } from "@multiproc/multiprocessing";
 *
 * const queue = new JoinableQueue<string>();
 * await queue.putMany(["a", "b"]);
 * const { size, unfinished }: JoinableQueueStatistics = queue.statistics();
 * console.log(size, unfinished); // 2 2
 * ```
 */
export interface JoinableQueueStatistics extends QueueStatistics, AsyncJoinableQueueStatistics {
  /** Items that processes have leased: they count as got and as unfinished, not in `size`. */
  leased: number;
  /** Dead letters: items that came back from their last attempt. */
  dead: number;
}

/**
 * The statistics of a {@linkcode SimpleQueue}: the answer of {@linkcode SimpleQueue.statistics}.
 *
 * @example
 * ```ts
 * import { SimpleQueue, type SimpleQueueStatistics } from "@multiproc/multiprocessing";
 *
 * const queue = new SimpleQueue<string>();
 * await queue.put("a");
 * const { size, waitingToGet }: SimpleQueueStatistics = queue.statistics();
 * console.log(size, waitingToGet); // 1 0
 * ```
 */
export interface SimpleQueueStatistics {
  /** Items in the queue. */
  size: number;
  /** Tasks of this process that wait for an item. */
  waitingToGet: number;
}
