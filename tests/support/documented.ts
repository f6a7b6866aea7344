// The programs in the documentation: found in a page, written to a folder of their own as a user would
// have it, and run as the page says.

import assert from "node:assert/strict";

/** The project's folder. */
export const root: URL = new URL("../../", import.meta.url);

/** What these tests need, and whether they have it. */
export const granted: boolean = (["run", "read", "write"] as const)
  .every((name) => Deno.permissions.querySync({ name }).state === "granted");
/** Says so in the name of a test. */
export const needs = "(needs --allow-run --allow-read --allow-write)";

/** A program that takes longer than this doesn't end. */
const ENDLESS_MS = 60_000;

/** A block of code in a page. */
export interface Block {
  language: string;
  text: string;
}

/** A program in a page: its files, whose names stand in their first lines, how to run it, and what it prints. */
export interface Program {
  /** The last file is the one that is run. */
  files: { name: string; text: string }[];
  command: string;
  /** undefined where a page doesn't say: of a test. */
  output: string | undefined;
}

/** All blocks of a page. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language, text]) => {
    return { language, text };
  });
}

/** The programs of a page. Every block of TypeScript is a file of one. */
export function programsOf(page: string): Program[] {
  const programs: Program[] = [];
  const blocks = blocksOf(page);
  let files: Program["files"] = [];
  for (const [i, { language, text }] of blocks.entries()) {
    if (language !== "ts") continue;
    const [, name] = /^\/\/ (\w+\.ts)\n/.exec(text) ?? [];
    assert.ok(name, `This program doesn't begin with its name:\n${text}`);
    files.push({ name, text });
    const command = blocks[i + 1], output = blocks[i + 2];
    if (command?.language === "ts") continue; // another file of the same program
    assert.equal(command?.language, "sh", `Not said how to run ${name}`);
    const isTest = command.text.startsWith("deno test");
    if (!isTest) assert.equal(output?.language, "text", `Not said what ${name} prints`);
    const printed = isTest ? undefined : output.text;
    programs.push({ files, command: command.text.trim(), output: printed });
    files = [];
  }
  assert.deepEqual(files, [], "Not said how to run the last program");
  return programs;
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
  const guard = setTimeout(() => child.kill("SIGKILL"), ENDLESS_MS);
  const { stdout, stderr, code } = await child.output();
  clearTimeout(guard);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { printed: text(stderr) + text(stdout), code };
}

/** Runs a program as its page says, and compares what it prints. */
export async function check(program: Program, checkTypes: boolean): Promise<void> {
  const { files, command, output } = program;
  const name = files.at(-1)!.name;
  const [deno, subcommand, ...rest] = command.split(" ");
  assert.deepEqual([deno, rest.at(-1)], ["deno", name]);
  assert.match(subcommand, /^(run|test)$/);
  const folder = await newProject();
  try {
    for (const { name, text } of files) await Deno.writeTextFile(`${folder}/${name}`, text);
    if (checkTypes) {
      const types = await run(folder, ["check", name]);
      assert.equal(types.code, 0, types.printed);
    }
    const { printed, code } = await run(folder, [subcommand, ...rest]);
    assert.deepEqual({ printed: output === undefined ? undefined : printed, code }, {
      printed: output,
      code: 0,
    }, printed);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
