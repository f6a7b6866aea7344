// Everything that can fail around a pool, at random: workers are killed and told to stop, the server is killed and
// started anew, connections are cut, hung and left half open, calls are aborted. Then it is counted which calls have
// their outcome, and how often tasks were run.

import { CancelledError, connect, type RemotePool, TaskError } from "../../../redis.ts";
import * as tasks from "./chaos_tasks.ts";
import { Proxy } from "./proxy.ts";
import { randomOf, sleep } from "./random.ts";
import { Server } from "./server.ts";
import { WorkerProgram } from "./worker.ts";

/** What a run has shown. */
export interface PoolOutcome {
  /** Tasks that were called, that returned, that were aborted, and that were lost as often as they may be. */
  called: number;
  returned: number;
  aborted: number;
  failed: number;
  /** Tasks without an outcome, and with one that isn't theirs, or with several. */
  lost: number[];
  wrong: string[];
  /** Runs, runs beyond the first of a task, and pairs of a task and an attempt that were run twice. */
  runs: number;
  again: number;
  sameAttempt: string[];
  dead: number;
  /** What is left in the server when all calls have their outcome. */
  left: { waiting: number; running: number };
  killedWorkers: number;
  stoppedWorkers: number;
  killedServers: number;
  cuts: number;
  hangs: number;
}

/** Shorter than some failures: who is cut off for longer loses its tasks, and they are run anew. */
const LEASE = 1500;
const WORKERS = 3;
/** How long the last outcomes may take, in ms. */
const PATIENCE = 60_000;

/** A worker program, and whether it may be failed. */
interface Staff {
  worker: WorkerProgram;
  isReady: boolean;
}

