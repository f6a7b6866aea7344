// Condition: processes that hold a lock in turn wait for what another of them will have done.

import { describe } from "../validate/describe.ts";
import { checkNumber, isWhole } from "../validate/numbers.ts";
import { AbandonedLockError } from "../errors.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import {
  cannotClone,
  constructFrom,
  deserialize,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
} from "../transfer/transferable.ts";
import { WAIT } from "../wait/eventcount.ts";
import { CallSite } from "../wait/call_site.ts";
import { blocking, eventually, type Operation } from "../wait/operation.ts";
import { type BlockOptions, signalOf, timeoutOf, type WaitOptions } from "../wait/options.ts";
import type { Held } from "./guard.ts";
import type { Holdable } from "./holdable.ts";
import { ConditionQueue, newConditionQueue, type Place } from "./condition_queue.ts";
import { Lock } from "./lock.ts";
import { isThenable } from "./thenable.ts";
import { checkHeld, reacquiring, releaseAll, reportDeath } from "./condition_lock.ts";
import { RLock } from "./rlock.ts";
import { handedOverOnly, parcelOf, receivedState, type SharedState } from "../shm/shared_state.ts";
import * as primordials from "../platform/primordials.ts";

const { performance, TypeError } = primordials;

const NAME = "Condition";

/** What crosses: what the line consists of, and the lock. */
interface ConditionContent {
  line: unknown;
  lock: Serialized;
}

/**
 * A lock, and a line of those who wait until somebody who holds it has changed something. Python's
 * `multiprocessing.Condition`.
 *
 * Who holds the lock and finds that he can't go on calls {@linkcode Condition.wait}, or better
 * {@linkcode Condition.waitFor}: that releases the lock, waits to be notified, and has the lock again
 * when it returns, whatever happened. Who has changed something calls {@linkcode Condition.notify} or
 * {@linkcode Condition.notifyAll} before he releases the lock. Those who have waited longest are
 * notified first, and no notification goes to one who has given up or whose process has ended.
 *
 * With an {@linkcode RLock}, as by default and in Python, it is processes that wait for one another. As
 * that lock doesn't keep the tasks of one process apart, tasks that wait for one another in one process
 * need a `new Condition(new Lock())`.
 *
 * @example
 * ```ts
 * import { Condition, Process, Value } from "@multiproc/multiprocessing";
 *
 * export async function consume(condition: Condition, ready: Value<"u8">) {
 *   using _held = await condition.hold();
 *   await condition.waitFor(() => ready.value > 0);
 *   console.log("there is something");
 * }
 *
 * if (import.meta.main) {
 *   const condition = new Condition(), ready = new Value("u8");
 *   new Process({ target: consume, args: [condition, ready] }).start();
 *   using _held = await condition.hold();
 *   ready.value = 1;
 *   condition.notify();
 * }
 * ```
 */
export class Condition implements Holdable {
  readonly #lock: Lock | RLock;
  readonly #shared: SharedState;
  readonly #line: ConditionQueue;

  /**
   * Makes one.
   *
   * @param lock the lock, which may be that of other conditions, too; by default a new RLock. It is
   *   handed over with the Condition
   * @throws {TypeError} if it is neither a Lock nor an RLock
   */
  constructor(lock: Lock | RLock = new RLock()) {
    if (!(lock instanceof Lock || lock instanceof RLock)) {
      throw new TypeError(
        `lock is ${
          describe(lock)
        }, not a lock. Give a Lock or an RLock, or nothing for a new RLock.`,
      );
    }
    this.#lock = lock;
    this.#shared = receivedParts<SharedState>(new.target) ?? newConditionQueue();
    this.#line = new ConditionQueue(this.#shared);
  }

  static {
    registerTransferable(NAME, (content) => {
      const { line, lock } = content as ConditionContent;
      return constructFrom(Condition, receivedState(line), deserialize(lock) as Lock | RLock);
    });
  }

  /**
   * Acquires the lock: see {@linkcode Lock.acquire} and {@linkcode RLock.acquire}.
   *
   * @throws {AbandonedLockError} once, if the process that held it has ended; it is free then
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.#lock.acquire(options);
  }

  /**
   * Like {@linkcode Condition.acquire}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws what `acquire` does
   */
  acquireSync(options?: BlockOptions): boolean {
    return this.#lock.acquireSync(options);
  }

  /**
   * Acquires the lock if that is possible now; else false. Python's `acquire(block=False)`.
   *
   * @throws {AbandonedLockError} once, if the process that held it has ended; it is free then
   */
  tryAcquire(): boolean {
    return this.#lock.tryAcquire();
  }

