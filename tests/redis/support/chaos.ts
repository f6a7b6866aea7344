// Everything that can fail, at random: the server is killed and started anew, connections are cut, hung and left
// half open, waits are aborted and timed out, clients are killed. Then it is counted what was put and what was
// got.

import { connect, QueueEmpty, QueueFull, type RemoteQueue, TimeoutError } from "../../../redis.ts";
import { isKept, poolChaos } from "./pool_chaos.ts";
import { Proxy } from "./proxy.ts";
import { randomOf, sleep } from "./random.ts";
import { Server } from "./server.ts";

/** What a run has shown. */
export interface Outcome {
  /** Items whose put has resolved, and items that may be put: their wait ended while there was no connection. */
  put: number;
  doubtful: number;
  got: number;
  lost: number[];
  /** Items that were got twice, and consumers that were killed: each may double one. */
  doubled: number[];
  killedClients: number;
  killedServers: number;
  cuts: number;
  hangs: number;
  aborts: number;
}

/** Longer than failures that follow each other: who is cut off for longer than its lease loses its items. */
const LEASE = 10_000;

/** A consumer in a program of its own. */
class Consumer {
  readonly got: number[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #read: Promise<void>;
  isReady = false;
  isOver = false;

  constructor(url: string, name: string) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", new URL("./chaos_consumer.ts", import.meta.url).pathname],
        ...[url, name, `${LEASE}`],
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#read = this.#collect();
  }

  async #collect(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === "ready") this.isReady = true;
        else if (line === "end") this.isOver = true;
        else this.got.push(Number(line));
      }
    }
  }

  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch { // it has ended
    }
    await this.end();
  }

  async end(): Promise<void> {
    await this.#process.status;
    await this.#read;
  }
}

