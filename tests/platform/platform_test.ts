// The table of the assumptions about Deno (`deno task platform`) is complete, and each check
// can fail.

import assert from "node:assert/strict";
import { judge } from "../../tools/platform/assumption.ts";
import { assumptions } from "../../tools/platform/assumptions.ts";
import { deno } from "../support/deno.ts";
import { granted, needs } from "../support/programs.ts";

const root = new URL("../../", import.meta.url);

Deno.test("each assumption says what is claimed, where that matters and what may be seen", () => {
  assert.ok(assumptions.length > 40);
  for (const { claim, places, kind, expected } of assumptions) {
    assert.match(claim, /^[A-Z][^\n]*[^.\n]$|^[a-z]+\w*(\(\)|)\b[^\n]*[^.\n]$/, claim);
    assert.ok(places.length > 0 && expected.length > 0, claim);
    assert.ok(kind === "need" || kind === "quirk", claim);
  }
  const claims = new Set(assumptions.map(({ claim }) => claim));
  assert.equal(claims.size, assumptions.length, "two claim the same");
});

Deno.test("what is needed and isn't seen fails; what is only worked around has changed", () => {
  const [some] = assumptions, expected = ["as ever", "otherwise"];
  const states = (["need", "quirk"] as const).map((kind) =>
    ["as ever", "otherwise", "no end"].map((seen) => judge({ ...some, kind, expected }, seen).state)
  );
  assert.deepEqual(states, [
    ["holds", "differs, provided for", "FAILS"],
    ["holds", "differs, provided for", "changed"],
  ]);
});

Deno.test({
  name: `each file of lib/platform has its row, and each place that a row names is there ${needs}`,
  ignore: !granted,
  fn: () => {
    const named = new Set(assumptions.flatMap(({ places }) => places));
    for (const place of named) assert.ok(Deno.statSync(new URL(place, root)).isFile, place);
    for (const { name } of Deno.readDirSync(new URL("lib/platform/", root))) {
      assert.ok(
        named.has(`lib/platform/${name}`),
        `lib/platform/${name} has no row in tools/platform`,
      );
    }
  },
});

Deno.test({
  name: `the task prints what it was asked for, and exits with 0 where that holds ${needs}`,
  ignore: !granted,
  fn: async () => {
    const main = new URL("tools/platform/main.ts", root).href;
    const { code, out } = await deno(["run", "--allow-all", main, "before anything else"]);
    assert.equal(code, 0, out.join("\n"));
    assert.match(out[0], new RegExp(`^Deno ${Deno.version.deno}, V8 `));
    assert.match(out.at(-1)!, /^1 holds$/);
    const none = await deno(["run", "--allow-all", main, "no such word"]);
    assert.equal(none.code, 1);
    assert.match(none.errors, /No assumption has the word "no such word"/);
  },
});
