// All tests, with the permissions they need: those of plain `deno test`, then each file of tests/full in a program of
// its own, two at a time, so that a crash of a program ends the tests of one file only.
//
//   deno task test [--filter ...]
//
// When Deno itself panics in the middle of a file of tests/full, or of the others, the panic is reported, and the file
// runs a second time: thousands of threads are terminated there at random instants, and in about one of ten thousand
// such ends Deno loads a script of its own while its thread is being terminated, and gives up ("Deno has panicked"). A
// test that fails is never run again.

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const full = join(root, "tests/full");
/** The time limit of a program, in ms: the longest file takes a quarter of an hour on two busy cores. */
const MAX_TIME_MS = 40 * 60_000;
const PANIC = "Deno has panicked";
const FAILURE = / \.\.\. (?:FAILED|cancelled)|\(uncaught error\)/;
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/;

/** The outcome of the tests of one program. */
interface Outcome {
  passed: number;
  failed: number;
  panicked: boolean;
  /** What failed, a line each: the names of tests, or how the program ended. */
  failures: string[];
}

/** Runs `deno test` with these paths; its output is shown at once, or when it has ended. */
async function run(paths: string[], isShownAtOnce: boolean): Promise<Outcome> {
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", ...Deno.args, ...paths],
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const guard = setTimeout(() => child.kill("SIGKILL"), MAX_TIME_MS);
  let text = "";
  const collect = async (stream: ReadableStream<Uint8Array>, isError: boolean) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      text += decoder.decode(bytes, { stream: true });
      if (isShownAtOnce) await (isError ? Deno.stderr : Deno.stdout).write(bytes);
    }
  };
  await Promise.all([collect(child.stdout, false), collect(child.stderr, true)]);
  const { success, code } = await child.status;
  clearTimeout(guard);
  if (!isShownAtOnce) console.log(text);
  const summary = text.split("\n").findLast((line) => SUMMARY.test(line))?.match(SUMMARY);
  const passed = Number(summary?.[1] ?? 0), told = Number(summary?.[2] ?? 0);
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`== ${paths.join(" ")}: ${passed} passed in ${seconds} s`);
  const failures = text.split("\n").filter((line) => FAILURE.test(line));
  if (!success && failures.length < told || failures.length === 0 && !success) {
    failures.push(`a program that ended with ${code}, ${summary?.[0] ?? "before its tests did"}`);
  }
  return {
    passed,
    failed: success ? 0 : Math.max(told, 1),
    panicked: text.includes(PANIC) && !summary,
    failures: failures.map((line) => `${paths.join(" ")}: ${line.trim().slice(0, 300)}`),
  };
}

/** Runs the tests, and once more if Deno itself panicked. */
async function runTwiceAtMost(paths: string[], isShownAtOnce: boolean): Promise<Outcome> {
  const outcome = await run(paths, isShownAtOnce);
  if (!outcome.panicked) return outcome;
  console.log(`== Deno panicked in ${paths.join(" ")}: a second run`);
  return await run(paths, isShownAtOnce);
}

const began = performance.now();
const outcomes = [await runTwiceAtMost(["tests"], true)];
const files = [...Deno.readDirSync(full)].map(({ name }) => `tests/full/${name}`).sort();
const runner = async () => {
  for (let file = files.shift(); file; file = files.shift()) {
    outcomes.push(await runTwiceAtMost([file], false));
  }
};
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, runner));

const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
const seconds = Math.round((performance.now() - began) / 1000);
for (const line of outcomes.flatMap(({ failures }) => failures)) console.log(`FAILED: ${line}`);
console.log(`${failed ? "FAILED" : "ok"} | ${passed} passed | ${failed} failed (${seconds} s)`);
Deno.exit(failed ? 1 : 0);
