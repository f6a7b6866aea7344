/** Helpers of the measurements that run processes. */
import type { Process } from "../mod.ts";

/** Starts processes; the alarm goes off when one of them fails, or when the signal is aborted. */
export function startAll(
  processes: Pick<Process, "start" | "result">[],
  signal: AbortSignal,
): { alarm: AbortSignal; ended: Promise<unknown> } {
  const failure = new AbortController();
  for (const process of processes) process.start();
  const ended = Promise.all(processes.map((process) => process.result({ signal })));
  ended.catch((error) => failure.abort(error));
  return { alarm: AbortSignal.any([signal, failure.signal]), ended };
}

/** For AsyncDisposableStack.adopt(). */
export function close(object: { close(): void }): void {
  object.close();
}
