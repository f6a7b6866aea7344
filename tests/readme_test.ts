// The READMEs, in both languages: every program in them is run as they say, in a folder of
// its own, by a deno.json as they describe it, and prints the output they show.

import assert from "node:assert/strict";
import {
  blocksOf,
  checkAll,
  checkTypes,
  granted,
  needs,
  type Program,
  programsOf,
  root,
} from "./support/documented.ts";

const READMES = ["README.md", "README.zh-CN.md"];
/** Lines that a README may have, and lines of a program in it, for a first reader. */
const MAX_LINES = 150, MAX_PROGRAM_LINES = 20;
/** Lines within which a first screen shows how the package is added, and a program with what it prints. */
const FIRST_SCREEN_LINES = 36;

/** A program without its comments, which each language has in its own words. */
function withoutComments(program: Program): Program {
  const files = program.files.map(({ name, text }) => {
    return { name, text: text.replaceAll(/ *\/\/ .*$/gm, "") };
  });
  return { ...program, files };
}

for (const [i, readme] of READMES.entries()) {
  Deno.test({
    name: `${readme}: every program runs as it says, and prints what it shows ${needs}`,
    ignore: !granted,
    fn: async () => {
      const programs = programsOf(await Deno.readTextFile(new URL(readme, root)));
      assert.ok(programs.length >= 4);
      for (const program of programs) {
        for (const { name, text } of program.files) {
          const lines = text.trimEnd().split("\n").length;
          assert.ok(lines <= MAX_PROGRAM_LINES, `${name} has ${lines} lines`);
        }
      }
      // The types of one are those of all: see below.
      if (i === 0) await checkTypes(programs);
      await checkAll(programs);
    },
  });
}

/** The commands of a page, without what explains them. */
function commandsOf(page: string): string[] {
  return blocksOf(page).filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.split("\n").map((line) => line.replace(/(^| +)#.*$/, "")))
    .filter((line) => line !== "");
}

Deno.test({
  name: `The programs and commands of all READMEs are the same ${needs}`,
  ignore: !granted,
  fn: async () => {
    const [first, ...others] = await Promise.all(READMES.map(async (readme) => {
      const text = await Deno.readTextFile(new URL(readme, root));
      return { programs: programsOf(text).map(withoutComments), commands: commandsOf(text) };
    }));
    for (const other of others) assert.deepEqual(other, first);
  },
});

Deno.test({
  name: `The READMEs are short, and begin with how to add the package and a program ${needs}`,
  ignore: !granted,
  fn: async () => {
    for (const readme of READMES) {
      const lines = (await Deno.readTextFile(new URL(readme, root))).trimEnd().split("\n");
      assert.ok(lines.length <= MAX_LINES, `${readme} has ${lines.length} lines`);
      const screen = lines.slice(0, FIRST_SCREEN_LINES).join("\n");
      assert.match(screen, /^deno add jsr:@multiproc\/multiprocessing$/m);
      assert.equal(programsOf(screen).length, 1, `${readme}: no program on the first screen`);
    }
  },
});

Deno.test({
  name: `Every example is among the commands of the READMEs ${needs}`,
  ignore: !granted,
  fn: async () => {
    const examples = [...Deno.readDirSync(new URL("examples/", root))].map(({ name }) => name);
    for (const page of [...READMES, "docs/examples.md"]) {
      const text = await Deno.readTextFile(new URL(page, root));
      for (const example of examples.filter((name) => name.endsWith(".ts"))) {
        assert.match(text, new RegExp(`deno run (--[a-z=0-9.-]+ )*examples/${example}\\b`), page);
      }
    }
  },
});

Deno.test({
  name: `docs/install.md has every command of the READMEs for those who have npm alone ${needs}`,
  ignore: !granted,
  fn: async () => {
    const read = (path: string) => Deno.readTextFile(new URL(path, root));
    const newest = JSON.parse(await read("tools/deno_versions.json")).tested.at(-1);
    const commands = commandsOf(await read(READMES[0])).map((command) => {
      return command.replace(/^deno /, `npx -y deno@${newest} `);
    });
    const listed = commandsOf(await read("docs/install.md"));
    assert.deepEqual(commands.filter((command) => !listed.includes(command)), []);
  },
});
