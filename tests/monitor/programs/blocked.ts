// Main is blocked, or computes, for good: a child waits for an item of a queue. The URL is printed before.

import { detectDeadlocks, Process, Queue, sleep } from "../../../mod.ts";
import { serveMonitor } from "../../../monitor.ts";

if (import.meta.main) {
  detectDeadlocks({ idle: "off" });
  const monitor = await serveMonitor();
  const answers = new Queue<string>({ name: "answers" });
  const target = (answers: Queue<string>) => answers.get();
  new Process({ target, args: [answers], name: "asker" }).start();
  // Who computes tells nothing; who is blocked by a wait of this library does.
  if (Deno.args[0] !== "blocked") await sleep(1500);
  console.log(monitor.url);
  if (Deno.args[0] === "blocked") answers.getSync();
  else for (;;);
}
