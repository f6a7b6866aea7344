// Checks the assumptions about Deno that go beyond its documentation in the Deno that runs this: a row for
// each assumption. Exit status 1 if one that is needed doesn't hold.
//
//   deno task platform             all of them
//   deno task platform ports       those of lib/platform/ports.ts, or whose text has that word
//
// Each is checked in a program of its own, because some can end a program or keep a core busy for ever.

import { judge, type Row } from "./assumption.ts";
import { assumptions } from "./assumptions.ts";

/** The time after which a check counts as endless, in ms. */
const ENDLESS = 30_000;

/** The beginning of the line in which a check's program prints its observation. */
const SEEN = "seen: ";

async function look(index: number): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "--no-check",
        "--quiet",
        "--allow-all",
        "--unstable-worker-options",
        "--no-config",
      ],
      ...[import.meta.url, `--observe=${index}`],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  let isEndless = false;
  const timer = setTimeout(() => {
    isEndless = true;
    child.kill("SIGKILL");
  }, ENDLESS);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = new TextDecoder(), lines = text.decode(stdout).split("\n");
  const seen = lines.find((line) => line.startsWith(SEEN));
  if (seen !== undefined) return seen.slice(SEEN.length);
  const errors = text.decode(stderr).trim().split("\n")[0];
  return isEndless ? "no end" : `exit code ${code}${errors && `, ${errors}`}`;
}

function print({ assumption: { claim, places, kind, expected }, seen, state }: Row): void {
  console.log(`${state.padEnd(22)}${kind.padEnd(7)}${claim}`);
  if (state !== "holds") {
    console.log(`${"".padEnd(29)}seen: ${seen}\n${"".padEnd(29)}expected: ${expected.join(" | ")}`);
  }
  console.log(`${"".padEnd(29)}${places.join(", ")}`);
}

async function main(): Promise<number> {
  const [word] = Deno.args;
  const chosen = assumptions.map((assumption, index) => ({ assumption, index }))
    .filter(({ assumption: { claim, places } }) =>
      word === undefined || `${claim} ${places}`.includes(word)
    );
  if (chosen.length === 0) {
    console.error(`No assumption has the word "${word}".`);
    return 1;
  }
  const { deno, v8 } = Deno.version;
  console.log(`Deno ${deno}, V8 ${v8}\n`);
  const counts: Record<string, number> = {};
  const rows = chosen.map(() => Promise.withResolvers<Row>());
  let next = 0;
  const work = async () => {
    while (next < chosen.length) {
      const at = next++, { assumption, index } = chosen[at];
      rows[at].resolve(judge(assumption, await look(index)));
    }
  };
  // At most two at a time, because some measure times.
  const working = Promise.all([work(), work()]);
  for (const { promise } of rows) {
    const row = await promise;
    print(row);
    counts[row.state] = (counts[row.state] ?? 0) + 1;
  }
  await working;
  console.log(
    `\n${Object.entries(counts).map(([state, count]) => `${count} ${state}`).join(", ")}`,
  );
  if (counts.changed) {
    console.log("What has changed is worked around in the library, which could do without now.");
  }
  return counts.FAILS ? 1 : 0;
}

const observed = Deno.args.find((argument) => argument.startsWith("--observe="))?.split("=")[1];
if (observed === undefined) Deno.exit(await main());
let seen: string;
try {
  seen = await assumptions[Number(observed)].observe();
} catch (error) {
  seen = `error: ${error}`.split("\n")[0];
}
console.log(SEEN + seen);
Deno.exit();
