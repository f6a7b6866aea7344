// A child is killed while its thread is blocked in getSync; main doesn't wait for its end, or does ("join").

import { Process, Queue } from "@multiproc/multiprocessing";

export function wait(ready: Queue<string>, queue: Queue<string>) {
  ready.putSync("about to wait");
  console.log(`got ${queue.getSync()}`);
}

if (import.meta.main) {
  const ready = new Queue<string>(), queue = new Queue<string>();
  const process = new Process({ target: wait, args: [ready, queue] });
  process.start();
  await ready.get();
  process.kill();
  if (Deno.args.includes("join")) {
    await process.join();
    console.log(`killed: ${process.exitCode}`);
  }
  console.log("main done");
}
