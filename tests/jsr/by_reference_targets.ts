// The targets of by_reference.ts that stand in another module.

import type { Lock, Queue } from "@multiproc/multiprocessing";

function double(n: number): number {
  return 2 * n;
}

export async function doubled(n: number, queue: Queue<number>, lock: Lock): Promise<string> {
  using _held = await lock.hold();
  await queue.put(double(n));
  return "doubled";
}
