// Bad input to queues between processes: refused at the call, and the queue is as it was.

import assert from "node:assert/strict";
import {
  InvalidStateError,
  JoinableQueue,
  Process,
  Queue,
  QueueShutDown,
  TimeoutError,
} from "../../mod.ts";
import { gets, puts } from "../support/queue_faces.ts";
import { fails, refused, rejected, wrong } from "../support/refusals.ts";
import * as targets from "../support/targets/bad_input_targets.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

// Queues: how they are made

Deno.test("a maxSize that isn't a whole number in its range is refused", () => {
  for (const maxSize of [-1, NaN, 1.5, Infinity, -Infinity, 2 ** 31]) {
    refused(
      () => new Queue({ maxSize }),
      RangeError,
      new RegExp(`^maxSize is ${maxSize}\\.`),
      /whole number from 0/,
    );
  }
  for (const [maxSize, what] of [["5", /string/], [null, /null/], [5n, /bigint/], [{}, /object/]]) {
    refused(() => new Queue({ maxSize: wrong(maxSize) }), TypeError, /maxSize is/, wrong(what));
  }
});

Deno.test("a maxBytes that isn't a whole number in its range is refused", () => {
  for (const maxBytes of [-1, NaN, 100.5, Infinity, 0, 63, 2 ** 31 + 1]) {
    refused(
      () => new Queue({ maxBytes }),
      RangeError,
      new RegExp(`^maxBytes is ${maxBytes}\\.`),
      /whole number from 64/,
    );
  }
  refused(() => new JoinableQueue({ maxBytes: wrong("1 GB") }), TypeError, /maxBytes is .*string/);
});

Deno.test("a queue's name must be a string that isn't empty", async () => {
  refused(() => new Queue({ name: "" }), TypeError, /name is empty/);
  refused(() => new Queue({ name: wrong(5) }), TypeError, /name is/, /string/);
  await rejected(() => Queue.open(""), TypeError, /name is empty/);
  await rejected(() => Queue.open(wrong(undefined)), TypeError, /name is .*undefined/);
});

Deno.test("two queues of one name in one process are refused, and the first goes on", async () => {
  const name = "there is one of me";
  const queue = new Queue<string>({ name });
  refused(() => new Queue({ name }), InvalidStateError, new RegExp(`"${name}"`), /Queue\.open/);
  refused(() => new JoinableQueue({ name }), InvalidStateError, /another name/);
  assert.equal(await Queue.open(name, { timeout: 0 }), queue);
  queue.close();
  const next = new Queue<string>({ name });
  assert.equal(await Queue.open(name, bound), next);
  next.close();
});

Deno.test("opening a queue of a name nobody has says so", async () => {
  for (const timeout of [0, 5]) {
    await rejected(
      () => Queue.open("nobody", { timeout }),
      TimeoutError,
      /"nobody"/,
      /new Queue\(\{ name: "nobody" \}\)/,
    );
  }
});

// Queues: what they are given

Deno.test("an item larger than maxBytes is refused at once, by every put", async () => {
  const queue = new Queue<unknown>({ maxBytes: 256 });
  for (const [face, put] of Object.entries(puts)) {
    await fails(
      face,
      () => put(queue, "x".repeat(300)),
      RangeError,
      /^items?(\[0\])? takes \d+ bytes/,
      /maxBytes of 256/,
      /larger maxBytes/,
    );
    assert.equal(queue.qsize(), 0);
  }
  queue.putNowait("fits");
  assert.equal(queue.getNowait(), "fits");
});

Deno.test("an item that can't be cloned is named with its place, by every put", async () => {
  const queue = new Queue<unknown>();
  for (const [face, put] of Object.entries(puts)) {
    const root = /Many/.test(face) ? "items\\[0\\]" : "item";
    await fails(
      face,
      () => put(queue, { list: [1, { onDone() {} }] }),
      TypeError,
      new RegExp(`^${root}\\.list\\[1\\]\\.onDone is a function`),
    );
    await fails(face, () => put(queue, Symbol("s")), TypeError, new RegExp(`^${root} is a symbol`));
    assert.equal(queue.qsize(), 0);
  }
  await rejected(
    () => queue.putMany(["good", new Map([["key", () => 1]]), "good"]),
    TypeError,
    /^items\[1\]\.get\("key"\) is a function/,
  );
  assert.equal(queue.qsize(), 0);
  queue.putNowait("good");
  assert.equal(queue.getNowait(), "good");
});

