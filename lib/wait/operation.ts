// One shape for every call that can wait: an attempt, and the eventcount that opens when trying again may
// succeed. Here the pair becomes the three faces of an operation, and nowhere else is a wait loop written:
// now (getNowait), asynchronous with timeout and signal (get), blocking (getSync).
//
// An attempt either happened or did not, so abandoning a wait only forgets the waiter.

import { stopIfKilled } from "../liveness/critical_section.ts";
import { CallSite } from "./call_site.ts";
import { DeadlockError } from "../errors.ts";
import { attend } from "../liveness/recorder.ts";
import { BLOCKING, HAS_SIGNAL, NO_VICTIM } from "../liveness/wait_board.ts";
import { BlockedWait } from "./blocked_wait.ts";
import { doChores, type EventCount, WAIT, type Waiter } from "./eventcount.ts";
import {
  blockingTimeoutOf,
  type BlockOptions,
  MAX_TIMER_MS,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "./options.ts";
import type { Subject } from "./subject.ts";
import { beginWait, endWait } from "./wait_records.ts";
import { countAsMany, countNap, deliver, done } from "./yield.ts";
import { isHeldTooLong } from "../validate/corruption.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  clearTimeout,
  each,
  performance,
  Promise,
  PromisePrototypeThen,
  removeAbortListener,
  setTimeout,
} = primordials;

/** Milliseconds after which a thread that waits at many eventcounts checks the others: it sleeps at one. */
const MANY_WAITS_SLICE_MS = 1;

/** An operation that may have to wait. */
export interface Operation<T> {
  /** Opens when an attempt may succeed. */
  readonly eventcount: EventCount;
  /** Further eventcounts of which any may open; such an operation takes nothing. */
  readonly others?: readonly EventCount[];
  /** Does the operation, or answers WAIT and has done nothing; throws an error that makes waiting pointless. */
  attempt(): T | typeof WAIT;
  /** The answer, or the error, when the wait took too long or may not take any time. */
  onTimeout(): T;
  /** Whether a wait may spin before it sleeps; without this, it may. */
  maySpin?(): boolean;
  /** Called when a wait has ended without a result: it was aborted, or took too long. */
  onCancel?(): void;
  /** The object whose method was called, and the method (subject.ts): for inspect(). */
  readonly subject?: Subject;
  readonly verb?: number;
  /** Whether no DeadlockError may end the wait: the caller must have what it waits for. */
  readonly isNoVictim?: boolean;
  /** Whether the signal of the wait is this library's own, by which no program ends it. */
  readonly hasOwnSignal?: boolean;
}

/**
 * For how long, in ms, a wait tries again where a lock of the object's memory is held too long (heldTooLong()): longer
 * than a waiter needs to take it from a process that has ended (liveness/mutex.ts); and how often.
 */
const HELD_PATIENCE_MS = 4000, HELD_RETRY_MS = 50;

/** A wait that has found a lock of the object's memory held too long. */
interface Held {
  readonly since: number;
  readonly error: unknown;
}

/** What a wait knows after an attempt that threw; throws the error if the wait can't go on. */
function heldAfter(error: unknown, before: Held | undefined): Held {
  const since = before === undefined ? performance.now() : before.since;
  if (!isHeldTooLong(error) || performance.now() - since > HELD_PATIENCE_MS) throw error;
  return { since, error };
}

/** Attempts in vain after which a thread, which may be polling, does its chores. */
const CHORES_EVERY_CALLS = 1000;
let inVain = 0;

/** Does the operation now, or ends it as after a timeout. */
export function now<T>(operation: Operation<T>): T {
  const result = attemptInTurn(operation);
  if (result !== WAIT) return result;
  // A loop that polls keeps the event loop from its turn.
  if (++inVain % CHORES_EVERY_CALLS === 0) {
    stopIfKilled();
    doChores();
  }
  return operation.onTimeout();
}

/** An attempt, after those of the tasks of this isolate that wait at the eventcount. */
function attemptInTurn<T>(operation: Operation<T>): T | typeof WAIT {
  const { eventcount, others } = operation;
  if (eventcount.waiting > 0 && others === undefined) {
    eventcount.pump();
    if (eventcount.waiting > 0) return WAIT;
  }
  return operation.attempt();
}

