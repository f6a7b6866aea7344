// The time limit of a process, kept by its host.

import { MAX_TIMER_MS } from "../wait/options.ts";
import * as primordials from "../platform/primordials.ts";

const { clearTimeout, Deno, Math, performance, setTimeout } = primordials;

/** Calls back when the time of a process is up. The timer doesn't keep the program alive. */
export class TimeLimit {
  readonly #limitMs: number;
  readonly #isUp: () => void;
  #deadline: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limitMs: number, isUp: () => void) {
    this.#limitMs = limitMs;
    this.#isUp = isUp;
  }

  /** Starts the clock. */
  begin(): void {
    this.#deadline = performance.now() + this.#limitMs;
    this.check();
  }

  /** Checks whether the time is up. Also called where the thread is blocked and no timer fires. */
  check(): void {
    if (this.#deadline === undefined) return;
    clearTimeout(this.#timer);
    const left = this.#deadline - performance.now();
    if (left <= 0) return this.#isUp();
    this.#timer = setTimeout(() => this.check(), Math.min(left + 1, MAX_TIMER_MS));
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Stops the clock. */
  end(): void {
    this.#deadline = undefined;
    clearTimeout(this.#timer);
  }
}
