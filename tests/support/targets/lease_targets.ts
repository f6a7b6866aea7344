// Workers that lease jobs.

import {
  type DeadLetter,
  type JoinableQueue,
  type Lease,
  Process,
  type Queue,
} from "../../../mod.ts";

/** A job, and a text that follows from its number. */
export type Job = [id: number, text: string];

/** What a worker says of a job: that it has it for the how many-th time, or that it is about to be done. */
export type Report = [id: number, attempt: number, isDone: boolean];

export type Face = "leases" | "lease" | "sync" | "several";

export type WorkArgs = [JoinableQueue<Job>, Queue<Report>, Face, number];

/** The text of a job. */
export function textOf(id: number): string {
  return `${id}:`.padEnd(4 + (id * 37) % 3000, "\u00e9x");
}

/** Works on jobs until there are no more; every so many-th one is given back at the first attempt. */
export async function workOnJobs(
  jobs: JoinableQueue<Job>,
  reports: Queue<Report>,
  face: Face,
  clumsiness: number,
): Promise<void> {
  let count = 0;
  const work = (job: Lease<Job>) => {
    const [id, text] = job.item;
    if (text !== textOf(id)) throw new Error(`job ${id} is damaged`);
    reports.putNowait([id, job.attempt, false]);
    if (job.attempt === 1 && ++count % clumsiness === 0) return;
    reports.putNowait([id, job.attempt, true]);
    job.done();
  };
  if (face === "leases") {
    for await (await using job of jobs.leases()) work(job);
  }
  for (;;) {
    try {
      if (face === "several") {
        using first = await jobs.lease();
        let second;
        try {
          second = jobs.leaseNowait();
        } catch { /* there is one */ }
        if (second !== undefined) {
          using job = second;
          work(job);
        }
        work(first);
      } else if (face === "sync") {
        using job = jobs.leaseSync();
        work(job);
      } else {
        await using job = await jobs.lease();
        work(job);
      }
    } catch (error) {
      if ((error as Error).name === "QueueShutDown") return;
      throw error;
    }
  }
}

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** Ends at the first attempt of each job as the job says. */
export async function failAtFirst(jobs: JoinableQueue<string>): Promise<void> {
  for await (const job of jobs.leases()) {
    if (job.attempt === 1) {
      if (job.item === "exit") Deno.exit(7);
      throw new Error("an error that is expected");
    }
    job.done();
  }
}

/** Leases an item and ends. */
export async function hold(jobs: JoinableQueue<string>, end: string): Promise<void> {
  if (end === "nested") {
    const child = new Process({ target: hold, args: [jobs, "exit"], module: here });
    child.start();
    return void await child.join();
  }
  await jobs.lease();
  await new Promise((resolve) => setTimeout(resolve, end === "timeLimit" ? 600_000 : 300));
  if (end === "exit") Deno.exit(3);
  if (end === "throw") throw new Error("an error that is expected");
  if (end === "terminate" || end === "kill") {
    for (;;) await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Waits with a blocked thread. */
export function waitBlocking(
  jobs: JoinableQueue<string>,
  dead: Queue<DeadLetter<string>>,
  isDead: boolean,
): string {
  if (isDead) return dead.getSync({ timeout: 20_000 }).item;
  const job = jobs.leaseSync({ timeout: 20_000 });
  job.done();
  return job.item;
}