  /**
   * Releases the lock.
   *
   * @throws {InvalidStateError} if this process doesn't hold it
   */
  release(): void {
    this.#lock.release();
  }

  /**
   * Acquires the lock until the end of the block: `using held = await condition.hold()`. Python's
   * `with condition:`.
   *
   * @throws {TimeoutError} if that took more than `timeout` ms; the others as `acquire`
   */
  hold(options?: WaitOptions): Promise<Held> {
    return this.#lock.hold(options);
  }

  /**
   * Like {@linkcode Condition.hold}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws what `hold` does
   */
  holdSync(options?: BlockOptions): Held {
    return this.#lock.holdSync(options);
  }

  /**
   * Releases the lock, however often this process holds it, waits to be notified, and acquires it as
   * often again: true then, false if the notification didn't come in `timeout` ms. It also acquires it
   * before it rejects because `signal` was aborted; both can take longer than `timeout`.
   *
   * What was waited for may be otherwise again by the time it returns: see
   * {@linkcode Condition.waitFor}. When a process dies while it holds the lock, all waits return, one of
   * them by throwing, whether they were notified or not: the dead one may have been the one that was,
   * or that was to notify.
   *
   * @throws {InvalidStateError} if this process doesn't hold the lock
   * @throws {AbandonedLockError} if a process has ended while it held the lock, and so left things half
   *   changed; this process holds it then
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    this.#check("wait", options);
    return await this.#wait(options, new CallSite(this.wait));
  }

  async #wait(options: WaitOptions | undefined, caller: CallSite): Promise<boolean> {
    const deaths = this.#lock[reportDeath]();
    const place = this.#line.join();
    const times = this.#lock[releaseAll]();
    let abandoned: AbandonedLockError | undefined;
    try {
      return await eventually(this.#waiting(place, deaths), options, () => caller);
    } catch (error) {
      place.refuse();
      if (error instanceof AbandonedLockError) abandoned = error;
      throw error;
    } finally {
      try {
        await this.#reacquire(times, caller, abandoned);
      } finally {
        place.leave();
      }
    }
  }

  /**
   * Like {@linkcode Condition.wait}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `wait` does.
   *
   * @throws what `wait` does
   */
  waitSync(options?: BlockOptions): boolean {
    this.#check("waitSync", options);
    const deaths = this.#lock[reportDeath]();
    const place = this.#line.join();
    const times = this.#lock[releaseAll]();
    let abandoned: AbandonedLockError | undefined;
    try {
      return blocking(this.#waiting(place, deaths), options);
    } catch (error) {
      place.refuse();
      if (error instanceof AbandonedLockError) abandoned = error;
      throw error;
    } finally {
      try {
        this.#reacquireSync(times, abandoned);
      } finally {
        place.leave();
      }
    }
  }

  /**
   * The form of {@linkcode Condition.wait} that doesn't wait, for completeness: it keeps the lock, so
   * nobody can notify, and it is always false.
   *
   * @throws {InvalidStateError} if this process doesn't hold the lock
   */
  waitNowait(): boolean {
    this.#check("waitNowait");
    return false;
  }

  /**
   * Waits, by {@linkcode Condition.wait}, until `predicate` returns something truthy, and resolves to
   * that; to what it returned last if that took more than `timeout` ms. It is called while this process
   * holds the lock: at first, after each notification, and after the time is up. Python's
   * `wait_for`.
   *
   * @param predicate may be asynchronous: then what it resolves to counts
   * @throws {InvalidStateError} if this process doesn't hold the lock
   * @throws {AbandonedLockError} as `wait`
   * @throws {TypeError} if `predicate` isn't a function; what it throws itself is thrown on
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  async waitFor<T>(predicate: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    checkPredicate(predicate);
    this.#check("waitFor", options);
    const until = performance.now() + timeoutOf(options), caller = new CallSite(this.waitFor);
    for (;;) {
      const result = await predicate();
      const timeout = until - performance.now();
      if (result || timeout <= 0) return result;
      try {
        this.#check("waitFor");
      } catch (error) { // the predicate has released the lock
        caller.sign(error);
        throw error;
      }
      await this.#wait({ ...options, timeout }, caller);
    }
  }

  /**
   * Like {@linkcode Condition.waitFor}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @param predicate returns what is waited for, no promise
   * @throws {TypeError} if `predicate` returns a promise, which nobody could wait for; the others as
   *   `waitFor`
   */
  waitForSync<T>(predicate: () => T, options?: BlockOptions): T {
    checkPredicate(predicate);
    this.#check("waitForSync", options);
    const until = performance.now() + timeoutOf(options);
    for (;;) {
      const result = settled(predicate(), "waitForSync");
      const timeout = until - performance.now();
      if (result || timeout <= 0) return result;
      this.waitSync({ timeout });
    }
  }

  /**
   * Like {@linkcode Condition.waitFor}, but doesn't wait: what `predicate` returns.
   *
   * @param predicate returns what is waited for, no promise
   * @throws {TypeError} if `predicate` isn't a function, or returns a promise
   * @throws {InvalidStateError} if this process doesn't hold the lock
   */
  waitForNowait<T>(predicate: () => T): T {
    checkPredicate(predicate);
    this.#check("waitForNowait");
    return settled(predicate(), "waitForNowait");
  }

  /**
   * Notifies those who have waited longest: their waits return, one after the other, once the lock is
   * released.
   *
   * @param n how many, if there are so many; by default 1
   * @throws {InvalidStateError} if this process doesn't hold the lock
   * @throws {TypeError} if `n` isn't a number
   * @throws {RangeError} if it isn't whole, or negative
   */
  notify(n = 1): void {
    checkNumber("n", n, isCount, WANTED, ", which is no number of waiters");
    this.#check("notify");
    this.#line.notify(n);
  }

  /**
   * Notifies all who wait. Python's `notify_all`.
   *
   * @throws {InvalidStateError} if this process doesn't hold the lock
   */
  notifyAll(): void {
    this.#check("notifyAll");
    this.#line.notify(Infinity);
  }

  /** Before anything is done: whether it can be. */
  #check(call: string, options?: WaitOptions): void {
    timeoutOf(options);
    signalOf(options);
    this.#lock[checkHeld](call, "a Condition whose lock");
  }

