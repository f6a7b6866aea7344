// What the READMEs say, in both languages: every program in them is run as they say, in a folder of
// its own, by a deno.json as they describe it, and prints what they show.

import assert from "node:assert/strict";
import {
  blocksOf,
  check,
  granted,
  needs,
  type Program,
  programsOf,
  root,
} from "./support/documented.ts";

const READMES = ["README.md", "README.zh-CN.md"];
/** Lines that a program may have, for somebody who reads it for the first time. */
const MOST_LINES = 25;

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
          assert.ok(lines <= MOST_LINES, `${name} has ${lines} lines`);
        }
        // The types of one are those of all: see below.
        await check(program, i === 0);
      }
    },
  });
}

Deno.test({
  name: `The programs and commands of all READMEs are the same ${needs}`,
  ignore: !granted,
  fn: async () => {
    const [first, ...others] = await Promise.all(READMES.map(async (readme) => {
      const text = await Deno.readTextFile(new URL(readme, root));
      const programs = programsOf(text).map(withoutComments);
      const commands = blocksOf(text).filter(({ language }) => language === "sh")
        .flatMap(({ text }) => text.split("\n").map((line) => line.replace(/(^| +)#.*$/, "")))
        .filter((line) => line !== "");
      return { programs, commands };
    }));
    for (const other of others) assert.deepEqual(other, first);
  },
});

/** What a heading is called in a link. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} -]/gu, "").replaceAll(" ", "-");
  });
}

Deno.test({
  name: `What the documentation links to is there, and so are the tasks it names ${needs}`,
  ignore: !granted,
  fn: async () => {
    const read = (path: string, from: URL = root) => Deno.readTextFile(new URL(path, from));
    const { tasks } = JSON.parse(await read("deno.json"));
    const docs = [...Deno.readDirSync(new URL("docs/", root))].map(({ name }) => `docs/${name}`);
    for (const path of [...READMES, ...docs.filter((name) => name.endsWith(".md"))]) {
      const page = await read(path), here = new URL(path, root);
      const links = page.matchAll(/(?:\]\(|src="|srcset=")(?!https:)([^)"]*)/g);
      for (const [, link] of links) {
        const [target, anchor] = link.split("#");
        const there = new URL(target || here.href, here);
        const isThere = await Deno.stat(there).then(() => true, () => false);
        assert.ok(isThere, `${path} links to ${link}, which isn't there.`);
        if (anchor === undefined) continue;
        const anchors = anchorsOf(await Deno.readTextFile(there));
        assert.ok(anchors.includes(anchor), `${path} links to ${link}, and there is no ${anchor}.`);
      }
      for (const [, task] of page.matchAll(/deno task (\w+)/g)) {
        assert.ok(task in tasks, `${path} says deno task ${task}, and deno.json has none.`);
      }
    }
  },
});
