// Makes a hundred queues, and keeps one once the monitor knows all. Needs --v8-flags=--expose-gc.

import { Queue, sleep } from "../../../mod.ts";
import { serveMonitor } from "../../../monitor.ts";

declare const gc: () => void;

const monitor = await serveMonitor();
const kept = new Queue({ name: "kept" });
let others = Array.from({ length: 99 }, () => new Queue());
while ((await (await fetch(`${monitor.url}data`)).json()).queues.total < 100) await sleep(100);
console.log(monitor.url);
others = [];
for (;;) {
  await sleep(100);
  gc();
  kept.putManyNowait(others);
}
