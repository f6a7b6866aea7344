// The targets of these programs, some of which use @std/async, too.

import type { Queue, Value } from "@multiproc/multiprocessing";
import { delay } from "@std/async";

export const here = import.meta.url;

export async function putAll(queue: Queue<string>, items: string[]): Promise<void> {
  for (const item of items) {
    await delay(Math.random());
    await queue.put(item);
  }
  queue.shutdown();
}

export async function square(n: number): Promise<number> {
  await delay(Math.random());
  if (n < 0) throw new RangeError(`no negative numbers: ${n}`);
  return n * n;
}

export async function squareWhenTold(n: number, go: Queue<string>): Promise<number> {
  await go.get();
  return n * n;
}

/** Fails the first times it is called, as often as it is told. */
export function failAtFirst(calls: Value<"i32">, failures: number): number {
  const call = calls.add(1) + 1;
  if (call <= failures) throw new RangeError(`call ${call} fails`);
  return call;
}

export async function neverEnd(started: Queue<string>): Promise<void> {
  await started.put("started");
  await delay(2 ** 31 - 1);
}
