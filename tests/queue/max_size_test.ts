// How many items a queue may hold is set while it is used: who waits for room learns of it, in
// whatever process.

import assert from "node:assert/strict";
import * as local from "../../local.ts";
import { InvalidStateError, JoinableQueue, Process, Queue, QueueFull } from "../../mod.ts";
import { turn, until } from "../support/sync.ts";
import * as targets from "../support/targets/queue_targets.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
const limit = { timeout: 20_000 };

/** Any queue, as far as these tests use it. */
interface AnyQueue {
  maxSize: number;
  put(item: number): Promise<void>;
  putNowait(item: number): void;
  getNowait(): number;
  qsize(): number;
  full(): boolean;
  statistics(): { maxSize: number; waitingToPut: number };
}

const kinds: Record<string, (maxSize?: number) => AnyQueue> = {
  "Queue": (maxSize) => new Queue<number>({ maxSize }),
  "JoinableQueue": (maxSize) => new JoinableQueue<number>({ maxSize }),
  "local Queue": (maxSize) => new local.Queue<number>({ maxSize }),
  "local LifoQueue": (maxSize) => new local.LifoQueue<number>({ maxSize }),
  "local PriorityQueue": (maxSize) => new local.PriorityQueue<number>({ maxSize }),
};

for (const [kind, make] of Object.entries(kinds)) {
  Deno.test(`${kind}: a larger maxSize lets puts that wait go on, as many as there is room for`, async () => {
    const queue = make(1);
    queue.putNowait(0);
    const done: number[] = [];
    const puts = [1, 2, 3].map((item) => queue.put(item).then(() => done.push(item)));
    assert.equal(queue.statistics().waitingToPut, 3);
    queue.maxSize = 3;
    assert.equal(queue.maxSize, 3);
    assert.equal(queue.statistics().maxSize, 3);
    await Promise.all(puts.slice(0, 2));
    await turn();
    assert.deepEqual(done, [1, 2]);
    assert.ok(queue.full());
    assert.throws(() => queue.putNowait(4), QueueFull);
    queue.maxSize = 0;
    await puts[2];
    assert.ok(!queue.full());
    for (let item = 4; item < 100; item++) queue.putNowait(item);
    assert.equal(queue.qsize(), 100);
  });

  Deno.test(`${kind}: with a maxSize below its size it keeps its items, and puts wait for room`, async () => {
    const queue = make();
    for (let item = 0; item < 5; item++) queue.putNowait(item);
    queue.maxSize = 2;
    assert.equal(queue.qsize(), 5);
    assert.ok(queue.full());
    assert.throws(() => queue.putNowait(5), /maxSize is 2/);
    let isDone = false;
    const put = queue.put(5).then(() => isDone = true);
    for (let left = 5; left > 2; left--) {
      queue.getNowait();
      await turn();
      assert.equal(isDone, false, `${left - 1} of 2 are there`);
    }
    queue.getNowait();
    await put;
    assert.equal(queue.qsize(), 2);
  });

  Deno.test(`${kind}: a maxSize that can't be is refused, and the old one stays`, () => {
    const queue = make(7);
    const set = (value: unknown) => () => queue.maxSize = value as number;
    for (const wrong of [-1, 1.5, NaN, Infinity, 2 ** 31, -0.5]) {
      assert.throws(set(wrong), RangeError, `${wrong}`);
    }
    for (const wrong of ["5", null, undefined, 5n, {}, [5], true]) {
      assert.throws(set(wrong), TypeError, typeof wrong);
    }
    assert.equal(queue.maxSize, 7);
    queue.maxSize = 2 ** 31 - 1;
    assert.equal(queue.maxSize, 2 ** 31 - 1);
  });
}

for (const face of ["put", "putSync", "putMany"] as const) {
  Deno.test(`a larger maxSize wakes processes that wait for room in ${face}`, async () => {
    const queue = new Queue<number>({ maxSize: 1 }), began = new Queue<string>();
    const args: Parameters<typeof targets.fill> = [queue, began, 5, face];
    const processes = [1, 2].map(() =>
      new Process({ target: targets.fill, args, module: targets.here })
    );
    for (const process of processes) process.start();
    for (const _ of processes) await began.get(limit);
    await until(() => queue.full());
    queue.maxSize = 6;
    await until(() => queue.qsize() === 6);
    queue.maxSize = 10;
    for (const process of processes) await process.result(limit);
    assert.equal(queue.qsize(), 10);
  });
}

Deno.test("a process sets the maxSize for all, and one that waits here goes on", async () => {
  const queue = new Queue<number>({ maxSize: 1 });
  queue.putNowait(0);
  const put = queue.put(1, limit);
  const process = new Process({ target: targets.bound, args: [queue, 3], module: targets.here });
  process.start();
  await put;
  assert.equal(await process.result(limit), 1);
  assert.equal(queue.maxSize, 3);
});

Deno.test("maxSize of a queue that was found by name is the same", async () => {
  const made = new Queue<number>({ name: "max size" });
  const found = await Queue.open<number>("max size");
  found.maxSize = 4;
  assert.equal(made.maxSize, 4);
  made.close();
});

Deno.test("maxSize can't be set once this process has closed the queue, and can be read", () => {
  const queue = new Queue<number>({ maxSize: 3 });
  queue.close();
  assert.throws(() => queue.maxSize = 5, InvalidStateError);
  assert.equal(queue.maxSize, 3);
});

Deno.test("maxSize of a queue that was shut down changes nothing for its puts", async () => {
  for (
    const queue of [new Queue<number>({ maxSize: 1 }), new local.Queue<number>({ maxSize: 1 })]
  ) {
    queue.putNowait(1);
    queue.shutdown();
    queue.maxSize = 10;
    await assert.rejects(queue.put(2), /shut down/);
    assert.equal(queue.getNowait(), 1);
  }
});
