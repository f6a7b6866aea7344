// Semaphore and BoundedSemaphore: a number of permits (Dijkstra's counting semaphore), for all processes and
// all tasks.

import { checkNumber, isWhole } from "../validate/numbers.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import {
  cannotClone,
  constructFrom,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
} from "../transfer/transferable.ts";
import { noteMade } from "../wait/made.ts";
import { blocking, done, eventually, now } from "../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../wait/options.ts";
import { type Held, HeldUntilDisposed, hold, holdSync } from "./guard.ts";
import type { Holdable } from "./holdable.ts";
import { MAX_PERMITS, newSemaphoreState, SemaphoreState, TOO_MANY } from "./semaphore_state.ts";
import {
  handedOverOnly,
  receivedState,
  serializedOf,
  type SharedState,
} from "../shm/shared_state.ts";
import type { SemaphoreStatistics } from "./statistics.ts";
import * as primordials from "../platform/primordials.ts";

const { RangeError } = primordials;

const SEMAPHORE = "Semaphore", BOUNDED = "BoundedSemaphore";

/**
 * A number of permits: `acquire` takes one and waits while there is none, `release` gives one back. Python's
 * `multiprocessing.Semaphore`. With n permits it lets n tasks at a time do something; with none at first it
 * is a signal, which one process gives with `release` and another takes with `acquire`.
 *
 * It has no owner, as in Python: a process that releases need not have acquired. When a process ends, however
 * it does, while it holds permits, the next `acquire` throws {@linkcode AbandonedLockError} once for that
 * process, and its permits are free. Permits that were not there at first (released as a signal), or that
 * another process has released in its place, are not freed again.
 *
 * No process is starved: a process that has waited for some milliseconds is served before others that acquire
 * again and again.
 *
 * @example
 * ```ts
 * import { Process, Semaphore } from "@multiproc/multiprocessing";
 *
 * export async function download(url: string, slots: Semaphore) {
 *   using _held = await slots.hold();
 *   console.log("at most 2 at a time:", url);
 * }
 *
 * if (import.meta.main) {
 *   const slots = new Semaphore(2);
 *   for (const url of ["a", "b", "c", "d"]) {
 *     new Process({ target: download, args: [url, slots] }).start();
 *   }
 * }
 * ```
 */
export class Semaphore implements Holdable {
  readonly #shared: SharedState;
  readonly #permits: SemaphoreState;

  /**
   * Makes a semaphore.
   *
   * @param n the number of permits at first, from 0 to 2 ** 31 - 1; by default 1
   * @throws {TypeError} if `n` isn't a number
   * @throws {RangeError} if `n` isn't whole, or out of this range
   */
  constructor(n = 1) {
    checkNumber("n", n, isPermits, WANTED, ", which is no number of permits");
    this.#shared = receivedParts<SharedState>(new.target) ?? newSemaphoreState(n);
    this.#permits = new SemaphoreState(this.#shared, this.#kind);
    if (noteMade !== undefined) noteMade(this.#permits);
  }

  static {
    registerTransferable(
      SEMAPHORE,
      (content) => constructFrom(Semaphore, receivedState(content)),
    );
  }

  get #kind(): string {
    return this instanceof BoundedSemaphore ? BOUNDED : SEMAPHORE;
  }

  /** The number of free permits. In the next moment it may be otherwise. Python's `get_value()`. */
  get value(): number {
    return this.#permits.value;
  }

