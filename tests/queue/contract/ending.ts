// How a queue ends: for all, by shutdown(); for this process, by close().

import assert from "node:assert/strict";
import { InvalidStateError, QueueShutDown } from "../../../mod.ts";
import {
  bound,
  type Contract,
  drain,
  fails,
  getsOf,
  inOrder,
  joinsOf,
  putsOf,
  says,
  turn,
  waiting,
  wrong,
} from "./implementation.ts";

export function ending(contract: Contract): void {
  const { can, implementation, make, test } = contract;
  if (can.asyncQueue) shuttingDown();
  if (can.closable) closing();

  function shuttingDown(): void {
    test("after a shutdown every put is refused, what is in can be got, and then every get is refused", async () => {
      for (const get of getsOf(contract)) {
        const queue = make<unknown>();
        await queue.put(1);
        await queue.shutdown();
        await queue.shutdown();
        for (const put of putsOf(contract, 2)) {
          const isOver = says(QueueShutDown, /^The queue was shut down and takes no more/, /new/);
          await fails(contract, put, () => put.call(queue), isOver);
        }
        assert.deepEqual(await get.call(queue), get.isMany ? [1] : 1);
        const isOver = says(QueueShutDown, /^The queue was shut down and is empty/, /new queue/);
        await fails(contract, get, () => get.call(queue), isOver);
        if (get.waits) {
          await fails(contract, get, () => get.call(queue, { timeout: 0 }), isOver);
          await fails(contract, get, () => get.call(queue, { timeout: 5 }), isOver);
        }
        assert.equal((await queue.statistics()).shutDown, true);
      }
    });

    test("after a shutdown a full queue takes nothing either, though there is room then", async () => {
      const queue = make<unknown>({ maxSize: 1 });
      await queue.put(1);
      await queue.shutdown();
      for (const put of putsOf(contract, 2)) {
        await fails(contract, put, () => put.call(queue), QueueShutDown);
        if (put.waits) {
          await fails(contract, put, () => put.call(queue, { timeout: 0 }), QueueShutDown);
        }
      }
      assert.equal(await queue.get(), 1);
      await assert.rejects(queue.put(2), QueueShutDown);
    });

    test("a shutdown wakes those who wait for an item or for room, and puts nothing of theirs", async () => {
      const empty = make(), full = make({ maxSize: 1 });
      const gets = [empty.get(), empty.get(bound)];
      const isOver = gets.map((get) => assert.rejects(get, QueueShutDown));
      await waiting(contract, empty, { toGet: 2 });
      await empty.shutdown();
      await Promise.all(isOver);
      await full.put(1);
      const puts = [full.put(2), full.put(3, bound)];
      if (can.batches) puts.push(full.putMany([4, 5]));
      const areOver = puts.map((put) => assert.rejects(put, QueueShutDown));
      await waiting(contract, full, { toPut: puts.length });
      await full.shutdown();
      await Promise.all(areOver);
      assert.equal(await full.get(), 1);
      await assert.rejects(full.get(), QueueShutDown);
    });

    test("an immediate shutdown drops the items, and wakes those who wait", async () => {
      const queue = make({ maxSize: 2 });
      await queue.put(1);
      await queue.put(2);
      const put = assert.rejects(queue.put(3), QueueShutDown);
      await waiting(contract, queue, { toPut: 1 });
      await queue.shutdown({ immediate: true });
      await put;
      await assert.rejects(queue.get(), QueueShutDown);
      assert.deepEqual([await queue.qsize(), await queue.empty()], [0, true]);
      await queue.shutdown({ immediate: true });
      await queue.shutdown();
    });

    test("an immediate shutdown after another one drops what is left", async () => {
      const queue = make();
      for (const n of [1, 2, 3]) await queue.put(n);
      await queue.shutdown({ immediate: false });
      assert.equal(await queue.get(), inOrder(implementation, [1, 2, 3])[0]);
      await queue.shutdown({ immediate: true });
      await assert.rejects(queue.get(), QueueShutDown);
    });

    test("options of shutdown that are none are refused, and it goes on", async () => {
      const queue = make();
      const shutdown = { name: "shutdown", takesSignal: false };
      for (const options of [5, null, "immediate", true]) {
        const check = says(TypeError, /^The options are /);
        await fails(contract, shutdown, () => queue.shutdown(wrong(options)), check);
      }
      const check = says(TypeError, /^now is no option here/, /The only one is immediate/);
      await fails(contract, shutdown, () => queue.shutdown(wrong({ now: true })), check);
      for (const immediate of ["false", "", 0, 1, null, {}]) {
        const check = says(TypeError, /^immediate is /, /true or false/);
        await fails(contract, shutdown, () => queue.shutdown(wrong({ immediate })), check);
      }
      await queue.put(1);
      assert.deepEqual(await drain(queue), [1]);
      await queue.put(1);
      await queue.shutdown({ immediate: undefined });
      assert.equal(await queue.get(), 1);
    });
  }

  function closing(): void {
    test("after close() every use by this process is refused", async () => {
      const queue = make<unknown>();
      await queue.put("left");
      assert.equal(queue.closed, false);
      queue.close();
      assert.equal(queue.closed, true);
      const isClosed = says(InvalidStateError, /closed the queue/, /before close/);
      for (const face of [...putsOf(contract, 1), ...getsOf(contract), ...joinsOf(contract)]) {
        await fails(contract, face, () => face.call(queue), isClosed);
      }
      if (can.joinable) assert.throws(() => queue.taskDone(), isClosed);
      if (can.asyncQueue) {
        await assert.rejects(queue[Symbol.asyncIterator]().next(), isClosed);
        await assert.rejects(queue.readable.getReader().read(), isClosed);
        await assert.rejects(queue.writable.getWriter().write(1), isClosed);
        assert.throws(() => queue.shutdown(), isClosed);
      }
      if (can.resizable) {
        const { maxSize } = queue;
        assert.throws(() => queue.maxSize = 5, isClosed);
        assert.equal(queue.maxSize, maxSize);
      }
      queue.close();
    });

    test("close() ends the waits of this process", async () => {
      const empty = make();
      const isClosed = says(InvalidStateError, /closed the queue/);
      let ended = 0;
      const gets = [empty.get(bound), empty.get()].map(async (get) => {
        await assert.rejects(get, isClosed);
        ended++;
      });
      empty.close();
      await turn();
      assert.equal(ended, 2, "at once, not when they look by themselves");
      await Promise.all(gets);
      if (!can.asyncQueue) return;
      const full = make({ maxSize: 1 });
      await full.put(1);
      const puts = [full.put(2, bound), full.put(3)].map((put) => assert.rejects(put, isClosed));
      const join = can.joinable && assert.rejects(full.join(), isClosed);
      full.close();
      await Promise.all([...puts, join]);
    });

    test("`using` closes it", async () => {
      let outside: { closed: boolean };
      {
        using queue = make();
        outside = queue;
        await queue.put(1);
      }
      assert.equal(outside.closed, true);
    });
  }
}
