// What a Condition asks of its lock: to release it wholly while it waits, and to have it again as it
// was.

import type { Operation } from "../wait/operation.ts";

/** The method by which a lock that this process holds is released, however often it is held. */
export const releaseAll: unique symbol = Symbol("multiprocessing.releaseAll");

/** The method by which it is acquired as often again. */
export const reacquiring: unique symbol = Symbol("multiprocessing.reacquiring");

/** The method that throws if this process doesn't hold it. */
export const checkHeld: unique symbol = Symbol("multiprocessing.checkHeld");

/** What Lock and RLock do for it; they can't say so in public. */
export interface Monitor {
  /** @returns how often it was held */
  [releaseAll](): number;
  [reacquiring](times: number): Operation<boolean>;
  /**
   * @param call what was called
   * @param what it was called on
   */
  [checkHeld](call: string, what: string): void;
}
