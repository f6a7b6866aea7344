// Queue of "@multiproc/multiprocessing/local": the public faces of a store (store.ts). LifoQueue and
// PriorityQueue are the same with another order of the items (items.ts, smallest_first.ts).

import { customInspect, type Inspect, type NamedClass, print } from "../../printing.ts";
import { checkFlag, checkNames } from "../../validate/options.ts";
import { checkBounds, checkMaxSize } from "../../validate/bounds.ts";
import { cannotClone } from "../../codec/clone_protocol.ts";
import type { WaitOptions } from "../../wait/options.ts";
import type { AsyncJoinableQueue, AsyncJoinableQueueStatistics } from "../contract.ts";
import { Faces } from "../faces.ts";
import { type Items, OldestFirst } from "./items.ts";
import { Store } from "./store.ts";
import * as primordials from "../../platform/primordials.ts";

const { ArrayPrototypeConcat, ToObject } = primordials;

/**
 * Options of a new {@linkcode Queue}: its bound.
 *
 * @example
 * ```ts
 * import { LifoQueue, type QueueOptions } from "@multiproc/multiprocessing/local";
 *
 * const options: QueueOptions = { maxSize: 10 };
 * console.log(new LifoQueue<string>(options).maxSize); // 10
 * ```
 */
export interface QueueOptions {
  /**
   * The most items it holds before `put` waits; a whole number from 0 to 2 ** 31 - 1. 0, the
   * default: no bound. Python's `maxsize`.
   */
  maxSize?: number;
}

/**
 * The statistics of a {@linkcode Queue}: the answer of {@linkcode Queue.statistics}.
 *
 * @example
 * ```ts
 * import { Queue, type QueueStatistics } from "@multiproc/multiprocessing/local";
 *
 * const queue = new Queue<string>();
 * queue.putNowait("one");
 * const { size, waitingToGet }: QueueStatistics = queue.statistics();
 * console.log(size, waitingToGet); // 1 0
 * ```
 */
export interface QueueStatistics extends AsyncJoinableQueueStatistics {
  /** Items in the queue. */
  size: number;
  /** The most items it holds; 0 when their number isn't bounded. */
  maxSize: number;
  /** Items put since the queue was made. */
  put: number;
  /** Items got since the queue was made. */
  got: number;
  /** Items put and not yet reported done by {@linkcode Queue.taskDone}. */
  unfinished: number;
  /** Tasks that wait for an item. */
  waitingToGet: number;
  /** Tasks that wait for room. */
  waitingToPut: number;
  /** Tasks that wait until all is done. */
  waitingToJoin: number;
  /** Whether it was shut down. */
  shutDown: boolean;
}

/** The key of what only this folder passes to the constructor: the order of a subclass. */
const inner = Symbol("inner");
interface InnerOptions extends QueueOptions {
  [inner]: { namedClass: NamedClass; items: Items<unknown> };
}

/**
 * The options of a queue with another order of its items.
 *
 * @param namedClass its class
 * @param more the names of further options that this one has
 */
export function ordered<T>(
  options: QueueOptions,
  namedClass: NamedClass,
  items: Items<T>,
  more: readonly string[] = [],
): QueueOptions {
  const { maxSize } = checkOptions(options, namedClass[0], more);
  const innerOptions: InnerOptions = { maxSize, [inner]: { namedClass, items } };
  return innerOptions;
}

const same = <T>(item: T): T => item;

