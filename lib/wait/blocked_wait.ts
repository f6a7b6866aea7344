// The record of a blocking wait: made as the thread is about to sleep, so a wait that needn't sleep costs nothing.
// Every 20 ms the blocked thread looks at what it waits for, and whether it is in a deadlock.

import { BLOCKING } from "../liveness/wait_board.ts";
import { CallSite } from "./call_site.ts";
import { checkBlocked } from "./deadlock.ts";
import {
  beginWait,
  blocked,
  endWait,
  look,
  unblocked,
  type Waiting,
  watch,
} from "./wait_records.ts";

/** The least time between two looks, in ms: as long as a blocked thread sleeps at most. */
const LOOK_EVERY_MS = 19;
const LOOKS_PER_SECOND = 50;

/** A blocking wait, which EventCount.block() tells before each sleep. */
export class BlockedWait {
  readonly #waiting: Waiting;
  readonly #timeout: number;
  readonly #way: number;
  readonly #above: (...args: never[]) => unknown;
  #row = 0;
  #before = 0;
  #hasBegun = false;
  #lookedAt = 0;
  #looks = 0;

  /** @param above the function whose callers the call site shows */
  constructor(
    waiting: Waiting,
    timeout: number,
    way: number,
    above: (...args: never[]) => unknown,
  ) {
    this.#waiting = waiting;
    this.#timeout = timeout;
    this.#way = way | BLOCKING;
    this.#above = above;
  }

  /**
   * Records the wait, or looks, if that is due. Throws a DeadlockError if this wait is to end by one.
   *
   * @param now the time, in ms
   */
  sleeping(now: number): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#lookedAt = now;
      this.#row = beginWait(this.#waiting, this.#timeout, this.#way, undefined, undefined);
      if (this.#row > 0) this.#before = blocked(this.#row);
      return;
    }
    if (this.#row <= 0 || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    look(this.#row, () => new CallSite(this.#above));
    if (++this.#looks % LOOKS_PER_SECOND === 0) watch();
    checkBlocked(this.#row);
  }

  end(): void {
    if (this.#row > 0) unblocked(this.#before);
    endWait(this.#row);
    this.#row = 0;
  }
}
