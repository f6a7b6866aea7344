// Barrier: nobody goes on before all have arrived.

import { checkMilliseconds, checkNumber, isWhole } from "../validate/numbers.ts";
import { checkNames, option } from "../validate/options.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import {
  cannotClone,
  constructFrom,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
} from "../transfer/transferable.ts";
import { CallSite } from "../wait/call_site.ts";
import { blocking, eventually } from "../wait/operation.ts";
import { type BlockOptions, signalOf, timeoutOf, type WaitOptions } from "../wait/options.ts";
import { type Action, type ActionText, arrivedAction, givenAction } from "./barrier_action.ts";
import { Arrival, BarrierState, newBarrierState } from "./barrier_state.ts";
import { handedOverOnly, parcelOf, receivedState, type SharedState } from "../shm/shared_state.ts";
import { MAX_ROWS } from "../shm/slot_table.ts";
import { isThenable } from "./thenable.ts";
import * as primordials from "../platform/primordials.ts";

const { Math, performance, TypeError } = primordials;

const NAME = "Barrier";

/**
 * What a new {@linkcode Barrier} does besides making all wait for one another.
 *
 * @example
 * ```ts
 * import { Barrier, type BarrierOptions } from "@multiproc/multiprocessing";
 *
 * const options: BarrierOptions = {
 *   action: () => console.log("all are here"), // all are here
 *   timeout: 60_000,
 * };
 * const barrier = new Barrier(2, options);
 * await Promise.all([barrier.wait(), barrier.wait()]);
 * ```
 */
export interface BarrierOptions {
  /**
   * Called once in each round, when all have arrived and before any goes on, in the process that
   * arrived last. If it returns a promise, that is waited for. If it throws, the barrier breaks.
   *
   * In the process that made the barrier it is called as it is. To others it crosses as its source
   * text: there it may use the globals, and nothing else. Where it comes from a process with other
   * permissions, through a pipe, it isn't run, and the barrier breaks.
   */
  action?: () => unknown;
  /** Milliseconds that a wait may take which isn't given a `timeout` of its own; by default without end. */
  timeout?: number;
}

/** What crosses. */
interface BarrierContent {
  parties: unknown;
  timeout: number;
  action: ActionText | undefined;
}

/** What a barrier is made from that has arrived. */
interface ReceivedBarrier {
  shared: SharedState;
  timeout: number;
  action: Action | undefined;
}

/**
 * A place where so many tasks, of one process or of many, wait until all have arrived, round after
 * round. Python's `multiprocessing.Barrier`.
 *
 * A barrier at which somebody is missing breaks, so that the others don't wait in vain: those who
 * wait, and those who come then, get a {@linkcode BrokenBarrierError} that says why, until it is
 * {@linkcode Barrier.reset}. It breaks when a wait takes too long or is aborted, when the action throws,
 * by {@linkcode Barrier.abort}, and when a process ends that waits there or has waited there since the
 * last reset: is terminated or killed, throws, or exits with a code other than 0. A process that has
 * returned is missed only if it was waiting.
 *
 * @example
 * ```ts
 * import { Barrier, Process } from "@multiproc/multiprocessing";
 *
 * export async function step(barrier: Barrier) {
 *   console.log("first half"); // first half
 *   await barrier.wait(); // until all have come this far
 *   console.log("second half"); // second half
 * }
 *
 * if (import.meta.main) {
 *   const barrier = new Barrier(3);
 *   for (let i = 0; i < 3; i++) new Process({ target: step, args: [barrier] }).start();
 * }
 * ```
 */
export class Barrier {
  readonly #shared: SharedState;
  readonly #parties: BarrierState;
  readonly #action: Action | undefined;
  readonly #timeout: number;

