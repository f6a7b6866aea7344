// Value: the values it accepts and refuses, update() and the operations without the lock, and that two
// processes have the same one.

import assert from "node:assert/strict";
import {
  AbandonedLockError,
  type Connection,
  Lock,
  type LockOption,
  Pipe,
  Process,
  Queue,
  RLock,
  SharedArray,
  type TypeCode,
  Value,
} from "../../mod.ts";
import { testInFull } from "../support/length.ts";
import { addTogether, countTogether, underLock } from "../support/counting.ts";
import { says, wrong } from "../support/local.ts";
import * as targets from "../support/targets/value_targets.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** What each whole type holds. */
const ranges: [TypeCode, number | bigint, number | bigint][] = [
  ["i8", -128, 127],
  ["u8", 0, 255],
  ["i16", -32768, 32767],
  ["u16", 0, 65535],
  ["i32", -(2 ** 31), 2 ** 31 - 1],
  ["u32", 0, 2 ** 32 - 1],
  ["i64", -(2n ** 63n), 2n ** 63n - 1n],
  ["u64", 0n, 2n ** 64n - 1n],
];

for (const [type, least, most] of ranges) {
  const isBig = typeof least === "bigint";
  const one = isBig ? 1n : 1;
  const before = (n: number | bigint) => typeof n === "bigint" ? n - 1n : n - 1;
  const after = (n: number | bigint) => typeof n === "bigint" ? n + 1n : n + 1;

  Deno.test(`${type}: it holds ${least} to ${most}, and nothing else`, () => {
    const value = new Value(type);
    assert.equal(value.value, isBig ? 0n : 0);
    assert.equal(value.type, type);
    for (const n of [least, most, one]) {
      value.value = n;
      assert.equal(value.value, n);
      assert.equal(new Value(type, n).value, n);
    }
    for (const n of [before(least), after(most)]) {
      const text = new RegExp(
        `is ${n}n?, which doesn't fit in "${type}".*from ${least}n? to ${most}`,
      );
      assert.throws(() => value.value = n, says(RangeError, /^value/, text));
      assert.throws(() => new Value(type, n), says(RangeError, /^initial/, text));
      assert.throws(() => value.update(() => n), says(RangeError, /^What fn returned/, text));
    }
    assert.equal(value.value, one);
  });

  Deno.test(`${type}: add() and sub() wrap around, and tell what was before`, () => {
    const value = new Value(wrong(type) as "i32" | "i64", wrong(most));
    assert.equal(value.add(wrong(one)), most);
    assert.equal(value.value, least);
    assert.equal(value.sub(wrong(one)), least);
    assert.equal(value.value, most);
  });
}

Deno.test("a number that isn't whole, or isn't a number, is refused and not rounded", () => {
  const value = new Value("u16", 7);
  for (const n of [1.5, NaN, Infinity]) {
    assert.throws(() => value.value = n, says(RangeError, new RegExp(`value is ${n}`)));
    assert.throws(() => value.add(n), says(RangeError, new RegExp(`n is ${n}`)));
  }
  for (const n of ["1", null, undefined, {}, [1], 1n, true]) {
    assert.throws(() => value.value = wrong(n), says(TypeError, /value is .*, not a number/));
    assert.throws(() => value.add(wrong(n)), says(TypeError, /n is .*, not a number/));
  }
  assert.throws(() => new Value("u16", wrong(null)), says(TypeError, /initial is null/));
  assert.equal(value.value, 7);
});

Deno.test("i64 and u64 hold bigints, and say so to a number", () => {
  const value = new Value("i64", 7n);
  assert.throws(() => value.value = wrong(5), says(TypeError, /value is 5, not a bigint.*Give 5n/));
  assert.throws(
    () => value.value = wrong(5.5),
    says(TypeError, /value is 5.5, not a bigint.*Give a/),
  );
  assert.throws(() => new Value("u64", wrong(0)), says(TypeError, /initial is 0, not.*Give 0n/));
  assert.throws(() => value.add(wrong(1)), says(TypeError, /n is 1, not a bigint/));
  assert.throws(() => value.update(() => wrong(1)), says(TypeError, /What fn returned is 1/));
  assert.equal(value.value, 7n);
});

Deno.test("f32 and f64 hold any number; f32 rounds it", () => {
  const single = new Value("f32", 0.1), double = new Value("f64", 0.1);
  assert.equal(single.value, Math.fround(0.1));
  assert.equal(double.value, 0.1);
  for (const n of [NaN, Infinity, -0, 1e300, 5e-324]) {
    single.value = double.value = n;
    assert.ok(Object.is(double.value, n));
    assert.ok(Object.is(single.value, Math.fround(n)));
  }
  assert.throws(() => double.value = wrong(1n), says(TypeError, /value is 1n.*Give any number/));
});

Deno.test("a type that doesn't exist is refused, and the message lists those that do", () => {
  for (const type of ["int", "I8", "", "constructor", "__proto__", 8, null, undefined, {}]) {
    assert.throws(() => new Value(wrong(type)), says(TypeError, /^type is .*"i8", "u8".*"f64"/));
  }
});

