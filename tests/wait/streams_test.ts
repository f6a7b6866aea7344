// What every iterator and every stream of items does, whatever they come from: the queues between
// processes, those of one process, and connections.

import assert from "node:assert/strict";
import * as local from "../../local.ts";
import { InvalidStateError, JoinableQueue, Pipe, Queue, QueueShutDown } from "../../mod.ts";
import { turn, until } from "../support/sync.ts";

/** Something that gives items one after the other. */
interface Given {
  items: AsyncIterable<number> & { readonly readable: ReadableStream<number> };
  put(item: number): void;
  /** Takes an item without waiting. */
  takeNow(): number;
  /** How many tasks wait for an item. */
  waiting(): number;
  /** No more will be put. */
  end(): void;
  /** Ends the test. */
  close(): void;
}

/** Any queue, as far as these tests use it. */
interface AnyQueue extends AsyncIterable<number> {
  readonly readable: ReadableStream<number>;
  putNowait(item: number): void;
  getNowait(): number;
  statistics(): { waitingToGet: number };
  shutdown(): void;
  close?(): void;
}

function ofQueue(queue: AnyQueue): Given {
  return {
    items: queue,
    put: (item) => queue.putNowait(item),
    takeNow: () => queue.getNowait(),
    waiting: () => queue.statistics().waitingToGet,
    end: () => queue.shutdown(),
    close: () => queue.close?.(),
  };
}

function ofPipe(duplex: boolean): Given {
  const [receiver, sender] = Pipe<number>({ duplex });
  return {
    items: receiver,
    put: (item) => sender.sendNowait(item),
    takeNow: () => receiver.recvNowait(),
    waiting: () => receiver.closed ? 0 : receiver.statistics().waiting,
    end: () => sender.close(),
    close: () => {
      sender.close();
      receiver.close();
    },
  };
}

const kinds: Record<string, () => Given> = {
  "Queue": () => ofQueue(new Queue<number>()),
  "Queue with a bound": () => ofQueue(new Queue<number>({ maxSize: 10 })),
  "JoinableQueue": () => ofQueue(new JoinableQueue<number>()),
  "local Queue": () => ofQueue(new local.Queue<number>()),
  "local LifoQueue": () => ofQueue(new local.LifoQueue<number>()),
  "local PriorityQueue": () => ofQueue(new local.PriorityQueue<number>()),
  "Connection": () => ofPipe(true),
  "Connection of a one-way pipe": () => ofPipe(false),
};

const END = { done: true, value: undefined };

/** Registers a test for each kind. */
function each(name: string, body: (given: Given) => Promise<void>): void {
  for (const [kind, make] of Object.entries(kinds)) {
    Deno.test(`${kind}: ${name}`, async () => {
      const given = make();
      await body(given);
      given.close();
    });
  }
}

function iteratorOf({ items }: Given): AsyncIterator<number, unknown> {
  return items[Symbol.asyncIterator]();
}

each("return() ends a next() that waits at once, and nothing is lost", async (given) => {
  const iterator = iteratorOf(given);
  const waiting = iterator.next();
  assert.equal(given.waiting(), 1);
  assert.deepEqual(await iterator.return?.(), END);
  assert.deepEqual(await waiting, END);
  assert.equal(given.waiting(), 0);
  given.put(1);
  await turn();
  assert.deepEqual(await iterator.next(), END);
  assert.equal(given.takeNow(), 1);
});

each("return() before the first next(), twice, and after the end", async (given) => {
  const iterator = iteratorOf(given);
  given.put(1);
  assert.deepEqual(await iterator.return?.(), END);
  assert.deepEqual(await iterator.return?.(), END);
  assert.deepEqual(await iterator.next(), END);
  assert.equal(given.takeNow(), 1);
  const another = iteratorOf(given);
  given.end();
  assert.deepEqual(await another.next(), END);
  assert.deepEqual(await another.return?.(), END);
  assert.deepEqual(await another.next(), END);
});

each("several next() at the same time get an item each, in their order", async (given) => {
  const iterator = iteratorOf(given);
  const waiting = [iterator.next(), iterator.next(), iterator.next()];
  assert.equal(given.waiting(), 3);
  for (const item of [1, 2, 3]) given.put(item);
  const got = await Promise.all(waiting);
  assert.deepEqual(got, [1, 2, 3].map((value) => ({ done: false, value })));
  await iterator.return?.();
});

each("return() ends all next() that wait, after those that got an item", async (given) => {
  const iterator = iteratorOf(given);
  const waiting = [iterator.next(), iterator.next(), iterator.next()];
  given.put(1);
  assert.deepEqual(await waiting[0], { done: false, value: 1 });
  await iterator.return?.();
  assert.deepEqual(await Promise.all(waiting.slice(1)), [END, END]);
  given.put(2);
  assert.equal(given.takeNow(), 2);
});

each(
  "an item taken in the same moment as return() goes to the next() that took it",
  async (given) => {
    const iterator = iteratorOf(given);
    const waiting = iterator.next();
    given.put(1);
    const returned = iterator.return?.();
    const first = await waiting;
    assert.deepEqual(await returned, END);
    // Either the call had it already, or it is still there.
    if (first.done) assert.equal(given.takeNow(), 1);
    else assert.equal(first.value, 1);
  },
);

