// Processes that are started by processes, and the objects that are handed over to them.

import assert from "node:assert/strict";
import { JoinableQueue, Process, type ProcessParameters, Queue } from "../../mod.ts";
import * as targets from "../support/targets/process_targets.ts";
import { testInFull } from "../support/length.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** Starts a process and waits for its result. */
function run<A extends unknown[], R>(...parameters: ProcessParameters<A, R>): Promise<R> {
  const process = new Process<A, R>(...parameters);
  process.start();
  return process.result(bound);
}

// Children of children

testInFull("a child starts children while main is blocked in joinSync", async () => {
  const process = new Process({ target: targets.giveThroughChild, args: ["deep"], module });
  process.start();
  assert.equal(process.joinSync(bound), true);
  assert.equal(await process.result(bound), "deep");
});

Deno.test("a child starts a child and both block, while main is blocked", async () => {
  const process = new Process({ target: targets.giveThroughChildSync, args: ["deep"], module });
  process.start();
  assert.equal(process.resultSync(bound), "deep");
  await process.join(bound);
});

testInFull("a line of children four deep starts while main is blocked", async () => {
  const process = new Process({ target: targets.tellLine, args: [4], module });
  process.start();
  assert.equal(process.resultSync(bound).length, 5);
  await process.join(bound);
});

testInFull("a child starts its children itself when main is busy all the time", async () => {
  const done = new Queue<string>();
  const process = new Process({
    target: async function startOwn(done: Queue<string>) {
      const child = new Process({
        target: async function tell(done: Queue<string>) {
          await done.put("child of child");
        },
        args: [done],
        by: "source",
      });
      child.start();
      await child.join();
      return child.exitCode;
    },
    args: [done],
    by: "source",
  });
  process.start();
  const end = performance.now() + bound.timeout;
  // Looks at nothing but this queue, and never at what its children ask for.
  while (done.empty() && performance.now() < end);
  assert.equal(done.getNowait(), "child of child");
  assert.equal(await process.result(bound), 0);
});

testInFull("a child ends its own child, whether main is blocked or not", async () => {
  for (const blocking of [false, true]) {
    const process = new Process({ target: targets.terminateChild, args: [blocking], module });
    process.start();
    assert.deepEqual(await process.result(bound), [true, -15]);
    const other = new Process({ target: targets.terminateChild, args: [blocking], module });
    other.start();
    assert.deepEqual(other.resultSync(bound), [true, -15]);
    await other.join(bound);
  }
});

Deno.test("a process whose target has returned waits for the children it started", async () => {
  const ready = new Queue<string>(), queue = new Queue<string>();
  const process = new Process({ target: targets.leaveChildBehind, args: [ready, queue], module });
  process.start();
  assert.equal(await ready.get(bound), "child ready");
  assert.equal(await process.join({ timeout: 20 }), false);
  queue.shutdown();
  assert.equal(await process.result(bound), "returned");
  assert.equal(await ready.get(bound), "child ended");
});

// What is handed over

Deno.test("queues are handed over at any depth, and one queue stays one", async () => {
  const queue = new Queue<string>();
  const nested: targets.Nested = {
    array: [queue],
    map: new Map([["queue", queue]]),
    set: new Set([queue]),
    deep: { list: [{ queue }] },
  };
  nested.itself = nested;
  const key = new Map([[queue, "key"]]);
  const seen = await run({ target: targets.useNested, args: [nested, queue, key], module });
  assert.deepEqual(seen, { allQueues: true, allOne: true, cycle: true });
  assert.deepEqual(await queue.getMany(10), ["array", "map", "set", "deep", "key", "args"]);
  // The containers of this side are as they were.
  assert.ok(nested.array[0] === queue && nested.map.get("queue") === queue);
  assert.ok(nested.set.has(queue) && nested.deep.list[0].queue === queue && key.has(queue));
});

Deno.test("different queues stay different", async () => {
  const queues = [new Queue<string>(), new Queue<string>()];
  const process = new Process({ target: targets.takeOne, args: [queues[0], queues[1]], module });
  process.start();
  assert.equal(await queues[0].get(bound), "ready");
  queues[1].putNowait("second");
  assert.equal(await process.result(bound), "second");
  assert.ok(queues.every((queue) => queue.empty()));
});

Deno.test("a JoinableQueue arrives as one", async () => {
  const queue = new JoinableQueue<string>();
  queue.putNowait("item");
  assert.equal(
    await run({ target: targets.doOne, args: [queue], module }),
    "item from a JoinableQueue",
  );
  assert.equal(await queue.join(bound), true);
});

Deno.test("a queue that a process made and returned outlives it", async () => {
  const process = new Process({ target: targets.makeQueue, args: ["a", "b"], module });
  process.start();
  await process.join(bound);
  const made = await process.result(bound);
  const queue = made.get("one");
  assert.ok(queue instanceof Queue);
  assert.equal(made.get("other"), queue);
  assert.equal(queue.maxSize, 5);
  assert.deepEqual(await queue.getMany(10), ["a", "b"]);
  queue.putNowait("c");
  assert.equal(queue.getNowait(), "c");
});

Deno.test("a queue goes through a child to its child and back", async () => {
  const queue = new Queue<string>();
  const back = await run({
    target: targets.giveThroughChild<Queue<string>>,
    args: [queue],
    module,
  });
  await back.put("from far");
  assert.equal(await queue.get(bound), "from far");
});
