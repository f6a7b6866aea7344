// Corrupted shared memory, with words that this library would never write: each call gets a result or an
// error, and no wait exceeds its timeout. The attempts run in processes with a time
// limit, so that an endless loop fails the test.

import assert from "node:assert/strict";
import { Process } from "../../mod.ts";
import * as targets from "../support/targets/damage_targets.ts";

const module = targets.here;
const ignore = Deno.permissions.querySync({ name: "read" }).state !== "granted";
const needs = "(needs --allow-read)";

/** In ms. */
const LIMIT = 30_000;

/** What came of a target that may not take for ever. */
async function run<A extends unknown[]>(target: (...args: A) => unknown, ...args: A) {
  const options = { target, args, module, timeLimit: LIMIT };
  const process = new Process<A, unknown>(...[options] as never);
  process.start();
  return await process.result();
}

for (const kind of targets.kinds) {
  Deno.test({
    name: `a damaged ${kind} gives answers or errors, and ends every wait in time ${needs}`,
    ignore,
    fn: async () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      console.log(`seed ${seed}`);
      const counts = await run(targets.useDamaged, kind, seed, 300) as Record<string, number>;
      const [answers, errors] = [counts.answers, Object.keys(counts).length - 1];
      // An event has nothing that could be wrong.
      assert.ok(answers > 0 && (errors > 0 || kind === "event"), JSON.stringify(counts));
    },
  });
}

Deno.test({
  name: `what is no shared memory can't arrive as a part of something ${needs}`,
  ignore,
  fn: async () => {
    for (const kind of targets.kinds) {
      const refused = await run(targets.receiveForged, kind) as string[];
      assert.ok(refused.length > 0);
      for (const error of refused) assert.match(error, /^TypeError: /, kind);
    }
  },
});
