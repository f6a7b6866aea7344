// A queue that knows when all its items have been processed (taskDone, join).

import assert from "node:assert/strict";
import {
  bound,
  type Contract,
  drain,
  fails,
  is,
  joinsOf,
  says,
  turn,
  until,
} from "./implementation.ts";

export function joining(contract: Contract): void {
  const { can, make, test } = contract;
  if (!can.joinable) return;

  test("join waits until every item is done", async () => {
    const queue = make({ maxSize: 2 });
    for (const join of joinsOf(contract)) {
      assert.equal(await join.call(queue as never), true);
      assert.equal(await join.call(queue as never, { timeout: 0 }), true);
    }
    await queue.put(1);
    await queue.put(2);
    const third = queue.put(3);
    assert.equal(await queue.unfinished, 2);
    const joins = [queue.join(), queue.join(bound)];
    for (let i = 0; i < 3; i++) {
      await queue.get();
      for (const join of joinsOf(contract)) {
        assert.equal(await join.call(queue as never, { timeout: 0 }), false);
        assert.equal(await join.call(queue as never, { timeout: 1 }), false);
      }
      await queue.taskDone();
    }
    await third;
    assert.deepEqual(await Promise.all(joins), [true, true]);
    assert.equal(await queue.unfinished, 0);
    for (const join of joinsOf(contract)) assert.equal(await join.call(queue as never), true);
  });

  test("statistics tell what is unfinished, and how many wait until all is done", async () => {
    const queue = make();
    const look = async () => {
      const { unfinished, waitingToJoin } = await queue.statistics();
      return [unfinished, waitingToJoin];
    };
    assert.deepEqual(await look(), [0, 0]);
    await queue.put(1);
    const joins = [queue.join(), queue.join(bound)];
    await until("two join", async () => (await look())[1] === 2);
    await queue.get();
    assert.deepEqual(await look(), [1, 2]);
    await queue.taskDone();
    await Promise.all(joins);
    assert.deepEqual(await look(), [0, 0]);
  });

  test("an item handed to one that waited for it counts until it is done", async () => {
    const queue = make();
    const get = queue.get();
    await queue.put(1);
    assert.equal(await queue.unfinished, 1);
    await get;
    assert.equal(await queue.join({ timeout: 0 }), false);
    await queue.taskDone();
    assert.equal(await queue.join({ timeout: 0 }), true);
  });

  test("taskDone more often than there were items is refused, and the count stays right", async () => {
    const queue = make();
    const face = { name: "taskDone", takesSignal: false };
    const isRefused = says(RangeError, /taskDone\(\) was called more often/, /once for each item/);
    await fails(contract, face, () => queue.taskDone(), isRefused);
    await queue.put(1);
    assert.equal(await queue.unfinished, 1);
    await queue.taskDone(); // it isn't asked who has got it
    await fails(contract, face, () => queue.taskDone(), isRefused);
    assert.equal(await queue.unfinished, 0);
    await queue.put(1);
    assert.equal(await queue.unfinished, 1);
    assert.equal(await queue.join({ timeout: 0 }), false);
  });

  test("a join that is aborted rejects with the reason, and the others wait on", async () => {
    const queue = make();
    await queue.put(1);
    const stop = new AbortController(), reason = new Error("no longer wanted");
    const aborted = assert.rejects(queue.join({ signal: stop.signal }), is(reason));
    const join = queue.join();
    await turn();
    stop.abort(reason);
    await aborted;
    assert.equal((await queue.statistics()).waitingToJoin, 1);
    await queue.get();
    await queue.taskDone();
    assert.equal(await join, true);
  });

  test("after a shutdown join counts on, and one who waits is told when all is done", async () => {
    const queue = make();
    for (const item of [1, 1, 1]) await queue.put(item);
    await queue.shutdown();
    const join = queue.join();
    assert.equal(await queue.join({ timeout: 0 }), false);
    let got = 0;
    for await (const item of queue) {
      got += item;
      await queue.taskDone();
    }
    assert.equal(got, 3);
    assert.equal(await join, true);
  });

  test("an immediate shutdown counts what it drops as done", async () => {
    const queue = make();
    for (const n of [1, 2]) await queue.put(n);
    const join = queue.join();
    await queue.shutdown({ immediate: true });
    assert.equal(await join, true);
    assert.equal(await queue.unfinished, 0);
    assert.equal(await queue.join(), true);
  });

  test("an immediate shutdown leaves what was got to be done", async () => {
    for (const isShutBefore of [false, true]) {
      const queue = make();
      for (let i = 0; i < 3; i++) await queue.put(i);
      await queue.get();
      const join = queue.join();
      if (isShutBefore) await queue.shutdown();
      await queue.shutdown({ immediate: true });
      assert.equal(await queue.unfinished, 1);
      assert.equal(await queue.join({ timeout: 0 }), false);
      await queue.taskDone();
      assert.equal(await join, true);
      const face = { name: "taskDone", takesSignal: false };
      await fails(contract, face, () => queue.taskDone(), says(RangeError, /more often/));
    }
  });

  test("items that are put by many, and done by many, are all done", async () => {
    const queue = make({ maxSize: 5 });
    let done = 0;
    const workers = Array.from({ length: 3 }, async () => {
      for await (const _ of queue) {
        await turn();
        done++;
        await queue.taskDone();
      }
    });
    await Promise.all(Array.from({ length: 20 }, (_, i) => queue.put(i)));
    assert.equal(await queue.join(bound), true);
    assert.equal(done, 20);
    await queue.shutdown();
    await Promise.all(workers);
    assert.deepEqual(await drain(queue).catch(() => []), []);
  });
}
