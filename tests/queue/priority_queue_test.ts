// The order of a PriorityQueue; items without an order, and failing compare functions, do it no harm.

import assert from "node:assert/strict";
import { InvalidStateError, PriorityQueue } from "../../local.ts";
import { drain, says, wrong } from "../support/local.ts";
import { between, withSeeds } from "../support/seed.ts";

Deno.test("a PriorityQueue orders what has an order as Python does", () => {
  const day = (n: number) => new Date(2000, 0, n);
  const sorted: unknown[][] = [
    [-Infinity, -5n, -1, 0, true, 1.5, 2n ** 53n + 1n, 2 ** 60, 2n ** 60n + 1n, Infinity],
    ["", "A", "Z", "a", "aa", "b", "\u00e9"],
    [day(1), day(2), day(30)],
    [[], [0], [0, 0], [0, 1], [1], [1, "a", {}], [1, "b"], [2, null], [3, undefined], [4, {}]],
    [["a", [1]], ["a", [1, 2]], ["a", [2]], ["b", []]],
    [[day(1), 2], [day(2), 1]],
  ];
  for (const items of sorted) {
    for (const put of [items, items.toReversed(), [...items.slice(3), ...items.slice(0, 3)]]) {
      const queue = new PriorityQueue();
      for (const item of put) queue.putNowait(item);
      assert.deepEqual(drain(queue), items);
    }
  }
});

Deno.test("equal items of a PriorityQueue come out in the order they were put", () => {
  const same: unknown[][] = [
    [1, 1n, true, 1],
    [0, -0, 0n, false],
    [new Date(5), new Date(5)],
    [["a"], ["a"]],
  ];
  for (const items of same) {
    const queue = new PriorityQueue();
    for (const item of items) queue.putNowait(item);
    for (const item of items) assert.ok(Object.is(queue.getNowait(), item));
  }
  const shared = {};
  const queue = new PriorityQueue<[number, unknown, number]>();
  queue.putNowait([1, shared, 2]);
  queue.putNowait([1, shared, 1]);
  assert.deepEqual(drain(queue).map((item) => item[2]), [1, 2]);
});

Deno.test("a PriorityQueue agrees with a stable sort, through any mix of puts and gets", async () => {
  interface Item {
    rank: number;
    serial: number;
  }
  const compare = (a: Item, b: Item) => a.rank - b.rank;
  await withSeeds([1, 2, 3, 4, 5, 6, 7, 8], (random, seed) => {
    const queue = new PriorityQueue<Item>({ compare });
    const ranks = [1, 3, 10, 1000, 1e9][seed % 5];
    let model: Item[] = [];
    for (let serial = 0; serial < 3000; serial++) {
      if (random() < (serial < 1500 ? 0.8 : 0.4) || model.length === 0) {
        const item = { rank: between(random, 0, ranks), serial };
        queue.putNowait(item);
        model = [...model, item].sort(compare);
      } else assert.equal(queue.getNowait(), model.shift());
      assert.equal(queue.qsize(), model.length);
    }
    assert.deepEqual(drain(queue), model);
  });
});

Deno.test("a PriorityQueue of tuples agrees with a stable sort", async () => {
  await withSeeds([1, 2, 3, 4], (random) => {
    const items = Array.from(
      { length: 2000 },
      () => [between(random, 0, 9), "abc"[between(random, 0, 2)], BigInt(between(random, 0, 9))],
    );
    const queue = new PriorityQueue<(typeof items)[number]>();
    for (const item of items) queue.putNowait(item);
    const by = (i: number) => (a: unknown[], b: unknown[]) =>
      String(a[i]).localeCompare(String(b[i]));
    const sorted = items.toSorted(by(2)).sort(by(1)).sort(by(0));
    for (const item of sorted) {
      const got = queue.getNowait();
      assert.deepEqual(got, item);
    }
  });
});

