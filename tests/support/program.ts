// Whole programs, each run by `deno run`: what they print, and how they end.

import assert from "node:assert/strict";

/** Whether this run of the tests may run programs. */
export const granted: boolean = (["run", "read"] as const).every((name) =>
  Deno.permissions.querySync({ name }).state === "granted"
);
/** Why a test is ignored if not: the end of its name. */
export const needs = "(needs --allow-run --allow-read)";

/** A program that takes longer than this doesn't end. In ms. */
const ENDLESS = 30_000;

/** What became of a program. */
export interface Run {
  code: number;
  /** Its lines on stdout that aren't empty. */
  out: string[];
  errors: string;
}

/** Runs a program with no terminal; with no permission, unless `flags` say otherwise. */
export async function run(program: URL, flags: readonly string[] = []): Promise<Run> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, program.href],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  let endless = false;
  const guard = setTimeout(() => {
    endless = true;
    child.kill("SIGKILL");
  }, ENDLESS);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(guard);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const out = text(stdout).split("\n").filter((line) => line !== "");
  const errors = text(stderr);
  assert.ok(!endless, `${program} does not end. It printed: ${out.join("\n")}\n${errors}`);
  return { code, out, errors };
}
