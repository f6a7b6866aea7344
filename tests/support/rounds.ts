// Checks that are shared by the plain tests and the thousands of rounds of the full run.

import assert from "node:assert/strict";
import { Process, Queue, sleep } from "../../mod.ts";
import { between } from "./seed.ts";
import * as targets from "./targets/queue_targets.ts";

const module = targets.here;

/** Checks that together the consumers got every item once, and each in order per producer. */
export function checkComplete(consumers: Int32Array[][], producers: number, count: number): void {
  for (let id = 0; id < producers; id++) {
    const seen = new Uint8Array(count);
    for (const got of consumers) {
      let last = -1;
      for (const i of got[id]) {
        assert.ok(i > last, `producer ${id}: ${i} came after ${last}`);
        last = i;
        assert.equal(seen[i]++, 0, `producer ${id}: ${i} came twice`);
      }
    }
    assert.ok(seen.every((times) => times === 1), `producer ${id}: items are missing`);
  }
}

/** Producers and consumers on one queue, half of them blocking, while another floods a channel. */
export async function flooded(producers: number, consumers: number, count: number, maxSize = 0) {
  const queue = new Queue<[number, number]>({ maxSize });
  await using flood = new Process({ target: targets.flood, module });
  flood.start();
  const reading = Array.from({ length: consumers }, (_, i) => {
    const target = i % 2 ? targets.consumeSync : targets.consume;
    const process = new Process({ target, args: [queue, producers], module });
    process.start();
    return process;
  });
  const writing = Array.from({ length: producers }, (_, id) => {
    const target = id % 2 ? targets.produceSync : targets.produce;
    const process = new Process({ target, args: [queue, id, count], module });
    process.start();
    return process;
  });
  for (const process of writing) await process.result();
  queue.shutdown();
  const got = [];
  for (const process of reading) got.push(await process.result());
  checkComplete(got, producers, count);
}

/**
 * Kills processes that get and put tokens, at random instants. Each takes at most the one token
 * in its hands with it; nothing is doubled or damaged, and others can use the queue.
 */
export async function killAtRandom(random: () => number, kills: number): Promise<void> {
  const tokens = 40;
  const queue = new Queue<targets.Token>({ maxSize: random() < 0.5 ? 0 : tokens + 1 });
  const text = (id: number) => `${id}:`.padEnd(4 + (id * 37) % 3000, "\u00e9x");
  for (let id = 0; id < tokens; id++) queue.putNowait({ id, text: text(id) });
  const victims = new Set<Process<[Queue<targets.Token>], unknown>>();
  const lost = new Set<number>();
  for (let kill = 0; kill < kills; kill++) {
    while (victims.size < 2) {
      const target = random() < 0.5 ? targets.churn : targets.churnSync;
      const victim = new Process({ target, args: [queue], module });
      victim.start();
      victims.add(victim);
    }
    await sleep(random() * 10);
    const victim = [...victims][between(random, 0, victims.size - 1)];
    victims.delete(victim);
    if (random() < 0.5) victim.kill();
    else victim.terminate();
    assert.equal(await victim.join({ timeout: 10_000 }), true, "a killed process did not end");
    assert.ok(victim.exitCode === -9 || victim.exitCode === -15);
    if (kill % 20 === 19) {
      // Everything that isn't in the hands of a living process is in the queue: who is killed
      // now, between two checks, accounts for what is missing.
      const ended = [...victims];
      victims.clear();
      for (const other of ended) other.kill();
      for (const other of ended) assert.equal(await other.join({ timeout: 10_000 }), true);
      kill += ended.length;
      const left = new Map<number, string>();
      while (!queue.empty()) {
        const token = await queue.get({ timeout: 10_000 });
        assert.ok(!left.has(token.id), `token ${token.id} is there twice`);
        assert.equal(token.text, text(token.id), `token ${token.id} is damaged`);
        left.set(token.id, token.text);
      }
      for (let id = 0; id < tokens; id++) if (!left.has(id)) lost.add(id);
      assert.ok(lost.size <= kill + 1, `${lost.size} tokens lost by ${kill + 1} kills`);
      assert.ok(
        tokens - left.size <= 20 + ended.length,
        `${tokens - left.size} tokens lost by ${20 + ended.length} kills`,
      );
      for (let id = 0; id < tokens; id++) queue.putNowait({ id, text: text(id) });
      lost.clear();
    }
  }
  for (const victim of victims) victim.kill();
  for (const victim of victims) await victim.join();
}
