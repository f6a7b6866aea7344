// Programs made by `deno compile`: targets are found as docs/targets.md says. Deno downloads the runtime of such a
// program (denort), and no package registry has it: these tests run where DENORT_BIN names one.

import assert from "node:assert/strict";
import { check, PROGRAM } from "../support/target_table.ts";

const program = new URL(`../support/programs/${PROGRAM}`, import.meta.url);
const root = new URL("../../", import.meta.url);
const denort = Deno.env.get("DENORT_BIN");

for (const [flags, title] of [["--allow-read", "--allow-read"], ["", "no permission"]]) {
  Deno.test({
    name:
      `targets of a compiled program are found as the docs say, with ${title} (needs DENORT_BIN)`,
    ignore: denort === undefined,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        const compiled = `${folder}/program`;
        const { success, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            "compile",
            "--no-check",
            ...flags.split(" ").filter((flag) => flag !== ""),
            ...["--output", compiled, program.pathname],
          ],
          cwd: root,
          stdin: "null",
        }).output();
        assert.ok(success, new TextDecoder().decode(stderr));
        const { stdout } = await new Deno.Command(compiled, { stdin: "null" }).output();
        const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
        await check(lines, title);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
