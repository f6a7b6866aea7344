// Deno as a command, with no terminal: its output, its exit code, and that it ends.

import assert from "node:assert/strict";

/** A command that takes longer than this doesn't end. In ms. */
const ENDLESS = 60_000;

/** What came of a command. */
export interface Run {
  code: number;
  out: string[];
  errors: string;
}

/** How a command is run. */
export interface RunOptions {
  /** Default: this Deno. */
  command?: string;
  cwd?: string | URL;
  env?: Record<string, string>;
  /** What it reads from stdin. Default: nothing. */
  stdin?: string;
}

/** Runs Deno, or another command, and waits for its end. */
export async function deno(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { command = Deno.execPath(), cwd, env, stdin = "" } = options;
  const child = new Deno.Command(command, {
    args: [...args],
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...env },
  }).spawn();
  let endless = false;
  const guard = setTimeout(() => {
    endless = true;
    child.kill("SIGKILL");
  }, ENDLESS);
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    new Blob([stdin]).stream().pipeTo(child.stdin),
  ]);
  clearTimeout(guard);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const out = text(stdout).split("\n").filter((line) => line !== "");
  const errors = text(stderr);
  const what = [command, ...args].join(" ");
  assert.ok(!endless, `${what} does not end. It printed: ${out.join("\n")}\n${errors}`);
  return { code, out, errors };
}