  /**
   * Takes a permit, waiting while there is none; resolves to true, or to false if that took more than
   * `timeout` ms.
   *
   * @throws {AbandonedLockError} once for each process that has ended with permits; they are free then
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    try {
      if (
        options === undefined && this.#permits.eventcount.waiting === 0 && this.#permits.tryTake()
      ) {
        return done(true);
      }
    } catch (error) {
      return primordials.Promise.reject(error);
    }
    return eventually(this.#permits.taking(), options);
  }

  /**
   * Like {@linkcode Semaphore.acquire}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `acquire` does.
   *
   * @throws the errors that `acquire` throws
   */
  acquireSync(options?: BlockOptions): boolean {
    if (
      options === undefined && this.#permits.eventcount.waiting === 0 && this.#permits.tryTake()
    ) {
      return true;
    }
    return blocking(this.#permits.taking(), options);
  }

  /**
   * Takes a permit if there is one now; returns false otherwise. Python's `acquire(block=False)`.
   *
   * @throws {AbandonedLockError} once for each process that has ended with permits; they are free then
   */
  tryAcquire(): boolean {
    return now(this.#permits.taking());
  }

  /**
   * Gives a permit back, or adds one that wasn't there before; any process may do that.
   *
   * @throws {RangeError} if there would be more than 2 ** 31 - 1 permits, or, for a
   *   {@linkcode BoundedSemaphore}, more than there were at first (Python: ValueError)
   *
   * @example As a signal, from one process to another
   * ```ts
   * import { Process, Semaphore } from "@multiproc/multiprocessing";
   *
   * export function prepare(prepared: Semaphore) {
   *   prepared.release();
   * }
   *
   * if (import.meta.main) {
   *   const prepared = new Semaphore(0);
   *   for (let i = 0; i < 2; i++) new Process({ target: prepare, args: [prepared] }).start();
   *   for (let i = 0; i < 2; i++) await prepared.acquire();
   *   console.log("both are"); // both are
   * }
   * ```
   */
  release(): void {
    const isBounded = this instanceof BoundedSemaphore;
    const most = isBounded ? this.#permits.initial : MAX_PERMITS;
    if (this.#permits.release(most) !== TOO_MANY) return;
    throw new RangeError(
      isBounded
        ? `release() was called on a BoundedSemaphore with all its permits (${most}) in place. ` +
          "Call it once for each acquire(), or use a Semaphore, which has no bound."
        : `release() was called on a Semaphore with ${most} permits, the most there can be. ` +
          "Call it once for each acquire().",
    );
  }

  /**
   * Holds a permit until the end of the block: `using held = await semaphore.hold()`. Python's
   * `with semaphore:`.
   *
   * @throws {TimeoutError} if that took more than `timeout` ms; other errors as `acquire`
   */
  hold(options?: WaitOptions): Promise<Held> {
    try {
      if (
        options === undefined && this.#permits.eventcount.waiting === 0 && this.#permits.tryTake()
      ) {
        return done(new HeldUntilDisposed(this));
      }
    } catch (error) {
      return primordials.Promise.reject(error);
    }
    return hold(this.#permits.taking(), this, this.#kind, options);
  }

  /**
   * Like {@linkcode Semaphore.hold}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws the errors that `hold` throws
   */
  holdSync(options?: BlockOptions): Held {
    if (
      options === undefined && this.#permits.eventcount.waiting === 0 && this.#permits.tryTake()
    ) return new HeldUntilDisposed(this);
    return holdSync(this.#permits.taking(), this, this.#kind, options);
  }

  /** A snapshot of its state. Python has nothing like it. */
  statistics(): SemaphoreStatistics {
    const { value, initial, eventcount: { waiting } } = this.#permits;
    return { value, initial, waiting };
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const isBounded = this instanceof BoundedSemaphore;
    const base = isBounded ? BoundedSemaphore : Semaphore;
    const state = () => {
      const { value, initial } = this.#permits;
      return isBounded ? { value, maxValue: initial } : { value };
    };
    return print(this, [this.#kind, base], state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `a ${this.#kind}, which ${handedOverOnly}`;
  }

  /** @ignore */
  [serialize](): Serialized {
    return serializedOf(this.#kind, this.#shared);
  }
}

/**
 * A {@linkcode Semaphore} that never has more permits than at first: one `release` too many, which a
 * Semaphore doesn't notice, is an error here. Python's `multiprocessing.BoundedSemaphore`.
 *
 * @example
 * ```ts
 * import { BoundedSemaphore } from "@multiproc/multiprocessing";
 *
 * const connections = new BoundedSemaphore(4);
 * await connections.acquire();
 * connections.release();
 * try {
 *   connections.release();
 * } catch (error) {
 *   console.log(error instanceof RangeError); // true
 * }
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  static {
    registerTransferable(
      BOUNDED,
      (content) => constructFrom(BoundedSemaphore, receivedState(content)),
    );
  }
}

const WANTED = `Give the number of permits, a whole number from 0 to ${MAX_PERMITS}.`;

function isPermits(n: number): boolean {
  return isWhole(n, 0, MAX_PERMITS);
}
