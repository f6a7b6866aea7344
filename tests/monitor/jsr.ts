// The monitor as users get it: from JSR, into an empty cache.

import assert from "node:assert/strict";
import { Folder, Registry, ways } from "../support/jsr.ts";

const program = `
import { Process, Queue, sleep } from "@multiproc/multiprocessing";
import { serveMonitor } from "@multiproc/multiprocessing/monitor";

export const wait = (queue: Queue<string>) => queue.get();

if (import.meta.main) {
  await using monitor = await serveMonitor();
  const queue = new Queue<string>({ name: "from JSR" });
  const process = new Process({ target: wait, args: [queue] });
  process.start();
  // Until main has told the name, and the wait is seen.
  for (let row; row?.name !== "from JSR" || row.waiterCount === 0; await sleep(100)) {
    row = (await (await fetch(monitor.url + "data")).json()).queues.rows[0];
  }
  console.log("shown");
  console.log((await (await fetch(monitor.url + "uplot.js")).text()).length > 10_000);
  await queue.put("end");
  await process.join();
}
`;

for (const way of ways) {
  Deno.test(`from JSR, by a ${way} specifier: the page is served, with one permission`, async () => {
    await using registry = await Registry.start();
    await using folder = await Folder.make(registry, way, { "main.ts": program });
    const flags = ["--quiet", "--no-prompt", "--allow-net=127.0.0.1"];
    const { code, out, errors } = await folder.deno(["run", ...flags, "main.ts"]);
    assert.deepEqual({ code, out, errors }, { code: 0, out: ["shown", "true"], errors: "" });
  });
}
