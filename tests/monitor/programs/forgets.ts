// Makes a hundred queues and keeps one. Needs --v8-flags=--expose-gc.

import { Queue, sleep } from "../../../mod.ts";
import { serveMonitor } from "../../../monitor.ts";

declare const gc: () => void;

const monitor = await serveMonitor();
const kept = new Queue({ name: "kept" });
for (let i = 0; i < 100; i++) new Queue({ name: undefined });
console.log(monitor.url);
for (;;) {
  await sleep(100);
  gc();
  kept.qsize();
}
