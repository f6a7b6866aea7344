// A short run of the chaos: deno task chaos:redis runs it for as long as you say.

import assert from "node:assert/strict";
import { chaos } from "./support/chaos.ts";
import { isKept, poolChaos } from "./support/pool_chaos.ts";

Deno.test("chaos while all clients live: nothing is lost, nothing is doubled", async () => {
  const { put, got, lost, doubled, killedServers } = await chaos({
    seed: 1,
    ms: 9000,
    kills: false,
  });
  assert.ok(put > 100 && got >= put && killedServers > 0, `${put} put, ${got} got`);
  assert.deepEqual([lost, doubled], [[], []]);
});

Deno.test("chaos with killed clients: nothing is lost, and one is doubled for each at most", async () => {
  const { lost, doubled, killedClients } = await chaos({ seed: 2, ms: 9000 });
  assert.deepEqual(lost, []);
  assert.ok(doubled.length <= killedClients, `${doubled.length} doubled, ${killedClients} killed`);
});

Deno.test("chaos around a pool: each call has one outcome, each attempt is run once, nothing is left", async () => {
  const outcome = await poolChaos({ seed: 3, ms: 9000 });
  assert.ok(isKept(outcome), Deno.inspect(outcome));
  assert.ok(outcome.returned > 0, Deno.inspect(outcome));
});
