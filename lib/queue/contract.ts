// The interfaces that queues share, whatever carries their items: shared memory, the memory of one process,
// or a server. Each class declares which of these interfaces it implements, and tests/queue/contract.ts
// checks that each keeps their promises. Abilities that not every queue has (to block a thread, put many
// items at once, be joined) have interfaces of their own.
//
// A queue that isn't in reach, as on a server, can't answer at once. So a method that looks at a queue or
// doesn't wait may answer by a promise here, and a function for any queue awaits it.

import type { BlockOptions, WaitOptions } from "../wait/options.ts";

/**
 * The operations of every queue, of {@linkcode SimpleQueue} too: each item that is put is got once. See
 * {@linkcode AsyncQueue} for more.
 *
 * @example
 * ```ts
 * import { type BasicQueue, SimpleQueue } from "@multiproc/multiprocessing";
 *
 * async function relay<T>(from: BasicQueue<T>, to: BasicQueue<T>) {
 *   while (!await from.empty()) await to.put(await from.get());
 * }
 *
 * const from = new SimpleQueue<string>(), to = new SimpleQueue<string>();
 * await from.put("an item");
 * await relay(from, to);
 * console.log(await to.get()); // an item
 * ```
 *
 * @typeParam T the type of the items
 */
export interface BasicQueue<T> {
  /**
   * Puts an item, waiting for room if the queue is full. Waiting calls of one process are served in their
   * order, and a later call doesn't overtake one that waits. A wait that ends early has put nothing.
   *
   * @throws {QueueFull} if there was no room in `timeout` ms
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  put(item: T, options?: WaitOptions): Promise<void>;
  /**
   * Puts an item if there is room now.
   *
   * @throws {QueueFull} if there is none
   */
  putNowait(item: T): void | Promise<void>;
  /**
   * Gets the next item, waiting for one if there is none. Waiting calls of one process are served in their
   * order, and a later call doesn't overtake one that waits. A wait that ends early has taken nothing.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  get(options?: WaitOptions): Promise<T>;
  /**
   * Gets the next item if there is one now.
   *
   * @throws {QueueEmpty} if there is none
   */
  getNowait(): T | Promise<T>;
  /** Whether it holds no item. In the next moment it may. */
  empty(): boolean | Promise<boolean>;
}

/**
 * Any queue: the {@linkcode Queue} and {@linkcode JoinableQueue} of this package, and those of
 * "@multiproc/multiprocessing/local". For functions that put or get, wherever the items come from. Methods
 * that look at the queue may answer by a promise, where the queue is far away: `await` takes both.
 *
 * @example
 * ```ts
 * import { type AsyncQueue, Queue } from "@multiproc/multiprocessing";
 * import { PriorityQueue } from "@multiproc/multiprocessing/local";
 *
 * async function sum(numbers: AsyncQueue<number>): Promise<number> {
 *   let sum = 0;
 *   for await (const n of numbers) sum += n;
 *   return sum;
 * }
 *
 * for (const numbers of [new Queue<number>(), new PriorityQueue<number>()]) {
 *   for (const n of [1, 2, 3]) await numbers.put(n);
 *   numbers.shutdown();
 *   console.log(await sum(numbers)); // 6
 * }
 * ```
 *
 * @typeParam T the type of the items
 */
export interface AsyncQueue<T> extends BasicQueue<T>, AsyncIterable<T> {
  /** The most items it holds before `put` waits; 0 when their number isn't bounded. */
  readonly maxSize: number;
  /** The number of items in the queue. In the next moment it may be another number. */
  qsize(): number | Promise<number>;
  /** Whether a put would have to wait. In the next moment it may not. */
  full(): boolean | Promise<boolean>;
  /** A snapshot of its figures. */
  statistics(): AsyncQueueStatistics | Promise<AsyncQueueStatistics>;
  /**
   * Ends the queue: further puts, and puts that wait for room, throw QueueShutDown, and so do gets once the
   * queue is empty; loops over it and its streams end. Doing it again does no harm.
   *
   * @param options `immediate: true` also drops the items in the queue
   * @throws {TypeError} if `immediate` is neither true nor false
   */
  shutdown(options?: { immediate?: boolean }): void | Promise<void>;
  /**
   * Iterates over items as they are got, until the queue was shut down and is empty. `return()` of an
   * iterator ends each `next()` that waits, and no item is lost.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T>;
  /**
   * A stream that gets the items one by one as it is read, never one ahead; it closes when the queue was shut
   * down and is empty. Cancelling it leaves the queue as it is.
   */
  readonly readable: ReadableStream<T>;
  /**
   * A stream that puts what is written to it, with the queue's bounds as its back-pressure. Closing or aborting
   * it shuts the queue down.
   */
  readonly writable: WritableStream<T>;
}

