// Calls that are cancelled while they wait: they are out of the server at once, and no worker is given them.

import assert from "node:assert/strict";
import { connect, type RemotePool } from "../../redis.ts";
import * as tasks from "../support/targets/redis_tasks.ts";
import { Server } from "./support/server.ts";
import { WorkerProgram } from "./support/worker.ts";

const bound = { timeout: 20_000 };

let server: Server;
Deno.test.beforeAll(async () => {
  server = await Server.start();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** Until so many wait in the server. */
async function waits(pool: RemotePool, count: number): Promise<void> {
  const end = performance.now() + bound.timeout;
  for (let size = -1; size !== count;) {
    assert.ok(performance.now() < end, `${size} wait, not ${count}`);
    size = (await pool.statistics()).waiting;
  }
}

/** How many tasks the workers are told not to run. */
const unwanted = (name: string) => server.cli("zcard", `mp:{${name}}:pool:gone`);

Deno.test("calls and chunks that are cancelled while no worker is there are gone, and the rest is run", async () => {
  await using hub = await connect(server.url);
  const pool = hub.pool("cancelled"), stop = new AbortController(), { signal } = stop;
  const kept = pool.submit(tasks.square, [5]);
  const single = pool.submit(tasks.square, [6]),
    aborted = pool.apply(tasks.echo, [new Map()], { signal });
  const numbers = Array.from({ length: 100 }, (_, i) => i);
  const mapped = pool.map(tasks.square, numbers, { chunkSize: 10, signal });
  const ended = Promise.allSettled([single, aborted, mapped]);
  await waits(pool, 13);
  single.cancel();
  await waits(pool, 12);
  stop.abort();
  for (const { status } of await ended) assert.equal(status, "rejected");
  await waits(pool, 1);
  assert.equal(await unwanted("cancelled"), "0");
  // At once: before the server has it.
  for (let i = 0; i < 5; i++) pool.submit(tasks.square, [i]).cancel();
  const [first, second] = [pool.submit(tasks.square, [1]), pool.submit(tasks.square, [2])];
  await Promise.resolve().then(() => {}); // one is being put, the other waits for that
  first.cancel();
  second.cancel();
  await waits(pool, 1);
  assert.equal((await pool.statistics()).running, 0);
  await using _ = await WorkerProgram.start(server.url, "cancelled");
  assert.equal(await kept, 25);
  const { waiting, running } = await pool.statistics();
  assert.deepEqual([waiting, running, await unwanted("cancelled")], [0, 0, "0"]);
  await pool.delete();
});

Deno.test("a call that came back from a worker, and arguments that were changed", async () => {
  await using hub = await connect(server.url, { leaseTime: 1000 });
  const pool = hub.pool("back");
  {
    const args = ["--processes", "1", "--lease-time", "1000"];
    await using worker = await WorkerProgram.start(server.url, "back", ...args);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const task = pool.submit(tasks.beginAndSleep, [60_000], { onMessage: resolve });
    await promise;
    await worker.kill();
    await waits(pool, 1);
    task.cancel();
    await waits(pool, 0);
  }
  const list = [1], changed = pool.submit(tasks.echo, [list]), other = pool.submit(tasks.echo, [2]);
  await waits(pool, 2);
  list.push(2);
  changed.cancel();
  // It isn't found: it waits for a worker, which drops it.
  await using _ = await WorkerProgram.start(server.url, "back");
  assert.equal(await other, 2);
  await waits(pool, 0);
  assert.equal(await unwanted("back"), "0");
  await pool.delete();
});

Deno.test("a pool that is terminated leaves nothing in the server but what others have called", async () => {
  await using hub = await connect(server.url);
  await using far = await connect(server.url);
  const pool = hub.pool("terminated"), theirs = far.pool("terminated");
  const calls: Promise<unknown>[] = [], kept: Promise<unknown>[] = [];
  for (let i = 0; i < 2000; i++) {
    calls.push(pool.submit(tasks.square, [i]).result());
    if (i % 100 === 0) kept.push(theirs.submit(tasks.square, [i]).result());
  }
  const ended = Promise.allSettled(calls);
  await waits(pool, 2020);
  pool.terminate();
  for (const { status } of await ended) assert.equal(status, "rejected");
  await waits(theirs, 20);
  assert.equal(await unwanted("terminated"), "0");
  await using _ = await WorkerProgram.start(server.url, "terminated");
  assert.deepEqual(await Promise.all(kept), kept.map((_, i) => (100 * i) ** 2));
  await theirs.delete();
});
