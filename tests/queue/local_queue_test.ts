// What the queues for the tasks of one process do, whatever the order of their items, and that no
// wait takes what it shouldn't.

import assert from "node:assert/strict";
import {
  LifoQueue,
  PriorityQueue,
  Queue,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  type WaitOptions,
} from "../../local.ts";
import { Process, Queue as SharedQueue } from "../../mod.ts";
import { drain, each, type ErrorClass, says, turn, wrong } from "../support/local.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

// What all three do

each("puts and gets, now and later, with its size told", async (Class) => {
  const queue = new Class<number>({ maxSize: 2 });
  assert.equal(queue.maxSize, 2);
  assert.ok(queue.empty() && !queue.full());
  await queue.put(1);
  queue.putNowait(1);
  assert.ok(!queue.empty() && queue.full());
  assert.equal(queue.qsize(), 2);
  assert.equal(await queue.get(), 1);
  assert.equal(queue.getNowait(), 1);
  assert.equal(new Class().maxSize, 0);
  assert.ok(!new Class().full());
});

each("gives the very objects that were put, undefined and null among them", async (Class) => {
  const make = () =>
    Class === PriorityQueue ? new PriorityQueue({ compare: () => 0 }) : new Class();
  const items = [{ f() {} }, undefined, null, Symbol("s"), () => 1];
  for (const item of items) {
    const queue = make();
    queue.putNowait(item);
    assert.equal(await queue.get(), item);
    const waiting = queue.get();
    queue.putNowait(item);
    assert.equal(await waiting, item);
  }
});

each("an empty queue says so now and after a timeout", async (Class) => {
  const queue = new Class<number>();
  assert.throws(() => queue.getNowait(), says(QueueEmpty, /is empty/));
  await assert.rejects(queue.get({ timeout: 0 }), says(QueueEmpty, /is empty/));
  await assert.rejects(queue.get({ timeout: 1 }), says(QueueEmpty, /is empty/));
  assert.equal(queue.statistics().waitingToGet, 0);
});

each("a full queue says so, and the refused item is not in it", async (Class) => {
  const queue = new Class<number>({ maxSize: 1 });
  queue.putNowait(1);
  assert.throws(() => queue.putNowait(2), says(QueueFull, /maxSize is 1/));
  await assert.rejects(queue.put(3, { timeout: 0 }), says(QueueFull, /maxSize is 1/));
  await assert.rejects(queue.put(4, { timeout: 1 }), says(QueueFull, /maxSize is 1/));
  assert.deepEqual(drain(queue), [1]);
  assert.equal(queue.unfinished, 1);
});

each("a wait with timeout 0 succeeds if it needn't wait", async (Class) => {
  const queue = new Class<number>();
  await queue.put(1, { timeout: 0 });
  assert.equal(await queue.get({ timeout: 0 }), 1);
});

each("waiting gets are served in their order, and nobody overtakes them", async (Class) => {
  const queue = new Class<number>();
  const gets = [queue.get(), queue.get({ timeout: Infinity }), queue.get(bound)];
  assert.throws(() => queue.getNowait(), QueueEmpty);
  queue.putNowait(3);
  assert.throws(() => queue.getNowait(), QueueEmpty);
  queue.putNowait(1);
  gets.push(queue.get());
  await assert.rejects(queue.get({ timeout: 0 }), QueueEmpty);
  await queue.put(2);
  await queue.put(0);
  assert.deepEqual(await Promise.all(gets), [3, 1, 2, 0]);
});

each("waiting puts go in in their order, and nobody overtakes them", async (Class) => {
  const queue = new Class<number>({ maxSize: 1 });
  queue.putNowait(3);
  const puts = [queue.put(1), queue.put(2)];
  assert.equal(queue.statistics().waitingToPut, 2);
  const got: number[] = [];
  for (let i = 0; i < 3; i++) {
    got.push(queue.getNowait());
    if (i < 2) assert.throws(() => queue.putNowait(99), QueueFull);
  }
  await Promise.all(puts);
  assert.deepEqual(got, [3, 1, 2]);
});

each(
  "gets that are begun together resolve in their order, the waiting ones last",
  async (Class) => {
    const queue = new Class<number>();
    const count = 2000;
    for (let i = 0; i < count; i++) queue.putNowait(i);
    const order: number[] = [];
    const gets = Array.from({ length: 2 * count }, (_, i) => queue.get().then(() => order.push(i)));
    for (let i = 0; i < count; i++) queue.putNowait(i);
    await Promise.all(gets);
    assert.deepEqual(order, Array.from({ length: 2 * count }, (_, i) => i));
  },
);