  /**
   * Waits to be notified, or for the end of a process that dies with the lock: it may have been the
   * one that was notified, or was to notify, and nobody else need ever do so.
   *
   * @param deaths how many had died so when the wait began
   */
  #waiting({ waiting }: Place, deaths: number): Operation<boolean> {
    const attempt = () => {
      const answer = waiting.attempt();
      if (answer !== WAIT || this.#lock[reportDeath]() === deaths) return answer;
      waiting.onTimeout();
      return true;
    };
    return { ...waiting, attempt };
  }

  /** Who has ended while he held it is reported when this process holds it. */
  async #reacquire(times: number, caller: CallSite, abandoned?: AbandonedLockError): Promise<void> {
    for (let held = false; !held;) {
      try {
        held = await eventually(this.#lock[reacquiring](times), undefined, () => caller);
      } catch (error) {
        abandoned = another(abandoned, error);
      }
    }
    if (abandoned !== undefined) throw abandoned;
  }

  #reacquireSync(times: number, abandoned?: AbandonedLockError): void {
    for (let held = false; !held;) {
      try {
        held = blocking(this.#lock[reacquiring](times));
      } catch (error) {
        abandoned = another(abandoned, error);
      }
    }
    if (abandoned !== undefined) throw abandoned;
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => ({ lock: this.#lock, waiting: this.#line.waiting });
    return print(this, [NAME, Condition], state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `a Condition, which ${handedOverOnly}`;
  }

  /** @ignore */
  [serialize](): Serialized {
    const parcel = parcelOf(NAME, this.#shared);
    const both: ConditionContent = { line: parcel.content, lock: this.#lock[serialize]() };
    return { ...parcel, content: both };
  }
}

/** One who has died with the lock, perhaps after others; throws what is no such error. */
function another(earlier: AbandonedLockError | undefined, error: unknown): AbandonedLockError {
  if (!(error instanceof AbandonedLockError)) throw error;
  if (earlier !== undefined) error.cause = earlier;
  return error;
}

function checkPredicate(predicate: unknown): void {
  if (typeof predicate === "function") return;
  throw new TypeError(
    `predicate is ${describe(predicate)}, not a function. ` +
      "Give one that returns whether what is waited for is there.",
  );
}

/** What a predicate has returned, which is no promise. */
function settled<T>(result: T, call: string): T {
  if (!isThenable(result)) return result;
  throw new TypeError(
    `The predicate returned a promise, which ${call}() can't wait for. ` +
      "Give one that returns the answer itself, or call waitFor().",
  );
}

const WANTED = "Give how many to notify, a whole number from 0 up, or call notifyAll().";

function isCount(n: number): boolean {
  return isWhole(n, 0, Infinity);
}
