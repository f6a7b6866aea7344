// Queues that are found by their name, from every kind of worker; and the loss of items
// if they travelled on the channel of the names.

import assert from "node:assert/strict";
import { JoinableQueue, Process, Queue, QueueShutDown, TimeoutError } from "../../mod.ts";
import * as targets from "../support/targets/named_queue_targets.ts";
import { testInFull } from "../support/length.ts";

const module = targets.here;
const canRead = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** The BroadcastChannel of the package: what is forged here must do no harm. */
const CHANNEL = "@multiproc/multiprocessing/1";

Deno.test("a process opens queues that main has made, by their names", async () => {
  const name = "questions", queue = new Queue<string>({ name, maxSize: 7 });
  const answers = new Queue<string>({ name: `${name}: answers` });
  const process = new Process({ target: targets.answer, args: [name], module });
  process.start();
  await queue.put("Does it work");
  assert.equal(await answers.get(bound), "Does it work? Yes.");
  assert.equal(await process.result(bound), "questions, 7, true");
  queue.close();
  answers.close();
});

Deno.test("main opens a queue that a process has made, which others open then from main", async () => {
  const ready = new Queue<string>(), end = new Queue<string>(), name = "made elsewhere";
  const process = new Process({ target: targets.make, args: [ready, end, name], module });
  process.start();
  const queue = await Queue.open<string>(name, bound);
  assert.equal(queue.name, name);
  assert.equal(queue.maxSize, 3);
  assert.equal(await queue.get(bound), "made by a child");
  end.shutdown();
  await process.join(bound);
  // Its maker has ended; it lives on in main, and is found there.
  const other = new Process({ target: targets.openAndGet, args: [ready, name], module });
  other.start();
  await queue.put("from main");
  assert.equal(await other.result(bound), "from main");
  queue.close();
});

Deno.test("opening a queue before it exists waits for it", async () => {
  const ready = new Queue<string>(), name = "not there yet";
  const processes = [1, 2, 3].map(() => {
    const process = new Process({ target: targets.openAndGet, args: [ready, name], module });
    process.start();
    return process;
  });
  const here = Queue.open<string>(name, bound);
  assert.deepEqual(await Promise.all(processes.map(() => ready.get(bound))), [
    "opening",
    "opening",
    "opening",
  ]);
  const queue = new Queue<string>({ name });
  assert.equal(await here, queue);
  await queue.putMany(["one", "two", "three"]);
  const got = await Promise.all(processes.map((process) => process.result(bound)));
  assert.deepEqual(new Set(got), new Set(["one", "two", "three"]));
  queue.close();
});

Deno.test("an open that times out or is aborted is given up, and the next one finds the queue", async () => {
  const name = "late";
  await assert.rejects(Queue.open(name, { timeout: 0 }), TimeoutError);
  await assert.rejects(Queue.open(name, { timeout: 10 }), TimeoutError);
  const controller = new AbortController(), reason = new Error("no longer wanted");
  const opening = Queue.open(name, { signal: controller.signal });
  const patient = Queue.open(name, bound);
  controller.abort(reason);
  await assert.rejects(opening, (error) => error === reason);
  const queue = new Queue({ name });
  assert.equal(await patient, queue);
  assert.equal(await Queue.open(name, { timeout: 0 }), queue);
  queue.close();
});

Deno.test("close forgets the name, and the queue stays with those who have it", async () => {
  const ready = new Queue<string>(), name = "forgotten";
  const queue = new Queue<string>({ name });
  const process = new Process({ target: targets.openUntilShutDown, args: [ready, name], module });
  process.start();
  assert.equal(await ready.get(bound), "opened");
  queue.close();
  await assert.rejects(Queue.open(name, { timeout: 0 }), TimeoutError);
  // The process has it, and answers.
  const again = await Queue.open<string>(name, bound);
  assert.notEqual(again, queue);
  await again.put("still here");
  again.shutdown();
  assert.equal(await process.result(bound), "still here");
  again.close();
  // Now nobody has it.
  await assert.rejects(Queue.open(name, { timeout: 50 }), TimeoutError);
});

Deno.test("the name is free again once it is forgotten", async () => {
  const name = "used twice";
  const first = new Queue<string>({ name });
  first.close();
  const second = new Queue<string>({ name });
  second.putNowait("second");
  const ready = new Queue<string>();
  const process = new Process({ target: targets.openAndGet, args: [ready, name], module });
  process.start();
  assert.equal(await process.result(bound), "second");
  second.close();
});

