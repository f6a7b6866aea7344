// The classic hangs: what inspect() shows says what is wrong, and where, in one look.

import assert from "node:assert/strict";
import { granted, needs, run } from "../support/programs.ts";

/** By hang: what stands in the text, the last of it first: the program waits for that. */
const SAID: Record<string, RegExp[]> = {
  blockedLocks: [
    /^Deadlock: each waits for what the next one holds\.$/,
    /^ {2}left \(pid \d+\) is blocked for .* in Lock\.acquireSync of lock \d at hangs\.ts:\d+:\d+, held by right$/,
    /^ {2}right \(pid \d+\) is blocked for .* in Lock\.acquireSync of lock \d at hangs\.ts:\d+:\d+, held by left$/,
  ],
  awaitedLocks: [
    /^Probably a deadlock: each waits for what the next one holds\.$/,
    /^ {2}left \(pid \d+\) waits for .* in Lock\.acquire of lock \d at hangs\.ts:\d+:\d+, held by right$/,
    /^ {2}right \(pid \d+\) waits for .* in Lock\.acquire of lock \d at hangs\.ts:\d+:\d+, held by left$/,
  ],
  deadConsumer: [
    /^Nobody gets from queue 1 "dishes", which is full; "eater" has ended, exit code 1\. Start a process that gets/,
    /Queue\.put of queue 1 "dishes" \(full, 2 of 2\) .* hangs\.ts:\d+:\d+/,
  ],
  joinFirst: [
    /^cook, which is joined, waits in Queue\.put of queue 1 "dishes"\. Get what it puts first, and join then\.$/,
    /^ {2}Process\.join of "cook" .* hangs\.ts:\d+:\d+/,
    /^ {2}Queue\.put of queue 1 "dishes" \(full, 2 of 2\) .* hangs\.ts:\d+:\d+ {2}cook$/,
  ],
  barrierShort: [
    /^barrier 1 waits for 3 parties, and 2 have come\. Have as many call wait\(\), or give it a timeout\.$/,
    /^ {2}Barrier\.wait of barrier 1 \(2 of 3 have come\) .* hangs\.ts:\d+:\d+ {2}meet$/,
  ],
  unservedGet: [
    /^Nobody puts anything into queue 1 "dishes", which is empty and open\. If nobody will, call shutdown\(\) on it\.$/,
    /^ {2}Queue\.get of queue 1 "dishes" \(empty\) .* hangs\.ts:\d+:\d+ {2}eatAll$/,
  ],
  lockOfJoiner: [
    /^ {2}MainProcess \(pid \d+\) waits for .* in Process\.join of "child" at hangs\.ts:\d+:\d+, waiting for child$/,
    /^ {2}child \(pid \d+\) waits for .* in Lock\.acquire of lock 1 at hangs\.ts:\d+:\d+, held by MainProcess$/,
  ],
};

Deno.test({
  name: `each classic hang is explained ${needs}`,
  ignore: !granted,
  fn: async () => {
    await Promise.all(
      Object.entries(SAID).map(async ([hang, expected]) => {
        const patterns = expected.map(({ source }) => source);
        const { out, code, errors } = await run("hangs.ts", [hang, ...patterns], ["-A"]);
        assert.equal(code, 0, errors);
        for (const line of expected) {
          assert.ok(out.some((it) => line.test(it)), `${line} isn't in\n${out.join("\n")}`);
        }
      }),
    );
  },
});
