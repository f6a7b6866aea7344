// Many processes, at once and one after the other; `deno task test` runs it.

import assert from "node:assert/strict";
import { activeChildren, Process, Queue } from "../../mod.ts";
import * as processes from "../support/targets/process_targets.ts";
import * as queues from "../support/targets/queue_targets.ts";

Deno.test("64 processes alive at once use one queue", async () => {
  const alive = 64, rounds = 200;
  const from = new Queue<unknown>(), to = new Queue<unknown>();
  const all = Array.from({ length: alive }, () => {
    const process = new Process({ target: queues.echo, args: [from, to], module: queues.here });
    process.start();
    return process;
  });
  assert.equal(activeChildren().length, alive);
  for (let round = 0; round < rounds; round++) {
    await from.put(round);
    assert.equal(await to.get({ timeout: 20_000 }), round);
  }
  const burst = Array.from({ length: 10_000 }, (_, i) => i);
  await from.putMany(burst);
  const got = new Set<unknown>();
  while (got.size < burst.length) {
    for (const item of await to.getMany(burst.length, { timeout: 20_000 })) {
      assert.ok(!got.has(item), `${item} came twice`);
      got.add(item);
    }
  }
  assert.equal(activeChildren().length, alive);
  await from.putMany(all.map(() => null));
  for (const process of all) assert.equal(await process.join({ timeout: 20_000 }), true);
  assert.ok(all.every(({ exitCode }) => exitCode === 0));
  assert.ok(from.empty() && to.empty());
});

Deno.test("1,000 processes started and joined one after another leave no memory behind", async () => {
  const first = 50, all = 1000, most = 30 * 2 ** 20;
  // The least of several looks: the memory of a thread that has just ended is given back a little later.
  let atFirst = Infinity, atLast = Infinity;
  for (let i = 1; i <= all; i++) {
    const process = new Process({
      target: processes.give<number>,
      args: [i],
      module: processes.here,
    });
    process.start();
    if (i % 10 === 0) assert.equal(await process.result({ timeout: 20_000 }), i);
    assert.equal(await process.join({ timeout: 20_000 }), true);
    assert.equal(process.exitCode, 0);
    if (i > first && i <= 2 * first) atFirst = Math.min(atFirst, Deno.memoryUsage().rss);
    if (i > all - first) atLast = Math.min(atLast, Deno.memoryUsage().rss);
  }
  const grown = atLast - atFirst;
  assert.ok(grown < most, `${Math.round(grown / 2 ** 20)} MB more than after the first ${first}`);
});
