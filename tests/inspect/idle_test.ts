// The warning that every process waits and nothing has moved for ten seconds.

import assert from "node:assert/strict";
import { testInFull } from "../support/length.ts";

/** Runs the program until it has warned, or `until` resolves; returns what it has printed. */
async function printed(how: string, until?: Promise<unknown>): Promise<string> {
  const program = new URL("../support/programs/idle.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", program, how],
    ...{ stdin: "null", stdout: "null", stderr: "piped", env: { NO_COLOR: "1" } },
  }).spawn();
  let text = "";
  const reading = (async () => {
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes("detectDeadlocks")) return;
    }
  })();
  await (until ?? reading);
  child.kill("SIGKILL");
  await reading;
  await child.status;
  return text;
}

testInFull(
  "a program whose processes all wait says so once, and not where a wait has a limit, or a server may wake it",
  async () => {
    const warned = Promise.all([printed("awaited"), printed("blocked")]);
    // These began at the same time, and would have warned by now.
    const kinds = ["off", "limited", "server", "signal"];
    const quiet = Promise.all(kinds.map((how) => printed(how, warned)));
    for (const text of await warned) {
      assert.match(text, /nothing has moved for ten seconds\. 2 processes, all wait/);
      assert.match(text, /Nobody puts anything into queue \d "dishes"/);
      assert.match(text, /detectDeadlocks\(\{ idle: "off" \}\)/);
    }
    assert.deepEqual(await quiet, ["", "", "", ""]);
  },
);
