// The long form of the last test of tests/queue/leases_test.ts; `deno task test` runs it. With LEASE_KILLS in the
// environment it kills so many workers.

import { killLeaseHolders } from "../support/lease_rounds.ts";
import { withSeeds } from "../support/seed.ts";

const EACH = 100;

Deno.test("workers with leased jobs in hand are killed at random instants: no job is lost or there twice", async () => {
  const kills = Number(Deno.env.get("LEASE_KILLS") ?? 2 * EACH);
  const first = Math.floor(Math.random() * 2 ** 31);
  const seeds = Array.from({ length: Math.ceil(kills / EACH) }, (_, i) => first + i);
  await withSeeds(seeds, async (random, seed) => {
    const attempts = seed % 2 === 0 ? 3 : undefined;
    const kind = seed % 3 === 0
      ? { memoryLimitMb: 100 }
      : seed % 5 === 0
      ? { permissions: "none" } as const
      : {};
    await killLeaseHolders(random, EACH, attempts, kind);
  });
});
