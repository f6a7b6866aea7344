/**
 * `deno task bench:scale`: how the figures grow with the number of processes, of waiting items, of queues, and with
 * the size of an item; and what each of them takes of memory. The curves go to bench/scale.json.
 *
 *   --rounds N    rounds of each point, of which the median counts (5)
 *   --only NAME   only the curves whose name contains NAME; the others stay in the file
 *   --quick       a tenth of the items, and no point that takes long
 */
import { parseArgs } from "node:util";
import { Process, Queue } from "../mod.ts";
import { median } from "./harness.ts";
import { close, startAll } from "./processes.ts";
import { flow } from "./queue_bench.ts";
import { rest, SCALE_TARGETS, sendArrays, type Transport, weighArrays } from "./scale_targets.ts";

/** A line of a chart: figures by x. */
export interface Curve {
  /** The name that `--only` matches. */
  name: string;
  /** What is counted along x, and its unit. */
  x: string;
  y: string;
  unit: string;
  points: [x: number, y: number][];
}

/** The content of the JSON file. */
export interface ScaleReport {
  date: string;
  quick: boolean;
  rounds: number;
  deno: string;
  curves: Curve[];
}

const FILE = new URL("./scale.json", import.meta.url);
const MB = 2 ** 20, KIB = 2 ** 10;
/** Integers through the queue at each number of processes. */
const FLOW_ITEMS = 400_000, FLOW_WARM_UP = 4_000;
const PROCESSES = [1, 2, 4, 16, 64];
const WAITING = [10, 1_000, 100_000, 1_000_000, 10_000_000];
const QUEUES = [1, 10, 100, 1_000, 10_000];
const BYTES = [8, 64, KIB, 8 * KIB, 64 * KIB, MB, 10 * MB, 100 * MB];
/** How many bytes are sent at each size, and at most how many arrays. */
const SENT_BYTES = 200 * MB, MOST_ARRAYS = 2_000;
/** Puts and gets that are timed at each backlog, and at each number of queues. */
const TURNS = 100_000;
const BATCH = 10_000;

type Face = "async" | "sync";

/** One curve, as a function of a point. */
interface Plan extends Omit<Curve, "points"> {
  xs: number[];
  /** The figure of one round. */
  round(x: number): Promise<number>;
  /** Whether each figure comes from a program of its own, because it is memory, and freed memory is used again. */
  isFresh?: boolean;
}

function rssMb(): number {
  return Deno.memoryUsage().rss / MB;
}

function plans(scale: number): Plan[] {
  const processes = (face: Face): Plan => ({
    name: `processes/${face}`,
    x: "processes on one queue, half of which put and half get",
    y: face === "async" ? "integers, await" : "integers, blocking",
    unit: "items/s",
    xs: PROCESSES,
    round: (count) => flowOf(face, count, scale),
  });
  return [
    processes("async"),
    processes("sync"),
    {
      name: "waiting/time",
      x: "integers waiting in the queue",
      y: "put and get of one",
      unit: "ns",
      xs: WAITING,
      round: async (waiting) => (await backlog(Math.ceil(waiting * scale))).ns,
    },
    {
      name: "waiting/memory",
      isFresh: true,
      x: "integers waiting in the queue",
      y: "memory of one",
      unit: "bytes",
      xs: WAITING.filter((waiting) => waiting >= 100_000),
      round: async (waiting) => (await backlog(Math.ceil(waiting * scale))).bytes,
    },
    {
      name: "queues/time",
      x: "queues, used in turn",
      y: "put and get of one integer",
      unit: "ns",
      xs: QUEUES,
      round: (count) => Promise.resolve(queues(count).ns),
    },
    {
      name: "queues/memory",
      isFresh: true,
      x: "queues, each with one integer",
      y: "memory of one",
      unit: "kB",
      xs: QUEUES.filter((count) => count >= 100),
      round: (count) => Promise.resolve(queues(count).kb),
    },
    {
      name: "bytes/time",
      x: "bytes of an array",
      y: "through a queue to another process",
      unit: "µs",
      xs: BYTES,
      round: (length) => transport(length, scale),
    },
    {
      name: "bytes/copy",
      x: "bytes of an array",
      y: "copied once, in one thread, into memory at hand",
      unit: "µs",
      xs: BYTES,
      round: (length) => Promise.resolve(copy(length)),
    },
    {
      name: "processes/memory",
      isFresh: true,
      x: "processes that wait",
      y: "memory of one",
      unit: "MB",
      xs: [1, 4, 16, 64],
      round: memoryOfProcesses,
    },
  ];
}

/** Integers a second through one queue. A single process puts and gets by turns. */
async function flowOf(face: Face, processes: number, scale: number): Promise<number> {
  const items = Math.ceil(FLOW_ITEMS * scale);
  if (processes === 1) {
    using queue = new Queue<number>();
    const start = performance.now();
    for (let index = 0; index < items; index++) {
      if (face === "sync") {
        queue.putSync(index);
        queue.getSync();
      } else {
        await queue.put(index);
        await queue.get();
      }
    }
    return items / (performance.now() - start) * 1000;
  }
  const ends = processes / 2, count = Math.ceil(items / ends);
  const share = { payload: "integers" as const, warmUp: Math.ceil(FLOW_WARM_UP / ends), count };
  const { ms } = await flow(face, ends, share, AbortSignal.timeout(60_000));
  return count * ends / ms * 1000;
}