each("a wait that is aborted rejects with the reason and has taken nothing", async (Class) => {
  const queue = new Class<string>({ maxSize: 1 });
  const aborted = new AbortController(), reason = new Error("no longer wanted");
  const { signal } = aborted;
  const isReason = (error: unknown) => error === reason;
  const gets = [queue.get({ signal }), queue.get({ timeout: 1 }), queue.get()];
  aborted.abort(reason);
  await assert.rejects(gets[0], isReason);
  await assert.rejects(gets[1], QueueEmpty);
  queue.putNowait("for the third");
  assert.equal(await gets[2], "for the third");

  queue.putNowait("a");
  const again = new AbortController();
  const puts = [queue.put("b", { signal: again.signal }), queue.put("c")];
  again.abort(reason);
  await assert.rejects(puts[0], isReason);
  assert.equal(queue.getNowait(), "a");
  await puts[1];
  assert.deepEqual(drain(queue), ["c"]);

  const third = new AbortController();
  const join = queue.join({ signal: third.signal });
  third.abort(reason);
  await assert.rejects(join, isReason);
  assert.equal(queue.statistics().waitingToJoin, 0);
});

each(
  "a signal that is aborted already rejects, even when there is no need to wait",
  async (Class) => {
    const queue = new Class<number>();
    queue.putNowait(1);
    const reason = new Error("before it began");
    const options = { signal: AbortSignal.abort(reason) };
    const isReason = (error: unknown) => error === reason;
    for (const timeout of [undefined, 0]) {
      await assert.rejects(queue.get({ ...options, timeout }), isReason);
      await assert.rejects(queue.put(2, { ...options, timeout }), isReason);
      await assert.rejects(queue.join({ ...options, timeout }), isReason);
    }
    assert.deepEqual(drain(queue), [1]);
  },
);

each("an abort after the item has come changes nothing", async (Class) => {
  const queue = new Class<number>({ maxSize: 1 });
  const aborted = new AbortController();
  const get = queue.get({ signal: aborted.signal, ...bound });
  queue.putNowait(1);
  aborted.abort();
  assert.equal(await get, 1);
});

each("statistics tell all at a glance", async (Class) => {
  const queue = new Class<number>({ maxSize: 2 });
  queue.putNowait(1);
  queue.putNowait(2);
  const put = queue.put(3), join = queue.join();
  const still = { maxSize: 2, waitingToGet: 0, shutDown: false };
  assert.deepEqual(queue.statistics(), {
    ...still,
    ...{ size: 2, put: 2, got: 0, unfinished: 2, waitingToPut: 1, waitingToJoin: 1 },
  });
  queue.getNowait();
  queue.taskDone();
  assert.deepEqual(queue.statistics(), {
    ...still,
    ...{ size: 2, put: 3, got: 1, unfinished: 2, waitingToPut: 0, waitingToJoin: 1 },
  });
  await put;
  drain(queue);
  const get = assert.rejects(queue.get(), QueueShutDown);
  assert.equal(queue.statistics().waitingToGet, 1);
  queue.shutdown();
  await get;
  queue.taskDone();
  queue.taskDone();
  assert.equal(await join, true);
  assert.deepEqual(queue.statistics(), {
    ...{ size: 0, maxSize: 2, put: 3, got: 3, unfinished: 0, waitingToGet: 0, waitingToPut: 0 },
    ...{ waitingToJoin: 0, shutDown: true },
  });
});

// Being done

each("join waits until every item is done", async (Class) => {
  const queue = new Class<number>({ maxSize: 2 });
  assert.equal(await queue.join(), true);
  assert.equal(await queue.join({ timeout: 0 }), true);
  queue.putNowait(1);
  queue.putNowait(2);
  const third = queue.put(3);
  assert.equal(queue.unfinished, 2);
  const joins = [queue.join(), queue.join(bound)];
  for (let i = 0; i < 3; i++) {
    await queue.get();
    assert.equal(await queue.join({ timeout: 0 }), false);
    assert.equal(await queue.join({ timeout: 1 }), false);
    queue.taskDone();
  }
  await third;
  assert.deepEqual(await Promise.all(joins), [true, true]);
  assert.equal(queue.unfinished, 0);
});

