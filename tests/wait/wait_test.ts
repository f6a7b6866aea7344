// wait(): which of several connections, queues and processes are ready, in its three faces.

import assert from "node:assert/strict";
import {
  InvalidStateError,
  JoinableQueue,
  Pipe,
  Process,
  Queue,
  QueueEmpty,
  wait,
  waitNowait,
  waitSync,
} from "../../mod.ts";
import * as targets from "../support/targets/pipe_targets.ts";
import { testInFull } from "../support/length.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** A pipe whose messages may be anything. */
// deno-lint-ignore no-explicit-any -- what a test sends is its own business
const pipe = (options?: Parameters<typeof Pipe>[0]) => Pipe<any>(options);

/** The three faces, as one. */
const faces: [string, <T extends object>(objects: Iterable<T>) => T[] | Promise<T[]>][] = [
  ["wait", (objects) => wait(objects, bound)],
  ["waitNowait", (objects) => waitNowait(objects)],
  ["waitSync", (objects) => waitSync(objects, bound)],
];

/** Tasks of this process that wait at a queue to get. */
const waitingAt = (queue: Queue<unknown>) => queue.statistics().waitingToGet;

Deno.test("all that are ready are told, in the order they were given, and nothing is taken", async () => {
  const [a, b] = pipe(), [c, d] = pipe(), [e, f] = pipe();
  const queue = new Queue<string>(), joinable = new JoinableQueue<string>();
  const empty = new Queue<string>();
  const ended = new Process({ target: targets.give, args: [1], module });
  ended.start();
  await ended.join(bound);
  const alive = new Process({ target: targets.echo, args: [d], module });
  alive.start();
  a.sendNowait("message");
  e.close();
  queue.putNowait("item");
  joinable.putNowait("task");
  const objects: object[] = [empty, ended, c, f, joinable, alive, b, queue, a];
  const expected = [ended, f, joinable, b, queue];
  for (const [name, face] of faces) {
    assert.deepEqual(await face(objects), expected, name);
    assert.deepEqual(await face(new Set(objects)), expected, name);
  }
  assert.equal(b.statistics().toReceive, 1);
  assert.equal(queue.qsize(), 1);
  assert.equal(joinable.qsize(), 1);
  assert.equal(await b.recv(), "message");
  assert.deepEqual(waitNowait([b, queue]), [queue]);
  c.close();
  await alive.join(bound);
  for (const end of [a, b, f]) end.close();
});

Deno.test("nothing ready in time is an empty array, and nobody waits any more", async () => {
  const [a, b] = pipe(), [c, d] = pipe();
  const queue = new Queue<string>();
  const process = new Process({ target: targets.echo, args: [d], module });
  process.start();
  const objects = [b, queue, process];
  for (const timeout of [0, 5]) {
    assert.deepEqual(await wait(objects, { timeout }), []);
    assert.deepEqual(waitSync(objects, { timeout }), []);
  }
  assert.deepEqual(waitNowait(objects), []);
  assert.equal(b.statistics().waiting, 0);
  assert.equal(waitingAt(queue), 0);
  c.close();
  await process.join(bound);
  a.close();
  b.close();
});

Deno.test("an aborted wait rejects with the reason, and nobody waits any more", async () => {
  const [a, b] = pipe(), queue = new Queue<string>();
  a.sendNowait("there");
  const reason = new Error("enough");
  await assert.rejects(wait([b], { signal: AbortSignal.abort(reason) }), (e) => e === reason);
  b.recvNowait();
  const controller = new AbortController();
  const waiting = wait([queue, b], { signal: controller.signal });
  assert.equal(b.statistics().waiting, 1);
  assert.equal(waitingAt(queue), 1);
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  assert.equal(b.statistics().waiting, 0);
  assert.equal(waitingAt(queue), 0);
  queue.putNowait("not taken");
  a.sendNowait("not taken");
  assert.equal(queue.getNowait(), "not taken");
  assert.equal(b.recvNowait(), "not taken");
  a.close();
  b.close();
});

