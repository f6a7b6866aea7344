// SharedArray: it is a typed array in everything; its additional checks; and two
// processes have the same one. Its features in common with Value are counted in value_test.ts.

import assert from "node:assert/strict";
import {
  AbandonedLockError,
  Process,
  Queue,
  RLock,
  SharedArray,
  type TypeCode,
  Value,
} from "../../mod.ts";
import { says, wrong } from "../support/local.ts";
import * as targets from "../support/targets/value_targets.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

const plainClasses = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
};

for (const [code, Plain] of Object.entries(plainClasses)) {
  const type = code as TypeCode;
  const isBig = type === "i64" || type === "u64";
  const numbers = [3, 1, 2].map((n) => isBig ? BigInt(n) : n);

  Deno.test(`${code}: a typed array, ${Plain.name}, on memory of its own, of zeros or values`, () => {
    const array = new SharedArray(type, numbers);
    assert.ok(array instanceof Plain);
    assert.ok(array instanceof SharedArray);
    assert.equal(array.type, type);
    assert.deepEqual([...array], numbers);
    assert.ok(array.buffer instanceof SharedArrayBuffer);
    assert.equal(array.byteOffset, 0);
    assert.equal(array.buffer.byteLength, 3 * Plain.BYTES_PER_ELEMENT);
    assert.deepEqual([...new SharedArray(type, 2)], isBig ? [0n, 0n] : [0, 0]);
    assert.equal(new SharedArray(type, 0).length, 0);
    assert.deepEqual([...new SharedArray(type, new Set(numbers))], numbers);
    assert.deepEqual([...new SharedArray(type, array)], numbers);
    assert.equal(Object.prototype.toString.call(array), `[object ${Plain.name}]`);
  });

  Deno.test(`${code}: methods that make an array make an ordinary one; subarray() shares`, () => {
    const array: Iterable<unknown> = new SharedArray(type, numbers);
    const it = wrong(array) as SharedArray<"i32">;
    const made = [
      it.map((n) => n),
      it.slice(1),
      it.filter(() => true),
      it.toSorted(),
      it.toReversed(),
      it.with(0, wrong(numbers[1])),
    ];
    for (const other of made) {
      assert.equal(Object.getPrototypeOf(other), Plain.prototype);
      assert.ok(other.buffer instanceof ArrayBuffer);
      assert.ok(!(wrong(other) instanceof SharedArray));
    }
    const part = it.subarray(1);
    assert.equal(Object.getPrototypeOf(part), Plain.prototype);
    assert.equal(part.buffer, it.buffer);
    part[0] = wrong(numbers[0]);
    assert.equal(it[1], numbers[0]);
  });

  Deno.test(`${code}: load(), store() and update() go to one element`, () => {
    const array = new SharedArray(wrong(type) as "i32", wrong(numbers));
    array.store(1, wrong(numbers[0]));
    assert.equal(array.load(1), numbers[0]);
    assert.equal(array.update(2, (n) => wrong(isBig ? BigInt(n) * 5n : n * 5)), array[2]);
    assert.deepEqual([...array], [3, 3, 10].map((n) => isBig ? BigInt(n) : n));
  });
}

Deno.test("it can be used wherever a typed array can", () => {
  function mean(numbers: Float64Array): number {
    return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  }
  const array: SharedArray<"f64"> = new SharedArray("f64", [4, 8, 6]);
  assert.equal(mean(array), 6);
  array[0] += 0.5;
  array.sort().set([1], 2);
  assert.deepEqual([...array.entries()], [[0, 4.5], [1, 6], [2, 1]]);
  assert.equal(array.at(-1), 1);
  assert.equal(array.fill(7).join(), "7,7,7");
  assert.equal(new DataView(array.buffer).getFloat64(0, true), 7);
  assert.deepEqual(new Float64Array(array), Float64Array.of(7, 7, 7));
  const bytes = new SharedArray("u8", 2);
  bytes[0] = 257;
  bytes[5] = 1;
  assert.equal(bytes.join(), "1,0");
});

Deno.test("instanceof tells it from others", () => {
  for (const other of [new Float64Array(1), [], {}, null, 1, new Value("f64"), () => {}]) {
    assert.ok(!(wrong(other) instanceof SharedArray));
  }
  const unknown: unknown = new SharedArray("i64", [1n]);
  assert.ok(
    unknown instanceof SharedArray && unknown.length === 1 && unknown.lock instanceof RLock,
  );
});

Deno.test("another is made by its own class, of the same type", () => {
  const array = new SharedArray("i16", [1]);
  const other = new (wrong(array.constructor))([2, 3]);
  assert.ok(other instanceof SharedArray && other instanceof Int16Array);
  assert.equal(other.join(), "2,3");
  assert.notEqual(other.buffer, array.buffer);
});

Deno.test("a length that is none is refused", () => {
  for (const length of [-1, 1.5, NaN, Infinity, 2 ** 33]) {
    assert.throws(
      () => new SharedArray("f64", length),
      says(RangeError, /^length is/, /2147483648/),
    );
  }
  for (const length of [undefined, null, {}, 3n, true, () => {}]) {
    assert.throws(
      () => new SharedArray("f64", wrong(length)),
      says(TypeError, /^lengthOrValues is .*, neither a length nor values/),
    );
  }
  assert.throws(
    () => new SharedArray(wrong("float"), 1),
    says(TypeError, /^type is a string, "float"/),
  );
});

