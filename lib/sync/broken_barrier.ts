// The reasons for which a round of a barrier is broken, as words of shared memory and as text.

import { BrokenBarrierError } from "../errors.ts";

/** The reasons; 0 is none. */
export const TOO_LONG = 1, SIGNAL = 2, ABORTED = 3, RESET = 4, ACTION = 5, DIED = 6, LEFT = 7;

const because = [
  "",
  "waited longer than its timeout",
  "gave up waiting, because its signal was aborted",
  "called abort()",
  "called reset()",
  "failed in the barrier's action",
  "has ended otherwise than by returning, and takes part",
  "has returned while it waited",
];

/** The error of a wait at a broken barrier; `who` is the name of the process that caused it. */
export function brokenError(reason: number, who: string): BrokenBarrierError {
  return new BrokenBarrierError(
    reason === RESET
      ? `The barrier was reset by ${who} while this process waited. Wait again, when all do.`
      : `The barrier is broken: ${who} ${
        because[reason]
      }. Call reset() when all parties can begin anew.`,
  );
}