each("an item handed to a task that waited for it counts until it is done", async (Class) => {
  const queue = new Class<number>();
  const get = queue.get();
  queue.putNowait(1);
  assert.equal(queue.unfinished, 1);
  await get;
  assert.equal(await queue.join({ timeout: 0 }), false);
  queue.taskDone();
  assert.equal(await queue.join({ timeout: 0 }), true);
});

each("taskDone more often than there were items is refused, and the count stays right", (Class) => {
  const queue = new Class<number>();
  const isRefused = says(RangeError, /taskDone\(\) was called more often/, /once for each item/);
  assert.throws(() => queue.taskDone(), isRefused);
  queue.putNowait(1);
  queue.taskDone();
  assert.throws(() => queue.taskDone(), isRefused);
  assert.equal(queue.unfinished, 0);
  queue.putNowait(1);
  assert.equal(queue.unfinished, 1);
});

// Shutting down

each(
  "after a shutdown puts fail, gets drain the queue, loops end, and join counts on",
  async (Class) => {
    const queue = new Class<number>();
    for (const item of [1, 1, 1]) queue.putNowait(item);
    queue.shutdown();
    queue.shutdown();
    await assert.rejects(queue.put(4), says(QueueShutDown, /takes no more items/, /new queue/));
    assert.throws(() => queue.putNowait(4), QueueShutDown);
    const join = queue.join();
    assert.equal(await queue.join({ timeout: 0 }), false);
    let got = 0;
    for await (const item of queue) {
      got += item;
      queue.taskDone();
    }
    assert.equal(got, 3);
    assert.equal(await join, true);
    await assert.rejects(queue.get(), says(QueueShutDown, /is empty/));
    await assert.rejects(queue.get({ timeout: 0 }), QueueShutDown);
    assert.throws(() => queue.getNowait(), QueueShutDown);
  },
);

each(
  "a shutdown wakes whoever waits for an item or for room, and puts nothing of his",
  async (Class) => {
    const empty = new Class<number>(), full = new Class<number>({ maxSize: 1 });
    const gets = [empty.get(), empty.get(bound)];
    empty.shutdown();
    for (const get of gets) await assert.rejects(get, QueueShutDown);
    full.putNowait(1);
    const puts = [full.put(2), full.put(3, bound)];
    full.shutdown();
    for (const put of puts) await assert.rejects(put, QueueShutDown);
    assert.deepEqual(drain(full), [1]);
  },
);

each("an immediate shutdown drops the items, and who joins is free", async (Class) => {
  const queue = new Class<number>({ maxSize: 2 });
  queue.putNowait(1);
  queue.putNowait(2);
  const put = queue.put(3), join = queue.join();
  queue.shutdown({ immediate: true });
  assert.equal(await join, true);
  await assert.rejects(put, QueueShutDown);
  await assert.rejects(queue.get(), QueueShutDown);
  assert.equal(queue.qsize(), 0);
  assert.equal(queue.unfinished, 0);
});

each("an immediate shutdown leaves what was got to be done", async (Class) => {
  const queue = new Class<number>();
  for (let i = 0; i < 3; i++) queue.putNowait(i);
  queue.getNowait();
  const join = queue.join();
  queue.shutdown();
  queue.shutdown({ immediate: true });
  assert.equal(queue.unfinished, 1);
  assert.equal(await queue.join({ timeout: 0 }), false);
  queue.taskDone();
  assert.equal(await join, true);
  assert.throws(() => queue.taskDone(), RangeError);
});

each("a loop that ends early leaves the rest in the queue", async (Class) => {
  const queue = new Class<number>();
  for (let i = 0; i < 3; i++) queue.putNowait(1);
  for await (const _ of queue) break;
  assert.equal(queue.qsize(), 2);
  queue.shutdown();
  let rest = 0;
  for await (const item of queue) rest += item;
  assert.equal(rest, 2);
});

// Streams