each("the end ends all next() that wait, and all later ones", async (given) => {
  const iterator = iteratorOf(given);
  const waiting = [iterator.next(), iterator.next()];
  given.end();
  assert.deepEqual(await Promise.all(waiting), [END, END]);
  assert.deepEqual(await iterator.next(), END);
});

each("what was put before the end is still given", async (given) => {
  for (const item of [1, 2, 3]) given.put(item);
  given.end();
  const got: number[] = [];
  for await (const item of given.items) got.push(item);
  assert.deepEqual(got.sort(), [1, 2, 3]);
});

each("throw() ends the iteration as return() does, and rejects", async (given) => {
  const iterator = iteratorOf(given);
  const waiting = iterator.next();
  const error = new Error("enough");
  assert.ok(iterator.throw);
  await assert.rejects(iterator.throw(error), error);
  assert.deepEqual(await waiting, END);
  given.put(1);
  assert.deepEqual(await iterator.next(), END);
  assert.equal(given.takeNow(), 1);
});

each("a loop that is left takes no further item, and another goes on", async (given) => {
  for (const item of [1, 1, 1]) given.put(item);
  for await (const item of given.items) {
    assert.equal(item, 1);
    break;
  }
  const thrown = new Error("in the loop");
  const loop = async () => {
    for await (const _ of given.items) throw thrown;
  };
  await assert.rejects(loop(), thrown);
  assert.equal(given.takeNow(), 1);
  assert.throws(() => given.takeNow());
});

each("a loop that waits is ended from outside through its iterator", async (given) => {
  const iterator = iteratorOf(given);
  const got: number[] = [];
  const loop = (async () => {
    for await (const item of { [Symbol.asyncIterator]: () => iterator }) got.push(item);
  })();
  given.put(1);
  await until(() => got.length === 1 && given.waiting() === 1);
  await iterator.return?.();
  await loop;
  given.put(2);
  assert.deepEqual(got, [1]);
  assert.equal(given.takeNow(), 2);
});

each("an iterator iterates over itself, and `await using` ends it", async (given) => {
  const iterator = given.items[Symbol.asyncIterator]() as
    & AsyncIterableIterator<number>
    & AsyncDisposable;
  assert.equal(iterator[Symbol.asyncIterator](), iterator);
  let waiting: Promise<IteratorResult<number>>;
  {
    await using same = iterator;
    waiting = same.next();
  }
  assert.deepEqual(await waiting, END);
  given.put(1);
  assert.equal(given.takeNow(), 1);
});

each("two iterators share the items; that one returns doesn't concern the other", async (given) => {
  const [one, other] = [iteratorOf(given), iteratorOf(given)];
  const waiting = [one.next(), other.next()];
  await one.return?.();
  given.put(1);
  assert.deepEqual(await Promise.all(waiting), [END, { done: false, value: 1 }]);
  await other.return?.();
});

each("a stream that is cancelled while it waits takes nothing", async (given) => {
  const reader = given.items.readable.getReader();
  const waiting = reader.read();
  await until(() => given.waiting() === 1);
  // A connection tells the other side that it takes no more, so nothing can be sent any more.
  await reader.cancel();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  assert.equal(given.waiting(), 0);
});

each("a stream ends as an iterator does", async (given) => {
  given.put(1);
  given.end();
  const got: number[] = [];
  for await (const item of given.items.readable) got.push(item);
  assert.deepEqual(got, [1]);
});

each("a signal stops a pipe from a stream, and what was not read is still there", async (given) => {
  const stop = new AbortController();
  const got: number[] = [];
  const to = new WritableStream<number>({ write: (item) => void got.push(item) });
  given.put(1);
  const piping = given.items.readable.pipeTo(to, { signal: stop.signal, preventCancel: true });
  await until(() => got.length === 1);
  stop.abort(new Error("enough"));
  await assert.rejects(piping, /enough/);
  assert.deepEqual(got, [1]);
});

for (
  const [kind, make] of Object.entries({
    Queue: () => new Queue<number>(),
    JoinableQueue: () => new JoinableQueue<number>(),
  })
) {
  Deno.test(`${kind}: of several next() that wait, the first reports that the queue was closed`, async () => {
    const queue = make();
    const iterator = queue[Symbol.asyncIterator]();
    const waiting = [iterator.next(), iterator.next()];
    queue.close();
    await assert.rejects(waiting[0], InvalidStateError);
    assert.deepEqual(await waiting[1], END);
    assert.deepEqual(await iterator.next(), END);
  });
}

Deno.test("a loop over a local queue that ends for another reason doesn't take a shutdown for an error", async () => {
  const queue = new local.Queue<number>();
  queue.shutdown();
  for await (const _ of queue) assert.fail("there is nothing");
  await assert.rejects(queue.get(), QueueShutDown);
});

Deno.test("a promise in a local queue that rejects is an item, also to a stream", async () => {
  const queue = new local.Queue<Promise<number>>();
  const rejected = Promise.reject(new Error("the item"));
  rejected.catch(() => {});
  queue.putNowait(rejected);
  const { value } = await queue.readable.getReader().read();
  assert.equal(value, rejected);
});
