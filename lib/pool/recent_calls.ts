// The functions that a pool was last asked to call: a new worker loads them before they are needed.

import type { Registered } from "./functions.ts";
import * as primordials from "../platform/primordials.ts";

const { SafeSet } = primordials;

/** The most functions that are kept. */
const MOST = 16;

/** The functions that were called last. */
export class RecentCalls {
  readonly #calls = new SafeSet<Registered>();
  #last: Registered | undefined;

  /** A function is called. */
  note(call: Registered): void {
    if (call === this.#last) return;
    this.#last = call;
    this.#calls.delete(call);
    this.#calls.add(call);
    if (this.#calls.size <= MOST) return;
    for (const oldest of this.#calls) {
      this.#calls.delete(oldest);
      return;
    }
  }

  /** Lets a worker load them, the oldest first. */
  prepare(worker: { prepare(call: Registered): void }): void {
    for (const call of this.#calls) worker.prepare(call);
  }
}