  /**
   * Makes one.
   *
   * @param parties how many must arrive, from 1 to 65,536
   * @throws {TypeError} if `parties` isn't a number, or an option has the wrong type
   * @throws {RangeError} if `parties` isn't whole or out of this range, or `timeout` is negative or NaN
   */
  constructor(parties: number, options: BarrierOptions = {}) {
    const received = receivedParts<ReceivedBarrier>(new.target);
    if (received === undefined) {
      checkParties(parties);
      const names = ["action", "timeout"], example = "new Barrier(2, { timeout: 1000 })";
      const { action, timeout = Infinity } = checkNames(options, names, example);
      this.#timeout = checkMilliseconds("timeout", timeout);
      this.#action = givenAction(action);
      this.#shared = newBarrierState(parties);
    } else ({ shared: this.#shared, timeout: this.#timeout, action: this.#action } = received);
    this.#parties = new BarrierState(this.#shared);
  }

  static {
    registerTransferable(NAME, (content) => {
      const { parties, timeout, action } = content as BarrierContent;
      const shared = receivedState(parties);
      const received: ReceivedBarrier = { shared, timeout, action: arrivedAction(action) };
      return constructFrom(Barrier, received, 1);
    });
  }

  /** How many must arrive. */
  get parties(): number {
    return this.#parties.parties;
  }

  /** How many have arrived and wait for the others. Python's `n_waiting`. */
  get nWaiting(): number {
    return this.#parties.count;
  }

  /** Whether it is broken: see {@linkcode Barrier}. */
  get broken(): boolean {
    return this.#parties.isBroken;
  }

  /**
   * Arrives, and waits until all have. Resolves to the number of those who arrived before, from 0 to
   * `parties` - 1: a different one for each, for example to choose who does something once.
   *
   * If the action of the last round is still running, the arrival waits for that first. The time of the
   * action doesn't count for the one who runs it.
   *
   * @throws {BrokenBarrierError} if the barrier is broken, or breaks, for example because this took more
   *   than `timeout` ms
   * @throws what the action throws, where it runs, and the signal's reason when it is aborted; for the
   *   others the barrier is broken then
   * @throws {RangeError} if `timeout` is negative or NaN, or if more than 65,536 take part
   *
   * @example
   * ```ts
   * import { Barrier } from "@multiproc/multiprocessing";
   *
   * const barrier = new Barrier(3);
   * const tasks = ["a", "b", "c"].map(async (task) => {
   *   if (await barrier.wait() === 0) console.log(`${task} came first`); // a came first
   * });
   * await Promise.all(tasks);
   * ```
   */
  async wait(options?: WaitOptions): Promise<number> {
    const left = this.#clock(options);
    const signal = signalOf(options);
    const parties = this.#parties, arrival = new Arrival();
    let noted: CallSite | undefined;
    // Not for the last one, who doesn't wait: noting it takes longer than all the rest (Deno 2.9.6: 1.5 µs).
    const caller = () => noted ??= new CallSite(this.wait);
    const entering = eventually(
      parties.entering(arrival, signal),
      { timeout: left(), signal },
      caller,
    );
    if (!arrival.isLast) caller();
    await entering;
    if (!arrival.isLast) return await this.#pass(arrival, { timeout: left(), signal }, caller);
    try {
      await this.#action?.run();
    } catch (error) {
      parties.fail(arrival);
      throw error;
    }
    return parties.pass(arrival);
  }

  async #pass(arrival: Arrival, options: WaitOptions, caller: () => CallSite): Promise<number> {
    const { signal } = options;
    try {
      return await eventually(this.#parties.passing(arrival, signal), options, caller);
    } catch (error) {
      // The signal may have been aborted between the two waits.
      this.#parties.giveUp(arrival, signal);
      throw error;
    }
  }

  /**
   * Like {@linkcode Barrier.wait}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `wait` does.
   *
   * @throws {TypeError} if the action returns a promise, which can't be waited for here; the others as
   *   `wait`
   */
  waitSync(options?: BlockOptions): number {
    const left = this.#clock(options);
    const arrival = new Arrival();
    blocking(this.#parties.entering(arrival), { timeout: left() });
    return arrival.isLast
      ? this.#actSync(arrival, "waitSync")
      : blocking(this.#parties.passing(arrival), { timeout: left() });
  }

  /**
   * Like {@linkcode Barrier.wait}, but arrives only if all others wait already, and so doesn't wait. If
   * they don't, nothing breaks (which it does by a `wait` with a `timeout` of 0, as in Python).
   *
   * @throws {TimeoutError} if this wouldn't be the last
   * @throws {BrokenBarrierError} if the barrier is broken
   * @throws {TypeError} if the action returns a promise, which can't be waited for here
   */
  waitNowait(): number {
    const arrival = new Arrival();
    this.#parties.enterLast(arrival);
    return this.#actSync(arrival, "waitNowait");
  }

  #actSync(arrival: Arrival, call: string): number {
    try {
      if (isThenable(this.#action?.run())) {
        throw new TypeError(
          `The action of the barrier returned a promise, which ${call}() can't wait for. ` +
            "Give an action that does its work at once, or call wait().",
        );
      }
    } catch (error) {
      this.#parties.fail(arrival);
      throw error;
    }
    return this.#parties.pass(arrival);
  }

  /** The time that is left of a wait that begins now. */
  #clock(options: BlockOptions | undefined): () => number {
    const given = timeoutOf(options);
    const timeout = option(options, "timeout") === undefined ? this.#timeout : given;
    if (timeout === Infinity) return endless;
    const end = performance.now() + timeout;
    return () => Math.max(0, end - performance.now());
  }

  /**
   * Makes it as it was at first: nobody has arrived, nobody takes part, it isn't broken. Those who
   * wait get a BrokenBarrierError.
   */
  reset(): void {
    this.#parties.reset();
  }

  /** Breaks it: those who wait, and those who come, get a BrokenBarrierError until it is reset. */
  abort(): void {
    this.#parties.abort();
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => {
      const { parties, count, looksBroken } = this.#parties;
      return { parties, waiting: count, broken: looksBroken };
    };
    return print(this, [NAME, Barrier], state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `a Barrier, which ${handedOverOnly}`;
  }

  /** @ignore */
  [serialize](): Serialized {
    const parcel = parcelOf(NAME, this.#shared);
    const action = this.#action?.text();
    const all: BarrierContent = { parties: parcel.content, timeout: this.#timeout, action };
    return { ...parcel, content: all };
  }
}

const endless = () => Infinity;

function checkParties(parties: unknown): number {
  return checkNumber(
    "parties",
    parties,
    (n) => isWhole(n, 1, MAX_ROWS),
    `Give how many must arrive, a whole number from 1 to ${MAX_ROWS}.`,
    ", which is no number of parties",
  );
}
