/**
 * Starts of each kind of process, one after another, beside Python's start methods: cold; warm, which is a process
 * that takes over a spare thread, or that was started ahead and gets its work through a pipe; and how long start()
 * blocks the thread that calls it.
 */
import { Pipe, Pool, Process, sleep } from "../mod.ts";
import type { Measurement, Side } from "./harness.ts";
import { answerOnce, here, startAndJoin, type Way } from "./nothing.ts";
import type { PythonPeer, QueueRequest } from "./peers/python.ts";

/** The kinds of processes, by source. */
const KINDS: Record<string, Way> = {
  "thread": { by: "source" },
  "restricted": { by: "source", permissions: "none", sealed: false },
  "sealed": { by: "source", permissions: "none" },
  "sealed, with limits": {
    ...{ by: "source", permissions: "none", memoryLimitMb: 64, timeLimit: 60_000 },
  },
  'isolation: "os"': { by: "source", isolation: "os" },
};
const LIMITED = "sealed, with limits, cold";
const FORKSERVER = "multiprocessing, forkserver";

/** Untimed starts: the first process also starts helpers that later ones use, such as Python's tracker. */
const WARM_UP = 2;
const STARTS = 10;
/** The starts of kinds that take some tenths of a second each. */
const SLOW_STARTS = 3;
/** The pause in which the next thread is made, and in which the next sandboxes are, in ms. */
const PAUSE_MS = 150, SANDBOX_PAUSE_MS = 1500;
/** How long a process that waits for its work is left alone, in ms. */
const REST_MS = 20;
/** The longest that start() may block its thread, in ms. */
const MOST_BLOCKED_MS = 30;

/** The measurements of starts; `scale` multiplies the number of timed starts. */
export function startsMeasurements(
  python: PythonPeer<QueueRequest> | null,
  scale: number,
): Measurement[] {
  const scaled = (count: number) => Math.ceil(count * scale);
  const countOf = (way: Way) =>
    scaled(way.isolation === undefined && way.memoryLimitMb === undefined ? STARTS : SLOW_STARTS);

  /** Starts with a pause after each, which doesn't count; or only the calls of start(). */
  const starts = (way: Way, pause: number, isWhole = true) => async (signal: AbortSignal) => {
    let total = 0;
    const count = countOf(way);
    for (let start = -WARM_UP; start < count; start++) {
      const begin = performance.now();
      let called = begin;
      await startAndJoin(way, signal, () => called = performance.now());
      if (start >= 0) total += (isWhole ? performance.now() : called) - begin;
      if (pause > 0) await sleep(pause);
    }
    return total / count;
  };
  const cold = (way: Way) => starts({ ...way, warm: false }, 0);

  /** From the work that a process gets, which was started ahead, to its end. */
  const ready = (way: Way) => async (signal: AbortSignal) => {
    let total = 0;
    const count = countOf(way);
    for (let start = 0; start < count; start++) {
      const [ours, theirs] = Pipe<number>();
      const process = new Process({
        ...{ target: answerOnce, args: [theirs], module: here, warm: false, ...way },
      });
      process.start();
      await process.ready();
      await sleep(REST_MS);
      const begin = performance.now();
      await ours.send(42);
      await ours.recv();
      await process.join({ signal });
      total += performance.now() - begin;
      ours.close();
      process.close();
    }
    return total / count;
  };

  /** A task of a pool whose sandboxes are made ahead, each for one task. */
  const sandboxedTask = async (signal: AbortSignal) => {
    await using pool = new Pool({
      ...{ processes: 1, spares: 2, maxTasksPerChild: 1, by: "source" },
      ...{ permissions: "none", memoryLimitMb: 64, signal },
    });
    let total = 0;
    const count = scaled(SLOW_STARTS);
    for (let task = -1; task < count; task++) {
      await sleep(SANDBOX_PAUSE_MS);
      const begin = performance.now();
      await pool.apply(() => 42);
      if (task >= 0) total += performance.now() - begin;
    }
    return total / count;
  };

  const peers = (methods: readonly ("spawn" | "fork" | "forkserver")[], pause: number): Side[] =>
    python === null ? [] : methods.map((method) => ({
      name: `multiprocessing, ${method}`,
      round: async (signal) =>
        (await python.ask({
          measure: "spawn",
          ...{ warmUp: WARM_UP, count: scaled(STARTS), method, pause },
        }, signal)).ms,
    }));

  const { thread, ...confined } = KINDS;
  const byReference: Way = { by: "reference" };
  const SPAWN = "multiprocessing, spawn";
  return [
    {
      name: "starts/cold",
      unit: "ms",
      sides: [
        { name: "thread, by reference, cold", against: SPAWN, round: cold(byReference) },
        ...Object.entries(KINDS).map(([kind, way]): Side => ({
          name: `${kind}, cold`,
          against: SPAWN,
          round: cold(way),
        })),
        ...peers(["spawn", "fork", "forkserver"], 0),
      ],
    },
    {
      name: "starts/warm",
      unit: "ms",
      sides: [
        ...[byReference, thread].map((way): Side => ({
          name: `thread, by ${way.by}, in a spare`,
          against: FORKSERVER,
          target: { atMost: 1 },
          round: starts(way, PAUSE_MS),
        })),
        ...Object.entries(KINDS).map(([kind, way]): Side => ({
          name: `${kind}, ready`,
          against: FORKSERVER,
          round: ready(way),
        })),
        { name: LIMITED, round: cold(KINDS["sealed, with limits"]) },
        {
          name: "task in a sandbox of its own (spares: 2)",
          against: LIMITED,
          target: { atMost: 0.05 },
          round: sandboxedTask,
        },
        ...peers(["fork", "forkserver"], PAUSE_MS),
      ],
    },
    {
      name: "starts/start() alone",
      unit: "ms",
      sides: [
        {
          name: "thread, in a spare",
          target: { below: MOST_BLOCKED_MS },
          round: starts(thread, PAUSE_MS, false),
        },
        { name: "thread, cold", round: starts({ ...thread, warm: false }, 0, false) },
        ...Object.entries(confined).map(([kind, way]): Side => ({
          name: `${kind}, cold`,
          target: { below: MOST_BLOCKED_MS },
          round: starts({ ...way, warm: false }, 0, false),
        })),
      ],
    },
  ];
}
