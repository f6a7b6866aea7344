// Processes that may end anywhere put large items. The test stops the whole program now and
// then; a process that was inside a critical section must still hold its lock when it goes on.

import { Process, Queue } from "@multiproc/multiprocessing";

const SIZE = 48 * 2 ** 20, COUNT = 30;

export function produce(queue: Queue<Uint8Array>, who: number, size: number, count: number) {
  const item = new Uint8Array(size);
  for (let i = 0; i < count; i++) {
    item.fill(who * 100 + i);
    queue.putSync(item);
  }
}

if (import.meta.main) {
  const queue = new Queue<Uint8Array>({ maxSize: 4 });
  const producers = [0, 1].map((who) => {
    const args = [queue, who, SIZE, COUNT] as [Queue<Uint8Array>, number, number, number];
    const process = new Process({ target: produce, args, memoryLimitMb: 200 });
    process.start();
    return process;
  });
  const next = [0, 0];
  for (let n = 0; n < 2 * COUNT; n++) {
    const item = await queue.get({ timeout: 60_000 });
    const [first] = item, who = Math.floor(first / 100);
    if (n === 0) console.log("works");
    if (first % 100 !== next[who]++) throw new Error(`item ${n} is ${first}`);
    for (let i = 0; i < SIZE; i += 997) {
      if (item[i] !== first) throw new Error(`item ${n} is mixed`);
    }
  }
  for (const producer of producers) await producer.join();
  console.log("whole");
}