/**
 * The statistics that every queue has.
 *
 * @example
 * ```ts
 * import { type AsyncQueue, type AsyncQueueStatistics, Queue } from "@multiproc/multiprocessing";
 *
 * async function backlog(queue: AsyncQueue<unknown>): Promise<number> {
 *   const { size, waitingToPut }: AsyncQueueStatistics = await queue.statistics();
 *   return size + waitingToPut;
 * }
 *
 * const queue = new Queue<string>();
 * await queue.putMany(["a", "b"]);
 * console.log(await backlog(queue)); // 2
 * ```
 */
export interface AsyncQueueStatistics {
  /** Items in the queue. */
  size: number;
  /** The most items it holds; 0 when their number isn't bounded. */
  maxSize: number;
  /** Items put since the queue was made. */
  put: number;
  /** Items got since the queue was made. */
  got: number;
  /** Tasks of this process that wait for an item. */
  waitingToGet: number;
  /** Tasks of this process that wait for room. */
  waitingToPut: number;
  /** Whether it was shut down. */
  shutDown: boolean;
}

/**
 * A queue that knows when all items that were put are finished: {@linkcode JoinableQueue}, and every queue of
 * "@multiproc/multiprocessing/local".
 *
 * @example
 * ```ts
 * import { type AsyncJoinableQueue, JoinableQueue } from "@multiproc/multiprocessing";
 *
 * async function work(queue: AsyncJoinableQueue<string>) {
 *   for await (const url of queue) {
 *     console.log(url); // url_1
 *     await queue.taskDone();
 *   }
 * }
 *
 * const queue = new JoinableQueue<string>();
 * const worker = work(queue);
 * await queue.put("url_1");
 * await queue.join();
 * queue.shutdown();
 * await worker;
 * ```
 *
 * @typeParam T the type of the items
 */
