// RemoteQueue: a queue in a server, for programs on any machine.

import {
  blockingTimeoutOf,
  cannotClone,
  checkFlag,
  checkNames,
  checkWhole,
  constructFrom,
  customInspect,
  Faces,
  type Inspect,
  isEnd,
  print,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "./core.ts";
import type { Buffer } from "node:buffer";
import type { BlockOptions } from "../wait/options.ts";
import type { AsyncQueueStatistics, BatchQueue, BlockingQueue } from "../queue/contract.ts";
import { contentOf, type QueueContent, storeOf } from "./arrivals.ts";
import { encodeEntry, type Entry, itemOf } from "./entry.ts";
import type { Store } from "./store.ts";

/**
 * The figures of a {@linkcode RemoteQueue}: the answer of {@linkcode RemoteQueue.statistics}.
 *
 * @example
 * ```ts ignore
 * import { connect, type RemoteQueueStatistics } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const queue = await hub.queue<string>("an example with statistics");
 * await queue.put("one");
 * const { size, leased }: RemoteQueueStatistics = await queue.statistics();
 * console.log(size, leased); // 1 0
 * await queue.delete();
 * ```
 */
export interface RemoteQueueStatistics extends AsyncQueueStatistics {
  /** Items that clients have, on any machine, and have not yet acknowledged. */
  leased: number;
}

/** What a queue is made around. */
const stores = new WeakMap<object, Store>();

/** The store of a queue. */
export function storeIn(queue: object): Store {
  return stores.get(queue)!;
}

/**
 * A queue in a Redis server, for any number of programs on any number of machines: made, or opened, by
 * {@linkcode Hub.queue}. Each item that is put is got once, also when connections break or the server restarts;
 * if the program that gets it is killed in that very moment, another one gets it once more. The methods are
 * those of `Queue`; what answers at once there answers by a promise here.
 *
 * @example
 * ```ts ignore
 * import { connect } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const urls = await hub.queue<string>("urls", { maxSize: 1000 });
 * await urls.put("https://example.com/");
 * console.log(await urls.get()); // https://example.com/
 * await urls.delete();
 * ```
 *
 * @typeParam T the type of the items
 */
export class RemoteQueue<T = unknown> implements BatchQueue<T>, BlockingQueue<T> {
  readonly #store: Store;
  #faces: Faces<T> | undefined;

  /** @ignore */
  constructor() {
    const store = receivedParts<Store>(new.target);
    if (store === undefined) {
      throw new TypeError(
        'A queue in a server is not constructed. Get it by hub.queue("name") of a hub of connect().',
      );
    }
    this.#store = store;
    stores.set(this, store);
  }

  static {
    registerTransferable("RemoteQueue", (content) => {
      return constructFrom(RemoteQueue, storeOf(content as QueueContent));
    });
  }

  /** Its name in the server. */
  get name(): string {
    return this.#store.name;
  }

  /** The most items it holds before `put` waits; 0 when their number isn't bounded. */
  get maxSize(): number {
    return this.#store.maxSize;
  }

  /** The number of items in the queue. */
  async qsize(): Promise<number> {
    return (await this.#store.look()).size;
  }

  /** Whether it holds no item. */
  async empty(): Promise<boolean> {
    return (await this.#store.look()).size === 0;
  }

  /** Whether a put would have to wait. */
  async full(): Promise<boolean> {
    const { size } = await this.#store.look();
    return this.maxSize > 0 && size >= this.maxSize;
  }

  /** A snapshot of its figures. */
  async statistics(): Promise<RemoteQueueStatistics> {
    const store = this.#store;
    const { size, put, got, isShut, leased } = await store.look();
    const { takes, puts, maxSize } = store;
    const waitingToGet = takes.waiting, waitingToPut = puts.waiting;
    return { size, maxSize, put, got, leased, waitingToGet, waitingToPut, shutDown: isShut };
  }

  /**
   * Puts an item, waiting for room if the queue is full; resolves when the server has it. It is put once, also
   * when the connection breaks meanwhile.
   *
   * @throws {QueueFull} if there was no room in `timeout` ms
   * @throws {QueueShutDown} if the queue was shut down
   * @throws {TypeError} if the item can't be cloned; the message names the place
   * @throws {RangeError} if the item is larger than the hub's `maxItemBytes`, or `timeout` is negative or NaN
   * @throws {TimeoutError} if the server didn't answer in `timeout` ms; the item may be put or not
   * @throws {InvalidStateError} if the hub is closed, or the server has lost the queue
   */
  async put(item: T, options?: WaitOptions): Promise<void> {
    const timeout = timeoutOf(options), signal = signalOf(options);
    await this.#store.puts.put([this.#encode(item, "item")], false, timeout, signal);
  }

  /**
   * Puts an item if there is room now.
   *
   * @throws {QueueFull} if there is none; other errors as `put`
   */
  async putNowait(item: T): Promise<void> {
    await this.#store.puts.put([this.#encode(item, "item")], false, 0);
  }

  /**
   * Puts many items in their order, waiting for room as often as need be. Faster than one `put` each. If one of
   * them can't be cloned, none is put.
   *
   * @throws {QueueFull} if there was not enough room in `timeout` ms; its `count` is how many were put
   * @throws the errors that `put` throws
   */
  async putMany(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    const timeout = timeoutOf(options), signal = signalOf(options);
    await this.#store.puts.put(this.#encodeAll(items), true, timeout, signal);
  }

  /**
   * Puts many items, as far as there is room now.
   *
   * @throws {QueueFull} if there is not enough room; its `count` is how many were put; other errors as `put`
   */
  async putManyNowait(items: Iterable<T>): Promise<void> {
    await this.#store.puts.put(this.#encodeAll(items), true, 0);
  }

  /**
   * Like {@linkcode RemoteQueue.put}, but blocks the thread while it waits: for CPU-bound code. A thread of its own
   * runs the calls, in no order with those of `put` that are under way.
   *
   * @throws {QueueFull} if there was no room in `timeout` ms; other errors as `put`
   */
  putSync(item: T, options?: BlockOptions): void {
    const timeout = blockingTimeoutOf(options);
    this.#store.blocking.put([this.#encode(item, "item")], false, timeout);
  }

  /**
   * Like {@linkcode RemoteQueue.putMany}, but blocks the thread while it waits.
   *
   * @throws {QueueFull} if there was not enough room in `timeout` ms; other errors as `put`
   */
  putManySync(items: Iterable<T>, options?: BlockOptions): void {
    const timeout = blockingTimeoutOf(options);
    this.#store.blocking.put(this.#encodeAll(items), true, timeout);
  }

  #encode(item: T, root: string): Buffer {
    return encodeEntry(item, root, this.#store.wires.options.maxItemBytes);
  }

  #encodeAll(items: Iterable<T>): Buffer[] {
    return [...items].map((item, i) => this.#encode(item, `items[${i}]`));
  }

  /**
   * Gets the oldest item, waiting for one if there is none.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms
   * @throws {QueueShutDown} if the queue was shut down and is empty
   * @throws {RangeError} if `timeout` is negative or NaN
   * @throws {InvalidStateError} if the hub is closed, or the server has lost the queue
   */
  async get(options?: WaitOptions): Promise<T> {
    const timeout = timeoutOf(options), signal = signalOf(options);
    return await this.#store.takes.get(1, this.#takeOne, timeout, signal) as T;
  }

  /**
   * Gets the oldest item if there is one now.
   *
   * @throws {QueueEmpty} if there is none; other errors as `get`
   */
  async getNowait(): Promise<T> {
    return await this.#store.takes.get(1, this.#takeOne, 0) as T;
  }

  /**
   * Gets up to `max` items at once: waits until there is at least one, then takes those that are there, as many
   * as fit in one answer. Faster than one `get` each.
   *
   * @param max the most items to get; a whole number from 1 up
   * @throws the errors that `get` throws
   */
  async getMany(max: number, options?: WaitOptions): Promise<T[]> {
    checkMost(max);
    const timeout = timeoutOf(options), signal = signalOf(options);
    return await this.#store.takes.get(max, this.#takeAll, timeout, signal) as T[];
  }

  /**
   * Gets up to `max` items that are there now.
   *
   * @throws {QueueEmpty} if there is none; other errors as `get`
   */
  async getManyNowait(max: number): Promise<T[]> {
    return await this.#store.takes.get(checkMost(max), this.#takeAll, 0) as T[];
  }

  /**
   * Like {@linkcode RemoteQueue.get}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms; other errors as `get`
   */
  getSync(options?: BlockOptions): T {
    const timeout = blockingTimeoutOf(options);
    return this.#store.blocking.get(1, this.#takeOne, timeout) as T;
  }

  /**
   * Like {@linkcode RemoteQueue.getMany}, but blocks the thread while it waits.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms; other errors as `get`
   */
  getManySync(max: number, options?: BlockOptions): T[] {
    checkMost(max);
    const timeout = blockingTimeoutOf(options);
    return this.#store.blocking.get(max, this.#takeAll, timeout) as T[];
  }

  readonly #takeOne = (entries: Entry[]): T => this.#takeAll(entries)[0];

  readonly #takeAll = (entries: Entry[]): T[] => {
    const items = entries.map(({ bytes }) => itemOf(bytes) as T);
    this.taken(entries);
    return items;
  };

  /**
   * Called with what was handed out; the queue's own keep it, or acknowledge it.
   *
   * @ignore
   */
  protected taken(entries: unknown): void {
    this.#store.takes.acknowledge(entries as Entry[]);
  }

  /**
   * Ends the queue for all, on every machine: further puts throw QueueShutDown, and so do gets once the queue is
   * empty; loops over it end. Doing it again does no harm.
   *
   * @param options `immediate: true` also drops the items in the queue
   * @throws {TypeError} if `immediate` is neither true nor false
   */
  async shutdown(options: { immediate?: boolean } = {}): Promise<void> {
    const { immediate } = checkNames(options, ["immediate"], "shutdown({ immediate: true })");
    await this.#store.shutdown(checkFlag("immediate", immediate));
  }

  /**
   * Removes the queue from the server, with all that is in it. Who uses it elsewhere gets an InvalidStateError.
   */
  async delete(): Promise<void> {
    await this.#store.remove();
  }

  /** Iterates over items as they are got, until the queue was shut down and is empty. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.#made.iterate();
  }

  /**
   * A stream that gets the items one by one as it is read, never one ahead; it closes when the queue was shut
   * down and is empty. Cancelling it leaves the queue as it is.
   */
  get readable(): ReadableStream<T> {
    return this.#made.readable;
  }

  /**
   * A stream that puts what is written to it, with the queue's bound as its back-pressure. Closing or aborting
   * it shuts the queue down; `pipeTo` with `preventClose: true` doesn't.
   */
  get writable(): WritableStream<T> {
    return this.#made.writable;
  }

  get #made(): Faces<T> {
    return this.#faces ??= new Faces<T>({
      take: (signal) => this.get({ signal }),
      takeFor: (use, signal) => {
        signal.throwIfAborted();
        const take = (entries: Entry[]) => {
          use(itemOf(entries[0].bytes) as T);
          this.taken(entries);
        };
        return this.#store.takes.get(1, take, Infinity, signal);
      },
      isEnd,
    }, this);
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { name, maxSize } = this.#store;
    return print(this, ["RemoteQueue", RemoteQueue], () => ({ name, maxSize }), inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return "a RemoteQueue, a place in a server. Give it to a process in args, or open it there by its name";
  }

  /** @ignore */
  [serialize](): Serialized {
    return { kind: "RemoteQueue", content: contentOf(this.#store) };
  }
}

function checkMost(max: unknown): number {
  return checkWhole("max", max, 1, Number.MAX_SAFE_INTEGER, "the most items to get at once");
}
