// Tasks of a pool that is never closed fail: one whose task is garbage, one that the program keeps and doesn't ask, one
// that it asks late.

import { Pool, type Task } from "@multiproc/multiprocessing";

export function fail(n: number): void {
  throw new RangeError(`failure ${n}`);
}

if (import.meta.main) {
  const { gc } = globalThis as unknown as { gc(): void };
  const pool = new Pool({ processes: 1 });
  const kept: Task<void>[] = [];
  pool.submit(fail, [1]);
  kept.push(pool.submit(fail, [2]), pool.submit(fail, [3]));
  while (pool.statistics().failed < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  // The error of a task that is garbage is printed by a turn of the event loop after a collection.
  for (let turn = 0; turn < 20; turn++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  console.error("collected");
  await kept[1].exception();
  console.log("main");
}
