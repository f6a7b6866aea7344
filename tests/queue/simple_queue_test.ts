// SimpleQueue: the least there can be of a queue between processes.

import assert from "node:assert/strict";
import {
  InvalidStateError,
  Lock,
  Pipe,
  Process,
  Queue,
  QueueEmpty,
  SimpleQueue,
  wait,
  waitNowait,
} from "../../mod.ts";
import { wrong } from "../support/local.ts";
import * as targets from "../support/targets/queue_targets.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

Deno.test("it gives what was put, in order, by all faces", async () => {
  const queue = new SimpleQueue<unknown>();
  assert.ok(queue.empty());
  await queue.put(1);
  queue.putNowait(new Map([["a", [2n]]]));
  queue.putSync(undefined);
  assert.ok(!queue.empty());
  assert.equal(await queue.get(), 1);
  assert.deepEqual(queue.getNowait(), new Map([["a", [2n]]]));
  assert.equal(queue.getSync(), undefined);
  assert.ok(queue.empty());
  queue.close();
});

Deno.test("an empty one says so now, and after a timeout; a wait that is aborted takes nothing", async () => {
  const queue = new SimpleQueue<number>();
  assert.throws(() => queue.getNowait(), QueueEmpty);
  assert.throws(() => queue.getSync({ timeout: 1 }), QueueEmpty);
  await assert.rejects(queue.get({ timeout: 1 }), QueueEmpty);
  const stop = new AbortController();
  const get = queue.get({ signal: stop.signal });
  stop.abort("not needed");
  await get.then(() => assert.fail(), (reason) => assert.equal(reason, "not needed"));
  queue.putNowait(1);
  assert.equal(await queue.get({ timeout: 0 }), 1);
});

Deno.test("it has what Python's has, and no more", () => {
  const queue = new SimpleQueue<number>();
  for (
    const name of ["maxSize", "qsize", "full", "shutdown", "taskDone", "join", "putMany", "name"]
  ) {
    assert.ok(!(name in queue), name);
  }
  assert.ok(!(queue instanceof Queue));
  for (const given of [10, { maxSize: 10 }, "name", null]) {
    assert.throws(() => new (wrong(SimpleQueue))(given), /^TypeError: .*Make a Queue/);
  }
});

Deno.test("what can't be cloned, and wrong options, are refused at the call", async () => {
  const queue = new SimpleQueue<unknown>();
  assert.throws(() => queue.putNowait({ f() {} }), /item\.f is a function/);
  assert.throws(() => queue.putSync([new Lock()]), /item\[0\] is a Lock/);
  await assert.rejects(queue.put(queue), /item is a SimpleQueue, which is handed over/);
  await assert.rejects(queue.get(wrong(5)), TypeError);
  await assert.rejects(queue.put(1, { timeout: -1 }), RangeError);
  await assert.rejects(queue.put(1, wrong({ timeOut: 1 })), TypeError);
  assert.throws(() => queue.getSync({ timeout: NaN }), RangeError);
  assert.ok(queue.empty());
});

Deno.test("after close() all but `closed` is refused, and who waits learns of it", async () => {
  const queue = new SimpleQueue<number>();
  const get = queue.get();
  assert.equal(queue.closed, false);
  queue.close();
  queue.close();
  assert.equal(queue.closed, true);
  await assert.rejects(get, InvalidStateError);
  await assert.rejects(queue.put(1), InvalidStateError);
  await assert.rejects(queue.get(), InvalidStateError);
  const calls = [
    () => queue.putNowait(1),
    () => queue.putSync(1),
    () => queue.getNowait(),
    () => queue.getSync(),
    () => queue.empty(),
    () => waitNowait([queue]),
    () => new Process({ target: (_: unknown) => {}, args: [queue], by: "source" }).start(),
  ];
  for (const call of calls) assert.throws(call, InvalidStateError, `${call}`);
});

Deno.test("`using` closes it", () => {
  const queue = new SimpleQueue<number>();
  {
    using same = queue;
    same.putNowait(1);
  }
  assert.ok(queue.closed);
});

for (const [put, get] of [["put", "get"], ["putSync", "getSync"], ["put", "getSync"]] as const) {
  Deno.test(`with ${put} and ${get} in several processes each item is got once, in its producer's order`, async () => {
    const queue = new SimpleQueue<[number, number]>(), count = 500;
    const options = { module: targets.here };
    const producers = [0, 1].map((id) => {
      return new Process({
        ...options,
        target: targets.produceSimply,
        args: [queue, id, count, put],
      });
    });
    const consumers = [0, 1].map(() => {
      return new Process({
        ...options,
        target: targets.consumeSimply,
        args: [{ queues: [queue] }, count, get],
      });
    });
    for (const process of [...producers, ...consumers]) process.start();
    const all = await Promise.all(consumers.map((consumer) => consumer.result(bound)));
    for (const id of [0, 1]) {
      const numbers = all.map((got) => got.filter((item) => item[0] === id).map((item) => item[1]));
      for (const some of numbers) assert.deepEqual(some, some.toSorted((a, b) => a - b));
      assert.deepEqual(
        numbers.flat().sort((a, b) => a - b),
        Array.from({ length: count }, (_, i) => i),
      );
    }
    for (const producer of producers) await producer.join(bound);
    assert.ok(queue.empty());
  });
}

Deno.test("it is handed over through a pipe, and can be waited for", async () => {
  const [here, there] = Pipe<SimpleQueue<string>>();
  const queue = new SimpleQueue<string>();
  await here.send(queue);
  const same = await there.recv();
  assert.ok(same instanceof SimpleQueue);
  const waiting = wait([queue], bound);
  same.putNowait("hello");
  assert.deepEqual(await waiting, [queue]);
  assert.equal(queue.getNowait(), "hello");
  assert.deepEqual(waitNowait([queue, same]), []);
  here.close();
  there.close();
});
