// Shared memory into which somebody has written what this library never would: whoever uses it gets an
// answer or an error, and nobody waits beyond his timeout. What is tried runs in processes with a time
// limit, so that a loop without end fails the test.

import assert from "node:assert/strict";
import { Pipe, Process, Queue, Semaphore } from "../mod.ts";
import { randomFrom } from "./support/seed.ts";
import * as targets from "./targets/damage_targets.ts";

const module = targets.here;
/** In ms. */
const LIMIT = 30_000;

/** What came of a target that may not take for ever. */
async function run<A extends unknown[]>(target: (...args: A) => unknown, ...args: A) {
  const options = { target, args, module, timeLimit: LIMIT };
  const process = new Process<A, unknown>(...[options] as never);
  process.start();
  return await process.result();
}

for (const kind of targets.kinds) {
  Deno.test(`a damaged ${kind} gives answers or errors, and ends every wait in time`, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`seed ${seed}`);
    const counts = await run(targets.useDamaged, kind, seed, 300) as Record<string, number>;
    assert.ok(Object.values(counts).some((count) => count > 0), JSON.stringify(counts));
  });
}

Deno.test("what is no shared memory can't arrive as a part of something", async () => {
  for (const kind of targets.kinds) {
    const refused = await run(targets.receiveForged, kind) as string[];
    assert.ok(refused.length > 0);
    for (const error of refused) assert.match(error, /^TypeError: /, kind);
  }
});

Deno.test("objects are as ever when nobody has damaged them", async () => {
  const random = randomFrom(1), queue = new Queue<number>(), [here, there] = Pipe<number>();
  const semaphore = new Semaphore(1);
  for (let i = 0; i < 1000; i++) {
    const n = Math.floor(random() * 2 ** 30);
    await queue.put(n);
    assert.equal(await queue.get(), n);
    await here.send(n);
    assert.equal(await there.recv(), n);
    assert.ok(await semaphore.acquire());
    semaphore.release();
  }
});
