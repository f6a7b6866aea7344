// A listener for a signal of the operating system kills a child in a loop without end.

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
    console.log("signal: SIGUSR1");
    process.kill();
  };
  Deno.addSignalListener("SIGUSR1", listener);
  Deno.kill(Deno.pid, "SIGUSR1");
  await process.join();
  Deno.removeSignalListener("SIGUSR1", listener);
  console.log(`killed: ${process.exitCode}`);
}
