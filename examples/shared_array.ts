// Four workers fill one array, each a slice of it. Nothing is copied.

import { Process, SharedArray } from "@multiproc/multiprocessing";

export function square(numbers: SharedArray<"f64">, from: number, to: number) {
  for (let i = from; i < to; i++) numbers[i] = i * i;
  console.log(`filled ${from} to ${to - 1}`);
}

if (import.meta.main) {
  const numbers = new SharedArray("f64", 16);
  const workers = [0, 4, 8, 12].map((from) =>
    new Process({ target: square, args: [numbers, from, from + 4] })
  );
  for (const worker of workers) worker.start();
  for (const worker of workers) await worker.join();
  console.log(numbers.join(" "));
}
