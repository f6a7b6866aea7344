/**
 * The time to start an empty process and wait for its end, one after another: from main with the
 * same permissions, with others, with limits, and from processes inside of processes. The kinds of
 * processes, cold and warm, are in starts_bench.ts.
 */
import { Process } from "../mod.ts";
import type { Measurement, Side } from "./harness.ts";
import { here, nestedStarts, startAndJoin, type Way } from "./nothing.ts";
import type { PythonPeer, QueueRequest } from "./peers/python.ts";

const PYTHON = "multiprocessing, spawn";
const STARTS = 20;
/** Untimed starts: the first process also starts helpers that later ones use, such as Python's tracker. */
const WARM_UP = 2;
/** The number of timed starts that take half a second each. */
const SLOW_STARTS = 3;
const DEPTHS = [1, 2, 5];

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
  return measurements.map(([name, sides]): Measurement => ({
    name,
    unit: "ms",
    sides: [...sides, ...peer],
  }));
}
