// Every change wakes its waiters. A waiter also looks by itself once a second, which would hide
// a lost wake-up; here time stands still, so it doesn't. Waiting and changing are done by two objects of
// the same shared memory, as in two processes.

import assert from "node:assert/strict";
import { arrives } from "./controlled_time.ts";
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  Semaphore,
  SimpleQueue,
} from "../../mod.ts";

/** Another object of the same shared memory. */
async function again<T>(object: T): Promise<T> {
  const [here, there] = Pipe<T>();
  await here.send(object);
  const same = await there.recv();
  here.close();
  there.close();
  assert.notEqual(same, object);
  return same;
}

/** What came of a wait: its result, or the name of its error. */
function outcome(wait: Promise<unknown>): Promise<unknown> {
  return wait.catch((error) => error.name);
}

/** A wait at one object, and the change by another that ends it; `expected` is what comes of the wait. */
function test<T>(
  name: string,
  make: () => T | Promise<T>,
  wait: (waiter: T) => Promise<unknown>,
  change: (other: T) => unknown,
  expected: unknown,
): void {
  for (const isSame of [false, true]) {
    Deno.test(`woken: ${name}${isSame ? ", by the same object" : ""}`, async () => {
      const waiter = await make();
      const other = isSame ? waiter : await again(waiter);
      const waits = [outcome(wait(waiter)), outcome(wait(waiter))];
      await change(other);
      assert.deepEqual(await arrives("a wake-up", Promise.all(waits)), [expected, expected]);
    });
  }
}

const full = () => {
  const queue = new Queue<number>({ maxSize: 1 });
  queue.putNowait(0);
  return queue;
};
const unfinished = () => {
  const queue = new JoinableQueue<number>();
  for (const n of [1, 2]) queue.putNowait(n);
  return queue;
};

test("a get, by puts", () => new Queue<number>(), (queue) => queue.get(), (queue) => {
  for (const _ of [1, 2]) queue.putNowait(7);
}, 7);
test(
  "a get, by one putMany",
  () => new Queue<number>(),
  (queue) => queue.get(),
  (queue) => queue.putMany([7, 7]),
  7,
);
test(
  "a get of a SimpleQueue, by puts",
  () => new SimpleQueue<number>(),
  (q) => q.get(),
  (queue) => {
    for (const _ of [1, 2]) queue.putNowait(7);
  },
  7,
);
test("a put, by gets", full, (queue) => queue.put(1), async (queue) => {
  for (const _ of [1, 2]) await queue.get();
}, undefined);
test(
  "a put, by one getMany",
  () => {
    const queue = new Queue<number>({ maxSize: 2 });
    queue.putManyNowait([0, 0]);
    return queue;
  },
  (queue) => queue.put(1),
  (queue) => queue.getMany(2),
  undefined,
);
test(
  "a put, by a larger maxSize",
  full,
  (queue) => queue.put(1),
  (queue) => queue.maxSize = 3,
  undefined,
);
test("a put, by a shutdown", full, (q) => q.put(1), (q) => q.shutdown(), "QueueShutDown");
test(
  "a get, by a shutdown",
  () => new Queue<number>(),
  (q) => q.get(),
  (q) => q.shutdown(),
  "QueueShutDown",
);
test("a join, by the last taskDone", unfinished, (queue) => queue.join(), (queue) => {
  for (const _ of [1, 2]) queue.taskDone();
}, true);
test(
  "a join, by an immediate shutdown",
  unfinished,
  (queue) => queue.join(),
  (queue) => queue.shutdown({ immediate: true }),
  true,
);
for (const [name, make] of Object.entries({ Semaphore, BoundedSemaphore })) {
  test(
    `an acquire of a ${name}, by releases`,
    async () => {
      const permits = new make(2);
      for (const _ of [1, 2]) await permits.acquire();
      return permits;
    },
    (permits) => permits.acquire(),
    (permits) => {
      for (const _ of [1, 2]) permits.release();
    },
    true,
  );
}
test("a wait for an event, by set", () => new Event(), (e) => e.wait(), (e) => e.set(), true);
test(
  "a wait at a barrier, by the last of its parties",
  () => new Barrier(3),
  async (barrier) => {
    await barrier.wait();
  },
  (barrier) => void barrier.wait(),
  undefined,
);

Deno.test("woken: an acquire of a Lock, by a release", async () => {
  const lock = new Lock(), same = await again(lock);
  await lock.acquire();
  const waits = [lock.acquire(), same.acquire()];
  same.release();
  assert.equal(await arrives("a wake-up", Promise.race(waits)), true);
  lock.release();
  assert.deepEqual(await arrives("a wake-up", Promise.all(waits)), [true, true]);
  lock.release();
});

Deno.test("woken: a wait at a Condition, by notify, and its lock by a release", async () => {
  const condition = new Condition(new Lock()), same = await again(condition);
  const wait = async (which: Condition) => {
    await which.acquire();
    await which.wait();
    which.release();
    return "notified";
  };
  const waits = [wait(condition), wait(condition)];
  await same.acquire();
  same.notifyAll();
  same.release();
  assert.deepEqual(await arrives("a wake-up", Promise.all(waits)), ["notified", "notified"]);
});

Deno.test("woken: those who wait at a queue, by its close", async () => {
  const queue = new JoinableQueue<number>({ maxSize: 1 });
  queue.putNowait(1);
  const empty = new JoinableQueue<number>();
  const waits = [queue.put(2), queue.join(), empty.get()].map(outcome);
  queue.close();
  empty.close();
  const all = await arrives("a wake-up", Promise.all(waits));
  assert.deepEqual(all, Array(3).fill("InvalidStateError"));
});

Deno.test("woken: a recv and a poll, by a send and by a close", async () => {
  const [here, there] = Pipe<number>();
  const waits = [here.recv(), here.recv(), here.recv()].map(outcome);
  there.sendNowait(7);
  there.sendNowait(8);
  assert.deepEqual(await arrives("a wake-up", Promise.all(waits.slice(0, 2))), [7, 8]);
  there.close();
  assert.equal(await arrives("a wake-up", waits[2]), "EOFError");
  here.close();
});