/** Runs chaos for so long. */
export async function chaos(
  { seed, ms, kills = true }: { seed: number; ms: number; kills?: boolean },
): Promise<Outcome> {
  const random = randomOf(seed);
  const name = "chaos";
  await using server = await Server.start({ persistent: true });
  using proxy = new Proxy(server.port);
  const outcome: Outcome = {
    ...{ put: 0, doubtful: 0, got: 0, lost: [], doubled: [], killedClients: 0, killedServers: 0 },
    ...{ cuts: 0, hangs: 0, aborts: 0 },
  };
  const put = new Set<number>(), doubtful = new Set<number>(), times = new Map<number, number>();
  const note = (item: number) => times.set(item, (times.get(item) ?? 0) + 1);
  const end = performance.now() + ms;
  let next = 0;

  const hubs = await Promise.all(
    [0, 1, 2, 3].map((i) =>
      connect(i % 2 === 0 ? proxy.url : server.url, { leaseTime: LEASE, timeout: 60_000 })
    ),
  );
  const queues: RemoteQueue<number>[] = [];
  for (const hub of hubs) queues.push(await hub.queue<number>(name, { maxSize: 50 }));

  /** A signal that aborts at random, or none. */
  const signal = () => random() < 0.2 ? AbortSignal.timeout(random() * 60) : undefined;
  const timeout = () => random() < 0.2 ? random() * 60 : undefined;

  const produce = async (queue: RemoteQueue<number>) => {
    while (performance.now() < end) {
      const many = random() < 0.3 ? 1 + Math.floor(random() * 20) : 1;
      const items = Array.from({ length: many }, () => next++);
      const options = { signal: signal(), timeout: timeout() };
      try {
        if (many === 1) await queue.put(items[0], options);
        else await queue.putMany(items, options);
        for (const item of items) put.add(item);
      } catch (error) {
        outcome.aborts++;
        if (error instanceof QueueFull) {
          items.slice(0, error.count).forEach((item) => put.add(item));
        } else if (error === options.signal?.reason || error instanceof TimeoutError) {
          for (const item of items) doubtful.add(item);
        } else throw error;
      }
      if (random() < 0.05) await sleep(random() * 20);
    }
  };
  const consume = async (queue: RemoteQueue<number>) => {
    for (;;) {
      const options = { signal: signal(), timeout: timeout() };
      try {
        if (random() < 0.3) (await queue.getMany(10, options)).forEach(note);
        else note(await queue.get(options));
      } catch (error) {
        const isUnanswered = error instanceof TimeoutError; // for 5 s, while one failure followed the other
        if (error instanceof QueueEmpty || isUnanswered || error === options.signal?.reason) {
          outcome.aborts++;
        } else if ((error as Error).name === "QueueShutDown") return;
        else throw error;
      }
    }
  };

  const consumers: Consumer[] = [];
  const start = () => consumers.push(new Consumer(random() < 0.5 ? proxy.url : server.url, name));
  if (kills) { for (let i = 0; i < 2; i++) start(); }
  const destroy = async () => {
    while (performance.now() < end) {
      await sleep(200 + random() * 1500);
      // The first failure is the server's, so that a short run has one.
      const what = outcome.killedServers === 0 ? 0 : random();
      if (what < 0.25) {
        outcome.killedServers++;
        await server.kill();
        await sleep(random() * 300);
        await server.restart();
      } else if (what < 0.5) {
        outcome.cuts++;
        proxy.cut();
      } else if (what < 0.75 || !kills) {
        outcome.hangs++;
        proxy.hang();
        await sleep(random() * 2500);
        // Half open at times: nobody is told that it has ended.
        if (random() < 0.5) proxy.cut();
        proxy.resume();
      } else {
        const alive = consumers.filter(({ isReady, isOver }) => isReady && !isOver);
        const victim = alive[Math.floor(random() * alive.length)];
        if (victim === undefined) continue;
        outcome.killedClients++;
        victim.isOver = true;
        await victim.kill();
        start();
      }
    }
  };

  const producing = Promise.all([produce(queues[0]), produce(queues[1])]);
  const consuming = Promise.all([consume(queues[2]), consume(queues[3])]);
  consuming.catch(() => {});
  await Promise.all([producing, destroy()]);
  // What killed consumers had is leased until their leases end, and comes back then; after that nothing more comes.
  for (let calm = 0; calm < 3;) {
    await sleep(500);
    const { size, leased } = await queues[1].statistics();
    calm = size === 0 && leased === 0 ? calm + 1 : 0;
  }
  await queues[1].shutdown();
  await consuming;
  for (const consumer of consumers) {
    if (consumer.isReady && !consumer.isOver) await consumer.end();
    else await consumer.kill();
    consumer.got.forEach(note);
  }
  await Promise.all(hubs.map((hub) => hub.close()));
  outcome.put = put.size;
  outcome.doubtful = doubtful.size;
  outcome.got = times.size;
  outcome.lost = [...put].filter((item) => !times.has(item));
  outcome.doubled = [...times].filter(([, n]) => n > 1).map(([item]) => item);
  return outcome;
}

if (import.meta.main) {
  const option = (name: string, value: number) => {
    const at = Deno.args.indexOf(`--${name}`);
    return at < 0 ? value : Number(Deno.args[at + 1]);
  };
  const seed = option("seed", Math.floor(Math.random() * 1e9)), minutes = option("minutes", 10);
  console.log(`seed ${seed}, ${minutes} minutes`);
  if (Deno.args.includes("--pool")) {
    const outcome = await poolChaos({ seed, ms: minutes * 60_000 });
    console.log(outcome);
    console.log(isKept(outcome) ? "each call has had its outcome, once" : "WRONG");
    Deno.exit(isKept(outcome) ? 0 : 1);
  }
  const outcome = await chaos({ seed, ms: minutes * 60_000 });
  console.log(outcome);
  const isRight = outcome.lost.length === 0 &&
    outcome.doubled.length <= outcome.killedClients;
  console.log(isRight ? "nothing lost, nothing doubled but by killed clients" : "WRONG");
  Deno.exit(isRight ? 0 : 1);
}
