// Processes in sandboxes are terminated in an endless loop, which only the end of the program
// can stop: they count as ended all the same, and the program ends.

import { activeChildren, Process, Queue } from "@multiproc/multiprocessing";

export function spin(ready: Queue<string>) {
  ready.putSync("spinning");
  for (;;);
}

export async function spinInMicrotasks(ready: Queue<string>) {
  ready.putSync("spinning");
  for (;;) await null;
}

export function blockInAtomics(ready: Queue<string>) {
  ready.putSync("spinning");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

if (import.meta.main) {
  for (const target of [spin, spinInMicrotasks, blockInAtomics]) {
    const ready = new Queue<string>();
    const process = new Process({ target, args: [ready], permissions: "none" });
    process.start();
    await ready.get();
    process.terminate();
    console.log(await process.join({ timeout: 10_000 }), process.exitCode, process.isAlive());
    console.log(activeChildren().length);
  }
  console.log("main done");
}