/** An attempt of a call that then waits, and so tries again where a lock is held too long. */
export function attemptOrWait<T>(operation: Operation<T>): T | typeof WAIT {
  try {
    return attemptInTurn(operation);
  } catch (error) {
    if (isHeldTooLong(error)) return WAIT;
    throw error;
  }
}

export { done };

/**
 * Does the operation asynchronously, when that is possible.
 *
 * @param caller makes the call site of the whole call, where this wait isn't its first step; called before
 *   this returns, and only when the wait doesn't succeed at once
 */
export function eventually<T>(
  operation: Operation<T>,
  options?: WaitOptions,
  caller?: () => CallSite,
): Promise<T> {
  try {
    const timeout = timeoutOf(options);
    const signal = signalOf(options);
    const { eventcount } = operation;
    if (timeout === 0) return atOnce(operation, caller);
    if (eventcount.waiting === 0 || operation.others !== undefined) {
      let result = attemptOrWait(operation);
      if (result !== WAIT) return done(result);
      attend();
      if (maySpin(operation) && eventcount.spin()) {
        countAsMany();
        try {
          result = attemptOrWait(operation);
        } finally {
          eventcount.passOn(); // other waiters slept while this one spun
        }
        if (result !== WAIT) return done(result);
      }
      if (maySpin(operation) && eventcount.mayNap()) {
        countNap();
        try {
          eventcount.nap(() => (result = attemptOrWait(operation)) !== WAIT);
        } finally {
          eventcount.passOn();
        }
        if (result !== WAIT) return done(result);
      }
    }
    const begun = caller === undefined ? new CallSite(eventually) : caller();
    return new Promise((resolve, reject) => {
      new Task(operation, timeout, signal, begun, resolve, reject).wait();
    });
  } catch (error) {
    signAt(caller === undefined ? new CallSite(eventually) : caller(), error);
    return Promise.reject(error);
  }
}

/** Makes an error show where its wait was begun. */
function signAt(caller: CallSite, error: unknown): void {
  caller.sign(error);
}

/** Does the operation now, and answers by a promise; a loop that polls lets other tasks run, too. */
function atOnce<T>(operation: Operation<T>, caller: (() => CallSite) | undefined): Promise<T> {
  try {
    return done(now(operation));
  } catch (error) {
    if (caller !== undefined) signAt(caller(), error);
    return PromisePrototypeThen(done(undefined), () => {
      throw error;
    });
  }
}

/** Does the operation, blocking the thread until that is possible. */
export function blocking<T>(operation: Operation<T>, options?: BlockOptions): T {
  const timeout = blockingTimeoutOf(options);
  let result = timeout === 0 ? attemptInTurn(operation) : attemptOrWait(operation);
  if (result !== WAIT) return result;
  if (timeout === 0) return operation.onTimeout();
  let held: Held | undefined;
  const attempt = () => {
    try {
      result = attemptInTurn(operation);
      held = undefined;
    } catch (error) {
      held = heldAfter(error, held);
    }
    return result !== WAIT;
  };
  const { eventcount, others } = operation;
  attend();
  if (maySpin(operation) && eventcount.spin()) {
    try {
      if (attempt()) return result as T;
    } finally {
      eventcount.passOn(); // other waiters slept while this one spun
    }
  }
  const slice = others === undefined ? undefined : MANY_WAITS_SLICE_MS;
  const way = operation.isNoVictim === true ? BLOCKING | NO_VICTIM : BLOCKING;
  const record = new BlockedWait(operation, timeout, way, blocking);
  try {
    if (eventcount.block(attempt, timeout, slice, record)) return result as T;
  } catch (error) {
    if (error instanceof DeadlockError) operation.onCancel?.();
    throw error;
  } finally {
    record.end();
  }
  operation.onCancel?.();
  if (held !== undefined) throw (held as Held).error;
  return operation.onTimeout();
}

/**
 * Does the operation, blocking the thread for at most so many ms; answers WAIT if it was not possible by then. For a
 * thread that has nothing else to do: it wakes sooner than its event loop would. No record tells of so short a wait.
 */
