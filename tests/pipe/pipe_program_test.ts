// Whole programs with pipes: they always end; their exit codes, and their output.

import assert from "node:assert/strict";
import { both, prints } from "../support/programs.ts";

both(
  "children that wait at pipes go on to their end when main has closed its ends",
  "pipe_end_of_main.ts",
  ["close"],
  ({ code, out, errors }) => {
    assert.equal(errors, "");
    assert.equal(code, 0);
    assert.equal(out[0], "main about to end");
    assert.deepEqual(out.slice(1).sort(), ["BrokenPipeError", "EOFError", "no more"]);
  },
);

both(
  "daemons that wait at pipes end with the program",
  "pipe_end_of_main.ts",
  ["daemon"],
  prints(0, "main about to end"),
);

both(
  "Deno.exit(3) in main ends the program with status 3, though children wait at pipes",
  "pipe_end_of_main.ts",
  ["exit"],
  prints(3, "main about to end"),
);

both(
  "an error of main ends the program with status 1, though children wait at pipes",
  "pipe_end_of_main.ts",
  ["throw"],
  ({ code, out, errors }) => {
    assert.equal(code, 1);
    assert.deepEqual(out, ["main about to end"]);
    assert.match(errors, /RangeError: main has had enough/);
  },
);

both(
  "a program ends after its children were killed while they waited at pipes",
  "pipe_killed.ts",
  [],
  prints(0, "main done"),
);

both(
  "messages that nobody reads keep no program alive",
  "pipe_unread.ts",
  [],
  prints(0, "main done", "child done"),
);

both(
  "two children talk to each other when main has long ended",
  "pipe_between_children.ts",
  [],
  prints(0, "main done", "sum: 9900", "EOFError"),
);

both(
  "a program may do everything with pipes by the blocking faces",
  "pipe_blocked_main.ts",
  [],
  prints(
    0,
    ...["2", "4", "6", "true", "true", "true 0"],
    ...["1", "true", "true", "true 5"],
    ...["1", "true", "true", "true -9"],
  ),
);

both(
  "a child whose module knows the package only by its types receives all that may be handed over",
  "pipe_other_module.ts",
  [],
  ({ code, out, errors }) => {
    assert.equal(errors, "");
    assert.equal(code, 0);
    const names =
      "Queue JoinableQueue Lock RLock Semaphore BoundedSemaphore Event Condition Barrier " +
      "Value SharedArray Connection";
    assert.deepEqual(out, [...names.split(" "), names]);
  },
);

both(
  "an end that nothing refers to any more is closed, one that is in use is not",
  "pipe_garbage.ts",
  [],
  prints(
    0,
    "dropped: EOFError",
    "sending to it: BrokenPipeError",
    "waiting: for who waits",
    'reading: [ "one", "two" ]',
    "writing: 0 1 2 3 4 5",
    "sending: 0 1 2 3 4 5 EOFError",
    "moved: to where it went",
    "received and dropped: EOFError",
    "in a dropped pipe: EOFError",
    "got object",
    "dropped by a child: EOFError",
    "main done",
  ),
  ["--v8-flags=--expose-gc"],
);
