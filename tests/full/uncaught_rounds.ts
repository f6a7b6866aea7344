// The errors of very many processes that fail one after another are printed, each once; `deno task test` runs it.

import assert from "node:assert/strict";
import { both } from "../support/programs.ts";

const failing = 300;
/** In ms. Starting a process takes 60 ms, or a second on a machine that is busy with much else. */
const ENDLESS = 2_400_000;

both(
  `the errors of ${failing} children that fail one after another are printed, each once`,
  "uncaught_one_by_one.ts",
  [`${failing}`],
  (run) => {
    assert.deepEqual([run.code, run.out], [0, ["main done"]]);
    const numbers = [...run.errors.matchAll(/^Error: number (\d+)$/gm)].map(([, number]) => number);
    assert.deepEqual(numbers, Array.from({ length: failing }, (_, number) => `${number}`));
  },
  [],
  ENDLESS,
);
