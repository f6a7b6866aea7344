// The soak of pools: random deaths, cancels, limits, resizes, recyclings, terminated pools, and loops that are left, under
// mixed loads. The outcome of every item is known and right, no item runs twice, nothing hangs, the memory stays level.
//
//   deno task soak --pools N [--seed S]     until N such events have happened

import assert from "node:assert/strict";
import { CancelledError, type MapOptions, Pool, SharedArray, sleep, TaskError } from "../../mod.ts";
import { randomFrom } from "../support/seed.ts";
import { count, type Numbers } from "./counts.ts";
import * as targets from "../support/targets/pool_round_targets.ts";
import type { Item, Kind } from "../support/targets/pool_round_targets.ts";

/** The most items of one run: each has a word that counts how often it was begun. */
const ITEMS = 2 ** 21;
/** The most items of one call, the calls at the same time, and the calls that one pool gets. */
const BATCH = 30, CALLERS = 3, CALLS = 12;
/** For each item. In ms. */
const TIME_LIMIT = 100;
/** No call, and no end of a pool, takes longer than this on a machine that is busy with much else. In ms. */
const ENDLESS = 120_000;

/** What may become of an item, by what it does. The end of a worker costs what runs beside the item, too. */
const OUTCOMES: Record<Kind, readonly string[]> = {
  return: ["returned"],
  wait: ["returned"],
  throw: ["threw"],
  exit: ["lost"],
  outside: ["lost"],
  spin: ["limited"],
};

/** What happens to pools, until so many events have happened. */
export class PoolSoak {
  readonly numbers: Numbers = {};
  readonly #random: () => number;
  readonly #begun = new SharedArray("i32", ITEMS);
  #next = 0;
  #events = 0;
  /** What is going on, for a report of a hang. */
  readonly doing = new Set<string>();

  /** The pool of the moment. */
  pool: Pool | undefined;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  get events(): number {
    return this.#events;
  }

  async run(events: number, progress: () => void = () => {}): Promise<Numbers> {
    while (this.#events < events && this.#next < ITEMS - CALLERS * CALLS * BATCH) {
      await this.#onePool();
      progress();
    }
    assert.ok(this.#begun.every((times) => times <= 1), "an item was begun twice");
    return this.numbers;
  }

  #event(name: string, n = 1): void {
    this.#events += n;
    count(this.numbers, `events: ${name}`, n);
  }

