// The compiler's view of functions for any queue, and for any holdable: this file is type-checked, and
// the calls that must not be accepted are marked.

import assert from "node:assert/strict";
import * as local from "@multiproc/multiprocessing/local";
import {
  type AsyncJoinableQueue,
  type AsyncQueue,
  type BasicQueue,
  type BatchQueue,
  type BlockingQueue,
  BoundedSemaphore,
  Condition,
  type Holdable,
  JoinableQueue,
  Lock,
  Queue,
  RLock,
  Semaphore,
  SimpleQueue,
} from "@multiproc/multiprocessing";

type Same<X, Y> = (<T>() => T extends X ? 1 : 2) extends (<T>() => T extends Y ? 1 : 2) ? true
  : false;

/** Only for types that are the same. */
function same<_T extends true>(): void {}

Deno.test("a function for any queue takes every queue, and what it can't answer at once it awaits", async () => {
  async function move<T>(from: AsyncQueue<T>, to: BasicQueue<T>): Promise<number> {
    // @ts-expect-error it may be a promise
    const size: number = from.qsize();
    same<Same<ReturnType<typeof from.getNowait>, T | Promise<T>>>();
    for (let left = await from.qsize(); left > 0; left--) await to.put(await from.getNowait());
    return size;
  }
  const queues = [
    new Queue<number>(),
    new JoinableQueue<number>(),
    new local.Queue<number>(),
    new local.LifoQueue<number>(),
    new local.PriorityQueue<number>(),
  ];
  const simple = new SimpleQueue<number>();
  for (const [n, queue] of queues.entries()) {
    await queue.put(n);
    await move(queue, simple);
    assert.equal(simple.getNowait(), n);
    // The queue itself answers at once.
    same<Same<ReturnType<typeof queue.qsize>, number>>();
  }
  // @ts-expect-error it has no size
  move(simple, queues[0]).catch(() => {});
  // @ts-expect-error they have other items
  const strings: AsyncQueue<string> = new Queue<number>();
  assert.ok(strings);
});

Deno.test("what some queues can do is an interface of its own", () => {
  const batches: BatchQueue<number>[] = [new Queue<number>(), new JoinableQueue<number>()];
  const blocking: BlockingQueue<number>[] = [
    ...batches as Queue<number>[],
    new SimpleQueue<number>(),
  ];
  const joinable: AsyncJoinableQueue<number>[] = [
    new JoinableQueue<number>(),
    new local.Queue<number>(),
  ];
  // @ts-expect-error it can't be joined
  joinable.push(new Queue<number>());
  // @ts-expect-error it doesn't block
  blocking.push(new local.Queue<number>());
  // @ts-expect-error it puts them one by one
  batches.push(new local.Queue<number>());
  assert.deepEqual([batches.length, blocking.length, joinable.length], [3, 4, 3]);
});

Deno.test("a function for what can be held takes locks, semaphores and conditions", async () => {
  async function inside(what: Holdable): Promise<boolean> {
    using held = await what.hold({ timeout: 0 });
    return held.released;
  }
  const all = [new Lock(), new RLock(), new Semaphore(), new BoundedSemaphore(), new Condition()];
  for (const what of all) assert.equal(await inside(what), false);
  // @ts-expect-error it isn't held
  await assert.rejects(inside(new Queue()));
});
