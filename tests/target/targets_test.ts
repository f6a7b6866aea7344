// How targets are found: the table of docs/targets.md holds, with all kinds of permissions.

import assert from "node:assert/strict";
import { both, granted, needs, prints, run } from "../support/programs.ts";
import { checkProgram } from "../support/target_table.ts";

for (
  const [title, flags, ...args] of [
    ["no permission", []],
    // The library isn't in it.
    ["no permission", ["--allow-read=tests/support/programs/targets"]],
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

for (
  const [flags, theirs, wrapped] of [
    [["--allow-read"], "20", "refused"],
    [[], "refused", "refused"],
  ] as [string[], string, string][]
) {
  Deno.test({
    name: `no other function runs than the one given, with ${
      flags.join() || "no permission"
    } ${needs}`,
    ignore: !granted,
    fn: async () => {
      const { code, out, errors } = await run("targets/twins.ts", [], flags);
      assert.deepEqual({ code, errors }, { code: 0, errors: "" });
      assert.deepEqual(out, [
        `theirs ${theirs}`,
        "in their table refused",
        "made with its name refused",
        "made without one refused",
        `wrapped, exported ${wrapped}`,
        "wrapped refused",
        "bound refused",
        "a proxy refused",
        "built in refused",
      ]);
    },
  });
}

Deno.test({
  name: `where the project may be read and the library not, the error says that ${needs}`,
  ignore: !granted,
  fn: async () => {
    const { out } = await run("targets/main.ts", [], ["--allow-read=tests/support/programs"]);
    const line = out.find((line) => line.includes("using what stands beside it"))!;
    assert.match(line, /this library, file:\S+, may not be read: that takes --allow-read/);
    assert.match(line, /uses \\"factor\\", which is outside of it: it travelled by source/);
  },
});

both(
  "whatever a program has Error make of stacks, targets are found and waits end as ever",
  "stacks_changed.ts",
  [],
  prints(0, "done"),
);

const canWrite = Deno.permissions.querySync({ name: "write" }).state === "granted";

for (
  const [what, change, message] of [
    ["changed", "export function work() { return 2; }", /"work" that .*not the function given/],
    ["emptied", "export {};", /"work" is not exported/],
    ["left alone", undefined, undefined],
  ] as [string, string | undefined, RegExp | undefined][]
) {
  Deno.test({
    name: `a file that is ${what} while the program runs ${
      message === undefined ? "has its target" : "is said to have been"
    } ${needs}`,
    ignore: !granted || !canWrite,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        const write = (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
        await write("tasks.ts", "export function work() { return 1; }");
        await write(
          "main.ts",
          `import { Process } from "${new URL("../../mod.ts", import.meta.url)}";
          import { work } from "./tasks.ts";
          if (import.meta.main) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            const text = ${JSON.stringify(change ?? null)};
            if (text !== null) Deno.writeTextFileSync(new URL("./tasks.ts", import.meta.url), text);
            const process = new Process({ target: work });
            process.start();
            console.log(await process.result().catch(({ cause }) => cause.message));
          }`,
        );
        const { out } = await run(`file://${folder}/main.ts`, [], ["--allow-all"]);
        if (message === undefined) return assert.deepEqual(out, ["1"]);
        assert.match(out[0], message);
        assert.match(out[0], /file was changed while the program was running/);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