Deno.test("values that don't fit are refused, with their place", () => {
  assert.throws(
    () => new SharedArray("u8", [0, 255, 256]),
    says(RangeError, /^values\[2\] is 256/),
  );
  assert.throws(() => new SharedArray("u8", [0.5]), says(RangeError, /^values\[0\] is 0.5/));
  assert.throws(
    () => new SharedArray("i64", wrong([1n, 2])),
    says(TypeError, /^values\[1\].*Give 2n/),
  );
  assert.throws(() => new SharedArray("i32", wrong([1n])), says(TypeError, /^values\[0\] is 1n/));
  assert.throws(
    () => new SharedArray("i32", wrong("12")),
    says(TypeError, /^values\[0\] is a string/),
  );
  // deno-lint-ignore no-sparse-arrays
  assert.throws(
    () => new SharedArray("i32", wrong([1, , 3])),
    says(TypeError, /^values\[1\] is und/),
  );
  assert.throws(
    () => new SharedArray("i8", Int16Array.of(1, 200)),
    says(RangeError, /^values\[1\]/),
  );
});

Deno.test("an index where nothing is is refused, and so is a value that doesn't fit", () => {
  const array = new SharedArray("i8", [1, 2, 3]);
  const calls: ((index: number) => unknown)[] = [
    (index) => array.load(index),
    (index) => array.store(index, 0),
    (index) => array.update(index, () => 0),
    (index) => array.add(index, 1),
    (index) => array.sub(index, 1),
    (index) => array.exchange(index, 0),
    (index) => array.compareExchange(index, 1, 0),
  ];
  for (const call of calls) {
    for (const index of [-1, 3, 0.5, NaN, Infinity]) {
      const text = new RegExp(`^index is ${index}, and the length is 3\\. .*0 to 2\\.$`);
      assert.throws(() => call(index), says(RangeError, text));
    }
    for (const index of ["0", undefined, null, 0n]) {
      assert.throws(() => call(wrong(index)), says(TypeError, /^index is .*, not a number/));
    }
  }
  assert.throws(() => array.store(0, 128), says(RangeError, /^value is 128/));
  assert.throws(() => array.store(0, wrong(1n)), says(TypeError, /^value is 1n/));
  assert.throws(() => array.update(0, () => 128), says(RangeError, /^What fn returned is 128/));
  assert.throws(
    () => new SharedArray("i8", 0).load(0),
    says(RangeError, /^index is 0, and the length is 0/),
  );
  assert.equal(array.join(), "1,2,3");
  assert.ok(!array.lock.locked);
});

Deno.test("the operations without the lock tell what was before, and wrap around", () => {
  const array = new SharedArray("i8", [127, 0]);
  assert.equal(array.add(0, 1), 127);
  assert.equal(array.sub(0, 1), -128);
  assert.equal(array.exchange(0, 5), 127);
  assert.equal(array.compareExchange(0, 4, 6), 5);
  assert.equal(array.compareExchange(0, 5, 6), 5);
  assert.equal(array.join(), "6,0");
  const floats = new SharedArray("f32", 1);
  const text = says(TypeError, /\(\) was called on a SharedArray of "f32".*update\(\)/);
  // @ts-expect-error it is of floats
  assert.throws(() => floats.add(0, 1), text);
  // @ts-expect-error it is of floats
  assert.throws(() => floats.sub(0, 1), text);
  // @ts-expect-error it is of floats
  assert.throws(() => floats.exchange(0, 1), text);
  // @ts-expect-error it is of floats
  assert.throws(() => floats.compareExchange(0, 1, 1), text);
});

Deno.test("a subarray in args is an ordinary array on the same memory", async () => {
  const array = new SharedArray("f64", [1, 2, 3, 4]);
  for (const [numbers, name] of [[array, "SharedArray"], [array.subarray(1), "Float64Array"]]) {
    const process = new Process({ target: targets.sum, args: [wrong(numbers)], module });
    process.start();
    assert.equal(await process.result(bound), name);
  }
  assert.deepEqual([...array], [9, 9, 3, 4].with(1, 7));
});

Deno.test("a queue refuses it and its subarrays, because its items are copies", () => {
  const queue = new Queue<unknown>(), array = new SharedArray("f64", 2);
  assert.throws(
    () => queue.putNowait(new Map([["a", array]])),
    says(TypeError, /^item\.get\("a"\) is a SharedArray, which is handed over, not copied/),
  );
  assert.throws(() => queue.putNowait(array.subarray(1)), says(TypeError, /on shared memory/));
  queue.putNowait(array.slice());
  assert.deepEqual(queue.getNowait(), new Float64Array(2));
});

Deno.test("where it can't be handed over, start() says so", () => {
  class Holder {
    array = new SharedArray("i32", 1);
  }
  const process = new Process({ target: targets.sum, args: [wrong({ a: new Holder() })], module });
  assert.throws(
    () => process.start(),
    says(TypeError, /^args\[0\]\.a\.array is a SharedArray, which is handed over/),
  );
});

Deno.test("after a holder of its lock has ended, one update() throws and the next works", async () => {
  const value = new Value("f64"), array = new SharedArray("u16", [1, 2]);
  const big = new Value("u64");
  const nested: targets.Nested = {
    value,
    list: [array, new Map([["big", new Set([big])]])],
    again: value,
  };
  const process = new Process({ target: targets.change, args: [nested], module });
  process.start();
  await process.result(bound);
  assert.throws(() => array.update(0, (n) => n + 1), AbandonedLockError);
  assert.equal(array.join(), "2,1");
  assert.equal(array.update(0, (n) => n + 1), 3);
});
