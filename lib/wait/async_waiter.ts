// The sleeper: the Atomics.waitAsync by which the waiting tasks of an isolate sleep at a gate.
//
// It can't be cancelled, so it may outlive those who wait. That does no harm as long as somebody may
// notify the word it sleeps on: whoever is woken in vain passes it on. But what nobody uses any more
// nobody will ever notify, and the sleeper would keep it in memory for ever. So it holds its gate by
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

/** A gate, to those who sleep for it. */
export interface Sleepable {
  /** It was woken, perhaps in vain. */
  woken(): void;
  /** Wakes the next sleeper, if there is something for him. */
  passOn(): void;
}

const forgotten = new FinalizationRegistry<Sleeper>((sleeper) => sleeper.end());

/** The sleepers of this isolate that are asleep. */
const asleep = new SafeSet<Sleeper>();

/** Sleeps for one gate, on one of two words. */
export class Sleeper {
  readonly #gate: WeakRef<Sleepable>;
  readonly #words: Int32Array;
  readonly #epoch: number;
  readonly #front: number;
  #isAsleep = false;
  /** The epoch when it fell asleep. */
  #sleptAt = 0;

  /**
   * @param epoch the word that is bumped at every opening
   * @param front the word of the front seat
   */
  constructor(gate: Sleepable, words: Int32Array, epoch: number, front: number) {
    this.#gate = new WeakRef(gate);
    this.#words = words;
    this.#epoch = epoch;
    this.#front = front;
    FinalizationRegistryPrototypeRegister(forgotten, gate, this);
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  /** Falls asleep, unless the gate was opened since its words were seen like this: false then. */
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
    const gate = WeakRefPrototypeDeref(this.#gate);
    if (gate === undefined) this.#passOnBlindly();
    else gate.woken();
  };

  /** While the thread is blocked, a wake-up since the last look can't be used here. */
  static relay(but: Sleeper | undefined): void {
    for (const sleeper of asleep) if (sleeper !== but) sleeper.#relay();
  }

  #relay(): void {
    const seen = Atomics.load(this.#words, this.#epoch);
    if (seen === this.#sleptAt) return;
    this.#sleptAt = seen;
    const gate = WeakRefPrototypeDeref(this.#gate);
    if (gate === undefined) this.#passOnBlindly();
    else gate.passOn();
  }

  /** Of what the gate stands before nothing is known any more: the next sleeper looks himself. */
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
