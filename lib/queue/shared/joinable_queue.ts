// JoinableQueue: a queue that counts what its consumers have finished.

import { customInspect, type Inspect, print } from "../../printing.ts";
import {
  constructFrom,
  registerTransferable,
  serialize,
  type Serialized,
} from "../../transfer/transferable.ts";
import { MAX_ATTEMPTS } from "../../shm/lease_table.ts";
import { checkWhole } from "../../validate/numbers.ts";
import { option } from "../../validate/options.ts";
import { blocking, eventually, now } from "../../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../../wait/options.ts";
import { sourceOf } from "../../wait/source.ts";
import { iterate } from "../../wait/streams.ts";
import type { DeadLetter, LeasingQueue } from "../contract.ts";
import { isEnd } from "../faces.ts";
import type { Lease } from "./lease.ts";
import { Leases } from "./leases.ts";
import { DEAD_LETTERS, makeStore, Queue, storeOf } from "./queue.ts";
import type { JoinableQueueOptions } from "./queue_options.ts";
import type { JoinableQueueStatistics } from "./queue_statistics.ts";
import type { Store, StoreContent } from "./store.ts";

/**
 * A {@linkcode Queue} that knows when all items that were put are finished: consumers call `taskDone()` once
 * for each item they got and finished, and `join()` waits until every item is. Python's
 * `multiprocessing.JoinableQueue`.
 *
 * An item got by a process that ends before it called `taskDone()` is never done, as in Python. An item that
 * is leased comes back instead: see {@linkcode JoinableQueue.leases}.
 *
 * @example
 * ```ts
 * import { JoinableQueue, Process } from "@multiproc/multiprocessing";
 *
 * export async function work(queue: JoinableQueue<string>) {
 *   for await (const url of queue) {
 *     console.log(url); // url_1, then url_2
 *     queue.taskDone();
 *   }
 * }
 *
 * if (import.meta.main) {
 *   const queue = new JoinableQueue<string>();
 *   new Process({ target: work, args: [queue], daemon: true }).start();
 *   await queue.putMany(["url_1", "url_2"]);
 *   await queue.join();
 *   console.log("all done"); // all done
 * }
 * ```
 *
 * @typeParam T the type of the items
 */
export class JoinableQueue<T = unknown> extends Queue<T> implements LeasingQueue<T> {
  #dead: Queue<DeadLetter<T>> | undefined;

  /**
   * Makes a queue; see {@linkcode Queue}.
   *
   * @throws {RangeError} if `maxSize`, `maxBytes` or `attempts` is not a whole number in its range
   * @throws {TypeError} if one of them is not a number, or `name` is not a string, or is empty
   * @throws {InvalidStateError} if this process already has a queue of that name
   */
  constructor(options?: JoinableQueueOptions) {
    super(options);
  }

  /** @ignore */
  override [makeStore](options: JoinableQueueOptions): Store<T> {
    const store = super[makeStore](options, ["attempts"]);
    const attempts = option(options, "attempts");
    if (attempts !== undefined) {
      store.attempts = checkWhole(
        "attempts",
        attempts,
        1,
        MAX_ATTEMPTS,
        "leave it out for no bound",
      );
    }
    return store;
  }

  static {
    registerTransferable("JoinableQueue", (content) => {
      return constructFrom(JoinableQueue, Leases.arrived(content as StoreContent));
    });
    registerTransferable(DEAD_LETTERS, (content) => {
      return constructFrom(Queue, Leases.of(Leases.arrived(content as StoreContent)).dead);
    });
  }

  /** How often an item is leased, at most; 0 if that isn't bounded. */
  get attempts(): number {
    return storeOf(this).attempts;
  }

  /** The number of items that were put and not yet reported done. */
  get unfinished(): number {
    return storeOf(this).unfinished;
  }

  /** A snapshot of its figures. */
  override statistics(): JoinableQueueStatistics {
    const store = storeOf(this);
    const { unfinished } = store, waitingToJoin = store.allDone.waiting;
    const statistics = super.statistics();
    const { leased, ready, dead } = store.leases === undefined ? NO_LEASES : store.leases.figures;
    const got = (statistics.got - ready) >>> 0;
    return { ...statistics, got, unfinished, waitingToJoin, leased, dead };
  }

