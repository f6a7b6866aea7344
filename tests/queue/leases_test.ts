// Leases of a JoinableQueue: an item stays until it is done, and comes back when it isn't.

import assert from "node:assert/strict";
import { type DeadLetter, JoinableQueue, type Lease, Process, type Queue } from "../../mod.ts";
import { between, withSeeds } from "../support/seed.ts";
import { inFull, testInFull } from "../support/length.ts";
import { killLeaseHolders } from "../support/lease_rounds.ts";
import * as targets from "../support/targets/lease_targets.ts";

const bound = { timeout: 20_000 };
const isError = (name: string, message: RegExp) => (error: Error) => {
  assert.equal(error.name, name, `${error}`);
  assert.match(error.message, message);
  return true;
};

function filled(items: number, attempts?: number): JoinableQueue<number> {
  const jobs = new JoinableQueue<number>({ attempts });
  jobs.putManyNowait(Array.from({ length: items }, (_, i) => i));
  return jobs;
}

Deno.test("a leased item is unfinished until it is done, and no other gets it", async () => {
  const jobs = filled(2), job = await jobs.lease();
  assert.deepEqual([job.item, job.attempt, jobs.qsize(), jobs.unfinished], [0, 1, 1, 2]);
  assert.equal(jobs.getNowait(), 1);
  jobs.taskDone();
  assert.equal(await jobs.join({ timeout: 0 }), false);
  const { size, put, got, unfinished, leased, dead } = jobs.statistics();
  assert.deepEqual([size, put, got, unfinished, leased, dead], [0, 2, 2, 1, 1, 0]);
  assert.match(Deno.inspect(jobs), /unfinished: 1, leased: 1/);
  const joining = jobs.join(bound);
  job.done();
  assert.equal(await joining, true);
  assert.equal(jobs.statistics().leased, 0);
});

Deno.test("a lease that is disposed of, given back or thrown out of comes back to the head", async () => {
  const jobs = filled(3), attempts: number[] = [];
  {
    using job = jobs.leaseNowait();
    attempts.push(job.attempt);
  }
  {
    await using job = await jobs.lease();
    attempts.push(job.attempt);
  }
  try {
    using job = jobs.leaseSync();
    attempts.push(job.attempt);
    throw "away";
  } catch (error) {
    assert.equal(error, "away");
  }
  jobs.leaseNowait().giveBack();
  const leases = [jobs.leaseNowait(), jobs.leaseNowait(), jobs.leaseNowait()];
  assert.deepEqual(leases.map(({ item, attempt }) => [item, attempt]), [[0, 5], [1, 1], [2, 1]]);
  assert.deepEqual(attempts, [1, 2, 3]);
  // In whatever order they are given back, the oldest is the next.
  for (const i of [2, 0, 1]) leases[i].giveBack();
  assert.deepEqual(jobs.getManyNowait(9), [0, 1, 2]);
  assert.equal(jobs.unfinished, 3);
});

Deno.test("what comes back is counted as in the queue, and wakes whoever waits, of either kind", async () => {
  for (const takes of ["get", "lease", "getMany", "leases", "for await"] as const) {
    const jobs = filled(1), job = jobs.leaseNowait();
    const taking = (async () => {
      if (takes === "get") return await jobs.get(bound);
      if (takes === "getMany") return (await jobs.getMany(3, bound))[0];
      if (takes === "lease") return (await jobs.lease(bound)).item;
      if (takes === "leases") { for await (const { item } of jobs.leases()) return item; }
      for await (const item of jobs) return item;
    })();
    await Promise.resolve();
    job.giveBack();
    assert.equal(await taking, 0);
  }
  const jobs = filled(1);
  jobs.leaseNowait().giveBack();
  assert.deepEqual([jobs.qsize(), jobs.empty(), jobs.unfinished], [1, false, 1]);
  assert.deepEqual([jobs.statistics().put, jobs.statistics().got], [1, 0]);
});

