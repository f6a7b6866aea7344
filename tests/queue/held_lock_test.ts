// A lock of a queue's memory, where hostile code can write, that is held longer than a process which runs holds it: by
// one that has no processor, or that is ending. Waits try again; calls that don't wait say so.

import assert from "node:assert/strict";
import { InvalidStateError, Queue } from "../../mod.ts";
import { ownProcessTable, ownRef } from "../../lib/liveness/membership.ts";
import { Mutex } from "../../lib/liveness/mutex.ts";
import { markerOf } from "../../lib/liveness/process_table.ts";
import { exposeIn } from "../../lib/liveness/tainted_memory.ts";
import { type HandedOver, serialize } from "../../lib/transfer/transferable.ts";
import { heldTooLong } from "../../lib/validate/corruption.ts";
import { testInFull } from "../support/length.ts";

/** The words of the locks for putting and for getting. */
const LOCKS = { put: 16, get: 32 };

/** All shared memory in something, but for the process table. */
function memoryIn(content: unknown): SharedArrayBuffer[] {
  if (content instanceof SharedArrayBuffer) return [content];
  if (typeof content !== "object" || content === null) return [];
  return Object.entries(content).flatMap(([key, part]) =>
    key === "processTable" ? [] : memoryIn(part)
  );
}

/** A queue with an item, whose lock a live process holds. */
function held(kind: keyof typeof LOCKS) {
  const queue = new Queue<number>(), table = ownProcessTable();
  queue.putNowait(1);
  const { content } = (queue as unknown as HandedOver)[serialize]();
  exposeIn(content);
  const words = new Int32Array(memoryIn(content)[0]), at = LOCKS[kind];
  const ref = table.registerProcess("holder", ownRef());
  assert.equal(words[at], 0);
  const hold = (turn = 1) => words[at] = markerOf(ref) | turn * 4 | 1;
  hold();
  return {
    queue,
    hold,
    release: () => words[at] = 0,
    end: () => table.remove(ref),
  };
}

const waits: Record<
  keyof typeof LOCKS,
  Record<string, (queue: Queue<number>, timeout?: number) => unknown>
> = {
  put: {
    put: (queue, timeout) => queue.put(2, { timeout }),
    putMany: (queue, timeout) => queue.putMany([2, 3], { timeout }),
    putSync: (queue, timeout) => queue.putSync(2, { timeout }),
    putManySync: (queue, timeout) => queue.putManySync([2, 3], { timeout }),
  },
  get: {
    get: (queue, timeout) => queue.get({ timeout }),
    getMany: (queue, timeout) => queue.getMany(5, { timeout }),
    getSync: (queue, timeout) => queue.getSync({ timeout }),
    getManySync: (queue, timeout) => queue.getManySync(5, { timeout }),
  },
};

for (const kind of ["put", "get"] as const) {
  for (const [name, call] of Object.entries(waits[kind])) {
    const test = name.includes("Many") ? testInFull : Deno.test;
    test(`${name}() goes on when the holder of the queue's lock has ended`, async () => {
      const { queue, end } = held(kind);
      end();
      await call(queue);
    });

    test(`${name}() with a timeout tells of a lock that is held all the time`, async () => {
      const { queue, release, end } = held(kind);
      await assert.rejects(async () => await call(queue, 150), InvalidStateError);
      end();
      release();
      await call(queue);
      assert.equal(queue.qsize(), kind === "put" ? name.includes("Many") ? 3 : 2 : 0);
    });

    if (name.endsWith("Sync")) continue;
    test(`${name}() waits, and goes on when the lock is free after all`, async () => {
      const { queue, release, end } = held(kind);
      const done = call(queue) as Promise<unknown>;
      await new Promise((resolve) => setTimeout(resolve, 300));
      release();
      await done;
      end();
    });

    if (name !== "put") continue;
    testInFull(`${name}() ends with an error where new marks are written for ever`, async () => {
      const { queue, hold, end } = held(kind);
      let turn = 2;
      const timer = setInterval(() => hold(turn = turn % 1000 + 1), 5);
      await assert.rejects(call(queue) as Promise<unknown>, InvalidStateError);
      clearInterval(timer);
      end();
    });
  }
}

Deno.test("calls that don't wait tell of a lock that is held too long", () => {
  const [puts, gets] = [held("put"), held("get")];
  assert.throws(() => puts.queue.putNowait(2), InvalidStateError);
  assert.throws(() => puts.queue.putSync(2, { timeout: 0 }), InvalidStateError);
  assert.throws(() => gets.queue.getNowait(), InvalidStateError);
  assert.throws(() => gets.queue.getSync({ timeout: 0 }), InvalidStateError);
  for (const { end } of [puts, gets]) end();
  puts.queue.putNowait(2);
  assert.equal(gets.queue.getNowait(), 1);
});

Deno.test("a batch whose lock is held after its first item puts and takes each item once", async () => {
  const { withLockNoKill } = Mutex.prototype, items = [1, 2, 3, 4, 5];
  Mutex.prototype.withLockNoKill = () => {
    throw heldTooLong();
  };
  try {
    const queue = new Queue<number>();
    await queue.putMany(items);
    assert.equal(queue.qsize(), 5);
    const got: number[] = [];
    while (got.length < 5) got.push(...await queue.getMany(5));
    assert.deepEqual(got, items);
    queue.putManySync(items);
    got.length = 0;
    while (got.length < 5) got.push(...queue.getManySync(5));
    assert.deepEqual(got, items);
    assert.equal(queue.qsize(), 0);
  } finally {
    Mutex.prototype.withLockNoKill = withLockNoKill;
  }
});
