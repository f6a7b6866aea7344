// Bad input that concerns only queues between processes: refused at the call, and the queue is as it was. The
// contract of queues tests the rest.

import assert from "node:assert/strict";
import { InvalidStateError, JoinableQueue, Process, Queue, TimeoutError } from "../../mod.ts";
import { puts } from "../support/queue_faces.ts";
import { fails, refused, rejected, wrong } from "../support/refusals.ts";
import * as targets from "../support/targets/bad_input_targets.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

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
