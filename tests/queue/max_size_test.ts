// The maximum size of a queue is set while it is used: waiters for room learn of it, in
// every process. (In one process: see the contract of queues.)

import assert from "node:assert/strict";
import { Process, Queue } from "../../mod.ts";
import { until } from "../support/sync.ts";
import * as targets from "../support/targets/queue_targets.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
const limit = { timeout: 20_000 };

for (const face of ["put", "putSync", "putMany"] as const) {
  Deno.test(`a larger maxSize wakes processes that wait for room in ${face}`, async () => {
    const queue = new Queue<number>({ maxSize: 1 }), began = new Queue<string>();
    const args: Parameters<typeof targets.fill> = [queue, began, 5, face];
    const processes = [1, 2].map(() =>
      new Process({ target: targets.fill, args, module: targets.here })
    );
    for (const process of processes) process.start();
    for (const _ of processes) await began.get(limit);
    await until(() => queue.full());
    queue.maxSize = 6;
    await until(() => queue.qsize() === 6);
    queue.maxSize = 10;
    for (const process of processes) await process.result(limit);
    assert.equal(queue.qsize(), 10);
  });
}

Deno.test("a process sets the maxSize for all, and one that waits here goes on", async () => {
  const queue = new Queue<number>({ maxSize: 1 });
  queue.putNowait(0);
  const put = queue.put(1, limit);
  const process = new Process({ target: targets.bound, args: [queue, 3], module: targets.here });
  process.start();
  await put;
  assert.equal(await process.result(limit), 1);
  assert.equal(queue.maxSize, 3);
});

Deno.test("maxSize of a queue that was found by name is the same", async () => {
  const made = new Queue<number>({ name: "max size" });
  const found = await Queue.open<number>("max size");
  found.maxSize = 4;
  assert.equal(made.maxSize, 4);
  made.close();
});
