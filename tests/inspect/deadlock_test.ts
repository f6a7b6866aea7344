// Deadlocks of locks: a cycle of blocked threads ends by an error, and no other wait does.

import assert from "node:assert/strict";
import {
  Barrier,
  Condition,
  currentProcess,
  DeadlockError,
  detectDeadlocks,
  inspect,
  Lock,
  RLock,
  sleep,
} from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import { bound } from "../support/sync.ts";
import { starterOf } from "../support/starter.ts";
import * as targets from "../support/targets/inspect_targets.ts";

const start = starterOf(import.meta.resolve("../support/targets/inspect_targets.ts"));

Deno.test("two blocked threads with two locks in opposite order: one gets an error that tells all", async () => {
  const [a, b, all] = [new Lock(), new RLock(), new Barrier(2)];
  const left = start(targets.lockBoth, [a, b, all], { name: "left" });
  const right = start(targets.lockBoth, [b, a, all], { name: "right" });
  const answers = await Promise.all([left.result(bound), right.result(bound)]);
  const [message] = answers.filter((answer) => answer !== "acquired");
  assert.deepEqual(answers.filter((answer) => answer === "acquired"), ["acquired"]);
  assert.match(message, /^Deadlock: each waits for what the next one holds\.$/m);
  assert.match(
    message,
    /left \(pid \d+\) is blocked for .* in Lock\.acquireSync|left .* RLock\.acquireSync/,
  );
  assert.match(message, /held by right$/m);
  assert.match(message, /held by left$/m);
  assert.match(message, /(left|right) began to wait last, and gets this error/);
});

Deno.test("a thread that waits for a lock it holds itself gets the error", () => {
  const lock = new Lock();
  lock.acquireSync();
  assert.throws(() => lock.acquireSync(), DeadlockError);
  assert.throws(() => lock.holdSync(), DeadlockError);
  lock.release();
  assert.equal(lock.acquireSync(), true);
  lock.release();
});

Deno.test("a wait with a timeout ends by that", () => {
  const lock = new Lock();
  lock.acquireSync();
  assert.equal(lock.acquireSync({ timeout: 250 }), false);
  lock.release();
});

testInFull("three blocked threads in a circle: one error, the others go on", async () => {
  const locks = [new Lock(), new Lock(), new Lock()], all = new Barrier(3);
  const circle = locks.map((lock, i) =>
    start(targets.lockBoth, [lock, locks[(i + 1) % 3], all], { name: `member-${i}` })
  );
  const answers = await Promise.all(circle.map((process) => process.result(bound)));
  assert.equal(answers.filter((answer) => answer !== "acquired").length, 1);
});

testInFull("with blocked: off, nothing ends such a wait", async () => {
  detectDeadlocks({ blocked: "off" });
  try {
    const [a, b, all] = [new Lock(), new Lock(), new Barrier(2)];
    const both = [[a, b], [b, a]].map(([first, second], i) =>
      start(targets.lockBoth, [first, second, all], { name: `member-${i}` })
    );
    while (!inspect().deadlocks[0]?.certain) await sleep(10);
    // An error would have come by then: the blocked threads have looked often.
    assert.equal(await both[0].join({ timeout: 500 }), false);
    const { deadlocks } = inspect();
    assert.deepEqual(deadlocks.map(({ certain, cycle }) => [certain, cycle.length]), [[true, 2]]);
    for (const process of both) process.terminate();
    for (const process of both) await process.join();
    assert.deepEqual(inspect().deadlocks, []);
  } finally {
    detectDeadlocks({ blocked: "error" });
  }
});

/** Until so many tasks of this process wait. */
async function untilWaiting(tasks: number): Promise<void> {
  const { pid } = currentProcess();
  while (inspect().processes.find((it) => it.pid === pid)!.waits.length < tasks) await sleep(1);
}

Deno.test("a task that waits for what another task holds is in no deadlock while that one may go on", async () => {
  const lock = new Lock(), other = new Lock();
  const told = () => inspect().deadlocks.length;
  await lock.acquire();
  // The task that holds the lock waits for a timer, for something outside, or with a limit.
  const timer = setTimeout(() => {}, 1_000_000);
  const waiting = lock.acquire();
  await untilWaiting(1);
  assert.equal(told(), 0);
  clearTimeout(timer);
  if (Deno.build.os !== "windows") {
    const listener = () => {};
    Deno.addSignalListener("SIGUSR2", listener);
    assert.equal(told(), 0);
    Deno.removeSignalListener("SIGUSR2", listener);
  }
  await other.acquire();
  const limited = other.acquire({ timeout: 1_000_000 });
  await untilWaiting(2);
  assert.equal(told(), 0);
  other.release();
  assert.equal(await limited, true);
  other.release();
  lock.release();
  await waiting;
  lock.release();
});

testInFull("inspect() tells a cycle of processes that await, as a likely one", async () => {
  detectDeadlocks({ awaited: "off" });
  try {
    const [a, b, all] = [new Lock(), new Lock(), new Barrier(2)];
    const both = [[a, b], [b, a]].map(([first, second], i) =>
      start(targets.awaitBoth, [first, second, all], { name: `member-${i}` })
    );
    while (inspect().deadlocks.length === 0) await sleep(10);
    const { deadlocks } = inspect();
    assert.deepEqual(deadlocks.map(({ certain, cycle }) => [certain, cycle.length]), [[false, 2]]);
    assert.match(`${inspect()}`, /^Probably a deadlock/m);
    for (const process of both) process.terminate();
    for (const process of both) await process.join();
  } finally {
    detectDeadlocks({ awaited: "warning" });
  }
});

testInFull("awaited waits get the error only where the program asks for it", async () => {
  detectDeadlocks({ awaited: "error" });
  try {
    const [a, b, all] = [new Lock(), new Lock(), new Barrier(2)];
    const both = [[a, b], [b, a]].map(([first, second], i) =>
      start(targets.awaitBoth, [first, second, all], { name: `member-${i}` })
    );
    const answers = await Promise.all(both.map((process) => process.result(bound)));
    const errors = answers.filter((answer) => answer !== "acquired");
    assert.equal(errors.length, 1);
    assert.match(errors[0], /^Probably a deadlock/);
  } finally {
    detectDeadlocks({ awaited: "warning" });
  }
});

testInFull("a condition that waits for a notification is in no cycle", async () => {
  const condition = new Condition(new Lock());
  await condition.acquire();
  assert.equal(condition.waitSync({ timeout: 300 }), false);
  condition.release();
});

Deno.test("the settings are checked", () => {
  assert.throws(() => detectDeadlocks({ blocked: "no" as never }), /blocked/);
  assert.throws(() => detectDeadlocks({ other: 1 } as never), /other/);
});
