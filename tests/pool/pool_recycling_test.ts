// Workers that are replaced: after so many items, or by a spare.

import assert from "node:assert/strict";
import { Pool, Queue, sleep, TaskError, Value } from "../../mod.ts";
import { testInFull } from "../support/length.ts";

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

/** An initializer for one worker, the second of the pool: it ends there, or takes its time. */
async function second(
  starts: Value<"i32">,
  how: "ends" | "waits",
  go: Queue<number>,
): Promise<void> {
  if (starts.add(1) !== 1) return;
  if (how === "ends") Deno.exit(3);
  await go.get();
}

testInFull(
  "recycle() starts another worker where the successor ends before it has loaded",
  async () => {
    const starts = new Value("i32"), go = new Queue<number>();
    await using pool = new Pool({
      ...{ processes: 1, initializer: second, initargs: [starts, "ends", go] as const },
    });
    await pool.ready();
    const [{ name }] = pool.workers;
    await pool.recycle();
    const ready = pool.workers.filter(({ state }) => state === "ready");
    assert.equal(ready.length, 1);
    assert.notEqual(ready[0].name, name);
  },
);

testInFull("recycle() that takes too long leaves as many workers as before", async () => {
  const starts = new Value("i32"), go = new Queue<number>();
  await using pool = new Pool({
    ...{ processes: 1, initializer: second, initargs: [starts, "waits", go] as const },
    idleTimeout: Infinity,
  });
  await pool.ready();
  const [{ name }] = pool.workers;
  await assert.rejects(pool.recycle({ timeout: 20 }), { name: "TimeoutError" });
  const kept = pool.workers.filter(({ state }) => state === "ready" || state === "loading");
  assert.deepEqual(kept.map(({ name }) => name), [name]);
  await go.put(1);
});
