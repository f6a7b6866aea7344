// Bad input is refused at the call, by all forms alike, and leaves the queue as it was.

import assert from "node:assert/strict";
import {
  type Contract,
  drain,
  fails,
  getsOf,
  joinsOf,
  putsOf,
  says,
  turn,
  wrong,
} from "./implementation.ts";

export function badInput(contract: Contract): void {
  const { can, make, test } = contract;
  const faces = () =>
    [...putsOf(contract, 2), ...getsOf(contract), ...joinsOf(contract)].filter((f) => f.waits);

  /** Each form of each call, on a queue that has one item, with options that are none. */
  async function refused(options: unknown, check: (error: unknown) => true): Promise<void> {
    const queue = make<unknown>();
    await queue.put(1);
    for (const face of faces()) {
      await fails(contract, face, () => face.call(queue, wrong(options)), check);
    }
    await turn();
    assert.deepEqual(await drain(queue), [1]);
  }

  test("a timeout that isn't a time is refused by every form, and nothing happens", async () => {
    const ways = /milliseconds from 0 up/;
    for (const timeout of [NaN, -1, -Infinity, -1e-9]) {
      await refused({ timeout }, says(RangeError, new RegExp(`^timeout is ${timeout}\\.`), ways));
    }
    for (const timeout of ["5", null, 5n, {}, true]) {
      await refused({ timeout }, says(TypeError, /^timeout is /, ways));
    }
  });

  test("a signal that is none is refused by every form that takes one, and nothing happens", async () => {
    for (const signal of [new AbortController(), "now", 5, null, {}]) {
      const queue = make<unknown>();
      await queue.put(1);
      for (const face of faces().filter(({ takesSignal }) => takesSignal)) {
        const call = () => face.call(queue, { signal: wrong(signal) });
        await fails(contract, face, call, says(TypeError, /^signal is /));
      }
      assert.deepEqual(await drain(queue), [1]);
    }
  });

  test("options that are none are refused by every form, and nothing happens", async () => {
    for (const options of [0.1, true, false, null, "5", [5], () => {}, 5n]) {
      const check = says(TypeError, /^The options are (an? )?\w+/, /\{ timeout: 1000 \}/);
      await refused(options, check);
    }
    for (const option of ["timeOut", "block", "ms"]) {
      const check = says(TypeError, new RegExp(`^${option} is no option here`), /timeout/);
      await refused({ [option]: 5 }, check);
    }
  });

  if (can.blocking) {
    test("what blocks takes no signal", async () => {
      const queue = make<unknown>();
      await queue.put(1);
      const options = { signal: AbortSignal.timeout(60_000) };
      for (const face of faces().filter(({ takesSignal }) => !takesSignal)) {
        const check = says(TypeError, /^signal is no option here\. The only/);
        await fails(contract, face, () => face.call(queue, options), check);
      }
      assert.deepEqual(await drain(queue), [1]);
    });
  }

  if (can.copies) {
    test("an item that can't be copied is named with its place, by every put", async () => {
      const queue = make<unknown>();
      const items: [item: unknown, path: string, what: string][] = [
        [{ list: [1, { onDone() {} }] }, "\\.list\\[1\\]\\.onDone", "a function"],
        [Symbol("s"), "", "a symbol"],
        [[new WeakMap()], "\\[0\\]", "a WeakMap"],
        [new Map([["other", queue]]), '\\.get\\("other"\\)', "a \\w*Queue"],
      ];
      for (const [item, path, what] of items) {
        for (const put of putsOf(contract, item)) {
          const root = put.isMany ? "items\\[0\\]" : "item";
          const check = says(TypeError, new RegExp(`^${root}${path} is ${what}`));
          await fails(contract, put, () => put.call(queue), check);
        }
      }
      assert.equal(await queue.empty(), true);
      await queue.put("good");
      assert.equal(await queue.get(), "good");
    });
  }
}
