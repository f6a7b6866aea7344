// LifoQueue: a queue that gives the newest item first.

import { NewestFirst } from "./items.ts";
import { ordered, Queue, type QueueOptions } from "./queue.ts";

/**
 * A {@linkcode Queue} that gives the newest item first: a stack. Python's `queue.LifoQueue`. For work that
 * makes more work, where the item found last is best done first, as in a depth-first search.
 *
 * Tasks that wait, to get or to put, are still served in the order they came.
 *
 * @example
 * ```ts
 * import { LifoQueue } from "@multiproc/multiprocessing/local";
 *
 * const folders = new LifoQueue<string>();
 * for (const folder of ["a", "b", "c"]) folders.putNowait(folder);
 * console.log(await folders.get()); // c
 * ```
 *
 * @typeParam T the type of the items
 */
export class LifoQueue<T = unknown> extends Queue<T> {
  /**
   * Makes a queue; see {@linkcode Queue}.
   *
   * @throws {RangeError} if `maxSize` is not a whole number from 0 to 2 ** 31 - 1
   * @throws {TypeError} if `maxSize` is not a number
   */
  constructor(options: QueueOptions = {}) {
    super(ordered(options, ["LifoQueue", LifoQueue], new NewestFirst<T>()));
  }
}
