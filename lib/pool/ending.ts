// How a worker of a pool has ended, and the failure of an item that ended with it.

import type { ProcessError } from "../errors.ts";
import type { Process } from "../process/process.ts";
import type { ItemFailure, Unit } from "./unit.ts";

/** The end of a worker. */
export interface Ending {
  exitCode: number;
  limit: ItemFailure["limit"];
  cause: unknown;
}

/** The end of a worker whose unit has reached its time limit. */
export const TIME_LIMIT_REACHED: Ending = { exitCode: -9, limit: "timeLimit", cause: undefined };

/** How the process has ended. */
export function endingOf(process: Process): Ending {
  try {
    process.resultNowait();
    return { exitCode: 0, limit: undefined, cause: undefined };
  } catch (error) {
    const { exitCode, limit, cause } = error as ProcessError;
    return { exitCode, limit, cause };
  }
}

/** The failure of an item that ended with its worker. */
export function failureOf(
  worker: string,
  unit: Unit,
  item: number,
  how: Ending,
): ItemFailure {
  const { exitCode, limit, cause } = how;
  return {
    how: "ended",
    ...{ cause, exitCode, limit },
    worker,
    attempts: unit.attempt,
    item: unit.items[item],
  };
}
