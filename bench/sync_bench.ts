/**
 * The cost of locks and shared values, beside Python's multiprocessing.
 *
 * A process that runs alone times its own steps, over and over. Steps of several processes are timed
 * from the signal to start until the last process has done its share. All are processes of their own,
 * started and warmed up before the clock runs, on every side.
 */
import { Event, Lock, Process, Queue, Value } from "../mod.ts";
import type { Measurement, Side, Target } from "./harness.ts";
import type { PythonPeer, SyncRequest } from "./peers/python.ts";
import { close, startAll } from "./processes.ts";
import {
  acquire,
  acquireSync,
  add,
  ask,
  askSync,
  awaitNothing,
  contend,
  contendSync,
  hold,
  holdAndRelease,
  holdSync,
  reply,
  replySync,
  TARGETS,
  type Times,
  tryAcquire,
  update,
  updateHeld,
  usingNothing,
} from "./sync_targets.ts";

type Python = PythonPeer<SyncRequest> | null;

const LOCK = "multiprocessing.Lock", WITH_LOCK = "with multiprocessing.Lock";
const VALUE = "with Value.get_lock()", EVENT = "multiprocessing.Event";

/** Targets: so many times as fast. */
const FIVE_TIMES: Target = { atMost: 1 / 5 }, THREE_TIMES: Target = { atMost: 0.33 };
const TWICE: Target = { atMost: 1 / 2 };

const WARM_UP = 100_000;
/** Numbers of steps that take a quarter to half a second on each side. */
const ALONE = { here: 5_000_000, python: 2_000_000 };
const CONTENDED = { here: 1_000_000, python: 200_000 };
const CONTENDERS = 4;
const HOPS = { awake: { warmUp: 1_000, count: 5_000 }, asleep: { warmUp: 100, count: 200 } };
/** The time after which a waiter for an event counts as asleep, in milliseconds. */
const REST = 1;

/** The measurements of this file; `scale` multiplies the number of steps. */
export function syncMeasurements(python: Python, scale: number): Measurement[] {
  return [
    lockMeasurement(python, scale),
    contendedMeasurement(python, scale),
    eventMeasurement("asleep", python, scale),
    eventMeasurement("awake", python, scale),
    valueMeasurement(python, scale),
  ];
}

function times(count: number, scale: number): Times {
  return { warmUp: WARM_UP, count: Math.ceil(count * scale) };
}

/** The time to acquire and release an uncontended lock. */
function lockMeasurement(python: Python, scale: number): Measurement {
  const targets = { acquireSync, tryAcquire, "await acquire": acquire };
  const sides: Side[] = Object.entries(targets).map(([name, target]) => ({
    name: `Lock, ${name}`,
    against: LOCK,
    target: target === tryAcquire ? undefined : FIVE_TIMES,
    also: {
      against: WITH_LOCK,
      target: target === tryAcquire ? undefined : target === acquire ? THREE_TIMES : FIVE_TIMES,
    },
    round: (signal) => alone(target, new Lock(), times(ALONE.here, scale), signal),
  }));
  const released = { "await hold, try … finally": holdAndRelease };
  for (const [name, target] of Object.entries({ holdSync, "await hold": hold, ...released })) {
    const isAwaited = target !== holdSync;
    sides.push({
      name: target === holdAndRelease ? `Lock, ${name}` : `Lock, using ${name}`,
      against: WITH_LOCK,
      also: isAwaited
        ? { against: "Lock, await acquire", target: { atMost: 1.5 } }
        : { against: "Lock, acquireSync" },
      round: (signal) => alone(target, new Lock(), times(ALONE.here / 2, scale), signal),
    });
  }
  for (
    const [name, target] of Object.entries({ usingNothing, "await, usingNothing": awaitNothing })
  ) {
    sides.push({
      name: name.replace("usingNothing", "using what does nothing"),
      round: (signal) => alone(target, new Lock(), times(ALONE.here / 2, scale), signal),
    });
  }
  sides.push(...pythonSide(python, LOCK, "acquire", times(ALONE.python, scale)));
  sides.push(...pythonSide(python, WITH_LOCK, "with", times(ALONE.python, scale)));
  return { name: "lock/uncontended", unit: "ns", sides };
}

