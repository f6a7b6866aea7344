// Main waits for its daemons, and for nothing else.

import { Process, sleep } from "@multiproc/multiprocessing";

export async function work() {
  await sleep(50);
  return "done";
}

if (import.meta.main) {
  const first = new Process({ target: work, daemon: true });
  first.start();
  console.log(`result: ${await first.result()}`);
  const second = new Process({ target: work, daemon: true });
  second.start();
  console.log(`joined: ${await second.join()} ${second.exitCode}`);
}
