// Runs the tests on every version of Deno that this package promises to work on, and checks that other
// runtimes are refused by one clear error. npm installs each into a folder of its own.
//
//   deno task test:versions                      on each: the plain tests, examples, documentation
//   deno task test:versions --full 2.9.4         on these versions, with all tests instead of the plain ones
//   deno task test:versions --refused            only the runtimes that must be refused

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OLDEST_DENO } from "../lib/platform/requirements.ts";
import { install, refused, tested } from "./runtimes.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** The outcome of one run: as the table shows it, and whether it is the expected one. */
interface Outcome {
  runtime: string;
  what: string;
  outcome: string;
  isRight: boolean;
}

const PLAIN: [what: string, args: string[]][] = [["deno test", ["test"]]];
const FULL: typeof PLAIN = [["all tests", ["test", "--allow-all", "tests", ...fullTests()]]];
const ALWAYS: typeof PLAIN = [
  ["examples and READMEs", [
    ...["test", "--allow-all", "tests/examples_test.ts", "tests/readme_test.ts"],
  ]],
  ["examples of the documentation", [
    ...[
      "test",
      "--doc",
      "--allow-all",
      "--ignore=lib/redis,lib/monitor",
      "mod.ts",
      "local.ts",
      "lib",
      "tools/doc_tests.ts",
    ],
  ]],
  ["what is relied on", ["run", "--allow-all", "tools/platform/main.ts"]],
];

function fullTests(): string[] {
  return [...Deno.readDirSync(join(root, "tests/full"))].map(({ name }) => `tests/full/${name}`);
}

/** Runs the tests with one version of Deno, and shows their output. */
async function testWith(version: string, isFull: boolean): Promise<Outcome[]> {
  const runtime = `deno@${version}`, binary = await install(runtime);
  const outcomes: Outcome[] = [];
  for (const [what, args] of [...isFull ? FULL : PLAIN, ...ALWAYS]) {
    console.log(`\n== ${runtime}: ${what}`);
    const began = performance.now();
    const command = new Deno.Command(binary, { args, cwd: root, stdin: "null" });
    const { success } = await command.spawn().status;
    const seconds = Math.round((performance.now() - began) / 1000);
    const outcome = `${success ? "passed" : "FAILED"} (${seconds} s)`;
    outcomes.push({ runtime, what, outcome, isRight: success });
  }
  return outcomes;
}

const PROGRAMS = {
  "mod.ts": 'import { Queue } from "MODULE"; console.log(typeof Queue);',
  "mod.ts, import()":
    'try { await import("MODULE") } catch (error) { console.error(error.message) }',
  "local.ts": 'import { Queue } from "MODULE"; const queue = new Queue(); await queue.put(1); ' +
    "console.log(await queue.get());",
};

/** The error of a runtime that lacks something this package needs. */
async function refusalOf(runtime: string): Promise<Outcome[]> {
  const binary = await install(runtime), outcomes: Outcome[] = [];
  const folder = await Deno.makeTempDir();
  try {
    for (const [what, program] of Object.entries(PROGRAMS)) {
      const isLocal = what === "local.ts";
      const path = join(folder, "program.ts"), module = isLocal ? "local.ts" : "mod.ts";
      await Deno.writeTextFile(path, program.replace("MODULE", join(root, module)));
      const flags = runtime.startsWith("deno@") ? ["run", "--allow-read", "--no-check"] : [];
      const command = new Deno.Command(binary, {
        args: [...flags, path],
        stdin: "null",
        env: { NO_COLOR: "1" },
      });
      const { stdout, stderr } = await command.output();
      const out = new TextDecoder().decode(stdout), errors = new TextDecoder().decode(stderr);
      const clear = `@multiproc/multiprocessing needs Deno ${OLDEST_DENO} or later, and this is `;
      const isRight = isLocal
        ? out.trim() === "1"
        : out === "" && errors.split(clear).length === 2 && !/[A-Z]\w+Error:/.test(errors);
      const outcome = isLocal ? "runs" : "refused";
      outcomes.push({ runtime, what, outcome: isRight ? outcome : out + errors, isRight });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return outcomes;
}

const isFull = Deno.args.includes("--full"), onlyRefused = Deno.args.includes("--refused");
const named = Deno.args.filter((argument) => !argument.startsWith("--"));
const outcomes: Outcome[] = [];
if (!onlyRefused) {
  for (const version of named.length > 0 ? named : tested) {
    outcomes.push(...await testWith(version, isFull));
  }
}
if (named.length === 0) {
  for (const runtime of refused) {
    outcomes.push(...await refusalOf(runtime));
  }
}
console.log();
for (const { runtime, what, outcome } of outcomes) {
  console.log(`${runtime.padEnd(12)} ${what.padEnd(30)} ${outcome}`);
}
const wrong = outcomes.filter(({ isRight }) => !isRight).length;
console.log(`\n${outcomes.length - wrong} passed, ${wrong} failed`);
Deno.exit(wrong === 0 ? 0 : 1);
