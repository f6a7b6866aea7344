// The mutexes of internal structures, held by threads that end without releasing
// them, and by threads that only seem to have ended.

import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import { Mutex } from "../../lib/liveness/mutex.ts";
import { Process, Queue, sleep } from "../../mod.ts";
import { at, type Order, type Role } from "../support/targets/mutex_worker.ts";

/** In ms: who waits longer than this for what must come soon, has found a bug. */
const TIMEOUT = 60_000;

/** A lock word, and threads that take it. */
class Threads {
  readonly words = new Int32Array(new SharedArrayBuffer(256));
  readonly #ends: Promise<unknown>[] = [];

  /** Starts a thread; resolves when it is about to take the lock. */
  async start(number: number, role: Role): Promise<void> {
    const order: Order = { words: this.words, number, role };
    const worker = new Worker(new URL("../support/targets/mutex_worker.ts", import.meta.url), {
      workerData: order,
    });
    this.#ends.push(new Promise((resolve) => worker.once("exit", resolve)));
    await this.until(at.begun + number);
    await sleep(100);
  }

  /** Waits for what a thread says. */
  async until(word: number): Promise<void> {
    for (const end = performance.now() + TIMEOUT; this.words[word] === 0; await sleep(5)) {
      assert.ok(performance.now() < end, `word ${word} is never written`);
    }
  }

  async join(): Promise<void> {
    await Promise.all(this.#ends);
  }
}

Deno.test("a lock whose holder has ended is had by one who began to wait for another", async () => {
  for (;;) {
    const threads = new Threads(), { words } = threads;
    const mutex = new Mutex(words, at.lock);
    mutex.lock();
    await threads.start(0, "dies");
    await threads.start(1, "releases");
    mutex.unlock();
    await threads.until(at.has + 0);
    await threads.until(at.has + 1);
    await threads.join();
    // Both wait in slices, so either may be the first to wait at the moment of the release.
    if (words[at.has + 0] === 2) continue;
    return assert.equal(words[at.lock], 0);
  }
});

Deno.test("a lock word that somebody has written who holds nothing keeps nobody for ever", () => {
  const words = new Int32Array(new SharedArrayBuffer(4)), mutex = new Mutex(words, 0);
  for (const written of [1, 0x7fffffff]) {
    words[0] = written;
    mutex.lock();
    mutex.unlock();
    assert.equal(words[0], 0);
  }
});

/** Starts a process that uses the queue all the time, and then runs out of memory. */
async function keeper(queue: Queue<number[]>, up: Queue<string>): Promise<void> {
  const grind = (queue: Queue<number[]>, up: Queue<string>) => {
    up.putSync("up");
    const item = new Array(200).fill(7);
    for (;;) {
      queue.putSync(item);
      queue.getSync();
    }
  };
  new Process({ target: grind, args: [queue, up], by: "source" }).start();
  await up.get();
  await up.put("on");
  await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()));
  const all: unknown[] = [];
  for (;;) all.push(new Array(1000).fill({}).map((_, i) => ({ i })));
}

Deno.test("a process that ends with the one it runs in, anywhere, leaves a usable queue", async () => {
  for (let round = 0; round < 12; round++) {
    const queue = new Queue<number[]>(), up = new Queue<string>();
    const options = { permissions: "none", memoryLimitMb: 24, by: "source" } as const;
    const process = new Process({ target: keeper, args: [queue, up], ...options });
    process.start();
    assert.ok(await process.join({ timeout: TIMEOUT }), `round ${round}: it doesn't end`);
    queue.putSync([1], { timeout: TIMEOUT });
    queue.getSync({ timeout: TIMEOUT });
  }
});

Deno.test("a process that spoils the table of who is alive keeps nobody for ever", async () => {
  for (const [word, value] of [[0, 1], [1, 0], [4, 1e6], [8, 1e6], [10, 2 ** 30], [11, 2 ** 30]]) {
    const program = new URL("../support/programs/spoiled_process_table.ts", import.meta.url).href;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", program, `${word}`, `${value}`],
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.deepEqual([code, text(stdout)], [0, "main done\n"], `${word}: ${text(stderr)}`);
  }
});

Deno.test("a process that was stopped with the whole program has what it held still", async () => {
  const program = new URL("../support/programs/stopped_holder.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", program],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const output = child.output();
  let isOver = false;
  child.status.then(() => isOver = true);
  await sleep(1500);
  for (let i = 0; i < 4 && !isOver; i++) {
    await sleep(150 + Math.random() * 150);
    if (isOver) break;
    child.kill("SIGSTOP");
    await sleep(3500);
    child.kill("SIGCONT");
  }
  const { code, stdout, stderr } = await output;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.deepEqual([code, text(stdout), text(stderr)], [0, "works\nwhole\n", ""]);
});
