/**
 * What a pool's tasks cost, beside Python's multiprocessing.Pool and ProcessPoolExecutor, and the pools of npm.
 *
 * All pools have two workers, unless a measurement says otherwise. A pool is made and warmed up before
 * the clock runs, and kept from round to round, on every side.
 */
import { fileURLToPath } from "node:url";
import { Pool, type PoolOptions } from "../mod.ts";
import type { Measurement, Side, Target } from "./harness.ts";
import type { NodePeer } from "./peers/node.ts";
import type { PythonPeer } from "./peers/python.ts";
import type { Flow, PoolName, PoolRequest } from "./pool_peers.ts";
import { compute, crash, echo, hang, nothing, pass, square, steps } from "./pool_targets.ts";

/** The programs that measure the peers; null for those that this machine doesn't have. */
interface Peers {
  python: PythonPeer<PoolRequest> | null;
  node: NodePeer<PoolRequest> | null;
}

const WORKERS = 2;
const PYTHON = "multiprocessing.Pool", EXECUTOR = "ProcessPoolExecutor";
const PISCINA = "piscina", OF_NPM = ["piscina", "tinypool", "workerpool"] as const;
const AWAITING = "Pool, await", BLOCKING = "Pool, blocking";

const MIB = 2 ** 20;

const IN_FLIGHT = 64, FEW_IN_FLIGHT = 4;

/** An object of a kibibyte of JSON. */
const OBJECT = {
  id: 1234567,
  name: "a name of some length",
  tags: Array.from({ length: 24 }, (_, index) => `tag number ${index}`),
  places: Array.from({ length: 20 }, (_, index) => ({ x: index, y: index / 2, isFar: false })),
};

/** The measurements of this file; `scale` multiplies the number of calls. */
export function poolMeasurements(peers: Peers, scale: number): Measurement[] {
  const count = (calls: number) => Math.ceil(calls * scale);
  return [
    {
      name: "pool-empty-tasks/64-in-flight",
      unit: "items/s",
      sides: [
        {
          ...flowOf(() => pool().apply(nothing), IN_FLIGHT, count(30_000)),
          ...{ against: PYTHON, target: { atLeast: 5 } },
          also: { against: PISCINA, target: { atLeast: 8 } },
        },
        ...flowsOf(peers, [PYTHON, EXECUTOR, ...OF_NPM], {
          ...{ task: "nothing", inFlight: IN_FLIGHT, warmUp: 1000, count: count(10_000) },
        }),
      ],
    },
    {
      name: "pool-objects/1-KiB",
      unit: "items/s",
      sides: [
        {
          ...flowOf(() => pool().apply(echo, [OBJECT]), IN_FLIGHT, count(15_000)),
          ...{ against: PYTHON, target: { atLeast: 3 } },
          also: { against: PISCINA, target: { atLeast: 4 } },
        },
        ...flowsOf(peers, [PYTHON, EXECUTOR, ...OF_NPM], {
          ...{ task: "object", value: OBJECT, inFlight: IN_FLIGHT, warmUp: 1000 },
          count: count(5000),
        }),
      ],
    },
    {
      name: "pool-bytes/1-MiB-copied",
      unit: "items/s",
      sides: [
        {
          ...flowOf(() => pool().apply(echo, [bytes]), FEW_IN_FLIGHT, count(500)),
          ...{ against: PYTHON, target: { atLeast: 1.5 } },
          also: { against: OF_NPM, target: { atLeast: 1 } },
        },
        ...flowsOf(peers, [PYTHON, EXECUTOR, ...OF_NPM], {
          ...{ task: "copied", inFlight: FEW_IN_FLIGHT, warmUp: 20, count: count(200) },
        }),
      ],
    },
    {
      name: "pool-bytes/1-MiB-moved",
      unit: "items/s",
      sides: [
        {
          ...flowOf(
            () => {
              const bytes = new Uint8Array(MIB);
              return pool().apply(pass, [bytes], { transfer: [bytes.buffer] });
            },
            FEW_IN_FLIGHT,
            count(2000),
          ),
          ...{ against: OF_NPM, target: { atLeast: 1 } },
        },
        ...flowsOf(peers, OF_NPM, {
          ...{ task: "moved", inFlight: FEW_IN_FLIGHT, warmUp: 20, count: count(500) },
        }),
      ],
    },
    mapMeasurement(peers, count(100_000)),
    mixedMeasurement(count(100)),
    latencyMeasurement(peers, count(3000)),
    firstMeasurement(peers),
    scalingMeasurement(count(30)),
    crashMeasurement(),
    {
      name: "pool-time-limit/after-the-limit",
      unit: "ms",
      sides: [{ name: "Pool, while (true)", target: { below: 10 }, round: afterLimit }],
    },
    sandboxMeasurement(),
    onTopMeasurement(count(100_000)),
    {
      name: "pool-imap/heap-over-10-million",
      unit: "MB",
      sides: [{
        name: "Pool, imap, a slow consumer",
        target: { below: 20 },
        // Once, because it takes long and hardly differs.
        round: (signal) => growth ??= heapGrowth(count(10_000_000), signal),
      }],
    },
  ];
}

