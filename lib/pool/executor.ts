// Where the units of a pool go: to its own scheduler, or from a process that was handed the pool to the process
// that has made it.

import type { BrokenPoolError } from "./errors.ts";
import type { Unit } from "./unit.ts";

/** Runs units. */
export interface Executor {
  /** Units that wait for a worker. */
  readonly waiting: number;
  /** How many units may run at once. */
  readonly size: number;
  /** Why nothing can be run any more. */
  readonly broken: BrokenPoolError | undefined;
  /** Takes a unit on. Its client is told of each item, never before this returns. */
  submit(unit: Unit): void;
  /** A unit that was taken on has no item left without an outcome. */
  settled(unit: Unit): void;
  /** Ends a unit wherever it is, and tells its client no more. */
  cancel(unit: Unit, reason: unknown): void;
  /** Takes back what has not begun of some units, and returns it. */
  drop(units: readonly Unit[]): Unit[];
  isRunning(unit: Unit): boolean;
  /** The consumer of a generator has room for so many more values. */
  credit(unit: Unit, count: number): void;
  /** The consumer of a generator wants no more; false if it has not begun. */
  closeStream(unit: Unit): boolean;
  /** Resolves when it is so; looked at whenever something has changed. */
  until(isSo: () => boolean, signal?: AbortSignal): Promise<void>;
}
