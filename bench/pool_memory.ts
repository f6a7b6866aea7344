/**
 * The growth of the heap while a slow consumer takes the results of imap() over many items, in MB: the most after
 * a garbage collection, less what the heap was when the pool was idle. Prints the number.
 *
 * A program of its own: deno run --v8-flags=--expose-gc bench/pool_memory.ts ITEMS
 */
import { Pool } from "../mod.ts";
import { square } from "./pool_targets.ts";

const MB = 2 ** 20;
/** The heap is measured so many times. */
const LOOKS = 50;
/** After so many items the consumer rests for a millisecond, while the workers would like to go on. */
const RESTS_AFTER = 20_000;

function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

function heapMb(): number {
  (globalThis as unknown as { gc(): void }).gc();
  return Deno.memoryUsage().heapUsed / MB;
}

if (import.meta.main) {
  const count = Number(Deno.args[0]);
  await using pool = new Pool({ processes: 2 });
  for await (const _ of pool.imap(square, numbers(count / 100)));
  const idle = heapMb();
  let most = 0, taken = 0;
  for await (const _ of pool.imap(square, numbers(count))) {
    taken++;
    if (taken % RESTS_AFTER === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    if (taken % Math.ceil(count / LOOKS) === 0) most = Math.max(most, heapMb());
  }
  if (taken !== count) throw new Error(`imap() gave ${taken} results, not ${count}.`);
  console.log(Math.max(0, most - idle));
}
