// JoinableQueue: a queue that counts what its consumers have finished.

import { customInspect, type Inspect, print } from "../../printing.ts";
import {
  constructFrom,
  registerTransferable,
  serialize,
  type Serialized,
} from "../../transfer/transferable.ts";
import { blocking, eventually } from "../../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../../wait/options.ts";
import type { AsyncJoinableQueue } from "../contract.ts";
import { Queue, storeOf } from "./queue.ts";
import type { QueueOptions } from "./queue_options.ts";
import type { JoinableQueueStatistics } from "./queue_statistics.ts";
import { Store, type StoreContent } from "./store.ts";

/**
 * A {@linkcode Queue} that knows when all items that were put are finished: consumers call `taskDone()` once
 * for each item they got and finished, and `join()` waits until every item is. Python's
 * `multiprocessing.JoinableQueue`.
 *
 * An item got by a process that ends before it called `taskDone()` is never done, as in Python.
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
export class JoinableQueue<T = unknown> extends Queue<T> implements AsyncJoinableQueue<T> {
  /**
   * Makes a queue; see {@linkcode Queue}.
   *
   * @throws {RangeError} if `maxSize` or `maxBytes` is not a whole number in its range
   * @throws {TypeError} if one of them is not a number, or `name` is not a string, or is empty
   * @throws {InvalidStateError} if this process already has a queue of that name
   */
  constructor(options?: QueueOptions) {
    super(options);
  }

  static {
    registerTransferable("JoinableQueue", (content) => {
      return constructFrom(JoinableQueue, Store.arrived(content as StoreContent));
    });
  }

  /** The number of items that were put and not yet reported done. */
  get unfinished(): number {
    return storeOf(this).ring.unfinished;
  }

  /** A snapshot of its figures. */
  override statistics(): JoinableQueueStatistics {
    const { ring, allDone } = storeOf(this);
    const { unfinished } = ring, waitingToJoin = allDone.waiting;
    return { ...super.statistics(), unfinished, waitingToJoin };
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
      const { state, ring } = storeOf(this);
      const { name, size, maxSize, ...more } = state;
      const named = name === undefined ? {} : { name };
      return { ...named, size, maxSize, unfinished: ring.unfinished, ...more };
    };
    return print(this, ["JoinableQueue", JoinableQueue], state, inspect, options);
  }

  /** @ignore */
  override [serialize](): Serialized {
    return { ...super[serialize](), kind: "JoinableQueue" };
  }
}
