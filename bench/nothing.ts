// The empty process of process_bench.ts, and the functions that start it, also in other processes.

import { type Connection, Process, type ProcessOptions } from "../mod.ts";

export function nothing(): void {}

/** A process that was started ahead: it waits for its work, and gives it back. */
export async function answerOnce(work: Connection<number>): Promise<void> {
  await work.send(await work.recv());
}

/** The URL of this module, in which processes find its exports. */
export const here: string = import.meta.url;

/** The options that an empty process is started with. */
export type Way = Pick<
  ProcessOptions<[], void>,
  "by" | "isolation" | "permissions" | "sealed" | "memoryLimitMb" | "timeLimit" | "warm"
>;

/** Starts an empty process and waits for its end. @param started called between the two */
export async function startAndJoin(
  way: Way,
  signal?: AbortSignal,
  started?: () => void,
): Promise<void> {
  const process = new Process({ target: nothing, module: here, ...way });
  process.start();
  started?.();
  await process.join({ signal });
  if (process.exitCode !== 0) {
    throw new Error(`An empty process started by ${way.by} ended with ${process.exitCode}, not 0.`);
  }
  process.close();
}

/** Milliseconds for a start in a process that is `depth` levels below this one. */
export async function nestedStarts(depth: number, warmUp: number, count: number): Promise<number> {
  if (depth > 0) {
    const process = new Process({
      target: nestedStarts,
      args: [depth - 1, warmUp, count],
      module: here,
      by: "reference",
    });
    process.start();
    return await process.result();
  }
  for (let start = 0; start < warmUp; start++) await startAndJoin({ by: "source" });
  const begin = performance.now();
  for (let start = 0; start < count; start++) await startAndJoin({ by: "source" });
  return (performance.now() - begin) / count;
}