Deno.test("a Queue and a Process don't travel through a Queue, and the message says how they do", async () => {
  const queue = new Queue<unknown>();
  const other = new Queue<unknown>();
  const process = new Process({ target: targets.give, args: [1], module });
  for (const [face, put] of Object.entries(puts)) {
    await fails(face, () => put(queue, { other }), TypeError, /\.other is a Queue/, /in args/);
    await fails(face, () => put(queue, [other]), TypeError, /\[0\] is a Queue/);
    await fails(face, () => put(queue, process), TypeError, /is a Process/);
  }
  assert.equal(queue.qsize(), 0);
});

Deno.test("what isn't iterable can't be put as many", async () => {
  const queue = new Queue<unknown>();
  await assert.rejects(queue.putMany(wrong(5)), TypeError);
  await assert.rejects(queue.putMany(wrong(null)), TypeError);
  assert.throws(() => queue.putManyNowait(wrong({})), TypeError);
  assert.equal(queue.qsize(), 0);
});

Deno.test("an iterable that throws halfway has put nothing", async () => {
  const queue = new Queue<number>();
  function* items() {
    yield 1;
    yield 2;
    throw new RangeError("no third");
  }
  await assert.rejects(queue.putMany(items()), /no third/);
  assert.equal(queue.qsize(), 0);
});

Deno.test("getMany of no items, or of part of one, is refused, and nothing is taken", async () => {
  const queue = new Queue<number>();
  queue.putNowait(1);
  for (const max of [0, -1, NaN, 1.5, Infinity]) {
    const pattern = new RegExp(`^max is ${max}\\. `);
    await rejected(() => queue.getMany(max), RangeError, pattern, /whole number from 1/);
    refused(() => queue.getManyNowait(max), RangeError, pattern);
    refused(() => queue.getManySync(max), RangeError, pattern);
  }
  await rejected(() => queue.getMany(wrong("3")), TypeError, /^max is .*string/);
  assert.deepEqual(await queue.getMany(2), [1]);
});

Deno.test("taskDone more often than there were items is refused, and the count stays right", async () => {
  const queue = new JoinableQueue<number>();
  refused(() => queue.taskDone(), RangeError, /taskDone\(\)/, /once for each item/);
  queue.putNowait(1);
  assert.equal(queue.unfinished, 1);
  assert.equal(await queue.join({ timeout: 0 }), false);
  queue.getNowait();
  queue.taskDone();
  refused(() => queue.taskDone(), RangeError, /more often/);
  assert.equal(await queue.join(bound), true);
});

// Queues: states

Deno.test("after shutdown every put is refused, and what is in can still be got", async () => {
  const queue = new Queue<unknown>();
  queue.putNowait("left");
  queue.shutdown();
  for (const [face, put] of Object.entries(puts)) {
    await fails(face, () => put(queue, 1), QueueShutDown, /was shut down/, /new queue/);
  }
  assert.equal(queue.qsize(), 1);
  assert.equal(await queue.get(), "left");
  for (const [face, get] of Object.entries(gets)) {
    await fails(face, () => get(queue), QueueShutDown, /was shut down/, /empty/);
  }
  queue.shutdown();
});

Deno.test("after close every use by this process is refused", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("left");
  queue.close();
  assert.equal(queue.closed, true);
  for (const [face, put] of Object.entries(puts)) {
    await fails(face, () => put(queue, 1), InvalidStateError, /closed the queue/, /before close/);
  }
  for (const [face, get] of Object.entries(gets)) {
    await fails(face, () => get(queue), InvalidStateError, /closed the queue/);
  }
  await rejected(() => queue[Symbol.asyncIterator]().next(), InvalidStateError, /closed the queue/);
  await rejected(() => queue.readable.getReader().read(), InvalidStateError, /closed the queue/);
  refused(() => queue.taskDone(), InvalidStateError, /closed the queue/);
  await rejected(() => queue.join(), InvalidStateError, /closed the queue/);
  refused(() => queue.joinSync(), InvalidStateError, /closed the queue/);
  refused(() => queue.shutdown(), InvalidStateError, /closed the queue/);
  queue.close();
});

Deno.test("close ends the waits of this process", async () => {
  const queue = new Queue<string>({ maxSize: 1 });
  const getting = queue.get(bound);
  queue.close();
  await rejected(() => getting, InvalidStateError, /closed the queue/);
  const full = new Queue<string>({ maxSize: 1 });
  full.putNowait("only");
  const putting = full.put("more", bound);
  full.close();
  await rejected(() => putting, InvalidStateError, /closed the queue/);
});

Deno.test("a closed queue isn't given to a process", () => {
  const queue = new Queue<string>();
  queue.close();
  const process = new Process({ target: targets.wait, args: [queue], module });
  refused(() => process.start(), InvalidStateError, /closed the queue/);
});
