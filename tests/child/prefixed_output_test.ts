// stdio: "prefix": each line that a process prints begins with the name of the process.

import assert from "node:assert/strict";
import { both } from "../support/programs.ts";

both("each line of a process has its name before it, and main's have none", "prefixed.ts", [], ({
  code,
  out,
  errors,
}) => {
  assert.equal(code, 0, errors);
  assert.deepEqual(out, [
    "[first] hello",
    "[first] and more",
    "[first] in pieces of a line",
    // A name that pretends to be two lines stands in one.
    "[[first]  \u001b[31m] hello",
    "[[first]  \u001b[31m] and more",
    "[[first]  \u001b[31m] in pieces of a line",
    "main has no prefix",
    "TypeError",
  ]);
  assert.match(errors, /^\[first\] to stderr$/m);
  assert.match(errors, /Process failing:\nError: on purpose/);
});
