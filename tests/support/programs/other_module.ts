// A program whose targets are in another module, which imports types only from the package.

import { Process, Queue } from "@multiproc/multiprocessing";
import { fill } from "./other_module_targets.ts";

if (import.meta.main) {
  const queue = new Queue<number>();
  const module = new URL("./other_module_targets.ts", import.meta.url);
  const process = new Process({ target: fill, args: [queue, 3], module });
  process.start();
  await process.result();
  console.log(`got: ${await queue.getMany(10)}`);
}
