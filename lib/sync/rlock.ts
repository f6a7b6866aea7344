// RLock: a reentrant lock, which its holder can acquire again.

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
import type { RLockStatistics } from "./statistics.ts";
import * as primordials from "../platform/primordials.ts";

const NAME = "RLock";

/**
 * A lock that its holder can acquire again, and releases as often as it has acquired it. Python's
 * `multiprocessing.RLock`.
 *
 * The holder is the process, not the task: while one task of a process holds the lock, another task of the
 * same process acquires it without waiting. It keeps processes apart, not the tasks of one process; between
 * these use {@linkcode Lock}, or do what must not be interrupted without an `await`.
 *
 * When a process ends while it holds the lock, the next `acquire` of another process throws
 * {@linkcode AbandonedLockError} once, and the lock is then free.
 *
 * @example
 * ```ts
 * import { RLock } from "@multiproc/multiprocessing";
 *
 * const lock = new RLock();
 * await lock.acquire();
 * await lock.acquire(); // it is ours already
 * lock.release();
 * lock.release();
 * ```
 */
export class RLock implements Holdable {
  readonly #shared: SharedState;
  readonly #lockWord: LockWord;

  /** Makes a free lock. */
  constructor() {
    this.#shared = receivedParts<SharedState>(new.target) ?? newSharedState(LOCK_WORDS);
    this.#lockWord = new LockWord(this.#shared, NAME);
    if (noteMade !== undefined) noteMade(this.#lockWord);
  }

  static {
    registerTransferable(NAME, (content) => constructFrom(RLock, receivedState(content)));
  }

  /** Whether the lock is held. In the next moment it may be otherwise. */
  get locked(): boolean {
    return !this.#lockWord.isFree;
  }

  /**
   * Acquires the lock, once more if this process already holds it; otherwise waits while another process
   * holds it. Resolves to true, or to false if that took more than `timeout` ms.
   *
   * @throws {AbandonedLockError} once, if the process that held it has ended; it is free then
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    try {
      if (options === undefined && this.#tryTake()) return done(true);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
    return eventually(this.#taking(), options);
  }

  /**
   * Like {@linkcode RLock.acquire}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `acquire` does.
   *
   * @throws the errors that `acquire` throws
   */
  acquireSync(options?: BlockOptions): boolean {
    if (options === undefined && this.#tryTake()) return true;
    return blocking(this.#taking(), options);
  }

  /**
   * Acquires the lock if that is possible now; returns false otherwise. Python's `acquire(block=False)`.
   *
   * @throws {AbandonedLockError} once, if the process that held it has ended; it is free then
   */
  tryAcquire(): boolean {
    return this.#lockWord.isMine ? this.#tryTake() : now(this.#taking());
  }

  /**
   * Releases the lock once.
   *
   * @throws {InvalidStateError} if this process doesn't hold it
   */
  release(): void {
    const lockWord = this.#lockWord;
    lockWord.checkMine("release");
    if (lockWord.recursion > 0) lockWord.recursion--;
    else lockWord.release();
  }

  /**
   * Acquires the lock until the end of the block: `using held = await lock.hold()`. Python's `with lock:`.
   *
   * @throws {TimeoutError} if that took more than `timeout` ms; other errors as `acquire`
   */
  hold(options?: WaitOptions): Promise<Held> {
    try {
      if (options === undefined && this.#tryTake()) return done(new HeldUntilDisposed(this));
    } catch (error) {
      return primordials.Promise.reject(error);
    }
    return hold(this.#taking(), this, NAME, options);
  }

  /**
   * Like {@linkcode RLock.hold}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws the errors that `hold` throws
   */
  holdSync(options?: BlockOptions): Held {
    if (options === undefined && this.#tryTake()) return new HeldUntilDisposed(this);
    return holdSync(this.#taking(), this, NAME, options);
  }

  #tryTake(): boolean {
    const lockWord = this.#lockWord;
    if (!lockWord.isMine) return lockWord.tryTake();
    lockWord.recursion++;
    return true;
  }

  #taking(times = 1, acknowledges = true): Operation<boolean> {
    const taking = this.#lockWord.taking(acknowledges);
    const attempt = () => {
      if (this.#lockWord.isMine) {
        this.#lockWord.recursion += times;
        return true;
      }
      const answer = taking.attempt();
      if (answer === true && times > 1) this.#lockWord.recursion = times - 1;
      return answer;
    };
    return { ...taking, attempt };
  }

  /** @ignore */
  [checkHeld](call: string, what: string): void {
    this.#lockWord.checkMine(call, what);
  }

  /** @ignore */
  [releaseAll](): number {
    const times = this.#lockWord.recursion + 1;
    this.#lockWord.recursion = 0;
    this.#lockWord.release();
    return times;
  }

  /** @ignore */
  [reacquiring](times: number): Operation<boolean> {
    return this.#taking(times, false);
  }

  /** @ignore */
  [reportDeath](): number {
    return this.#lockWord.reportDeath();
  }

  /** A snapshot of its state. Python has nothing like it. */
  statistics(): RLockStatistics {
    const { owner: { owner }, recursion, eventcount: { waiting } } = this.#lockWord;
    return { owner, count: owner === null ? 0 : recursion + 1, waiting };
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => {
      const held = this.#lockWord.owner;
      const count = held.owner === null ? 0 : this.#lockWord.recursion + 1;
      const first = { owner: held.owner, count };
      return { ...first, ...held };
    };
    return print(this, [NAME, RLock], state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `an RLock, which ${handedOverOnly}`;
  }

  /** @ignore */
  [serialize](): Serialized {
    return serializedOf(NAME, this.#shared);
  }
}
