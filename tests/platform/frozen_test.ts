// Frozen intrinsics, as a lockdown leaves them, break nothing: an assignment to an object whose prototype
// has a frozen property of that name throws.

import assert from "node:assert/strict";
import { granted, needs, run } from "../support/programs.ts";

Deno.test({
  name: `a program that freezes the language's prototypes, and children that do, go on ${needs}`,
  ignore: !granted,
  fn: async () => {
    const { code, out, errors } = await run("frozen.ts", [], ["-A", "--unstable-worker-options"]);
    assert.deepEqual(out, [
      "19 steps",
      ...["42", "42", "42"],
      "Own: of a frozen child, because of a TypeError: the cause",
      "true true",
      "QueueEmpty true",
      "true -15",
    ], errors);
    assert.equal(code, 0, errors);
  },
});
