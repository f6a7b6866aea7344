// The classic mistake: a queue for the tasks of one process, given to two processes. start() says
// what is wrong, and with the other queue the same program works.

import { Process, Queue } from "@multiproc/multiprocessing";
import { Queue as LocalQueue } from "@multiproc/multiprocessing/local";

type AnyQueue = Queue<string> | LocalQueue<string>;

export async function write(queue: AnyQueue, urls: string[]) {
  for (const url of urls) await queue.put(url);
  queue.shutdown(); // the reader's loop ends once it has got everything
}

export async function read(queue: AnyQueue) {
  for await (const url of queue) console.log(`Get ${url} from queue`);
}

async function run(queue: AnyQueue) {
  const writer = new Process({ target: write, args: [queue, ["url_1", "url_2", "url_3"]] });
  const reader = new Process({ target: read, args: [queue] });
  writer.start();
  reader.start();
  await writer.result();
  await reader.result();
}

if (import.meta.main) {
  try {
    await run(new LocalQueue<string>());
  } catch (error) {
    console.log(`${error}`);
  }
  await run(new Queue<string>());
  console.log("main");
}
