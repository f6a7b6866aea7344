// Queues as loops and as web streams: no item is taken ahead, and no item is lost when they stop.

import assert from "node:assert/strict";
import { InvalidStateError, QueueShutDown } from "../../../mod.ts";
import { iterationContract } from "../../wait/iteration_contract.ts";
import { type Contract, drain, inOrder, is, turn, until, waiting } from "./implementation.ts";

export function streams(contract: Contract): void {
  const { can, implementation, make, test } = contract;
  if (!can.asyncQueue) return;

  iterationContract(test, () => {
    const queue = make();
    return {
      items: queue,
      put: (item) => queue.putNowait(item),
      takeNow: () => queue.getNowait(),
      waiting: async () => (await queue.statistics()).waitingToGet,
      end: () => queue.shutdown(),
    };
  });

  test("of several loops each item goes to one, and all end", async () => {
    const queue = make();
    const got: number[][] = [[], [], []];
    const loops = got.map(async (mine) => {
      for await (const item of queue) {
        mine.push(item);
        await turn();
      }
    });
    for (let n = 0; n < 30; n++) await queue.put(n);
    await queue.shutdown();
    await Promise.all(loops);
    assert.deepEqual(
      got.flat().toSorted((a, b) => a - b),
      Array.from({ length: 30 }, (_, n) => n),
    );
  });

  test("a loop that ended by a shutdown doesn't take one elsewhere for an error", async () => {
    const queue = make();
    await queue.shutdown();
    for await (const _ of queue) assert.fail("there is nothing");
    await assert.rejects(queue.get(), QueueShutDown);
  });

  test("its streams are the same each time", () => {
    const queue = make();
    assert.equal(queue.readable, queue.readable);
    assert.equal(queue.writable, queue.writable);
    assert.ok(queue.readable instanceof ReadableStream && queue.writable instanceof WritableStream);
  });

  test("as streams they carry items with back-pressure, and end with a shutdown", async () => {
    const from = make(), to = make<string>({ maxSize: 2, any: true });
    const piped = from.readable
      .pipeThrough(new TransformStream({ transform: (n, out) => out.enqueue(`n${n}`) }))
      .pipeTo(to.writable);
    for (let i = 0; i < 9; i++) await from.put(i);
    await from.shutdown();
    await until("the bound", () => to.full());
    // Streams hold a few items themselves, and then ask for no more.
    for (let i = 0; i < 20; i++) await turn();
    assert.equal(await from.empty(), false);
    const got = [];
    for await (const item of to) got.push(item);
    await piped;
    assert.deepEqual(got.sort(), Array.from({ length: 9 }, (_, i) => `n${i}`));
    assert.equal((await to.statistics()).shutDown, true);
  });

  test("its stream takes nothing ahead of a read", async () => {
    const queue = make();
    await queue.put(1);
    await queue.put(1);
    const reader = queue.readable.getReader();
    for (let i = 0; i < 3; i++) await turn();
    assert.equal(await queue.qsize(), 2);
    assert.equal((await reader.read()).value, 1);
    for (let i = 0; i < 3; i++) await turn();
    assert.equal(await queue.qsize(), 1);
    await reader.cancel();
    assert.deepEqual(await drain(queue), [1]);
  });

  test("its stream, cancelled as an item comes, gives it to the read or leaves it", async () => {
    for (const isPutFirst of [true, false]) {
      const queue = make();
      const reader = queue.readable.getReader();
      const read = reader.read();
      await waiting(contract, queue, { toGet: 1 });
      const cancelled = isPutFirst || reader.cancel();
      const put = queue.putNowait(7);
      await (isPutFirst ? reader.cancel() : cancelled);
      await put;
      const { value } = await read;
      if (!isPutFirst) assert.equal(value, undefined);
      assert.deepEqual(value === undefined ? await drain(queue) : [value], [7]);
      assert.equal(await queue.empty(), true);
    }
  });

  test("its stream, cancelled when the item of another has come, doesn't lose its own", async () => {
    const queue = make();
    const cancelled = queue.get().then(() => reader.cancel());
    await waiting(contract, queue, { toGet: 1 });
    const reader = queue.readable.getReader();
    const read = reader.read();
    await waiting(contract, queue, { toGet: 2 });
    for (const item of [1, 1]) await queue.putNowait(item);
    await cancelled;
    const { value } = await read;
    assert.deepEqual(value === undefined ? await drain(queue) : [value], [1]);
    assert.equal(await queue.empty(), true);
  });

  test("a stream that puts, aborted while it waits for room, puts nothing more, and shuts it down", async () => {
    const queue = make({ maxSize: 1 });
    await queue.put(1);
    const writer = queue.writable.getWriter(), reason = new Error("no longer wanted");
    const writes = [writer.write(2), writer.write(3)].map((w) => assert.rejects(w, is(reason)));
    const closed = assert.rejects(writer.closed, is(reason));
    await waiting(contract, queue, { toPut: 1 });
    await writer.abort(reason);
    await Promise.all([...writes, closed]);
    assert.equal(await queue.get(), 1);
    await assert.rejects(queue.get(), QueueShutDown);
  });

  test("a stream that puts, closed, shuts it down when all is put; with preventClose it doesn't", async () => {
    const queue = make();
    await ReadableStream.from([1, 2]).pipeTo(queue.writable, { preventClose: true });
    assert.equal((await queue.statistics()).shutDown, false);
    const writer = queue.writable.getWriter();
    await writer.write(3);
    await writer.close();
    assert.equal((await queue.statistics()).shutDown, true);
    const got: number[] = [];
    for await (const item of queue) got.push(item);
    assert.deepEqual(got, inOrder(implementation, [1, 2, 3]));
  });

  test("a stream that puts fails when the queue was shut down", async () => {
    const queue = make();
    await queue.shutdown();
    const writer = queue.writable.getWriter();
    const closed = assert.rejects(writer.closed, QueueShutDown);
    await assert.rejects(writer.write(1), QueueShutDown);
    await closed;
  });

  if (can.closable) {
    test("of several next() that wait, the first reports that the queue was closed", async () => {
      const queue = make();
      const iterator = queue[Symbol.asyncIterator]();
      const iterating = [iterator.next(), iterator.next()];
      queue.close();
      await assert.rejects(iterating[0], InvalidStateError);
      assert.deepEqual(await iterating[1], { done: true, value: undefined });
      assert.deepEqual(await iterator.next(), { done: true, value: undefined });
    });

    test("a stream that waits fails when the queue is closed", async () => {
      const queue = make();
      const read = assert.rejects(queue.readable.getReader().read(), InvalidStateError);
      await waiting(contract, queue, { toGet: 1 });
      queue.close();
      await read;
    });
  }

  if (!can.copies) {
    test("a promise that rejects is an item as any other, also to a stream", async () => {
      const queue = make<Promise<number>>({ any: true });
      const rejected = Promise.reject(new Error("the item"));
      rejected.catch(() => {});
      await queue.putNowait(rejected);
      const { value } = await queue.readable.getReader().read();
      assert.equal(value, rejected);
    });
  }
}
