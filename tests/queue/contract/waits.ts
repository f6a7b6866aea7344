// How a wait ends, in which order waiters go on, and that a wait which ends early has taken and put nothing.

import assert from "node:assert/strict";
import { QueueEmpty, QueueFull } from "../../../mod.ts";
import {
  bound,
  type Contract,
  drain,
  fails,
  getsOf,
  inOrder,
  is,
  joinsOf,
  putsOf,
  says,
  turn,
  waiting,
} from "./implementation.ts";

/** Reasons for which a wait may be aborted: errors and others. */
const reasons: readonly unknown[] = [new Error("no longer wanted"), "a text", 0, null, { a: 1 }];

export function waits(contract: Contract): void {
  const { can, implementation, make, test } = contract;

  test("gets that wait are served in the order of their calls, and none overtakes them", async () => {
    const queue = make();
    const gets = [queue.get(), queue.get({ timeout: Infinity }), queue.get(bound)];
    await waiting(contract, queue, { toGet: 3 });
    for (const get of getsOf(contract)) {
      if (get.name === "getMany") continue;
      await fails(contract, get, () => get.call(queue, { timeout: 0 }), QueueEmpty);
    }
    await queue.putNowait(3);
    await queue.putNowait(1);
    gets.push(queue.get());
    await queue.put(2);
    await queue.put(0);
    assert.deepEqual(await Promise.all(gets), [3, 1, 2, 0]);
  });

  test("a call that comes when an item is there for one that waits doesn't get it", async () => {
    const queue = make();
    const first = queue.get();
    await waiting(contract, queue, { toGet: 1 });
    await queue.putNowait(1);
    const later = queue.get();
    await fails(
      contract,
      { name: "getNowait", takesSignal: false },
      () => queue.getNowait(),
      QueueEmpty,
    );
    await queue.putNowait(2);
    assert.deepEqual(await Promise.all([first, later]), [1, 2]);
  });

  test("an empty queue says so by every form: now, and when the time is up", async () => {
    const queue = make();
    const isEmpty = says(QueueEmpty, /^The queue is empty\./);
    for (const get of getsOf(contract)) {
      for (const timeout of get.waits ? [0, 1, 5] : [undefined]) {
        const options = timeout === undefined ? undefined : { timeout };
        await fails(contract, get, () => get.call(queue, options), isEmpty);
      }
    }
    await waiting(contract, queue, {});
    await queue.put(1);
    assert.deepEqual(await drain(queue), [1]);
  });

  test("a timeout of 0, and any other, is no matter where there is no need to wait", async () => {
    const queue = make<unknown>();
    for (const timeout of [0, 1, 0.5, 2 ** 40, Infinity, undefined]) {
      for (const put of putsOf(contract, 1)) {
        if (!put.waits) continue;
        await put.call(queue, { timeout });
        assert.equal(await queue.get({ timeout }), 1);
      }
      for (const get of getsOf(contract)) {
        if (!get.waits) continue;
        await queue.put(1);
        assert.deepEqual(await get.call(queue, { timeout }), get.isMany ? [1] : 1);
      }
    }
  });

  test("a get that was aborted, or came too late, leaves the item to the next one", async () => {
    for (const reason of reasons) {
      const queue = make();
      const stop = new AbortController();
      const gets = [queue.get({ signal: stop.signal }), queue.get({ timeout: 1 }), queue.get()];
      const early = [assert.rejects(gets[0], is(reason)), assert.rejects(gets[1], QueueEmpty)];
      await turn();
      stop.abort(reason);
      await Promise.all(early);
      await queue.put(7);
      assert.equal(await gets[2], 7);
      assert.equal(await queue.empty(), true);
    }
  });

  test("an abort without a reason rejects with an AbortError, one by a timeout with a TimeoutError", async () => {
    const queue = make();
    const stop = new AbortController();
    const aborted = queue.get({ signal: stop.signal });
    stop.abort();
    await assert.rejects(aborted, { name: "AbortError" });
    await assert.rejects(queue.get({ signal: AbortSignal.timeout(1) }), { name: "TimeoutError" });
    const options = { signal: AbortSignal.abort() };
    await assert.rejects(queue.get(options), { name: "AbortError" });
    await assert.rejects(queue.put(1, options), { name: "AbortError" });
    assert.equal(await queue.empty(), true);
  });

  test("with a signal that is aborted already nothing is tried, also where there is no need to wait", async () => {
    for (const reason of reasons) {
      const queue = make<unknown>({ any: true });
      await queue.put(1);
      for (const timeout of [undefined, 0, 5]) {
        const options = { signal: AbortSignal.abort(reason), timeout };
        for (const face of [...putsOf(contract, 2), ...getsOf(contract), ...joinsOf(contract)]) {
          if (!face.takesSignal) continue;
          await fails(contract, face, () => face.call(queue, options), is(reason));
        }
      }
      assert.deepEqual(await drain(queue), [1]);
    }
  });

  test("an abort when the wait is over changes nothing", async () => {
    const queue = make();
    const stop = new AbortController();
    const { signal } = stop;
    const get = queue.get({ signal, ...bound });
    await waiting(contract, queue, { toGet: 1 });
    await queue.putNowait(1);
    assert.equal(await get, 1);
    await queue.put(2, { signal });
    stop.abort();
    await turn();
    assert.deepEqual(await drain(queue), [2]);
  });

  test("when the wait is over its time is no matter any more", async () => {
    const queue = make();
    const get = queue.get({ timeout: 20 });
    get.catch(() => {}); // on a slow machine its time may be up before
    await queue.putNowait(1);
    const got = await get.catch(() => queue.getNowait());
    assert.equal(got, 1);
    await new Promise((resolve) => setTimeout(resolve, 25)); // fires after what is due before it
    await waiting(contract, queue, {});
    const next = queue.get(bound);
    await waiting(contract, queue, { toGet: 1 });
    await queue.putNowait(2);
    assert.equal(await next, 2);
  });

  test("of an item and an abort in the same moment one counts: it is got, or is still there", async () => {
    for (const isAbortFirst of [false, true]) {
      const queue = make();
      const stop = new AbortController(), reason = new Error("no longer wanted");
      const get = queue.get({ signal: stop.signal }).catch(is(reason));
      await waiting(contract, queue, { toGet: 1 });
      const put = isAbortFirst ? (stop.abort(reason), queue.putNowait(7)) : queue.putNowait(7);
      stop.abort(reason);
      await put;
      const got = await get;
      assert.deepEqual(got === true ? await drain(queue) : [got], [7]);
      assert.equal(await queue.empty(), true);
    }
  });

  test("of many that wait, those that are aborted leave the others their turns", async () => {
    const queue = make();
    const stop = new AbortController();
    const gets = Array.from({ length: 9 }, (_, i) => {
      return queue.get(i % 3 === 0 ? undefined : { signal: stop.signal }).catch(() => "aborted");
    });
    await waiting(contract, queue, { toGet: 9 });
    stop.abort();
    await waiting(contract, queue, { toGet: 3 });
    for (const n of [1, 2, 3]) await queue.put(n);
    const got = await Promise.all(gets);
    assert.deepEqual(got.filter((item) => item !== "aborted"), [1, 2, 3]);
    assert.deepEqual(got.map((item) => item === "aborted").map(Number).join(""), "011011011");
  });

  if (!can.asyncQueue) return;

  test("puts that wait go in in the order of their calls, and none overtakes them", async () => {
    const queue = make({ maxSize: 1 });
    await queue.putNowait(3);
    const puts = [queue.put(1), queue.put(2, bound)];
    await waiting(contract, queue, { toPut: 2 });
    const got: number[] = [];
    for (let i = 0; i < 3; i++) {
      for (const put of i < 2 ? putsOf(contract, 99) : []) {
        if (put.name !== "putMany" && put.name !== "put") {
          await fails(contract, put, () => put.call(queue as never, { timeout: 0 }), QueueFull);
        }
      }
      got.push(await queue.get());
    }
    await Promise.all(puts);
    assert.deepEqual(got, [3, 1, 2]);
  });

  test("a full queue says so by every form: now, and when the time is up; what was refused isn't in it", async () => {
    const queue = make<unknown>({ maxSize: 1 });
    await queue.put(1);
    for (const put of putsOf(contract, 2)) {
      for (const timeout of put.waits ? [0, 1, 5] : [undefined]) {
        const options = timeout === undefined ? undefined : { timeout };
        const isFull = says(QueueFull, /^The queue is full: its maxSize is 1\./);
        await fails(contract, put, () => put.call(queue, options), isFull);
      }
    }
    await waiting(contract, queue, {});
    if (can.joinable) assert.equal(await queue.unfinished, 1);
    assert.deepEqual(await drain(queue), [1]);
  });

  test("a put that was aborted, or came too late, has put nothing, and the next one has its turn", async () => {
    for (const reason of reasons) {
      const queue = make({ maxSize: 1 });
      await queue.put(1);
      const stop = new AbortController();
      const aborted = assert.rejects(queue.put(2, { signal: stop.signal }), is(reason));
      const late = assert.rejects(queue.put(3, { timeout: 1 }), QueueFull);
      const third = queue.put(4);
      stop.abort(reason);
      await Promise.all([aborted, late]);
      assert.equal(await queue.get(), 1);
      await third;
      assert.deepEqual(await drain(queue), [4]);
    }
  });

  test("of room and an abort in the same moment one counts: it is put, or isn't", async () => {
    const queue = make({ maxSize: 1 });
    await queue.put(1);
    const stop = new AbortController(), reason = new Error("no longer wanted");
    const put = queue.put(2, { signal: stop.signal }).then(() => "put", is(reason));
    await waiting(contract, queue, { toPut: 1 });
    const got = queue.getNowait();
    stop.abort(reason);
    assert.equal(await got, 1);
    assert.deepEqual(await put === "put" ? [2] : [], await drain(queue));
  });

  test("statistics tell who waits, and only while it waits", async () => {
    const queue = make({ maxSize: 2 });
    const stop = new AbortController(), { signal } = stop;
    const gets = [queue.get({ signal }), queue.get(bound)].map((get) => get.catch(() => {}));
    await waiting(contract, queue, { toGet: 2 });
    stop.abort();
    await waiting(contract, queue, { toGet: 1 });
    await queue.put(1);
    await Promise.all(gets);
    await waiting(contract, queue, {});
    for (const n of [1, 2]) await queue.put(n);
    const late = assert.rejects(queue.put(3, { timeout: 5 }), QueueFull);
    const put = queue.put(4);
    await late;
    await waiting(contract, queue, { toPut: 1 });
    await queue.get();
    await put;
    await waiting(contract, queue, {});
    assert.deepEqual((await drain(queue)).length, 2);
  });

  test("those who wait are served in their order, whatever the order of the items", async () => {
    const queue = make();
    const numbers = [5, 1, 4, 2, 3];
    const gets = numbers.map(() => queue.get());
    await waiting(contract, queue, { toGet: numbers.length });
    for (const n of numbers) await queue.put(n);
    assert.deepEqual(await Promise.all(gets), numbers);
    for (const n of numbers) await queue.put(n);
    assert.deepEqual(await drain(queue), inOrder(implementation, numbers));
  });
}
