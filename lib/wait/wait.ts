// wait(): answers which of some connections, queues and processes are ready.

import { describe } from "../validate/describe.ts";
import { WAIT } from "./eventcount.ts";
import { blocking, eventually, now, type Operation } from "./operation.ts";
import type { BlockOptions, WaitOptions } from "./options.ts";
import { isWaitable, readiness } from "./waitable.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypeMap,
  ArrayPrototypeSlice,
  listOf,
  RangeError,
  Symbol,
  ToObject,
  TypeError,
} = primordials;

/**
 * Waits until at least one of the objects is ready, and resolves to all that are, in the order they were
 * given; to an empty array if none was ready in `timeout` ms. Python's `multiprocessing.connection.wait`.
 *
 * A connection is ready when `recv` would not have to wait (a message is there, or EOFError), a
 * queue when `get` would not (another process may be quicker), a process when it has ended.
 * Nothing is taken.
 *
 * @param objects connections, queues and processes, in any mix; at least one
 * @throws {RangeError} if there are none, or `timeout` is negative or NaN
 * @throws {TypeError} if one of them can't be waited for, naming its place
 * @throws {InvalidStateError} if a connection was closed, has moved or only sends, a queue was
 *   closed, or a process was not started
 *
 * @example
 * ```ts
 * import { Pipe, Queue, wait } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe<string>();
 * const queue = new Queue<string>();
 * await there.send("hello");
 * for (const ready of await wait([here, queue])) {
 *   if (ready === here) console.log(await here.recv()); // hello
 * }
 * ```
 */
export function wait<T extends object>(
  objects: Iterable<T>,
  options?: WaitOptions,
): Promise<T[]> {
  try {
    return eventually(waiting(objects), options);
  } catch (error) {
    return primordials.Promise.reject(error);
  }
}

/**
 * Like {@linkcode wait}, but doesn't wait: returns the objects that are ready now; an empty array if none is.
 *
 * @param objects connections, queues and processes, in any mix; at least one
 * @throws the errors that `wait` throws
 *
 * @example
 * ```ts
 * import { Queue, waitNowait } from "@multiproc/multiprocessing";
 *
 * const [urgent, other] = [new Queue<string>(), new Queue<string>()];
 * other.putNowait("hello");
 * console.log(waitNowait([urgent, other])[0] === other); // true
 * ```
 */
export function waitNowait<T extends object>(objects: Iterable<T>): T[] {
  return now(waiting(objects));
}

/**
 * Like {@linkcode wait}, but blocks the thread while it waits: for CPU-bound code. This is what
 * Python's `wait` does.
 *
 * @param objects connections, queues and processes, in any mix; at least one
 * @throws the errors that `wait` throws
 *
 * @example
 * ```ts
 * import { Pipe, waitSync } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe<string>();
 * console.log(waitSync([here], { timeout: 10 }).length); // 0
 * there.sendSync("hello");
 * for (const connection of waitSync([here])) console.log(connection.recvSync()); // hello
 * ```
 */
export function waitSync<T extends object>(objects: Iterable<T>, options?: BlockOptions): T[] {
  return blocking(waiting(objects), options);
}

function waiting<T extends object>(objects: Iterable<T>): Operation<T[]> {
  if (typeof ToObject(objects)[Symbol.iterator] !== "function" || typeof objects === "string") {
    throw new TypeError(
      `The objects are ${describe(objects)}. Give an array of connections, queues and processes.`,
    );
  }
  const candidates = ArrayPrototypeMap(listOf(objects), (object, index) => {
    if (isWaitable(object)) return { object, ...object[readiness]() };
    throw new TypeError(
      `objects[${index}] is ${describe(object)}, which can't be waited for. ` +
        "Give connections, queues and processes.",
    );
  });
  if (candidates.length === 0) {
    throw new RangeError("There is nothing to wait for. Give at least one object.");
  }
  const eventcounts = ArrayPrototypeMap(candidates, (candidate) => candidate.eventcount);
  const eventcount = eventcounts[0], others = ArrayPrototypeSlice(eventcounts, 1);
  const attempt = () => {
    const ready = ArrayPrototypeFilter(candidates, (candidate) => candidate.isReady());
    return ready.length > 0 ? ArrayPrototypeMap(ready, ({ object }) => object) : WAIT;
  };
  return { eventcount, others, attempt, onTimeout: () => [] };
}
