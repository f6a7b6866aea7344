// Event: a flag that processes wait for.

import { customInspect, type Inspect, print } from "../printing.ts";
import {
  cannotClone,
  constructFrom,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
} from "../transfer/transferable.ts";
import { EventCount, EVENTCOUNT_WORDS, WAIT } from "../wait/eventcount.ts";
import { blocking, eventually, now, type Operation } from "../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../wait/options.ts";
import {
  handedOverOnly,
  newSharedState,
  receivedState,
  serializedOf,
  type SharedState,
} from "../shm/shared_state.ts";
import { AWAIT, EVENT, numberIn, type Subject } from "../wait/subject.ts";
import type { EventStatistics } from "./statistics.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics } = primordials;

const NAME = "Event";

// One word: the lowest bit is the flag, the other bits count how often it was raised. A waiter remembers the
// count it has seen, and is done when the flag is up or the count has changed: the flag may have been cleared
// already.
const STATE = 0, NUMBER = 15, EVENTCOUNT = 16, WORDS = EVENTCOUNT + EVENTCOUNT_WORDS;
const UP = 1, ONCE = 2;

/**
 * A flag that is down at first, and that any number of tasks and processes wait for. Python's
 * `multiprocessing.Event`. Once set, it stays up, and waits return at once, until it is cleared.
 *
 * @example
 * ```ts
 * import { Event, Process } from "@multiproc/multiprocessing";
 *
 * export async function work(ready: Event) {
 *   await ready.wait();
 *   console.log("all are ready");
 * }
 *
 * if (import.meta.main) {
 *   const ready = new Event();
 *   for (let i = 0; i < 3; i++) new Process({ target: work, args: [ready] }).start();
 *   ready.set();
 * }
 * ```
 */
export class Event {
  readonly #shared: SharedState;
  readonly #words: Int32Array;
  readonly #eventcount: EventCount;
  readonly #subject: Subject;

  /** Makes an event whose flag is down. */
  constructor() {
    this.#shared = receivedParts<SharedState>(new.target) ?? newSharedState(WORDS);
    this.#words = this.#shared.words;
    this.#eventcount = new EventCount(this.#words, EVENTCOUNT, () => this.isSet());
    const words = this.#words;
    this.#subject = {
      kind: EVENT,
      get number() {
        return numberIn(words, NUMBER, EVENT);
      },
    };
  }

  static {
    registerTransferable(NAME, (content) => constructFrom(Event, receivedState(content)));
  }

  /** Whether the flag is up. */
  isSet(): boolean {
    return (Atomics.load(this.#words, STATE) & UP) !== 0;
  }

  /** Raises the flag: all waiting tasks go on, even if it is cleared at once. */
  set(): void {
    const words = this.#words;
    for (;;) {
      const state = Atomics.load(words, STATE);
      const raised = (state + ONCE) | UP;
      if ((state & UP) !== 0) break;
      if (Atomics.compareExchange(words, STATE, state, raised) === state) break;
    }
    // Even if the flag was up before: the process that raised it may not have come this far.
    this.#eventcount.notify(Infinity);
  }

  /** Takes the flag down: waits that begin from now on wait again. */
  clear(): void {
    Atomics.and(this.#words, STATE, ~UP);
  }

  /**
   * Waits until the flag is up; resolves to true, or to false if that took more than `timeout` ms.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   *
   * @example
   * ```ts
   * import { Event } from "@multiproc/multiprocessing";
   *
   * const ready = new Event();
   * console.log(await ready.wait({ timeout: 10 })); // false
   * ready.set();
   * console.log(await ready.wait()); // true
   * ```
   */
  wait(options?: WaitOptions): Promise<boolean> {
    return eventually(this.#waiting(), options);
  }

  /**
   * Like {@linkcode Event.wait}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `wait` does.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  waitSync(options?: BlockOptions): boolean {
    return blocking(this.#waiting(), options);
  }

  /** Like {@linkcode Event.wait}, but doesn't wait: returns whether the flag is up. */
  waitNowait(): boolean {
    return now(this.#waiting());
  }

  #waiting(): Operation<boolean> {
    const words = this.#words;
    const seen = Atomics.load(words, STATE) & ~UP;
    const isDone = () => {
      const state = Atomics.load(words, STATE);
      return (state & UP) !== 0 || state !== seen;
    };
    return {
      eventcount: this.#eventcount,
      attempt: () => isDone() || WAIT,
      onTimeout: isDone,
      subject: this.#subject,
      verb: AWAIT,
    };
  }

  /** A snapshot of its state. Python has nothing like it. */
  statistics(): EventStatistics {
    return { set: this.isSet(), waiting: this.#eventcount.waiting };
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    return print(this, [NAME, Event], () => ({ set: this.isSet() }), inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `an Event, which ${handedOverOnly}`;
  }

  /** @ignore */
  [serialize](): Serialized {
    return serializedOf(NAME, this.#shared);
  }
}
