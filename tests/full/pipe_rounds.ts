// The long form of tests/pipe/pipe_stress_test.ts; `deno task test` runs it.

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

/** Both ends with the async face, and both with the blocking one; 1 and 2 mix them. */
const ASYNC = 0, BLOCKING = 3;

const first = Math.floor(Math.random() * 2 ** 31);
const seeds = (count: number) => Array.from({ length: count }, (_, i) => first + i);

for (const [faces, which] of [["async", ASYNC], ["blocking", BLOCKING]] as const) {
  Deno.test(`1,000,000 messages one way, ${faces}`, () => oneWay(1_000_000, which));

  Deno.test(`200,000 messages there and back, ${faces}`, () => thereAndBack(200_000, which));

  Deno.test(`1,000,000 messages one way beside a flooded channel, ${faces}`, async () => {
    await flooded(() => oneWay(1_000_000, which));
  });

  Deno.test(`300,000 messages through a chain of three processes, ${faces}`, async () => {
    await chain(300_000, which);
  });
}

Deno.test("a process is 1,000,000 messages ahead when it ends, and all are received", async () => {
  await outrun(1_000_000);
});

Deno.test("20,000 messages there and back beside a flooded channel, by mixed faces", async () => {
  await flooded(async () => {
    for (const which of [0, 1, 2, 3]) await thereAndBack(5_000, which);
  });
});

for (const which of ["sender", "receiver"] as const) {
  Deno.test(`a ${which} is killed at 500 random instants, and the survivor always learns of it`, async () => {
    await killEnds(which, first, 500);
  });
}

Deno.test("ends wander between processes, thousands of times: nothing is lost or doubled", async () => {
  await withSeeds(seeds(6), async (random) => {
    await wander(random, { processes: 3, pipes: 12, hops: 100 });
  });
});

Deno.test("processes with ends on their way are killed at 60 random instants", async () => {
  await withSeeds(seeds(60), killInTransit);
});
