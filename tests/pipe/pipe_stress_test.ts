// Pipes under load, floods, kills and moves: the short form. The long rounds are in tests/full/.

import {
  chain,
  flooded,
  killEnds,
  killInTransit,
  oneWay,
  outrun,
  thereAndBack,
  wander,
} from "../support/pipe_rounds.ts";
import { withSeeds } from "../support/seed.ts";
import { testInFull } from "../support/length.ts";

testInFull("10,000 messages one way, by both faces, beside a flooded channel", async () => {
  await flooded(async () => {
    for (let which = 0; which < 4; which++) await oneWay(10_000, which);
  });
});

testInFull("1,000 messages there and back, by both faces, beside a flooded channel", async () => {
  await flooded(async () => {
    for (let which = 0; which < 4; which++) await thereAndBack(250, which);
  });
});

testInFull("4,000 messages through a chain of three processes, by both faces", async () => {
  for (let which = 0; which < 4; which++) await chain(4_000, which);
});

Deno.test("a process is 100,000 messages ahead when it ends, and all are received", async () => {
  await outrun(100_000);
});

testInFull(
  "who survives a sender killed at a random instant has a prefix, and learns of it",
  async () => {
    await killEnds("sender", 1, 5);
  },
);

testInFull("who survives a receiver killed at a random instant learns of it", async () => {
  await killEnds("receiver", 1, 5);
});

testInFull("ends that wander between processes lose and double nothing", async () => {
  await withSeeds([1], (random) => wander(random));
});

testInFull("wherever an end is when a process is killed, the other one learns of it", async () => {
  await withSeeds([1, 2, 3], killInTransit);
});
