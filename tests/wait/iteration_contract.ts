// The contract of every iterator and every stream of items, from any source: queues of any kind, and
// connections. As tests, for each source that gives items one after the other.

import assert from "node:assert/strict";
import { turn, until } from "../queue/contract/implementation.ts";

/** Something that gives items one after the other. */
export interface Given {
  readonly items: AsyncIterable<number> & { readonly readable: ReadableStream<number> };
  put(item: number): void | Promise<void>;
  /** Takes an item without waiting. */
  takeNow(): number | Promise<number>;
  /** How many tasks wait for an item. */
  waiting(): number | Promise<number>;
  /** No more will be put. */
  end(): void | Promise<void>;
}

const END = { done: true, value: undefined };

/** Registers the tests. */
export function iterationContract(
  test: (name: string, body: () => Promise<void>) => void,
  make: () => Given,
): void {
  const each = (name: string, body: (given: Given) => Promise<void>) => {
    test(name, () => body(make()));
  };
  const iteratorOf = ({ items }: Given): AsyncIterator<number, unknown> => {
    return items[Symbol.asyncIterator]();
  };
  const wait = (given: Given, count: number) => {
    return until(`${count} wait`, async () => await given.waiting() === count);
  };

  each("return() ends a next() that waits at once, and nothing is lost", async (given) => {
    const iterator = iteratorOf(given);
    const waiting = iterator.next();
    await wait(given, 1);
    assert.deepEqual(await iterator.return?.(), END);
    assert.deepEqual(await waiting, END);
    await wait(given, 0);
    await given.put(1);
    await turn();
    assert.deepEqual(await iterator.next(), END);
    assert.equal(await given.takeNow(), 1);
  });

  each("return() before the first next(), twice, and after the end", async (given) => {
    const iterator = iteratorOf(given);
    await given.put(1);
    assert.deepEqual(await iterator.return?.(), END);
    assert.deepEqual(await iterator.return?.(), END);
    assert.deepEqual(await iterator.next(), END);
    assert.equal(await given.takeNow(), 1);
    const another = iteratorOf(given);
    await given.end();
    assert.deepEqual(await another.next(), END);
    assert.deepEqual(await another.return?.(), END);
    assert.deepEqual(await another.next(), END);
  });

  each("several next() at the same time get an item each, in their order", async (given) => {
    const iterator = iteratorOf(given);
    const waiting = [iterator.next(), iterator.next(), iterator.next()];
    await wait(given, 3);
    for (const item of [1, 2, 3]) await given.put(item);
    const got = await Promise.all(waiting);
    assert.deepEqual(got, [1, 2, 3].map((value) => ({ done: false, value })));
    await iterator.return?.();
  });

  each("return() ends all next() that wait, after those that got an item", async (given) => {
    const iterator = iteratorOf(given);
    const waiting = [iterator.next(), iterator.next(), iterator.next()];
    await given.put(1);
    assert.deepEqual(await waiting[0], { done: false, value: 1 });
    await iterator.return?.();
    assert.deepEqual(await Promise.all(waiting.slice(1)), [END, END]);
    await given.put(2);
    assert.equal(await given.takeNow(), 2);
  });

  each(
    "an item taken in the same moment as return() goes to the next() that took it",
    async (given) => {
      const iterator = iteratorOf(given);
      const waiting = iterator.next();
      const put = given.put(1);
      const returned = iterator.return?.();
      const first = await waiting;
      assert.deepEqual(await returned, END);
      await put;
      // Either the call had it already, or it is still there.
      if (first.done) assert.equal(await given.takeNow(), 1);
      else assert.equal(first.value, 1);
    },
  );

  each("the end ends all next() that wait, and all later ones", async (given) => {
    const iterator = iteratorOf(given);
    const waiting = [iterator.next(), iterator.next()];
    await given.end();
    assert.deepEqual(await Promise.all(waiting), [END, END]);
    assert.deepEqual(await iterator.next(), END);
  });

  each("what was put before the end is still given", async (given) => {
    for (const item of [1, 2, 3]) await given.put(item);
    await given.end();
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
    await given.put(1);
    assert.deepEqual(await iterator.next(), END);
    assert.equal(await given.takeNow(), 1);
  });

  each("a loop that is left takes no further item, and another goes on", async (given) => {
    for (const item of [1, 1, 1]) await given.put(item);
    for await (const item of given.items) {
      assert.equal(item, 1);
      break;
    }
    const thrown = new Error("in the loop");
    const loop = async () => {
      for await (const _ of given.items) throw thrown;
    };
    await assert.rejects(loop(), thrown);
    assert.equal(await given.takeNow(), 1);
    await assert.rejects(async () => await given.takeNow());
  });

  each("a loop that waits is ended from outside through its iterator", async (given) => {
    const iterator = iteratorOf(given);
    const got: number[] = [];
    const loop = (async () => {
      for await (const item of { [Symbol.asyncIterator]: () => iterator }) got.push(item);
    })();
    await given.put(1);
    await until("one got, and it waits", async () => {
      return got.length === 1 && await given.waiting() === 1;
    });
    await iterator.return?.();
    await loop;
    await given.put(2);
    assert.deepEqual(got, [1]);
    assert.equal(await given.takeNow(), 2);
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
    await given.put(1);
    assert.equal(await given.takeNow(), 1);
  });

  each(
    "two iterators share the items; that one returns doesn't concern the other",
    async (given) => {
      const [one, other] = [iteratorOf(given), iteratorOf(given)];
      const waiting = [one.next(), other.next()];
      await one.return?.();
      await given.put(1);
      assert.deepEqual(await Promise.all(waiting), [END, { done: false, value: 1 }]);
      await other.return?.();
    },
  );

  each("a stream that is cancelled while it waits takes nothing", async (given) => {
    const reader = given.items.readable.getReader();
    const waiting = reader.read();
    await wait(given, 1);
    // A connection tells the other side that it takes no more, so nothing can be sent any more.
    await reader.cancel();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    await wait(given, 0);
  });

  each("a stream ends as an iterator does", async (given) => {
    await given.put(1);
    await given.end();
    const got: number[] = [];
    for await (const item of given.items.readable) got.push(item);
    assert.deepEqual(got, [1]);
  });

  each(
    "a signal stops a pipe from a stream, and what was not read is still there",
    async (given) => {
      const stop = new AbortController();
      const got: number[] = [];
      const to = new WritableStream<number>({ write: (item) => void got.push(item) });
      await given.put(1);
      const piping = given.items.readable.pipeTo(to, { signal: stop.signal, preventCancel: true });
      await until("one got", () => got.length === 1);
      stop.abort(new Error("enough"));
      await assert.rejects(piping, /enough/);
      assert.deepEqual(got, [1]);
    },
  );
}
