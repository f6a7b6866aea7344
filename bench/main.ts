/**
 * `deno task bench`: this library against Python's multiprocessing, and its pool against those of npm, in one run.
 *
 *   --quick       a tenth of the items: a first impression, no figure to quote
 *   --only NAME   only the measurements whose name contains NAME; in the file they replace those of these names
 *   --rounds N    rounds of each measurement (5)
 *   --json FILE   the file for the figures (bench/results.json)
 *
 * A missed target is printed and is no failure; a measurement that can't be made is one.
 */
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { batchMeasurements } from "./batch_bench.ts";
import { measure, type MeasurementResult, table } from "./harness.ts";
import { inspectMeasurements } from "./inspect_bench.ts";
import { INSTALL, NodePeer } from "./peers/node.ts";
import { PythonPeer } from "./peers/python.ts";
import { pipeMeasurements } from "./pipe_bench.ts";
import { poolMeasurements } from "./pool_bench.ts";
import { processMeasurements } from "./process_bench.ts";
import { queueMeasurements } from "./queue_bench.ts";
import { startsMeasurements } from "./starts_bench.ts";
import { syncMeasurements } from "./sync_bench.ts";

/** The content of the JSON file. */
export interface Report {
  /** ISO 8601. */
  date: string;
  quick: boolean;
  rounds: number;
  deno: string;
  v8: string;
  /** The output of `python3 --version`; null without a python3. */
  python: string | null;
  /** The versions of Node and of the packages of npm; null without them. */
  node: string | null;
  cpu: { model: string; cores: number; arch: string; os: string };
  measurements: MeasurementResult[];
}

/** What figures of one file have in common. */
const COMMON = ["quick", "rounds", "deno", "python", "node", "cpu"] as const;

/**
 * The report with what an earlier one has measured besides; the date is that of the earlier one.
 *
 * @throws {Error} if the earlier one was made in another way, or on another machine
 */
function merged(report: Report, earlier: Report): Report {
  for (const key of COMMON) {
    const [then, now] = [earlier[key], report[key]].map((value) => JSON.stringify(value));
    if (then === now || key === "node" && then === undefined) continue;
    throw new Error(
      `The file has figures with ${key} ${then}, and these have ${now}. Give another file (--json), or run ` +
        "the whole benchmark.",
    );
  }
  const old = new Map(earlier.measurements.map((result) => [result.name, result]));
  for (const result of report.measurements) old.set(result.name, result);
  return { ...report, date: earlier.date, measurements: [...old.values()] };
}

/** The report in a file; undefined without one. */
async function reportIn(file: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      rounds: { type: "string", default: "5" },
      json: {
        type: "string",
        default: fileURLToPath(new URL("./results.json", import.meta.url)),
      },
    },
  });
  const rounds = Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(
      `--rounds is ${options.rounds}. Give a whole number from 1.`,
    );
  }

  await using python = await PythonPeer.start("queue_peer.py");
  await using pythonPipes = await PythonPeer.start("pipe_peer.py");
  await using pythonLocks = await PythonPeer.start("sync_peer.py");
  await using pythonPools = await PythonPeer.start("pool_peer.py");
  await using node = await NodePeer.start("pools.mjs");
  await using channels = await NodePeer.start("channels.mjs");
  if (python === null) {
    console.log(
      "There is no python3 here: figures are shown without ratios to Python's.",
    );
  }
  if (node === null) {
    console.log(
      "There is no node here, or the packages of npm are not installed: figures are shown without ratios " +
        `to them. To install them: ${INSTALL}`,
    );
  }
  const scale = options.quick ? 0.1 : 1;
  const all = [
    ...queueMeasurements({ python, channels }, scale),
    ...batchMeasurements(python, scale),
    ...pipeMeasurements(pythonPipes, scale),
    ...syncMeasurements(pythonLocks, scale),
    ...processMeasurements(python, scale),
    ...startsMeasurements(python, scale),
    ...inspectMeasurements(scale),
    ...poolMeasurements({ python: pythonPools, node }, scale),
  ];
  const chosen = all.filter(({ name }) => name.includes(options.only ?? ""));
  if (chosen.length === 0) {
    const names = all.map(({ name }) => name).join(", ");
    throw new RangeError(
      `No measurement's name contains "${options.only}". There are: ${names}.`,
    );
  }

  let failed = false;
  const measurements: MeasurementResult[] = [];
  for (const measurement of chosen) {
    const start = performance.now();
    try {
      measurements.push(await measure(measurement, rounds));
      const seconds = (performance.now() - start) / 1000;
      console.error(
        `${measurement.name}: ${rounds} rounds in ${seconds.toFixed(1)} s`,
      );
    } catch (error) {
      console.error(`${measurement.name}: couldn't be measured.`, error);
      failed = true;
    }
  }

  console.log(table(measurements));
  const processors = cpus();
  const report: Report = {
    date: new Date().toISOString(),
    quick: options.quick,
    rounds,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    python: python?.version ?? null,
    node: node?.version ?? null,
    cpu: {
      model: processors[0]?.model ?? "unknown",
      cores: processors.length,
      arch: Deno.build.arch,
      os: Deno.build.os,
    },
    measurements,
  };
  const earlier = options.only === undefined ? undefined : await reportIn(options.json);
  const content = earlier === undefined ? report : merged(report, earlier);
  await Deno.writeTextFile(options.json, JSON.stringify(content, null, 2) + "\n");
  // Processes that a failed round left running must not keep the program alive.
  if (failed) Deno.exit(1);
}

// The benchmarks' children import targets.ts, never this module; the guard makes sure of it.
if (import.meta.main) await main();
