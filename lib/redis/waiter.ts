// A call that waits for something of the server's. It can only be answered once the server has been asked: a
// timeout that is up before then makes the call one that doesn't wait.

import { MAX_TIMER_MS } from "./core.ts";

/** How long a call that doesn't wait, or whose time is up, waits for the server's answer, in ms. */
export const PATIENCE = 5000;

/** What a waiter needs of its queue. */
export interface Ward<W> {
  /** Whether the server has answered that there is nothing for this waiter yet. */
  isKnownToWait(waiter: W): boolean;
  /** Its time is up, and the server has been asked. */
  timedOut(waiter: W): void;
  /** Its time is up, and the server hasn't answered. */
  unanswered(waiter: W): void;
  /** It is aborted. Answers whether that ends it now. */
  aborted(waiter: W): boolean;
}

/** A call that waits. */
export abstract class Waiter<R, W> {
  readonly #ward: Ward<W>;
  readonly #settled = Promise.withResolvers<R>();
  readonly #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Ends with the next answer of the server, whatever the answer is. */
  isLast: boolean;
  /** Whether it waits, as told in statistics. */
  readonly isWaiting: boolean;
  isOver = false;
  /** Set where an abort must wait for the server's answer. */
  reason: { value: unknown } | undefined;

  constructor(ward: Ward<W>, timeout: number, signal: AbortSignal | undefined) {
    this.#ward = ward;
    this.isLast = timeout === 0;
    this.isWaiting = !this.isLast;
    if (this.isLast) this.#losePatience();
    else if (timeout <= MAX_TIMER_MS) this.#timer = setTimeout(() => this.#timeUp(), timeout);
    this.#signal = signal;
    signal?.addEventListener("abort", this.#aborted);
  }

  get promise(): Promise<R> {
    return this.#settled.promise;
  }

  resolve(result: R): void {
    this.#end();
    this.#settled.resolve(result);
  }

  reject(error: unknown): void {
    this.#end();
    this.#settled.reject(error);
  }

  #end(): void {
    this.isOver = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#aborted);
  }

  #timeUp(): void {
    const self = this as unknown as W;
    if (this.#ward.isKnownToWait(self)) return this.#ward.timedOut(self);
    this.isLast = true;
    this.#losePatience();
  }

  #losePatience(): void {
    this.#timer = setTimeout(() => this.#ward.unanswered(this as unknown as W), PATIENCE);
  }

  readonly #aborted = (): void => {
    this.reason = { value: this.#signal!.reason };
    if (this.#ward.aborted(this as unknown as W)) return;
    clearTimeout(this.#timer);
    this.#losePatience();
  };
}
