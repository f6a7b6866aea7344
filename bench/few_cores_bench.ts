/**
 * `deno task bench:cores`: one message at a time there and back, beside Python's, where cores are scarce: two free
 * cores, one of them busy, both busy, and only one.
 *
 * Each side is a program that `taskset` keeps to the cores, and a busy core is one on which a loop without an end
 * runs beside it. Linux only; the figures go to bench/few_cores.json.
 *
 *   --rounds N       rounds of each measurement (5)
 *   --only NAME      only the measurements whose name contains NAME; nothing is written
 *   --quick          a tenth of the messages: a first impression, no figure to quote; nothing is written
 *   --beside FOLDER  another checkout of this package, measured in the same rounds; nothing is written
 */
import { cpus } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measure, type Measurement, type MeasurementResult, type Side, table } from "./harness.ts";
import { Child, keptTo, outputOf } from "./peers/child.ts";
import { PythonPeer } from "./peers/python.ts";
import type { TalkRequest } from "./peers/talks.ts";

const FILE = fileURLToPath(new URL("./few_cores.json", import.meta.url));
const HERE = fileURLToPath(new URL("..", import.meta.url));

/** The cores that the sides have, and those on which a loop runs. */
const STATES = {
  "two cores free": { cores: [0, 1], busy: [] },
  "one of two busy": { cores: [0, 1], busy: [0] },
  "two of two busy": { cores: [0, 1], busy: [0, 1] },
  "one core": { cores: [0], busy: [] },
} as const;
type State = keyof typeof STATES;

const TRANSPORTS = { pipe: "multiprocessing.Pipe", queue: "multiprocessing.Queue" } as const;
type Transport = keyof typeof TRANSPORTS;

const WARM_UP = 1_000, COUNT = 5_000;
const TARGET = { atMost: 1 };

const nameOf = (transport: Transport, state: State) => `${transport}/${state}`;

/** A loop without an end on each of the cores. */
function keepBusy(cores: readonly number[]): AsyncDisposable {
  const loops = cores.map((core) => {
    const [command, ...args] = [...keptTo([core]), "sh", "-c", "while :; do :; done"];
    return new Deno.Command(command, { args, stdin: "null" }).spawn();
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const loop of loops) loop.kill();
      for (const loop of loops) await loop.status;
    },
  };
}

/** Measures what is wanted in one state. */
async function measureIn(
  state: State,
  transports: Transport[],
  checkouts: [name: string, folder: string][],
  { rounds, scale }: { rounds: number; scale: number },
): Promise<MeasurementResult[]> {
  const { cores, busy } = STATES[state];
  const under = keptTo(cores);
  const share = { warmUp: WARM_UP, count: Math.ceil(COUNT * scale) };
  await using pipes = await PythonPeer.start("pipe_peer.py", under);
  await using queues = await PythonPeer.start("queue_peer.py", under);
  await using cleanUp = new AsyncDisposableStack();
  const programs = checkouts.map(([name, folder]) => {
    const [command, ...args] = [...under, Deno.execPath(), "run", "-A", "bench/peers/talks.ts"];
    args[args.length - 1] = resolve(folder, args[args.length - 1]);
    return [name, cleanUp.use(new Child<TalkRequest>(command, args))] as const;
  });
  cleanUp.use(keepBusy(busy));

  const results: MeasurementResult[] = [];
  for (const transport of transports) {
    const python = TRANSPORTS[transport];
    const sides: Side[] = (["async", "sync"] as const).flatMap((face) =>
      programs.map(([name, program]) => ({
        name: `${transport}, ${face}${name}`,
        against: python,
        target: TARGET,
        round: async (signal: AbortSignal) =>
          (await program.ask({ transport, face, ...share }, signal)).ms * 1000,
      }))
    );
    if (pipes !== null && queues !== null) {
      const request = { measure: "talk", payload: "integers", ...share } as const;
      sides.push({
        name: python,
        round: async (signal) => {
          const { ms } = transport === "pipe"
            ? await pipes.ask(request, signal)
            : await queues.ask({ ...request, waiting: 1 }, signal);
          return ms * 1000;
        },
      });
    }
    const measurement: Measurement = { name: nameOf(transport, state), unit: "µs", sides };
    results.push(await measure(measurement, rounds));
  }
  return results;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      only: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      beside: { type: "string" },
    },
  });
  const checkouts: [string, string][] = [["", HERE]];
  if (options.beside !== undefined) checkouts.push([" (beside)", options.beside]);
  const plan = { rounds: Number(options.rounds), scale: options.quick ? 0.1 : 1 };
  const measurements: MeasurementResult[] = [];
  for (const state of Object.keys(STATES) as State[]) {
    const wanted = (Object.keys(TRANSPORTS) as Transport[]).filter((transport) =>
      nameOf(transport, state).includes(options.only)
    );
    if (wanted.length > 0) measurements.push(...await measureIn(state, wanted, checkouts, plan));
  }
  console.log(table(measurements));
  if (options.only !== "" || options.quick || options.beside !== undefined) return;
  const [processor] = cpus();
  const report = {
    date: new Date().toISOString(),
    rounds: plan.rounds,
    deno: Deno.version.deno,
    python: await outputOf("python3", ["--version"]),
    cpu: { model: processor?.model ?? "unknown", cores: cpus().length, arch: Deno.build.arch },
    measurements,
  };
  await Deno.writeTextFile(FILE, JSON.stringify(report, null, 2) + "\n");
}

if (import.meta.main) await main();
