// How targets are found: the table of docs/targets.md holds, with all kinds of permissions.

import { granted, needs } from "./support/programs.ts";
import { checkProgram } from "./support/target_table.ts";

for (
  const [title, flags, ...args] of [
    ["no permission", []],
    // The library isn't in it.
    ["no permission", ["--allow-read=tests/programs/targets"]],
    ["--allow-read", ["--allow-read"]],
    ["--allow-read", ["--allow-all"]],
    ['with permissions: "none"', ["--allow-read"], "confined"],
  ] as [string, string[], ...string[]][]
) {
  Deno.test({
    name: `targets are found as the docs say, with ${[...flags, ...args].join() || title} ${needs}`,
    ignore: !granted,
    fn: () => checkProgram(title, flags, args),
  });
}
