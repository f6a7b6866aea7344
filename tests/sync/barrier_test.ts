// Barrier: no party goes on before all have arrived; and if a party is missing, the others don't wait in vain.

import assert from "node:assert/strict";
import { Barrier, BrokenBarrierError, Queue, SharedArray, TimeoutError } from "../../mod.ts";
import { inFull, testInFull } from "../support/length.ts";
import { bound, endings, start, turn, until } from "../support/sync.ts";
import * as targets from "../support/targets/sync_targets.ts";

/** Checks for a BrokenBarrierError that says this, in two sentences. */
function broken(...patterns: RegExp[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof BrokenBarrierError, `${error}`);
    for (const pattern of patterns) assert.match(error.message, pattern);
    assert.match(error.message, /^[^]+[.] [A-Z][^]+[.]$/);
    return true;
  };
}

/** The error a promise rejects with. */
function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => undefined, (error) => error);
}

Deno.test("all go on when the last has arrived, each with its number", async () => {
  const barrier = new Barrier(3);
  assert.equal(barrier.parties, 3);
  for (let round = 0; round < 3; round++) {
    let passed = 0;
    const first = [barrier.wait(), barrier.wait()];
    for (const wait of first) wait.then(() => passed++);
    await turn();
    assert.equal(barrier.nWaiting, 2);
    assert.equal(passed, 0);
    const last = round % 2 ? barrier.waitSync() : await barrier.wait();
    assert.deepEqual([...await Promise.all(first), last], [0, 1, 2]);
    assert.equal(barrier.nWaiting, 0);
  }
  assert.equal(barrier.broken, false);
});

Deno.test("a barrier of one party lets it pass", async () => {
  const barrier = new Barrier(1);
  assert.equal(await barrier.wait(), 0);
  assert.equal(barrier.waitSync(), 0);
  assert.equal(barrier.waitNowait(), 0);
});

Deno.test("a wait that doesn't wait passes if it is the last, and else leaves the barrier be", async () => {
  const barrier = new Barrier(2);
  assert.throws(() => barrier.waitNowait(), TimeoutError);
  assert.throws(() => barrier.waitNowait(), /Of the 2 parties of the barrier 0 wait/);
  assert.equal(barrier.nWaiting, 0);
  const first = barrier.wait();
  assert.equal(barrier.waitNowait(), 1);
  assert.equal(await first, 0);
});

Deno.test("a wait that takes too long breaks the barrier for all", async () => {
  for (const face of ["async", "sync", "at once"]) {
    const barrier = new Barrier(3);
    const check = broken(/broken: MainProcess waited longer than its timeout\. Call reset\(\)/);
    const other = assert.rejects(barrier.wait(), check);
    if (face === "sync") assert.throws(() => barrier.waitSync({ timeout: 5 }), check);
    else await assert.rejects(barrier.wait({ timeout: face === "async" ? 5 : 0 }), check);
    await other;
    assert.equal(barrier.broken, true);
    assert.equal(barrier.nWaiting, 0);
    await assert.rejects(barrier.wait(), check);
    assert.throws(() => barrier.waitSync(), check);
    assert.throws(() => barrier.waitNowait(), check);
  }
});

Deno.test("a barrier's timeout counts where a wait has none of its own", async () => {
  const barrier = new Barrier(2, { timeout: 5 });
  await assert.rejects(barrier.wait(), broken(/timeout/));
  barrier.reset();
  assert.throws(() => barrier.waitSync(), broken(/timeout/));
  barrier.reset();
  const patient = barrier.wait({ timeout: Infinity });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await barrier.wait(), 1);
  assert.equal(await patient, 0);
});

Deno.test("a wait that is aborted rejects with the reason and breaks the barrier for the others", async () => {
  const barrier = new Barrier(3), controller = new AbortController();
  const { signal } = controller;
  const aborted = barrier.wait({ signal }), other = barrier.wait();
  controller.abort(new Error("no longer wanted"));
  await assert.rejects(aborted, /no longer wanted/);
  await assert.rejects(other, broken(/MainProcess gave up waiting, because its signal/));
  // Aborted before: it doesn't even arrive.
  barrier.reset();
  await assert.rejects(barrier.wait({ signal }), /no longer wanted/);
  assert.equal(barrier.broken, false);
});

Deno.test("abort() breaks it until reset(), which makes it as new", async () => {
  const barrier = new Barrier(2);
  const waiting = barrier.wait();
  barrier.abort();
  barrier.abort();
  await assert.rejects(waiting, broken(/MainProcess called abort\(\)/));
  await assert.rejects(barrier.wait(), broken(/abort/));
  barrier.reset();
  assert.equal(barrier.broken, false);
  assert.deepEqual(await Promise.all([barrier.wait(), barrier.wait()]), [0, 1]);
});