Deno.test("whatever gets ready first ends the wait, and the others are left alone", async () => {
  const [a, b] = pipe(), queue = new Queue<string>(), joinable = new JoinableQueue<string>();
  const ready = new Queue<string>();
  await using process = new Process({ target: targets.ignore, args: [0, ready], module });
  process.start();
  await ready.get(bound);
  const objects: object[] = [queue, process, b, joinable];
  const happen: [object, () => void, () => void][] = [
    [b, () => a.sendNowait("message"), () => b.recvNowait()],
    [queue, () => queue.putNowait("item"), () => queue.getNowait()],
    [joinable, () => joinable.putNowait("task"), () => joinable.getNowait()],
    [process, () => process.kill(), () => {}],
  ];
  for (const [object, make, take] of happen) {
    const waiting = wait(objects);
    assert.equal(b.statistics().waiting, 1);
    make();
    assert.deepEqual(await waiting, [object]);
    assert.equal(b.statistics().waiting, 0);
    assert.equal(waitingAt(queue), 0);
    assert.equal(waitingAt(joinable), 0);
    take();
  }
  a.close();
  b.close();
});

Deno.test("a blocked thread waits for many, too, wherever it comes from", async () => {
  const [a, b] = pipe(), [c, d] = pipe(), queue = new Queue<number>();
  const counting = new Process({ target: targets.count, args: [c, 1], module });
  counting.start();
  assert.deepEqual(waitSync([b, d, queue], bound), [d]);
  assert.equal(d.recvNowait(), 0);
  // Its process has ended now, or will soon: both are waited for.
  assert.deepEqual(waitSync([b, counting, queue], bound), [counting]);
  assert.deepEqual(waitSync([b, d, queue], bound), [d]);
  const [e, f] = pipe();
  const putting = new Process({ target: targets.putOne, args: [queue, f], module });
  putting.start();
  assert.deepEqual(waitSync([b, queue], bound), [queue]);
  assert.equal(queue.getNowait(), 1);
  e.close();
  await putting.join(bound);
  await counting.join(bound);
  for (const end of [a, b, d]) end.close();
});

Deno.test("an object given twice is told twice, and waited for once", async () => {
  const [a, b] = pipe(), queue = new Queue<string>();
  const waiting = wait([b, queue, b]);
  a.sendNowait(1);
  assert.deepEqual(await waiting, [b, b]);
  assert.equal(b.statistics().waiting, 0);
  assert.deepEqual(waitSync([b, b], bound), [b, b]);
  a.close();
  b.close();
});

Deno.test("an item that was seen may be taken by another", async () => {
  const queue = new Queue<string>();
  const waits = [wait([queue]), wait([queue]), wait([queue])];
  queue.putNowait("only one");
  for (const waiting of waits) assert.deepEqual(await waiting, [queue]);
  assert.equal(queue.getNowait(), "only one");
  assert.throws(() => queue.getNowait(), QueueEmpty);
});

Deno.test("who waits for many does not keep what comes from who receives one", async () => {
  const [a, b] = pipe(), queue = new Queue<number>();
  const waiting = wait([b, queue]);
  const receiving = b.recv(bound), getting = queue.get(bound);
  a.sendNowait(1);
  assert.deepEqual(await waiting, [b]);
  assert.equal(await receiving, 1);
  const again = wait([b, queue]);
  queue.putNowait(2);
  assert.equal(await getting, 2);
  // Its item is gone: it goes on waiting.
  a.sendNowait(3);
  assert.ok((await again).length > 0);
  assert.equal(b.recvNowait(), 3);
  a.close();
  b.close();
});

Deno.test("an item goes to who gets it though another process looks at the queue", async () => {
  const [control, there] = pipe(), [a, b] = pipe();
  const queue = new Queue<string>(), joinable = new JoinableQueue<string>();
  const process = new Process({
    target: targets.lookOnly,
    args: [there, [b, queue, joinable]],
    module,
  });
  process.start();
  assert.equal(await control.recv(bound), "looking");
  for (let i = 0; i < 200; i++) {
    const getting = queue.get(bound);
    queue.putNowait(`${i}`);
    assert.equal(await getting, `${i}`);
  }
  control.close();
  assert.ok(await process.result(bound) >= 0);
  a.close();
});

