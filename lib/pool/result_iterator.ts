// An asynchronous iterator over what comes in at its own pace: next() waits for it, return() ends at once, and
// with it every next() that waits.

import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, ArrayPrototypeShift, ArrayPrototypeSplice, Promise } = primordials;

/** A next() that waits. */
interface Waiting<T> {
  resolve: (result: IteratorResult<T>) => void;
  reject: (reason: unknown) => void;
}

/** Iterates what is pushed. */
export class ResultIterator<T> implements AsyncIterableIterator<T> {
  readonly #ready: T[] = [];
  #first = 0;
  readonly #waiting: Waiting<T>[] = [];
  #end: { error: unknown } | "done" | undefined;
  readonly #taken: () => void;
  readonly #closed: () => void | Promise<void>;

  /**
   * @param taken called when one was taken, so that more may come
   * @param closed called when no more is wanted, once
   */
  constructor(taken: () => void, closed: () => void | Promise<void>) {
    this.#taken = taken;
    this.#closed = closed;
  }

  /** How many wait to be taken. */
  get size(): number {
    return this.#ready.length - this.#first;
  }

  /** One more. */
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

  /** There are no more; with an error, that comes last. */
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
