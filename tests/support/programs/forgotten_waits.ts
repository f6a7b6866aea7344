// Queues with pending waits that are then forgotten are freed; run with --expose-gc.

import { getHeapStatistics } from "node:v8";
import { Queue, QueueEmpty } from "@multiproc/multiprocessing";

const gc: () => void = Reflect.get(globalThis, "gc");

/** Bytes of heap that a queue may be remembered by; one that is kept takes 2,000. */
const LITTLE = 500;
const COUNT = 4000;

async function waitInVain() {
  try {
    await new Queue<number>().get({ timeout: 1 });
  } catch (error) {
    if (!(error instanceof QueueEmpty)) throw error;
  }
}

async function waitForMany() {
  for (let i = 0; i < COUNT; i += 100) await Promise.all(Array.from({ length: 100 }, waitInVain));
}

/** When all that can be freed is. */
async function usedHeap() {
  for (let i = 0; i < 5; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return getHeapStatistics().used_heap_size;
}

await waitForMany();
const before = await usedHeap();
await waitForMany();
const kept = (await usedHeap() - before) / COUNT;
console.log(kept < LITTLE ? "freed" : `${kept} bytes are kept of each`);
