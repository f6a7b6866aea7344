// Jobs in as many threads as there are processors.

import type { Job, Report } from "./job.ts";

type Answer = { report: Report } | { error: string } | "ended";

/**
 * Does all jobs that are needed when their turn comes, and calls `done` with each report; throws what
 * a job has thrown.
 */
export async function doJobs(
  jobs: readonly Job[],
  done: (report: Report, index: number) => void,
  isNeeded: (index: number) => boolean = () => true,
): Promise<void> {
  let next = 0;
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
      const answer = await ask(jobs[index]);
      if (answer === "ended") continue;
      if ("report" in answer) done(answer.report, index);
      else failures.push(new Error(`${jobs[index].name}: ${answer.error}`));
    }
    await ask("end");
    worker.terminate();
  };
  const count = Math.min(navigator.hardwareConcurrency, jobs.length);
  await Promise.all(Array.from({ length: count }, thread));
  if (failures.length > 0) throw failures[0];
}
