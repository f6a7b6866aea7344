// Runs jobs in as many threads as there are processors.

import type { Job, Report } from "./job.ts";

type Answer = { report: Report } | { error: string } | "ended";

/** How jobs are done. */
export interface PoolOptions {
  /** Whether a job is to be done, when its turn comes. */
  readonly isNeeded?: (index: number) => boolean;
  /** The most seconds for all: what the first ones don't use is for the later ones. */
  readonly seconds?: number;
}

/** A job has so many seconds at least. */
const LEAST_SECONDS = 2;

/** Does all jobs, and calls `done` with each report; throws what a job has thrown. */
export async function doJobs(
  jobs: readonly Job[],
  done: (report: Report, index: number) => void,
  { isNeeded = () => true, seconds = Infinity }: PoolOptions = {},
): Promise<void> {
  let next = 0;
  const end = performance.now() + seconds * 1000;
  const count = Math.min(navigator.hardwareConcurrency, jobs.length);
  const share = (): number =>
    Math.max(LEAST_SECONDS, (end - performance.now()) / 1000 * count / (jobs.length - next + 1));
  const failures: Error[] = [];
  const thread = async (): Promise<void> => {
    const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
    const ask = (message: Job | "end") =>
      new Promise<Answer>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => {
          event.preventDefault();
          resolve({ error: event.message });
        };
        worker.postMessage(message);
      });
    while (next < jobs.length && failures.length === 0) {
      const index = next++;
      if (!isNeeded(index)) continue;
      const job = jobs[index];
      const answer = await ask({ ...job, seconds: Math.min(job.seconds, share()) });
      if (answer === "ended") continue;
      if ("report" in answer) done(answer.report, index);
      else failures.push(new Error(`${jobs[index].name}: ${answer.error}`));
    }
    await ask("end");
    worker.terminate();
  };
  await Promise.all(Array.from({ length: count }, thread));
  if (failures.length > 0) throw failures[0];
}
