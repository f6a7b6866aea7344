// Four processes count together, without a lock and with one.

import { Lock, Process, sleep, Value } from "@multiproc/multiprocessing";

export async function count(counter: Value<"i32">, lock?: Lock) {
  for (let i = 0; i < 100; i++) {
    using _held = await lock?.hold(); // until the end of this round
    const seen = counter.value;
    await sleep(1); // another process may read the same meanwhile
    counter.value = seen + 1;
  }
}

async function run(how: string, lock?: Lock) {
  const counter = new Value("i32");
  const processes = [1, 2, 3, 4].map(() => new Process({ target: count, args: [counter, lock] }));
  for (const process of processes) process.start();
  for (const process of processes) await process.join();
  console.log(`${how}: ${counter.value} of 400`);
}

if (import.meta.main) {
  await run("without a lock");
  await run("with a lock", new Lock());
}