Deno.test("update() gives fn the value once, stores what it returns, and returns that", () => {
  const value = new Value("i32", 20);
  const given: number[] = [];
  assert.equal(value.update((n) => (given.push(n), n + 22)), 42);
  assert.deepEqual(given, [20]);
  assert.equal(value.value, 42);
  assert.equal(new Value("f32").update(() => 0.1), Math.fround(0.1));
  assert.ok(!value.lock.locked);
});

Deno.test("while fn runs the lock is held, and fn may use it", () => {
  const value = new Value("i64", 1n);
  const result = value.update((n) => {
    assert.ok(value.lock.locked);
    assert.equal(value.update((inner) => inner * 10n), 10n);
    return n + 1n;
  });
  assert.equal(result, 2n);
  assert.ok(!value.lock.locked);
});

Deno.test("if fn throws or returns what it shouldn't, nothing is stored and the lock is free", () => {
  const value = new Value("i32", 3);
  assert.throws(() =>
    value.update(() => {
      throw new Error("out of luck");
    }), /out of luck/);
  assert.throws(() => value.update(() => wrong(undefined)), says(TypeError, /is undefined/));
  assert.throws(() => value.update(() => wrong("4")), says(TypeError, /is a string, "4"/));
  assert.throws(() => value.update(() => 0.5), says(RangeError, /0.5/));
  assert.throws(
    () => value.update(wrong(() => Promise.reject(new Error("unheard")))),
    says(TypeError, /is a promise, and update\(\) doesn't wait.*lock\.hold\(\)/),
  );
  for (const fn of [4, undefined, null, Promise.resolve(4)]) {
    assert.throws(() => value.update(wrong(fn)), says(TypeError, /^fn is .*, not a function/));
  }
  assert.equal(value.value, 3);
  assert.ok(!value.lock.locked);
});

Deno.test("exchange() and compareExchange() tell what was before, and check what they are given", () => {
  const value = new Value("u8", 5), big = new Value("u64", 5n);
  assert.equal(value.exchange(6), 5);
  assert.equal(value.compareExchange(5, 7), 6);
  assert.equal(value.value, 6);
  assert.equal(value.compareExchange(6, 7), 6);
  assert.equal(value.value, 7);
  assert.equal(big.exchange(2n ** 64n - 1n), 5n);
  assert.equal(big.compareExchange(2n ** 64n - 1n, 0n), 2n ** 64n - 1n);
  assert.equal(big.value, 0n);
  assert.throws(() => value.exchange(256), says(RangeError, /value is 256/));
  assert.throws(() => value.compareExchange(-1, 0), says(RangeError, /expected is -1/));
  assert.throws(
    () => value.compareExchange(0, wrong("0")),
    says(TypeError, /replacement is a str/),
  );
  assert.equal(value.value, 7);
});

Deno.test("what is for whole numbers says so to a float, and the compiler does", () => {
  const value = new Value("f64", 1);
  const text = says(TypeError, /\(\) was called on a Value of "f64".*update\(\)/);
  // @ts-expect-error it is a float
  assert.throws(() => value.add(1), text);
  // @ts-expect-error it is a float
  assert.throws(() => value.sub(1), text);
  // @ts-expect-error it is a float
  assert.throws(() => value.exchange(1), text);
  // @ts-expect-error it is a float
  assert.throws(() => value.compareExchange(1, 1), text);
  assert.equal(value.value, 1);
});

Deno.test("its types are those of its code", () => {
  const count: Value<"i32"> = new Value("i32"), big = new Value("i64");
  const number: number = count.value, bigint: bigint = big.value;
  assert.equal(number, Number(bigint));
  // @ts-expect-error a number isn't a bigint
  assert.throws(() => big.value = 1, TypeError);
  // @ts-expect-error there is no such type
  assert.throws(() => new Value("i128"), TypeError);
  assert.ok(count.lock instanceof RLock);
});

Deno.test("in args, at any depth, the child has the same, and their locks; a result too", async () => {
  const value = new Value("f64", 1.5), array = new SharedArray("u16", [1, 2, 3]);
  const big = new Value("u64", 2n ** 63n);
  const nested: targets.Nested = {
    value,
    list: [array, new Map([["big", new Set([big])]])],
    again: value,
  };
  await value.lock.acquire();
  const process = new Process({ target: targets.change, args: [nested], module });
  process.start();
  assert.deepEqual(await process.result(bound), {
    value: 1.5,
    array: [1, 2, 3],
    big: 2n ** 63n,
    isOne: true,
    isTypedArray: true,
    types: ["f64", "u16", "u64"],
    locked: [false, true, false],
  });
  value.lock.release();
  assert.equal(value.value, 0.5);
  assert.deepEqual([...array], [3, 2, 1]);
  assert.equal(big.value, 2n ** 63n + 1n);
  // It held that one when it ended.
  assert.throws(() => array.update(0, (n) => n), AbandonedLockError);

  const making = new Process({ target: targets.make, module });
  making.start();
  const made = await making.result(bound);
  assert.equal(made.value.value, -5);
  assert.equal(made.value.type, "i16");
  assert.ok(made.array instanceof SharedArray && made.array instanceof Uint8Array);
  assert.equal(made.array.join(), "1,2,3");
  assert.equal(made.value.update((n) => n - 1), -6);
});

Deno.test("through a pipe and back it is the same", async () => {
  const [here, there] = Pipe<Value<"i32"> | SharedArray<"i8">>();
  const process = new Process({ target: targets.echo, args: [there], module });
  process.start();
  const value = new Value("i32", 1), array = new SharedArray("i8", [1, 2]);
  await here.send(value);
  const back = await here.recv(bound);
  assert.ok(back instanceof Value && back.type === "i32");
  assert.equal(value.value, 2);
  back.value = 3;
  assert.equal(value.value, 3);
  back.lock.acquireSync();
  assert.ok(value.lock.locked);
  back.lock.release();
  await here.send(array);
  const other = await here.recv(bound);
  assert.ok(other instanceof SharedArray && other.type === "i8");
  assert.equal(array.join(), "2,2");
  assert.equal(other.join(), "2,2");
  here.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("a queue refuses it, because its items are copies", async () => {
  const queue = new Queue<unknown>(), value = new Value("i32");
  const text =
    /item\.work\[0\] is a Value, which is handed over, not copied\. Give it to a process/;
  await assert.rejects(queue.put({ work: [value] }), says(TypeError, text));
  assert.ok(queue.empty());
});

/** A process that holds the lock of a value, and was told what to do next. */
async function occupied(value: Value<"i32">): Promise<[Process, Connection<string>]> {
  const [here, there] = Pipe<string>();
  const process = new Process({ target: targets.occupy, args: [value, there], module });
  process.start();
  assert.equal(await here.recv(bound), "held");
  return [process as Process, here];
}

Deno.test("update() waits for the process that holds the lock; the value can be read meanwhile", async () => {
  const value = new Value("i32", 5);
  const [process, connection] = await occupied(value);
  assert.equal(value.lock.tryAcquire(), false);
  assert.equal(value.value, 6);
  await connection.send("release");
  assert.equal(value.update((n) => n * 10), 70);
  assert.equal(await process.join(bound), true);
});

for (const how of ["returned", "was killed"] as const) {
  Deno.test(`after a holder ${how}, one update() throws, stores nothing, and the next works`, async () => {
    const value = new Value("i32", 5);
    const [process, connection] = await occupied(value);
    if (how === "was killed") process.kill();
    else await connection.send("end");
    assert.equal(await process.join(bound), true);
    let calls = 0;
    const count = (n: number) => n + ++calls;
    assert.throws(() => value.update(count), says(AbandonedLockError, /^Process-\d+ has ended/));
    assert.equal(calls, 0);
    assert.equal(value.value, 6);
    assert.equal(value.update(count), 7);
  });
}

for (const [name, ways] of Object.entries(underLock)) {
  testInFull(`4 processes count to 3,000 each, exactly: ${name}`, async () => {
    await countTogether(ways, 4, 3_000);
  });
}

Deno.test("4 processes count to 3,000 each, exactly: add()", async () => {
  await addTogether(4, 3_000);
});

Deno.test("a lock can be given to several, and is one lock also in another process", async () => {
  const lock = new RLock();
  const one = new Value("f64", 0, { lock }), other = new Value("i64", 0n, { lock });
  const array = new SharedArray("i32", [1, 2], { lock });
  for (const { lock: its } of [one, other, array]) assert.equal(its, lock);
  assert.notEqual(new Value("f64").lock, new Value("f64", 0, {}).lock);
  assert.ok(new SharedArray("u8", 2, { lock: undefined }).lock instanceof RLock);
  const target = (values: { lock: { tryAcquire(): boolean } }[]) =>
    values.map((v) => v.lock.tryAcquire());
  const given: { lock: RLock }[] = [one, other, array];
  await lock.acquire();
  const process = new Process({ target, args: [given], by: "source" });
  process.start();
  assert.deepEqual(await process.result(), [false, false, false]);
  assert.equal(one.update((value) => value + 1), 1);
  lock.release();
});

Deno.test("a lock that is no RLock is refused", () => {
  const makes: ((options: LockOption) => unknown)[] = [
    (options) => new Value("i32", 0, options),
    (options) => new SharedArray("i32", 3, options),
    (options) => new SharedArray("i32", [3], options),
  ];
  for (const make of makes) {
    for (const lock of [new Lock(), null, true, false, "lock", {}]) {
      assert.throws(
        () => make({ lock: lock as RLock }),
        /^TypeError: lock is .+, not an RLock\. Give/,
      );
    }
    for (const options of [new RLock(), null, 5, { Lock: new RLock() }, [new RLock()]]) {
      assert.throws(() => make(options as LockOption), TypeError);
    }
  }
});
