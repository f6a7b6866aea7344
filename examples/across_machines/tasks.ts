// The tasks of caller.ts, which a worker runs.

import { currentTask } from "@multiproc/multiprocessing";

/** How many primes there are below a number. */
export function countPrimes(below: number): number {
  const { attempt } = currentTask()!;
  if (attempt > 1) console.error(`attempt ${attempt}: an earlier worker has died`);
  let count = 0;
  for (let n = 2; n < below; n++) {
    let isPrime = true;
    for (let i = 2; i * i <= n && isPrime; i++) isPrime = n % i !== 0;
    if (isPrime) count++;
  }
  return count;
}
