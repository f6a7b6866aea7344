// The sleeper: the Atomics.waitAsync by which the waiting tasks of an isolate sleep at an eventcount.
//
// It can't be cancelled, so it may outlive those who wait. That does no harm as long as somebody may
// notify the word it sleeps on: whoever is woken in vain passes it on. But what nobody uses any more
// nobody will ever notify, and the sleeper would keep it in memory for ever. So it holds its eventcount by
// a weak reference, and when that has been collected, ends its own sleep.

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

/** An eventcount, to those who sleep for it. */
export interface Notified {
  /** It was woken, perhaps in vain. */
  woken(): void;
  /** Wakes the next sleeper, if there is something for him. */
  passOn(): void;
}

const forgotten = new FinalizationRegistry<AsyncWaiter>((sleeper) => sleeper.end());

/** The sleepers of this isolate that are asleep. */
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
   * @param epoch the word that is bumped at every opening
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

  /** Falls asleep, unless the eventcount was opened since its words were seen like this: false then. */
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

  /** While the thread is blocked, a wake-up since the last look can't be used here. */
  static relay(but: AsyncWaiter | undefined): void {
    for (const sleeper of asleep) if (sleeper !== but) sleeper.#relay();
  }

  #relay(): void {
    const seen = Atomics.load(this.#words, this.#epoch);
    if (seen === this.#sleptAt) return;
    this.#sleptAt = seen;
    const eventcount = WeakRefPrototypeDeref(this.#eventcount);
    if (eventcount === undefined) this.#passOnBlindly();
    else eventcount.passOn();
  }

  /** Of what the eventcount stands before nothing is known any more: the next sleeper looks himself. */
  #passOnBlindly(): void {
    if (Atomics.notify(this.#words, this.#front, 1) > 0) return;
    Atomics.notify(this.#words, this.#epoch, 1);
  }

  /** Nobody here will wait any more. Others who sleep there look, and sleep on. */
  end(): void {
    if (!this.#isAsleep) return;
    Atomics.notify(this.#words, this.#front);
    Atomics.notify(this.#words, this.#epoch);
  }
}
