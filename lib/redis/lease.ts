// An item that is leased to this client until it is done.

import type { AsyncLease } from "../queue/contract.ts";
import {
  constructFrom,
  customInspect,
  type Inspect,
  InvalidStateError,
  print,
  receivedParts,
} from "./core.ts";
import { attemptOf, type Entry, itemOf } from "./entry.ts";
import { leaseLostError } from "./queue_errors.ts";
import type { Store } from "./store.ts";

/**
 * An item of a {@linkcode RemoteJoinableQueue} that this client has until `done()` or `giveBack()`. When its
 * block ends without, or its program does, in whatever way, the item goes back to the head of the queue, and
 * whoever gets it then is told that it was tried before.
 *
 * @example
 * ```ts ignore
 * import { connect, type Lease } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const jobs = await hub.joinableQueue<string>("jobs with leases");
 * await jobs.put("a job");
 *
 * async function work(lease: Lease<string>) {
 *   await using job = lease; // given back if this throws
 *   console.log(job.item, job.attempt); // a job 1
 *   await job.done();
 * }
 *
 * await work(await jobs.lease());
 * console.log(await jobs.unfinished); // 0
 * await jobs.delete();
 * ```
 *
 * @typeParam T the type of the item
 */
export class Lease<T = unknown> implements AsyncLease<T> {
  /** The item. */
  readonly item: T;
  /** How often the item was given out, this time included: 1 at first. */
  readonly attempt: number;
  readonly #store: Store;
  readonly #tag: number;
  readonly #lost = new AbortController();
  #isDone = false;
  #isGivenBack = false;

  /** @ignore */
  constructor() {
    const parts = receivedParts<[Store, Entry]>(new.target);
    if (parts === undefined) {
      throw new TypeError(
        "A Lease can't be constructed. Get one by lease() or leases() of a queue.",
      );
    }
    const [store, entry] = parts;
    this.item = itemOf(entry.bytes) as T;
    this.attempt = attemptOf(entry.bytes);
    this.#store = store;
    this.#tag = entry.tag;
    store.takes.hold(entry, () => this.#lost.abort(leaseLostError(store.name)));
  }

  /** Whether the item is another's by now, as far as this client knows. */
  get lost(): boolean {
    return this.#lost.signal.aborted;
  }

  /** Aborted, with a LeaseLostError, when this client learns that the item is another's: to end the work early. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Says that the item is finished: it is gone then, and counted for `join`. A second call does nothing.
   *
   * @throws {InvalidStateError} if the item was given back before
   * @throws {LeaseLostError} if the lease had ended before: another one gets the item
   */
  async done(): Promise<void> {
    if (this.#isDone) return;
    if (this.#isGivenBack) {
      throw new InvalidStateError(
        "The item was given back, and may be another's by now. Call done() before that.",
      );
    }
    this.#isDone = true;
    let answer: string;
    try {
      answer = await this.#store.takes.end(this.#tag);
    } catch (error) {
      this.#isDone = false;
      throw error;
    }
    if (answer === "0") throw leaseLostError(this.#store.name);
  }

  /** Gives the item back to the head of the queue, for anybody; it does nothing once the lease has ended. */
  async giveBack(): Promise<void> {
    if (this.#isDone || this.#isGivenBack) return;
    this.#isGivenBack = true;
    try {
      await this.#store.takes.release(this.#tag);
    } catch (error) {
      this.#isGivenBack = false;
      throw error;
    }
  }

  /** Gives the item back, unless it is done: at the end of a block with `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.giveBack();
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { item, attempt, lost } = this;
    const state = () => ({ item, attempt, ...lost && { lost } });
    return print(this, ["Lease", Lease], state, inspect, options);
  }
}

/** Makes the lease of an entry. */
export function leaseOf<T>(store: Store, entry: Entry): Lease<T> {
  return constructFrom(Lease<T>, [store, entry]);
}