const bytes = new Uint8Array(MIB);

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

// This library's pools

const pools = new Map<string, Pool>();

/** A pool that is made at its first use and kept. An idle pool doesn't keep the program alive. */
function pool(options: PoolOptions = {}): Pool {
  const key = JSON.stringify(options);
  let kept = pools.get(key);
  if (kept === undefined) pools.set(key, kept = new Pool({ processes: WORKERS, ...options }));
  return kept;
}

/** Makes calls, so many of them in flight. */
async function flow(call: () => Promise<unknown>, inFlight: number, count: number): Promise<void> {
  let left = count;
  const line = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: inFlight }, line));
}

/** Calls a second. */
function flowOf(call: () => Promise<unknown>, inFlight: number, count: number): Side {
  return {
    name: AWAITING,
    round: async () => {
      await flow(call, inFlight, Math.ceil(count / 4));
      const start = performance.now();
      await flow(call, inFlight, count);
      return count / (performance.now() - start) * 1000;
    },
  };
}

/** Milliseconds, after one untimed run. */
function timeOf(run: () => Promise<unknown>): Side["round"] {
  return async () => {
    await run();
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
}

// The peers' pools

/** The program that has a pool; null if this machine doesn't have it. */
function peerOf({ python, node }: Peers, name: PoolName) {
  return name === PYTHON || name === EXECUTOR ? python : node;
}

/** The sides of peers; empty for those that this machine doesn't have. */
function sidesOf(
  peers: Peers,
  names: readonly PoolName[],
  ask: (pool: PoolName) => PoolRequest,
  figure: (ms: number) => number = (ms) => ms,
): Side[] {
  return names.flatMap((name) => {
    const peer = peerOf(peers, name);
    if (peer === null) return [];
    return [{
      name,
      ...(name === PYTHON ? {} : { against: PYTHON }),
      round: async (signal: AbortSignal) => figure((await peer.ask(ask(name), signal)).ms),
    }];
  });
}

/** Calls a second. */
function flowsOf(peers: Peers, names: readonly PoolName[], flow: Flow): Side[] {
  return sidesOf(
    peers,
    names,
    (pool) => ({ measure: "calls", pool, workers: WORKERS, ...flow }),
    (ms) => flow.count / ms * 1000,
  );
}

// Measurements

/** Many tiny items, with the defaults of every side; the pools of npm have calls only. */
function mapMeasurement(peers: Peers, count: number): Measurement {
  const each = (ms: number) => count / ms * 1000;
  const items = numbers(count);
  const round = timeOf(() => pool().map(square, items));
  const blocking = timeOf(async () => await pool().mapSync(square, items));
  const targets = {
    ...{ against: PYTHON, target: { atLeast: 1 } },
    also: { against: PISCINA, target: { atLeast: 50 } },
  };
  return {
    name: "pool-map/100,000-tiny-items",
    unit: "items/s",
    sides: [
      { name: AWAITING, ...targets, round: async (signal) => each(await round(signal)) },
      {
        ...{ name: BLOCKING, against: PYTHON },
        round: async (signal) => each(await blocking(signal)),
      },
      ...sidesOf(peers, [PYTHON, EXECUTOR, ...OF_NPM], (pool) => ({
        ...{ measure: "map", pool, workers: WORKERS, count: ofMap(pool, count) },
      })).map(({ round, ...side }): Side => ({
        ...side,
        round: async (signal) => {
          return ofMap(side.name as PoolName, count) / await round(signal) * 1000;
        },
      })),
    ],
  };
}

/** Sides that send each item by itself get fewer. */
function ofMap(pool: PoolName, count: number): number {
  return pool === PYTHON ? count : Math.ceil(count / 10);
}

/** Items of 0 to 20 ms: the size of chunks that the pool finds, and sizes chosen by hand. */
function mixedMeasurement(count: number): Measurement {
  const items = numbers(count).map((n) => n * 7919 % 201 / 10);
  const side = (chunkSize: number | "auto"): Side => ({
    name: `Pool, chunkSize ${chunkSize}`,
    round: async () => {
      const start = performance.now();
      await pool().map(compute, items, { chunkSize });
      return performance.now() - start;
    },
  });
  const byHand = [1, 2, 4, 8, 16].map(side);
  return {
    name: "pool-map/items-of-0-to-20-ms",
    unit: "ms",
    sides: [
      {
        ...side("auto"),
        ...{ against: byHand.map(({ name }) => name), target: { atMost: 1.05 } },
      },
      ...byHand,
    ],
  };
}

/** The same items by one worker and by two; and by bare threads, which is what the machine gives. */
function scalingMeasurement(count: number): Measurement {
  const items = numbers(count), halves = [items.slice(0, count / 2), items.slice(count / 2)];
  const one = { pool: "Pool, one worker", bare: "one bare Worker" };
  return {
    name: "pool-map/one-worker-to-two",
    unit: "ms",
    sides: [
      { name: one.pool, round: timeOf(() => pool({ processes: 1 }).map(steps, items)) },
      {
        ...{ name: "Pool, two workers", against: one.pool, target: { atMost: 1 / 1.85 } },
        round: timeOf(() => pool().map(steps, items)),
      },
      { name: one.bare, round: timeOf(() => runBare(0, items)) },
      {
        ...{ name: "two bare Workers", against: one.bare },
        round: timeOf(() => Promise.all(halves.map((half, i) => runBare(i, half)))),
      },
    ],
  };
}

const bareWorkers: Worker[] = [];

/** Lets a bare web Worker run steps() for these items. */
async function runBare(index: number, items: readonly number[]): Promise<void> {
  const url = new URL("./pool_bare_worker.ts", import.meta.url);
  const worker = bareWorkers[index] ??= new Worker(url, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.onmessage = () => resolve();
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(items);
  await promise;
}

/** One task after the other. */
function latencyMeasurement(peers: Peers, count: number): Measurement {
  const targets = {
    ...{ against: PYTHON, target: { atMost: 0.3 } },
    also: { against: PISCINA, target: { atMost: 1 } },
  };
  const call = { task: "nothing", inFlight: 1, warmUp: 500, count: Math.ceil(count / 2) } as const;
  const microseconds = (ms: number) => ms / call.count * 1000;
  return {
    name: "pool-latency/one-task",
    unit: "µs",
    sides: [
      {
        ...{ name: AWAITING, ...targets },
        round: async () => {
          await flow(() => pool().apply(nothing), 1, count / 4);
          const start = performance.now();
          for (let call = 0; call < count; call++) await pool().apply(nothing);
          return (performance.now() - start) / count * 1000;
        },
      },
      {
        ...{ name: BLOCKING, ...targets },
        // deno-lint-ignore require-await
        round: async () => {
          for (let call = 0; call < count / 4; call++) pool().applySync(nothing);
          const start = performance.now();
          for (let call = 0; call < count; call++) pool().applySync(nothing);
          return (performance.now() - start) / count * 1000;
        },
      },
      ...sidesOf(peers, [PYTHON, EXECUTOR, ...OF_NPM], (pool) => {
        return { measure: "calls", pool, workers: WORKERS, ...call };
      }, microseconds),
    ],
  };
}

async function madeToFirst(options: PoolOptions): Promise<number> {
  const start = performance.now();
  await using pool = new Pool(options);
  await pool.apply(nothing);
  return performance.now() - start;
}

/** From the making of a pool to its first result; Python's pools spawn their workers, as fork is unsafe here. */
function firstMeasurement(peers: Peers): Measurement {
  return {
    name: "pool-start/made-to-first-result",
    unit: "ms",
    sides: [
      {
        ...{ name: AWAITING, against: PYTHON, target: { atMost: 0.5 } },
        also: { against: PISCINA, target: { atMost: 1.5 } },
        round: () => madeToFirst({ processes: WORKERS }),
      },
      ...sidesOf(peers, [PYTHON, EXECUTOR, ...OF_NPM], (pool) => {
        return { measure: "first", pool, workers: WORKERS };
      }),
    ],
  };
}

/** From the crash of the only worker to the result of a task that waits. */
function crashMeasurement(): Measurement {
  const side = (name: string, spares: number, target: Partial<Side>): Side => ({
    ...{ name, ...target },
    round: async () => {
      const one = pool({ processes: 1, spares });
      await loaded(one, 1 + spares);
      await rest();
      const at = new SharedArrayBuffer(8);
      const crashed = one.apply(crash, [at]).catch(() => {});
      await one.apply(nothing);
      const end = performance.timeOrigin + performance.now();
      await crashed;
      return end - new Float64Array(at)[0];
    },
  });
  const start = "Pool, the start of one worker";
  return {
    name: "pool-crash/to-full-capacity",
    unit: "ms",
    sides: [
      side("Pool, no spare", 0, { against: start, target: { atMost: 1.3 } }),
      side("Pool, one spare", 1, { target: { below: 5 } }),
      {
        name: start,
        round: async () => {
          await rest();
          return await madeToFirst({ processes: 1 });
        },
      },
    ],
  };
}

/** So long that threads that were made ahead, in idle time, have loaded: no side meets the making of one. */
function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500));
}

