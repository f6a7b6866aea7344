// A pool that a task was given goes on working there, whatever is collected here; run with --expose-gc.

import { Event, Pool } from "@multiproc/multiprocessing";

const gc: () => void = Reflect.get(globalThis, "gc");

export async function squareLater(pool: Pool, go: Event, n: number): Promise<number> {
  await go.wait();
  return await pool.apply((n: number) => n * n, [n]);
}

if (import.meta.main) {
  await using pool = new Pool({ processes: 2 });
  const go = new Event();
  await pool.ready();
  const task = pool.submit(squareLater, [pool, go, 7]);
  for (let i = 0; i < 5; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  go.set();
  console.log(await task.result());
}
