// Why a round of a barrier was broken: as a word of shared memory, and in words.

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

/** The error of those who learn of it; `who` is the name of the process whose doing it was. */
export function brokenError(reason: number, who: string): BrokenBarrierError {
  return new BrokenBarrierError(
    reason === RESET
      ? `The barrier was reset by ${who} while this process waited. Wait again, when all do.`
      : `The barrier is broken: ${who} ${
        because[reason]
      }. Call reset() when all parties can begin anew.`,
  );
}
