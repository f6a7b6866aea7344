// The maximum number of items in a queue, and setting it.

import assert from "node:assert/strict";
import { QueueFull } from "../../../mod.ts";
import { type Contract, drain, fails, says, turn, waiting, wrong } from "./implementation.ts";

export function bounds(contract: Contract): void {
  const { can, make, test } = contract;
  if (!can.asyncQueue) return;
  const putNowait = { name: "putNowait", takesSignal: false };

  test("how many items it holds, and whether it is full, is told", async () => {
    const queue = make({ maxSize: 2 });
    const look = async () => [await queue.qsize(), await queue.empty(), await queue.full()];
    assert.equal(queue.maxSize, 2);
    assert.deepEqual(await look(), [0, true, false]);
    await queue.put(1);
    assert.deepEqual(await look(), [1, false, false]);
    await queue.put(1);
    assert.deepEqual(await look(), [2, false, true]);
    await queue.get();
    assert.deepEqual(await look(), [1, false, false]);
    for (const look of [queue.qsize(), queue.empty(), queue.full(), queue.statistics()]) {
      assert.equal(look instanceof Promise, !can.synchronous);
    }
  });

  test("without a maxSize it is never full", async () => {
    for (const queue of [make(), make({}), make({ maxSize: 0 }), make({ maxSize: undefined })]) {
      assert.equal(queue.maxSize, 0);
      for (let n = 0; n < 200; n++) await queue.putNowait(n);
      assert.deepEqual([await queue.qsize(), await queue.full()], [200, false]);
    }
  });

  test("statistics tell all at a glance", async () => {
    const queue = make({ maxSize: 2 });
    const look = async () => {
      const { size, maxSize, put, got, shutDown } = await queue.statistics();
      return { size, maxSize, put, got, shutDown };
    };
    assert.deepEqual(await look(), { size: 0, maxSize: 2, put: 0, got: 0, shutDown: false });
    await queue.put(1);
    await queue.put(2);
    const third = queue.put(3);
    assert.deepEqual(await look(), { size: 2, maxSize: 2, put: 2, got: 0, shutDown: false });
    await queue.get();
    await third;
    assert.deepEqual(await look(), { size: 2, maxSize: 2, put: 3, got: 1, shutDown: false });
    await queue.shutdown();
    await drain(queue).catch(() => {});
    assert.deepEqual(await look(), { size: 0, maxSize: 2, put: 3, got: 3, shutDown: true });
  });

  test("a maxSize that can't be is refused", () => {
    for (const maxSize of [-1, 1.5, NaN, Infinity, 2 ** 31, -0.5]) {
      const check = says(RangeError, new RegExp(`^maxSize is ${maxSize}\\.`), /whole number/);
      assert.throws(() => make({ maxSize }), check);
    }
    for (const maxSize of ["5", null, 5n, {}, [5], true]) {
      assert.throws(() => make({ maxSize: wrong(maxSize) }), says(TypeError, /^maxSize is /));
    }
    assert.equal(make({ maxSize: 2 ** 31 - 1 }).maxSize, 2 ** 31 - 1);
  });

  if (!can.resizable) {
    test("its maxSize can't be set", () => {
      const queue = make({ maxSize: 2 });
      assert.throws(() => queue.maxSize = 3, TypeError);
      assert.equal(queue.maxSize, 2);
    });
    return;
  }

  test("a larger maxSize lets puts that wait go on, as many as there is room for", async () => {
    const queue = make({ maxSize: 1 });
    await queue.put(0);
    const done: number[] = [];
    const puts = [1, 2, 3].map((item) => queue.put(item).then(() => done.push(item)));
    await waiting(contract, queue, { toPut: 3 });
    queue.maxSize = 3;
    assert.equal(queue.maxSize, 3);
    assert.equal((await queue.statistics()).maxSize, 3);
    await Promise.all(puts.slice(0, 2));
    await turn();
    assert.deepEqual(done, [1, 2]);
    assert.equal(await queue.full(), true);
    await fails(contract, putNowait, () => queue.putNowait(4), QueueFull);
    queue.maxSize = 0;
    await puts[2];
    assert.equal(await queue.full(), false);
    for (let item = 4; item < 100; item++) await queue.putNowait(item);
    assert.equal(await queue.qsize(), 100);
  });

  test("with a maxSize below its size it keeps its items, and puts wait for room", async () => {
    const queue = make();
    for (let item = 0; item < 5; item++) await queue.put(item);
    queue.maxSize = 2;
    assert.deepEqual([await queue.qsize(), await queue.full()], [5, true]);
    await fails(contract, putNowait, () => queue.putNowait(5), says(QueueFull, /maxSize is 2/));
    let isDone = false;
    const put = queue.put(5).then(() => isDone = true);
    for (let left = 5; left > 2; left--) {
      await queue.getNowait();
      await turn();
      assert.equal(isDone, false, `${left - 1} of 2 are there`);
    }
    await queue.getNowait();
    await put;
    assert.equal(await queue.qsize(), 2);
  });

  test("a maxSize that can't be isn't set, and the old one stays", () => {
    const queue = make({ maxSize: 7 });
    const set = (value: unknown) => () => queue.maxSize = value as number;
    for (const value of [-1, 1.5, NaN, Infinity, 2 ** 31, -0.5]) {
      assert.throws(set(value), says(RangeError, /^maxSize is /), `${value}`);
    }
    for (const value of ["5", null, undefined, 5n, {}, [5], true]) {
      assert.throws(set(value), says(TypeError, /^maxSize is /), typeof value);
    }
    assert.equal(queue.maxSize, 7);
    queue.maxSize = 2 ** 31 - 1;
    assert.equal(queue.maxSize, 2 ** 31 - 1);
  });

  test("setting the maxSize of a queue that was shut down changes nothing for its puts", async () => {
    const queue = make({ maxSize: 1 });
    await queue.put(1);
    await queue.shutdown();
    queue.maxSize = 10;
    await assert.rejects(queue.put(2), /shut down/);
    assert.equal(await queue.getNowait(), 1);
  });
}
