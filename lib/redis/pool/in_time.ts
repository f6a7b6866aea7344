// Calls to the server whose caller doesn't wait for ever.

import { MAX_TIMER_MS } from "../core.ts";

/** The result of a call; undefined where that takes more than so many ms. Throws the reason of the signal. */
export async function inTime<T>(
  call: Promise<T>,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  call.catch(() => {}); // it may fail later
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const timer = ms <= MAX_TIMER_MS
    ? setTimeout(() => resolve(undefined), Math.max(0, ms))
    : undefined;
  const abort = () => reject(signal!.reason);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    return await Promise.race([call, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
