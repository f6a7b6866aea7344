// installDump(): a signal prints what inspect() shows, also while main is blocked, and then does its work.

import assert from "node:assert/strict";
import { EOFError, installDump, InvalidStateError, Process } from "../../mod.ts";
import { granted, needs } from "../support/programs.ts";
import { bound } from "../support/sync.ts";

/** Runs the program, sends the signals once it is blocked, and returns what it printed and how it ended. */
async function signalled(signals: Deno.Signal[], args: string[] = []) {
  const program = new URL("../support/programs/dump.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", program, ...args],
    ...{ stdin: "null", stdout: "piped", stderr: "piped", env: { NO_COLOR: "1" } },
  }).spawn();
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader.read()).value ?? "", /blocked/);
  for (const signal of signals) {
    child.kill(signal);
    // Two signals of one kind that come together may be one.
    await new Promise((wake) => setTimeout(wake, 200));
  }
  const { signal } = await child.status;
  await reader.cancel();
  return { signal, errors: await errors };
}

const SHOWN = /Queue\.getSync of queue \d "dishes"/;

Deno.test({
  name: `SIGQUIT, and SIGINT twice, print what all wait for while main is blocked ${needs}`,
  ignore: !granted,
  fn: async () => {
    const [quit, twice, once, disposed] = await Promise.all([
      signalled(["SIGQUIT"]),
      signalled(["SIGINT", "SIGINT"]),
      signalled(["SIGINT"]),
      signalled(["SIGQUIT"], ["disposed"]),
    ]);
    assert.equal(quit.signal, "SIGQUIT");
    assert.match(quit.errors, SHOWN);
    assert.match(quit.errors, /^MainProcess {2}\(pid \d+\) {2}blocked/m);
    assert.match(quit.errors, /^eater {2}\(pid \d+\)/m);
    assert.equal(twice.signal, "SIGINT");
    assert.match(twice.errors, SHOWN);
    assert.deepEqual(once, { signal: "SIGINT", errors: "" });
    assert.deepEqual(disposed, { signal: "SIGQUIT", errors: "" });
  },
});

Deno.test("a dump that is disposed of before it is ready rejects nothing that nobody handles", async () => {
  {
    await using _dump = installDump();
  }
  const dump = installDump();
  const refused = assert.rejects(dump.ready, EOFError);
  await dump[Symbol.asyncDispose]();
  await refused;
});

Deno.test("only main installs it, once, for two signals", async () => {
  assert.throws(() => installDump({ signals: ["SIGTERM" as never] }), /SIGQUIT/);
  assert.throws(() => installDump({ signals: [] }), TypeError);
  await using dump = installDump({ signals: ["SIGQUIT"] });
  assert.throws(() => installDump(), InvalidStateError);
  await dump.ready;
  const child = new Process({
    target: () => {
      try {
        installDump();
      } catch (error) {
        return (error as Error).name;
      }
    },
    by: "source",
  });
  child.start();
  assert.equal(await child.result(bound), "InvalidStateError");
});
