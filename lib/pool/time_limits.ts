// The time limits of the units that a worker runs.

import type { SentUnits } from "./sent_units.ts";
import type { Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const { clearTimeout, Deno, each, Math, setTimeout } = primordials;

/** How much too early the noted start of an item may be, in ms: tiny items share one look at the clock. */
const SLACK_MS = 0.1;

/** Finds the units that have reached their time limit. */
export class TimeLimits {
  readonly #sent: SentUnits;
  readonly #hear: () => void;
  readonly #reached: (slot: number, unit: Unit, item: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /**
   * @param hear reads what the worker has sent
   * @param reached ends the worker: the unit has reached its limit, and is stopped at this item
   */
  constructor(
    sent: SentUnits,
    hear: () => void,
    reached: (slot: number, unit: Unit, item: number) => void,
  ) {
    this.#sent = sent;
    this.#hear = hear;
    this.#reached = reached;
  }

  /** Checks the limits when the next one can be reached. */
  watch(): void {
    if (this.#timer !== undefined) return;
    const left = this.check();
    if (left === Infinity || this.#isOver) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.watch();
    }, Math.min(Math.ceil(left), 2 ** 31 - 1));
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Ends a unit that has reached its limit; returns the time until the next limit, in ms. */
  check(): number {
    let next = Infinity;
    for (const { 0: slot, 1: unit } of each(this.#sent.units.entries)) {
      const { timeLimit } = unit.options;
      if (timeLimit === undefined) continue;
      const { claim, item } = this.#sent.board.look(slot);
      const left = claim === "claimed"
        ? timeLimit + SLACK_MS - this.#sent.board.running(slot)
        : timeLimit;
      if (left > 0) {
        next = Math.min(next, left);
        continue;
      }
      if (!this.#sent.board.stop(slot, item)) {
        next = Math.min(next, timeLimit);
        continue;
      }
      try {
        this.#hear(); // its last message may tell the outcome
      } catch {
        // A message that can't be read is met again where messages are awaited.
      }
      this.#reached(slot, unit, item);
      return this.check();
    }
    return next;
  }

  /** Watches no more. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
