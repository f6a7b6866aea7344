// The long form of tests/queue/queue_stress_test.ts; `deno task test` runs it.

import { flooded, killAtRandom } from "../support/rounds.ts";
import { withSeeds } from "../support/seed.ts";

Deno.test("400,000 items, 4 producers, 4 consumers, a flooded channel", async () => {
  await flooded(4, 4, 100_000);
});

Deno.test("2,000 kills at random instants leave the queue usable and complete", async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  await withSeeds(
    Array.from({ length: 10 }, (_, i) => first + i),
    (random) => killAtRandom(random, 200),
  );
});
