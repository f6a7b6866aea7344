// The interface that locks and semaphores share. Each class declares that it implements it, and
// tests/sync/holdable_contract.ts checks that each keeps its promises.

import type { BlockOptions, WaitOptions } from "../wait/options.ts";
import type { Held } from "./guard.ts";

/**
 * An object that can be acquired, held and released: {@linkcode Lock}, {@linkcode RLock},
 * {@linkcode Semaphore}, {@linkcode BoundedSemaphore} and {@linkcode Condition}, which has a lock. For
 * functions that need any one of them, to keep other tasks out.
 *
 * When a process ends while it holds one, however it ends, the others are not stuck: the next process that
 * acquires it gets an {@linkcode AbandonedLockError}, once, and what was held is free then.
 *
 * @example
 * ```ts
 * import { type Holdable, Lock, Semaphore } from "@multiproc/multiprocessing";
 *
 * async function exclusively<R>(what: Holdable, work: () => R): Promise<R> {
 *   using _held = await what.hold({ timeout: 1000 });
 *   return work();
 * }
 *
 * for (const what of [new Lock(), new Semaphore(3)]) {
 *   console.log(await exclusively(what, () => "alone, or almost")); // alone, or almost
 * }
 * ```
 */
export interface Holdable {
  /**
   * Acquires it, waiting until that is possible; resolves to true, or to false if that took more than
   * `timeout` ms. Waiting calls of one process are served in their order, and a later call doesn't overtake
   * one that waits. A wait that ends early has acquired nothing.
   *
   * @throws {AbandonedLockError} once, if a process that held it has ended; it is free then
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  acquire(options?: WaitOptions): Promise<boolean>;
  /** Like {@linkcode Holdable.acquire}, but blocks the thread while it waits: for CPU-bound code. */
  acquireSync(options?: BlockOptions): boolean;
  /** Acquires it if that is possible now; else false. */
  tryAcquire(): boolean;
  /**
   * Releases it, once.
   *
   * @throws {InvalidStateError} if only its holder may release it, as with a lock, and this process isn't the
   *   holder
   * @throws {RangeError} if there would be more permits than is allowed
   */
  release(): void;
  /**
   * Acquires it until the end of the block: `using held = await lock.hold()`.
   *
   * @throws {TimeoutError} if that took more than `timeout` ms; other errors as `acquire`
   */
  hold(options?: WaitOptions): Promise<Held>;
  /** Like {@linkcode Holdable.hold}, but blocks the thread while it waits: for CPU-bound code. */
  holdSync(options?: BlockOptions): Held;
}
