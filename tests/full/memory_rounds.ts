// Processes that run out of memory anywhere, also in the middle of taking an item: other
// processes must still be able to use the queue.

import assert from "node:assert/strict";
import { Process, Queue } from "../../mod.ts";

const ROUNDS = 60;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 30_000 };

/** Keeps all it gets, asynchronously or with its thread blocked. */
async function hoard(queue: Queue<number[]>, blocking: boolean): Promise<never> {
  const all: number[][] = [];
  while (true) all.push(blocking ? queue.getSync() : await queue.get());
}

async function feed(queue: Queue<number[]>): Promise<never> {
  for (let i = 0;; i++) await queue.put(new Array(120 + i % 50).fill(i));
}

Deno.test(`${ROUNDS} getters that run out of memory leave a usable queue`, async () => {
  const queue = new Queue<number[]>({ maxBytes: 1e7 });
  await using feeder = new Process({ target: feed, args: [queue], by: "source" });
  feeder.start();
  for (let round = 0; round < ROUNDS; round++) {
    const process = new Process({
      target: hoard,
      args: [queue, round % 2 === 0],
      by: "source",
      memoryLimitMb: 16,
    });
    process.start();
    assert.ok(await process.join(bound), `round ${round}: it doesn't end`);
    assert.equal(process.exitCode, -9);
    const item = await queue.get(bound);
    assert.ok(item.every((n) => n === item[0]), `round ${round}: a damaged item`);
  }
});
