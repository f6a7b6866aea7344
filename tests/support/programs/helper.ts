// A target that uses a function of its module, and a type that only the compiler sees.

import { Process, type Queue } from "@multiproc/multiprocessing";

function twice(n: number): number {
  return 2 * n;
}

export function work(n: number, _queue?: Queue<number>): number {
  return twice(n);
}

if (import.meta.main) {
  const process = new Process({ target: work, args: [21] });
  process.start();
  console.log(`result: ${await process.result()}`);
}
