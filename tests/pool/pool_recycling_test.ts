// Workers that are replaced: after so many items, or by a spare.

import assert from "node:assert/strict";
import { Pool, sleep, TaskError } from "../../mod.ts";

Deno.test("a worker that is replaced after one task runs that task, and no other worker is given it", async () => {
  await using pool = new Pool({ processes: 1, spares: 1, maxTasksPerChild: 1 });
  const workers: string[] = [];
  pool.addEventListener("taskstart", (event) => {
    workers.push((event as CustomEvent<{ worker: string }>).detail.worker);
  });
  for (let i = 0; i < 5; i++) assert.equal(await pool.apply((i: number) => i * i, [i]), i * i);
  assert.equal(workers.length, 5);
  assert.equal(new Set(workers).size, 5);
});

Deno.test("a spare is given the next task before a start in its place blocks the thread", async () => {
  await using pool = new Pool({ processes: 1, spares: 1 });
  for (let round = 0; round < 3; round++) {
    while (pool.workers.filter(({ state }) => state === "ready").length < 2) await sleep(5);
    const events: string[] = [];
    const note = ({ type }: Event) => events.push(type);
    for (const type of ["taskstart", "workerstart"]) pool.addEventListener(type, note);
    const lost = pool.submit(() => Deno.exit(1)).exception();
    assert.equal(await pool.apply((n: number) => n + 1, [round]), round + 1);
    assert.ok(await lost instanceof TaskError);
    while (!events.includes("workerstart")) await sleep(5);
    for (const type of ["taskstart", "workerstart"]) pool.removeEventListener(type, note);
    assert.deepEqual(events, ["taskstart", "taskstart", "workerstart"]);
  }
});
