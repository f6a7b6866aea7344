// A listener for a signal of the operating system kills a child in an endless loop.

import { Process, Queue } from "@multiproc/multiprocessing";

export function spin(ready: Queue<string>) {
  ready.putSync("spinning");
  for (;;);
}

if (import.meta.main) {
  const ready = new Queue<string>();
  const process = new Process({ target: spin, args: [ready] });
  process.start();
  await ready.get();
  const listener = () => {
    console.log("signal: SIGUSR2");
    process.kill();
  };
  Deno.addSignalListener("SIGUSR2", listener);
  Deno.kill(Deno.pid, "SIGUSR2");
  await process.join();
  Deno.removeSignalListener("SIGUSR2", listener);
  console.log(`killed: ${process.exitCode}`);
}
