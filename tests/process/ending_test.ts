// Ending a process: by `await using`, by a signal, by terminate() and kill(). In every state: kill_test.ts.

import assert from "node:assert/strict";
import { InvalidStateError, Process, ProcessError, Queue } from "../../mod.ts";
import * as targets from "../support/targets/process_targets.ts";
import { testInFull } from "../support/length.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** What a promise rejects with, which must be a ProcessError. */
async function failureOf(result: Promise<unknown>): Promise<ProcessError> {
  const error = await result.then(() => undefined, (error) => error);
  assert.ok(error instanceof ProcessError, `not a ProcessError: ${error}`);
  return error;
}

/** Queues to get stuck with: see targets.getStuck. */
function stuckQueues() {
  return { ready: new Queue<string>(), empty: new Queue<string>() };
}

Deno.test("await using terminates a process that is alive, and joins it", async () => {
  const { ready, empty } = stuckQueues();
  let process;
  {
    await using inner = new Process({
      target: targets.getStuck,
      args: ["in a synchronous loop", ready, empty],
      module,
    });
    inner.start();
    await ready.get(bound);
    process = inner;
  }
  assert.equal(process.isAlive(), false);
  assert.equal(process.exitCode, -15);
});

Deno.test("await using leaves alone what has ended, or was never started", async () => {
  let process;
  {
    await using ended = new Process({ target: targets.give, args: [1], module });
    await using never = new Process({ target: targets.give, args: [2], module });
    ended.start();
    await ended.join(bound);
    process = ended;
    assert.equal(never.exitCode, null);
  }
  assert.equal(process.exitCode, 0);
});

Deno.test("aborting the signal of a process terminates it", async () => {
  const { ready, empty } = stuckQueues();
  const controller = new AbortController();
  const process = new Process({
    target: targets.getStuck,
    args: ["in a synchronous loop", ready, empty],
    module,
    signal: controller.signal,
  });
  process.start();
  await ready.get(bound);
  controller.abort();
  assert.equal(await process.join(bound), true);
  assert.equal(process.exitCode, -15);
});

Deno.test("a signal that is aborted after the end changes nothing", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const process = new Process({ target: targets.give<number>, args: [1], module, signal });
  process.start();
  await process.join(bound);
  controller.abort();
  assert.equal(process.exitCode, 0);
  assert.equal(await process.result(), 1);
});

// In every state it can be in: tests/process/kill_test.ts.
for (const way of ["in a synchronous loop", "awaiting", "in getSync"] as const) {
  Deno.test(`a process that is ${way} can be terminated and killed, and its error says so`, async () => {
    const { ready, empty } = stuckQueues();
    for (const [end, code] of [["terminate", -15], ["kill", -9]] as const) {
      const process = new Process({ target: targets.getStuck, args: [way, ready, empty], module });
      process.start();
      await ready.get(bound);
      process[end]();
      assert.equal(await process.join(bound), true);
      assert.equal(process.exitCode, code);
      const error = await failureOf(process.result(bound));
      assert.equal(error.exitCode, code);
      assert.match(error.message, code === -9 ? /was killed/ : /was terminated/);
    }
  });
}

for (const way of ["in join", "in joinSync"] as const) {
  Deno.test(`a process that is ${way} can be terminated; its child goes on`, async () => {
    const { ready, empty } = stuckQueues();
    const process = new Process({
      target: targets.getStuck,
      args: [way, ready, empty],
      module,
    });
    process.start();
    assert.deepEqual(
      new Set([await ready.get(bound), await ready.get(bound)]),
      new Set(["ready", "child ready"]),
    );
    process.terminate();
    assert.equal(await process.join(bound), true);
    assert.equal(process.exitCode, -15);
    empty.shutdown();
    assert.equal(await ready.get(bound), "child ended");
  });
}

Deno.test("a process that is blocked can be ended by a thread that is blocked", async () => {
  const { ready, empty } = stuckQueues();
  for (const way of ["in getSync", "in a synchronous loop"] as const) {
    const process = new Process({
      target: targets.getStuck,
      args: [way, ready, empty],
      module,
    });
    process.start();
    ready.getSync(bound);
    process.kill();
    assert.equal(process.joinSync(bound), true);
    assert.equal(process.exitCode, -9);
    await process.join(bound);
  }
});

Deno.test("the first of several terminations counts", async () => {
  const { ready, empty } = stuckQueues();
  const process = new Process({
    target: targets.getStuck,
    args: ["in a synchronous loop", ready, empty],
    module,
  });
  process.start();
  await ready.get(bound);
  process.terminate();
  process.terminate();
  process.kill();
  assert.equal(await process.join(bound), true);
  assert.equal(process.exitCode, -15);
});

testInFull("a process can be terminated right after its start, and again", async () => {
  for (let i = 0; i < 6; i++) {
    const { ready, empty } = stuckQueues();
    const process = new Process({
      target: targets.getStuck,
      args: ["awaiting", ready, empty],
      module,
    });
    process.start();
    for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
    process.terminate();
    process.terminate();
    assert.equal(await process.join(bound), true);
    assert.equal(process.exitCode, -15);
    assert.equal(process.isAlive(), false);
  }
});

Deno.test("terminating a process that has ended does nothing", async () => {
  const process = new Process({ target: targets.give<string>, args: ["kept"], module });
  process.start();
  await process.join(bound);
  process.terminate();
  process.kill();
  assert.equal(process.exitCode, 0);
  assert.equal(await process.result(), "kept");
});

Deno.test("close gives back what an ended process holds", async () => {
  const process = new Process({ target: targets.give<string>, args: ["gone"], module });
  process.start();
  await process.join(bound);
  process.close();
  process.close();
  const { name, pid } = process;
  assert.match(name, /^Process-\d+$/);
  assert.ok(Number.isInteger(pid));
  await assert.rejects(process.result(), InvalidStateError);
});
