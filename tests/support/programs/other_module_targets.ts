// The targets of other_module.ts.

import type { Queue } from "@multiproc/multiprocessing";

export async function fill(queue: Queue<number>, count: number) {
  for (let i = 1; i <= count; i++) await queue.put(i);
}
