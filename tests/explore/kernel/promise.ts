// Promises of a simulated process: their jobs stand in the queue of that process, and run when it is scheduled.

import { isKill } from "./signals.ts";

const PENDING = 0, FULFILLED = 1, REJECTED = 2;

/** A job: it may yield. */
export type Job = () => unknown;

type Settle = (value: unknown) => unknown;

/** What a process needs of its promises. */
export interface SimulatedPromise {
  /** Calls one of two when it is settled, without making another promise. */
  whenSettled(fulfilled: Settle, rejected: Settle): void;
  fulfill(value: unknown): void;
  reject(reason: unknown): void;
}

/** The class of promises of a process. */
export interface PromiseClass {
  new (executor?: (resolve: Settle, reject: Settle) => void): SimulatedPromise;
  resolve(value: unknown): SimulatedPromise;
}

/** Makes the class `Promise` of a process. */
export function promisesOf(microtasks: () => Job[]): PromiseClass {
  class SimPromise implements SimulatedPromise {
    #state = PENDING;
    #value: unknown;
    #isLocked = false;
    #waiting: [Settle, Settle][] = [];

    constructor(executor?: (resolve: Settle, reject: Settle) => void) {
      executor?.((value) => this.fulfill(value), (reason) => this.reject(reason));
    }

    fulfill(value: unknown): void {
      if (this.#state !== PENDING || this.#isLocked) return;
      const then = isThenable(value) ? value.then : undefined;
      if (then === undefined) return this.#settle(FULFILLED, value);
      this.#isLocked = true;
      const unlock = (settle: (value: unknown) => void) => (settled: unknown) => {
        this.#isLocked = false;
        settle(settled);
      };
      const fulfilled = unlock((settled) => this.fulfill(settled));
      const rejected = unlock((reason) => this.reject(reason));
      if (value instanceof SimPromise) value.whenSettled(fulfilled, rejected);
      else microtasks().push(() => then.call(value, fulfilled, rejected));
    }

    reject(reason: unknown): void {
      if (this.#state === PENDING && !this.#isLocked) this.#settle(REJECTED, reason);
    }

    #settle(state: number, value: unknown): void {
      this.#state = state;
      this.#value = value;
      for (const [fulfilled, rejected] of this.#waiting) this.#plan(fulfilled, rejected);
      this.#waiting = [];
    }

    #plan(fulfilled: Settle, rejected: Settle): void {
      const settle = this.#state === FULFILLED ? fulfilled : rejected;
      microtasks().push(() => settle(this.#value));
    }

    whenSettled(fulfilled: Settle, rejected: Settle): void {
      if (this.#state === PENDING) this.#waiting.push([fulfilled, rejected]);
      else this.#plan(fulfilled, rejected);
    }

    then(onFulfilled?: unknown, onRejected?: unknown): SimPromise {
      const next = new SimPromise();
      const via = (handler: unknown, otherwise: Settle): Settle => {
        if (typeof handler !== "function") return otherwise;
        return function* (value: unknown): Generator<unknown, void, unknown> {
          try {
            const result = handler(value);
            next.fulfill(isGenerator(result) ? yield* result : result);
          } catch (error) {
            if (isKill(error)) throw error;
            next.reject(error);
          }
        };
      };
      this.whenSettled(
        via(onFulfilled, (value) => next.fulfill(value)),
        via(onRejected, (reason) => next.reject(reason)),
      );
      return next;
    }

    catch(onRejected?: unknown): SimPromise {
      return this.then(undefined, onRejected);
    }

    finally(work: () => unknown): SimPromise {
      return this.then(function* (value: unknown) {
        const result = work();
        if (isGenerator(result)) yield* result;
        return value;
      }, function* (reason: unknown) {
        const result = work();
        if (isGenerator(result)) yield* result;
        throw reason;
      });
    }

    static resolve(value?: unknown): SimPromise {
      if (value instanceof SimPromise) return value;
      const promise = new SimPromise();
      promise.fulfill(value);
      return promise;
    }

    static reject(reason: unknown): SimPromise {
      const promise = new SimPromise();
      promise.reject(reason);
      return promise;
    }

    static withResolvers(): { promise: SimPromise; resolve: Settle; reject: Settle } {
      const promise = new SimPromise();
      return {
        promise,
        resolve: (value) => promise.fulfill(value),
        reject: (reason) => promise.reject(reason),
      };
    }

    static all(values: Iterable<unknown>): SimPromise {
      const all = new SimPromise(), results: unknown[] = [];
      let left = 0;
      for (const value of values) {
        const i = left++;
        SimPromise.resolve(value).whenSettled((result) => {
          results[i] = result;
          if (--left === 0) all.fulfill(results);
        }, (reason) => all.reject(reason));
      }
      if (left === 0) all.fulfill(results);
      return all;
    }

    static allSettled(values: Iterable<unknown>): SimPromise {
      return SimPromise.all([...values].map((value) =>
        SimPromise.resolve(value).then(
          (result: unknown) => ({ status: "fulfilled", value: result }),
          (reason: unknown) => ({ status: "rejected", reason }),
        )
      ));
    }

    static race(values: Iterable<unknown>): SimPromise {
      const first = new SimPromise();
      for (const value of values) {
        SimPromise.resolve(value).whenSettled(
          (result) => first.fulfill(result),
          (reason) => first.reject(reason),
        );
      }
      return first;
    }
  }
  return SimPromise as unknown as PromiseClass;
}

function isThenable(value: unknown): value is { then: (...args: unknown[]) => unknown } {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}

/** A generator of one of the transformed functions, or of the kernel's. */
export type Running = Generator<unknown, unknown, unknown>;

/** All generators: what transformed functions return. */
const generators: object = Object.getPrototypeOf(function* () {}).prototype;
const IS_GENERATOR = Symbol("isGenerator");
Object.defineProperty(generators, IS_GENERATOR, { value: true });

/** Whether a value is the generator of a transformed function. */
export function isGenerator(value: unknown): value is Running {
  return typeof value === "object" && value !== null &&
    (value as { [IS_GENERATOR]?: boolean })[IS_GENERATOR] === true;
}
