// The explorer (docs/explorer.md), for a minute: all scenarios with one preemption; its transform preserves
// meaning; and the page shows the current code. Needs packages of npm, which Deno fetches.

import assert from "node:assert/strict";
import { mutants } from "../explore/mutants.ts";

const root = new URL("../../", import.meta.url);

async function deno(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    stdin: "null",
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  const printed = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  assert.equal(code, 0, printed);
  return printed;
}

Deno.test("all scenarios of the explorer hold with one preemption, for a minute", async () => {
  const printed = await deno("run", "--allow-all", "tests/explore/main.ts", "--short");
  assert.match(printed, /scenarios: \d+ complete, \d+ cut, 0 failed/);
});

Deno.test("what the explorer makes of code does what the code does", async () => {
  const config = ["--config", "tests/explore/deno.json"];
  await deno("test", "--allow-all", ...config, "tests/explore/transform_test.ts");
});

Deno.test("docs/explorer.md quotes a scenario that is there, and names all", async () => {
  const page = await Deno.readTextFile(new URL("docs/explorer.md", root));
  const scenarios = await Deno.readTextFile(new URL("tests/explore/scenarios/event.ts", root));
  const quoted = /<!-- tests\/explore\/scenarios\/event\.ts -->\n\n```text\n([^]*?)```/.exec(page);
  const withoutIndentation = (text: string) => text.replaceAll(/^ +/gm, "");
  assert.ok(quoted !== null);
  assert.ok(
    withoutIndentation(scenarios).includes(withoutIndentation(quoted[1])),
    "it has changed",
  );
  const listed = await deno("run", "--allow-all", "tests/explore/main.ts", "--list");
  const names = listed.split("\n").map((line) => line.split(" ")[0]).filter((name) => name !== "");
  for (const name of names) assert.ok(page.includes(`| ${name} `), `${name} isn't in the table`);
});

Deno.test("the text of every bug that is put in is in its file once", async () => {
  for (const { name, edits } of mutants) {
    for (const { file, from } of edits) {
      const times = (await Deno.readTextFile(new URL(file, root))).split(from).length - 1;
      assert.equal(times, 1, `${name}: write it anew for the code there is now: ${file}: ${from}`);
    }
  }
});