each(
  "as web streams it carries items with back-pressure and ends with a shutdown",
  async (Class) => {
    const from = new Class<number>(), to = new Class<string>({ maxSize: 2 });
    assert.equal(from.readable, from.readable);
    assert.equal(to.writable, to.writable);
    const piped = from.readable
      .pipeThrough(new TransformStream({ transform: (n, out) => out.enqueue(`n${n}`) }))
      .pipeTo(to.writable);
    for (let i = 0; i < 5; i++) from.putNowait(i);
    from.shutdown();
    while (!to.full()) await turn();
    // Streams hold a few items themselves, and then ask for no more.
    for (let i = 0; i < 10; i++) await turn();
    assert.ok(!from.empty());
    const got = [];
    for await (const item of to) got.push(item);
    await piped;
    assert.deepEqual(got.sort(), ["n0", "n1", "n2", "n3", "n4"]);
  },
);

each("its stream takes nothing ahead of a read, nor when it is cancelled", async (Class) => {
  const queue = new Class<number>();
  queue.putNowait(1);
  queue.putNowait(1);
  const reader = queue.readable.getReader();
  await turn();
  assert.equal(queue.qsize(), 2);
  assert.equal((await reader.read()).value, 1);
  await turn();
  assert.equal(queue.qsize(), 1);
  queue.getNowait();
  const read = reader.read();
  await reader.cancel();
  assert.equal((await read).done, true);
  queue.putNowait(7);
  assert.equal(await queue.get(), 7);
});

each("its stream, cancelled as its item arrives, doesn't lose it", async (Class) => {
  const queue = new Class<number>();
  const reader = queue.readable.getReader();
  const read = reader.read();
  await turn();
  const cancelled = queue.get().then(() => reader.cancel());
  queue.putNowait(1);
  queue.putNowait(1);
  await cancelled;
  assert.deepEqual([(await read).value, queue.qsize()], [1, 0]);
});

each("a stream that puts, aborted while it waits for room, puts nothing more", async (Class) => {
  const queue = new Class<number>({ maxSize: 1 });
  queue.putNowait(1);
  const writer = queue.writable.getWriter(), reason = new Error("no longer wanted");
  const isReason = (error: unknown) => error === reason;
  const writes = [writer.write(2), writer.write(3)].map((write) => assert.rejects(write, isReason));
  const closed = assert.rejects(writer.closed, isReason);
  await turn();
  assert.equal(queue.statistics().waitingToPut, 1);
  await writer.abort(reason);
  await Promise.all([...writes, closed]);
  assert.deepEqual(drain(queue), [1]);
  assert.ok(queue.statistics().shutDown);
});

// Turns

each("a loop that never has to wait lets timers run", async (Class) => {
  const loops: Record<string, (queue: Queue<number>) => Promise<unknown>> = {
    "put and get": async (queue) => {
      await queue.put(1);
      await queue.get();
    },
    "polling an empty queue": (queue) => queue.get({ timeout: 0 }).catch(() => {}),
    "joining": (queue) => queue.join(),
    "handing to one who waits": async (queue) => {
      const get = queue.get();
      queue.putNowait(1);
      await get;
    },
  };
  for (const [name, loop] of Object.entries(loops)) {
    const queue = new Class<number>();
    let fired = false;
    const timer = setTimeout(() => fired = true, 1);
    // Bounded, so that a failure is one and no hang.
    for (let i = 0; i < 2_000_000 && !fired; i++) await loop(queue);
    clearTimeout(timer);
    assert.ok(fired, name);
  }
});

Deno.test({
  name: "a wait keeps no program alive (needs --allow-run --allow-read)",
  ignore: (["run", "read"] as const).some((name) =>
    Deno.permissions.querySync({ name }).state !== "granted"
  ),
  fn: async () => {
    const program = new URL("../support/programs/local_waits.ts", import.meta.url).href;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", program],
      stdin: "null",
      env: { NO_COLOR: "1" },
      signal: AbortSignal.timeout(30_000),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.deepEqual([code, text(stdout), text(stderr)], [0, "main\n", ""]);
  },
});

// Orders

Deno.test("a Queue gives the oldest item first, a LifoQueue the newest", async () => {
  const queue = new Queue<number>(), stack = new LifoQueue<number>();
  const items = Array.from({ length: 1000 }, (_, i) => i);
  for (const item of items) {
    await queue.put(item);
    await stack.put(item);
  }
  assert.deepEqual(drain(queue), items);
  assert.deepEqual(drain(stack), items.toReversed());
});