/** Waits until so many workers have loaded. */
async function loaded(pool: Pool, count: number): Promise<void> {
  while (pool.workers.filter(({ state }) => state === "ready").length < count) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** From the time limit of a task that never ends to the rejection of its promise. */
async function afterLimit(): Promise<number> {
  const timeLimit = 50;
  const one = pool({ processes: 1, spares: 1, name: "limited" });
  await loaded(one, 2);
  await one.apply(nothing);
  const start = performance.now();
  try {
    await one.apply(hang, [], { timeLimit });
  } catch {
    return performance.now() - start - timeLimit;
  }
  throw new Error("The task that never ends has returned.");
}

/** A task in a fresh sandbox, while spares have loaded, and the start of such a sandbox. */
function sandboxMeasurement(): Measurement {
  const sandbox = { processes: 1, permissions: "none", maxTasksPerChild: 1 } as const;
  const start = "Pool, the start of a sandbox";
  return {
    name: "pool-sandbox/fresh-for-each-task",
    unit: "ms",
    sides: [
      {
        ...{ name: "Pool, spares 2", against: start, target: { atMost: 0.05 } },
        round: async () => {
          const spared = pool({ ...sandbox, spares: 2 });
          await loaded(spared, 3);
          const start = performance.now();
          await spared.apply(nothing);
          return performance.now() - start;
        },
      },
      { name: start, round: () => madeToFirst({ ...sandbox, spares: 0 }) },
    ],
  };
}

/** What statistics, progress and a limit cost on top of many tiny items. */
function onTopMeasurement(count: number): Measurement {
  const plain = "Pool, map";
  const target: Target = { atMost: 1.05 };
  const items = numbers(5 * count);
  const side = (name: string, run: () => Promise<unknown>): Side => ({
    ...{ name, round: timeOf(run) },
    ...(name === plain ? {} : { against: plain, target }),
  });
  return {
    name: "pool-map/on-top",
    unit: "ms",
    sides: [
      side(plain, () => pool().map(square, items)),
      side("with onProgress", () => pool().map(square, items, { onProgress: () => {} })),
      side("with timeLimit", () => pool().map(square, items, { timeLimit: 10_000 })),
      side("with statistics() each 10 ms", async () => {
        const timer = setInterval(() => pool().statistics(), 10);
        await pool().map(square, items);
        clearInterval(timer);
      }),
    ],
  };
}

let growth: Promise<number> | undefined;

async function heapGrowth(count: number, signal: AbortSignal): Promise<number> {
  const program = fileURLToPath(new URL("./pool_memory.ts", import.meta.url));
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--v8-flags=--expose-gc", program, `${count}`],
    stderr: "inherit",
    signal,
  }).output();
  if (!success) throw new Error("bench/pool_memory.ts has failed.");
  return Number(new TextDecoder().decode(stdout));
}
