// How long a worker takes for a unit, and thus how many units it is sent ahead.

import { SLOTS } from "./board.ts";
import * as primordials from "../platform/primordials.ts";

const { Math } = primordials;

/** A worker that takes less than this for a unit is sent so many ms of units ahead. */
const AHEAD_MS = 1;
/** A unit that takes less, in ms, its way there and back included, is worth a spin. */
const SHORT_MS = 0.1;
/** The weight of a new measurement in the average duration of a unit (exponential smoothing). */
const WEIGHT = 0.2;

/** The average duration of a unit. */
export class Pace {
  #unitMs = Infinity;

  /** The number of units that are sent ahead. */
  get ahead(): number {
    return this.#unitMs < AHEAD_MS ? Math.ceil(Math.min(AHEAD_MS / this.#unitMs, SLOTS)) : 0;
  }

  /** Whether units are so short that the pool may spin for the result of one. */
  get isShort(): boolean {
    return this.#unitMs < SHORT_MS;
  }

  /** A unit has taken so many ms. */
  measured(ms: number): void {
    this.#unitMs = this.#unitMs === Infinity ? ms : this.#unitMs + WEIGHT * (ms - this.#unitMs);
  }
}
