// Programs that serve a monitor and go on.

import assert from "node:assert/strict";

const programs = new URL("../programs/", import.meta.url);

/** The URL of a program. */
export function program(name: string): string {
  return new URL(name, programs).href;
}

/** A program that prints the URL of its monitor; it is ended with the variable. */
export async function started(file: string, arg = "", flags: string[] = []) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net=127.0.0.1", "--no-prompt", ...flags, program(file), arg],
    ...{ stdin: "null", stdout: "piped", env: { NO_COLOR: "1" } },
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/http\S+\n/.test(text)) {
    const { value, done } = await reader.read();
    assert.ok(!done, text);
    text += value;
  }
  let isEnded = false;
  return {
    url: /http\S+/.exec(text)![0],
    async [Symbol.asyncDispose]() {
      if (isEnded) return;
      isEnded = true;
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}
