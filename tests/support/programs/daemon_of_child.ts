// A child ends while its own daemon is in an endless loop: the daemon ends with it.

import { Process, Queue } from "@multiproc/multiprocessing";

export async function startDaemon(ready: Queue<string>) {
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
  await ready.get();
  console.log("child done");
}

if (import.meta.main) {
  const process = new Process({ target: startDaemon, args: [new Queue<string>()] });
  process.start();
  await process.join();
  console.log(`main done: ${process.exitCode}`);
}
