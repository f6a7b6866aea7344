// Many items in one call.

import assert from "node:assert/strict";
import { QueueEmpty, QueueFull } from "../../../mod.ts";
import {
  bound,
  type Contract,
  drain,
  type Face,
  fails,
  is,
  says,
  type Tested,
  waiting,
  wrong,
} from "./implementation.ts";

export function batches(contract: Contract): void {
  const { can, make, test } = contract;
  if (!can.batches) return;

  /** All forms of putMany, and of getMany. */
  const faces = (name: "putMany" | "getMany") =>
    ["", "Nowait", "Sync"].filter((form) => can.blocking || form !== "Sync").map((form) => {
      const method = `${name}${form}` as "putMany";
      return {
        name: method,
        takesSignal: form === "",
        call: (queue: Tested<number>, what: unknown): unknown => queue[method](wrong(what)),
      } satisfies Pick<Face, "name" | "takesSignal"> & { call: unknown };
    });

  test("many are put and got in their order, from anything that can be iterated", async () => {
    const numbers = Array.from({ length: 10_000 }, (_, i) => i);
    for (const put of faces("putMany")) {
      for (const get of faces("getMany")) {
        const queue = make();
        await put.call(queue, numbers);
        const got: number[] = [];
        while (got.length < numbers.length) got.push(...await get.call(queue, 777) as number[]);
        assert.deepEqual(got, numbers);
      }
      const queue = make();
      await put.call(queue, new Set([1, 2]));
      await put.call(
        queue,
        (function* () {
          yield 3;
          yield 4;
        })(),
      );
      await put.call(queue, []);
      assert.deepEqual(await queue.getMany(10), [1, 2, 3, 4]);
    }
  });

  test("getMany waits until there is one, and then takes what is there, and no more than it may", async () => {
    const queue = make();
    const gets = [queue.getMany(2), queue.getMany(10, bound)];
    await waiting(contract, queue, { toGet: 2 });
    await queue.putMany([1, 2, 3]);
    assert.deepEqual(await Promise.all(gets), [[1, 2], [3]]);
    for (const get of faces("getMany")) {
      await queue.putMany([1, 2, 3]);
      assert.deepEqual(await get.call(queue, 2), [1, 2]);
      assert.deepEqual(await get.call(queue, Number.MAX_SAFE_INTEGER), [3]);
    }
    assert.equal(await queue.empty(), true);
  });

  test("putMany goes on as there is room, and says how many it put when there is none", async () => {
    const queue = make({ maxSize: 3 });
    const put = queue.putMany([1, 2, 3, 4, 5]);
    assert.deepEqual([await queue.get(), await queue.get()], [1, 2]);
    await put;
    assert.equal(await queue.qsize(), 3);
    for (const { name, takesSignal } of faces("putMany")) {
      await queue.get();
      await fails(
        contract,
        { name, takesSignal },
        () =>
          name.endsWith("Nowait")
            ? queue.putManyNowait([6, 7, 8])
            : queue[name as "putMany"]([6, 7, 8], { timeout: 5 }),
        (error) => {
          says(QueueFull, /maxSize is 3/)(error);
          assert.equal((error as QueueFull).count, 1);
          return true;
        },
      );
    }
    assert.equal(await queue.qsize(), 3);
  });

  test("putMany that is aborted has put what there was room for, and the rest is not", async () => {
    const queue = make({ maxSize: 2 });
    const stop = new AbortController(), reason = new Error("no longer wanted");
    const put = assert.rejects(queue.putMany([1, 2, 3, 4], { signal: stop.signal }), is(reason));
    await waiting(contract, queue, { toPut: 1 });
    stop.abort(reason);
    await put;
    assert.deepEqual(await drain(queue), [1, 2]);
  });

  test("the items of one putMany that waits aren't mixed with later ones", async () => {
    const queue = make({ maxSize: 1 });
    const puts = [queue.putMany([1, 2, 3]), queue.put(4), queue.putMany([5, 6])];
    const got: number[] = [];
    while (got.length < 6) got.push(await queue.get());
    await Promise.all(puts);
    assert.deepEqual(got, [1, 2, 3, 4, 5, 6]);
  });

  test("an iterable that throws halfway, or is none, has put nothing", async () => {
    const queue = make();
    const thrown = new RangeError("no third");
    for (const put of faces("putMany")) {
      const items = (function* () {
        yield 1;
        yield 2;
        throw thrown;
      })();
      await fails(contract, put, () => put.call(queue, items), is(thrown));
      for (const none of [5, null, undefined, {}]) {
        const check = (error: unknown): true => {
          assert.ok(error instanceof TypeError, `${error}`);
          return true;
        };
        await fails(contract, put, () => put.call(queue, none), check);
      }
      assert.equal(await queue.empty(), true);
    }
  });

  test("an iterable that uses the queue itself does no harm", async () => {
    const queue = make();
    function* items() {
      yield 2;
      queue.putNowait(1);
      yield 3;
    }
    await queue.putMany(items());
    assert.deepEqual(await queue.getMany(5), [1, 2, 3]);
  });

  if (can.copies) {
    test("if one item can't be copied none is put, and it is named with its place", async () => {
      const queue = make<unknown>();
      for (const put of faces("putMany")) {
        const items = ["good", new Map([["key", () => 1]]), "good"];
        const check = says(TypeError, /^items\[1\]\.get\("key"\) is a function/);
        await fails(contract, put, () => put.call(queue as never, items), check);
        assert.equal(await queue.empty(), true);
      }
    });
  }

  test("getMany of no items, or of part of one, is refused, and nothing is taken", async () => {
    const queue = make();
    await queue.put(1);
    for (const get of faces("getMany")) {
      for (const max of [0, -1, NaN, 1.5, Infinity]) {
        const check = says(RangeError, new RegExp(`^max is ${max}\\. `), /whole number from 1/);
        await fails(contract, get, () => get.call(queue, max), check);
      }
      for (const max of ["3", undefined, null, 1n]) {
        await fails(contract, get, () => get.call(queue, max), says(TypeError, /^max is /));
      }
    }
    assert.deepEqual(await queue.getMany(2), [1]);
    await fails(contract, faces("getMany")[1], () => queue.getManyNowait(1), QueueEmpty);
  });
}
