// RemoteJoinableQueue: a queue in a server that knows when all its items are done, and gives an item out again
// when its consumer has gone without.

import {
  blockingTimeoutOf,
  cannotClone,
  constructFrom,
  customInspect,
  Faces,
  type Inspect,
  isEnd,
  print,
  registerTransferable,
  serialize,
  type Serialized,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "./core.ts";
import type { AsyncJoinableQueueStatistics, DeadLetter, LeasingQueue } from "../queue/contract.ts";
import { contentOf, type QueueContent, storeOf } from "./arrivals.ts";
import type { BlockOptions } from "../wait/options.ts";
import type { Entry } from "./entry.ts";
import { type Lease, leaseOf } from "./lease.ts";
import { RemoteQueue, type RemoteQueueStatistics, storeIn } from "./queue.ts";
import { leaseLostError } from "./queue_errors.ts";
import { Store } from "./store.ts";

/**
 * The figures of a {@linkcode RemoteJoinableQueue}.
 *
 * @example
 * ```ts ignore
 * import { connect, type RemoteJoinableQueueStatistics } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const queue = await hub.joinableQueue<string>("an example with a count");
 * await queue.put("one");
 * const { unfinished, dead }: RemoteJoinableQueueStatistics = await queue.statistics();
 * console.log(unfinished, dead); // 1 0
 * await queue.delete();
 * ```
 */
export interface RemoteJoinableQueueStatistics
  extends RemoteQueueStatistics, AsyncJoinableQueueStatistics {
  /** Dead letters: items that came back as often as `attempts` allows. */
  dead: number;
}

/**
 * A queue in a Redis server that knows when all items that were put are finished: made, or opened, by
 * {@linkcode Hub.joinableQueue}. An item that was got stays leased to the client until it is done; when the
 * client's program ends without, in whatever way, the item comes back to the head of the queue.
 *
 * @example
 * ```ts ignore
 * import { connect } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const jobs = await hub.joinableQueue<string>("jobs", { attempts: 5 });
 * await jobs.putMany(["one", "two"]);
 * await jobs.shutdown();
 * for await (const job of jobs.leases()) {
 *   console.log(job.item, job.attempt); // one 1, then two 1
 *   await job.done();
 * }
 * console.log(await jobs.join()); // true
 * await jobs.delete();
 * ```
 *
 * @typeParam T the type of the items
 */
export class RemoteJoinableQueue<T = unknown> extends RemoteQueue<T> implements LeasingQueue<T> {
  /** The tags that `get` has handed out and `taskDone` hasn't reported, the oldest first. */
  readonly #undone: number[] = [];
  #dead: RemoteQueue<DeadLetter<T>> | undefined;

  /** @ignore */
  constructor() {
    super();
  }

  static {
    registerTransferable("RemoteJoinableQueue", (content) => {
      return constructFrom(RemoteJoinableQueue, storeOf(content as QueueContent));
    });
  }

  /** How often an item is given out before it goes to the dead letters; 0 for no limit. */
  get attempts(): number {
    return storeIn(this).attempts;
  }

  /** The number of items that were put and not yet reported done. */
  get unfinished(): Promise<number> {
    return storeIn(this).look().then(({ put, done }) => Math.max(0, put - done));
  }

  /** A snapshot of its figures. */
  override async statistics(): Promise<RemoteJoinableQueueStatistics> {
    const store = storeIn(this);
    const { size, put, got, done, isShut, leased, dead } = await store.look();
    const { takes, puts, joins, maxSize } = store;
    const waitingToGet = takes.waiting, waitingToPut = puts.waiting, waitingToJoin = joins.waiting;
    const unfinished = Math.max(0, put - done);
    return {
      ...{ size, maxSize, put, got, unfinished, leased, dead },
      ...{ waitingToGet, waitingToPut, waitingToJoin, shutDown: isShut },
    };
  }

  /** @ignore */
  protected override taken(entries: unknown): void {
    const store = storeIn(this);
    for (const entry of entries as Entry[]) {
      store.takes.hold(entry, () => {});
      this.#undone.push(entry.tag);
    }
  }

  /**
   * Says that an item got from the queue is finished: the one that `get` of this object has given first and that
   * isn't reported yet. Without one, an item of another object or process is counted as finished.
   *
   * @throws {RangeError} if called more often than items were put
   * @throws {LeaseLostError} if the item's lease had ended before: another one gets the item
   */
  async taskDone(): Promise<void> {
    const store = storeIn(this);
    const tag = this.#undone.shift() ?? "";
    let answer: string;
    try {
      answer = await store.takes.end(tag);
    } catch (error) {
      if (tag !== "") this.#undone.unshift(tag);
      throw error;
    }
    if (answer === "1") return;
    if (tag !== "" && answer === "0") throw leaseLostError(this.name);
    throw new RangeError(
      "taskDone() was called more often than there were items. Call it once for each item got.",
    );
  }

  /**
   * Waits until all items that were put are done, or are dead letters; resolves to true, or to false if that took
   * more than `timeout` ms.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  async join(options?: WaitOptions): Promise<boolean> {
    const timeout = timeoutOf(options), signal = signalOf(options);
    return await storeIn(this).joins.join(timeout, signal);
  }

  /** Like {@linkcode RemoteJoinableQueue.join}, but blocks the thread while it waits. */
  joinSync(options?: BlockOptions): boolean {
    return storeIn(this).blocking.join(blockingTimeoutOf(options));
  }

  /**
   * Gets the oldest item as a {@linkcode Lease}, waiting for one if there is none.
   *
   * @throws the errors that `get` throws
   */
  async lease(options?: WaitOptions): Promise<Lease<T>> {
    const store = storeIn(this);
    const timeout = timeoutOf(options), signal = signalOf(options);
    const take = (entries: Entry[]) => leaseOf<T>(store, entries[0]);
    return await store.takes.get(1, take, timeout, signal) as Lease<T>;
  }

  /**
   * Iterates over the items as leases, until the queue was shut down and is empty. Use each with `await using`,
   * or call its `done()` or `giveBack()`.
   */
  leases(): AsyncIterableIterator<Lease<T>> {
    return new Faces<Lease<T>>({
      take: (signal) => this.lease({ signal }),
      takeFor: (use, signal) => this.lease({ signal }).then(use),
      isEnd,
    }, this as never).iterate();
  }

  /** The dead letters: items that came back as often as `attempts` allows. */
  get dead(): RemoteQueue<DeadLetter<T>> {
    return this.#dead ??= constructFrom(RemoteQueue<DeadLetter<T>>, deadOf(storeIn(this)));
  }

  /** @ignore */
  override [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { name, maxSize, attempts } = storeIn(this);
    const state = () => ({ name, maxSize, ...attempts > 0 && { attempts } });
    const namedClass = ["RemoteJoinableQueue", RemoteJoinableQueue] as const;
    return print(this, namedClass, state, inspect, options);
  }

  /** @ignore */
  override get [cannotClone](): string {
    return super[cannotClone];
  }

  /** @ignore */
  override [serialize](): Serialized {
    return { kind: "RemoteJoinableQueue", content: contentOf(storeIn(this)) };
  }
}

/** The queue of the dead letters, which was made with the queue. */
function deadOf({ wires, name, base, id }: Store): Store {
  const wanted = { counted: false, maxSize: 0, attempts: undefined, expireAfter: undefined };
  return new Store(wires, `${name}, dead`, `${base}:dead`, wanted, id);
}
