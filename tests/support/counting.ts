// Several processes count together, for both the plain tests and the full run.

import assert from "node:assert/strict";
import { Process, SharedArray, Value } from "../../mod.ts";
import * as targets from "./targets/value_targets.ts";

const module = targets.here;

/** The ways to count that go together: all take the lock. */
export const underLock = {
  "update()": [targets.countByUpdate],
  "the lock held, awaited": [targets.countByHold],
  "the lock held, blocking": [targets.countByHoldSync],
  "all three, mixed": [targets.countByUpdate, targets.countByHold, targets.countByHoldSync],
};

/** Processes count `times` times each, by one way or another; checks that none is lost. */
export async function countTogether(
  ways: readonly typeof targets.countByUpdate[],
  processes: number,
  times: number,
): Promise<void> {
  const counter = new Value("i32"), counters = new SharedArray("f64", 3);
  await all(processes, (start, i) => {
    const target = ways[i % ways.length];
    return new Process({ target, args: [start, counter, counters, times], module });
  });
  const total = processes * times;
  assert.equal(counter.value, total);
  assert.equal(counters.reduce((sum, count) => sum + count, 0), total);
  assert.ok(!counter.lock.locked && !counters.lock.locked);
}

/** The same by add(). */
export async function addTogether(processes: number, times: number): Promise<void> {
  const counter = new Value("u32"), counters = new SharedArray("i64", 3);
  await all(processes, (start) => {
    const target = targets.countByAdd;
    return new Process({ target, args: [start, counter, counters, times], module });
  });
  const total = processes * times;
  assert.equal(counter.value, total);
  assert.equal(counters.reduce((sum, count) => sum + count, 0n), BigInt(total));
}

/** Starts as many processes, which begin at the same moment, and waits for all. */
async function all(
  parties: number,
  make: (start: targets.Start, i: number) => Pick<Process, "start" | "result">,
): Promise<void> {
  const start = { parties, there: new Value("u8") };
  const processes = Array.from({ length: parties }, (_, i) => make(start, i));
  for (const process of processes) process.start();
  for (const process of processes) await process.result();
}
