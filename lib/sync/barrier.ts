// Barrier: no party goes on before all have arrived.

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
import {
  handedOverOnly,
  receivedState,
  serializedOf,
  type SharedState,
} from "../shm/shared_state.ts";
import { MAX_ROWS } from "../shm/slot_table.ts";
import { isThenable } from "./thenable.ts";
import type { BarrierStatistics } from "./statistics.ts";
import * as primordials from "../platform/primordials.ts";

const { Math, performance, TypeError } = primordials;

const NAME = "Barrier";

/**
 * Options of a new {@linkcode Barrier}.
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
   * A function that is called once in each round, when all parties have arrived and before any goes on, in
   * the process that arrived last. A promise that it returns is awaited. If it throws, the barrier breaks.
   *
   * In the process that made the barrier, the function itself is called. Other processes receive its source
   * text, which may use the globals and nothing else. An action that comes through a pipe from a process with
   * other permissions isn't run, and the barrier breaks.
   */
  action?: () => unknown;
  /** The timeout, in milliseconds, of waits that are given none of their own; by default there is none. */
  timeout?: number;
}

/** The content of a serialized barrier. */
interface BarrierContent {
  parties: unknown;
  timeout: number;
  action: ActionText | undefined;
}

/** The parts from which an arrived barrier is constructed. */
interface ReceivedBarrier {
  shared: SharedState;
  timeout: number;
  action: Action | undefined;
}

/**
 * A place where a fixed number of tasks, of one process or of many, wait until all have arrived, round after
 * round. Python's `multiprocessing.Barrier`.
 *
 * A barrier at which a party is missing breaks, so that the others don't wait in vain: waits that are under
 * way, and waits that begin then, throw a {@linkcode BrokenBarrierError} that says why, until
 * {@linkcode Barrier.reset} is called. It breaks when a wait takes too long or is aborted, when the action
 * throws, by {@linkcode Barrier.abort}, and when a process ends that waits there or has waited there since
 * the last reset: is terminated or killed, throws, or exits with a code other than 0. A process that has
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
   * Makes a barrier.
   *
   * @param parties the number of parties that must arrive, from 1 to 65,536
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

  /** The number of parties that must arrive. */
  get parties(): number {
    return this.#parties.parties;
  }

  /** The number of parties that have arrived and wait for the others. Python's `n_waiting`. */
  get nWaiting(): number {
    return this.#parties.count;
  }

  /** Whether the barrier is broken: see {@linkcode Barrier}. */
  get broken(): boolean {
    return this.#parties.isBroken;
  }

  /**
   * Arrives, and waits until all parties have. Resolves to the number of parties that arrived before, from 0
   * to `parties` - 1: a different number for each, for example to choose which task does something once.
   *
   * While the action of the last round is still running, the arrival waits for its end first. The time of the
   * action doesn't count for the party that runs it.
   *
   * @throws {BrokenBarrierError} if the barrier is broken, or breaks, for example because this took more
   *   than `timeout` ms
   * @throws the error of the action, where it runs, and the signal's reason when the signal is aborted; for
   *   the other parties the barrier is broken then
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
    // Not for the last party, which doesn't wait: capturing the call site takes longer than all the rest
    // (Deno 2.9.6: 1.5 µs).
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
   * @throws {TypeError} if the action returns a promise, which can't be awaited here; other errors as `wait`
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
   * Like {@linkcode Barrier.wait}, but arrives only if all other parties already wait, and so doesn't wait
   * itself. If they don't, the barrier stays intact (a `wait` with a `timeout` of 0 breaks it, as in Python).
   *
   * @throws {TimeoutError} if this party wouldn't be the last
   * @throws {BrokenBarrierError} if the barrier is broken
   * @throws {TypeError} if the action returns a promise, which can't be awaited here
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

  /** A function that returns the time left of a wait that begins now. */
  #clock(options: BlockOptions | undefined): () => number {
    const given = timeoutOf(options);
    const timeout = option(options, "timeout") === undefined ? this.#timeout : given;
    if (timeout === Infinity) return endless;
    const end = performance.now() + timeout;
    return () => Math.max(0, end - performance.now());
  }

  /**
   * Restores the initial state: no party has arrived, no process takes part, the barrier isn't broken. Waits
   * under way throw a BrokenBarrierError.
   */
  reset(): void {
    this.#parties.reset();
  }

  /** Breaks the barrier: waits under way, and those that begin before the next reset, throw a BrokenBarrierError. */
  abort(): void {
    this.#parties.abort();
  }

  /** A snapshot of its state. Python has nothing like it. */
  statistics(): BarrierStatistics {
    const { parties, count, looksBroken } = this.#parties;
    return { parties, waiting: count, broken: looksBroken };
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
    const serialized = serializedOf(NAME, this.#shared);
    const action = this.#action?.text();
    const all: BarrierContent = { parties: serialized.content, timeout: this.#timeout, action };
    return { ...serialized, content: all };
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