export interface AsyncJoinableQueue<T> extends AsyncQueue<T> {
  /** A snapshot of its figures. */
  statistics(): AsyncJoinableQueueStatistics | Promise<AsyncJoinableQueueStatistics>;
  /** The number of items that were put and not yet reported done. */
  readonly unfinished: number | Promise<number>;
  /**
   * Says that an item got from the queue is finished.
   *
   * @throws {RangeError} if called more often than items were put
   */
  taskDone(): void | Promise<void>;
  /**
   * Waits until `taskDone` was called for every item that was put, or that was dropped by an immediate
   * shutdown; resolves to true, or to false if that took more than `timeout` ms.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  join(options?: WaitOptions): Promise<boolean>;
}

/**
 * The statistics that every joinable queue has.
 *
 * @example
 * ```ts
 * import { type AsyncJoinableQueueStatistics, JoinableQueue } from "@multiproc/multiprocessing";
 *
 * const queue = new JoinableQueue<string>();
 * await queue.put("one");
 * const { unfinished, waitingToJoin }: AsyncJoinableQueueStatistics = queue.statistics();
 * console.log(unfinished, waitingToJoin); // 1 0
 * ```
 */
export interface AsyncJoinableQueueStatistics extends AsyncQueueStatistics {
  /** Items put and not yet reported done. */
  unfinished: number;
  /** Tasks of this process that wait until all is done. */
  waitingToJoin: number;
}

/**
 * A queue that puts and gets many items in one call: {@linkcode Queue} and {@linkcode JoinableQueue}.
 *
 * @example
 * ```ts
 * import { type BatchQueue, Queue } from "@multiproc/multiprocessing";
 *
 * async function drain<T>(queue: BatchQueue<T>): Promise<T[]> {
 *   return await queue.getMany(1000);
 * }
 *
 * const queue = new Queue<number>();
 * await queue.putMany([1, 2, 3]);
 * console.log(await drain(queue)); // [ 1, 2, 3 ]
 * ```
 *
 * @typeParam T the type of the items
 */
export interface BatchQueue<T> extends AsyncQueue<T> {
  /**
   * Puts many items in their order, waiting for room as often as need be. If one of them can't be put, none
   * is. When the wait ends early, by its timeout or its signal, the items for which there was room have been
   * put.
   *
   * @throws {QueueFull} if there was not enough room in `timeout` ms; its `count` is how many were put
   */
  putMany(items: Iterable<T>, options?: WaitOptions): Promise<void>;
  /**
   * Puts many items, as far as there is room now.
   *
   * @throws {QueueFull} if there is not enough room; its `count` is how many were put
   */
  putManyNowait(items: Iterable<T>): void | Promise<void>;
  /**
   * Gets up to `max` items at once: waits until there is at least one, then takes what is there.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms
   * @throws {RangeError} if `max` is not a whole number from 1 up, or `timeout` is negative or NaN
   */
  getMany(max: number, options?: WaitOptions): Promise<T[]>;
  /**
   * Gets up to `max` items that are there now.
   *
   * @throws {QueueEmpty} if there is none
   */
  getManyNowait(max: number): T[] | Promise<T[]>;
}

/**
 * A queue on which a thread can block: the queues between processes, {@linkcode SimpleQueue} too. For
 * CPU-bound code.
 *
 * @example
 * ```ts
 * import { type BlockingQueue, SimpleQueue } from "@multiproc/multiprocessing";
 *
 * function next<T>(queue: BlockingQueue<T>): T {
 *   return queue.getSync({ timeout: 1000 });
 * }
 *
 * const queue = new SimpleQueue<string>();
 * queue.putSync("an item");
 * console.log(next(queue)); // an item
 * ```
 *
 * @typeParam T the type of the items
 */
export interface BlockingQueue<T> extends BasicQueue<T> {
  /**
   * Puts an item, blocking the thread while the queue is full.
   *
   * @throws {QueueFull} if there was no room in `timeout` ms
   */
  putSync(item: T, options?: BlockOptions): void;
  /**
   * Gets the next item, blocking the thread while there is none.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms
   */
  getSync(options?: BlockOptions): T;
}

/**
 * A queue whose items can be leased: {@linkcode JoinableQueue}, and `RemoteJoinableQueue` of
 * "@multiproc/multiprocessing/redis". An item that is leased stays in the queue's memory
 * until it is done, and comes back when its process ends without.
 *
 * @example
 * ```ts
 * import { JoinableQueue, type LeasingQueue } from "@multiproc/multiprocessing";
 *
 * async function work(jobs: LeasingQueue<string>) {
 *   for await (const job of jobs.leases()) {
 *     console.log(job.item); // url_1
 *     await job.done();
 *   }
 * }
 *
 * const jobs = new JoinableQueue<string>();
 * await jobs.put("url_1");
 * jobs.shutdown();
 * await work(jobs);
 * ```
 *
 * @typeParam T the type of the items
 */
export interface LeasingQueue<T> extends AsyncJoinableQueue<T> {
  /**
   * Iterates over items, each leased to this process until it is done, given back or disposed of, until the
   * queue was shut down and no item is left that could come back.
   */
  leases(): AsyncIterableIterator<AsyncLease<T>>;
  /** Leases the next item, waiting for one if there is none. */
  lease(options?: WaitOptions): Promise<AsyncLease<T>>;
  /** How often an item is leased, at most; 0 for no bound. */
  readonly attempts: number;
  /** The dead letters: the items that came back from their last attempt. */
  readonly dead: AsyncQueue<DeadLetter<T>>;
}

/**
 * An item that is leased to this process. Disposed of without `done()`, it is given back.
 *
 * @example
 * ```ts
 * import { type AsyncLease, JoinableQueue } from "@multiproc/multiprocessing";
 *
 * async function work(lease: AsyncLease<string>) {
 *   await using job = lease;
 *   console.log(job.item, job.attempt); // url_1 1
 *   await job.done();
 * }
 *
 * const jobs = new JoinableQueue<string>();
 * await jobs.put("url_1");
 * await work(await jobs.lease());
 * console.log(jobs.unfinished); // 0
 * ```
 *
 * @typeParam T the type of the item
 */
export interface AsyncLease<T> extends AsyncDisposable {
  /** The item. */
  readonly item: T;
  /** How often the item was leased, this time included: 1 for the first time. */
  readonly attempt: number;
  /**
   * Says that the item is finished: it is gone then, and counted for `join`. A second call does nothing.
   *
   * @throws {InvalidStateError} if the item was given back before, or the lease was lost
   */
  done(): void | Promise<void>;
  /**
   * Gives the item back to the head of the queue, or to the dead letters if this was its last attempt. It does
   * nothing once the lease has ended.
   */
  giveBack(): void | Promise<void>;
}

/**
 * A dead letter: an item that came back from its last attempt, and how many there were.
 *
 * @example
 * ```ts
 * import { type DeadLetter, JoinableQueue } from "@multiproc/multiprocessing";
 *
 * const jobs = new JoinableQueue<string>({ attempts: 1 });
 * await jobs.put("url_1");
 * (await jobs.lease()).giveBack();
 * const { item, attempts }: DeadLetter<string> = await jobs.dead.get();
 * console.log(item, attempts); // url_1 1
 * ```
 *
 * @typeParam T the type of the item
 */
export interface DeadLetter<T> {
  /** The item. */
  item: T;
  /** How often the item was leased. */
  attempts: number;
}
