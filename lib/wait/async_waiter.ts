// The async waiter: the pending Atomics.waitAsync by which the waiting tasks of an isolate sleep at an
// eventcount.
//
// It can't be cancelled, so it may outlive the tasks. That does no harm as long as some process may notify
// the word it sleeps on: a waiter that is woken in vain passes the wake-up on. But an eventcount that is no
// longer used is never notified again, and the sleep would keep it in memory for ever. So the async waiter
// holds its eventcount by a weak reference, and when the eventcount has been collected, ends its own sleep.

import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  FinalizationRegistry,
  FinalizationRegistryPrototypeRegister,
  PromisePrototypeThen,
  SafeSet,
  WeakRef,
  WeakRefPrototypeDeref,
} = primordials;

/** An eventcount, as its async waiter sees it. */
export interface Notified {
  /** The async waiter was woken, perhaps in vain. */
  woken(): void;
  /** Wakes the next sleeper, if an attempt of it may succeed. */
  passOn(): void;
}

const forgotten = new FinalizationRegistry<AsyncWaiter>((waiter) => waiter.end());

/** The async waiters of this isolate that are asleep. */
const asleep = new SafeSet<AsyncWaiter>();

/** Sleeps for one eventcount, on one of two words. */
export class AsyncWaiter {
  readonly #eventcount: WeakRef<Notified>;
  readonly #words: Int32Array;
  readonly #epoch: number;
  readonly #front: number;
  #isAsleep = false;
  /** The epoch when it fell asleep. */
  #sleptAt = 0;

  /**
   * @param epoch the word that is bumped at every notify
   * @param front the word of the hot slot
   */
  constructor(eventcount: Notified, words: Int32Array, epoch: number, front: number) {
    this.#eventcount = new WeakRef(eventcount);
    this.#words = words;
    this.#epoch = epoch;
    this.#front = front;
    FinalizationRegistryPrototypeRegister(forgotten, eventcount, this);
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  /** Falls asleep; returns false instead if the eventcount was notified since `epoch` and `front` were read. */
  sleep(inFront: boolean, epoch: number, front: number): boolean {
    const sleep = inFront
      ? Atomics.waitAsync(this.#words, this.#front, front)
      : Atomics.waitAsync(this.#words, this.#epoch, epoch);
    if (!sleep.async) return false;
    this.#isAsleep = true;
    this.#sleptAt = epoch;
    asleep.add(this);
    PromisePrototypeThen(sleep.value, this.#wake);
    return true;
  }

  readonly #wake = (): void => {
    this.#isAsleep = false;
    asleep.delete(this);
    const eventcount = WeakRefPrototypeDeref(this.#eventcount);
    if (eventcount === undefined) this.#passOnBlindly();
    else eventcount.woken();
  };

  /**
   * Called while the thread is blocked: passes on wake-ups that have come since the last call, which can't be
   * used here.
   */
  static relay(except: AsyncWaiter | undefined): void {
    for (const waiter of asleep) if (waiter !== except) waiter.#relay();
  }

  #relay(): void {
    const seen = Atomics.load(this.#words, this.#epoch);
    if (seen === this.#sleptAt) return;
    this.#sleptAt = seen;
    const eventcount = WeakRefPrototypeDeref(this.#eventcount);
    if (eventcount === undefined) this.#passOnBlindly();
    else eventcount.passOn();
  }

  /**
   * The eventcount, which knew whether an attempt may succeed, has been collected: the next sleeper tries for
   * itself.
   */
  #passOnBlindly(): void {
    if (Atomics.notify(this.#words, this.#front, 1) > 0) return;
    Atomics.notify(this.#words, this.#epoch, 1);
  }

  /**
   * Ends the sleep: no task of this isolate will wait here any more. Sleepers of other isolates wake, try,
   * and sleep on.
   */
  end(): void {
    if (!this.#isAsleep) return;
    Atomics.notify(this.#words, this.#front);
    Atomics.notify(this.#words, this.#epoch);
  }
}