export function briefly<T>(operation: Operation<T>, ms: number): T | typeof WAIT {
  const { eventcount } = operation;
  let result: T | typeof WAIT = WAIT;
  const attempt = () => (result = attemptOrWait(operation)) !== WAIT;
  if (maySpin(operation) && eventcount.spin()) {
    try {
      if (attempt()) return result;
    } finally {
      eventcount.passOn();
    }
  }
  eventcount.block(attempt, ms);
  return result;
}

/** A thread that waits at many eventcounts could only spin at one. */
function maySpin({ others, maySpin }: Operation<unknown>): boolean {
  return others === undefined && (maySpin === undefined || maySpin());
}

/** An asynchronous wait: settles its promise, once, and cleans up. */
class Task<T> implements Waiter {
  readonly #operation: Operation<T>;
  readonly #resolve: (result: T) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #caller: CallSite;
  readonly #timeout: number;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  /** The row of the wait board: see wait_records.ts. */
  #row = 0;
  #settled = false;
  /** Where the last attempt found a lock held too long; and the timer of the next attempt. */
  #held: Held | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    operation: Operation<T>,
    timeout: number,
    signal: AbortSignal | undefined,
    caller: CallSite,
    resolve: (result: T) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#operation = operation;
    this.#timeout = timeout;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    this.#caller = caller;
    if (signal !== undefined) addAbortListener(signal, this.#aborted);
    if (timeout <= MAX_TIMER_MS) this.#timer = setTimeout(this.#onTimeout, timeout);
  }

  /** Waits at all eventcounts of the operation. */
  wait(): void {
    const { eventcount, others = [] } = this.#operation;
    try {
      eventcount.add(this);
      for (const other of each(others)) if (!this.#settled) other.add(this);
      if (!this.#settled && !eventcount.isQuiet) this.#record();
    } catch (error) { // the stack is full
      this.#cleanUp();
      throw error;
    }
  }

  #record(): void {
    const isEndless = this.#signal === undefined || this.#operation.hasOwnSignal === true;
    let way = isEndless ? 0 : HAS_SIGNAL;
    if (this.#operation.isNoVictim === true) way |= NO_VICTIM;
    this.#row = beginWait(this.#operation, this.#timeout, way, this.#caller, this);
  }

  /** Ends the wait with an error. */
  endBy(error: unknown): void {
    if (this.#settled) return;
    this.#abandon();
    this.#fail(error);
  }

  attempt(): boolean {
    if (this.#settled) return true;
    try {
      const result = this.#operation.attempt();
      this.#held = undefined;
      if (result === WAIT) return false;
      deliver(() => this.#resolve(result));
    } catch (error) {
      if (this.#goesOnAfter(error)) return false;
      this.#fail(error);
    }
    this.#cleanUp();
    return true;
  }

  #goesOnAfter(error: unknown): boolean {
    try {
      this.#held = heldAfter(error, this.#held);
    } catch {
      return false;
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#operation.eventcount.pump(), HELD_RETRY_MS);
    return true;
  }

  readonly #aborted = (): void => {
    try {
      this.#abandon();
    } catch {
      // The shared memory is corrupted, by hostile code perhaps. The wait ends all the same.
    }
    this.#reject(abortReason(this.#signal!));
  };

  readonly #onTimeout = (): void => {
    try {
      this.#abandon();
      if (this.#held !== undefined) throw this.#held.error;
      this.#resolve(this.#operation.onTimeout());
    } catch (error) {
      this.#fail(error);
    }
  };

  #abandon(): void {
    this.#cleanUp();
    this.#operation.onCancel?.();
    this.#operation.eventcount.passOn();
  }

  #fail(error: unknown): void {
    this.#caller.sign(error);
    this.#reject(error);
  }

  #cleanUp(): void {
    this.#settled = true;
    endWait(this.#row);
    const { eventcount, others } = this.#operation;
    eventcount.remove(this);
    if (others !== undefined) { for (const other of each(others)) other.remove(this); }
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#retry !== undefined) clearTimeout(this.#retry);
    if (this.#signal !== undefined) removeAbortListener(this.#signal, this.#aborted);
  }
}
