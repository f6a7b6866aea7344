/**
 * Queues for the tasks of one process, with the vocabulary of Python's `queue` and `asyncio`:
 * {@linkcode Queue} (the oldest item first), {@linkcode LifoQueue} (the newest) and {@linkcode PriorityQueue}
 * (the smallest). They pass objects on as they are, without copying them, and share no memory with other
 * isolates. The queue between processes is `Queue` of "@multiproc/multiprocessing".
 *
 * @example
 * ```ts
 * import { Queue } from "@multiproc/multiprocessing/local";
 *
 * const queue = new Queue<string>();
 *
 * async function consume() {
 *   for await (const item of queue) console.log(item); // one, then two
 * }
 *
 * const consumer = consume();
 * await queue.put("one");
 * await queue.put("two");
 * queue.shutdown();
 * await consumer;
 * ```
 *
 * @module
 */

export { InvalidStateError, QueueEmpty, QueueFull, QueueShutDown } from "./lib/errors.ts";
export type {
  AsyncJoinableQueue,
  AsyncJoinableQueueStatistics,
  AsyncQueue,
  AsyncQueueStatistics,
  BasicQueue,
} from "./lib/queue/contract.ts";
export { LifoQueue } from "./lib/queue/local/lifo_queue.ts";
export { PriorityQueue, type PriorityQueueOptions } from "./lib/queue/local/priority_queue.ts";
export { Queue, type QueueOptions, type QueueStatistics } from "./lib/queue/local/queue.ts";
export type { WaitOptions } from "./lib/wait/options.ts";