Deno.test("items that can't be compared are refused by the put, with the place and a way out", async () => {
  const compare = /new PriorityQueue\(\{ compare/;
  const tied = /^item\[1\] is an object, neither larger nor smaller than an object, /;
  const refusals: [unknown[], unknown, RegExp][] = [
    [[], {}, /^item is an object, which is neither larger nor smaller than anything\. .*compare/],
    [[], NaN, /^item is NaN, /],
    [[], null, /^item is null, .*\[priority, item\]/],
    [[], undefined, /^item is undefined, /],
    [[], Symbol("s"), /^item is a symbol, /],
    [[], () => 1, /^item is a function, /],
    [[], new Date(NaN), /^item is an invalid Date, /],
    [[], new Map(), /^item is an object, /],
    [[5], "five", /^item is a string, neither larger nor smaller than a number, which is in/],
    [["five"], 5n, /^item is a bigint, .* than a string/],
    [[5], new Date(), /^item is a Date, .* than a number/],
    [[5], [5], /^item is an array, .* than a number/],
    [[[5]], 5, /^item is a number, .* than an array/],
    [[[1, {}]], [1, {}], tied],
    [[[1, NaN]], [1, 2], /^item\[1\] is a number, .* than NaN/],
    [[[1, ["x", 2]]], [1, ["x", "y"]], /^item\[1\]\[1\] is a string, .* than a number/],
    // A heap would never have compared these two.
    [[[0, {}], [1, {}], [2, {}], [3, {}]], [3, {}], tied],
  ];
  for (const [items, refused, pattern] of refusals) {
    const queue = new PriorityQueue();
    for (const item of items) queue.putNowait(item);
    const isRefused = says(TypeError, pattern, compare);
    assert.throws(() => queue.putNowait(refused), isRefused);
    await assert.rejects(queue.put(refused), isRefused);
    await assert.rejects(queue.put(refused, { timeout: 0 }), isRefused);
    assert.equal(queue.statistics().put, items.length);
    assert.equal(queue.unfinished, items.length);
    assert.deepEqual(drain(queue), items);
  }
});

Deno.test("an item without any order is refused at once, even where it would wait or be handed on", async () => {
  const full = new PriorityQueue<unknown>({ maxSize: 1 });
  full.putNowait(1);
  await assert.rejects(full.put({}), TypeError);
  assert.throws(() => full.putNowait({}), TypeError);
  const empty = new PriorityQueue<unknown>();
  const get = empty.get();
  assert.throws(() => empty.putNowait({}), TypeError);
  empty.putNowait(1);
  assert.equal(await get, 1);
});

Deno.test("a put that waited is refused for what is in the queue then, and the next one goes in", async () => {
  const queue = new PriorityQueue<unknown>({ maxSize: 2 });
  queue.putNowait(2);
  queue.putNowait(1);
  const bad = queue.put("a string"), good = queue.put(3);
  assert.equal(queue.getNowait(), 1);
  await assert.rejects(bad, TypeError);
  await good;
  assert.deepEqual(drain(queue), [2, 3]);
});

Deno.test("whether an item is refused depends on what is in the queue only, not on how it lies", async () => {
  /** All that may be at one place of a tuple; those of different kinds have no order. */
  const choices = [0, 1, 2, "a", "b", null, {}, [0], [1], ["x"]];
  const kind = (value: unknown) => Array.isArray(value) ? "array" : typeof value;
  const ordered = (a: unknown, b: unknown): boolean => {
    if (Object.is(a, b)) return true;
    if (Array.isArray(a) && Array.isArray(b)) {
      for (let i = 0; i < Math.min(a.length, b.length); i++) {
        if (!ordered(a[i], b[i])) return false;
        if (JSON.stringify(a[i]) !== JSON.stringify(b[i])) return true;
      }
      return true;
    }
    return kind(a) === kind(b) && kind(a) !== "object";
  };
  await withSeeds(Array.from({ length: 40 }, (_, i) => i), (random) => {
    const queue = new PriorityQueue<unknown[]>();
    const model: unknown[][] = [];
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const item = Array.from(
        { length: between(random, 1, 3) },
        () => choices[between(random, 0, choices.length - 1)],
      );
      // Mostly numbers in front, so that many fit together.
      if (random() < 0.95) item[0] = between(random, 0, 20);
      if (model.every((other) => ordered(item, other))) {
        queue.putNowait(item);
        model.push(item);
      } else {
        refused++;
        assert.throws(() => queue.putNowait(item), TypeError);
      }
      assert.equal(queue.qsize(), model.length);
      if (random() < 0.3) model.splice(model.indexOf(queue.getNowait()), 1);
    }
    assert.ok(refused > 0 && model.length > 0);
    while (model.length > 0) model.splice(model.indexOf(queue.getNowait()), 1);
    assert.ok(queue.empty());
  });
});

Deno.test("a compare that throws refuses the item and leaves the queue unharmed", async () => {
  await withSeeds([1, 2, 3], (random) => {
    let fuse = Infinity;
    const queue = new PriorityQueue<number>({
      compare: (a, b) => {
        if (fuse-- <= 0) throw new Error("blown");
        return a - b;
      },
    });
    const model: number[] = [];
    for (let i = 0; i < 2000; i++) {
      const item = between(random, 0, 99);
      fuse = random() < 0.5 ? between(random, 0, 8) : Infinity;
      try {
        queue.putNowait(item);
        model.push(item);
      } catch (error) {
        assert.match(String(error), /blown/);
      }
      // Getting compares nothing.
      fuse = 0;
      model.sort((a, b) => a - b);
      if (random() < 0.4 && model.length > 0) assert.equal(queue.getNowait(), model.shift());
      assert.equal(queue.qsize(), model.length);
      assert.equal(queue.statistics().put - queue.statistics().got, model.length);
    }
    assert.deepEqual(drain(queue), model);
  });
});

Deno.test("a compare that throws for a put that waited rejects that put alone", async () => {
  const queue = new PriorityQueue<string>({
    maxSize: 2,
    compare: (a, b) => {
      if (a === "bad") throw new Error("blown");
      return a < b ? -1 : 1;
    },
  });
  queue.putNowait("b");
  queue.putNowait("c");
  const puts = [queue.put("bad"), queue.put("a")];
  assert.equal(queue.getNowait(), "b");
  await assert.rejects(puts[0], /blown/);
  await puts[1];
  assert.deepEqual(drain(queue), ["a", "c"]);
});

Deno.test("a compare whose answer is no order is refused, and the item isn't put", () => {
  for (const answer of [NaN, true, undefined, null, "1", 1n, Promise.resolve(1)]) {
    const queue = new PriorityQueue<number>({ compare: () => wrong(answer) });
    queue.putNowait(1);
    assert.throws(
      () => queue.putNowait(2),
      says(TypeError, /^compare returned .*, which is no order/, /negative number/),
    );
    assert.deepEqual(drain(queue), [1]);
  }
});

Deno.test("a compare that uses its queue can't harm it", async () => {
  const outcomes: unknown[] = [];
  let meddle = (_: PriorityQueue<number>) => {};
  const queue: PriorityQueue<number> = new PriorityQueue<number>({
    maxSize: 3,
    compare: (a, b) => {
      try {
        meddle(queue);
      } catch (error) {
        outcomes.push(error);
      }
      return a - b;
    },
  });
  queue.putNowait(2);
  for (
    const attempt of [
      (queue: PriorityQueue<number>) => queue.putNowait(9),
      (queue: PriorityQueue<number>) => queue.getNowait(),
      (queue: PriorityQueue<number>) => queue.shutdown({ immediate: true }),
    ]
  ) {
    meddle = attempt;
    queue.putNowait(1);
    meddle = () => {};
    says(InvalidStateError, /^compare has changed the queue/)(outcomes.pop());
    assert.equal(queue.getNowait(), 1);
  }
  // One that aborts the very put it compares for comes too late: that put has left the line.
  queue.putNowait(3);
  queue.putNowait(4);
  const aborted = new AbortController();
  const put = queue.put(1, { signal: aborted.signal });
  meddle = () => aborted.abort();
  assert.equal(queue.getNowait(), 2);
  await put;
  meddle = () => {};
  assert.deepEqual(drain(queue), [1, 3, 4]);
});

Deno.test("a compare that is no function is refused", () => {
  for (const compare of [null, 5, "priority", {}]) {
    assert.throws(
      () => new PriorityQueue({ compare: wrong(compare) }),
      says(TypeError, /^compare is .*, not a function\./, /\(a, b\) => a - b/),
    );
  }
});
