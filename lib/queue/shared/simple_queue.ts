// SimpleQueue: a queue with the fewest methods, on the same store as Queue.

import { describe } from "../../validate/describe.ts";
import { customInspect, type Inspect, print } from "../../printing.ts";
import {
  cannotClone,
  constructFrom,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
} from "../../transfer/transferable.ts";
import { DEFAULT_MAX_BYTES } from "../../validate/bounds.ts";
import { blocking, eventually, now } from "../../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../../wait/options.ts";
import { type Readiness, readiness } from "../../wait/waitable.ts";
import type { BlockingQueue } from "../contract.ts";
import { Store, type StoreContent } from "./store.ts";
import type { SimpleQueueStatistics } from "./queue_statistics.ts";
import * as primordials from "../../platform/primordials.ts";

const { TypeError } = primordials;

const KIND = "SimpleQueue";

/**
 * A first-in, first-out queue for any number of processes, with `put`, `get`, `empty` and `close`, and no
 * more: Python's `multiprocessing.SimpleQueue`. It keeps the promises of {@linkcode Queue}: every item is got
 * exactly once, and the items of one producer arrive in their order. A `Queue` has what it lacks: a bound, a
 * name, a shutdown, loops and streams. (A put waits only when the items take 2 ** 30 bytes.)
 *
 * It is given to a process in its `args`, and can be waited for by {@linkcode wait}.
 *
 * @example
 * ```ts
 * import { Process, SimpleQueue } from "@multiproc/multiprocessing";
 *
 * export async function greet(queue: SimpleQueue<string>) {
 *   await queue.put("hello from another process");
 * }
 *
 * if (import.meta.main) {
 *   const queue = new SimpleQueue<string>();
 *   new Process({ target: greet, args: [queue] }).start();
 *   console.log(await queue.get()); // hello from another process
 *   queue.close();
 * }
 * ```
 *
 * @typeParam T the type of the items
 */
export class SimpleQueue<T = unknown> implements BlockingQueue<T>, Disposable {
  readonly #store: Store<T>;

  /**
   * Makes a queue.
   *
   * @throws {TypeError} if it is given an argument: there are no options
   */
  constructor() {
    if (arguments[0] !== undefined) {
      throw new TypeError(
        `A SimpleQueue was given ${describe(arguments[0])}, and it takes no options. ` +
          "Make a Queue, which has maxSize, maxBytes and a name.",
      );
    }
    this.#store = receivedParts<Store<T>>(new.target) ??
      Store.make<T>(0, DEFAULT_MAX_BYTES, undefined);
  }

  static {
    registerTransferable(KIND, (content) => {
      return constructFrom(SimpleQueue, Store.arrived(content as StoreContent));
    });
  }

  /** Whether this process has closed it, by {@linkcode SimpleQueue.close}. */
  get closed(): boolean {
    return this.#store.closed;
  }

  /**
   * Whether it holds no item. In the next moment it may.
   *
   * @throws {InvalidStateError} if this process has closed the queue
   */
  empty(): boolean {
    this.#store.checkOpen();
    return this.#store.size === 0;
  }

  /**
   * Puts an item. The item is copied before this returns: later changes to it don't arrive.
   *
   * @throws {TypeError} if the item can't be cloned; the message names the place
   * @throws {QueueFull} if the items take 2 ** 30 bytes and there was no room in `timeout` ms
   * @throws {RangeError} if the item takes more than that, or `timeout` is negative or NaN
   * @throws {InvalidStateError} if this process has closed the queue
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    return this.#store.putItem(item, options);
  }

  /**
   * Like {@linkcode SimpleQueue.put}, if there is room now.
   *
   * @throws {QueueFull} if there is none; other errors as `put`
   */
  putNowait(item: T): void {
    this.#store.putItemNowait(item);
  }

  /**
   * Like {@linkcode SimpleQueue.put}, but blocks the thread if it has to wait. This is what Python's
   * `put` does.
   *
   * @throws the errors that `put` throws
   */
  putSync(item: T, options?: BlockOptions): void {
    this.#store.putItemSync(item, options);
  }

  /**
   * Gets the oldest item, waiting for one if there is none.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms
   * @throws {RangeError} if `timeout` is negative or NaN
   * @throws {InvalidStateError} if this process has closed the queue
   */
  get(options?: WaitOptions): Promise<T> {
    return eventually(this.#store.get, options);
  }

  /**
   * Gets the oldest item if there is one now.
   *
   * @throws {QueueEmpty} if there is none; other errors as `get`
   */
  getNowait(): T {
    return now(this.#store.get);
  }

  /**
   * Like {@linkcode SimpleQueue.get}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `get` does.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms; other errors as `get`
   */
  getSync(options?: BlockOptions): T {
    return blocking(this.#store.get, options);
  }

  /**
   * Ends the use of the queue by this process: its waiting tasks, and later calls, get an
   * InvalidStateError. Other processes don't notice, and its items stay. Calling it again does
   * nothing.
   */
  close(): void {
    this.#store.close();
  }

  /** Closes it: `using queue = new SimpleQueue()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @ignore */
  [readiness](): Readiness {
    return this.#store.readiness;
  }

  /** A snapshot of its figures. Python has nothing like it. */
  statistics(): SimpleQueueStatistics {
    const { size, notEmpty } = this.#store;
    return { size, waitingToGet: notEmpty.waiting };
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => {
      const { size, closed } = this.#store;
      return closed ? { size, closed } : { size };
    };
    return print(this, [KIND, SimpleQueue], state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return "a SimpleQueue, which is handed over, not copied. " +
      "Give it to a process in args, at any depth of plain objects, arrays, Maps and Sets";
  }

  /** @ignore */
  [serialize](): Serialized {
    this.#store.checkOpen();
    return { kind: KIND, content: this.#store.content };
  }
}
