// The errors of pools.

import { addOwnErrors, nameClass, ProcessError } from "../errors.ts";
import * as primordials from "../platform/primordials.ts";

const { Deno, StringPrototypeSlice } = primordials;

/**
 * The task that a {@linkcode TaskError} is about.
 *
 * @example
 * ```ts
 * import { Pool, TaskError, type TaskErrorDetails } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * const fail = (n: number) => {
 *   if (n === 2) throw new Error("two");
 * };
 * try {
 *   await pool.map(fail, [1, 2]);
 * } catch (error) {
 *   const { index, item }: TaskErrorDetails = error as TaskError;
 *   console.log(index, item); // 1 2
 * }
 * ```
 */
export interface TaskErrorDetails {
  /** The name that the task was given, or that of its function. */
  task: string;
  /** The index of the item in its map, from 0; 0 for a single task. */
  index: number;
  /** The item, or the arguments, as console.log shows them, in at most 200 characters. */
  item: string;
  /** The name of the worker that ran the item; undefined if none did. */
  worker: string | undefined;
  /** How often the item was begun. */
  attempts: number;
}

/**
 * The error that a task of a {@linkcode Pool} fails with. Either its function threw (`cause` is the thrown value), or
 * the worker that ran it ended: the worker exited, ran out of memory or time, or was killed.
 *
 * @example
 * ```ts
 * import { Pool, TaskError } from "@multiproc/multiprocessing";
 *
 * export function root(n: number): number {
 *   if (n < 0) throw new RangeError("negative");
 *   return Math.sqrt(n);
 * }
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 1 });
 *   const [two, error] = await pool.map(root, [4, -1], { returnExceptions: true });
 *   console.log(two); // 2
 *   if (error instanceof TaskError) console.log(error.index, error.item, `${error.cause}`); // 1 -1 RangeError: negative
 * }
 * ```
 */
export class TaskError extends ProcessError {
  static {
    nameClass(this, "TaskError");
  }
  /** The name that the task was given, or that of its function. */
  readonly task: string;
  /** The index of the item in its map, from 0; 0 for a single task. */
  readonly index: number;
  /** The item, or the arguments, as console.log shows them, in at most 200 characters. */
  readonly item: string;
  /** The name of the worker that ran the item; undefined if none did. */
  readonly worker: string | undefined;
  /** How often the item was begun. */
  readonly attempts: number;

  /**
   * Makes the error.
   *
   * @param message what happened
   * @param exitCode the exit code of the worker; 1 where the function threw
   * @param details which task it was
   * @param options the `cause`, and the `limit` that was reached
   */
  constructor(
    message: string,
    exitCode: number,
    details: TaskErrorDetails,
    options?: ErrorOptions & { limit?: ProcessError["limit"] },
  ) {
    super(message, exitCode, options);
    this.task = details.task;
    this.index = details.index;
    this.item = details.item;
    this.worker = details.worker;
    this.attempts = details.attempts;
  }
}

/**
 * The error that waiting for a cancelled task of a {@linkcode Pool} rejects with; `cause` is the reason.
 * Python's `concurrent.futures.CancelledError`.
 *
 * @example
 * ```ts
 * import { CancelledError, Pool } from "@multiproc/multiprocessing";
 *
 * export function spin(): void {
 *   while (true) {}
 * }
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 1 });
 *   const task = pool.submit(spin);
 *   task.cancel("too slow");
 *   await task.result().catch((error) => {
 *     console.log(error instanceof CancelledError, error.cause); // true too slow
 *   });
 * }
 * ```
 */
export class CancelledError extends Error {
  static {
    nameClass(this, "CancelledError");
  }
}

/**
 * The error that all tasks of a {@linkcode Pool} reject with once the pool can't work: its initializer has failed
 * (`cause` is why), or one worker after the other has died before its first task. Python's
 * `concurrent.futures.process.BrokenProcessPool`.
 *
 * @example
 * ```ts
 * import { BrokenPoolError, Pool } from "@multiproc/multiprocessing";
 *
 * export function open(): void {
 *   throw new Error("no database");
 * }
 * export const work = () => 1;
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 1, initializer: open });
 *   await pool.apply(work).catch((error) => {
 *     console.log(error instanceof BrokenPoolError, error.cause.message); // true no database
 *   });
 * }
 * ```
 */
export class BrokenPoolError extends Error {
  static {
    nameClass(this, "BrokenPoolError");
  }
}

addOwnErrors(CancelledError, BrokenPoolError);

/** The error of a call that was cancelled for a reason; undefined for none. */
export function wasCancelled(name: string, reason: unknown): CancelledError {
  const options = reason === undefined ? undefined : { cause: reason };
  return new CancelledError(`${name} was cancelled.`, options);
}

/** The longest description of an item, in UTF-16 code units. */
const MAX_DESCRIBED = 200;

/** An item as console.log shows it, on one line and not too long. Never throws. */
export function describeItem(item: unknown): string {
  try {
    const text = Deno.inspect(item, {
      depth: 3,
      iterableLimit: 20,
      strAbbreviateSize: MAX_DESCRIBED,
      compact: true,
      breakLength: Infinity,
    });
    return text.length <= MAX_DESCRIBED
      ? text
      : `${StringPrototypeSlice(text, 0, MAX_DESCRIBED - 2)} …`;
  } catch {
    return typeof item === "object" ? "an object that can't be shown" : typeof item;
  }
}
