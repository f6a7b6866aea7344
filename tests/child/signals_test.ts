// Ctrl-C and similar signals end a program, whatever its processes listen to; each pid is unique.

import assert from "node:assert/strict";
import { Process } from "../../mod.ts";
import { granted, needs } from "../support/programs.ts";

const program = new URL("../support/programs/signals.ts", import.meta.url).href;

/** What a program prints, and how it ends, that is sent a signal once it is ready. */
async function signalled(how: string, signal: Deno.Signal) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", program, how],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const guard = setTimeout(() => child.kill("SIGKILL"), 30_000);
  let printed = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    const isFirst = printed === "";
    printed += part;
    if (isFirst) child.kill(signal);
  }
  const { code, signal: endedBy } = await child.status;
  clearTimeout(guard);
  return { printed: printed.trim().split("\n"), end: endedBy ?? code };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
const cases = ["awaiting", "blocked", "removed", "ended", "nested"] as const;

for (const [i, how] of cases.entries()) {
  // All of them where main waits in the usual way, one each elsewhere; SIGINT always.
  const signals = how === "awaiting" ? SIGNALS : ["SIGINT" as const, SIGNALS[1 + i % 3]];
  for (const signal of signals) {
    Deno.test({
      name: `${signal} ends a program whose child listens (${how}) ${needs}`,
      ignore: !granted,
      fn: async () => {
        const { printed, end } = await signalled(how, signal);
        assert.deepEqual([printed, end], [["4 refused"], signal]);
      },
    });
  }
}

Deno.test({
  name: `main may listen to signals that end a program ${needs}`,
  ignore: !granted,
  fn: async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const { printed, end } = await signalled("main", signal);
      assert.deepEqual([printed, end], [["4 refused", "main was told"], 3]);
    }
  },
});

Deno.test("a pid is larger than any of the operating system's, and is one in the program", async () => {
  const processes = [1, 2, 3].map(() => new Process({ target: () => {}, by: "source" }));
  for (const process of processes) process.start();
  const pids = processes.map(({ pid }) => pid!);
  assert.equal(new Set(pids).size, 3);
  for (const pid of pids) {
    assert.ok(pid > 2 ** 22 && pid < 2 ** 31 && Number.isInteger(pid), `${pid}`);
  }
  for (const process of processes) await process.join();
});

Deno.test({
  name: `Deno.kill and process.kill find no process by a pid of this library's ${needs}`,
  ignore: !granted,
  fn: async () => {
    const child = new Process({ target: () => {}, by: "source" });
    child.start();
    const { default: node } = await import("node:process");
    assert.throws(() => Deno.kill(child.pid!, "SIGKILL"), Deno.errors.NotFound);
    assert.throws(() => node.kill(child.pid!, "SIGKILL"), { code: "ESRCH" });
    await child.join();
    assert.equal(child.exitCode, 0);
  },
});