/** The time to add 1 to a shared value, atomically. */
function valueMeasurement(python: Python, scale: number): Measurement {
  const targets = { "update": update, "using lock.holdSync": updateHeld, "add": add };
  const sides: Side[] = Object.entries(targets).map(([name, target]) => ({
    name: `Value, ${name}`,
    against: VALUE,
    target: target === update ? FIVE_TIMES : undefined,
    round: (signal) => alone(target, new Value("i32"), times(ALONE.here, scale), signal),
  }));
  sides.push(...pythonSide(python, VALUE, "value", times(ALONE.python / 4, scale)));
  return { name: "value/add-one", unit: "ns", sides };
}

function pythonSide(
  python: Python,
  name: string,
  measure: "acquire" | "with" | "contended" | "value",
  times: Times,
): Side[] {
  if (python === null) return [];
  const round = async (signal: AbortSignal) =>
    (await python.ask({ measure, ...times }, signal)).ms * 1e6;
  return [{ name, round }];
}

/** Nanoseconds for one step of a process that runs alone. */
async function alone<T>(
  target: (object: T, times: Times) => number | Promise<number>,
  object: T,
  times: Times,
  signal: AbortSignal,
): Promise<number> {
  await using process = new Process({ target, args: [object, times], module: TARGETS });
  process.start();
  return await process.result({ signal }) * 1e6;
}

/** The time to acquire and release a lock that four processes want all the time: total time by steps. */
function contendedMeasurement(python: Python, scale: number): Measurement {
  const targets = { acquireSync: contendSync, "await acquire": contend };
  const sides: Side[] = Object.entries(targets).map(([name, target]) => ({
    name: `Lock, ${name}`,
    against: LOCK,
    target: TWICE,
    round: (signal) => contended(target, times(CONTENDED.here / CONTENDERS, scale), signal),
  }));
  const share = times(CONTENDED.python / CONTENDERS, scale);
  sides.push(...pythonSide(python, LOCK, "contended", share));
  return { name: `lock/contended-by-${CONTENDERS}`, unit: "ns", sides };
}

async function contended(
  target: typeof contend | typeof contendSync,
  times: Times,
  signal: AbortSignal,
): Promise<number> {
  await using cleanUp = new AsyncDisposableStack();
  const signals = {
    ready: cleanUp.adopt(new Queue<null>(), close),
    go: cleanUp.adopt(new Queue<null>(), close),
    done: cleanUp.adopt(new Queue<number>(), close),
  };
  const lock = new Lock();
  const processes = Array.from(
    { length: CONTENDERS },
    () => cleanUp.use(new Process({ target, args: [lock, signals, times], module: TARGETS })),
  );
  const { alarm, ended } = startAll(processes, signal);
  for (const _ of processes) await signals.ready.get({ signal: alarm });

  const start = performance.now();
  for (const _ of processes) await signals.go.put(null);
  let steps = 0;
  for (const _ of processes) steps += await signals.done.get({ signal: alarm });
  const ms = performance.now() - start;

  await ended;
  return ms * 1e6 / steps;
}

/**
 * The time from an event's set() to its waiter being awake: two processes set events for each other, at
 * once or after a rest.
 */
function eventMeasurement(state: keyof typeof HOPS, python: Python, scale: number): Measurement {
  const { warmUp, count } = HOPS[state];
  const hops = { warmUp, count: Math.ceil(count * scale) };
  const rest = state === "asleep" ? REST : 0;
  const targets = { "wait": [ask, reply], "waitSync": [askSync, replySync] } as const;
  const sides: Side[] = Object.entries(targets).map(([name, [asking, replying]]) => ({
    name: `Event, ${name}`,
    against: EVENT,
    target: { atMost: 0.7 },
    round: async (signal) => {
      await using cleanUp = new AsyncDisposableStack();
      const signs = { question: new Event(), reply: new Event(), rested: new Value("f64"), rest };
      const asker = new Process({ target: asking, args: [signs, hops], module: TARGETS });
      const other = new Process({ target: replying, args: [signs, hops], module: TARGETS });
      const { alarm } = startAll([cleanUp.use(asker), cleanUp.use(other)], signal);
      return await asker.result({ signal: alarm }) * 1000;
    },
  }));
  if (python !== null) {
    sides.push({
      name: EVENT,
      round: async (signal) =>
        (await python.ask({ measure: "event", ...hops, rest }, signal)).ms * 1000,
    });
  }
  return { name: `event/waiter-${state}`, unit: "µs", sides };
}
