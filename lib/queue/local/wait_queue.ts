// A wait queue of tasks of one isolate, first come, first served. A step is done by the task that made it
// possible, in the queue's order and before that task goes on, so that no other task can come between the
// change and the task that waited for it. There is no polling, no shared memory and no broadcast channel: a
// wait is a promise, and a wait without a timeout doesn't keep the program alive.
//
// A task leaves its wait queue, with its timer and its signal, before its step is done. So a step is done or
// abandoned, never both, whatever code of the user's it runs.

import { CallSite } from "../../wait/call_site.ts";
import { MAX_TIMER_MS, signalOf, timeoutOf, type WaitOptions } from "../../wait/options.ts";
import { afterYield, yieldIsDue } from "../../wait/yield.ts";
import * as primordials from "../../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  clearTimeout,
  PromisePrototypeThen,
  removeAbortListener,
  setTimeout,
} = primordials;

/** A step: the operation that a task waits to do. */
export interface Step<R> {
  /** Throws if the step can never be done; called before any waiting. */
  check?(): void;
  /** Does the step; called when the wait queue is ready. */
  run(): R;
  /** The answer, or the error, if the wait queue wasn't ready in time. */
  onTimeout(): R;
}

/** Tasks that wait until something is ready. */
export class WaitQueue {
  readonly #ready: () => boolean;
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  #waiting = 0;

  /** `ready` says whether the step of the first task can be done. */
  constructor(ready: () => boolean) {
    this.#ready = ready;
  }

  /** The number of waiting tasks. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Does the step now, or answers as after a timeout if the wait queue isn't ready. Overtakes no waiting task. */
  now<R>(step: Step<R>): R {
    step.check?.();
    return this.#isFree() ? step.run() : step.onTimeout();
  }

  /** Does the step when its turn comes. */
  eventually<R>(step: Step<R>, options?: WaitOptions): Promise<R> {
    try {
      const timeout = timeoutOf(options);
      const signal = signalOf(options);
      if (timeout === 0) return settled(this.now(step));
      step.check?.();
      if (this.#isFree()) return settled(step.run());
      return new primordials.Promise((resolve, reject) => {
        this.#add(new Task(this, step, timeout, signal, resolve, reject));
      });
    } catch (error) {
      return failed(error);
    }
  }

  #isFree(): boolean {
    return this.#waiting === 0 && this.#ready();
  }

  #add(waiter: Waiter): void {
    waiter.before = this.#last;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.after = waiter;
    this.#last = waiter;
    this.#waiting++;
  }

  /** Removes a waiting task from the queue. */
  remove(waiter: Waiter): void {
    const { before, after } = waiter;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    this.#waiting--;
  }

  /** Does the steps that can be done, in their order. */
  pump(): void {
    while (this.#first !== undefined && this.#ready()) this.#first.proceed();
  }
}

/** A task in a wait queue, between its neighbours (a doubly linked list). */
interface Waiter {
  before: Waiter | undefined;
  after: Waiter | undefined;
  /** Leaves the wait queue and does the step. */
  proceed(): void;
}

/** A waiting task: settles its promise, once. */
class Task<R> implements Waiter {
  before: Waiter | undefined;
  after: Waiter | undefined;
  readonly #queue: WaitQueue;
  readonly #step: Step<R>;
  readonly #resolve: (result: R | Promise<R>) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  /** Only with a timer: capturing the call site takes longer than all the rest of a wait (Deno 2.9.6: 1.5 µs). */
  readonly #caller: CallSite | undefined;

  constructor(
    queue: WaitQueue,
    step: Step<R>,
    timeout: number,
    signal: AbortSignal | undefined,
    resolve: (result: R | Promise<R>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#queue = queue;
    this.#step = step;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    if (signal !== undefined) addAbortListener(signal, this.#aborted);
    if (timeout > MAX_TIMER_MS) return;
    this.#timer = setTimeout(this.#onTimeout, timeout);
    this.#caller = new CallSite(WaitQueue.prototype.eventually);
  }

  proceed(): void {
    this.#leave();
    this.#settle(() => inTurn(this.#step.run()));
  }

  readonly #onTimeout = (): void => {
    this.#leave();
    this.#settle(() => this.#step.onTimeout());
  };

  readonly #aborted = (): void => {
    this.#leave();
    this.#reject(abortReason(this.#signal!));
  };

  #settle(answer: () => R | Promise<R>): void {
    try {
      this.#resolve(answer());
    } catch (error) {
      this.#caller?.sign(error);
      this.#reject(error);
    }
  }

  #leave(): void {
    this.#queue.remove(this);
    clearTimeout(this.#timer);
    if (this.#signal !== undefined) removeAbortListener(this.#signal, this.#aborted);
  }
}

/** A result, after a turn of the event loop if one is due or under way: none overtakes another. */
function inTurn<R>(result: R): R | Promise<R> {
  return yieldIsDue() ? afterYield(result) : result;
}

function settled<R>(result: R): Promise<R> {
  return yieldIsDue() ? afterYield(result) : primordials.Promise.resolve(result);
}

/** A rejection; a loop that polls lets other tasks run, too. */
function failed(error: unknown): Promise<never> {
  if (!yieldIsDue()) return primordials.Promise.reject(error);
  return PromisePrototypeThen(afterYield(undefined), () => {
    throw error;
  });
}