/**
 * A first-in, first-out queue for the tasks of one process, its asynchronous functions: Python's
 * `queue.Queue` and `asyncio.Queue` in one, with their words and meanings. Times are milliseconds.
 *
 * Items are not copied: `get` gives the very object that was put. (An item that is a promise is awaited on
 * the way, as every promise that a promise resolves to; `getNowait` gives the promise itself.) Waiting tasks
 * are served in the order they came, and a call that doesn't wait overtakes no waiting task.
 *
 * Another process can't reach it. Given to one, or put into a queue between processes, it is refused with a
 * TypeError; the queue for that is `Queue` of "@multiproc/multiprocessing". There are no blocking forms like
 * that queue's `getSync`: while the thread is blocked, no task of this process could put what it waits for.
 * And a task that waits keeps nothing alive: a program in which nothing else is left to do ends, as with any
 * promise that nothing will settle.
 *
 * @example
 * ```ts
 * import { Queue } from "@multiproc/multiprocessing/local";
 *
 * const urls = new Queue<string>({ maxSize: 10 });
 *
 * async function work() {
 *   for await (const url of urls) {
 *     console.log(url); // url_1, then url_2, then url_3
 *     urls.taskDone();
 *   }
 * }
 *
 * const workers = [work(), work(), work()];
 * for (const url of ["url_1", "url_2", "url_3"]) await urls.put(url);
 * await urls.join();
 * urls.shutdown();
 * await Promise.all(workers);
 * ```
 *
 * @typeParam T the type of the items
 */
export class Queue<T = unknown> implements AsyncJoinableQueue<T> {
  readonly #store: Store<T>;
  readonly #class: NamedClass;
  #faces: Faces<T> | undefined;

  /**
   * Makes a queue.
   *
   * @throws {RangeError} if `maxSize` is not a whole number from 0 to 2 ** 31 - 1
   * @throws {TypeError} if `maxSize` is not a number
   */
  constructor(options: QueueOptions = {}) {
    if (!(inner in ToObject(options))) options = checkOptions(options, "Queue");
    const { maxSize } = checkBounds(options);
    const { namedClass, items } = inner in options
      ? (options as InnerOptions)[inner]
      : { namedClass: ["Queue", Queue] as const, items: new OldestFirst<T>() };
    this.#class = namedClass;
    this.#store = new Store(items as Items<T>, maxSize);
  }

  /**
   * The most items it holds before `put` waits; 0 when their number isn't bounded. It can be set at any time:
   * a larger number lets puts that wait go on; with a number smaller than that of the items, which all stay,
   * puts wait until enough items were got. Python's `maxsize`.
   *
   * @throws {RangeError} when it is set to what is not a whole number from 0 to 2 ** 31 - 1
   * @throws {TypeError} when it is set to what is not a number
   */
  get maxSize(): number {
    return this.#store.maxSize;
  }

  set maxSize(maxSize: number) {
    this.#store.maxSize = checkMaxSize(maxSize);
  }

  /** The number of items that were put and not yet reported done by {@linkcode Queue.taskDone}. */
  get unfinished(): number {
    return this.#store.unfinished;
  }

  /** The number of items in the queue. */
  qsize(): number {
    return this.#store.size;
  }

  /** Whether it holds no item. */
  empty(): boolean {
    return this.#store.size === 0;
  }

  /** Whether a put would have to wait. */
  full(): boolean {
    return this.#store.isFull;
  }

  /** A snapshot of its figures. Python has nothing like it. */
  statistics(): QueueStatistics {
    const store = this.#store;
    return {
      size: store.size,
      maxSize: store.maxSize,
      put: store.putCount,
      got: store.gotCount,
      unfinished: store.unfinished,
      waitingToGet: store.getters.waiting,
      waitingToPut: store.putters.waiting,
      waitingToJoin: store.joiners.waiting,
      shutDown: store.isShutDown,
    };
  }

  /**
   * Puts an item, waiting for room if the queue is full.
   *
   * @throws {QueueFull} if there was no room in `timeout` ms
   * @throws {QueueShutDown} if the queue was shut down, before or meanwhile
   * @throws {RangeError} if `timeout` is negative or NaN
   * @throws {TypeError} if the item has no place in the order of a {@linkcode PriorityQueue}
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    return this.#store.putters.eventually(this.#store.put(item), options);
  }

  /**
   * Puts an item if there is room now. Python's `put_nowait`.
   *
   * @throws {QueueFull} if there is none
   * @throws {QueueShutDown} if the queue was shut down
   * @throws {TypeError} if the item has no place in the order of a {@linkcode PriorityQueue}
   */
  putNowait(item: T): void {
    this.#store.putters.now(this.#store.put(item));
  }

