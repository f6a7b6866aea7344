// The examples of locks and shared memory, run as README.md says, with no permission and with all
// permissions: their output. (The tests of queues and pipes: tests/process/program_test.ts, tests/pipe/pipe_test.ts.)

import assert from "node:assert/strict";
import { granted, needs, run } from "./support/programs.ts";

/** Registers a test that runs an example by source and by reference, at the same time. */
function example(
  file: string,
  does: string,
  check: (out: string[]) => void,
  args: string[] = [],
): void {
  Deno.test({
    name: `examples/${file} ${does} ${needs}`,
    ignore: !granted,
    fn: async () => {
      const program = `../../../examples/${file}`;
      const runs = [run(program, args), run(program, args, ["--allow-all"])];
      for (const { code, out, errors } of await Promise.all(runs)) {
        assert.deepEqual({ code, errors }, { code: 0, errors: "" });
        try {
          check(out);
        } catch (error) {
          throw new Error(`${file} printed:\n${out.join("\n")}`, { cause: error });
        }
      }
    },
  });
}

example("lock.ts", "loses counts without a lock and none with it", (out) => {
  assert.equal(out.length, 2);
  const [, without] = /^without a lock: (\d+) of 400$/.exec(out[0]) ?? [];
  assert.ok(Number(without) > 0 && Number(without) < 400, out[0]);
  assert.equal(out[1], "with a lock: 400 of 400");
});

example("barrier.ts", "lets nobody begin a round before all have finished the last one", (out) => {
  for (const round of [1, 2, 3]) {
    const all = ["Ada", "Bob", "Cyd"].map((name) => `${name} has finished round ${round}`);
    assert.deepEqual(out.slice(4 * round - 4, 4 * round - 1).sort(), all);
    assert.equal(out[4 * round - 1], "all have");
  }
  assert.deepEqual(out.slice(12), ["main"]);
});

example("condition.ts", "gets what was put, in order, and never has more than three", (out) => {
  assert.equal(out.at(-1), "main");
  assert.equal(out.length, 21);
  const items: number[] = [];
  let put = 0, got = 0;
  for (const line of out.slice(0, -1)) {
    const [, what, item, left] = /^(put|got) (\d+): \[(.*)\]$/.exec(line) ?? [];
    if (what === "put") {
      items.push(Number(item));
      assert.equal(Number(item), ++put);
    } else {
      assert.equal(Number(item), ++got);
      assert.equal(items.shift(), got);
    }
    assert.ok(items.length <= 3, line);
    assert.equal(left, items.join(" "));
  }
  assert.equal(got, 10);
});

example("shared_array.ts", "fills one array by four workers", (out) => {
  assert.deepEqual(
    out.slice(0, -1).sort(),
    ["filled 0 to 3", "filled 12 to 15", "filled 4 to 7", "filled 8 to 11"],
  );
  assert.equal(out.at(-1), "0 1 4 9 16 25 36 49 64 81 100 121 144 169 196 225");
});

example("pool.ts", "hashes what it can read, and goes on where it can't", (out) => {
  assert.equal(out.length, 7);
  const found = out.map((line) => / ([0-9a-f]{16}|NotFound|NotCapable)$/.exec(line)?.[1]);
  assert.ok(found.every((what) => what !== undefined), `${out}`);
  assert.ok(found[3] === "NotFound" || found.every((what) => what === "NotCapable"));
});

example("sandbox_pool.ts", "runs every snippet in a sandbox of its own", (out) => {
  assert.equal(out[0], "2 returned, 0 of them wrong; 2 Error, 2 NotCapable, 2 exit, 2 timeLimit");
  assert.match(out[1], /^\d+ a second$/);
}, ["10", "2000"]);
