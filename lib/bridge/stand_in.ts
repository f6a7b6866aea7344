// What the stand-ins for queues and for connections have in common: in a process of the operating system they
// stand for objects in its keeper.

import { InvalidStateError } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";
import { EventCount, EVENTCOUNT_WORDS } from "../wait/eventcount.ts";
import {
  blockingTimeoutOf,
  type BlockOptions,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "../wait/options.ts";
import type { Readiness } from "../wait/waitable.ts";
import type { BridgeClient } from "./client.ts";
import { READY } from "./methods.ts";

const {
  abortReason,
  ArrayPrototypePush,
  ArrayPrototypeShift,
  ArrayPrototypeUnshift,
  Int32Array,
  isAborted,
  PromisePrototypeThen,
  SharedArrayBuffer,
} = primordials;

/** An object in the keeper. */
export class Remote {
  readonly #client: BridgeClient;
  readonly #at: number;
  readonly #name: string;
  #isClosed = false;
  /** What came when the wait for it was over: the next calls get it. */
  readonly #left: unknown[] = [];
  #isReady = false;
  #asksReady = false;
  #eventcount: EventCount | undefined;

  /**
   * @param at the number of the object
   * @param name the object in words
   */
  constructor(client: BridgeClient, at: number, name: string) {
    this.#client = client;
    this.#at = at;
    this.#name = name;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How many items are here that the keeper no longer has. */
  get left(): number {
    return this.#left.length;
  }

  close(): void {
    this.#isClosed = true;
  }

  checkOpen(): void {
    if (!this.#isClosed) return;
    throw new InvalidStateError(`${this.#name} was closed by this process. Use it before close().`);
  }

  /** Calls a method that waits. */
  wait<T>(method: string, args: unknown[], options?: WaitOptions): Promise<T> {
    try {
      this.checkOpen();
      const timeout = timeoutOf(options), signal = signalOf(options);
      return this.#client.ask<T>(this.#at, method, args, timeout, signal);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /** The same, and blocks. */
  block<T>(method: string, args: unknown[], options?: BlockOptions): T {
    this.checkOpen();
    return this.#client.askSync<T>(this.#at, method, args, blockingTimeoutOf(options));
  }

  /** Calls a method that doesn't wait. */
  now<T>(method: string, args: unknown[] = []): T {
    this.checkOpen();
    return this.#client.askSync<T>(this.#at, method, args);
  }

  /**
   * Calls a method that takes items, and waits for it.
   *
   * @param items the items in what the method returns
   * @param answer what the call returns for items that are here already
   */
  take<T>(
    method: string,
    args: unknown[],
    options: WaitOptions | undefined,
    items: (value: T) => unknown[],
    answer: (left: unknown[]) => T,
  ): Promise<T> {
    try {
      this.checkOpen();
      const timeout = timeoutOf(options), signal = signalOf(options);
      if (signal !== undefined && isAborted(signal)) {
        return primordials.Promise.reject(abortReason(signal));
      }
      this.#isReady = false;
      if (this.#left.length > 0) return primordials.Promise.resolve(answer(this.#left));
      return this.#client.ask<T>(this.#at, method, args, timeout, signal, (value) => {
        const unwanted = items(value);
        for (let i = 0; i < unwanted.length; i++) ArrayPrototypePush(this.#left, unwanted[i]);
        this.#eventcount?.notify(Infinity);
      });
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /** The same, and blocks; without options it doesn't wait. */
  takeSync<T>(
    method: string,
    args: unknown[],
    timeout: number,
    answer: (left: unknown[]) => T,
  ): T {
    this.checkOpen();
    this.#isReady = false;
    if (this.#left.length > 0) return answer(this.#left);
    return this.#client.askSync<T>(this.#at, method, args, timeout);
  }

  /** Puts back an item that was taken. */
  putBack(item: unknown): void {
    ArrayPrototypeUnshift(this.#left, item);
  }

  get readiness(): Readiness {
    const isReady = () => {
      if (this.#left.length > 0 || this.#isReady) return true;
      this.#askReady();
      return false;
    };
    this.#eventcount ??= new EventCount(
      new Int32Array(new SharedArrayBuffer(EVENTCOUNT_WORDS * 4)),
      0,
      isReady,
    );
    return { eventcount: this.#eventcount, isReady };
  }

  #askReady(): void {
    if (this.#asksReady) return;
    this.#asksReady = true;
    const told = () => {
      this.#asksReady = false;
      this.#isReady = true;
      this.#eventcount?.notify(Infinity);
    };
    PromisePrototypeThen(this.#client.ask(this.#at, READY, [], Infinity), told, told);
  }
}

/** Takes the first item. */
export function first<T>(left: unknown[]): T {
  return ArrayPrototypeShift(left) as T;
}
