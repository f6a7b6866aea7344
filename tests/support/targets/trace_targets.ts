// Targets of the tests of traces.

import { type Connection, type Lock, type Queue, sleep } from "../../../mod.ts";

/** Puts numbers, one by one and many at once. */
export async function put(queue: Queue<number>, from: number, count: number): Promise<void> {
  for (let i = 0; i < count / 2; i++) await queue.put(from + i);
  await queue.putMany(Array.from({ length: count / 2 }, (_, i) => from + count / 2 + i));
}

/** Gets items until the queue was shut down, one by one and many at once, blocked and awaited. */
export async function get(queue: Queue<number>): Promise<number> {
  let count = 0;
  try {
    for (;;) {
      queue.getSync();
      await queue.get();
      count += 2 + (await queue.getMany(3)).length;
    }
  } catch {
    return count;
  }
}

/** Sends back each message twice as large. */
export async function echo(connection: Connection<number>): Promise<void> {
  for await (const n of connection) await connection.send(2 * n);
}

/** Puts something, takes a lock and computes for ever. */
export async function spinWithLock(lock: Lock, queue: Queue<string>): Promise<void> {
  await lock.acquire();
  await queue.put("held");
  for (;;);
}

/** Takes a lock, and goes on after a while. */
export async function holdFor(lock: Lock, ms: number): Promise<void> {
  using _held = await lock.hold();
  await sleep(ms);
}

export async function answer(numbers: Queue<number>, answers: Queue<number>): Promise<void> {
  for await (const n of numbers) await answers.put(n);
}

export function half(n: number): number {
  if (n % 2 !== 0) throw new RangeError("odd");
  return n / 2;
}
