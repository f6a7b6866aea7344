// Functions for the rounds of pools, and for their soak.

import { type Pool, type SharedArray, workerState } from "../../../mod.ts";

/** What an item does. */
export type Kind = "return" | "wait" | "throw" | "exit" | "outside" | "spin";

/** An item: its number, and what it does. */
export type Item = [i: number, kind: Kind];

/** The initializer: where it is counted how often each item was begun. */
export const keep = (begun: SharedArray<"i32">) => begun;

/** Counts that the item was begun, and does what it says. */
export async function work([i, kind]: Item): Promise<number> {
  Atomics.add(workerState<SharedArray<"i32">>(), i, 1);
  if (kind === "throw") throw new RangeError(`${i}`);
  if (kind === "exit") Deno.exit(3);
  if (kind === "spin") { while (true); }
  if (kind === "outside") {
    setTimeout(() => {
      throw new Error("outside");
    });
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  if (kind === "wait") await new Promise((resolve) => setTimeout(resolve, i % 4));
  return i * 2;
}

export async function* yields(items: Item[]): AsyncGenerator<number> {
  for (const [i] of items) {
    Atomics.add(workerState<SharedArray<"i32">>(), i, 1);
    if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    yield 2 * i;
  }
}

/** Has the pool that it runs in run items; an outcome is the value, or the thrown error as text, or "lost". */
export async function nest(pool: Pool, items: Item[]): Promise<(number | string)[]> {
  const one = ([i, kind]: Item): number => {
    Atomics.add(workerState<SharedArray<"i32">>(), i, 1);
    if (kind === "throw") throw new RangeError(`${i}`);
    return 2 * i;
  };
  const all = await pool.map(one, items, { returnExceptions: true });
  return all.map((it) =>
    typeof it === "number" ? it : / was lost: /.test(it.message) ? "lost" : `${it.cause}`
  );
}
