// Two processes write to one queue, a third reads from it until the end.

import { Process, Queue } from "@multiproc/multiprocessing";

export async function write(queue: Queue<string>, urls: string[]) {
  for (const url of urls) {
    console.log(`put ${url}`);
    await queue.put(url);
  }
}

export async function read(queue: Queue<string>) {
  for await (const url of queue) console.log(`got ${url}`);
}

if (import.meta.main) {
  const queue = new Queue<string>();
  const writer1 = new Process({ target: write, args: [queue, ["url_1", "url_2"]] });
  const writer2 = new Process({ target: write, args: [queue, ["url_3", "url_4"]] });
  const reader = new Process({ target: read, args: [queue] });
  writer1.start();
  writer2.start();
  reader.start();
  await writer1.join();
  await writer2.join();
  queue.shutdown();
  await reader.join();
  console.log("main");
}
