// The options of a queue between processes.

/**
 * Options of a new {@linkcode Queue}: its bounds and its name.
 *
 * @example
 * ```ts
 * import { Queue, type QueueOptions } from "@multiproc/multiprocessing";
 *
 * const options: QueueOptions = { maxSize: 100, maxBytes: 2 ** 20, name: "urls" };
 * const queue = new Queue<string>(options);
 * console.log(queue.maxSize, queue.name); // 100 urls
 * queue.close();
 * ```
 */
export interface QueueOptions {
  /**
   * The most items it holds before `put` waits; a whole number from 0 to 2 ** 31 - 1. 0, the
   * default: no bound. Python's `maxsize`.
   */
  maxSize?: number;
  /**
   * The most bytes its items take, as they lie in shared memory, before `put` waits; a whole
   * number from 64 to 2 ** 31 - 16. Default 2 ** 30 (1 GiB). Memory is taken as it is needed.
   */
  maxBytes?: number;
  /**
   * A name under which any worker of the program finds it with {@linkcode Queue.open}, also a worker that
   * this library did not start. Without a name it reaches only the processes it is handed to.
   */
  name?: string;
}

/**
 * Options of a new {@linkcode JoinableQueue}: those of a queue, and how often an item may be leased.
 *
 * @example
 * ```ts
 * import { JoinableQueue, type JoinableQueueOptions } from "@multiproc/multiprocessing";
 *
 * const options: JoinableQueueOptions = { maxSize: 100, attempts: 5 };
 * const jobs = new JoinableQueue<string>(options);
 * console.log(jobs.attempts); // 5
 * ```
 */
export interface JoinableQueueOptions extends QueueOptions {
  /**
   * How often an item is leased, at most, by {@linkcode JoinableQueue.leases}: an item that comes back from its
   * last attempt goes to {@linkcode JoinableQueue.dead}. A whole number from 1 to 2 ** 28 - 1; without it, an item
   * comes back until it is done.
   */
  attempts?: number;
}
