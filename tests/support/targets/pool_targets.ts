// Functions that tests of pools call in workers. Each stands alone: without permission to read, they travel by source.

import {
  currentTask,
  type Lock,
  type Pool,
  type Queue,
  type SharedArray,
  transfer,
  type Value,
  workerState,
} from "../../../mod.ts";

export const same = <T>(value: T): T => value;

export const square = (n: number): number => n * n;

export const add = (a: number, b: number): number => a + b;

export async function nap(ms: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
}

export function spin(): never {
  while (true);
}

/** Throws for every third one. */
export function fussy(n: number): number {
  if (n % 3 === 0) throw new RangeError(`three times ${n / 3}`, { cause: new TypeError("inside") });
  return n;
}

/** Ends its worker for a number, in one of several ways. */
export async function die(n: number, how: string, at = 5): Promise<number> {
  if (n !== at) return n;
  if (how === "exit") Deno.exit(7);
  if (how === "spin") { while (true); }
  if (how === "outside") {
    setTimeout(() => {
      throw new Error("outside");
    });
  }
  if (how === "rejection") Promise.reject(new Error("nobody catches it"));
  if (how === "memory") {
    const all: unknown[] = [];
    for (;;) all.push({ n: all.length, text: `${all.length}` });
  }
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  return n;
}

export const die5 = (n: number): number => {
  if (n === 5) Deno.exit(7);
  return n;
};

/** Says that it has begun, then computes without end. */
export function beginAndSpin(begun: Value<"i32">): never {
  begun.add(1);
  Atomics.notify(new Int32Array(1), 0);
  while (true);
}

export function countAndReturn(counts: SharedArray<"i32">, n: number): number {
  Atomics.add(counts, n, 1);
  return n;
}

export function countAndExit(counts: SharedArray<"i32">, n: number): number {
  if (Atomics.add(counts, n, 1) === 0) Deno.exit(3);
  return n;
}

export const attempt = (): number | undefined => currentTask()?.attempt;

export function whoAmI() {
  const task = currentTask()!;
  return { name: task.name, index: task.index, id: task.id, attempt: task.attempt };
}

export function report(steps: number): string {
  for (let i = 0; i < steps; i++) currentTask()!.send({ step: i });
  return "done";
}

/** Ends when it is told to. */
export async function untilTold(by: Queue<number>): Promise<number> {
  return await by.get();
}

export async function untilAborted(): Promise<string> {
  const { signal } = currentTask()!;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return "aborted";
}

export const uncloneable = () => ({ db: () => 1 });

export function* count(to: number): Generator<number> {
  for (let i = 0; i < to; i++) yield i;
}

export async function* countSlowly(to: number): AsyncGenerator<number> {
  for (let i = 0; i < to; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield i;
  }
}

/** Tells a queue when it was left. */
export function* countUntilLeft(left: Queue<string>): Generator<number> {
  try {
    for (let i = 0;; i++) yield i;
  } finally {
    left.putNowait("left");
  }
}

export function* failsInTheMiddle(): Generator<number> {
  yield 1;
  throw new RangeError("in the middle");
}

export const open = (n: number) => ({ opened: n });

export function openAndFail(): never {
  throw new Error("no database");
}

export function openAndExit(): never {
  Deno.exit(4);
}

export const opened = (): number => workerState<{ opened: number }>().opened;

export function closing(state: { opened: number; log: Queue<string> }): void {
  state.log.putNowait(`closed ${state.opened}`);
}

export const openWithLog = (log: Queue<string>) => ({ opened: 1, log });

export async function addUnderLock(lock: Lock, value: Value<"i32">): Promise<void> {
  using _held = await lock.hold();
  const before = value.value;
  await new Promise((resolve) => setTimeout(resolve, 1));
  value.value = before + 1;
}

export async function put(queue: Queue<number>, n: number): Promise<void> {
  await queue.put(n);
}

export function zeros(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return transfer(bytes, [bytes.buffer]);
}

export const byteLength = (bytes: Uint8Array): number => bytes.length;

export async function sumOfSquares(pool: Pool, numbers: number[]): Promise<number> {
  const squares = await pool.map((n: number) => n * n, numbers);
  return squares.reduce((a, b) => a + b, 0);
}

export async function fibonacci(pool: Pool, n: number): Promise<number> {
  if (n < 2) return n;
  const { fibonacci } = {
    fibonacci: pool.load<Record<string, (pool: Pool, n: number) => number>>(import.meta.url),
  };
  const [a, b] = await Promise.all([
    fibonacci.fibonacci(pool, n - 1),
    fibonacci.fibonacci(pool, n - 2),
  ]);
  return a + b;
}

export const home = () => Deno.env.get("HOME");

export const evaluate = (code: string): unknown => new Function(code)();

/** Never ends, and leaves its thread free. */
export async function hang(): Promise<never> {
  return await new Promise<never>((_) => setInterval(() => {}, 60_000));
}

/** Says that it has begun, and never ends. */
export async function beginAndHang(begun: Value<"i32">): Promise<void> {
  begun.add(1);
  await new Promise((_) => setInterval(() => {}, 60_000));
}

/** Says that it has begun, and ends once it is told to. */
export async function beginAndWait(begun: Value<"i32">, told: Queue<number>): Promise<number> {
  begun.add(1);
  return await told.get();
}

export function* yieldAndSpin(): Generator<number> {
  yield 1;
  while (true);
}

export async function* yieldAndHang(): AsyncGenerator<number> {
  yield 1;
  await new Promise((_) => setInterval(() => {}, 60_000));
}

/** Ends its worker the first time, before or after its first value. */
export function* dieOnce(tries: Value<"i32">, isAfter: boolean): Generator<number> {
  const isFirst = tries.add(1) === 0;
  if (isFirst && !isAfter) Deno.exit(5);
  yield 1;
  if (isFirst) Deno.exit(5);
  yield 2;
}

/** Hands the pool on to its own calls. */
export async function fibonacciOf(pool: Pool, n: number): Promise<number> {
  if (n < 2) return n;
  const { fibonacciOf } = pool.load<typeof import("./pool_targets.ts")>(import.meta.url);
  const [a, b] = await Promise.all([fibonacciOf(pool, n - 1), fibonacciOf(pool, n - 2)]);
  return a + b;
}

/** Hands the pool on to a function that uses it. */
export async function handOn(pool: Pool, n: number): Promise<number> {
  return await pool.apply(async (pool: Pool, n: number) => {
    return await pool.apply((n: number) => n + 1, [n]);
  }, [pool, n]);
}

export const failInTheEnd = (): never => {
  throw new Error("the end");
};

export const sayBack = (value: unknown): void => currentTask()!.send(value);

/** Computes for so long, and counts how often it was begun. */
export function computeAndCount(counts: SharedArray<"i32">, n: number, ms: number): number {
  Atomics.add(counts, n, 1);
  const end = performance.now() + ms;
  while (performance.now() < end);
  return n;
}
