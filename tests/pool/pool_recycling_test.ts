// Workers that are replaced after so many items.

import assert from "node:assert/strict";
import { Pool } from "../../mod.ts";

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