  /**
   * Iterates over items, each leased to this process, until the queue was shut down and no item is left that
   * could come back from another process. A leased item stays in shared memory until `done()` is called. When
   * its process ends before that, however it does, and when the lease is given back or disposed of, the item is
   * at the head of the queue again, and `attempt` counts up. An item that comes back from its last attempt (see
   * {@linkcode JoinableQueueOptions.attempts}) goes to {@linkcode JoinableQueue.dead} instead.
   *
   * So each item is worked on until it is done, and none is lost; one may be worked on twice, where a process
   * ends between the work and `done()`. `done()` takes the place of `taskDone()`. Python has nothing like it.
   *
   * @throws {InvalidStateError} if this process has closed the queue, or is a worker that this library did not
   *   start and that belongs to another program
   * @throws {RangeError} if the memory for another leased item can't be had
   *
   * @example
   * ```ts
   * import { JoinableQueue, Process } from "@multiproc/multiprocessing";
   *
   * export async function work(jobs: JoinableQueue<string>) {
   *   for await (await using job of jobs.leases()) {
   *     if (job.attempt === 1) Deno.exit(1); // the worker ends with the item in hand
   *     console.log(`${job.item}, attempt ${job.attempt}`); // url_1, attempt 2
   *     job.done();
   *   }
   * }
   *
   * if (import.meta.main) {
   *   const jobs = new JoinableQueue<string>({ attempts: 3 });
   *   await jobs.put("url_1");
   *   for (let i = 0; i < 2; i++) new Process({ target: work, args: [jobs] }).start();
   *   await jobs.join();
   *   jobs.shutdown();
   * }
   * ```
   */
  leases(): AsyncIterableIterator<Lease<T>> {
    return iterate(sourceOf(Leases.of(storeOf(this)).lease, isEnd));
  }

  /**
   * Leases the item at the head of the queue, waiting for one if there is none: one step of
   * {@linkcode JoinableQueue.leases}.
   *
   * @throws {QueueEmpty} if there was none in `timeout` ms
   * @throws {QueueShutDown} if the queue was shut down and no item is left that could come back
   * @throws {RangeError} if `timeout` is negative or NaN
   * @throws the other errors of `leases`
   */
  lease(options?: WaitOptions): Promise<Lease<T>> {
    return eventually(Leases.of(storeOf(this)).lease, options);
  }

  /**
   * Leases the item at the head of the queue if there is one now.
   *
   * @throws {QueueEmpty} if there is none; other errors as `lease`
   */
  leaseNowait(): Lease<T> {
    return now(Leases.of(storeOf(this)).lease);
  }

  /**
   * Like {@linkcode JoinableQueue.lease}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws the errors that `lease` throws
   *
   * @example
   * ```ts
   * import { JoinableQueue } from "@multiproc/multiprocessing";
   *
   * const jobs = new JoinableQueue<number>();
   * jobs.putManySync([1, 2, 3]);
   * for (let sum = 0, i = 0; i < 3; i++) {
   *   using job = jobs.leaseSync();
   *   console.log(sum += job.item); // 1, then 3, then 6
   *   job.done();
   * }
   * ```
   */
  leaseSync(options?: BlockOptions): Lease<T> {
    return blocking(Leases.of(storeOf(this)).lease, options);
  }

  /**
   * The dead letters: the items that came back from their last attempt, and how many there were. They count as
   * finished. A queue like others, which can be handed to another process, but nothing else is put into it; items
   * that come after its shutdown are dropped.
   *
   * @example
   * ```ts
   * import { JoinableQueue } from "@multiproc/multiprocessing";
   *
   * const jobs = new JoinableQueue<string>({ attempts: 2 });
   * await jobs.put("not a number");
   * while (jobs.unfinished > 0) {
   *   using job = jobs.leaseNowait();
   *   if (Number.isFinite(Number(job.item))) job.done();
   * }
   * console.log(await jobs.dead.get()); // { item: "not a number", attempts: 2 }
   * ```
   */
  get dead(): Queue<DeadLetter<T>> {
    return this.#dead ??= constructFrom(
      Queue as new () => Queue<DeadLetter<T>>,
      Leases.of(storeOf(this)).dead,
    );
  }

  /**
   * Says that an item got from the queue is finished.
   *
   * @throws {RangeError} if called more often than items were put (Python: ValueError)
   * @throws {InvalidStateError} if this process has closed the queue
   */
  taskDone(): void {
    storeOf(this).taskDone();
  }

  /**
   * Waits until every item that was put is done; resolves to true, or to false if that took more than
   * `timeout` ms.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   * @throws {InvalidStateError} if this process has closed the queue
   */
  join(options?: WaitOptions): Promise<boolean> {
    return eventually(storeOf(this).join, options);
  }

  /**
   * Like {@linkcode JoinableQueue.join}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws the errors that `join` throws
   */
  joinSync(options?: BlockOptions): boolean {
    return blocking(storeOf(this).join, options);
  }

  /** @ignore */
  override [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => {
      const { state, unfinished, leases } = storeOf(this);
      const { name, size, maxSize, ...more } = state;
      const named = name === undefined ? {} : { name };
      const leased = leases === undefined ? 0 : leases.figures.leased;
      return { ...named, size, maxSize, unfinished, ...leased > 0 && { leased }, ...more };
    };
    return print(this, ["JoinableQueue", JoinableQueue], state, inspect, options);
  }

  /** @ignore */
  override [serialize](): Serialized {
    Leases.of(storeOf(this));
    return { ...super[serialize](), kind: "JoinableQueue" };
  }
}

const NO_LEASES = { leased: 0, ready: 0, dead: 0 };