/** Runs a chaos for so many ms. */
export async function poolChaos({ seed, ms }: { seed: number; ms: number }): Promise<PoolOutcome> {
  const random = randomOf(seed);
  await using server = await Server.start({ persistent: true });
  using proxy = new Proxy(server.port);
  const file = await Deno.makeTempFile({ prefix: "runs-" });
  const outcome: PoolOutcome = {
    ...{ called: 0, returned: 0, aborted: 0, failed: 0, lost: [], wrong: [] },
    ...{ runs: 0, again: 0, sameAttempt: [], dead: 0, left: { waiting: 0, running: 0 } },
    ...{ killedWorkers: 0, stoppedWorkers: 0, killedServers: 0, cuts: 0, hangs: 0 },
  };
  const open = new Set<number>(), aborted = new Set<number>();
  const hubs = await Promise.all(
    [proxy.url, server.url].map((url) => connect(url, { leaseTime: LEASE, timeout: 30_000 })),
  );
  const pools = hubs.map((hub) => hub.pool("chaos", { retries: Infinity }));

  // Workers.

  const staff = new Set<Staff>(), leaving: Promise<unknown>[] = [];
  const hire = () => {
    const url = random() < 0.5 ? proxy.url : server.url;
    const module = new URL("./chaos_tasks.ts", import.meta.url).href;
    const worker = new WorkerProgram([
      ...[url, "--name", "chaos", "--module", module, "--processes", "2"],
      ...["--lease-time", `${LEASE}`, "--timeout", "30000"],
    ], ["-N", "-R", `--allow-write=${file}`]);
    const one: Staff = { worker, isReady: false };
    staff.add(one);
    worker.ready.then(() => one.isReady = true);
  };
  for (let i = 0; i < WORKERS; i++) hire();

  // Callers.

  const end = performance.now() + ms;
  let next = 0;
  const called = () => {
    open.add(next);
    outcome.called++;
    return next++;
  };
  const returned = (id: number, run: tasks.Run) => {
    if (run[0] !== id) outcome.wrong.push(`${id} got the result of ${run[0]}`);
    if (!open.delete(id)) outcome.wrong.push(`${id} has two outcomes`);
    outcome.returned++;
  };
  const failed = (
    ids: readonly number[],
    error: unknown,
    signal: AbortSignal | undefined,
    mayFail: boolean,
  ) => {
    const isAborted = signal?.aborted === true &&
      (error === signal.reason || error instanceof CancelledError);
    if (!isAborted && !(mayFail && error instanceof TaskError)) {
      outcome.wrong.push(`${ids} failed: ${error}`);
    }
    for (const id of ids) {
      if (!open.delete(id) && !isAborted) outcome.wrong.push(`${id} has two outcomes`);
      if (isAborted) aborted.add(id);
    }
    if (isAborted) outcome.aborted += ids.length;
    else outcome.failed += ids.length;
  };
  const signal = () => random() < 0.15 ? AbortSignal.timeout(random() * 300) : undefined;

  const callOne = async (pool: RemotePool) => {
    const id = called(), mayFail = random() < 0.1;
    const options = { signal: signal(), ...mayFail ? { retries: 0 } : {} };
    try {
      returned(id, await pool.apply(tasks.note, [file, id, random() * 50], options));
    } catch (error) {
      failed([id], error, options.signal, mayFail);
    }
  };
  const callMany = async (pool: RemotePool) => {
    const ids = Array.from({ length: 1 + Math.floor(random() * 12) }, called);
    const options = { signal: signal(), chunkSize: 1 + Math.floor(random() * 4) };
    const items = ids.map((id) => ({ file, id, ms: random() * 20 }));
    const left = new Set(ids);
    try {
      if (random() < 0.5) {
        (await pool.map(tasks.noteItem, items, options)).forEach((run, i) => {
          left.delete(ids[i]);
          returned(ids[i], run);
        });
      } else {
        for await (const [i, run] of pool.imapIndexed(tasks.noteItem, items, options)) {
          left.delete(ids[i]);
          returned(ids[i], run);
        }
      }
      if (left.size > 0) outcome.wrong.push(`${[...left]} were left out`);
    } catch (error) {
      failed([...left], error, options.signal, false);
    }
  };
  const call = async (pool: RemotePool) => {
    while (performance.now() < end) {
      await (random() < 0.7 ? callOne(pool) : callMany(pool));
      if (random() < 0.1) await sleep(random() * 30);
    }
  };

  // Failures.

  const fail = async () => {
    while (performance.now() < end) {
      await sleep(200 + random() * 1200);
      const what = random(), ready = [...staff].filter(({ isReady }) => isReady);
      const victim = ready[Math.floor(random() * ready.length)];
      if (what < 0.2) {
        outcome.killedServers++;
        await server.kill();
        await sleep(random() * 300);
        await server.restart();
      } else if (what < 0.4) {
        outcome.cuts++;
        proxy.cut();
      } else if (what < 0.55) {
        outcome.hangs++;
        proxy.hang();
        await sleep(random() * 2500);
        // Half open at times: nobody is told that it has ended.
        if (random() < 0.5) proxy.cut();
        proxy.resume();
      } else if (victim !== undefined) {
        staff.delete(victim);
        if (what < 0.9) {
          outcome.killedWorkers++;
          await victim.worker.kill();
        } else {
          outcome.stoppedWorkers++;
          victim.worker.signal("SIGTERM");
          leaving.push(victim.worker.code());
        }
        hire();
      }
    }
  };

  const calling = Promise.all(pools.flatMap((pool) => [1, 2, 3, 4].map(() => call(pool))));
  await fail();
  const late = Promise.withResolvers<void>(), timer = setTimeout(late.resolve, PATIENCE);
  await Promise.race([calling, late.promise]);
  outcome.lost = [...open];
  // What a killed worker had of aborted calls is dropped by another one, once its lease has ended.
  for (let i = 0; i < 100; i++) {
    const { waiting, running } = await pools[1].statistics();
    outcome.left = { waiting, running };
    if (waiting + running === 0) break;
    await sleep(100);
  }
  outcome.dead = (await pools[1].statistics()).dead;
  clearTimeout(timer);
  for (const { worker } of staff) await worker.kill();
  await Promise.race([Promise.all(leaving), sleep(10_000)]);
  for (const hub of hubs) await hub.close();
  await calling;

  const seen = new Set<string>(), ran = new Set<string>();
  for (const line of (await Deno.readTextFile(file)).split("\n")) {
    if (line === "") continue;
    const [id] = line.split(" ");
    outcome.runs++;
    if (ran.has(id)) outcome.again++;
    ran.add(id);
    if (seen.has(line)) outcome.sameAttempt.push(line);
    seen.add(line);
  }
  await Deno.remove(file);
  const unrun = outcome.called - aborted.size - outcome.failed;
  if (ran.size < unrun) outcome.wrong.push(`${unrun} tasks returned, ${ran.size} were run`);
  return outcome;
}

/** Whether a run has kept what is promised. */
export function isKept({ lost, wrong, sameAttempt, left }: PoolOutcome): boolean {
  return lost.length + wrong.length + sameAttempt.length + left.waiting + left.running === 0;
}