Deno.test("a shutdown is seen by everybody who has the queue, however they came to it", async () => {
  const ready = new Queue<string>(), name = "to be shut down";
  const queue = new Queue<string>({ name });
  const processes = [1, 2, 3, 4].map(() => {
    const process = new Process({
      target: targets.openUntilShutDown,
      args: [ready, name],
      module,
    });
    process.start();
    return process;
  });
  for (const _ of processes) await ready.get(bound);
  const waiting = queue.get(bound);
  queue.shutdown();
  await assert.rejects(waiting, QueueShutDown);
  for (const process of processes) assert.equal(await process.result(bound), "");
  queue.close();
});

Deno.test("a JoinableQueue that is opened by its name is one", async () => {
  const name = "joinable", queue = new JoinableQueue<string>({ name });
  const process = new Process({
    target: async function work(name: string) {
      const queue = await Queue.open<string>(name);
      if (!(queue instanceof JoinableQueue)) return `a ${queue.constructor.name}`;
      await queue.get();
      queue.taskDone();
      return "done";
    },
    args: [name],
    by: "source",
  });
  process.start();
  await queue.put("task");
  assert.equal(await process.result(bound), "done");
  assert.equal(await queue.join(bound), true);
  queue.close();
});

testInFull("names of every kind are names", async () => {
  for (const name of ["__proto__", "constructor", " ", "löschen 🧹", "a\nb", "x".repeat(10_000)]) {
    const queue = new Queue<string>({ name });
    queue.putNowait("found");
    const ready = new Queue<string>();
    const process = new Process({ target: targets.openAndGet, args: [ready, name], module });
    process.start();
    assert.equal(await process.result(bound), "found");
    queue.close();
  }
});

Deno.test({
  name: "a plain worker, which this library didn't start, opens queues (needs --allow-read)",
  ignore: !canRead,
  fn: async () => {
    const name = "for any worker", queue = new Queue<string>({ name });
    const answers = new Queue<string>({ name: "of any worker" });
    const code = `
      import { Queue } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
      const queue = await Queue.open(${JSON.stringify(name)});
      const answers = await Queue.open("of any worker");
      for await (const item of queue) await answers.put(item + " came to " + typeof WorkerGlobalScope);
      await answers.put("ended");
    `;
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, {
      type: "module",
    });
    try {
      await queue.put("one");
      assert.equal(await answers.get(bound), "one came to function");
      await queue.put("two");
      assert.equal(await answers.get(bound), "two came to function");
      queue.shutdown();
      assert.equal(await answers.get(bound), "ended");
    } finally {
      worker.terminate();
      queue.close();
      answers.close();
    }
  },
});

testInFull(
  "of a burst on a BroadcastChannel not all arrives, so items don't travel there",
  async () => {
    const count = 100_000, channel = "a channel of its own";
    const ready = new Queue<string>();
    const process = new Process({ target: targets.countMessages, args: [ready, channel], module });
    process.start();
    assert.equal(await ready.get(bound), "listening");
    const mouth = new BroadcastChannel(channel);
    for (let i = 0; i < count; i++) mouth.postMessage(i);
    // Messages that arrive do so in order; the last one may get lost, too, and is sent until it isn't.
    while (process.isAlive()) {
      mouth.postMessage("last");
      await process.join({ timeout: 20 });
    }
    mouth.close();
    const heard = await process.result(bound);
    assert.ok(heard > 0 && heard < count, `${heard} of ${count} messages arrived`);

    // The same burst through a queue.
    const queue = new Queue<number>();
    const counter = new Process({
      target: async function countItems(queue: Queue<number>) {
        let count = 0;
        for await (const _ of queue) count++;
        return count;
      },
      args: [queue],
      by: "source",
    });
    counter.start();
    for (let i = 0; i < count; i++) queue.putNowait(i);
    queue.shutdown();
    assert.equal(await counter.result(bound), count);
  },
);

testInFull("what is forged on the package's channel does no harm", async () => {
  const name = "sought", ready = new Queue<string>();
  const known = new Queue<string>({ name: "known" });
  const opening = Queue.open<string>(name, bound);
  const other = new Process({ target: targets.openAndGet, args: [ready, name], module });
  other.start();
  assert.equal(await ready.get(bound), "opening");
  for (const [forged, sought] of [[name, true], ["known", false]] as const) {
    const forger = new Process({ target: targets.forge, args: [CHANNEL, forged, sought], module });
    forger.start();
    await forger.result(bound);
  }
  const queue = new Queue<string>({ name });
  assert.equal(await opening, queue);
  await queue.put("the real one");
  assert.equal(await other.result(bound), "the real one");
  assert.equal(await Queue.open("known", bound), known);
  queue.close();
  known.close();
});
