// An asynchronous iterator over pushed values: next() waits for a value; return() ends the iterator at once, and
// every next() that waits.

import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, ArrayPrototypeShift, ArrayPrototypeSplice, Promise } = primordials;

/** A pending call of next(). */
interface Waiting<T> {
  resolve: (result: IteratorResult<T>) => void;
  reject: (reason: unknown) => void;
}

/** Iterates the values that push() adds. */
export class ResultIterator<T> implements AsyncIterableIterator<T> {
  readonly #ready: T[] = [];
  #first = 0;
  readonly #waiting: Waiting<T>[] = [];
  #end: { error: unknown } | "done" | undefined;
  readonly #taken: () => void;
  readonly #closed: () => void | Promise<void>;

  /**
   * @param taken called when a value was taken, so that more may come
   * @param closed called once, when the consumer wants no more
   */
  constructor(taken: () => void, closed: () => void | Promise<void>) {
    this.#taken = taken;
    this.#closed = closed;
  }

  /** The number of values that were not taken yet. */
  get size(): number {
    return this.#ready.length - this.#first;
  }

  /** Adds a value. */
  push(value: T): void {
    if (this.#end !== undefined) return;
    const waiter = ArrayPrototypeShift(this.#waiting);
    if (waiter === undefined) {
      ArrayPrototypePush(this.#ready, value);
      return;
    }
    waiter.resolve({ value, done: false });
    this.#taken();
  }

  /** Ends the iterator after the values so far; an error comes last. */
  finish(end: { error: unknown } | "done" = "done"): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    while (this.#waiting.length > 0) this.#settle(ArrayPrototypeShift(this.#waiting)!);
  }

  #settle({ resolve, reject }: Waiting<T>): void {
    const end = this.#end;
    if (typeof end === "object") {
      this.#end = "done";
      reject(end.error);
    } else resolve({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<T>> {
    if (this.size > 0) {
      const value = this.#ready[this.#first];
      this.#ready[this.#first++] = undefined as T;
      if (this.#first > 1024 && this.#first > this.#ready.length >> 1) {
        ArrayPrototypeSplice(this.#ready, 0, this.#first);
        this.#first = 0;
      }
      this.#taken();
      return Promise.resolve({ value, done: false });
    }
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      if (this.#end === undefined) ArrayPrototypePush(this.#waiting, waiter);
      else this.#settle(waiter);
    });
  }

  async return(value?: unknown): Promise<IteratorResult<T>> {
    const wasOpen = this.#end === undefined || this.size > 0;
    this.#ready.length = this.#first = 0;
    if (typeof this.#end === "object") this.#end = "done";
    this.finish();
    if (wasOpen) await this.#closed();
    return { value: value as T, done: true };
  }

  async throw(error?: unknown): Promise<IteratorResult<T>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
