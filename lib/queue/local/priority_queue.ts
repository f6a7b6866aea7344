// PriorityQueue: a queue that gives the smallest item first.

import { describe } from "../../validate/describe.ts";
import { option } from "../../validate/options.ts";
import { checkHasOrder, naturalOrder } from "./order.ts";
import { ordered, Queue, type QueueOptions } from "./queue.ts";
import { type Order, SmallestFirst } from "./smallest_first.ts";
import * as primordials from "../../platform/primordials.ts";

const { Number, TypeError } = primordials;

/**
 * Options of a new {@linkcode PriorityQueue}: its bound and its order.
 *
 * @example
 * ```ts
 * import { PriorityQueue, type PriorityQueueOptions } from "@multiproc/multiprocessing/local";
 *
 * const largestFirst: PriorityQueueOptions<number> = { compare: (a, b) => b - a };
 * const queue = new PriorityQueue(largestFirst);
 * for (const size of [1, 3, 2]) queue.putNowait(size);
 * console.log(queue.getNowait()); // 3
 * ```
 *
 * @typeParam T the type of the items
 */
export interface PriorityQueueOptions<T = unknown> extends QueueOptions {
  /**
   * Says which of two items comes first, as for `Array.prototype.sort`: a negative number if `a` does, a
   * positive one if `b` does, 0 if they are equal. Called while an item is put, never while one is got; an
   * error that it throws refuses that item. It must not use the queue.
   */
  compare?: (a: T, b: T) => number;
}

/**
 * A {@linkcode Queue} that gives the smallest item first, and of equal items the one that was put first.
 * Python's `queue.PriorityQueue`.
 *
 * Without `compare`, items are ordered as in Python: numbers (bigints and booleans too), strings
 * (as `<` has it), Dates, or arrays such as `[priority, value]`, which are compared as Python's
 * tuples: by their first elements, if these are equal by the second ones, and so on. Two items
 * that have no order, such as 5 and "five" or `[1, {}]` and `[1, {}]`, can't both be in it: putting
 * the second one is a TypeError, always, where Python finds out when it happens to compare them.
 * An item must not change its place in the order while it is in the queue.
 *
 * @example
 * ```ts
 * import { PriorityQueue } from "@multiproc/multiprocessing/local";
 *
 * const jobs = new PriorityQueue<[number, string]>();
 * jobs.putNowait([2, "wash up"]);
 * jobs.putNowait([1, "cook"]);
 * console.log(await jobs.get()); // [ 1, "cook" ]
 *
 * const largestFirst = new PriorityQueue<{ size: number }>({ compare: (a, b) => b.size - a.size });
 * largestFirst.putNowait({ size: 1 });
 * largestFirst.putNowait({ size: 3 });
 * console.log(await largestFirst.get()); // { size: 3 }
 * ```
 *
 * @typeParam T the type of the items
 */
export class PriorityQueue<T = unknown> extends Queue<T> {
  /**
   * Makes a queue; see {@linkcode Queue}.
   *
   * @throws {RangeError} if `maxSize` is not a whole number from 0 to 2 ** 31 - 1
   * @throws {TypeError} if `maxSize` is not a number, or `compare` is not a function
   */
  constructor(options: PriorityQueueOptions<T> = {}) {
    super(
      ordered(
        options,
        ["PriorityQueue", PriorityQueue],
        itemsInOrder(option(options, "compare")),
        ["compare"],
      ),
    );
  }
}

function itemsInOrder<T>(compare: ((a: T, b: T) => number) | undefined): SmallestFirst<T> {
  if (compare === undefined) return new SmallestFirst<T>(naturalOrder, checkHasOrder);
  if (typeof compare !== "function") {
    throw new TypeError(
      `compare is ${describe(compare)}, not a function. ` +
        "Give one that tells which of two items comes first, as in (a, b) => a - b.",
    );
  }
  return new SmallestFirst<T>(checked(compare), () => {});
}

/** A comparison whose answers are checked to be orders: true, or NaN, would silently be taken for "equal". */
function checked<T>(compare: Order<T>): Order<T> {
  return (item, other) => {
    const order: unknown = compare(item, other);
    if (typeof order === "number" && !Number.isNaN(order)) return order;
    throw new TypeError(
      `compare returned ${Number.isNaN(order) ? "NaN" : describe(order)}, which is no order. ` +
        "Return a negative number if the first item comes first, a positive one if the second " +
        "does, 0 if they are equal.",
    );
  };
}
