// Warm starts under way: processes that end in every way, and at random instants, some of them warm; `deno task test` runs
// it.

import assert from "node:assert/strict";
import { activeChildren, Process, sleep } from "../../mod.ts";
import { between, withSeeds } from "../support/seed.ts";
import * as targets from "../support/targets/warm_targets.ts";

const bound = { timeout: 30_000 };

Deno.test("whatever the next process does, starting warm or cold, its end is its own", async () => {
  await withSeeds([1], async (random) => {
    let warm = 0;
    for (let round = 0; round < 120; round++) {
      const process = new Process({
        target: (how: number, ms: number) => {
          if (how === 1) throw new RangeError("no");
          if (how === 2) Deno.exit(7);
          if (how === 3) { for (;;); }
          return new Promise((resolve) => setTimeout(resolve, ms, performance.timeOrigin));
        },
        args: [round % 4, between(random, 0, 5)],
        by: "source",
      });
      const before = performance.timeOrigin + performance.now();
      process.start();
      const result = process.result(bound).catch(() => Infinity);
      if (round % 4 === 3) {
        await sleep(between(random, 0, 30));
        process.kill();
      }
      assert.equal(await process.join(bound), true);
      assert.equal(process.exitCode, [0, 1, 7, -9][round % 4]);
      if (await result as number < before) warm++;
      assert.deepEqual(activeChildren(), []);
      await sleep(between(random, 0, 80));
    }
    assert.ok(warm > 0, "no process has started warm");
  });
});

Deno.test("spares come and go with the processes that use them, and leave no memory behind", async () => {
  const rss = () => Deno.memoryUsage().rss / 2 ** 20;
  let first = Infinity, last = Infinity;
  for (let round = 0; round < 150; round++) {
    const process = new Process({ target: targets.tellOrigin, module: targets.here });
    process.start();
    assert.equal(await process.join(bound), true);
    await sleep(60);
    if (round > 20 && round <= 40) first = Math.min(first, rss());
    if (round >= 130) last = Math.min(last, rss());
  }
  assert.ok(last - first < 60, `${Math.round(last - first)} MB more than after the first rounds`);
});

Deno.test("a spare that nothing takes ends by itself, and the next process starts cold", async () => {
  const startsWarm = async () => {
    const process = new Process({ target: targets.tellOrigin, module: targets.here });
    const before = performance.timeOrigin + performance.now();
    process.start();
    return await process.result(bound) < before;
  };
  while (!await startsWarm()) await sleep(100);
  await sleep(12_000);
  assert.equal(await startsWarm(), false);
});
