// Calls that every worker runs once, while they wait for their worker.

import assert from "node:assert/strict";
import { Pool, Queue, Value } from "../../mod.ts";
import { testInFull } from "../support/length.ts";

const wait = async (begun: Queue<number>, go: Queue<number>) => {
  await begun.put(1);
  return await go.get();
};
const count = (calls: Value<"i32">) => calls.add(1);

for (const how of ["signal", "timeout", "cancelFutures"] as const) {
  testInFull(
    `a broadcast that is cancelled before a worker has begun it isn't run: ${how}`,
    async () => {
      const begun = new Queue<number>(), go = new Queue<number>(), calls = new Value("i32");
      const stop = new AbortController();
      await using pool = new Pool({ processes: 2 });
      await pool.ready();
      const busy = [1, 2].map(() => pool.submit(wait, [begun, go]));
      for (const _ of busy) await begun.get();
      const options = {
        signal: how === "signal" ? stop.signal : undefined,
        timeout: how === "timeout" ? 20 : Infinity,
      };
      // Each worker has an item that is sent ahead, so that the broadcast waits here.
      const ahead = [1, 2, 3, 4].map((n) => pool.submit((n: number) => n, [n]));
      const outcome = pool.broadcast(count, [calls], options).catch(({ name }) => name);
      if (how === "signal") stop.abort();
      const over = how === "cancelFutures" ? pool.shutdown({ cancelFutures: true }) : undefined;
      assert.equal(await outcome, how === "timeout" ? "TimeoutError" : "CancelledError");
      await go.put(1);
      await Promise.race(busy);
      await go.put(2);
      await Promise.all(busy);
      await Promise.allSettled(ahead);
      await (over ?? pool.shutdown());
      assert.equal(calls.value, 0);
    },
  );
}