Deno.test("reset() sends away those who wait, and they can come again", async () => {
  const barrier = new Barrier(2);
  const waiting = barrier.wait();
  barrier.reset();
  await assert.rejects(waiting, broken(/was reset by MainProcess while this process waited/));
  assert.deepEqual(await Promise.all([barrier.wait(), barrier.wait()]), [0, 1]);
  // With nobody there it changes nothing.
  barrier.reset();
  assert.equal(barrier.broken, false);
});

Deno.test("more tasks than parties pass in groups", async () => {
  const barrier = new Barrier(4);
  const indexes = await Promise.all(Array.from({ length: 40 }, () => barrier.wait()));
  for (let index = 0; index < 4; index++) {
    assert.equal(indexes.filter((other) => other === index).length, 10);
  }
});

// The action

Deno.test("the action runs once a round, before anybody goes on", async () => {
  let runs = 0;
  const passed: number[] = [];
  const barrier = new Barrier(3, { action: () => runs++ });
  for (let round = 1; round <= 3; round++) {
    const all = [1, 2].map(() => barrier.wait().then(() => passed.push(runs)));
    if (round === 2) barrier.waitSync();
    else if (round === 3) barrier.waitNowait();
    else await barrier.wait();
    await Promise.all(all);
    assert.equal(runs, round);
  }
  assert.deepEqual(passed, [1, 1, 2, 2, 3, 3]);
});

Deno.test("an asynchronous action is waited for, and who comes meanwhile is for the next round", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let runs = 0;
  const barrier = new Barrier(2, { action: () => runs++ === 0 ? promise : undefined });
  const passed: number[] = [];
  const wait = (i: number) => barrier.wait().then((index) => passed.push(i * 10 + index));
  const first = [wait(1), wait(2)];
  await turn();
  const second = [wait(3), wait(4)];
  await turn();
  assert.deepEqual(passed, []);
  assert.equal(barrier.nWaiting, 2);
  assert.throws(() => barrier.waitNowait(), TimeoutError);
  resolve();
  await Promise.all([...first, ...second]);
  assert.deepEqual(passed.sort(), [10, 21, 30, 41]);
  assert.equal(runs, 2);
});

