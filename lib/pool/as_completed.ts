// asCompleted(): iterates tasks in the order in which they get an outcome.

import { describe } from "../validate/describe.ts";
import { signalOf, timeoutOf, type WaitOptions } from "../wait/options.ts";
import { TimeoutError } from "../errors.ts";
import { ResultIterator } from "./result_iterator.ts";
import { Task } from "./task.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  clearTimeout,
  each,
  listOf,
  removeAbortListener,
  setTimeout,
  TypeError,
} = primordials;

/**
 * Iterates tasks of a {@linkcode Pool} in the order in which they get an outcome, failed ones included. Python's
 * `concurrent.futures.as_completed`.
 *
 * TypeScript takes the variable of `for await` for the awaited result, since a task can be awaited. It is the task:
 * `await task` gives the result, and `task as unknown as Task<number>` is typed as what it is.
 *
 * @param tasks the tasks, as `submit` returns them
 * @throws {TimeoutError} from the iterator, if not all have an outcome in `timeout` ms after this call
 * @throws {TypeError} if one of them is no task
 *
 * @example
 * ```ts
 * import { asCompleted, Pool, sleep } from "@multiproc/multiprocessing";
 *
 * export async function nap(ms: number): Promise<number> {
 *   await sleep(ms);
 *   return ms;
 * }
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 2 });
 *   await pool.ready();
 *   const tasks = [500, 1].map((ms) => pool.submit(nap, [ms]));
 *   for await (const task of asCompleted(tasks)) console.log(await task); // 1, then 500
 * }
 * ```
 */
export function asCompleted<R>(
  tasks: Iterable<Task<R>>,
  options?: WaitOptions,
): AsyncIterableIterator<Task<R>>;
/**
 * As above, for tasks of several types of results.
 *
 * @param tasks the tasks, as `submit` returns them
 * @throws {TimeoutError} from the iterator, if not all have an outcome in `timeout` ms after this call
 * @throws {TypeError} if one of them is no task
 *
 * @example
 * ```ts
 * import { asCompleted, Pool } from "@multiproc/multiprocessing";
 *
 * export const length = (text: string) => text.length;
 * export const upper = (text: string) => text.toUpperCase();
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 1 });
 *   const tasks = [pool.submit(length, ["one"]), pool.submit(upper, ["two"])];
 *   for await (const task of asCompleted(tasks)) console.log(await task); // 3, then TWO
 * }
 * ```
 */
export function asCompleted<T extends Task<unknown>>(
  tasks: Iterable<T>,
  options?: WaitOptions,
): AsyncIterableIterator<T>;
export function asCompleted<R>(
  tasks: Iterable<Task<R>>,
  options?: WaitOptions,
): AsyncIterableIterator<Task<R>> {
  const timeout = timeoutOf(options), signal = signalOf(options);
  const all = listOf(tasks);
  for (let i = 0; i < all.length; i++) {
    const task = all[i];
    if (task instanceof Task) continue;
    throw new TypeError(
      `tasks[${i}] is ${describe(task)}. Give tasks, as pool.submit() returns them.`,
    );
  }
  let left = all.length;
  const clear = () => {
    clearTimeout(timer);
    if (signal !== undefined) removeAbortListener(signal, aborted);
  };
  const iterator = new ResultIterator<Task<R>>(() => {}, clear);
  const end = (error: unknown) => {
    clear();
    iterator.finish({ error });
  };
  const aborted = () => end(signal && abortReason(signal));
  const timer = timeout < 2 ** 31
    ? setTimeout(
      () => end(new TimeoutError(`${left} of ${all.length} tasks have not ended in time.`)),
      timeout,
    )
    : undefined;
  if (signal !== undefined) addAbortListener(signal, aborted);
  const ended = (task: Task<R>) => {
    iterator.push(task);
    if (--left > 0) return;
    clear();
    iterator.finish();
  };
  for (const task of each(all)) task.addDoneCallback(ended);
  if (all.length === 0) {
    clear();
    iterator.finish();
  }
  return iterator;
}
