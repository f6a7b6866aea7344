// Kills workers with leased jobs in hand, and takes account.

import assert from "node:assert/strict";
import { JoinableQueue, Process, type ProcessOptions, Queue, sleep } from "../../mod.ts";
import { between } from "./seed.ts";
import * as targets from "./targets/lease_targets.ts";
import type { Face, Job, Report } from "./targets/lease_targets.ts";

const module = new URL("./targets/lease_targets.ts", import.meta.url);
const faces: readonly Face[] = ["leases", "lease", "sync", "several"];

/**
 * Kills so many workers at random instants, and lets others finish the jobs. Every job is done, by a worker
 * or a dead letter: none is lost, none is there twice, and its attempts are counted one by one.
 *
 * @param attempts the most leases of one job; undefined for no bound
 */
export async function killLeaseHolders(
  random: () => number,
  kills: number,
  attempts: number | undefined,
  more: Pick<ProcessOptions, "permissions" | "memoryLimitMb"> = {},
): Promise<void> {
  const jobs = new JoinableQueue<Job>({ attempts, maxSize: random() < 0.5 ? 4 : 40 });
  const reports = new Queue<Report>();
  const workers = new Set<Process<targets.WorkArgs, void>>();
  const start = () => {
    const face = faces[between(random, 0, faces.length - 1)];
    const clumsiness = between(random, 2, 20);
    const worker = new Process({
      target: targets.workOnJobs,
      args: [jobs, reports, face, clumsiness],
      module,
      ...more,
    });
    worker.start();
    workers.add(worker);
  };
  let count = 0, isOver = false;
  const produce = async () => {
    while (!isOver) await jobs.put([count, targets.textOf(count)]).then(() => count++);
  };
  const seen: { attempts: number[]; done: number }[] = [];
  const account = async () => {
    for await (const [id, attempt, isDone] of reports) {
      const entry = seen[id] ??= { attempts: [], done: 0 };
      if (isDone) entry.done++;
      else entry.attempts.push(attempt);
    }
  };
  const letters = new Map<number, number>();
  const bury = async () => {
    for await (const { item: [id], attempts } of jobs.dead) {
      assert.ok(!letters.has(id), `job ${id} has two dead letters`);
      letters.set(id, attempts);
    }
  };
  const accounting = account(), burying = bury();
  const producing = produce();
  for (let kill = 0; kill < kills; kill++) {
    while (workers.size < 3) start();
    await sleep(random() * 8);
    const victim = [...workers][between(random, 0, workers.size - 1)];
    workers.delete(victim);
    if (random() < 0.5) victim.kill();
    else victim.terminate();
    assert.equal(await victim.join({ timeout: 20_000 }), true, "a killed worker did not end");
    assert.ok(victim.exitCode === -9 || victim.exitCode === -15, `exit code ${victim.exitCode}`);
  }
  isOver = true;
  while (workers.size < 2) start();
  await producing;
  assert.equal(await jobs.join({ timeout: 60_000 }), true, `unfinished: ${jobs.unfinished}`);
  const { leased, size, put, got, unfinished } = jobs.statistics();
  assert.deepEqual(
    { leased, size, put, got, unfinished },
    { leased: 0, size: 0, put: count, got: count, unfinished: 0 },
  );
  jobs.shutdown();
  jobs.dead.shutdown();
  for (const worker of workers) {
    assert.equal(await worker.join({ timeout: 20_000 }), true, "a worker did not end");
    assert.equal(worker.exitCode, 0);
  }
  reports.shutdown();
  await accounting;
  await burying;
  for (let id = 0; id < count; id++) {
    const entry = seen[id] ?? { attempts: [], done: 0 };
    const isDead = letters.has(id);
    assert.ok(entry.done > 0 || isDead, `job ${id} was lost`);
    assert.ok(entry.done <= entry.attempts.length, `job ${id} was done without a lease`);
    // An attempt that was killed before its report is missing; none comes twice or out of order.
    for (const [i, attempt] of entry.attempts.entries()) {
      assert.ok(i === 0 || attempt > entry.attempts[i - 1], `job ${id}: ${entry.attempts}`);
      assert.ok(attempt <= (attempts ?? Infinity), `job ${id}: attempt ${attempt}`);
    }
    if (isDead) assert.equal(letters.get(id), attempts);
  }
}
