// A child is killed that catches everything while it computes. Deno 2.9.6 may lose the order to
// end it, in a built-in function; then the program doesn't wait for the child, which ends with the program.

import { Process, Queue } from "@multiproc/multiprocessing";

export function compute(ready: Queue<string>) {
  ready.putSync("computing");
  for (;;) {
    try {
      structuredClone({ text: "x".repeat(100) });
      [3, 1, 2].sort((a, b) => a - b);
    } catch {
      // Nothing that happens here ends the loop.
    }
  }
}

if (import.meta.main) {
  const ready = new Queue<string>();
  const process = new Process({ target: compute, args: [ready] });
  process.start();
  await ready.get();
  process.kill();
  await process.join();
  console.log(`killed: ${process.exitCode}`);
  console.log("main done");
}
