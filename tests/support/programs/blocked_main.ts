// Everything in main by the blocking faces, with no await at all.

import { Process, Queue } from "@multiproc/multiprocessing";

export function double(from: Queue<number>, to: Queue<number>) {
  for (;;) to.putSync(2 * from.getSync());
}

if (import.meta.main) {
  const to = new Queue<number>(), from = new Queue<number>();
  const process = new Process({ target: double, args: [to, from] });
  process.start();
  for (let i = 1; i <= 3; i++) {
    to.putSync(i);
    console.log(from.getSync());
  }
  process.terminate();
  console.log(process.joinSync(), process.exitCode);
}
