// What every waiting method takes, and its checks: bad options are refused before anything is
// tried, so that nothing is half done.

import { describe } from "../describe.ts";

/**
 * How long a wait may take, and what may end it early. A wait that timed out or was aborted has
 * taken nothing: no item, no permit, no message is lost with it.
 *
 * @example
 * ```ts
 * import { Queue, type WaitOptions } from "@multiproc/multiprocessing";
 *
 * const patience: WaitOptions = { timeout: 100, signal: AbortSignal.timeout(50) };
 * await new Queue<string>().get(patience).catch((reason) => console.log(reason.name));
 * ```
 */
export interface WaitOptions {
  /** Milliseconds to wait; 0 doesn't wait; none, or Infinity, waits for ever. */
  timeout?: number;
  /** Ends the wait when aborted: it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * How long a blocking wait may take. There is no signal: while the thread is blocked, nothing in
 * it could abort one.
 */
export interface BlockOptions {
  /** Milliseconds to wait; 0 doesn't wait; none, or Infinity, waits for ever. */
  timeout?: number;
}

/** The timeout in milliseconds, checked; Infinity where none is given. */
export function timeoutOf(options: BlockOptions | undefined): number {
  const timeout = options?.timeout;
  return timeout === undefined ? Infinity : checkMilliseconds("timeout", timeout);
}

/** The signal, checked; thrown is its reason if it has been aborted. */
export function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  const signal = options?.signal;
  if (signal === undefined) return undefined;
  if (!(signal instanceof AbortSignal)) {
    throw new TypeError(
      `signal is ${describe(signal)}, not an AbortSignal. Give an AbortController's signal, ` +
        "or AbortSignal.timeout(ms).",
    );
  }
  signal.throwIfAborted();
  return signal;
}

/** A number of milliseconds from 0 up, Infinity included. */
export function checkMilliseconds(what: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(
      `${what} is ${describe(value)}, not a number. ` +
        "Give milliseconds from 0 up; Infinity has no end.",
    );
  }
  if (!(value >= 0)) {
    throw new RangeError(
      `${what} is ${value}. Give milliseconds from 0 up; Infinity has no end.`,
    );
  }
  return value;
}
