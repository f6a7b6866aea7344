// A queue under many processes, floods and kills: the short form. The thousands of rounds are in
// tests/full/.

import { flooded, killAtRandom } from "../support/rounds.ts";
import { withSeeds } from "../support/seed.ts";
import { testInFull } from "../support/length.ts";

testInFull("4 producers, 4 consumers, a flooded channel: every item once, in order", async () => {
  await flooded(4, 4, 10_000);
});

testInFull("the same through a queue of at most 7 items", async () => {
  await flooded(3, 3, 2_000, 7);
});

testInFull("processes killed at random instants take at most one item each with them", async () => {
  await withSeeds([1], (random) => killAtRandom(random, 20));
});
