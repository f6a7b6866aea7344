// Main ends; its child is still at work, and begins the last of it only when main is done.

import { Process, Queue, sleep } from "@multiproc/multiprocessing";

export async function work(go: Queue<string>) {
  await go.get();
  await sleep(100);
  console.log("child done");
}

if (import.meta.main) {
  const go = new Queue<string>();
  new Process({ target: work, args: [go] }).start();
  console.log("main done");
  go.putNowait("go");
}