Deno.test("LifoQueue and PriorityQueue are Queues", () => {
  assert.ok(new LifoQueue() instanceof Queue);
  assert.ok(new PriorityQueue() instanceof Queue);
  class Mine extends PriorityQueue<number> {}
  const mine = new Mine({ compare: (a, b) => b - a });
  for (const item of [1, 3, 2]) mine.putNowait(item);
  assert.deepEqual(drain(mine), [3, 2, 1]);
});

// Bad input

const noTimes: [unknown, ErrorClass, RegExp][] = [
  [NaN, RangeError, /^timeout is NaN\./],
  [-1, RangeError, /^timeout is -1\./],
  [-Infinity, RangeError, /^timeout is -Infinity\./],
  ["5", TypeError, /^timeout is a string/],
  [null, TypeError, /^timeout is null/],
  [5n, TypeError, /^timeout is a bigint/],
];

each("a timeout or a signal that is none is refused, and nothing happens", async (Class) => {
  const queue = new Class<number>();
  queue.putNowait(1);
  const calls = [
    (options: WaitOptions) => queue.get(options),
    (options: WaitOptions) => queue.put(2, options),
    (options: WaitOptions) => queue.join(options),
  ];
  for (const call of calls) {
    for (const [timeout, errorClass, pattern] of noTimes) {
      await assert.rejects(
        call({ timeout: wrong(timeout) }),
        says(errorClass, pattern, /milliseconds from 0 up/),
      );
    }
    for (const signal of [null, 5, "now", new AbortController()]) {
      await assert.rejects(call({ signal: wrong(signal) }), says(TypeError, /^signal is /));
    }
  }
  assert.deepEqual(drain(queue), [1]);
});

each("options that are none are refused in words", (Class) => {
  const table: [unknown, ErrorClass, RegExp][] = [
    [-1, RangeError, /^maxSize is -1\. .*from 0 to 2147483647; 0 for no bound/],
    [1.5, RangeError, /^maxSize is 1\.5\./],
    [NaN, RangeError, /^maxSize is NaN\./],
    [Infinity, RangeError, /^maxSize is Infinity\./],
    [2 ** 31, RangeError, /^maxSize is 2147483648\./],
    ["5", TypeError, /^maxSize is a string, "5", not a number\. .*0 for no bound/],
    [null, TypeError, /^maxSize is null, not a number\./],
    [5n, TypeError, /^maxSize is a bigint, not a number\./],
  ];
  for (const [maxSize, errorClass, pattern] of table) {
    assert.throws(() => new Class({ maxSize: wrong(maxSize) }), says(errorClass, pattern));
  }
  for (const options of [10, null, "10"]) {
    assert.throws(
      () => new Class(wrong(options)),
      says(TypeError, /^The options are /, new RegExp(`new ${Class.name}\\(\\{ maxSize`)),
    );
  }
  assert.equal(new Class({ maxSize: 2 ** 31 - 1 }).maxSize, 2 ** 31 - 1);
});

// Other processes

each("it isn't given to a process: start() says why and names the queue that is", (Class) => {
  const work = new Class<number>();
  work.putNowait(1);
  const process = new Process({
    target: (_: unknown) => {},
    args: [{ deep: [new Map([["work", work]])] }],
    by: "source",
  });
  assert.throws(
    () => process.start(),
    says(
      TypeError,
      new RegExp(`^args\\[0\\]\\.deep\\[0\\]\\.get\\("work"\\) is a ${Class.name} of `),
      /"@multiproc\/multiprocessing\/local"/,
      /for the tasks of one process/,
      /Use Queue of "@multiproc\/multiprocessing"/,
    ),
  );
  assert.equal(process.pid, undefined);
  const named = new Process({ target: (_: unknown) => {}, args: [{ work }], by: "source" });
  assert.throws(() => named.start(), says(TypeError, /^args\[0\]\.work is a /));
  assert.deepEqual(drain(work), [1]);
});

each("it isn't put into a queue between processes, for the same reason", async (Class) => {
  const shared = new SharedQueue<unknown>();
  const isRefused = says(TypeError, new RegExp(`^item\\.work is a ${Class.name} of `), /Use Queue/);
  assert.throws(() => shared.putNowait({ work: new Class() }), isRefused);
  await assert.rejects(shared.put({ work: new Class() }), isRefused);
  assert.throws(() => shared.putSync(new Class()), says(TypeError, /^item is a /));
  assert.equal(shared.qsize(), 0);
});
