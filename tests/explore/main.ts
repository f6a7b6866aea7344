// Explores the schedules of small programs of this library: see docs/explorer.md. `deno task explore`.

import { unargued } from "./argued_races.ts";
import { catalogue, type Entry } from "./catalogue.ts";
import { type Job, type Report, rerun } from "./job.ts";
import { isAskedFor, type Options, parse, usage } from "./options.ts";
import { type Mutant, mutants } from "./mutants.ts";
import { doJobs } from "./pool.ts";
import { Table } from "./table.ts";
import { root } from "./program.ts";
import { endLinker } from "./transform/link.ts";

const SECONDS = { short: 4, usual: 60, long: 600 };
/** For all scenarios together. */
const MINUTES = { short: 1, usual: 10, long: Infinity };
const RACE_RUNS = 100;
/** For each scenario of a mutant: what is found on one machine is found on every one. */
const MUTANT_STEPS = 5_000_000;

/** Bounds and time, as asked for on the command line. */
function jobOf({ file, name, bounds }: Entry, options: Options): Job {
  const { extent, preemptions, kills, seed, pct, lib } = options;
  const usual = extent === "short"
    ? Math.min(1, bounds.preemptions)
    : extent === "long"
    ? Math.max(3, bounds.preemptions)
    : bounds.preemptions;
  return {
    file,
    name,
    bounds: { ...bounds, preemptions: preemptions ?? usual, kills: kills ?? bounds.kills },
    seconds: options.seconds ?? SECONDS[extent],
    chance: seed === undefined ? undefined : { kind: pct ? "pct" : "random", seed },
    raceRuns: RACE_RUNS,
    lib,
  };
}

function save({ counterexample }: Report): string {
  const file = Deno.makeTempFileSync({ prefix: "explore-", suffix: ".json" });
  Deno.writeTextFileSync(
    file,
    JSON.stringify(counterexample, (_, value) => value === Infinity ? "Infinity" : value, 1),
  );
  return file;
}

/** Searches the scenarios; how many failed. */
async function search(entries: readonly Entry[], options: Options): Promise<number> {
  const jobs = entries.map((entry) => jobOf(entry, options));
  const table = new Table(entries, jobs);
  const failures: string[] = [], races = new Map<string, number>();
  let trace: string | undefined;
  const began = performance.now();
  console.log(table.head);
  await doJobs(jobs, (report, index) => {
    console.log(table.add(report, index));
    for (const [race, times] of report.races) races.set(race, (races.get(race) ?? 0) + times);
    if (report.counterexample === undefined) return;
    const { scenario, what, schedule } = report.counterexample;
    failures.push(
      `\n${scenario}: ${what}\n  schedule ${JSON.stringify(schedule)}\n` +
        `  step by step: deno task explore --replay ${save(report)}`,
    );
    trace ??= report.trace;
  }, { seconds: options.seconds === undefined ? 60 * MINUTES[options.extent] : undefined });
  for (const failure of failures) console.log(failure);
  if (trace !== undefined && failures.length === 1) console.log(`\n${trace}`);
  // Of other code it isn't known what it argues for.
  const wrong = options.lib === undefined ? unargued(races.keys(), root) : [];
  for (const race of wrong) console.log(`DATA RACE: ${race}, ${races.get(race)} times`);
  const seconds = (performance.now() - began) / 1000;
  const argued = races.size - wrong.length;
  console.log(
    `\n${table.summary}; data races: ${wrong.length}, and ${argued} that the code argues for; ${
      seconds.toFixed(0)
    } s`,
  );
  if (options.table !== undefined) Deno.writeTextFileSync(options.table, table.markdown);
  return table.failed + wrong.length;
}

/** Looks whether the bugs that are put in on purpose are found; how many are not. */
async function searchMutants(entries: readonly Entry[], options: Options): Promise<number> {
  const asked = mutants.filter(({ name }) => isAskedFor(name, options));
  const seconds = options.seconds ?? Infinity;
  const jobs: Job[] = [], owners: Mutant[] = [];
  for (const mutant of asked) {
    for (const name of mutant.scenarios) {
      const entry = entries.find((each) => each.name === name);
      if (entry === undefined) throw new Error(`${mutant.name}: there is no scenario ${name}.`);
      const bounds = { ...entry.bounds, ...mutant.bounds };
      jobs.push({
        ...jobOf({ ...entry, bounds }, options),
        ...{ seconds, steps: MUTANT_STEPS, edits: mutant.edits },
      });
      owners.push(mutant);
    }
  }
  const found = new Map<Mutant, string>();
  // Where a mutant was found in one scenario, the others needn't be searched.
  const isNeeded = (index: number) => !found.has(owners[index]);
  await doJobs(jobs, ({ counterexample, seconds, steps, schedules, isComplete }, index) => {
    const mutant = owners[index];
    const { name } = jobs[index];
    const work = `${schedules} schedules, ${steps} steps, ${seconds.toFixed(1)} s`;
    if (counterexample !== undefined && !found.has(mutant)) {
      found.set(mutant, counterexample.what);
      console.log(`found by ${name}: ${mutant.name} (${work})`);
    } else if (counterexample === undefined) {
      const bound = isComplete ? "complete" : "cut";
      console.log(`not found by ${name}, ${bound}: ${mutant.name} (${work})`);
    }
  }, { isNeeded });
  const wrong = asked.filter((mutant) => found.has(mutant) === (mutant.harmless !== undefined));
  for (const mutant of wrong) {
    const what = mutant.harmless === undefined ? "NOT FOUND" : "NOT HARMLESS";
    console.log(`${what}: ${mutant.name}: ${found.get(mutant) ?? ""}`);
  }
  const harmless = asked.filter((mutant) => mutant.harmless !== undefined).length;
  console.log(
    `\n${found.size} mutants found of ${asked.length - harmless}; ${harmless} are harmless`,
  );
  return wrong.length;
}

async function replayFile(file: string): Promise<number> {
  const counterexample = JSON.parse(
    Deno.readTextFileSync(file),
    (_, value) => value === "Infinity" ? Infinity : value,
  );
  const { failure, trace } = await rerun(counterexample);
  console.log(trace);
  const isSame = failure === counterexample.what;
  console.log(`\n${isSame ? "The same failure" : "ANOTHER OUTCOME"}: ${failure ?? "none"}`);
  return isSame ? 0 : 1;
}

async function main(args: string[]): Promise<number> {
  let options: Options;
  try {
    options = parse(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (options.mode === "replay") return await replayFile(options.replay!);
  const all = await catalogue({ lib: options.lib });
  if (options.mode === "mutants") return await searchMutants(all, options) === 0 ? 0 : 1;
  const entries = all.filter(({ name, isLong }) =>
    isAskedFor(name, options) && (options.extent === "long" || options.names.length > 0 || !isLong)
  );
  if (entries.length === 0) {
    console.error(`There is no scenario ${options.names}. --list says which there are.`);
    return 2;
  }
  if (options.mode === "list") {
    for (const { name, about } of entries) console.log(`${name.padEnd(28)} ${about}`);
    return 0;
  }
  return await search(entries, options) === 0 ? 0 : 1;
}

if (import.meta.main) {
  const code = await main(Deno.args);
  await endLinker();
  Deno.exit(code);
}
