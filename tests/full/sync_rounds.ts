// Locks, semaphores, events, conditions and barriers under many processes, floods and kills, for
// minutes; `deno task test` runs it.

import assert from "node:assert/strict";
import {
  AbandonedLockError,
  Barrier,
  Condition,
  Event,
  Lock,
  type Process,
  Queue,
  Semaphore,
  SharedArray,
  sleep,
} from "../../mod.ts";
import { addTogether, bound, exclusive, start, startNamed } from "../support/sync.ts";
import { randomFrom } from "../support/seed.ts";
import * as targets from "../support/targets/sync_targets.ts";

/** For what takes long by its nature. */
const long = { timeout: 120_000 };

for (const face of ["async", "sync", "mixed"] as const) {
  Deno.test(`8 processes increment 100,000 times each under a lock, a channel is flooded: ${face}`, async () => {
    await using _flood = start(targets.flood);
    await addTogether(new Lock(), 8, 100_000, face);
  });
}

Deno.test("8 processes increment 20,000 times each under an RLock, a permit, a condition's lock", async () => {
  for (const make of [exclusive.RLock, exclusive.Semaphore, exclusive.Condition]) {
    await addTogether(make(), 8, 20_000, "mixed");
  }
});

Deno.test("8 processes pass 1,000 rounds of a barrier in step, a channel is flooded", async () => {
  await using _flood = start(targets.flood);
  const parties = 8, barrier = new Barrier(parties), steps = new SharedArray("i32", parties);
  // Each step takes two rounds.
  const all = Array.from(
    { length: parties },
    (_, me) => start(targets.lockstep, barrier, steps, me, 500),
  );
  for (const process of all) await process.result(long);
  assert.ok(!barrier.broken);
});

for (const face of ["async", "sync"] as const) {
  Deno.test(`100,000 hand-overs between two by a condition, a channel is flooded: ${face}`, async () => {
    await using _flood = start(targets.flood);
    const turns = new SharedArray("i32", 2), condition = new Condition();
    const both = [0, 1].map((me) =>
      start(targets.handOn, condition, turns, me, 2, 50_000, me === 0 ? face : "async")
    );
    for (const process of both) await process.result(long);
    assert.equal(turns[1], 100_000);
  });
}

Deno.test("an event wakes 64 waiters in 64 processes, 20 times, a channel is flooded", async () => {
  const count = 64, times = 20;
  const events: [Event, Event] = [new Event(), new Event()];
  const waiting = new Semaphore(0), awake = new Semaphore(0);
  const all = Array.from({ length: count }, (_, i) => {
    return start(targets.wakeUp, events, waiting, awake, times, i % 2 ? "sync" : "async");
  });
  for (let i = 0; i < count; i++) assert.ok(await waiting.acquire(bound));
  await using _flood = start(targets.flood);
  for (let round = 0; round < times; round++) {
    events[(round + 1) % 2].clear();
    events[round % 2].set();
    for (let i = 0; i < count; i++) assert.ok(await awake.acquire(bound), `${i} are awake`);
    if (round === times - 1) break;
    for (let i = 0; i < count; i++) assert.ok(await waiting.acquire(bound), `${i} wait`);
  }
  for (const process of all) await process.result(bound);
});

for (const face of ["async", "sync"] as const) {
  for (
    const [name, make] of Object.entries({
      Lock: () => new Lock(),
      Semaphore: () => new Semaphore(),
    })
  ) {
    Deno.test(`8 processes in tight loops of acquire and release all get their turn: ${name}, ${face}`, async () => {
      const what = make(), words = new SharedArray("i32", 3);
      const all = Array.from({ length: 8 }, () => start(targets.compete, what, words, face));
      while (words[1] < all.length) await sleep(1);
      words[2] = 1;
      await sleep(3000);
      words[0] = 1;
      const counts = [];
      for (const process of all) counts.push(await process.result(bound));
      const mean = counts.reduce((sum, count) => sum + count) / counts.length;
      const least = Math.min(...counts);
      console.log(`least ${least}, mean ${Math.round(mean)}: ${(least / mean).toFixed(2)}`);
      assert.ok(least >= mean / 10, `${counts}`);
    });
  }
}

/**
 * Kills processes that hold something in a tight loop, one after the other, until it was reported of
 * `holders` of them that they died while they held it. Another process holds it in turn with them.
 * Those who said that they hold it must be among these; one that was killed as it acquired or released
 * it may be.
 */
