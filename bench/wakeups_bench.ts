/**
 * `deno task bench:wakeups`: what it costs to wake an isolate that sleeps, by each way that Deno has, by an Event and
 * a Condition of this library, and by Python's.
 *
 * The program that wakes sleeps for some milliseconds, then wakes, and spins until it sees in shared memory that the
 * sleeper runs: both need a core of their own. A round's figure is the median of its wake-ups.
 *
 *   --rounds N    rounds of each way (5)
 *   --only NAME   only the ways whose name contains NAME
 */
import { parseArgs } from "node:util";
import { MessageChannel, Worker } from "node:worker_threads";
import { setImmediate } from "node:timers";
import { Condition, Event, Process } from "../mod.ts";
import { measure, median, type Side, table } from "./harness.ts";
import { PythonPeer } from "./peers/python.ts";
import {
  AWAKE,
  READY,
  type Sleep,
  sleepAtCondition,
  sleepAtConditionSync,
  sleepAtEvent,
  sleepAtEventSync,
  SLEEPERS,
  WAKE,
} from "./wakeups_sleepers.ts";

/** Milliseconds before each wake-up, after which the other side sleeps for certain. */
const REST = 3;
/** The same while code that was never run before is compiled. */
const WARM_UP_REST = 0.3;
const WARM_UP = 1_500, COUNT = 200;
/** Milliseconds after which a wake-up counts as lost. */
const LIMIT = 5_000;

const EVENT = "Python, Event", CONDITION = "Python, Condition";
const never = new Int32Array(new SharedArrayBuffer(4));

/** Wakes a sleeper; a promise where that takes a turn of the event loop of the one that wakes. */
type Wake = () => void | Promise<void>;

/** Wakes again and again; the median, in µs. */
async function time(words: Int32Array, wake: Wake): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < WARM_UP + COUNT; index++) {
    Atomics.wait(never, 0, 0, index < WARM_UP ? WARM_UP_REST : REST);
    const start = performance.now();
    const turn = wake();
    if (turn !== undefined) await turn;
    while (Atomics.load(words, AWAKE) === index) {
      if (performance.now() - start > LIMIT) throw new Error("A wake-up was lost.");
    }
    times.push(performance.now() - start);
  }
  return median(times.slice(WARM_UP)) * 1000;
}

const newWords = () => new Int32Array(new SharedArrayBuffer(12));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets threads that were just started fall asleep. */
async function settle(words: Int32Array, threads: number): Promise<void> {
  while (Atomics.load(words, READY) < threads) await pause(10);
  await pause(100);
}

type Way = Sleep["way"];

/** A thread of Deno's, without this library, that sleeps in some way. */
function start(way: Way, words: Int32Array, rest: Partial<Sleep> = {}): Worker {
  const transferList = rest.port === undefined ? [] : [rest.port];
  return new Worker(new URL(SLEEPERS), { workerData: { way, words, ...rest }, transferList });
}

/** Makes what wakes a thread; what it makes besides is cleaned up. */
type MakeWaker = (words: Int32Array, cleanUp: AsyncDisposableStack) => Wake | Promise<Wake>;

async function stop(worker: Worker): Promise<void> {
  await worker.terminate();
}

function bare(name: string, makeWaker: MakeWaker): Side {
  return {
    name,
    against: EVENT,
    async round() {
      await using cleanUp = new AsyncDisposableStack();
      const words = newWords();
      const wake = await makeWaker(words, cleanUp);
      await settle(words, name === HELPED ? 2 : 1);
      return await time(words, wake);
    },
  };
}

/** Changes the word at which a thread sleeps, and notifies it. */
function notifier(words: Int32Array): () => void {
  return () => {
    Atomics.add(words, WAKE, 1);
    Atomics.notify(words, WAKE);
  };
}

