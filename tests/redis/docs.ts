// The programs of docs/across-machines.md and examples/across_machines, one after the other, with a server of the
// tests', and with a worker where they have tasks.

import assert from "node:assert/strict";
import { checkAll, type Program, programsOf, root } from "../support/documented.ts";
import { Server } from "./support/server.ts";
import { WorkerProgram } from "./support/worker.ts";

const page = await Deno.readTextFile(new URL("docs/across-machines.md", root));

/** Starts the worker of a program with tasks, as the page says. */
async function workerFor({ files }: Program, folder: string, url: string) {
  const tasks = files.find(({ name }) => name === "tasks.ts");
  if (tasks === undefined) return undefined;
  const module = `${folder}/tasks.ts`, config = `${folder}/deno.json`;
  await Deno.writeTextFile(module, tasks.text);
  const imports = { "@multiproc/multiprocessing": new URL("mod.ts", root).href };
  await Deno.writeTextFile(config, JSON.stringify({ imports }));
  const worker = new WorkerProgram(
    [url, "--name", "thumbnails", "--module", module],
    ["-N", "-R", `--config=${config}`],
  );
  await worker.ready;
  return worker;
}

Deno.test("docs/across-machines.md: every program runs as it says, and prints what it shows", async () => {
  await using server = await Server.start();
  const programs = programsOf(page.replaceAll("6379", `${server.port}`));
  const folder = await Deno.makeTempDir();
  for (const program of programs) {
    await using _ = await workerFor(program, folder, server.url);
    await checkAll([program]);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("examples/across_machines: a worker and a caller, as in two terminals", async () => {
  await using server = await Server.start();
  const module = new URL("examples/across_machines/tasks.ts", root).pathname;
  const config = new URL("deno.json", root).pathname;
  await using worker = new WorkerProgram(
    [server.url, "--name", "primes", "--module", module],
    ["-N", "-R", `--config=${config}`],
  );
  await worker.ready;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-N", "examples/across_machines/caller.ts", server.url],
    cwd: root,
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n").sort();
  assert.deepEqual([code, lines.length, lines.at(-1)], [0, 6, "9592 primes below 100000"]);
});
