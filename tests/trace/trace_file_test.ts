// A trace in a file: the only permission is to write it, and it is whole however the program ends.

import assert from "node:assert/strict";
import { testInFull } from "../support/length.ts";
import { run } from "../support/programs.ts";
import { check, type TraceFile } from "./read_trace.ts";

testInFull(
  "a trace needs --allow-write alone, and its file is whole however the program ends",
  async () => {
    const file = await Deno.makeTempFile({ suffix: ".json" });
    for (const [how, code] of [["stopped", 0], ["ended", 0], ["thrown", 1], ["exit", 3]] as const) {
      await Deno.writeTextFile(file, "x".repeat(1_000_000));
      const ran = await run("traced.ts", [how, file], ["--no-prompt", `--allow-write=${file}`]);
      assert.equal(ran.code, code, ran.errors);
      const trace = JSON.parse(await Deno.readTextFile(file));
      check(trace);
      assert.ok(trace.traceEvents.some((it: { name: string }) => it.name.includes('"numbers"')));
    }
    for (const how of ["handled", "on"]) {
      const ran = await run("traced.ts", [how, file], ["--no-prompt", `--allow-write=${file}`]);
      assert.equal(ran.code, 0, ran.errors);
      const trace = JSON.parse(await Deno.readTextFile(file));
      check(trace);
      // What went on at the errors has ended by itself.
      const { traceEvents }: TraceFile = trace;
      const ends = traceEvents.filter(({ ph, cat }) => ph === "e" && cat === "lock");
      assert.deepEqual(ends.map(({ args }) => args?.outcome), [undefined, undefined]);
      for (const name of ["numbers", "later"]) {
        assert.ok(trace.traceEvents.some((it: { name: string }) => it.name.includes(`"${name}"`)));
      }
    }
    const refused = await run("traced.ts", ["stopped", file], ["--no-prompt"]);
    assert.equal(refused.code, 1);
    assert.match(refused.errors, /NotCapable/);
    await Deno.remove(file);
  },
);
