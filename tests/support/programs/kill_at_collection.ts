// A child lives as long as an object of main; run with --expose-gc.

import { Process, Queue, sleep } from "@multiproc/multiprocessing";

const gc: () => void = Reflect.get(globalThis, "gc");

export function spin(ready: Queue<string>) {
  ready.putSync("spinning");
  for (;;);
}

const registry = new FinalizationRegistry<Process<[Queue<string>], void>>((process) => {
  process.kill();
});

/** Starts a child that lives as long as an object which is gone by then. */
async function start() {
  const ready = new Queue<string>();
  const process = new Process({ target: spin, args: [ready] });
  process.start();
  await ready.get();
  registry.register({ lasting: "no longer" }, process);
  return process;
}

if (import.meta.main) {
  const process = await start();
  while (process.isAlive()) {
    gc();
    await sleep(1);
  }
  await process.join();
  console.log(`killed: ${process.exitCode}`);
}
