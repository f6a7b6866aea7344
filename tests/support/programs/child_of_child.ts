// Main ends, and its child's target returns, or the child is killed ("kill"), while the child's
// child is still at work, and begins the last of it only when main is done.

import { Process, Queue, sleep } from "@multiproc/multiprocessing";

export async function startAnother(ready: Queue<string>, go: Queue<string>) {
  const process = new Process({
    target: async function work(ready: Queue<string>, go: Queue<string>) {
      await ready.put("at work");
      await go.get();
      await sleep(100);
      console.log("child of child done");
    },
    args: [ready, go],
    by: "source",
  });
  console.log("child starts another");
  process.start();
  if (Deno.args.includes("kill")) await process.join();
}

if (import.meta.main) {
  const ready = new Queue<string>(), go = new Queue<string>();
  const process = new Process({ target: startAnother, args: [ready, go] });
  process.start();
  await ready.get();
  if (Deno.args.includes("kill")) {
    process.kill();
    await process.join();
  }
  console.log("main done");
  go.putNowait("go");
}
