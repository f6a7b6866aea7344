// Two functions that every program with processes needs.

import { checkNames } from "../validate/options.ts";
import { checkMilliseconds } from "../validate/numbers.ts";
import { MAX_TIMER_MS, signalOf } from "../wait/options.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  clearTimeout,
  Math,
  navigator,
  performance,
  removeAbortListener,
  setTimeout,
} = primordials;

/**
 * How many processors there are to use. Python's `multiprocessing.cpu_count()`.
 *
 * @example
 * ```ts
 * import { cpuCount } from "@multiproc/multiprocessing";
 *
 * console.log(`${cpuCount()} processes would keep this machine busy`);
 * ```
 */
export function cpuCount(): number {
  return navigator.hardwareConcurrency;
}

/**
 * Resolves after `ms` milliseconds. As with Python's `asyncio.sleep`, other tasks of this process run
 * meanwhile.
 *
 * @param ms milliseconds from 0 up; Infinity sleeps until `signal` is aborted
 * @param options a `signal` that ends the sleep early; the promise then rejects with the signal's reason
 * @throws {RangeError} if `ms` is negative or NaN
 * @throws {TypeError} if `ms` is not a number, or `signal` is not an AbortSignal
 *
 * @example
 * ```ts
 * import { sleep } from "@multiproc/multiprocessing";
 *
 * await sleep(10);
 *
 * const stop = new AbortController();
 * const sleeping = sleep(60_000, { signal: stop.signal });
 * stop.abort("wake up");
 * await sleeping.catch((reason) => console.log(reason)); // wake up
 * ```
 */
export async function sleep(ms: number, options: { signal?: AbortSignal } = {}): Promise<void> {
  const left = checkMilliseconds("ms", ms);
  const signal = signalOf(checkNames(options, ["signal"], "sleep(1000, { signal })"));
  await new primordials.Promise<void>((resolve, reject) => {
    const end = performance.now() + left;
    let timer: ReturnType<typeof setTimeout>;
    const aborted = () => {
      clearTimeout(timer);
      reject(abortReason(signal!));
    };
    const step = () => {
      const rest = end - performance.now();
      if (rest > 0) {
        timer = setTimeout(step, Math.min(rest, MAX_TIMER_MS));
        return;
      }
      if (signal !== undefined) removeAbortListener(signal, aborted);
      resolve();
    };
    if (signal !== undefined) addAbortListener(signal, aborted);
    timer = setTimeout(step, Math.min(left, MAX_TIMER_MS));
  });
}
