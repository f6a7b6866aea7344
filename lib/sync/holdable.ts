// What locks and semaphores have in common. Each class says that it implements it, and
// tests/sync/holdable_contract.ts checks for each that it keeps what it promises.

import type { BlockOptions, WaitOptions } from "../wait/options.ts";
import type { Held } from "./guard.ts";

/**
 * What can be acquired, held and released: {@linkcode Lock}, {@linkcode RLock}, {@linkcode Semaphore},
 * {@linkcode BoundedSemaphore} and {@linkcode Condition}, which has a lock. For functions that only need one
 * of them to keep others out.
 *
 * When a process ends while it holds one, however it ends, the others are not stuck: the next to acquire it is
 * told by an {@linkcode AbandonedLockError}, once, and what was held is free then.
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
   * Acquires it, waiting until that is possible: true then, false if that took more than `timeout` ms. Of several
   * calls of one process that wait, the first has its turn first, and a later call doesn't overtake one that
   * waits. A wait that ends early has taken nothing.
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
   * @throws {InvalidStateError} if it has a holder, as a lock has, and this process isn't it
   * @throws {RangeError} if there would be more permits than there can be
   */
  release(): void;
  /**
   * Acquires it until the end of the block: `using held = await lock.hold()`.
   *
   * @throws {TimeoutError} if that took more than `timeout` ms; the others as `acquire`
   */
  hold(options?: WaitOptions): Promise<Held>;
  /** Like {@linkcode Holdable.hold}, but blocks the thread while it waits: for CPU-bound code. */
  holdSync(options?: BlockOptions): Held;
}
