// Three processes work in rounds: nobody begins a round before all have finished the last one.

import { Barrier, Process, sleep } from "@multiproc/multiprocessing";

export async function work(barrier: Barrier, name: string) {
  for (let round = 1; round <= 3; round++) {
    await sleep(Math.random() * 300);
    console.log(`${name} has finished round ${round}`);
    await barrier.wait();
  }
}

if (import.meta.main) {
  // The action is done once in each round, by the process that comes last, before any goes on.
  const barrier = new Barrier(3, { action: () => console.log("all have") });
  const processes = ["Ada", "Bob", "Cyd"].map((name) =>
    new Process({ target: work, args: [barrier, name] })
  );
  for (const process of processes) process.start();
  for (const process of processes) await process.join();
  console.log("main");
}
