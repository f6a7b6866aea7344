// Functions for the rounds of pools.

import { type SharedArray, workerState } from "../../../mod.ts";

/** An item: its number, and what it does. */
export type Item = [i: number, kind: "return" | "throw" | "exit" | "spin" | "outside"];

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
  if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, i % 3));
  return i * 2;
}
