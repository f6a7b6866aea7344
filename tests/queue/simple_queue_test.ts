// SimpleQueue: the minimal queue between processes. Its common features are
// tested by the contract of queues.

import assert from "node:assert/strict";
import { InvalidStateError, Lock, Process, Queue, SimpleQueue, waitNowait } from "../../mod.ts";
import { wrong } from "../support/local.ts";

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