/** What a put and a get take, and the memory of an item, while so many wait. */
async function backlog(waiting: number): Promise<{ ns: number; bytes: number }> {
  using queue = new Queue<number>();
  const before = rssMb();
  const batch = Array.from({ length: Math.min(waiting, BATCH) }, (_, index) => index);
  for (let put = 0; put < waiting; put += batch.length) {
    await queue.putMany(batch.slice(0, waiting - put));
  }
  const bytes = (rssMb() - before) * MB / waiting;
  const start = performance.now();
  for (let turn = 0; turn < TURNS; turn++) {
    queue.putNowait(turn);
    queue.getNowait();
  }
  const ns = (performance.now() - start) / TURNS * 1e6;
  if (queue.qsize() !== waiting) throw new Error(`${queue.qsize()} items wait, not ${waiting}.`);
  return { ns, bytes };
}

/** What a put and a get take on each of so many queues in turn, and the memory of a queue. */
function queues(count: number): { ns: number; kb: number } {
  const before = rssMb();
  const all = Array.from({ length: count }, () => new Queue<number>());
  try {
    for (const queue of all) queue.putNowait(0);
    const kb = (rssMb() - before) * 1024 / count;
    const rounds = Math.ceil(TURNS / count);
    const start = performance.now();
    for (let round = 0; round < rounds; round++) {
      for (let index = 0; index < count; index++) {
        all[index].putNowait(round);
        all[index].getNowait();
      }
    }
    return { ns: (performance.now() - start) / (rounds * count) * 1e6, kb };
  } finally {
    for (const queue of all) queue.close();
  }
}

/** Microseconds for an array of so many bytes to another process, whose short answer is part of it. */
async function transport(length: number, scale: number): Promise<number> {
  await using cleanUp = new AsyncDisposableStack();
  const both: Transport = {
    arrays: cleanUp.adopt(new Queue<Uint8Array<ArrayBuffer> | null>(), close),
    lengths: cleanUp.adopt(new Queue<number>(), close),
  };
  const count = Math.ceil(Math.min(MOST_ARRAYS, Math.max(3, SENT_BYTES / length)) * scale);
  const other = cleanUp.use(
    new Process({ target: weighArrays, args: [both], module: SCALE_TARGETS }),
  );
  const sender = cleanUp.use(
    new Process({ target: sendArrays, args: [both, length, count], module: SCALE_TARGETS }),
  );
  const { ended } = startAll([other, sender], AbortSignal.timeout(60_000));
  const ms = await sender.result();
  await both.arrays.put(null);
  await ended;
  return ms * 1000;
}

function copy(length: number): number {
  const from = new Uint8Array(length).fill(7), to = new Uint8Array(length).fill(1);
  const count = Math.ceil(Math.min(MOST_ARRAYS * 10, Math.max(3, SENT_BYTES / length)));
  const start = performance.now();
  for (let index = 0; index < count; index++) to.set(from);
  return (performance.now() - start) / count * 1000;
}

/** The memory of a process that waits, in MB. */
async function memoryOfProcesses(count: number): Promise<number> {
  await using cleanUp = new AsyncDisposableStack();
  const end = cleanUp.adopt(new Queue<null>(), close);
  const ready = cleanUp.adopt(new Queue<null>(), close);
  const before = rssMb();
  const processes = Array.from({ length: count }, () =>
    cleanUp.use(
      new Process({ target: rest, args: [end, ready], module: SCALE_TARGETS, warm: false }),
    ));
  const { alarm, ended } = startAll(processes, AbortSignal.timeout(60_000));
  for (const _ of processes) await ready.get({ signal: alarm });
  const mb = (rssMb() - before) / count;
  for (const _ of processes) await end.put(null);
  await ended;
  return mb;
}

/** As round(), in a program of its own. */
async function roundElsewhere(name: string, x: number): Promise<number> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", import.meta.url, "--only", name, "--point", `${x}`],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${name} at ${x} couldn't be measured.`);
  return Number(new TextDecoder().decode(stdout));
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      point: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      rounds: { type: "string", default: "5" },
    },
  });
  const rounds = Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(`--rounds is ${options.rounds}. Give a whole number from 1.`);
  }
  const all = plans(options.quick ? 0.1 : 1);
  const chosen = all.filter(({ name }) => name.includes(options.only));
  if (chosen.length === 0) {
    throw new RangeError(
      `No curve's name contains "${options.only}". There are: ${
        all.map(({ name }) => name).join(", ")
      }.`,
    );
  }
  if (options.point !== undefined) {
    console.log(await chosen[0].round(Number(options.point)));
    return;
  }
  const curves = new Map<string, Curve>();
  if (options.only !== "") {
    const { curves: known }: ScaleReport = JSON.parse(await Deno.readTextFile(FILE));
    for (const curve of known) curves.set(curve.name, curve);
  }
  for (const { xs, round, isFresh, ...about } of chosen) {
    const points: Curve["points"] = [];
    for (const x of xs) {
      const figures: number[] = [];
      for (let index = 0; index < rounds; index++) {
        figures.push(await (isFresh ? roundElsewhere(about.name, x) : round(x)));
      }
      points.push([x, Number(median(figures).toPrecision(4))]);
      console.log(`${about.name} at ${x}: ${points.at(-1)![1]} ${about.unit}`);
    }
    curves.set(about.name, { ...about, points });
  }
  const report: ScaleReport = {
    date: new Date().toISOString(),
    quick: options.quick,
    rounds,
    deno: Deno.version.deno,
    curves: all.flatMap(({ name }) => curves.get(name) ?? []),
  };
  await Deno.writeTextFile(FILE, JSON.stringify(report, null, 2) + "\n");
}

if (import.meta.main) await main();
