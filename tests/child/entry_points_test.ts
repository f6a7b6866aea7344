// A child by reference runs from the text that holds this package. If a target's module imports mod.ts or local.ts,
// it gets that text, too: a second copy would have classes, errors and an identity of its own.

import assert from "node:assert/strict";
import * as local from "../../local.ts";
import * as mod from "../../mod.ts";
import { type ProcessOptions, Queue } from "../../mod.ts";
import * as targets from "../support/targets/entry_point_targets.ts";

const mayRead = Deno.permissions.querySync({ name: "read" }).state === "granted";

const expected: Omit<targets.Seen, "name"> = {
  isQueue: true,
  isSame: true,
  sharesErrors: true,
  exports: Object.keys(mod).sort(),
  localExports: Object.keys(local).sort(),
  files: [],
};

type Options = Omit<ProcessOptions<unknown[], targets.Seen>, "target">;

const kinds: Record<string, Options> = {
  "process that inherits its permissions": {},
  "process with a limit": { timeLimit: 60_000 },
  "sealed process": { permissions: "none" },
  "process with permissions of its own that isn't sealed": { permissions: "none", sealed: false },
  "process with permissions of its own and a limit": { permissions: "none", timeLimit: 60_000 },
};

for (const [kind, options] of Object.entries(kinds)) {
  Deno.test({
    name: `a ${kind} has one copy of this package (needs --allow-read)`,
    ignore: !mayRead,
    fn: async () => {
      const { look: target } = targets;
      const queue = new Queue<number>();
      const process = new mod.Process({ ...options, target, args: [queue], by: "reference" });
      process.start();
      const { name, ...seen } = await process.result();
      assert.deepEqual(seen, expected);
      assert.equal(name, process.name);
    },
  });
}

Deno.test({
  name: "a child of a child by reference has one copy of this package (needs --allow-read)",
  ignore: !mayRead,
  fn: async () => {
    const queue = new Queue<number>();
    const { lookInChild: target } = targets;
    const process = new mod.Process({ target, args: [queue], by: "reference" });
    process.start();
    const { name, ...seen } = await process.result();
    assert.deepEqual(seen, expected);
    assert.equal(name, `${process.name}:1`);
  },
});
