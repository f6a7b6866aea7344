// Targets of the tests of queues. These functions must work by reference (with
// permission to read) and by source (without), so they use nothing but their arguments, the
// globals and this package's exports. Deno.test must not be called where a child imports.

import { type Queue, QueueShutDown } from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** Puts [id, 0], [id, 1] … [id, count - 1]. */
export async function produce(queue: Queue<[number, number]>, id: number, count: number) {
  for (let i = 0; i < count; i++) await queue.put([id, i]);
}

/** The same with the blocking face. */
export function produceSync(queue: Queue<[number, number]>, id: number, count: number) {
  for (let i = 0; i < count; i++) queue.putSync([id, i]);
}

/** Gets until the queue was shut down and is empty; returns what it got of each producer. */
export async function consume(queue: Queue<[number, number]>, producers: number) {
  const got: number[][] = Array.from({ length: producers }, () => []);
  for await (const [id, i] of queue) got[id].push(i);
  return got.map((numbers) => Int32Array.from(numbers));
}

/** The same with the blocking face. */
export function consumeSync(queue: Queue<[number, number]>, producers: number) {
  const got: number[][] = Array.from({ length: producers }, () => []);
  try {
    for (;;) {
      const [id, i] = queue.getSync();
      got[id].push(i);
    }
  } catch (error) {
    if (!(error instanceof QueueShutDown)) throw error;
  }
  return got.map((numbers) => Int32Array.from(numbers));
}

/** Posts to an unrelated BroadcastChannel as fast as it can, for ever. */
export async function flood() {
  const channel = new BroadcastChannel("unrelated");
  for (;;) {
    for (let i = 0; i < 50; i++) channel.postMessage({ i, text: "noise" });
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A token that says what it is, in more or fewer bytes. */
export interface Token {
  id: number;
  text: string;
}

/** Gets a token and puts it back, for ever. */
export async function churn(queue: Queue<Token>) {
  for (;;) await queue.put(await queue.get());
}

/** The same with the blocking face. */
export function churnSync(queue: Queue<Token>) {
  for (;;) queue.putSync(queue.getSync());
}

/** Waits for an item, and gives it on. */
export async function pass(from: Queue<unknown>, to: Queue<unknown>) {
  for (;;) await to.put(await from.get());
}

/** Answers each item it gets, until it gets null. */
export async function echo(from: Queue<unknown>, to: Queue<unknown>) {
  for (;;) {
    const item = await from.get();
    if (item === null) return;
    await to.put(item);
  }
}

/** Gets items in a recursion that never ends, until the stack is full. */
export function overflow(queue: Queue<unknown>): number {
  queue.getNowait();
  return overflow(queue) + 1;
}

/** The same with puts. */
export function overflowPutting(queue: Queue<unknown>): number {
  queue.putNowait(0);
  return overflowPutting(queue) + 1;
}

/** Puts one item. */
export async function putOne(queue: Queue<string>, item: string): Promise<void> {
  await queue.put(item);
}

/** Says that it begins, and puts so many numbers, with one face or the other. */
export async function fill(
  queue: Queue<number>,
  began: Queue<string>,
  count: number,
  face: "put" | "putSync" | "putMany",
) {
  await began.put("began");
  if (face === "putMany") return await queue.putMany(Array.from({ length: count }, (_, i) => i));
  for (let i = 0; i < count; i++) {
    if (face === "put") await queue.put(i);
    else queue.putSync(i);
  }
}

/** Sets how many items there may be, and returns what it was before. */
export function bound(queue: Queue<number>, maxSize: number): number {
  const before = queue.maxSize;
  queue.maxSize = maxSize;
  return before;
}