Deno.test("an action that throws breaks the barrier: its process gets the error, the others learn of it", async () => {
  const failures = [
    () => {
      throw new Error("in the action");
    },
    () => Promise.reject(new Error("in the action")),
  ];
  for (const action of failures) {
    const barrier = new Barrier(2, { action });
    const first = assert.rejects(
      barrier.wait(),
      broken(/MainProcess failed in the barrier's action/),
    );
    await assert.rejects(barrier.wait(), /^Error: in the action/);
    await first;
    assert.equal(barrier.broken, true);
  }
});

Deno.test("a blocking wait refuses an action that returns a promise", async () => {
  for (const face of ["waitSync", "waitNowait"] as const) {
    const barrier = new Barrier(2, { action: () => Promise.reject(new Error("unseen")) });
    const first = barrier.wait();
    assert.throws(() => barrier[face](), (error) => {
      assert.ok(error instanceof TypeError);
      assert.match(
        error.message,
        new RegExp(`promise, which ${face}\\(\\) can't wait for\\. Give`),
      );
      return true;
    });
    await assert.rejects(first, broken(/failed in the barrier's action/));
  }
});

Deno.test("a round that is broken while its action runs is broken for who runs it, too", async () => {
  for (const how of ["abort", "reset"] as const) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const barrier = new Barrier(2, { action: () => promise });
    const both = [barrier.wait(), barrier.wait()];
    await turn();
    barrier[how]();
    await assert.rejects(both[0], broken(new RegExp(how)));
    if (how === "reset") {
      // A new round needn't wait for the old action.
      assert.equal(barrier.nWaiting, 0);
    }
    resolve();
    await assert.rejects(both[1], broken(new RegExp(how)));
  }
});

testInFull(
  "an action crosses to other processes as its text, and runs where the last arrives",
  async () => {
    const methods = { named() {}, async later() {} };
    const actions = [() => {}, function old() {}, methods.named, methods.later, undefined];
    for (const action of actions) {
      const barrier = new Barrier(2, { action });
      const one = start(targets.rounds, barrier, 3, "async");
      const other = start(targets.rounds, barrier, 3, "async");
      const indexes = [await one.result(bound), await other.result(bound)];
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(indexes.map((of) => of[round]).sort(), [0, 1]);
      }
    }
  },
);

Deno.test("an action that fails in another process breaks the barrier and names it", async () => {
  const outside = "out of reach";
  const barrier = new Barrier(2, { action: () => outside.length });
  // The action can run here, but not there.
  const first = failure(barrier.wait());
  const process = start(targets.rounds, barrier, 1, "sync");
  await assert.rejects(process.result(bound), ({ cause }) => {
    assert.ok(cause instanceof ReferenceError);
    assert.match(cause.message, /The action "action" uses "outside", which is outside of it/);
    return true;
  });
  broken(new RegExp(`${process.name} failed in the barrier's action`))(await first);
  barrier.reset();
  const again = start(targets.rounds, barrier, 1, "async");
  await until(() => barrier.nWaiting === 1);
  assert.equal(await barrier.wait(), 1);
  assert.deepEqual(await again.result(bound), [0]);
});

// Processes

testInFull("processes go in step, in both faces", async () => {
  const parties = 4, barrier = new Barrier(parties), steps = new SharedArray("i32", parties);
  const all = Array.from(
    { length: parties },
    (_, me) => start(targets.lockstep, barrier, steps, me, 100),
  );
  for (const process of all) await process.result(bound);
  assert.deepEqual([...steps], Array(parties).fill(100));
});

for (const [how, { ending, kill }] of Object.entries(endings)) {
  if (ending === "spin") continue;
  const breaks = ending !== "return";
  const what = breaks ? "breaks it, and is named" : "doesn't break it";
  Deno.test(`a process that ${how} between two rounds ${what}`, async () => {
    const barrier = new Barrier(2), said = new Queue<string>();
    const process = start(targets.meetOnce, barrier, said, ending);
    await barrier.wait(bound);
    assert.equal(await said.get(bound), "met");
    const mine = ending === "wait" ? failure(barrier.wait(bound)) : undefined;
    if (kill !== undefined) process[kill]();
    await process.join(bound);
    const check = broken(new RegExp(`${process.name} has ended otherwise`));
    if (breaks) {
      check(await (mine ?? failure(barrier.wait(bound))));
      assert.equal(barrier.broken, true);
      barrier.reset();
    }
    assert.equal(barrier.broken, false);
    assert.deepEqual(await Promise.all([barrier.wait(), barrier.wait()]), [0, 1]);
  });
}

testInFull("a process that dies while it waits breaks the barrier for the others", async () => {
  for (const face of ["async", "sync"] as const) {
    const barrier = new Barrier(4), said = new Queue<string>();
    const others = [start(targets.meet, barrier, said, "async")];
    others.push(start(targets.meet, barrier, said, "sync"));
    await until(() => barrier.nWaiting === 2);
    const victim = start(targets.rounds, barrier, 1, face);
    await until(() => barrier.nWaiting === 3);
    victim.kill();
    for (const _ of others) {
      assert.match(await said.get(bound), new RegExp(`^BrokenBarrierError: .*${victim.name} has`));
    }
    assert.equal(barrier.broken, true);
  }
});

Deno.test("a process that returns while it waits breaks the barrier for the others", async () => {
  const barrier = new Barrier(3), said = new Queue<string>();
  const mine = failure(barrier.wait());
  const process = start(targets.arriveAndReturn, barrier, said);
  broken(new RegExp(`${process.name} has returned while it waited`))(await mine);
});

Deno.test("a process that dies in the action breaks the barrier for the others", async () => {
  const action = () => {
    for (;;);
  };
  const barrier = new Barrier(2, { action });
  const first = failure(barrier.wait());
  const victim = start(targets.rounds, barrier, 1, "sync");
  await until(() => barrier.nWaiting === 2);
  victim.kill();
  broken(new RegExp(`${victim.name} has ended otherwise`))(await first);
});

Deno.test("a blocked wait learns that another process has died", async () => {
  const barrier = new Barrier(3), said = new Queue<string>();
  const victim = start(targets.rounds, barrier, 1, "async");
  await until(() => barrier.nWaiting === 1);
  const other = start(targets.meet, barrier, said, "sync");
  await until(() => barrier.nWaiting === 2);
  victim.kill();
  assert.match(await said.get(bound), new RegExp(`${victim.name} has ended`));
  await other.join(bound);
});

testInFull("many processes, one after the other, take part in the same barrier", async () => {
  const barrier = new Barrier(2);
  for (let i = 0; i < inFull(10, 6); i++) {
    const process = start(targets.rounds, barrier, 2, i % 2 ? "sync" : "async");
    assert.equal(await barrier.wait(bound) + await barrier.wait(bound) >= 0, true);
    await process.result(bound);
  }
  assert.equal(barrier.broken, false);
});
