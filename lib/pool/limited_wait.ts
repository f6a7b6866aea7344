// Waits for a pool that a time and a signal limit.

import { signalOf, timeoutOf, type WaitOptions } from "../wait/options.ts";
import { TimeoutError } from "../errors.ts";
import type { Executor } from "./executor.ts";
import * as primordials from "../platform/primordials.ts";

const {
  AbortControllerPrototypeAbort,
  abortReason,
  addAbortListener,
  clearTimeout,
  removeAbortListener,
  setTimeout,
  signalOfController,
} = primordials;

/** The error of a call that has taken longer than its `timeout`, all in all. */
export function notInTime(name: string, timeout: number): TimeoutError {
  return new TimeoutError(`${name} has not ended in time, ${timeout} ms in all. It was ended.`);
}

/** Waits until isSo() is true: true then, false if that takes more than `timeout` ms. */
export async function untilInTime(
  executor: Executor,
  isSo: () => boolean,
  options?: WaitOptions,
): Promise<boolean> {
  const timeout = timeoutOf(options), signal = signalOf(options);
  if (isSo()) return true;
  if (timeout === 0) return false;
  const late = {}, limited = limitedSignal(timeout, signal, () => late);
  try {
    await executor.until(isSo, limited.signal);
    return true;
  } catch (error) {
    if (error === late) return false;
    throw error;
  } finally {
    limited.end();
  }
}

/** A signal that is aborted with another one, or after so many ms with the error of `late`, until end() is called. */
export function limitedSignal(
  timeout: number,
  signal: AbortSignal | undefined,
  late: () => unknown,
): { signal: AbortSignal; end(): void } {
  const controller = new primordials.AbortController();
  const timer = timeout < 2 ** 31
    ? setTimeout(() => AbortControllerPrototypeAbort(controller, late()), timeout)
    : undefined;
  const aborted = () => AbortControllerPrototypeAbort(controller, abortReason(signal!));
  if (signal !== undefined) addAbortListener(signal, aborted);
  return {
    signal: signalOfController(controller),
    end: () => {
      clearTimeout(timer);
      if (signal !== undefined) removeAbortListener(signal, aborted);
    },
  };
}
