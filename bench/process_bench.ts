/**
 * The time to start an empty process and wait for its end, one after another: from main with the
 * same permissions, with others, with limits, and from processes inside of processes; without a pause
 * between them, and with pauses, in which the next thread is made.
 */
import { Pool, Process, sleep } from "../mod.ts";
import type { Measurement, Side } from "./harness.ts";
import { here, nestedStarts, startAndJoin, type Way } from "./nothing.ts";
import type { PythonPeer, QueueRequest } from "./peers/python.ts";

const PYTHON = "multiprocessing, spawn";
const FORKSERVER = "multiprocessing, forkserver";
const STARTS = 20;
/** Untimed starts: the first process also starts helpers that later ones use, such as Python's tracker. */
const WARM_UP = 2;
/** The number of timed starts that take half a second each. */
const SLOW_STARTS = 3;
const DEPTHS = [1, 2, 5];
/** The pause in which the next thread is made, and in which the next sandbox is, in ms. */
const PAUSE_MS = 150, SANDBOX_PAUSE_MS = 1500;
/** The number of timed starts with pauses. */
const PAUSED_STARTS = 10;

/** The process measurements; `scale` multiplies the number of timed starts. */
export function processMeasurements(
  python: PythonPeer<QueueRequest> | null,
  scale: number,
): Measurement[] {
  const count = Math.ceil(STARTS * scale);
  const peer: Side[] = python === null ? [] : [{
    name: PYTHON,
    round: async (signal) =>
      (await python.ask({ measure: "spawn", warmUp: WARM_UP, count }, signal)).ms,
  }];
  /** Starts from main. */
  const starts = (way: Way, starts: number) => async (signal: AbortSignal) => {
    for (let start = 0; start < WARM_UP; start++) await startAndJoin(way, signal);
    const begin = performance.now();
    for (let start = 0; start < starts; start++) await startAndJoin(way, signal);
    return (performance.now() - begin) / starts;
  };
  const free: Side[] = (["reference", "source"] as const).map((by) => ({
    name: `Process, by ${by}`,
    against: PYTHON,
    target: { atMost: 0.7 },
    round: starts({ by }, count),
  }));
  const sandboxed: Side[] = (["reference", "source"] as const).map((by) => ({
    name: `permissions: "none", by ${by}`,
    against: PYTHON,
    round: starts({ by, permissions: "none" }, count),
  }));
  const limited: Side[] = [
    {
      name: "memoryLimitMb",
      against: PYTHON,
      round: starts({ by: "source", memoryLimitMb: 100 }, count),
    },
    {
      name: 'permissions: "none" and timeLimit',
      against: PYTHON,
      round: starts({ by: "source", permissions: "none", timeLimit: 60_000 }, SLOW_STARTS),
    },
  ];
  /** Starts from main with a pause after each, which doesn't count. */
  const paused = (way: Way, isWhole: boolean) => async (signal: AbortSignal) => {
    let total = 0;
    for (let start = -WARM_UP; start < PAUSED_STARTS; start++) {
      const begin = performance.now();
      let called = begin;
      await startAndJoin(way, signal, () => called = performance.now());
      if (start >= 0) total += (isWhole ? performance.now() : called) - begin;
      await sleep(PAUSE_MS);
    }
    return total / PAUSED_STARTS;
  };
  const pausedPeers: Side[] = python === null ? [] : (["fork", "forkserver"] as const).map(
    (method) => ({
      name: `multiprocessing, ${method}`,
      round: async (signal) =>
        (await python.ask({
          measure: "spawn",
          ...{ warmUp: WARM_UP, count: PAUSED_STARTS, method, pause: PAUSE_MS },
        }, signal)).ms,
    }),
  );
  const warm: Side[] = (["source", "reference"] as const).flatMap((by): Side[] => [
    {
      name: `by ${by}, warm`,
      against: FORKSERVER,
      target: { atMost: 1 },
      round: paused({ by }, true),
    },
    { name: `by ${by}, warm: start() alone`, round: paused({ by }, false) },
    { name: `by ${by}, cold`, against: FORKSERVER, round: paused({ by, warm: false }, true) },
    { name: `by ${by}, cold: start() alone`, round: paused({ by, warm: false }, false) },
  ]);
  const coldSandbox: Side = {
    name: "process in a sandbox with limits",
    round: starts(
      { by: "source", permissions: "none", timeLimit: 60_000, memoryLimitMb: 64 },
      SLOW_STARTS,
    ),
  };
  const sandboxes: Side[] = [
    coldSandbox,
    {
      name: "task in a sandbox of its own that waits (spares: 2)",
      against: coldSandbox.name,
      target: { atMost: 0.05 },
      round: async (signal) => {
        await using pool = new Pool({
          ...{ processes: 1, spares: 2, maxTasksPerChild: 1, by: "source" },
          ...{ permissions: "none", memoryLimitMb: 64, signal },
        });
        let total = 0;
        for (let task = -1; task < SLOW_STARTS; task++) {
          await sleep(SANDBOX_PAUSE_MS);
          const begin = performance.now();
          await pool.apply(() => 42);
          if (task >= 0) total += performance.now() - begin;
        }
        return total / SLOW_STARTS;
      },
    },
    {
      name: 'isolation: "os"',
      against: coldSandbox.name,
      round: starts({ by: "source", isolation: "os" }, SLOW_STARTS),
    },
  ];
  const main: Side = { name: "from main", against: PYTHON, round: starts({ by: "source" }, count) };
  const nested: Side[] = DEPTHS.map((depth) => ({
    name: `from a process ${depth} deep`,
    against: main.name,
    target: { atMost: 3 },
    also: { against: PYTHON },
    round: async (signal) => {
      const process = new Process({
        target: nestedStarts,
        args: [depth - 1, WARM_UP, count],
        module: here,
        by: "reference",
      });
      process.start();
      return await process.result({ signal });
    },
  }));
  const measurements: [name: string, sides: Side[]][] = [
    ["start-and-join", free],
    ["start-and-join/sandboxed", [...sandboxed, ...limited]],
    ["start-and-join/nested", [main, ...nested]],
  ];
  return [
    ...measurements.map(([name, sides]): Measurement => ({
      name,
      unit: "ms",
      sides: [...sides, ...peer],
    })),
    { name: "start-and-join/with pauses", unit: "ms", sides: [...warm, ...pausedPeers] },
    { name: "start-and-join/sandboxes that wait", unit: "ms", sides: sandboxes },
  ];
}
