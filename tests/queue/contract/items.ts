// Every item that is put is got: once, in the order of the queue, with its value.

import assert from "node:assert/strict";
import {
  type Contract,
  drain,
  type Face,
  getsOf,
  inOrder,
  putsOf,
  turn,
} from "./implementation.ts";

/** Values of all kinds that can be items. */
const values: readonly unknown[] = [
  ...[undefined, null, 0, -0, NaN, "", "text", false, true, 2n ** 70n, [], {}],
  ...[{ nested: [1, { deep: "er" }] }, new Map([["key", new Set([1])]]), new Date(5), /a/g],
  ...[new Uint8Array([1, 2, 3]), new Error("an item"), [undefined, , 1]],
];

export function items(contract: Contract): void {
  const { can, implementation, make, test } = contract;

  test("items come out in its order, and it is empty then", async () => {
    const queue = make();
    const numbers = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000);
    assert.equal(await queue.empty(), true);
    for (const n of numbers) await queue.put(n);
    assert.equal(await queue.empty(), false);
    const got: number[] = [];
    for (const _ of numbers) got.push(await queue.get());
    assert.deepEqual(got, inOrder(implementation, numbers));
    assert.equal(await queue.empty(), true);
  });

  test("whatever it was put with, each form of get gives it", async () => {
    for (const put of putsOf(contract, "item")) {
      for (const get of getsOf(contract)) {
        const queue = make<unknown>({ maxSize: 3 });
        await put.call(queue);
        const got = await get.call(queue);
        assert.deepEqual(got, get.isMany ? ["item"] : "item", `${put.name} and ${get.name}`);
        assert.equal(await queue.empty(), true);
      }
    }
  });

  test("what its forms have put is got by any of them, in its order", async () => {
    const queue = make<unknown>();
    const puts = putsOf(contract, 0).map(({ name }) => name);
    for (const [n, name] of puts.entries()) {
      await putsOf(contract, n).find((face) => face.name === name)!.call(queue);
    }
    const expected = inOrder(implementation, puts.map((_, n) => n));
    const got: unknown[] = [];
    for (let i = 0; got.length < expected.length; i++) {
      const gets = getsOf(contract);
      const { isMany, call } = gets[i % gets.length];
      const answer = await call(queue);
      if (isMany) got.push(...answer as unknown[]);
      else got.push(answer);
    }
    assert.deepEqual(got, expected);
  });

  const isPromised = ({ name, takesSignal }: Face) =>
    takesSignal || !can.synchronous && !name.endsWith("Sync");

  test("what puts and gets at once answers at once, or by a promise", async () => {
    const queue = make<unknown>();
    for (const face of putsOf(contract, 1)) {
      const answer = face.call(queue);
      assert.equal(answer instanceof Promise, isPromised(face), face.name);
      assert.equal(await answer, undefined);
    }
    for (const face of getsOf(contract)) {
      await queue.put(1);
      const answer = face.call(queue);
      assert.equal(answer instanceof Promise, isPromised(face), face.name);
      await answer;
    }
    assert.equal(queue.empty() instanceof Promise, !can.synchronous);
  });

  test("items are any values, also those that stand for nothing", async () => {
    for (const value of values) {
      const queue = make<unknown>({ any: true });
      await queue.put(value);
      assert.deepEqual(await queue.get(), value);
      const waiting = queue.get();
      await queue.putNowait(value);
      const got = await waiting;
      assert.deepEqual(got, value);
      if (!can.copies) assert.equal(got, value);
    }
  });

  if (can.copies) {
    test("items are copied when they are put, and not when they are got", async () => {
      for (const put of putsOf(contract, undefined).map(({ name }) => name)) {
        const queue = make<unknown>();
        const item = { list: [1] };
        const face = putsOf(contract, item).find(({ name }) => name === put)!;
        const done = face.call(queue);
        item.list.push(2);
        await done;
        assert.deepEqual(await queue.get(), { list: [1] }, put);
      }
    });
  } else {
    test("what is got is the object that was put, with all that can't be copied", async () => {
      const things: object[] = [{ f() {} }, () => 1, new WeakMap(), Promise.withResolvers()];
      const symbol = Symbol("an item");
      for (const item of [...things, symbol]) {
        const queue = make<unknown>({ any: true });
        await queue.put(item);
        assert.equal(await queue.get(), item);
        await queue.put(item);
        assert.equal(await queue.getNowait(), item);
      }
    });
  }

  test("gets that are begun together resolve in their order, those that wait last", async () => {
    const queue = make();
    const numbers = Array.from({ length: 2000 }, (_, i) => i);
    for (const n of numbers.slice(0, 1000)) await queue.putNowait(n);
    const order: number[] = [];
    const gets = numbers.map((n) => queue.get().then(() => order.push(n)));
    for (const n of numbers.slice(1000)) await queue.putNowait(n);
    await Promise.all(gets);
    assert.deepEqual(order, numbers);
  });

  test("loops that never have to wait let timers run", async () => {
    const loops: Record<string, () => Promise<unknown>> = {};
    const queue = make(), empty = make();
    loops["put and get"] = async () => {
      await queue.put(1);
      await queue.get();
    };
    loops["poll an empty queue"] = () => empty.get({ timeout: 0 }).catch(() => {});
    loops["hand to one that waits"] = async () => {
      const get = queue.get();
      await queue.putNowait(1);
      await get;
    };
    if (can.joinable) loops["join"] = () => empty.join();
    for (const [name, loop] of Object.entries(loops)) {
      let fired = false;
      const timer = setTimeout(() => fired = true, 1);
      // Bounded, so that a failure is one and no hang.
      for (let i = 0; i < 5_000_000 && !fired; i++) await loop();
      clearTimeout(timer);
      assert.ok(fired, name);
    }
  });

  test("many tasks that put and get at once lose nothing and double nothing", async () => {
    const queue = make({ maxSize: can.asyncQueue ? 3 : undefined });
    const got: number[] = [];
    const put = async (task: number) => {
      for (let i = 0; i < 50; i++) {
        await queue.put(task * 50 + i);
        if (i % 7 === task) await turn();
      }
    };
    const get = async (task: number) => {
      for (let i = 0; i < 50; i++) {
        got.push(await queue.get());
        if (i % 5 === task) await turn();
      }
    };
    await Promise.all([0, 1, 2, 3].flatMap((task) => [put(task), get(task)]));
    assert.deepEqual(got.toSorted((a, b) => a - b), Array.from({ length: 200 }, (_, i) => i));
    assert.deepEqual(await drain(queue), []);
    if (implementation.order !== "oldest") return;
    for (let task = 0; task < 4; task++) {
      const own = got.filter((n) => Math.floor(n / 50) === task);
      assert.deepEqual(own, own.toSorted((a, b) => a - b), "in the order of each producer");
    }
  });
}
