// The interface that runs the units of a pool. The pool's own scheduler implements it, and, in a process that was
// handed the pool, a connection to the process that has made it.

import type { BrokenPoolError } from "./errors.ts";
import type { Unit } from "./unit.ts";

/** Runs units. */
export interface Executor {
  /** The number of units that wait for a worker. */
  readonly waiting: number;
  /** How many units may run at once. */
  readonly size: number;
  /** The reason why no unit can run any more, if there is one. */
  readonly broken: BrokenPoolError | undefined;
  /** Accepts a unit. Its client is told of the outcome of each item, never before this returns. */
  submit(unit: Unit): void;
  /** Called when each item of an accepted unit has an outcome. */
  settled(unit: Unit): void;
  /** Ends a unit, waiting or running; its client is told nothing more. */
  cancel(unit: Unit, reason: unknown): void;
  /** Takes back, and returns, the parts of these units that have not begun. */
  drop(units: readonly Unit[]): Unit[];
  isRunning(unit: Unit): boolean;
  /** The consumer of a generator has room for so many more values. */
  credit(unit: Unit, count: number): void;
  /** Asks a generator to return; false if it has not begun. */
  closeStream(unit: Unit): boolean;
  /** Resolves when isSo() is true; called again whenever something has changed. */
  until(isSo: () => boolean, signal?: AbortSignal): Promise<void>;
}