Deno.test("an item that comes back from its last attempt is a dead letter, and finished", async () => {
  const jobs = filled(2, 2);
  assert.equal(jobs.attempts, 2);
  const letter = jobs.dead.get(bound);
  for (let i = 0; i < 2; i++) jobs.leaseNowait().giveBack();
  assert.deepEqual(await letter, { item: 0, attempts: 2 });
  assert.deepEqual([jobs.qsize(), jobs.unfinished], [1, 1]);
  for (let i = 0; i < 2; i++) jobs.leaseNowait().giveBack();
  assert.equal(await jobs.join(bound), true);
  assert.deepEqual([jobs.dead.qsize(), jobs.statistics().dead], [1, 1]);
  assert.deepEqual(await jobs.dead.get(), { item: 1, attempts: 2 });
  const refused = isError("InvalidStateError", /dead letters/);
  assert.throws(() => jobs.dead.putNowait({ item: 1, attempts: 1 }), refused);
  await assert.rejects(jobs.dead.put({ item: 1, attempts: 1 }), refused);
  await assert.rejects(jobs.dead.putMany([]), refused);
  // Nobody reads them any more: they are dropped, and finished.
  jobs.dead.shutdown();
  jobs.putNowait(5);
  for (let i = 0; i < 2; i++) jobs.leaseNowait().giveBack();
  assert.deepEqual([jobs.unfinished, jobs.dead.qsize()], [0, 0]);
  assert.equal(filled(0).attempts, 0);
});

Deno.test("bad options and a lease that has ended are refused at the call", async () => {
  for (const attempts of [0, -1, 1.5, NaN, Infinity, 2 ** 28]) {
    assert.throws(() => new JoinableQueue({ attempts }), isError("RangeError", /^attempts is /));
  }
  for (const attempts of ["1", null, {}]) {
    assert.throws(
      () => new JoinableQueue({ attempts: attempts as never }),
      isError("TypeError", /^attempts is /),
    );
  }
  assert.throws(() => new JoinableQueue({ retries: 1 } as never), isError("TypeError", /retries/));
  const jobs = filled(3);
  const done = jobs.leaseNowait(), back = jobs.leaseNowait();
  done.done();
  done.done();
  done.giveBack();
  done[Symbol.dispose]();
  back.giveBack();
  assert.throws(() => back.done(), isError("InvalidStateError", /given back, by giveBack\(\)/));
  const disposed = jobs.leaseNowait();
  await disposed[Symbol.asyncDispose]();
  assert.throws(() => disposed.done(), isError("InvalidStateError", /given back, by its disposal/));
  assert.deepEqual([jobs.qsize(), jobs.unfinished], [2, 2]);
  assert.throws(() => jobs.putNowait(done as never), isError("TypeError", /a Lease/));
  await assert.rejects(jobs.lease({ timeout: -1 }), isError("RangeError", /timeout/));
  await assert.rejects(jobs.lease({ timeOut: 1 } as never), isError("TypeError", /timeOut/));
  assert.match(Deno.inspect(disposed), /^Lease \{ item: 1, attempt: 2, ended: true \}$/);
});

Deno.test("a wait for a lease that ends early has leased nothing", async () => {
  const jobs = new JoinableQueue<number>(), stop = new AbortController();
  assert.throws(() => jobs.leaseNowait(), isError("QueueEmpty", /empty/));
  assert.throws(() => jobs.leaseSync({ timeout: 1 }), isError("QueueEmpty", /empty/));
  await assert.rejects(jobs.lease({ timeout: 1 }), isError("QueueEmpty", /empty/));
  const leases = jobs.leases(), next = leases.next();
  const aborted = assert.rejects(jobs.lease({ signal: stop.signal }), /enough/);
  stop.abort(new Error("enough"));
  await leases.return!();
  assert.equal((await next).done, true);
  await aborted;
  jobs.putNowait(1);
  assert.deepEqual([jobs.qsize(), jobs.statistics().leased], [1, 0]);
});

Deno.test("shutdown, immediate or not, and close with leases out", async () => {
  const jobs = filled(4);
  const [a, b, c] = [jobs.leaseNowait(), jobs.leaseNowait(), jobs.leaseNowait()];
  b.giveBack();
  jobs.shutdown();
  assert.equal(jobs.leaseNowait().item, 1);
  jobs.shutdown({ immediate: true });
  // What is leased is with its process; what is given back now is dropped.
  assert.deepEqual([jobs.qsize(), jobs.unfinished], [0, 3]);
  c.giveBack();
  assert.equal(jobs.unfinished, 2);
  await assert.rejects(jobs.lease(), isError("QueueShutDown", /empty/));
  jobs.close();
  await assert.rejects(jobs.lease(), isError("InvalidStateError", /closed/));
  a.done();
  const dropped = filled(2);
  dropped.leaseNowait().giveBack();
  dropped.shutdown({ immediate: true });
  assert.equal(await dropped.join(bound), true);
});

