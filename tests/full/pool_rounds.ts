// Thousands of random deaths, cancels, limits, resizes, recyclings and loops that are left, under mixed loads:
// the outcome of every item is known and right, no item runs twice, nothing hangs.

import assert from "node:assert/strict";
import { CancelledError, Pool, SharedArray, sleep, TaskError } from "../../mod.ts";
import { PoolSoak } from "../soak/pools.ts";
import { withSeeds } from "../support/seed.ts";
import { type Item, keep, work } from "../support/targets/pool_round_targets.ts";

/** Items of one run, and of one call. */
const ITEMS = 4000, BATCH = 200;
/** No round takes longer than this. In ms. */
const ENDLESS = 240_000;
/** For each item. In ms. */
const TIME_LIMIT = 300;

async function rounds(random: () => number): Promise<Record<string, number>> {
  const upTo = (n: number) => Math.floor(random() * n);
  const begun = new SharedArray("i32", ITEMS);
  const seen = { returned: 0, threw: 0, lost: 0, limited: 0, cancelled: 0, untaken: 0 };
  const newPool = () => {
    const maxTasksPerChild = random() < 0.3 ? 50 + upTo(300) : undefined;
    return new Pool({
      processes: 1 + upTo(3),
      initializer: keep,
      initargs: [begun],
      maxTasksPerChild,
    });
  };
  let pool = newPool();
  /** What was done, for who looks at one that hangs. */
  const doing: string[] = [];

  const check = ([i, kind]: Item, outcome: unknown) => {
    const about = `item ${i}, ${kind}: ${Deno.inspect(outcome)}`;
    if (outcome instanceof CancelledError) return seen.cancelled++;
    assert.equal(begun[i], 1, `${about} was begun ${begun[i]} times`);
    if (!(outcome instanceof TaskError)) {
      assert.equal(outcome, 2 * i, about);
      return seen.returned++;
    }
    if (outcome.limit === "timeLimit") {
      // On a busy machine another one may take that long, too.
      assert.ok(kind !== "throw", about);
      return seen.limited++;
    }
    if (outcome.cause instanceof RangeError) {
      assert.deepEqual([kind, outcome.cause.message], ["throw", `${i}`], about);
      return seen.threw++;
    }
    assert.deepEqual([kind, outcome.exitCode], [kind, kind === "exit" ? 3 : 1], about);
    assert.ok(kind === "exit" || kind === "outside", about);
    return seen.lost++;
  };

  const kindOf = (): Item[1] => {
    const chance = random();
    if (chance < 0.008) return "exit";
    if (chance < 0.012) return "outside";
    if (chance < 0.016) return "spin";
    return chance < 0.1 ? "throw" : "return";
  };

  const call = async (from: number) => {
    const items = Array.from({ length: BATCH }, (_, k): Item => {
      const kind = kindOf();
      return [from + k, kind === "return" && (from + k) % 10 === 0 ? "wait" : kind];
    });
    const options = { timeLimit: TIME_LIMIT, returnExceptions: true } as const;
    const how = upTo(3);
    doing.push(`${from}: ${["map", "imap", "submit"][how]}`);
    if (how === 0) {
      const results = await pool.map(work, items, options);
      for (const [k, result] of results.entries()) check(items[k], result);
    } else if (how === 1) {
      let left = random() < 0.5 ? upTo(BATCH) : BATCH;
      for await (const [k, result] of pool.imapIndexed(work, items, options)) {
        check(items[k], result);
        if (--left < 0) break;
      }
      seen.untaken += Math.max(0, left);
    } else {
      const tasks = items.map((item) => pool.submit(work, [item], { timeLimit: TIME_LIMIT }));
      const outcomes = Promise.allSettled(tasks.map((task) => task.result()));
      for (let cancels = upTo(20); cancels > 0; cancels--) {
        await sleep(random() * 5);
        tasks[upTo(BATCH)].cancel();
      }
      for (const [k, outcome] of (await outcomes).entries()) {
        check(items[k], outcome.status === "fulfilled" ? outcome.value : outcome.reason);
      }
    }
  };

  const meddle = async () => {
    await sleep(random() * 20);
    const chance = random();
    doing.push(`meddle ${chance}`);
    if (chance < 0.3) pool.resize(1 + upTo(3));
    else if (chance < 0.5) await pool.recycle();
    else if (chance < 0.6) {
      const old = pool;
      pool = newPool();
      await old[Symbol.asyncDispose]();
    }
  };

  for (let from = 0; from < ITEMS; from += 2 * BATCH) {
    const going = new Set(["first", "second", "meddling"]);
    const guard = setTimeout(() => {
      console.error(`${[...going]} of ${from} hangs:`, doing, pool.statistics(), pool);
      Deno.exit(1);
    }, ENDLESS);
    const end = (what: string) => () => going.delete(what);
    await Promise.all([
      call(from).then(end("first")),
      call(from + BATCH).then(end("second")),
      meddle().then(end("meddling")),
    ]);
    clearTimeout(guard);
  }
  await pool[Symbol.asyncDispose]();
  assert.ok(begun.every((count) => count <= 1), "an item was begun twice");
  return seen;
}

Deno.test("20,000 items in pools, under random deaths, cancels, limits and changes", async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  const seeds = Array.from({ length: 5 }, (_, i) => first + i);
  await withSeeds(seeds, async (random) => console.log(await rounds(random)));
});

Deno.test("200 events of the soak of pools, of all kinds of calls", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  try {
    console.log(await new PoolSoak(seed).run(200));
  } catch (cause) {
    throw new Error(`With seed ${seed}: deno task soak --pools 200 --seed ${seed}`, { cause });
  }
});
