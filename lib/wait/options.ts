// The options of every waiting method, and their checks: bad options are refused before anything is tried, so
// that nothing is half done.

import { describe } from "../validate/describe.ts";
import { checkOnlyNames, option } from "../validate/options.ts";
import { checkMilliseconds } from "../validate/numbers.ts";
import * as primordials from "../platform/primordials.ts";

const { Object, throwIfAborted, TypeError } = primordials;

/**
 * How long a wait may take, and what may end it early. A wait that timed out or was aborted has
 * taken nothing: no item, no permit, no message is lost with it.
 *
 * @example
 * ```ts
 * import { Queue, type WaitOptions } from "@multiproc/multiprocessing";
 *
 * const stop = new AbortController();
 * const patience: WaitOptions = { timeout: 60_000, signal: stop.signal };
 * const waiting = new Queue<string>().get(patience);
 * stop.abort("not needed any more");
 * await waiting.catch((reason) => console.log(reason)); // not needed any more
 * ```
 */
export interface WaitOptions {
  /**
   * Milliseconds to wait (in Python: seconds); 0 doesn't wait; none, or Infinity, waits for ever. NaN and
   * negative numbers are a RangeError, values that are no numbers are a TypeError.
   */
  timeout?: number;
  /**
   * Ends the wait when aborted: the wait then rejects with the signal's reason. With a signal that has been
   * aborted already, nothing is tried.
   */
  signal?: AbortSignal;
}

/**
 * How long a blocking wait may take. There is no signal: while the thread is blocked, nothing in
 * it could abort one.
 *
 * @example
 * ```ts
 * import { type BlockOptions, Lock } from "@multiproc/multiprocessing";
 *
 * const patience: BlockOptions = { timeout: 10 };
 * const lock = new Lock();
 * console.log(lock.acquireSync(patience)); // true
 * console.log(lock.acquireSync(patience)); // false
 * lock.release();
 * ```
 */
export interface BlockOptions {
  /**
   * Milliseconds to wait (in Python: seconds); 0 doesn't wait; none, or Infinity, waits for ever. NaN and
   * negative numbers are a RangeError, values that are no numbers are a TypeError.
   */
  timeout?: number;
}

/** The longest time of a timer, in ms: a longer timer would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The names of the options of calls that wait and of calls that block, and further names that some of them have. */
const OF_WAITS = ["timeout", "signal"], OF_BLOCKS = ["timeout"], MORE = ["transfer", "maxLength"];

// V8 answers `in` 20 ns faster for a literal name than for a variable (Deno 2.9.6).
const { prototype } = Object;

/** The timeout in milliseconds, checked with the names of all options; Infinity where none is given. */
export function timeoutOf(options: BlockOptions | undefined, names: readonly string[] = OF_WAITS) {
  if (options === undefined) return Infinity;
  checkOnlyNames(options, names, "{ timeout: 1000 }, in milliseconds", MORE);
  const timeout = "timeout" in prototype ? option(options, "timeout") : options.timeout;
  return timeout === undefined ? Infinity : checkMilliseconds("timeout", timeout);
}

/** The same for a call that blocks, which no signal can end. */
export function blockingTimeoutOf(options: BlockOptions | undefined): number {
  return timeoutOf(options, OF_BLOCKS);
}

/** The checked signal; throws its reason if it has been aborted. */
export function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  const signal = "signal" in prototype ? option(options, "signal") : options.signal;
  if (signal === undefined) return undefined;
  if (!(signal instanceof primordials.AbortSignal)) {
    throw new TypeError(
      `signal is ${describe(signal)}, not an AbortSignal. Give an AbortController's signal, ` +
        "or AbortSignal.timeout(ms).",
    );
  }
  throwIfAborted(signal);
  return signal;
}
