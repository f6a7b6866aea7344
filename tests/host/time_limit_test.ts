// A process in a sandbox with a time limit ends by that limit, in whichever order the host receives the messages.

import assert from "node:assert/strict";
import { Process } from "../../mod.ts";
import { testInFull } from "../support/length.ts";

/** In ms: main computes so long without a pause, and hears of several things at once. */
const BUSY = 60;

testInFull("a time limit in a sandbox is told as such, also while main is busy", async () => {
  const all = Array.from({ length: 6 }, (_, number) => {
    const process = new Process({
      target: () => {
        for (;;);
      },
      by: "source",
      permissions: "none",
      timeLimit: 1 + 10 * number,
    });
    process.start();
    return process;
  });
  let isOver = false;
  const ends = Promise.all(all.map((process) => process.join())).then(() => isOver = true);
  while (!isOver) {
    for (const end = performance.now() + BUSY; performance.now() < end;);
    await new Promise((done) => setTimeout(done));
  }
  await ends;
  assert.deepEqual(all.map(({ exitCode }) => exitCode), all.map(() => -9));
  for (const process of all) await assert.rejects(process.result(), { limit: "timeLimit" });
});