Deno.test("items of all sizes, many at once, by any sequence of calls", async () => {
  const seeds = Array.from({ length: inFull(20, 2) }, (_, i) => i + 1);
  await withSeeds(seeds, (random) => {
    const most = between(random, 1, 4);
    const jobs = new JoinableQueue<string>({ attempts: most });
    type Entry = { id: number; attempts: number };
    const waiting: Entry[] = [], out: { entry: Entry; lease: Lease<string> }[] = [];
    const letters: number[][] = [];
    let count = 0, unfinished = 0;
    const textOf = (id: number) => `${id}:`.padEnd((id * 7919) % 41 === 0 ? 70_000 : id % 700, "y");
    for (let step = 0; step < 1500; step++) {
      const what = random();
      if (what < 0.35) {
        jobs.putNowait(textOf(count));
        waiting.push({ id: count++, attempts: 0 });
        unfinished++;
      } else if (what < 0.65 && waiting.length > 0) {
        const entry = waiting.shift()!, lease = jobs.leaseNowait();
        entry.attempts++;
        assert.equal(lease.item, textOf(entry.id));
        assert.equal(lease.attempt, entry.attempts);
        out.push({ entry, lease });
      } else if (what < 0.7 && waiting.length > 0) {
        assert.equal(jobs.getNowait(), textOf(waiting.shift()!.id));
        jobs.taskDone();
        unfinished--;
      } else if (out.length > 0) {
        const [{ entry, lease }] = out.splice(between(random, 0, out.length - 1), 1);
        if (random() < 0.5) {
          lease.done();
          unfinished--;
        } else {
          lease.giveBack();
          if (entry.attempts === most) {
            letters.push([entry.id, most]);
            unfinished--;
          } else {
            waiting.push(entry);
            waiting.sort((a, b) => a.id - b.id);
          }
        }
      }
      const { size, leased, dead } = jobs.statistics();
      assert.deepEqual([size, leased, dead, jobs.unfinished], [
        ...[waiting.length, out.length, letters.length, unfinished],
      ]);
    }
    const read: number[][] = [];
    while (!jobs.dead.empty()) {
      const { item, attempts } = jobs.dead.getNowait();
      read.push([parseInt(item), attempts]);
    }
    assert.deepEqual(read, letters);
  });
});

testInFull(
  "a lease for which the stack is too full leaves its item in the queue, or leased",
  () => {
    const nest = (depth: number): unknown => depth === 0 ? "x" : { nested: nest(depth - 1) };
    for (let depth = 0; depth < 200; depth += 40) {
      const jobs = new JoinableQueue<unknown>(), leases: Lease<unknown>[] = [];
      for (let i = 0; i < 20; i++) jobs.putNowait({ i, nested: nest(depth) });
      const dive = () => {
        try {
          dive();
        } catch { /* back on this level there is a little more of the stack */ }
        if (!jobs.empty()) leases[leases.length] = jobs.leaseNowait();
      };
      try {
        dive();
      } catch { /* on the first level, too */ }
      const { size, leased } = jobs.statistics();
      assert.equal(size + leased, 20);
      assert.ok(leased >= leases.length);
      assert.equal(jobs.unfinished, 20);
    }
  },
);

Deno.test("an item comes back when its process ends, and those that wait get it", async () => {
  const jobs = new JoinableQueue<string>({ attempts: 3 });
  await jobs.putMany(["exit", "throw"]);
  const start = () => {
    const target = targets.failAtFirst, module = targets.here;
    const worker = new Process({ target, args: [jobs], module });
    worker.start();
    return worker;
  };
  const workers = [start(), start(), start()];
  assert.equal(await jobs.join(bound), true);
  jobs.shutdown();
  for (const worker of workers) await worker.join();
  assert.deepEqual(workers.map(({ exitCode }) => exitCode).sort(), [0, 1, 7]);
});

