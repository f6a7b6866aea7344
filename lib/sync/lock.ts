// Lock: one holder at a time, among all processes and all tasks.

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
import { blocking, done, eventually, now, type Operation } from "../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../wait/options.ts";
import { type Held, HeldUntilDisposed, hold, holdSync } from "./guard.ts";
import type { Holdable } from "./holdable.ts";
import { checkHeld, reacquiring, releaseAll, reportDeath } from "./condition_lock.ts";
import { LOCK_WORDS, LockWord } from "./lock_word.ts";
import {
  handedOverOnly,
  newSharedState,
  receivedState,
  serializedOf,
  type SharedState,
} from "../shm/shared_state.ts";
import type { LockStatistics } from "./statistics.ts";
import * as primordials from "../platform/primordials.ts";

const NAME = "Lock";

/**
 * A lock that one task of one process holds at a time. Python's `multiprocessing.Lock`. It isn't
 * reentrant: a task that acquires it twice waits for itself; see {@linkcode RLock}.
 *
 * When a process ends while it holds the lock, however it ends, the others are not stuck: the next `acquire`
 * throws {@linkcode AbandonedLockError} once, and the lock is then free. If the process that gets the error
 * is killed before its code has received it, another process gets it. Unlike in Python, only the process that
 * holds the lock can release it.
 *
 * No process is starved: a process that has waited for some milliseconds is served before others that acquire
 * the lock again and again.
 *
 * @example
 * ```ts
 * import { Lock, Process, SharedArray } from "@multiproc/multiprocessing";
 *
 * export async function deposit(balance: SharedArray<"f64">, lock: Lock) {
 *   for (let i = 0; i < 1000; i++) {
 *     using _held = await lock.hold();
 *     balance[0] += 1;
 *   }
 * }
 *
 * if (import.meta.main) {
 *   const balance = new SharedArray("f64", 1), lock = new Lock();
 *   const processes = [1, 2].map(() => new Process({ target: deposit, args: [balance, lock] }));
 *   for (const process of processes) process.start();
 *   for (const process of processes) await process.join();
 *   console.log(balance[0]); // 2000
 * }
 * ```
 */
export class Lock implements Holdable {
  readonly #shared: SharedState;
  readonly #lockWord: LockWord;

  /** Makes a free lock. */
  constructor() {
    this.#shared = receivedParts<SharedState>(new.target) ?? newSharedState(LOCK_WORDS);
    this.#lockWord = new LockWord(this.#shared, NAME);
    if (noteMade !== undefined) noteMade(this.#lockWord);
  }

  static {
    registerTransferable(NAME, (content) => constructFrom(Lock, receivedState(content)));
  }

  /** Whether the lock is held. In the next moment it may be otherwise. */
  get locked(): boolean {
    return !this.#lockWord.isFree;
  }

  /**
   * Acquires the lock, waiting while it is held; resolves to true, or to false if that took more than
   * `timeout` ms.
   *
   * @throws {AbandonedLockError} once, if the process that held it has ended; it is free then
   * @throws {RangeError} if `timeout` is negative or NaN
   *
   * @example
   * ```ts
   * import { Lock } from "@multiproc/multiprocessing";
   *
   * const lock = new Lock();
   * await lock.acquire();
   * console.log(await lock.acquire({ timeout: 10 })); // false
   * lock.release();
   * ```
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    try {
      if (
        options === undefined && this.#lockWord.eventcount.waiting === 0 && this.#lockWord.tryTake()
      ) {
        return done(true);
      }
    } catch (error) {
      return primordials.Promise.reject(error);
    }
    return eventually(this.#lockWord.taking(), options);
  }

  /**
   * Like {@linkcode Lock.acquire}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `acquire` does.
   *
   * @throws the errors that `acquire` throws
   */
  acquireSync(options?: BlockOptions): boolean {
    if (
      options === undefined && this.#lockWord.eventcount.waiting === 0 && this.#lockWord.tryTake()
    ) {
      return true;
    }
    return blocking(this.#lockWord.taking(), options);
  }

  /**
   * Acquires the lock if it is free now; returns false otherwise. Python's `acquire(block=False)`.
   *
   * @throws {AbandonedLockError} once, if the process that held it has ended; it is free then
   */
  tryAcquire(): boolean {
    return now(this.#lockWord.taking());
  }

  /**
   * Releases the lock.
   *
   * @throws {InvalidStateError} if this process doesn't hold it
   */
  release(): void {
    this.#lockWord.release();
  }

  /**
   * Acquires the lock until the end of the block: `using held = await lock.hold()`. Python's `with lock:`.
   *
   * @throws {TimeoutError} if that took more than `timeout` ms; other errors as `acquire`
   */
  hold(options?: WaitOptions): Promise<Held> {
    try {
      if (
        options === undefined && this.#lockWord.eventcount.waiting === 0 && this.#lockWord.tryTake()
      ) return done(new HeldUntilDisposed(this));
    } catch (error) {
      return primordials.Promise.reject(error);
    }
    return hold(this.#lockWord.taking(), this, NAME, options);
  }

  /**
   * Like {@linkcode Lock.hold}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws the errors that `hold` throws
   */
  holdSync(options?: BlockOptions): Held {
    if (
      options === undefined && this.#lockWord.eventcount.waiting === 0 && this.#lockWord.tryTake()
    ) return new HeldUntilDisposed(this);
    return holdSync(this.#lockWord.taking(), this, NAME, options);
  }

  /** @ignore */
  [checkHeld](call: string, what: string): void {
    this.#lockWord.checkMine(call, what);
  }

  /** @ignore */
  [releaseAll](): number {
    this.#lockWord.release();
    return 1;
  }

  /** @ignore */
  [reacquiring](): Operation<boolean> {
    return this.#lockWord.taking(false);
  }

  /** @ignore */
  [reportDeath](): number {
    return this.#lockWord.reportDeath();
  }

  /** A snapshot of its state. Python has nothing like it. */
  statistics(): LockStatistics {
    return { owner: this.#lockWord.owner.owner, waiting: this.#lockWord.eventcount.waiting };
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    return print(this, [NAME, Lock], () => this.#lockWord.owner, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `a Lock, which ${handedOverOnly}`;
  }

  /** @ignore */
  [serialize](): Serialized {
    return serializedOf(NAME, this.#shared);
  }
}