Deno.test("a process waits at a connection, two queues and its own control at once", async () => {
  const [control, there] = pipe(), [a, b] = pipe();
  const queue = new Queue<string>(), joinable = new JoinableQueue<string>();
  const process = new Process({
    target: targets.waitAtAll,
    args: [there, [b, queue, joinable]],
    module,
  });
  process.start();
  const told: string[] = [];
  const tell: [string, (text: string) => void][] = [
    ["connection", (text) => a.sendNowait(text)],
    ["queue", (text) => queue.putNowait(text)],
    ["joinable", (text) => joinable.putNowait(text)],
  ];
  for (let i = 0; i < 60; i++) {
    const [what, act] = tell[(i * 7 + (i >> 3)) % 3];
    told.push(`${what} ${i}`);
    act(`${i}`);
    assert.equal(await control.recv(bound), "told");
  }
  control.sendNowait("stop");
  assert.deepEqual(await process.result(bound), told);
  assert.equal(await joinable.join(bound), true);
  for (const end of [a, control]) end.close();
});

Deno.test("a shutdown, a close of the other end and an end of a process make ready", async () => {
  const [a, b] = pipe(), [c, d] = pipe(), queue = new Queue<string>();
  const process = new Process({ target: targets.learn, args: [c, false], module });
  process.start();
  const waits = [wait([queue, b]), wait([b, queue]), wait([process, b])];
  queue.shutdown();
  assert.deepEqual(await waits[0], [queue]);
  assert.deepEqual(await waits[1], [queue]);
  d.close();
  assert.deepEqual(await waits[2], [process]);
  const last = wait([b]);
  a.close();
  assert.deepEqual(await last, [b]);
  assert.deepEqual(waitSync([b, queue, process]), [b, queue, process]);
  b.close();
});

Deno.test("a wait learns that one of its objects was closed or has moved", async () => {
  const [a, b] = pipe(), [c, d] = pipe(), [carrier, arrival] = pipe(), queue = new Queue<string>();
  const closing = assert.rejects(wait([queue, b]), InvalidStateError);
  const moving = assert.rejects(wait([d, queue]), /sent through a pipe/);
  const shut = assert.rejects(wait([b, queue]), InvalidStateError);
  b.close();
  carrier.sendNowait(d);
  await Promise.all([closing, moving, shut]);
  for (const end of [a, c, carrier, arrival]) end.close();
});

Deno.test("a wait learns that its queue was closed", async () => {
  const [a, b] = pipe(), queue = new Queue<string>();
  const waiting = assert.rejects(wait([b, queue]), InvalidStateError);
  queue.close();
  await waiting;
  assert.throws(() => waitNowait([queue, b]), InvalidStateError);
  a.close();
  b.close();
});

Deno.test("a loop of waits that never has to wait lets timers run", async () => {
  const [a, b] = pipe(), queue = new Queue<number>();
  a.sendNowait(1);
  for (const options of [undefined, { timeout: 0 }]) {
    let fired = false;
    const timer = setTimeout(() => fired = true, 1);
    for (let i = 0; i < 2_000_000 && !fired; i++) await wait([queue, b], options);
    clearTimeout(timer);
    assert.ok(fired);
  }
  a.close();
  b.close();
});

testInFull("hundreds of objects are waited for, and each gets its turn", async () => {
  const pairs = Array.from({ length: 200 }, () => pipe());
  const ends = pairs.map(([_, end]) => end);
  for (let i = 0; i < 200; i++) {
    const waiting = wait(ends);
    const one = (i * 71) % 200;
    pairs[one][0].sendNowait(i);
    assert.deepEqual(await waiting, [ends[one]]);
    assert.equal(ends[one].recvNowait(), i);
  }
  assert.ok(ends.every((end) => end.statistics().waiting === 0));
  for (const [a, b] of pairs) {
    a.close();
    b.close();
  }
});
