// Main ends while its daemon, and the daemon's child, are in endless loops.

import { Process, Queue } from "@multiproc/multiprocessing";

export function spin(ready: Queue<string>, depth: number) {
  if (depth > 0) new Process({ target: spin, args: [ready, depth - 1] }).start();
  ready.putSync("spinning");
  for (;;);
}

if (import.meta.main) {
  const ready = new Queue<string>();
  new Process({ target: spin, args: [ready, 1], daemon: true }).start();
  await ready.get();
  await ready.get();
  console.log("main done");
}