async function killHolders(what: targets.Acquirable, holders: number, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const words = new SharedArray("i32", targets.arena.words), deaths = new Queue<string>();
  const { over, broken, victim } = targets.arena;
  const survivor = start(targets.survive, what, words, targets.arena, deaths);
  const ready: { process: Process; up: Event; go: Event; id: number }[] = [];
  const reported: string[] = [], certain = new Set<string>(), killed = new Set<string>();
  for (let next = 1; reported.length < holders;) {
    while (ready.length < 4) {
      const up = new Event(), go = new Event(), id = next++;
      const face = random() < 0.5 ? "async" : "sync";
      const args = [what, words, targets.arena, up, go, id, face] as const;
      const process = startNamed(`victim-${id}`, targets.contend, ...args);
      ready.push({ process: process as unknown as Process, up, go, id });
    }
    const { process, up, go, id } = ready.shift()!;
    assert.ok(await up.wait(bound));
    go.set();
    await sleep(random() * 4);
    if (random() < 0.5) process.kill();
    else process.terminate();
    assert.ok(await process.join(bound), "a killed process did not end");
    killed.add(process.name);
    if (words[victim] === id) certain.add(process.name);
    words[victim] = 0;
    // Once this process has had it, somebody was told.
    for (let got = false; !got;) {
      try {
        got = await what.acquire(bound);
        assert.ok(got, `${process.name} was killed, and it can't be acquired`);
      } catch (error) {
        if (!(error instanceof AbandonedLockError)) throw error;
        reported.push(error.message.split(" ")[0]);
      }
    }
    what.release();
    while (!deaths.empty()) reported.push(deaths.getNowait());
  }
  words[over] = 1;
  await survivor.result(bound);
  for (const { process } of ready) process.kill();
  for (const { process } of ready) await process.join(bound);
  while (!deaths.empty()) reported.push(deaths.getNowait());
  assert.equal(words[broken], 0, "two held it at the same time");
  assert.equal(new Set(reported).size, reported.length, "a death was reported twice");
  for (const name of certain) assert.ok(reported.includes(name), `${name} was not reported`);
  for (const name of reported) assert.ok(killed.has(name), `${name} was not killed`);
  await addTogether(what, 2, 1000, "mixed");
  console.log(`${killed.size} killed, ${certain.size} of them inside, ${reported.length} reported`);
}

const kinds = { Lock: 1400, RLock: 200, Semaphore: 200, Condition: 200 } as const;
for (const [kind, holders] of Object.entries(kinds)) {
  Deno.test(`${holders} holders of a ${kind} killed at random instants are each reported once`, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`seed ${seed}`);
    await killHolders(exclusive[kind](), holders, seed);
  });
}

Deno.test("200 processes killed as they are notified take no notification along", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31), random = randomFrom(seed);
  console.log(`seed ${seed}`);
  const condition = new Condition(), items = new SharedArray("i32", 1), up = new Semaphore(0);
  const consumers: ReturnType<typeof consumer>[] = [];
  const consumer = () =>
    start(targets.consume, condition, items, up, random() < 0.5 ? "async" : "sync");
  for (let kill = 0; kill < 200; kill++) {
    while (consumers.length < 4) {
      consumers.push(consumer());
      assert.ok(await up.acquire(bound));
    }
    for (let got = false; !got;) {
      got = await condition.acquire(bound).catch((error) => {
        if (error instanceof AbandonedLockError) return false;
        throw error;
      });
    }
    items[0] = 1;
    condition.notify();
    const [victim] = consumers.splice(Math.floor(random() * 4), 1);
    const delay = random() * 0.3, isHeld = random() < 0.5;
    if (!isHeld) condition.release();
    for (const end = performance.now() + delay; performance.now() < end;);
    victim.kill();
    if (isHeld) condition.release();
    await victim.join(bound);
    for (const start = performance.now(); items[0] > 0; await sleep(1)) {
      assert.ok(performance.now() - start < bound.timeout, "nobody was notified");
    }
  }
  for (const one of consumers) one.kill();
  for (const one of consumers) await one.join(bound);
});

Deno.test("50 parties of a barrier killed at random instants each break it, and no other round", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31), random = randomFrom(seed);
  console.log(`seed ${seed}`);
  const barrier = new Barrier(3), up = new Semaphore(0);
  for (let kill = 0; kill < 50; kill++) {
    const faces = ["async", "sync", "async"] as const;
    const all = faces.map((face) => start(targets.circle, barrier, up, face));
    for (const _ of all) assert.ok(await up.acquire(bound));
    await sleep(random() * 4);
    const victim = all[Math.floor(random() * 3)];
    victim.kill();
    for (const process of all) assert.ok(await process.join(bound), "a party waits in vain");
    for (const process of all) {
      if (process !== victim) await assert.rejects(process.result(), /BrokenBarrierError/);
    }
    barrier.reset();
  }
});
