// The programs in the documentation: found in a page, written to a folder of their own as a user would
// do it, and run as the page says.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

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
  /** The deno.json that the page has for it, if it has one: of a program that imports from a clone. */
  config: string | undefined;
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
  let files: Program["files"] = [], config: string | undefined;
  for (const [i, { language, text }] of blocks.entries()) {
    if (language === "json") config = text;
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
    programs.push({ files, command: command.text.trim(), output: printed, config });
    files = [];
    config = undefined;
  }
  assert.deepEqual(files, [], "Not said how to run the last program");
  return programs;
}

/** A copy of a file, or of a folder, whose URL ends with a slash. */
export async function copy(from: URL, to: URL): Promise<void> {
  if (!from.pathname.endsWith("/")) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const path = isDirectory ? `${name}/` : name;
    await copy(new URL(path, from), new URL(path, to));
  }
}

/** What a user's deno.json says who has the package by its name. */
const CONFIG = JSON.stringify({
  imports: {
    "@multiproc/multiprocessing": new URL("mod.ts", root).href,
    "@multiproc/multiprocessing/local": new URL("local.ts", root).href,
    "@multiproc/multiprocessing/redis": new URL("redis.ts", root).href,
  },
  unstable: ["worker-options"],
});

/** What a page whose deno.json is its own says is copied into `multiprocessing`. */
const CLONED = ["mod.ts", "local.ts", "lib/"];

/** A folder of a user's, with a deno.json and for each program a folder in it. */
async function newProject(programs: readonly Program[], config?: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/deno.json`, config ?? CONFIG);
  if (config !== undefined) {
    const clone = new URL("multiprocessing/", pathToFileURL(`${folder}/`));
    await Deno.mkdir(clone);
    for (const path of CLONED) await copy(new URL(path, root), new URL(path, clone));
  }
  for (const [i, { files }] of programs.entries()) {
    await Deno.mkdir(`${folder}/${i}`);
    for (const { name, text } of files) await Deno.writeTextFile(`${folder}/${i}/${name}`, text);
  }
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
async function check(folder: string, { files, command, output }: Program): Promise<void> {
  const name = files.at(-1)!.name;
  const [deno, subcommand, ...rest] = command.split(" ");
  assert.deepEqual([deno, rest.at(-1)], ["deno", name]);
  assert.match(subcommand, /^(run|test)$/);
  const { printed, code } = await run(folder, [subcommand, ...rest]);
  assert.deepEqual({ printed: output === undefined ? undefined : printed, code }, {
    printed: output,
    code: 0,
  }, `${name}: ${printed}`);
}

/** How many programs run at once. */
const AT_ONCE = 2;

/** Does something with programs in a folder of a user's, which is gone afterwards. */
async function inProject(
  programs: readonly Program[],
  config: string | undefined,
  does: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await newProject(programs, config);
  try {
    await does(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Checks the types of programs, all at once: the library's types are read once for that. */
export function checkTypes(programs: readonly Program[]): Promise<void> {
  return inProject(programs, undefined, async (folder) => {
    const mains = programs.map(({ files }, i) => `${i}/${files.at(-1)!.name}`);
    const { code, printed } = await run(folder, ["check", ...mains]);
    assert.equal(code, 0, printed);
  });
}

/** Runs programs as their page says, two at a time, and compares what they print. */
export async function checkAll(programs: readonly Program[]): Promise<void> {
  for (const config of new Set(programs.map(({ config }) => config))) {
    const some = programs.filter((program) => program.config === config);
    await inProject(some, config, async (folder) => {
      const left = some.entries();
      const checked = await Promise.allSettled(Array.from({ length: AT_ONCE }, async () => {
        for (const [i, program] of left) await check(`${folder}/${i}`, program);
      }));
      for (const one of checked) if (one.status === "rejected") throw one.reason;
    });
  }
}
