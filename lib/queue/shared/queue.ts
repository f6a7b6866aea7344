// Queue: the public faces of a store (lib/queue/shared/store.ts), its bounds and its name.

import { describe } from "../../validate/describe.ts";
import { checkFlag, checkNames } from "../../validate/options.ts";
import { checkBounds, checkMaxSize } from "../../validate/bounds.ts";
import { checkWhole } from "../../validate/numbers.ts";
import { customInspect, type Inspect, print } from "../../printing.ts";
import {
  cannotClone,
  constructFrom,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
} from "../../transfer/transferable.ts";
import { blocking, eventually, now } from "../../wait/operation.ts";
import { blockingTimeoutOf, type BlockOptions, type WaitOptions } from "../../wait/options.ts";
import { type Readiness, readiness } from "../../wait/waitable.ts";
import { sourceOf } from "../../wait/source.ts";
import type { BatchQueue, BlockingQueue } from "../contract.ts";
import { Faces, isEnd } from "../faces.ts";
import { advertise, forget, lookup, publish } from "./names.ts";
import type { QueueOptions } from "./queue_options.ts";
import type { QueueStatistics } from "./queue_statistics.ts";
import { Store, type StoreContent } from "./store.ts";
import * as primordials from "../../platform/primordials.ts";

const { ArrayPrototypeConcat, Number, TypeError } = primordials;

/** The store of a queue, for the other files of this folder. */
export let storeOf: <T>(queue: Queue<T>) => Store<T>;

/** The kind of dead letters that are handed over: with them goes the queue whose they are. */
export const DEAD_LETTERS = "DeadLetters";

/** The method that makes the store of a new queue, which a class with more options overrides. */
export const makeStore: unique symbol = Symbol("multiprocessing.makeStore");

/**
 * A first-in, first-out queue for any number of producing and consuming processes. The names and their
 * meaning are those of Python's `multiprocessing.Queue`; times are milliseconds. Every item that was put is
 * got exactly once, whatever process is killed meanwhile, unless the process that got the item dies with it.
 * Items of one producer arrive in the order it put them.
 *
 * Items are copied, as by `structuredClone` (Map, Set, Date, BigInt, typed arrays, errors,
 * cycles …). The queue itself is given to a process in its `args`.
 *
 * Python's queue hands items to a feeder thread; this queue has none: once `put` has resolved, the item is in
 * the queue and survives the end of its producer.
 *
 * @example
 * ```ts
 * import { Process, Queue } from "@multiproc/multiprocessing";
 *
 * export async function square(numbers: Queue<number>, squares: Queue<number>) {
 *   for await (const n of numbers) await squares.put(n * n);
 * }
 *
 * if (import.meta.main) {
 *   const numbers = new Queue<number>(), squares = new Queue<number>();
 *   const process = new Process({ target: square, args: [numbers, squares] });
 *   process.start();
 *   await numbers.putMany([1, 2, 3]);
 *   numbers.shutdown();
 *   await process.join();
 *   console.log(await squares.getMany(3)); // [ 1, 4, 9 ]
 * }
 * ```
 *
 * @typeParam T the type of the items
 */
export class Queue<T = unknown> implements BatchQueue<T>, BlockingQueue<T>, Disposable {
  readonly #store: Store<T>;
  #faces: Faces<T> | undefined;

