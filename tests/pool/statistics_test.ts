// What statistics() makes of the workers that have ended: lib/pool/statistics.ts; and the units in a worker's hands.

import assert from "node:assert/strict";
import { PoolAccount } from "../../lib/pool/statistics.ts";
import { UnitSlots } from "../../lib/pool/unit_slots.ts";
import type { Worker } from "../../lib/pool/worker.ts";

/** As much of a worker as its utilization needs. */
function workerOf(livedMs: number, busyMs: number): Worker {
  const worker = { startedAt: performance.now() - livedMs, busyMs, running: [] };
  return worker as unknown as Worker;
}

Deno.test("utilization counts the time of workers that have ended", () => {
  const account = new PoolAccount(), hour = 3_600_000;
  account.workerEnded(workerOf(2 * hour, hour));
  const { utilization } = account.statistics([workerOf(hour, 0)], 0, 1);
  assert.ok(Math.abs(utilization - 1 / 3) < 0.01, `${utilization}`);
});

Deno.test("units by slot keep the order of sending, whichever ends first, and their slots are free again", () => {
  const units = new UnitSlots<string>();
  for (const [slot, unit] of [[5, "a"], [0, "b"], [63, "c"], [7, "d"]] as const) {
    units.set(slot, unit);
  }
  units.delete(63);
  units.set(0, "B");
  units.set(63, "e");
  units.delete(1);
  assert.deepEqual(units.entries, [[5, "a"], [0, "B"], [7, "d"], [63, "e"]]);
  assert.deepEqual([units.slots, units.values], [[5, 0, 7, 63], ["a", "B", "d", "e"]]);
  assert.deepEqual([units.size, units.slotOf("d"), units.slotOf("c"), units.get(63)], [
    4,
    7,
    undefined,
    "e",
  ]);
  units.clear();
  assert.deepEqual([units.size, units.entries, units.has(5)], [0, [], false]);
  units.set(3, "f");
  assert.deepEqual(units.entries, [[3, "f"]]);
});
