// Invalid options of waits are refused by every face before anything happens.

import assert from "node:assert/strict";
import {
  Barrier,
  JoinableQueue,
  Pipe,
  Process,
  Queue,
  sleep,
  type WaitOptions,
} from "../../mod.ts";
import { gets, puts } from "../support/queue_faces.ts";
import { fails, refused, rejected, wrong } from "../support/refusals.ts";
import * as targets from "../support/targets/bad_input_targets.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

interface Face {
  name: string;
  call: (options: WaitOptions) => unknown;
}

/** Everything that takes a timeout; the queue has an item and room, the process is alive. */
function waitingFaces(queue: JoinableQueue<unknown>, process: Process): Face[] {
  const faces: Record<string, Face["call"]> = {
    "JoinableQueue.join": (options) => queue.join(options),
    "JoinableQueue.joinSync": (options) => queue.joinSync(options),
    "Process.join": (options) => process.join(options),
    "Process.joinSync": (options) => process.joinSync(options),
    "Process.result": (options) => process.result(options),
    "Process.resultSync": (options) => process.resultSync(options),
    "Queue.open": (options) => Queue.open("nobody has this", options),
  };
  for (const [name, get] of Object.entries(gets)) faces[name] = (options) => get(queue, options);
  for (const [name, put] of Object.entries(puts)) {
    faces[name] = (options) => put(queue, "more", options);
  }
  return Object.entries(faces).map(([name, call]) => ({ name, call }))
    .filter(({ name }) => !name.endsWith("Nowait"));
}

Deno.test("a timeout that isn't a time is refused by every face, and nothing happens", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("there");
  const waited = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [waited], module });
  process.start();
  const ways = /milliseconds from 0 up/;
  for (const { name, call } of waitingFaces(queue, process)) {
    for (const timeout of [NaN, -1, -Infinity]) {
      const pattern = new RegExp(`^timeout is ${timeout}\\.`);
      await fails(name, () => call({ timeout }), RangeError, pattern, ways);
    }
    for (const [timeout, what] of [["5", /a string/], [null, /null/], [5n, /a bigint/]]) {
      await fails(name, () => call({ timeout: wrong(timeout) }), TypeError, wrong(what), ways);
    }
    assert.equal(queue.qsize(), 1, name);
  }
  assert.equal(queue.getNowait(), "there");
  waited.putNowait("on it goes");
  assert.equal(await process.result(bound), "on it goes");
});

Deno.test("options that are none, as Python's are, are refused by every face, and nothing happens", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("there");
  const waited = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [waited], module });
  process.start();
  for (const { name, call } of waitingFaces(queue, process)) {
    for (const options of [0.1, true, false, null, "5", [5]]) {
      const patterns = [/^The options are (an? )?\w+/, /\{ timeout: 1000 \}, in milliseconds/];
      await fails(name, () => call(wrong(options)), TypeError, ...patterns);
    }
    for (const option of ["timeOut", "block", "ms"]) {
      const patterns = [new RegExp(`^${option} is no option here`), /timeout/];
      await fails(name, () => call(wrong({ [option]: 5 })), TypeError, ...patterns);
    }
    assert.equal(queue.qsize(), 1, name);
  }
  const signal = AbortSignal.timeout(60_000);
  refused(
    () => queue.getSync(wrong({ signal })),
    TypeError,
    /^signal is no option here\. The only/,
  );
  assert.equal(queue.getNowait(), "there");
  waited.putNowait("on it goes");
  assert.equal(await process.result(bound), "on it goes");
});

Deno.test("an option that there isn't is refused with the names of those there are", async () => {
  const target = () => {};
  const all: [make: (options: never) => unknown, wrongName: string, rightNames: RegExp][] = [
    [(options) => new Queue(options), "maxsize", /maxSize, maxBytes and name/],
    [(options) => new JoinableQueue(options), "size", /maxSize/],
    [(options) => Pipe(options), "duplexed", /duplex, maxSize and maxBytes/],
    [(options) => new Barrier(2, options), "parties", /action and timeout/],
    [(options) => new Queue().shutdown(options), "now", /The only one is immediate/],
    [(options) => new Process({ target, ...Object(options) }), "kwargs", /target, args/],
  ];
  for (const [make, name, rightNames] of all) {
    const pattern = new RegExp(`^${name} is no option here`);
    refused(() => make({ [name]: 5 } as never), TypeError, pattern, rightNames);
  }
  for (const [make] of all.slice(0, -1)) {
    for (const options of [10, true, null, "x"]) {
      refused(() => make(options as never), TypeError, /^The options are/);
    }
  }
  refused(() => new Process(wrong(target)), TypeError, /^The options are a function/);
  await rejected(() => sleep(1, wrong({ timeout: 5 })), TypeError, /The only one is signal/);
  await rejected(() => sleep(1, wrong(5)), TypeError, /^The options are a number/);
});

Deno.test("a sleep of no time at all is refused", async () => {
  await rejected(() => sleep(NaN), RangeError, /^ms is NaN\./);
  await rejected(() => sleep(-1), RangeError, /^ms is -1\./);
  await rejected(() => sleep(wrong("5")), TypeError, /^ms is a string/);
});

Deno.test("a signal that is aborted already rejects with its reason, and nothing happens", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("there");
  const waited = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [waited], module });
  process.start();
  const reason = new Error("before it began");
  const options = { signal: AbortSignal.abort(reason) };
  for (const { name, call } of waitingFaces(queue, process)) {
    if (name.endsWith("Sync")) continue;
    await assert.rejects(async () => await call(options), (error) => error === reason, name);
    assert.equal(queue.qsize(), 1, name);
  }
  await assert.rejects(sleep(1, options), (error) => error === reason);
  assert.equal(queue.getNowait(), "there");
  waited.putNowait("on it goes");
  assert.equal(await process.result(bound), "on it goes");
});

Deno.test("a signal that is none is refused by every face, and nothing happens", async () => {
  const queue = new JoinableQueue<unknown>();
  queue.putNowait("there");
  const waited = new Queue<string>();
  const process = new Process({ target: targets.wait, args: [waited], module });
  process.start();
  for (const { name, call } of waitingFaces(queue, process)) {
    if (name.endsWith("Sync")) continue;
    for (const signal of [new AbortController(), "now", 5]) {
      await fails(name, () => call({ signal: wrong(signal) }), TypeError, /^signal is/);
    }
    assert.equal(queue.qsize(), 1, name);
  }
  assert.equal(queue.getNowait(), "there");
  waited.putNowait("on it goes");
  assert.equal(await process.result(bound), "on it goes");
});

Deno.test("a process whose signal is aborted already doesn't start", () => {
  const reason = new Error("before it began");
  const signal = AbortSignal.abort(reason);
  const process = new Process({ target: targets.give, args: [1], module, signal });
  assert.throws(() => process.start(), (error) => error === reason);
  assert.equal(process.pid, undefined);
  assert.equal(process.isAlive(), false);
});
