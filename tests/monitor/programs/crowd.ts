// 64 processes, which wait for one lock, and 10,000 queues, of which some are busy. It prints the URL of its monitor.

import { detectDeadlocks, Lock, Process, Queue, sleep } from "../../../mod.ts";
import { serveMonitor } from "../../../monitor.ts";

if (import.meta.main) {
  detectDeadlocks({ idle: "off", awaited: "off" });
  const monitor = await serveMonitor();
  const queues = Array.from(
    { length: 10_000 },
    (_, i) => new Queue<number>({ name: `queue of ${i}` }),
  );
  const lock = new Lock();
  await lock.acquire();
  const target = async (lock: Lock) => await lock.acquire();
  const processes = Array.from({ length: 63 }, (_, i) => {
    return new Process({ target, args: [lock], name: `waiter ${i}`, daemon: true });
  });
  for (const process of processes) process.start();
  await Promise.all(processes.map((process) => process.ready()));
  console.log(monitor.url);
  for (let i = 0;; i++) {
    for (let j = 0; j < 100; j++) queues[(7 * i + j) % 10_000].putNowait(i);
    await sleep(20);
  }
}
