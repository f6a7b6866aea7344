// Random programs of locks against a model: every deadlock ends by an error, and no error tells of another thing.

import assert from "node:assert/strict";
import { Barrier, inspect, Lock, RLock, SharedArray } from "../../mod.ts";
import { starterOf } from "../support/starter.ts";
import * as targets from "../support/targets/inspect_targets.ts";

const start = starterOf(import.meta.resolve("../support/targets/inspect_targets.ts"));

Deno.test(
  "10,000 random programs of locks: no error the model doesn't confirm, no cycle left",
  async () => {
    const members = 3, groups = 4, programs = 2500, seed = Date.now() % 1_000_000;
    const group = async (index: number) => {
      const locks = [new Lock(), new RLock(), new Lock()], all = new Barrier(members);
      const model = new SharedArray("i32", members * 2);
      const processes = Array.from({ length: members }, (_, id) =>
        start(targets.runRandomLocks, [{
          ...{ id, members, programs, locks, all, model },
          seed: seed + index,
        }], { name: `group-${index}-${id}` }));
      try {
        return await Promise.all(processes.map((process) => process.result({ timeout: 240_000 })));
      } catch (error) {
        console.error(`seed ${seed}\n${inspect()}`);
        throw error;
      } finally {
        for (const process of processes) process.terminate();
        for (const process of processes) await process.join();
      }
    };
    const results = (await Promise.all(Array.from({ length: groups }, (_, i) => group(i)))).flat();
    assert.deepEqual(results.flatMap(({ wrong }) => wrong), []);
    const deadlocks = results.reduce((sum, result) => sum + result.deadlocks, 0);

    assert.ok(deadlocks > 100, `only ${deadlocks} deadlocks`);
  },
);
