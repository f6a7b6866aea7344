// Programs that are not started by `deno run` of a file: typed into a REPL, given as an argument or on stdin,
// compiled to a binary. Their targets travel by source.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { deno } from "./support/deno.ts";

const allowed = (...names: ("run" | "read" | "write")[]) =>
  names.every((name) => Deno.permissions.querySync({ name }).state === "granted");

const root = new URL("../", import.meta.url);
const library = new URL("mod.ts", root).href;

/** Registers a test for the package's own folder, and for one that has no deno.json. */
function inFolders(name: string, fn: (cwd: string | URL) => Promise<void>): void {
  Deno.test({
    name: `${name}, in the folder of the package (needs --allow-run --allow-read)`,
    ignore: !allowed("run", "read"),
    fn: () => fn(root),
  });
  Deno.test({
    name: `${name}, in a folder without deno.json (needs --allow-run --allow-read --allow-write)`,
    ignore: !allowed("run", "read", "write"),
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        await fn(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

const program = `
import { Process, Queue } from "${library}";
const queue = new Queue();
const process = new Process({ target: (queue) => queue.put("from a process"), args: [queue] });
process.start();
console.log(await queue.get());
console.log(await process.join(), process.exitCode);
`;

const printed = ["from a process", "true 0"];

const session = `${program}
function add(a, b) { return a + b; }
const adding = new Process({ target: add, args: [40, 2] });
adding.start();
console.log(await adding.result());
class Task extends Process { run() { return this.name; } }
const task = new Task({ name: "a task" });
task.start();
console.log(await task.result());
const endless = new Process({ target: () => { while (true); } });
endless.start();
console.log(endless.isAlive());
`;

inFolders(
  "a REPL that may read the package alone runs processes, and ends at the end of its input",
  async (cwd) => {
    const args = ["repl", "--quiet", `--allow-read=${fileURLToPath(root)}`];
    const { code, out, errors } = await deno(args, { cwd, stdin: session });
    assert.deepEqual({ code, errors }, { code: 0, errors: "" });
    // Between them, it prints what each line came to.
    const own = out.filter((line) => line !== "undefined");
    assert.deepEqual(own, [...printed, "42", "a task", "true"]);
  },
);

inFolders("the argument of `deno eval` runs processes", async (cwd) => {
  const ran = await deno(["eval", program], { cwd });
  assert.deepEqual(ran, { code: 0, out: printed, errors: "" });
});

for (const permissions of [[], ["--allow-all"]]) {
  const having = permissions.length === 0 ? "no permission" : "all permissions";
  inFolders(`a program on stdin runs processes with ${having}`, async (cwd) => {
    const args = ["run", "--ext=js", ...permissions, "-"];
    const ran = await deno(args, { cwd, stdin: program });
    assert.deepEqual(ran, { code: 0, out: printed, errors: "" });
  });
}

/** What `deno compile` builds on; where it isn't in Deno's cache, `deno compile` downloads it. */
async function hasRuntime(): Promise<boolean> {
  const { out } = await deno(["info", "--json"]);
  const { denoDir } = JSON.parse(out.join("\n")) as { denoDir: string };
  const { version: { deno: version }, build: { target } } = Deno;
  try {
    await Deno.stat(`${denoDir}/dl/release/v${version}/denort-${target}.zip`);
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "a compiled program runs processes with no permission " +
    "(needs --allow-run --allow-read --allow-write, and what `deno compile` downloads at its first use)",
  ignore: !allowed("run", "read", "write") || !await hasRuntime(),
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const command = `${folder}/queue${Deno.build.os === "windows" ? ".exe" : ""}`;
      const compiled = await deno(
        ["compile", "--quiet", "--no-check", "--output", command, "tests/jsr/queue.ts"],
        { cwd: root },
      );
      assert.deepEqual(compiled, { code: 0, out: [], errors: "" });
      const { code, out, errors } = await deno([], { command, cwd: folder });
      assert.deepEqual({ code, errors }, { code: 0, errors: "" });
      for (const i of [1, 2, 3, 4]) {
        const put = out.indexOf(`put url_${i}`);
        assert.ok(put >= 0 && out.indexOf(`got url_${i}`) > put, out.join("\n"));
      }
      assert.deepEqual(out.slice(8), ["main"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
