// Targets of the tests of Value and SharedArray, by reference or by source: see
// queue_targets.ts.

import { type Connection, SharedArray, sleep, Value } from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** How many are to begin at the same moment, and how many of them are there. */
export interface Start {
  parties: number;
  there: Value<"u8">;
}

// The ways to count: each adds 1 to `counter`, and to one element of `counters` after another,
// `times` times.

/** By update(), which blocks. */
export async function countByUpdate(
  start: Start,
  counter: Value<"i32">,
  counters: SharedArray<"f64">,
  times: number,
) {
  start.there.add(1);
  while (start.there.value < start.parties) await sleep(1);
  for (let i = 0; i < times; i++) {
    counter.update((n) => n + 1);
    counters.update(i % counters.length, (n) => n + 1);
  }
}

/** With the lock held, which is awaited. */
export async function countByHold(
  start: Start,
  counter: Value<"i32">,
  counters: SharedArray<"f64">,
  times: number,
) {
  start.there.add(1);
  while (start.there.value < start.parties) await sleep(1);
  for (let i = 0; i < times; i++) {
    {
      using _held = await counter.lock.hold();
      counter.value = counter.value + 1;
    }
    using _held = await counters.lock.hold();
    counters[i % counters.length] += 1;
  }
}

/** With the lock held, blocking. */
export async function countByHoldSync(
  start: Start,
  counter: Value<"i32">,
  counters: SharedArray<"f64">,
  times: number,
) {
  start.there.add(1);
  while (start.there.value < start.parties) await sleep(1);
  for (let i = 0; i < times; i++) {
    {
      using _held = counter.lock.holdSync();
      counter.value = counter.value + 1;
    }
    using _held = counters.lock.holdSync();
    counters[i % counters.length] += 1;
  }
}

/** Without the lock. */
export async function countByAdd(
  start: Start,
  counter: Value<"u32">,
  counters: SharedArray<"i64">,
  times: number,
) {
  start.there.add(1);
  while (start.there.value < start.parties) await sleep(1);
  for (let i = 0; i < times; i++) {
    counter.add(1);
    counters.add(i % counters.length, 1n);
  }
}

/** Without anything. */
export async function countCarelessly(
  start: Start,
  counter: Value<"i32">,
  counters: SharedArray<"f64">,
  times: number,
) {
  start.there.add(1);
  while (start.there.value < start.parties) await sleep(1);
  for (let i = 0; i < times; i++) {
    counter.value = counter.value + 1;
    counters[i % counters.length] += 1;
  }
}

/** What can be handed over, at some depth. */
export interface Nested {
  value: Value<"f64">;
  list: [SharedArray<"u16">, Map<string, Set<Value<"u64">>>];
  again: Value<"f64">;
}

/** Changes all that it finds; returns what it was, and whether the locks are held. */
export function change(nested: Nested) {
  const { value, list: [array, map], again } = nested;
  const [big] = map.get("big")!;
  const found = {
    value: value.value,
    array: [...array],
    big: big.value,
    isOne: value === again,
    isTypedArray: array instanceof Uint16Array,
    types: [value.type, array.type, big.type],
    locked: [value.lock.tryAcquire(), array.lock.tryAcquire(), big.lock.locked],
  };
  value.value = 0.5;
  array.reverse();
  big.value += 1n;
  return found;
}

/** Sets the first element to the sum of the others; returns the class it is of. */
export function sum(numbers: Float64Array) {
  numbers[0] = numbers.subarray(1).reduce((total, number) => total + number, 0);
  return numbers.constructor.name;
}

/** Gives back what it gets through a pipe, with 1 added to it. */
export async function echo(connection: Connection<Value<"i32"> | SharedArray<"i8">>) {
  for await (const item of connection) {
    if ("value" in item) item.update((n) => n + 1);
    else item.update(0, (n) => n + 1);
    await connection.send(item);
  }
}

/** Holds the lock until it is told to end; then counts and lets go, or ends without. */
export async function occupy(value: Value<"i32">, connection: Connection<string>) {
  await value.lock.acquire();
  value.value += 1;
  await connection.send("held");
  if (await connection.recv() === "release") {
    value.value += 1;
    value.lock.release();
  }
}

/** Makes some, and returns them. */
export function make() {
  return { value: new Value("i16", -5), array: new SharedArray("u8", [1, 2, 3]) };
}
