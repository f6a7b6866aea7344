// A child is killed while its own daemon is in an endless loop: the daemon ends, too.

import { Process, Queue } from "@multiproc/multiprocessing";

export function startDaemon(ready: Queue<string>) {
  const daemon = new Process({
    target: function spin(ready: Queue<string>) {
      ready.putSync("spinning");
      for (;;);
    },
    args: [ready],
    by: "source",
    daemon: true,
  });
  daemon.start();
  daemon.joinSync();
}

if (import.meta.main) {
  const ready = new Queue<string>();
  const process = new Process({ target: startDaemon, args: [ready] });
  process.start();
  await ready.get();
  process.kill();
  await process.join();
  console.log(`main done: ${process.exitCode}`);
}
