// Threads and processes that can end anywhere, also in the middle of a put or a get, end at random
// instants while they use a queue: no item is lost but those they were just putting or getting, the queue is as
// good as before, and no process has to wait for them later. Arguments: threads, limits or hosted; how many,
// so many at a time; a seed.

import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import {
  Event,
  Process,
  type ProcessOptions,
  Queue,
  QueueEmpty,
  sleep,
} from "@multiproc/multiprocessing";
import { randomFrom } from "../seed.ts";
import * as targets from "../targets/abrupt_targets.ts";

const module = targets.here;
const TOKENS = 40;
/** In ms: a lock whose holder has ended is taken after three seconds at most. What takes longer than this hangs. */
const bound = { timeout: 60_000 };

/** Something that churns, and can be ended in the middle. */
interface Victim {
  begin(): void;
  end(): Promise<unknown>;
}

/** How many tokens one has in its hands at most. */
const MOST_HELD = 3;

/** Starts victims and ends them at random, `batch` at a time; checks after each batch. */
async function endAtRandom(
  name: string,
  count: number,
  batch: number,
  seed: number,
  start: (queue: Queue<targets.Token>, seed: number) => Promise<Victim>,
): Promise<void> {
  const random = randomFrom(seed);
  let longest = 0, longestLater = 0, lost = 0;
  for (let ended = 0; ended < count; ended += batch) {
    const maxSize = random() < 0.5 ? 0 : TOKENS + 1;
    const queue = new Queue<targets.Token>({ name: `${name} ${ended}`, maxSize });
    for (let id = 0; id < TOKENS; id++) queue.putNowait({ id, text: targets.textOf(id) });
    const victims: Victim[] = [];
    while (victims.length < batch) victims.push(await start(queue, Math.floor(random() * 2 ** 31)));
    for (const victim of victims) victim.begin();
    for (const victim of victims) {
      await sleep(random() * 3);
      await victim.end();
    }
    const left = new Set<number>();
    let begun = performance.now();
    // A lock that one of them held is taken from it meanwhile.
    await queue.put({ id: -1, text: "" }, bound);
    while (!queue.empty()) {
      const { id, text } = await queue.get(bound);
      if (id < 0) continue;
      assert.ok(!left.has(id), `token ${id} is there twice`);
      assert.equal(text, targets.textOf(id), `token ${id} is damaged`);
      left.add(id);
    }
    longest = Math.max(longest, performance.now() - begun);
    assert.equal(queue.qsize(), 0);
    assert.throws(() => queue.getNowait(), QueueEmpty);
    lost += TOKENS - left.size;
    assert.ok(TOKENS - left.size <= MOST_HELD * batch, `${TOKENS - left.size} lost by ${batch}`);
    begun = performance.now();
    for (let id = 0; id < 200; id++) {
      await queue.put({ id, text: targets.textOf(id) }, bound);
      if (id % 2) { for (const at of [id - 1, id]) assert.equal((await queue.get(bound)).id, at); }
    }
    longestLater = Math.max(longestLater, performance.now() - begun);
    queue.close();
  }
  console.log(
    `${count} ended, ${lost} tokens lost with them; a check took ${
      longest.toFixed(0)
    } ms at most, ` +
      `200 items after it ${longestLater.toFixed(0)} ms`,
  );
  assert.ok(longestLater < 2500, "somebody waits for one that has ended");
}

/** A thread that this program starts itself. */
async function thread(queue: Queue<targets.Token>, seed: number): Promise<Victim> {
  const state = new Int32Array(new SharedArrayBuffer(4));
  const order: targets.Order = { name: queue.name!, seed, state };
  const worker = new Worker(new URL(module), { workerData: order });
  let failure: unknown;
  worker.on("error", (error) => failure = error);
  const exit = new Promise((resolve) => worker.once("exit", resolve));
  for (const end = performance.now() + bound.timeout; state[0] === 0; await sleep(2)) {
    assert.ok(performance.now() < end, `a thread never comes to work: ${failure}`);
  }
  return {
    begin: () => {
      Atomics.store(state, 0, 2);
      Atomics.notify(state, 0);
    },
    end: async () => {
      await worker.terminate();
      await exit;
    },
  };
}

/** Starts a process that churns; it is ready then. */
async function started(
  target: typeof targets.churnFrom | typeof targets.hostChurn,
  queue: Queue<targets.Token>,
  seed: number,
  more: Partial<ProcessOptions>,
): Promise<{ process: Process; begin: () => void }> {
  const go = new Event(), ready = new Queue<true>();
  const process = new Process({ target, args: [go, ready, queue, seed], module, ...more } as never);
  process.start();
  process.result().catch(() => {});
  await ready.get(bound);
  return { process, begin: () => go.set() };
}

/** A process that its memory limit ends. */
async function limited(queue: Queue<targets.Token>, seed: number): Promise<Victim> {
  const limits = { memoryLimitMb: 24 };
  const { process, begin } = await started(targets.hoardFrom, queue, seed, limits);
  return { begin, end: () => process.join() };
}

/** A process that ends with the one that hosts it. */
async function hosted(queue: Queue<targets.Token>, seed: number): Promise<Victim> {
  const permissions = { read: true, env: true, sys: true };
  const { process, begin } = await started(targets.hostChurn, queue, seed, {
    permissions,
    sealed: false,
  });
  return {
    begin,
    end: async () => {
      process.kill();
      await process.join();
    },
  };
}

if (import.meta.main) {
  const [kind, count, batch, seed] = Deno.args;
  const start = { threads: thread, limits: limited, hosted }[kind]!;
  await endAtRandom(kind, Number(count), Number(batch), Number(seed), start);
}