const HELPED = "a thread that blocks and posts a message";
const BARE: Record<string, MakeWaker> = {
  "Atomics.wait": (words, cleanUp) => {
    cleanUp.adopt(start("wait", words), stop);
    return notifier(words);
  },
  "Atomics.waitAsync": (words, cleanUp) => {
    cleanUp.adopt(start("waitAsync", words), stop);
    return notifier(words);
  },
  "MessagePort": (words, cleanUp) => {
    const worker = cleanUp.adopt(start("message", words), stop);
    return () => worker.postMessage(null);
  },
  "BroadcastChannel": (words, cleanUp) => {
    cleanUp.adopt(start("broadcast", words), stop);
    const channel = cleanUp.adopt(new BroadcastChannel("wakeups"), (channel) => channel.close());
    return () => {
      channel.postMessage(null);
      return new Promise((resolve) => setImmediate(resolve));
    };
  },
  [HELPED]: (words, cleanUp) => {
    const { port1, port2 } = new MessageChannel();
    cleanUp.adopt(start("port", words, { port: port1 }), stop);
    cleanUp.adopt(start("helper", words, { port: port2 }), stop);
    return notifier(words);
  },
  "a byte in a FIFO": async (words, cleanUp) => {
    const folder = await Deno.makeTempDir();
    cleanUp.defer(() => Deno.remove(folder, { recursive: true }));
    const path = `${folder}/fifo`;
    await new Deno.Command("mkfifo", { args: [path] }).output();
    const file = cleanUp.use(await Deno.open(path, { read: true, write: true }));
    const byte = new Uint8Array(1);
    const write = () => void file.writeSync(byte);
    cleanUp.defer(() => write()); // the thread that reads ends after that
    cleanUp.adopt(start("fifo", words, { path }), stop);
    return write;
  },
  "setImmediate, again and again": (words, cleanUp) => {
    cleanUp.adopt(start("setImmediate", words), stop);
    return () => void Atomics.add(words, WAKE, 1);
  },
};

/** A process of this library that sleeps. */
function ours<T extends Event | Condition>(
  name: string,
  against: string,
  make: () => T,
  target: (sleeper: T, words: Int32Array) => unknown,
  wake: (sleeper: T) => void,
  atMost: number,
): Side {
  return {
    name,
    against,
    target: { atMost },
    async round() {
      const sleeper = make(), words = newWords();
      const process = new Process({ target, args: [sleeper, words], module: SLEEPERS });
      process.start();
      await settle(words, 1);
      try {
        return await time(words, () => wake(sleeper));
      } finally {
        process.terminate();
        await process.join();
      }
    },
  };
}

function notify(condition: Condition): void {
  using _held = condition.holdSync();
  condition.notify();
}

const set = (event: Event) => event.set();
const newEvent = () => new Event(), newCondition = () => new Condition();

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      only: { type: "string", default: "" },
    },
  });
  await using python = await PythonPeer.start("wakeups_peer.py");
  const sides: Side[] = [
    ...Object.entries(BARE).map(([name, makeWaker]) => bare(name, makeWaker)),
    ours("Event, wait", EVENT, newEvent, sleepAtEvent, set, 2),
    ours("Event, waitSync", EVENT, newEvent, sleepAtEventSync, set, 1),
    ours("Condition, wait", CONDITION, newCondition, sleepAtCondition, notify, 2),
    ours("Condition, waitSync", CONDITION, newCondition, sleepAtConditionSync, notify, 1),
  ];
  const asked = { warmUp: 50, count: COUNT, rest: REST };
  for (const [name, measure] of [[EVENT, "event"], [CONDITION, "condition"]] as const) {
    if (python === null) break;
    const round = async (signal: AbortSignal) =>
      (await python.ask({ measure, ...asked }, signal)).ms * 1000;
    sides.push({ name, round });
  }
  const chosen = sides.filter(({ name }) =>
    name.includes(options.only) || name === EVENT || name === CONDITION
  );
  const result = await measure(
    { name: "wake-up", unit: "µs", sides: chosen },
    Number(options.rounds),
  );
  console.log(table([result]));
}

if (import.meta.main) await main();
