// What the READMEs say, in both languages: every program in them is run as they say, in a folder of
// its own, by a deno.json as they describe it, and prints what they show.

import assert from "node:assert/strict";

const needed = ["run", "read", "write"] as const;
const granted = needed.every((name) => Deno.permissions.querySync({ name }).state === "granted");
const needs = "(needs --allow-run --allow-read --allow-write)";

const root = new URL("../", import.meta.url);
const READMES = ["README.md", "README.zh-CN.md"];
/** Lines that a program may have, for somebody who reads it for the first time. */
const MOST_LINES = 25;
/** A program that takes longer than this doesn't end. In ms. */
const ENDLESS = 60_000;

/** A block of code in a README. */
interface Block {
  language: string;
  text: string;
}

/** A program in a README: its name stands in its first line, and after it how to run it, and what comes. */
interface Program {
  name: string;
  text: string;
  command: string;
  output: string;
}

function blocksOf(readme: string): Block[] {
  return [...readme.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language, text]) => {
    return { language, text };
  });
}

/** Every block of TypeScript is a program. */
function programsOf(readme: string): Program[] {
  const blocks = blocksOf(readme);
  return blocks.flatMap(({ language, text }, i) => {
    if (language !== "ts") return [];
    const [, name] = /^\/\/ (\w+\.ts)\n/.exec(text) ?? [];
    assert.ok(name, `This program doesn't begin with its name:\n${text}`);
    const command = blocks[i + 1], output = blocks[i + 2];
    assert.equal(command?.language, "sh", `Not said how to run ${name}`);
    assert.equal(output?.language, "text", `Not said what ${name} prints`);
    return { name, text, command: command.text.trim(), output: output.text };
  });
}

/** A program without its comments, which each language has in its own words. */
function withoutComments(text: string): string {
  return text.replaceAll(/ *\/\/ .*$/gm, "");
}

/** The folder of a user's program. */
async function newProject(): Promise<string> {
  const folder = await Deno.makeTempDir();
  const imports = {
    "@multiproc/multiprocessing": new URL("mod.ts", root).href,
    "@multiproc/multiprocessing/local": new URL("local.ts", root).href,
  };
  const config = JSON.stringify({ imports, unstable: ["worker-options"] });
  await Deno.writeTextFile(`${folder}/deno.json`, config);
  return folder;
}

/** What a program prints and how it exits, with no terminal. */
async function run(folder: string, args: string[]): Promise<{ printed: string; code: number }> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", HOME: "/home/somebody" },
  }).spawn();
  const guard = setTimeout(() => child.kill("SIGKILL"), ENDLESS);
  const { stdout, stderr, code } = await child.output();
  clearTimeout(guard);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { printed: text(stderr) + text(stdout), code };
}

async function check({ name, text, command, output }: Program, checkTypes: boolean): Promise<void> {
  const [deno, subcommand, ...rest] = command.split(" ");
  assert.deepEqual([deno, subcommand, rest.at(-1)], ["deno", "run", name]);
  const folder = await newProject();
  try {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    if (checkTypes) {
      const types = await run(folder, ["check", name]);
      assert.equal(types.code, 0, types.printed);
    }
    assert.deepEqual(await run(folder, ["run", ...rest]), { printed: output, code: 0 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const [i, readme] of READMES.entries()) {
  Deno.test({
    name: `${readme}: every program runs as it says, and prints what it shows ${needs}`,
    ignore: !granted,
    fn: async () => {
      const programs = programsOf(await Deno.readTextFile(new URL(readme, root)));
      assert.ok(programs.length >= 4);
      for (const program of programs) {
        const lines = program.text.trimEnd().split("\n").length;
        assert.ok(lines <= MOST_LINES, `${program.name} has ${lines} lines`);
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
      const programs = programsOf(text).map((program) => {
        return { ...program, text: withoutComments(program.text) };
      });
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
