// Condition: a condition variable with Mesa semantics (Lampson and Redell, 1980): a notified waiter
// reacquires the lock and checks again what it waits for.

import { describe } from "../validate/describe.ts";
import { checkNumber, isWhole } from "../validate/numbers.ts";
import { AbandonedLockError, TimeoutError } from "../errors.ts";
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
import { EXPOSED_TIMEOUT_MS, isExposed } from "../liveness/tainted_memory.ts";
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
import {
  handedOverOnly,
  receivedState,
  serializedOf,
  type SharedState,
} from "../shm/shared_state.ts";
import type { ConditionStatistics } from "./statistics.ts";
import * as primordials from "../platform/primordials.ts";

const { performance, TypeError } = primordials;

const NAME = "Condition";

/** The content of a serialized condition: its wait queue and its lock. */
interface ConditionContent {
  queue: unknown;
  lock: Serialized;
}

/**
 * A lock, and a queue of tasks that wait until a holder of the lock has changed something. Python's
 * `multiprocessing.Condition`.
 *
 * A task that holds the lock and can't go on calls {@linkcode Condition.wait}, or better
 * {@linkcode Condition.waitFor}: the call releases the lock, waits to be notified, and holds the lock again
 * when it returns, whatever happened. A task that has changed something calls {@linkcode Condition.notify} or
 * {@linkcode Condition.notifyAll} before it releases the lock. The tasks that have waited longest are
 * notified first, and no notification goes to a task that has given up or whose process has ended.
 *
 * With an {@linkcode RLock}, the default as in Python, processes wait for one another. That lock doesn't keep
 * the tasks of one process apart, so tasks that wait for one another in one process need a
 * `new Condition(new Lock())`.
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
  readonly #queue: ConditionQueue;

  /**
   * Makes a condition.
   *
   * @param lock the lock, which several conditions may share; by default a new RLock. It is handed over with
   *   the Condition
   * @throws {TypeError} if `lock` is neither a Lock nor an RLock
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
    this.#queue = new ConditionQueue(this.#shared);
  }

  static {
    registerTransferable(NAME, (content) => {
      const { queue, lock } = content as ConditionContent;
      return constructFrom(Condition, receivedState(queue), deserialize(lock) as Lock | RLock);
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
   * @throws the errors that `acquire` throws
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
   * @throws {TimeoutError} if that took more than `timeout` ms; other errors as `acquire`
   */
  hold(options?: WaitOptions): Promise<Held> {
    return this.#lock.hold(options);
  }

  /**
   * Like {@linkcode Condition.hold}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws the errors that `hold` throws
   */
  holdSync(options?: BlockOptions): Held {
    return this.#lock.holdSync(options);
  }

  /**
   * Releases the lock, however often this process holds it, waits to be notified, and acquires the lock as
   * often again. Resolves to true, or to false if no notification came in `timeout` ms. The lock is also
   * acquired again before the promise rejects because `signal` was aborted; both can take longer than
   * `timeout`.
   *
   * The state that was waited for may have changed again by the time this returns: see
   * {@linkcode Condition.waitFor}. When a process dies while it holds the lock, all waits return, one of them
   * by throwing, whether they were notified or not: the dead process may have been the notified one, or the
   * one that was to notify.
   *
   * @throws {InvalidStateError} if this process doesn't hold the lock
   * @throws {AbandonedLockError} if a process has ended while it held the lock, and so left things half
   *   changed; this process holds the lock then
   * @throws {TimeoutError} if a process with permissions of its own has this condition, too, and the lock wasn't
   *   given back in 150 ms after `timeout`; it isn't held then
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    this.#check("wait", options);
    return await this.#wait(options, new CallSite(this.wait));
  }

  async #wait(options: WaitOptions | undefined, caller: CallSite): Promise<boolean> {
    const deaths = this.#lock[reportDeath]();
    const place = this.#queue.join();
    const times = this.#lock[releaseAll](), until = this.#patience(options);
    let abandoned: AbandonedLockError | undefined;
    try {
      return await eventually(this.#waiting(place, deaths), options, () => caller);
    } catch (error) {
      place.refuse();
      if (error instanceof AbandonedLockError) abandoned = error;
      throw error;
    } finally {
      try {
        await this.#reacquire(times, caller, until, abandoned);
      } finally {
        place.leave();
      }
    }
  }

  /**
   * Like {@linkcode Condition.wait}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `wait` does.
   *
   * @throws the errors that `wait` throws
   */
  waitSync(options?: BlockOptions): boolean {
    this.#check("waitSync", options);
    const deaths = this.#lock[reportDeath]();
    const place = this.#queue.join();
    const times = this.#lock[releaseAll](), until = this.#patience(options);
    let abandoned: AbandonedLockError | undefined;
    try {
      return blocking(this.#waiting(place, deaths), options);
    } catch (error) {
      place.refuse();
      if (error instanceof AbandonedLockError) abandoned = error;
      throw error;
    } finally {
      try {
        this.#reacquireSync(times, until, abandoned);
      } finally {
        place.leave();
      }
    }
  }

  /**
   * The form of {@linkcode Condition.wait} that doesn't wait, for completeness: it keeps the lock, so no
   * notification can come, and always returns false.
   *
   * @throws {InvalidStateError} if this process doesn't hold the lock
   */
  waitNowait(): boolean {
    this.#check("waitNowait");
    return false;
  }

  /**
   * Waits, by {@linkcode Condition.wait}, until `predicate` returns a truthy value, and resolves to that
   * value; after `timeout` ms, to the last value returned. The predicate is called while this process holds
   * the lock: at first, after each notification, and after the time is up. Python's `wait_for`.
   *
   * @param predicate a function, which may be asynchronous: then the value it resolves to counts
   * @throws {InvalidStateError} if this process doesn't hold the lock
   * @throws {AbandonedLockError} as `wait`
   * @throws {TypeError} if `predicate` isn't a function; an error of the predicate itself is passed on
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
   * @param predicate a synchronous function, which returns no promise
   * @throws {TypeError} if `predicate` returns a promise, which can't be awaited here; other errors as
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
   * Like {@linkcode Condition.waitFor}, but doesn't wait: calls `predicate` once and returns its value.
   *
   * @param predicate a synchronous function, which returns no promise
   * @throws {TypeError} if `predicate` isn't a function, or returns a promise
   * @throws {InvalidStateError} if this process doesn't hold the lock
   */
  waitForNowait<T>(predicate: () => T): T {
    checkPredicate(predicate);
    this.#check("waitForNowait");
    return settled(predicate(), "waitForNowait");
  }

  /**
   * Notifies the tasks that have waited longest: their waits return, one after the other, once the lock is
   * released.
   *
   * @param n the most tasks to notify; by default 1
   * @throws {InvalidStateError} if this process doesn't hold the lock
   * @throws {TypeError} if `n` isn't a number
   * @throws {RangeError} if `n` isn't whole, or is negative
   */
  notify(n = 1): void {
    checkNumber("n", n, isCount, WANTED, ", which is no number of waiters");
    this.#check("notify");
    this.#queue.notify(n);
  }

  /**
   * Notifies all waiting tasks. Python's `notify_all`.
   *
   * @throws {InvalidStateError} if this process doesn't hold the lock
   */
  notifyAll(): void {
    this.#check("notifyAll");
    this.#queue.notify(Infinity);
  }

  /** Checks the options, and that this process holds the lock, before anything is done. */
  #check(call: string, options?: WaitOptions): void {
    timeoutOf(options);
    signalOf(options);
    this.#lock[checkHeld](call, "a Condition whose lock");
  }

  /**
   * Waits to be notified, or for the death of a process that holds the lock: the dead process may have been
   * the notified one, or the one that was to notify, and no other need ever do so.
   *
   * @param deaths the number of such deaths when the wait began
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

  /** Until when the lock is waited for at the end of a wait: a process that may be hostile can hold it for ever. */
  #patience(options: WaitOptions | undefined): number {
    if (!isExposed(this.#shared.words.buffer)) return Infinity;
    return performance.now() + timeoutOf(options) + EXPOSED_TIMEOUT_MS;
  }

  /** Reacquires the lock; the death of a holder is reported once this process holds the lock. */
  async #reacquire(
    times: number,
    caller: CallSite,
    until: number,
    abandoned?: AbandonedLockError,
  ): Promise<void> {
    for (let held = false; !held;) {
      try {
        const operation = this.#lock[reacquiring](times);
        held = await eventually(operation, leftUntil(until), () => caller);
        if (!held) throw notGivenBack();
      } catch (error) {
        abandoned = another(abandoned, error);
      }
    }
    if (abandoned !== undefined) throw abandoned;
  }

  #reacquireSync(times: number, until: number, abandoned?: AbandonedLockError): void {
    for (let held = false; !held;) {
      try {
        held = blocking(this.#lock[reacquiring](times), leftUntil(until));
        if (!held) throw notGivenBack();
      } catch (error) {
        abandoned = another(abandoned, error);
      }
    }
    if (abandoned !== undefined) throw abandoned;
  }

  /** A snapshot of its state. Python has nothing like it. */
  statistics(): ConditionStatistics {
    return { waiting: this.#queue.waiting, owner: this.#lock.statistics().owner };
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => ({ lock: this.#lock, waiting: this.#queue.waiting });
    return print(this, [NAME, Condition], state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `a Condition, which ${handedOverOnly}`;
  }

  /** @ignore */
  [serialize](): Serialized {
    const serialized = serializedOf(NAME, this.#shared);
    const both: ConditionContent = { queue: serialized.content, lock: this.#lock[serialize]() };
    return { ...serialized, content: both };
  }
}

/** The options of a wait that ends at that time. */
function leftUntil(until: number): { timeout: number } | undefined {
  if (until === Infinity) return undefined;
  return { timeout: primordials.Math.max(0, until - performance.now()) };
}

function notGivenBack(): TimeoutError {
  return new TimeoutError(
    "The wait is over, and another process holds the lock. It isn't waited for any longer, because a process with " +
      "permissions of its own has this Condition, too: the lock isn't held now.",
  );
}

/** The error of a further dead holder, with the earlier error as its cause; throws any other error. */
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

/** The predicate's result; throws if it is a promise. */
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
