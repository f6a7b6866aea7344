// Whole programs, each run by `deno run`: with no permission at all, so that targets travel by
// source, and with all of them, by reference.

import assert from "node:assert/strict";

/** Whether programs can be run. */
export const granted: boolean = (["run", "read"] as const).every((name) =>
  Deno.permissions.querySync({ name }).state === "granted"
);

/** What to say of it in the name of a test. */
export const needs = "(needs --allow-run --allow-read)";

/** A program that takes longer than this doesn't end, also on a machine that is busy with much else. In ms. */
const ENDLESS = 120_000;

/** What came of a program. */
export interface Run {
  code: number;
  out: string[];
  errors: string;
}

/** Runs a program of tests/support/programs, or of a URL, with no terminal; with no permission, unless `flags` say otherwise. */
export async function run(
  program: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
  endlessAfter = ENDLESS,
): Promise<Run> {
  const url = URL.canParse(program)
    ? program
    : new URL(`programs/${program}`, import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, url, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  let endless = false;
  const guard = setTimeout(() => {
    endless = true;
    child.kill("SIGKILL");
  }, endlessAfter);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(guard);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const out = text(stdout).split("\n").filter((line) => line !== "");
  const errors = text(stderr);
  assert.ok(!endless, `${program} does not end. It printed: ${out.join("\n")}\n${errors}`);
  return { code, out, errors };
}

/** Registers a test that runs a program by source and by reference, at the same time. */
export function both(
  name: string,
  program: string,
  args: readonly string[],
  check: (run: Run) => void,
  flags: readonly string[] = [],
  endlessAfter = ENDLESS,
): void {
  Deno.test({
    name: `${name} ${needs}`,
    ignore: !granted,
    fn: async () => {
      const runs = await Promise.all([
        run(program, args, flags, endlessAfter),
        run(program, args, ["--allow-all", ...flags], endlessAfter),
      ]);
      for (const [i, one] of runs.entries()) {
        try {
          check(one);
        } catch (error) {
          const how = i === 0 ? "with no permission" : "with all permissions";
          const printed = `${one.out.join("\n")}\n${one.errors}`;
          throw new Error(`${program} ${how}, exit status ${one.code}, printed:\n${printed}`, {
            cause: error,
          });
        }
      }
    },
  });
}

/** What a program prints and how it exits, with nothing on stderr. */
export function prints(code: number, ...out: string[]): (run: Run) => void {
  return (run) => assert.deepEqual(run, { code, out, errors: "" });
}