  /**
   * Gets the next item, waiting for one if there is none: here the oldest.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms
   * @throws {QueueShutDown} if the queue was shut down and is empty
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  get(options?: WaitOptions): Promise<T> {
    return this.#store.getters.eventually(this.#store.get(same), options);
  }

  /**
   * Gets the next item if there is one now. Python's `get_nowait`.
   *
   * @throws {QueueEmpty} if there is none
   * @throws {QueueShutDown} if the queue was shut down and is empty
   */
  getNowait(): T {
    return this.#store.getters.now(this.#store.get(same));
  }

  /**
   * Says that an item got from the queue is finished. Needed only where a task joins the queue.
   *
   * @throws {RangeError} if called more often than items were put (Python: ValueError)
   */
  taskDone(): void {
    this.#store.taskDone();
  }

  /**
   * Waits until {@linkcode Queue.taskDone} was called for every item that was put; resolves to true, or to
   * false if that took more than `timeout` ms.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   *
   * @example
   * ```ts
   * import { Queue } from "@multiproc/multiprocessing/local";
   *
   * const queue = new Queue<string>();
   * await queue.put("one");
   * console.log(await queue.join({ timeout: 10 })); // false
   * queue.taskDone();
   * console.log(await queue.join()); // true
   * ```
   */
  join(options?: WaitOptions): Promise<boolean> {
    return this.#store.join(options);
  }

  /**
   * Ends the queue: further puts, and puts that wait for room, throw QueueShutDown, and so do gets once the
   * queue is empty; loops over it end. A join still waits for the items that were got, or can be, to be done.
   * As `queue.Queue.shutdown` of Python 3.13. Doing it again does no harm.
   *
   * @param options `immediate: true` also drops the items in the queue, and counts them as done
   * @throws {TypeError} if `immediate` is neither true nor false
   *
   * @example
   * ```ts
   * import { Queue } from "@multiproc/multiprocessing/local";
   *
   * const queue = new Queue<string>();
   * for (const item of ["one", "two"]) queue.putNowait(item);
   * queue.shutdown();
   * for await (const item of queue) console.log(item); // one, then two
   * console.log("no more will come"); // no more will come
   * ```
   */
  shutdown(options: { immediate?: boolean } = {}): void {
    const { immediate } = checkNames(options, ["immediate"], "shutdown({ immediate: true })");
    this.#store.shutdown(checkFlag("immediate", immediate));
  }

  /** Iterates over items as they are got, until the queue was shut down and is empty. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.#made.iterate();
  }

  /**
   * A stream that gets the items one by one as it is read, never one ahead; it closes when the
   * queue was shut down and is empty. Cancelling it leaves the queue as it is.
   *
   * @example
   * ```ts
   * import { Queue } from "@multiproc/multiprocessing/local";
   *
   * const queue = new Queue<string>();
   * const writing = ReadableStream.from(["one", "two"]).pipeTo(queue.writable);
   * for await (const item of queue.readable) console.log(item); // one, then two
   * await writing;
   * ```
   */
  get readable(): ReadableStream<T> {
    return this.#made.readable;
  }

  /**
   * A stream that puts what is written to it, with the queue's bound as its back-pressure.
   * Closing or aborting it shuts the queue down; `pipeTo` with `preventClose: true` doesn't.
   */
  get writable(): WritableStream<T> {
    return this.#made.writable;
  }

  get #made(): Faces<T> {
    return this.#faces ??= new Faces(this.#store.source, this);
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    return print(this, this.#class, () => this.#store.state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `a ${
      this.#class[0]
    } of "@multiproc/multiprocessing/local", which is for the tasks of one ` +
      "process: in another one it would be a different queue. " +
      'Use Queue of "@multiproc/multiprocessing", which several processes share';
  }
}

function checkOptions(
  options: QueueOptions,
  kind: string,
  more: readonly string[] = [],
): QueueOptions {
  return checkNames(
    options,
    ArrayPrototypeConcat(["maxSize"], more),
    `new ${kind}({ maxSize: 10 })`,
  );
}
