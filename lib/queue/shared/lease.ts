// Lease: an item that this process has got from a JoinableQueue, and not finished.

import { InvalidStateError } from "../../errors.ts";
import { customInspect, type Inspect, print } from "../../printing.ts";
import { cannotClone } from "../../transfer/transferable.ts";
import { corrupted } from "../../validate/corruption.ts";
import type { AsyncLease } from "../contract.ts";
import * as primordials from "../../platform/primordials.ts";

/**
 * An item got by {@linkcode JoinableQueue.leases}, which is this process's until it is done. Disposed of without
 * `done()`, and when the process ends, it goes back to the head of the queue. `using job` and `await using job`
 * dispose of it at the end of the block.
 *
 * @example
 * ```ts
 * import { JoinableQueue, type Lease } from "@multiproc/multiprocessing";
 *
 * function work(job: Lease<string>) {
 *   console.log(`attempt ${job.attempt}: ${job.item}`);
 *   if (job.attempt === 2) job.done();
 * }
 *
 * const jobs = new JoinableQueue<string>();
 * await jobs.put("one");
 * for (let i = 0; i < 2; i++) {
 *   using job = await jobs.lease();
 *   work(job); // attempt 1: one, then attempt 2: one
 * }
 * await jobs.join();
 * ```
 *
 * @typeParam T the type of the item
 */
export interface Lease<T> extends AsyncLease<T>, Disposable {
  /**
   * Says that the item is finished: it is gone then, and counted for `join`. A second call does nothing.
   *
   * @throws {InvalidStateError} if the item was given back before, by `giveBack` or the disposal, or the lease was
   *   lost, since code that isn't trusted has written to the queue's memory
   */
  done(): void;
  /**
   * Gives the item back to the head of the queue, or to the dead letters if this was its last attempt. It does
   * nothing once the lease has ended.
   */
  giveBack(): void;
}

/** Ends a lease: counts the item as finished, or gives it back; false if this process no longer has it. */
export type EndLease = (isDone: boolean) => boolean;

const DONE = "done()";

/** The lease of an item in shared memory. */
export class SharedLease<T> implements Lease<T> {
  readonly item: T;
  readonly attempt: number;
  readonly #end: EndLease;
  #ended = "";

  constructor(item: T, attempt: number, end: EndLease) {
    this.item = item;
    this.attempt = attempt;
    this.#end = end;
  }

  done(): void {
    if (this.#ended === DONE) return;
    if (this.#ended !== "") {
      throw new InvalidStateError(
        `The item was given back, by ${this.#ended}, and may be another's by now. Call done() before that.`,
      );
    }
    const had = this.#end(true);
    this.#ended = DONE;
    if (!had) throw corrupted("queue");
  }

  giveBack(): void {
    this.#giveBack("giveBack()");
  }

  #giveBack(how: string): void {
    if (this.#ended !== "") return;
    this.#end(false);
    this.#ended = how;
  }

  [Symbol.dispose](): void {
    this.#giveBack("its disposal");
  }

  [Symbol.asyncDispose](): Promise<void> {
    try {
      this[Symbol.dispose]();
      return primordials.Promise.resolve();
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { item, attempt } = this, ended = this.#ended !== "";
    const state = () => ({ item, attempt, ...ended && { ended } });
    return print(this, ["Lease", SharedLease], state, inspect, options);
  }

  get [cannotClone](): string {
    return "a Lease, which belongs to the process that got it. Hand over its item, and call done() where the lease is";
  }
}