testInFull("however a process ends, its item comes back, whoever waits for it", async () => {
  const ends = ["return", "exit", "throw", "terminate", "kill", "timeLimit", "nested"] as const;
  const waits = ["lease", "leaseSync", "get", "join", "dead", "deadSync"] as const;
  for (const end of ends) {
    for (const wait of waits) {
      const isLast = wait === "join" || wait === "dead" || wait === "deadSync";
      const jobs = new JoinableQueue<string>({ attempts: isLast ? 1 : 2 });
      const holds = new Process({
        target: targets.hold,
        args: [jobs, end],
        module: targets.here,
        ...end === "timeLimit" && { timeLimit: 1500 },
      });
      holds.start();
      await jobs.put(end);
      while (jobs.statistics().leased === 0) await new Promise((done) => setTimeout(done, 5));
      const label = `${end}, ${wait}`;
      const waiting = waitFor(jobs, wait);
      if (end === "terminate") holds.terminate();
      if (end === "kill") holds.kill();
      const got = await waiting.catch((error) => assert.fail(`${label}: ${error}`));
      assert.equal(got, end, label);
      await holds.join();
      holds.result().catch(() => {});
      assert.equal(jobs.statistics().leased, 0, label);
    }
  }
});

async function waitFor(jobs: JoinableQueue<string>, wait: string): Promise<string> {
  if (wait === "lease") {
    const job = await jobs.lease(bound);
    assert.equal(job.attempt, 2);
    job.done();
    return job.item;
  }
  if (wait === "get") return await jobs.get(bound);
  if (wait === "dead") return (await jobs.dead.get(bound)).item;
  if (wait === "join") {
    assert.equal(await jobs.join(bound), true);
    return jobs.dead.getNowait().item;
  }
  // The blocking ones wait in a process: this one has its event loop for the end of the other.
  const waiter = new Process({
    target: targets.waitBlocking,
    args: [jobs, jobs.dead, wait === "deadSync"],
    module: targets.here,
  });
  waiter.start();
  return await waiter.result();
}

testInFull("the dead letters alone, in another process, learn of a death", async () => {
  const jobs = filled(1, 1);
  const reader = new Process({
    target: async (dead: Queue<DeadLetter<number>>) => (await dead.get({ timeout: 20_000 })).item,
    args: [jobs.dead],
  });
  reader.start();
  const holder = new Process({
    target: async (jobs: JoinableQueue<number>) => void await jobs.lease(),
    args: [jobs],
  });
  holder.start();
  assert.equal(await reader.result(), 0);
  assert.equal(await holder.result(), undefined);
});

testInFull("a loop goes on after the shutdown while others have items", async () => {
  const jobs = filled(2);
  const worker = new Process({
    target: async (jobs: JoinableQueue<number>) => {
      const items: number[] = [];
      for await (using job of jobs.leases()) {
        items.push(job.item);
        job.done();
      }
      return items;
    },
    args: [jobs],
  });
  const first = jobs.leaseNowait(), second = jobs.leaseNowait();
  jobs.shutdown();
  worker.start();
  second.giveBack();
  while (jobs.unfinished > 1) await new Promise((done) => setTimeout(done, 5));
  first.giveBack();
  assert.deepEqual(await worker.result(), [1, 0]);
  const other = filled(1), held = other.leaseNowait();
  const waits = new Process({
    target: async (jobs: JoinableQueue<number>) => {
      for await (const _ of jobs.leases());
      return "over";
    },
    args: [other],
  });
  other.shutdown();
  waits.start();
  setTimeout(() => held.done(), 300);
  assert.equal(await waits.result(), "over");
});

testInFull("a worker of another program gets items, but leases none", async () => {
  const jobs = new JoinableQueue<number>({ name: "jobs for a worker" });
  jobs.putManyNowait([1, 2]);
  jobs.leaseNowait().giveBack();
  const text = `
    import { Queue } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
    const jobs = await Queue.open("jobs for a worker");
    const got = [await jobs.get(), await jobs.get()];
    let error;
    try { await jobs.lease({ timeout: 1000 }); } catch (thrown) { error = thrown.name + ": " + thrown.message; }
    postMessage([got, error]);`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(text)}`, { type: "module" });
  const { data } = await new Promise<MessageEvent>((done) => worker.onmessage = done);
  worker.terminate();
  assert.deepEqual(data[0], [1, 2]);
  assert.match(data[1], /^InvalidStateError: This worker is no process of the program/);
  jobs.close();
});

testInFull(
  "workers killed with jobs in hand: each job is done, counted and there once",
  async () => {
    await withSeeds(
      [1, 2],
      (random, seed) => killLeaseHolders(random, 15, seed === 2 ? 3 : undefined),
    );
  },
);
