// The pages in docs/: every program runs as its page says and prints what the page shows;
// and the worked example of docs/add-a-primitive.md, added to a copy of this package as the page says,
// passes the tests that the page has for it.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import {
  blocksOf,
  checkAll,
  checkTypes,
  copy,
  granted,
  needs,
  type Program,
  programsOf,
  root,
} from "./support/documented.ts";

/** What the page adds a line to; the other files of it are new. */
const EXTENDED = new Set(["mod.ts", "lib/child/deserializers.ts"]);
const TEST = "tests/sync/count_down_latch_test.ts";

Deno.test({
  name: `docs/add-a-primitive.md: the primitive it adds works ${needs}`,
  ignore: !granted,
  fn: async () => {
    const page = await Deno.readTextFile(new URL("docs/add-a-primitive.md", root));
    const folder = await Deno.makeTempDir();
    try {
      const project = pathToFileURL(`${folder}/`);
      for (const path of ["lib/", "tools/", "mod.ts", "local.ts", "deno.json"]) {
        await copy(new URL(path, root), new URL(path, project));
      }
      const files = [...page.matchAll(/^<!-- (\S+\.ts) -->\n\n```ts\n([^]*?)^```$/gm)];
      assert.ok(files.some(([, path]) => path === TEST));
      for (const folder of ["tests/support/targets/", "tests/sync/"]) {
        await Deno.mkdir(new URL(folder, project), { recursive: true });
      }
      for (const [, path, text] of files) {
        await Deno.writeTextFile(new URL(path, project), text, { append: EXTENDED.has(path) });
      }
      await deno(folder, "run", "--allow-all", "tools/generate_runtime.ts");
      const printed = await deno(folder, "test", "--allow-all", "--check", TEST);
      assert.match(printed, /^ok \| 4 passed/m);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Runs it in a folder; returns what it printed. */
async function deno(folder: string, ...args: string[]): Promise<string> {
  const options = { args, cwd: folder, stdin: "null", env: { NO_COLOR: "1" } } as const;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), options).output();
  const printed = [stderr, stdout].map((bytes) => new TextDecoder().decode(bytes)).join("");
  assert.equal(code, 0, printed);
  return printed;
}

/** Its blocks are files of the package, not programs. */
const WORKED_EXAMPLE = "add-a-primitive.md";
/** Its programs need a server: tests/redis/docs.ts runs them. */
const WITH_SERVER = "across-machines.md";

const pages = granted ? [...Deno.readDirSync(new URL("docs/", root))].map(({ name }) => name) : [];
const programs = new Map<string, Program[]>();
for (const page of pages.filter((name) => name.endsWith(".md")).sort()) {
  if (page === WORKED_EXAMPLE || page === WITH_SERVER) continue;
  programs.set(page, programsOf(Deno.readTextFileSync(new URL(`docs/${page}`, root))));
}

Deno.test({
  name: `docs/: the types of all programs are right ${needs}`,
  ignore: !granted,
  fn: () => checkTypes([...programs.values()].flat()),
});

for (const [page, some] of programs) {
  if (some.length === 0) continue;
  Deno.test(`docs/${page}: every program runs as it says, and prints what it shows`, async () => {
    await checkAll(some);
  });
}

Deno.test({
  name:
    `The other blocks of all pages are JSON that can be read, and commands of files that are there ${needs}`,
  ignore: !granted,
  fn: async () => {
    const languages = new Set(["", "ts", "sh", "text", "json", "py"]);
    const folders = ["", "docs/"];
    for (const folder of folders) {
      for (const { name } of Deno.readDirSync(new URL(folder, root))) {
        if (!name.endsWith(".md")) continue;
        const page = folder + name;
        for (const { language, text } of blocksOf(await Deno.readTextFile(new URL(page, root)))) {
          assert.ok(languages.has(language), `${page} has a block of ${language}`);
          if (language === "json") JSON.parse(text);
          if (language !== "sh") continue;
          for (const line of text.trimEnd().split("\n")) {
            assert.match(
              line,
              /^(deno|npx -y deno@[\d.]+|npm install --global deno@[\d.]+|#)/,
              page,
            );
            for (const [path] of line.matchAll(/\b(examples|tests|tools|bench)\/\S+\.ts/g)) {
              await Deno.stat(new URL(path, root));
            }
          }
        }
      }
    }
  },
});