  #upTo(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** Does something that must end. */
  async #ending<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.doing.add(what);
    const began = performance.now();
    const guard = setTimeout(() => {
      console.error(
        `A hang: ${what}. Going on: ${[...this.doing].join("; ")}`,
        this.pool?.statistics(),
      );
      Deno.exit(1);
    }, ENDLESS);
    try {
      return await work();
    } finally {
      clearTimeout(guard);
      this.doing.delete(what);
      count(this.numbers, "longest call in ms", Math.round(performance.now() - began));
    }
  }

  async #onePool(): Promise<void> {
    const isConfined = this.#chance(0.15);
    const pool = new Pool({
      processes: 1 + this.#upTo(3),
      tasksPerProcess: this.#chance(0.3) ? 2 + this.#upTo(3) : 1,
      spares: this.#chance(0.3) ? 1 : 0,
      maxTasksPerChild: this.#chance(0.3) ? 5 + this.#upTo(100) : undefined,
      maxQueueSize: this.#chance(0.2) ? 1 + this.#upTo(10) : undefined,
      permissions: isConfined ? "none" : undefined,
      by: "source",
      initializer: targets.keep,
      initargs: [this.#begun],
    });
    this.pool = pool as Pool;
    count(this.numbers, "pools");
    let isOver = false;
    const meddling = this.#meddle(pool, () => isOver);
    const isCut = this.#chance(0.15), calls = isCut ? 1 + this.#upTo(4) : CALLS;
    const callers = Array.from({ length: CALLERS }, async () => {
      for (let call = 0; call < calls; call++) await this.#call(pool, isCut);
    });
    if (isCut) {
      await sleep(this.#random() * 200);
      pool.terminate();
      this.#event("pools terminated");
    }
    await Promise.all(callers);
    isOver = true;
    await meddling;
    if (!pool.closed) this.#event("workers replaced", pool.statistics().restarts);
    await this.#ending("the end of a pool", () => pool[Symbol.asyncDispose]());
  }

  /** Changes the pool while calls go on. */
  async #meddle(pool: Pool, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await sleep(5 + this.#random() * 40);
      if (pool.closed || isOver()) return;
      const what = this.#upTo(4);
      try {
        if (what === 0) await this.#ending("recycle()", () => pool.recycle());
        else if (what === 1) pool.statistics();
        else pool.resize(1 + this.#upTo(3));
        this.#event(["recycle()", "statistics()", "resize()", "resize()"][what]);
      } catch (error) {
        if (!pool.closed) throw error;
      }
    }
  }

  #kind(): Kind {
    const chance = this.#random();
    if (chance < 0.015) return "exit";
    if (chance < 0.022) return "outside";
    if (chance < 0.027) return "spin";
    if (chance < 0.1) return "throw";
    return chance < 0.3 ? "wait" : "return";
  }

  #items(): Item[] {
    const first = this.#next, length = 1 + this.#upTo(BATCH);
    this.#next += length;
    return Array.from({ length }, (_, k) => [first + k, this.#kind()]);
  }

  async #call(pool: Pool, isCut: boolean): Promise<void> {
    const ways = [this.#map, this.#iterate, this.#submit, this.#stream, this.#nest];
    const way = ways[this.#upTo(ways.length)], items = this.#items();
    const what = `${way.name} of ${items.length} from ${items[0][0]}`;
    try {
      await this.#ending(what, () => way.call(this, pool, items));
    } catch (error) {
      // A pool that is terminated ends its calls, and accepts no more.
      const ends = ["CancelledError", "InvalidStateError"];
      if (!isCut || !pool.closed || !ends.includes((error as Error).name)) throw error;
      count(this.numbers, "calls that ended with their pool");
    }
  }

  get #options(): MapOptions & { returnExceptions: true } {
    return {
      timeLimit: TIME_LIMIT,
      returnExceptions: true,
      chunkSize: this.#chance(0.5) ? "auto" : 1 + this.#upTo(10),
      bufferSize: this.#chance(0.3) ? 1 + this.#upTo(20) : undefined,
      priority: this.#upTo(3),
      onProgress: this.#chance(0.2) ? () => {} : undefined,
    };
  }

  async #map(pool: Pool, items: Item[]): Promise<void> {
    const results = await pool.map(targets.work, items, this.#options);
    assert.equal(results.length, items.length);
    for (const [k, result] of results.entries()) this.#check(items, k, result);
  }

  async #iterate(pool: Pool, items: Item[]): Promise<void> {
    let left = this.#chance(0.8) ? this.#upTo(items.length) : Infinity, closed = 0;
    const isAsync = this.#chance(0.5);
    const source = async function* () {
      try {
        for (const item of items) {
          if (item[0] % 7 === 0) await sleep(0);
          yield item;
        }
      } finally {
        closed++;
      }
    };
    const seen = new Set<number>();
    const given = isAsync ? source() : items, options = this.#options;
    for await (const [k, result] of pool.imapIndexed(targets.work, given, options)) {
      assert.ok(!seen.has(k), `item ${k} has two outcomes`);
      seen.add(k);
      this.#check(items, k, result);
      if (--left < 0) break;
    }
    if (left < 0) this.#event("loops left");
    else assert.equal(seen.size, items.length);
    if (isAsync) assert.equal(closed, 1, "the source is closed");
  }

  async #submit(pool: Pool, items: Item[]): Promise<void> {
    const calls = items.map(async (item, k) => {
      const stop = this.#chance(0.1) ? new AbortController() : undefined;
      const options = { timeLimit: TIME_LIMIT, priority: this.#upTo(3), signal: stop?.signal };
      let outcome: Promise<unknown>;
      try {
        const task = pool.submit(targets.work, [item], options);
        outcome = task.result();
        if (this.#chance(0.6)) {
          sleep(this.#random() ** 2 * 30).then(() => task.cancel() && this.#event("cancels"));
        }
      } catch (error) {
        if ((error as Error).name !== "QueueFull") throw error;
        outcome = pool.apply(targets.work, [item], options);
      }
      if (stop !== undefined) sleep(this.#random() * 10).then(() => stop.abort("enough"));
      const result = await outcome.catch((error) => error);
      // Of a pool that was terminated while the call waited for room.
      if (pool.closed && (result as Error).name === "InvalidStateError") return;
      this.#check(items, k, result, true);
    });
    await Promise.all(calls);
  }

  async #stream(pool: Pool, items: Item[]): Promise<void> {
    const calm = items.map(([i]): Item => [i, "return"]);
    const left = this.#chance(0.8) ? this.#upTo(calm.length) : Infinity;
    let k = 0;
    try {
      for await (
        const value of pool.stream(targets.yields, [calm], { bufferSize: 1 + this.#upTo(8) })
      ) {
        assert.equal(value, 2 * calm[k++][0]);
        if (k > left) break;
      }
    } catch (error) {
      // Another task may end the worker that they share.
      assert.ok(isLost(error) || pool.closed, `${error}`);
      return count(this.numbers, "outcomes: streams lost with their worker");
    }
    if (k > left) this.#event("streams left");
    else assert.equal(k, calm.length);
  }

  /** A task that has the pool run its items. */
  async #nest(pool: Pool, items: Item[]): Promise<void> {
    const calm = items.map(([i]): Item => [i, i % 5 === 0 ? "throw" : "return"]);
    const outcomes = await pool.apply(targets.nest, [pool, calm]).catch((error) => {
      // Another task may end the worker that they share.
      if (isLost(error)) return undefined;
      throw error;
    });
    if (outcomes === undefined) {
      return count(this.numbers, "outcomes: nests lost with their worker");
    }
    for (const [k, outcome] of outcomes.entries()) {
      const [i, kind] = calm[k];
      if (outcome === "lost") count(this.numbers, "outcomes: lost beside another");
      else assert.equal(outcome, kind === "throw" ? `RangeError: ${i}` : 2 * i);
    }
    count(this.numbers, "nests");
  }

  /** Checks the outcome of an item, and counts it. */
  #check(items: Item[], k: number, outcome: unknown, isTask = false): void {
    const [i, kind] = items[k];
    const about = `item ${i}, ${kind}: ${Deno.inspect(outcome)}, begun ${this.#begun[i]} times`;
    const what = this.#outcomeOf(i, kind, outcome, about);
    count(this.numbers, `outcomes: ${what}`);
    // A worker takes an item before it has loaded the function, and may be ended by another item then.
    const mayNotHaveBegun = what === "cancelled" || what === "lost beside another";
    if (mayNotHaveBegun) assert.ok(this.#begun[i] <= 1, about);
    if (what === "cancelled") return;
    if (!mayNotHaveBegun) assert.equal(this.#begun[i], 1, about);
    if (outcome instanceof TaskError) {
      assert.deepEqual([outcome.index, outcome.attempts], [isTask ? 0 : k, 1], about);
      assert.equal(outcome.task, "work", about);
    }
    if (what === "lost" || what === "limited") this.#event(what);
    if (OUTCOMES[kind].includes(what)) return;
    // On a busy machine another item may take that long, too; or its worker may end for one that runs beside it.
    assert.ok(what === "limited" || what === "lost beside another", about);
  }

  #outcomeOf(i: number, kind: Kind, outcome: unknown, about: string): string {
    if (outcome instanceof CancelledError) return "cancelled";
    if (!(outcome instanceof TaskError)) {
      assert.equal(outcome, 2 * i, about);
      return "returned";
    }
    const { cause, exitCode, limit } = outcome;
    if (limit === "timeLimit") return "limited";
    if (cause instanceof RangeError) {
      assert.equal(cause.message, `${i}`, about);
      return "threw";
    }
    const isOwn = kind === "exit" && exitCode === 3 || kind === "outside" && exitCode === 1;
    return isOwn ? "lost" : "lost beside another";
  }
}

/** Whether an item has ended with its worker. */
const isLost = (error: unknown) => error instanceof TaskError && / was lost: /.test(error.message);

const megabytes = () => Math.round(Deno.memoryUsage().rss / 2 ** 20);
const heap = () => Deno.memoryUsage().heapUsed / 2 ** 20;
/**
 * Megabytes that the least heap of the last quarter may be above that of the second one. The heap is what this library
 * would leak; the memory that threads leave behind belongs to Deno and its allocator, and swings by 100 MB and more.
 */
const HEAP_GROWTH = 8, EVENTS_FOR_HEAP = 2000;
/** Megabytes that a program may have grown since a quarter of its events, and kilobytes more for each event. */
const GROWTH = 96, GROWTH_PER_EVENT = 16;

/** The soak of pools, in this program. Returns the exit status. */
export async function soakPools(events: number, seed: number): Promise<number> {
  const soak = new PoolSoak(seed), began = performance.now(), first = megabytes();
  let warm: number | undefined, told = 0;
  const least = [Infinity, Infinity, Infinity, Infinity];
  console.log(`seed ${seed}, ${events} events`);
  const line = () => {
    const seconds = (performance.now() - began) / 1000;
    return `${seconds.toFixed(0)} s  events ${soak.events}  memory ${megabytes()} MB, heap ${
      heap().toFixed(0)
    } MB`;
  };
  try {
    await soak.run(events, () => {
      if (soak.events >= events / 4) warm ??= megabytes();
      const quarter = Math.min(3, Math.floor(soak.events / events * 4));
      least[quarter] = Math.min(least[quarter], heap());
      if (performance.now() - told < 10_000) return;
      told = performance.now();
      console.log(line());
    });
    const most = (warm ?? first) + GROWTH + events * GROWTH_PER_EVENT / 1024;
    assert.ok(megabytes() <= most, `the memory grew: ${first}, ${warm} and ${megabytes()} MB`);
    const isLevel = least[3] <= least[1] + HEAP_GROWTH;
    assert.ok(isLevel || events < EVENTS_FOR_HEAP, `the heap grew: ${least.join(", ")} MB`);
  } catch (error) {
    console.log("VIOLATION:", error);
    console.log(`again: deno task soak --pools ${events} --seed ${seed}`);
    return 1;
  }
  for (const [name, n] of Object.entries(soak.numbers).sort()) {
    console.log(`${`${n}`.padStart(14)}  ${name}`);
  }
  console.log(`${line()}; ${first} MB at first, ${warm} MB when warm`);
  console.log(`least heap by quarter: ${least.map((mb) => mb.toFixed(1)).join(", ")} MB`);
  console.log("no violation");
  return 0;
}