  /**
   * Makes a queue.
   *
   * @throws {RangeError} if `maxSize` or `maxBytes` is not a whole number in its range
   * @throws {TypeError} if one of them is not a number, or `name` is not a string, or is empty
   * @throws {InvalidStateError} if this process already has a queue of that name
   */
  constructor(options: QueueOptions = {}) {
    const received = receivedParts<Store<T>>(new.target);
    if (received !== undefined) {
      this.#store = received;
      if (this.#store.name !== undefined) advertise(this.#store.name, this);
      return;
    }
    this.#store = this[makeStore](options);
    const { name } = this.#store;
    if (name !== undefined) publish(name, this);
  }

  /** @ignore */
  [makeStore](options: QueueOptions, more: readonly string[] = []): Store<T> {
    const example = "new Queue({ maxSize: 10 })";
    options = checkNames(options, ArrayPrototypeConcat(BOUNDS_AND_NAME, more), example);
    const { name } = options;
    const { maxSize, maxBytes } = checkBounds(options);
    if (name !== undefined) checkName(name);
    return Store.make(maxSize, maxBytes, name);
  }

  static {
    storeOf = (queue) => queue.#store;
    registerTransferable("Queue", (content) => {
      return constructFrom(Queue, Store.arrived(content as StoreContent));
    });
  }

  /**
   * Finds a queue that any process of this program has made with a `name`, from any worker, also a worker
   * that this library did not start. Waits until there is such a queue, and until a process that has it can
   * answer: a process whose thread is blocked can't. The question and the answer go over a BroadcastChannel
   * that every worker of the program can hear: a name is an address, not a secret.
   *
   * @param name the `name` the queue was made with
   * @throws {TimeoutError} if none was found in `timeout` ms; with 0, only a queue this process
   *   already knows is found
   * @throws {TypeError} if `name` is not a string, or is empty
   * @throws {RangeError} if `timeout` is negative or NaN
   *
   * @example
   * ```ts
   * import { Process, Queue } from "@multiproc/multiprocessing";
   *
   * export async function log() {
   *   const lines = await Queue.open<string>("log", { timeout: 10_000 });
   *   await lines.put("found it");
   * }
   *
   * if (import.meta.main) {
   *   const lines = new Queue<string>({ name: "log" });
   *   new Process({ target: log }).start();
   *   console.log(await lines.get()); // found it
   * }
   * ```
   */
  static async open<T = unknown>(name: string, options?: WaitOptions): Promise<Queue<T>> {
    const found = await lookup(checkName(name), options);
    if (found instanceof Queue) return found;
    throw new TypeError(`What goes by the name "${name}" is not a queue. Choose another name.`);
  }

  /**
   * The most items it holds before `put` waits; 0 when their number isn't bounded. It can be set at any time,
   * for all processes: a larger number lets puts that wait go on; with a number smaller than that of the
   * items, which all stay, puts wait until enough items were got. Python's `maxsize`.
   *
   * @throws {RangeError} when it is set to what is not a whole number from 0 to 2 ** 31 - 1
   * @throws {TypeError} when it is set to what is not a number
   * @throws {InvalidStateError} when it is set after this process has closed the queue
   *
   * @example
   * ```ts
   * import { Queue } from "@multiproc/multiprocessing";
   *
   * const queue = new Queue<string>({ maxSize: 1 });
   * queue.putNowait("one");
   * const waiting = queue.put("two"); // there is no room
   * queue.maxSize = 2;
   * await waiting;
   * console.log(queue.qsize()); // 2
   * ```
   */
  get maxSize(): number {
    return this.#store.ring.maxSize;
  }

  set maxSize(maxSize: number) {
    this.#store.setMaxSize(checkMaxSize(maxSize));
  }

  /** The name under which {@linkcode Queue.open} finds it, if it has one. */
  get name(): string | undefined {
    return this.#store.name;
  }

  /** Whether this process has closed it, by {@linkcode Queue.close}. */
  get closed(): boolean {
    return this.#store.closed;
  }

  /**
   * The number of items in the queue. In the next moment it may be another number. Unlike Python's, it is
   * exact, and there on every system.
   */
  qsize(): number {
    return this.#store.size;
  }

  /** Whether it holds no item. In the next moment it may. */
  empty(): boolean {
    return this.#store.size === 0;
  }

  /** Whether a put would have to wait. In the next moment it may not. */
  full(): boolean {
    return !this.#store.ring.hasRoom;
  }

  /** A snapshot of its figures. Python has nothing like it. */
  statistics(): QueueStatistics {
    const { ring, notEmpty, notFull } = this.#store;
    return {
      size: this.#store.size,
      maxSize: ring.maxSize,
      bytes: ring.usedBytes,
      maxBytes: ring.maxBytes,
      capacity: ring.capacityBytes,
      put: ring.putCount,
      got: ring.gotCount,
      waitingToGet: notEmpty.waiting,
      waitingToPut: notFull.waiting,
      shutDown: ring.isShut,
    };
  }

  /**
   * Puts an item, waiting for room if the queue is full. The item is copied before this returns: later
   * changes to it don't arrive.
   *
   * @throws {QueueFull} if there was no room in `timeout` ms
   * @throws {QueueShutDown} if the queue was shut down
   * @throws {TypeError} if the item can't be cloned; the message names the place
   * @throws {RangeError} if the item is larger than `maxBytes`, or `timeout` is negative or NaN
   * @throws {InvalidStateError} if this process has closed the queue
   *
   * @example
   * ```ts
   * import { Queue } from "@multiproc/multiprocessing";
   *
   * const queue = new Queue<Map<string, unknown>>();
   * await queue.put(new Map([["when", new Date()]]));
   * try {
   *   await queue.put(new Map([["then", () => {}]]));
   * } catch (error) {
   *   console.log(error instanceof TypeError); // true
   * }
   * ```
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    return this.#store.putItem(item, options);
  }

  /**
   * Puts an item if there is room now. Python's `put_nowait`.
   *
   * @throws {QueueFull} if there is none
   * @throws {QueueShutDown} if the queue was shut down
   * @throws {TypeError} if the item can't be cloned; the message names the place
   * @throws {RangeError} if the item is larger than `maxBytes`
   * @throws {InvalidStateError} if this process has closed the queue
   */
  putNowait(item: T): void {
    this.#store.putItemNowait(item);
  }

  /**
   * Like {@linkcode Queue.put}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `put` does.
   *
   * @throws {QueueFull} if there was no room in `timeout` ms; other errors as `put`
   */
  putSync(item: T, options?: BlockOptions): void {
    this.#store.putItemSync(item, options);
  }

  /**
   * Puts many items in their order, waiting for room as often as need be. Faster than one `put` each. If one
   * of them can't be cloned, none is put. When the wait ends early, by its timeout or its signal, the items
   * for which there was room have been put: see {@linkcode QueueFull.count}. Python has nothing like it.
   *
   * @throws {QueueFull} if there was not enough room in `timeout` ms; its `count` is how many were
   *   put
   * @throws {QueueShutDown} if the queue was shut down
   * @throws {TypeError} if an item can't be cloned; the message names the place
   * @throws {RangeError} if an item is larger than `maxBytes`, or `timeout` is negative or NaN
   * @throws {InvalidStateError} if this process has closed the queue
   */
  putMany(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    try {
      return eventually(this.#store.put(this.#store.encodeAll(items), true), options);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Queue.putMany}, but puts only as many as there is room for now.
   *
   * @throws {QueueFull} if there is not enough room; its `count` is how many were put; other errors as
   *   `putMany`
   */
  putManyNowait(items: Iterable<T>): void {
    now(this.#store.put(this.#store.encodeAll(items), true));
  }

  /**
   * Like {@linkcode Queue.putMany}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws {QueueFull} if there was not enough room in `timeout` ms; its `count` is how many were
   *   put; other errors as `putMany`
   */
  putManySync(items: Iterable<T>, options?: BlockOptions): void {
    blockingTimeoutOf(options);
    blocking(this.#store.put(this.#store.encodeAll(items), true), options);
  }

  /**
   * Gets the oldest item, waiting for one if there is none.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms
   * @throws {QueueShutDown} if the queue was shut down and is empty
   * @throws {RangeError} if `timeout` is negative or NaN
   * @throws {InvalidStateError} if this process has closed the queue
   */
  get(options?: WaitOptions): Promise<T> {
    return eventually(this.#store.get, options);
  }

  /**
   * Gets the oldest item if there is one now. Python's `get_nowait`.
   *
   * @throws {QueueEmpty} if there is none
   * @throws {QueueShutDown} if the queue was shut down and is empty
   * @throws {InvalidStateError} if this process has closed the queue
   */
  getNowait(): T {
    return now(this.#store.get);
  }

  /**
   * Like {@linkcode Queue.get}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `get` does.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms; other errors as `get`
   *
   * @example
   * ```ts
   * import { Process, Queue } from "@multiproc/multiprocessing";
   *
   * export function add(numbers: Queue<number>): number {
   *   let sum = 0;
   *   for (let n; (n = numbers.getSync()) !== 0;) sum += n;
   *   return sum;
   * }
   *
   * if (import.meta.main) {
   *   const numbers = new Queue<number>();
   *   const process = new Process({ target: add, args: [numbers] });
   *   process.start();
   *   numbers.putManySync([1, 2, 3, 0]);
   *   console.log(process.resultSync()); // 6
   * }
   * ```
   */
  getSync(options?: BlockOptions): T {
    return blocking(this.#store.get, options);
  }

  /**
   * Gets up to `max` items at once: waits until there is at least one, then takes those that are there.
   * Faster than one `get` each. Python has nothing like it.
   *
   * @param max the most items to get; a whole number from 1 up
   * @throws {QueueEmpty} if there was none in `timeout` ms
   * @throws {QueueShutDown} if the queue was shut down and is empty
   * @throws {RangeError} if `max` is out of range, or `timeout` is negative or NaN
   * @throws {TypeError} if `max` is not a number
   * @throws {InvalidStateError} if this process has closed the queue
   *
   * @example
   * ```ts
   * import { Queue } from "@multiproc/multiprocessing";
   *
   * const queue = new Queue<string>();
   * await queue.putMany(["a", "b", "c"]);
   * console.log(await queue.getMany(2)); // [ "a", "b" ]
   * console.log(await queue.getMany(2)); // [ "c" ]
   * ```
   */
  getMany(max: number, options?: WaitOptions): Promise<T[]> {
    try {
      return eventually(this.#store.getMany(checkMost(max)), options);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Queue.getMany}, but doesn't wait: takes the items that are there now.
   *
   * @param max the most items to get; a whole number from 1 up
   * @throws {QueueEmpty} if there is none; other errors as `getMany`
   */
  getManyNowait(max: number): T[] {
    return now(this.#store.getMany(checkMost(max)));
  }

  /**
   * Like {@linkcode Queue.getMany}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @param max the most items to get; a whole number from 1 up
   * @throws {QueueEmpty} if there was none in `timeout` ms; other errors as `getMany`
   */
  getManySync(max: number, options?: BlockOptions): T[] {
    return blocking(this.#store.getMany(checkMost(max)), options);
  }

  /**
   * Ends the queue for all processes: further puts throw QueueShutDown, and so do gets once the queue is
   * empty; loops over it end. As `queue.Queue.shutdown` of Python 3.13. Doing it again does no harm.
   *
   * @param options `immediate: true` also drops the items in the queue
   * @throws {TypeError} if `immediate` is neither true nor false
   * @throws {InvalidStateError} if this process has closed the queue
   *
   * @example
   * ```ts
   * import { Queue } from "@multiproc/multiprocessing";
   *
   * const queue = new Queue<string>();
   * await queue.putMany(["one", "two"]);
   * queue.shutdown();
   * for await (const item of queue) console.log(item); // one, then two
   * console.log("no more will come"); // no more will come
   * ```
   */
  shutdown(options: { immediate?: boolean } = {}): void {
    const { immediate } = checkNames(options, ["immediate"], "shutdown({ immediate: true })");
    this.#store.shutdown(checkFlag("immediate", immediate));
  }

  /**
   * Ends the use of the queue by this process: its waiting tasks, and later calls, get an
   * InvalidStateError. Other processes don't notice, and its items stay. Calling it again does
   * nothing.
   */
  close(): void {
    forget(this);
    this.#store.close();
  }

  /** Closes it: `using queue = new Queue()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Iterates over items as they are got, until the queue was shut down and is empty.
   *
   * @throws {InvalidStateError} if this process has closed the queue
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.#made.iterate();
  }

  /**
   * A stream that gets the items one by one as it is read, never one ahead; it closes when the
   * queue was shut down and is empty. Cancelling it leaves the queue as it is.
   *
   * @example
   * ```ts
   * import { Queue } from "@multiproc/multiprocessing";
   *
   * const queue = new Queue<string>();
   * await ReadableStream.from(["one", "two"]).pipeTo(queue.writable);
   * for await (const item of queue.readable) console.log(item); // one, then two
   * ```
   */
  get readable(): ReadableStream<T> {
    return this.#made.readable;
  }

  /**
   * A stream that puts what is written to it, with the queue's bounds as its back-pressure.
   * Closing or aborting it shuts the queue down; `pipeTo` with `preventClose: true` doesn't.
   */
  get writable(): WritableStream<T> {
    return this.#made.writable;
  }

  get #made(): Faces<T> {
    return this.#faces ??= new Faces(sourceOf(this.#store.get, isEnd), this);
  }

  /** @ignore */
  [readiness](): Readiness {
    return this.#store.readiness;
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    return print(this, ["Queue", Queue], () => this.#store.state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return "a Queue, which is handed over, not copied. " +
      "Give it to a process in args, at any depth of plain objects, arrays, Maps and Sets";
  }

  /** @ignore */
  [serialize](): Serialized {
    this.#store.checkOpen();
    const { content, source } = this.#store;
    if (source !== undefined) return { kind: DEAD_LETTERS, content: source.storeContent };
    return { kind: "Queue", content };
  }
}

const BOUNDS_AND_NAME = ["maxSize", "maxBytes", "name"];

function checkMost(max: unknown): number {
  return checkWhole("max", max, 1, Number.MAX_SAFE_INTEGER, "the most items to get at once");
}

function checkName(name: unknown): string {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(
      `A queue's name is ${
        name === "" ? "empty" : describe(name)
      }. Give a string that isn't empty.`,
    );
  }
  return name;
}
