// The task on a worker is cancelled at random instants, a thousand times, while the next is dispatched: the next
// always completes. And maps over many items take constant memory, with a slow consumer too.

import assert from "node:assert/strict";
import { CancelledError, Pool } from "../../mod.ts";
import { withSeeds } from "../support/seed.ts";
import * as targets from "../support/targets/pool_targets.ts";

const { nap, square } = targets;
const ROUNDS = 1000;

Deno.test("a thousand cancels at random instants never hit the next task", async () => {
  await withSeeds([Math.floor(Math.random() * 2 ** 31)], async (random) => {
    await using pool = new Pool({ processes: 1, spares: 1 });
    await pool.ready();
    let cancelled = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const isShort = random() < 0.8;
      const task = isShort ? pool.submit(square, [round]) : pool.submit(nap, [1]);
      const next = pool.submit(square, [round]);
      // Most instants are those around the dispatch, the run and the outcome of a short task.
      const end = performance.now() + random() ** 2 * 0.4;
      while (performance.now() < end) await 0;
      if (random() < 0.5) await new Promise((resolve) => setTimeout(resolve, random() * 2));
      const wasCancelled = task.cancel();
      if (wasCancelled) cancelled++;
      assert.equal(await next, round * round);
      await task.result().then((n) => assert.equal(n, isShort ? round * round : 1), (error) => {
        assert.ok(wasCancelled && error instanceof CancelledError, `${error}`);
      });
    }
    console.log(`${cancelled} of ${ROUNDS} had no outcome yet`);
  });
});

/** In bytes: what the heap may grow by, whatever the number of items. */
const GROWTH = 20e6;
const ITEMS = 300_000;

Deno.test("imap() over many items takes constant memory, with a slow consumer too", async () => {
  await using pool = new Pool({ processes: 2 });
  await pool.ready();
  function* numbers() {
    for (let n = 0; n < ITEMS; n++) yield n;
  }
  // The least of several looks, because between two of its collections a heap holds garbage, up to tens of MB.
  let seen = 0, first = Infinity, last = Infinity;
  for await (const n of pool.imap(square, numbers())) {
    assert.equal(n, seen * seen);
    if (++seen % 10_000 !== 0) continue;
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { heapUsed } = Deno.memoryUsage();
    if (seen <= ITEMS / 3) first = Math.min(first, heapUsed);
    else if (seen > ITEMS * 2 / 3) last = Math.min(last, heapUsed);
  }
  assert.equal(seen, ITEMS);
  assert.ok(last < first + GROWTH, `${first} bytes at first, ${last} at the end`);
});
