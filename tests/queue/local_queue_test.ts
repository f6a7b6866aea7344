// Features of the queues for one process only. The contract of queues tests the common ones.

import assert from "node:assert/strict";
import { LifoQueue, PriorityQueue, Queue } from "../../local.ts";
import { drain, each, type ErrorClass, says, wrong } from "../support/local.ts";

Deno.test({
  name: "a wait keeps no program alive (needs --allow-run --allow-read)",
  ignore: (["run", "read"] as const).some((name) =>
    Deno.permissions.querySync({ name }).state !== "granted"
  ),
  fn: async () => {
    const program = new URL("../support/programs/local_waits.ts", import.meta.url).href;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", program],
      stdin: "null",
      env: { NO_COLOR: "1" },
      signal: AbortSignal.timeout(30_000),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.deepEqual([code, text(stdout), text(stderr)], [0, "main\n", ""]);
  },
});

Deno.test("LifoQueue and PriorityQueue are Queues", () => {
  assert.ok(new LifoQueue() instanceof Queue);
  assert.ok(new PriorityQueue() instanceof Queue);
  class Mine extends PriorityQueue<number> {}
  const mine = new Mine({ compare: (a, b) => b - a });
  for (const item of [1, 3, 2]) mine.putNowait(item);
  assert.deepEqual(drain(mine), [3, 2, 1]);
});

each("options that are none are refused in words", (Class) => {
  const table: [unknown, ErrorClass, RegExp][] = [
    [-1, RangeError, /^maxSize is -1\. .*from 0 to 2147483647; 0 for no bound/],
    [1.5, RangeError, /^maxSize is 1\.5\./],
    [NaN, RangeError, /^maxSize is NaN\./],
    [Infinity, RangeError, /^maxSize is Infinity\./],
    [2 ** 31, RangeError, /^maxSize is 2147483648\./],
    ["5", TypeError, /^maxSize is a string, "5", not a number\. .*0 for no bound/],
    [null, TypeError, /^maxSize is null, not a number\./],
    [5n, TypeError, /^maxSize is a bigint, not a number\./],
  ];
  for (const [maxSize, errorClass, pattern] of table) {
    assert.throws(() => new Class({ maxSize: wrong(maxSize) }), says(errorClass, pattern));
  }
  for (const options of [10, null, "10"]) {
    assert.throws(
      () => new Class(wrong(options)),
      says(TypeError, /^The options are /, new RegExp(`new ${Class.name}\\(\\{ maxSize`)),
    );
  }
  assert.equal(new Class({ maxSize: 2 ** 31 - 1 }).maxSize, 2 ** 31 - 1);
});
