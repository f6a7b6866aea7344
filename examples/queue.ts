// Two processes write to one queue, a third one reads from it.

import { Process, Queue, sleep } from "@multiproc/multiprocessing";

export async function write(queue: Queue<string>, urls: string[]) {
  console.log("Process is write....");
  for (const url of urls) {
    console.log(`put ${url} to queue...`); // before it is put: the reader may be quicker than we are
    await queue.put(url);
    await sleep(Math.random() * 1000);
  }
}

export async function read(queue: Queue<string>) {
  console.log("Process is reading...");
  while (true) {
    const url = await queue.get();
    console.log(`Get ${url} from queue`);
  }
}

if (import.meta.main) {
  const queue = new Queue<string>();
  const writer1 = new Process({ target: write, args: [queue, ["url_1", "url_2", "url_3"]] });
  const writer2 = new Process({ target: write, args: [queue, ["url_4", "url_5", "url_6"]] });
  const reader = new Process({ target: read, args: [queue] });
  writer1.start();
  writer2.start();
  reader.start();
  await writer1.join();
  await writer2.join();
  reader.terminate(); // it never ends by itself
  console.log("main");
}
