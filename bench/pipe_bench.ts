/**
 * The messages that a pipe carries in a second, and the time of one message, beside Python's
 * `multiprocessing.Pipe` and a bare MessageChannel.
 *
 * One way is timed from the signal to start until the receiver has the last message. There and
 * back is one message at a time, timed by the process that asks; transferred arrays likewise. Both
 * ends are processes of their own, started and warmed up before the clock runs, on every side.
 */
import { type Connection, Pipe, Process, Queue } from "../mod.ts";
import type { Measurement, Side, Target } from "./harness.ts";
import { type Chunk, CHUNKS, type Item, type Payload, PAYLOADS, weightOf } from "./payloads.ts";
import { channelFlow, channelGame, channelTalk } from "./peers/message_channel.ts";
import type { PipeRequest, PythonPeer } from "./peers/python.ts";
import {
  answer,
  answerSync,
  ask,
  askSync,
  type Ball,
  consume,
  consumeBytes,
  consumeBytesSync,
  consumeSync,
  type Game,
  produce,
  produceBytes,
  produceBytesSync,
  produceSync,
  TARGETS,
  throwBack,
  throwBackSync,
  throwBall,
  throwBallSync,
} from "./pipe_targets.ts";
import { close, startAll } from "./processes.ts";
import type { Share, Signals } from "./targets.ts";

const FACES = ["async", "sync"] as const;
type Face = typeof FACES[number];

const PYTHON = "multiprocessing.Pipe";
const CHANNEL = "bare MessageChannel";

/** Messages of one flow on each side. */
interface Counts {
  pipe: number;
  python: number;
  channel: number;
}

/** Counts that take a quarter to half a second on each side. */
const FLOW_MESSAGES: Record<Payload | Chunk, Counts> = {
  integers: { pipe: 1_000_000, python: 120_000, channel: 300_000 },
  objects: { pipe: 400_000, python: 100_000, channel: 150_000 },
  strings: { pipe: 400_000, python: 100_000, channel: 150_000 },
  "64 KiB": { pipe: 4_000, python: 4_000, channel: 4_000 },
  "1 MiB": { pipe: 300, python: 300, channel: 300 },
};
const FLOW_WARM_UP: Record<Payload | Chunk, number> = {
  integers: 4_000,
  objects: 4_000,
  strings: 4_000,
  "64 KiB": 400,
  "1 MiB": 40,
};

/** The targets of a flow's rate, compared with each peer. A flow without a target is only measured. */
const FLOW_TARGETS: Partial<Record<Payload | Chunk, { python: Target; channel?: Target }>> = {
  integers: { python: { atLeast: 3 }, channel: { atLeast: 1 } },
  objects: { python: { atLeast: 3 }, channel: { atLeast: 1 } },
  strings: { python: { atLeast: 2 } },
  "64 KiB": { python: { atLeast: 1.5 } },
  "1 MiB": { python: { atLeast: 3 } },
};

const TALK_MESSAGES: Counts = { pipe: 20_000, python: 5_000, channel: 5_000 };
const TALK_WARM_UP = 1_000;
const TALK_TARGET: Target = { atMost: 0.5 };

const KIB = 2 ** 10, MIB = 2 ** 20;
/** Rounds of one game; Python has to copy every byte. */
const GAME_ROUNDS: Counts = { pipe: 300, python: 5, channel: 300 };
const GAME_WARM_UP: Counts = { pipe: 100, python: 1, channel: 100 };
/**
 * The time of an array a thousand times as large, divided by the time of 64 KiB, may be at most this: the same, but for
 * the difference of two measurements of the same thing while other programs use the processors, too.
 */
const SAME_TIME: Target = { atMost: 2 };
/** The target for the largest array, in microseconds. */
const LARGEST_TARGET: Target = { below: 5_000 };

/** The pipe measurements; `scale` multiplies every number of timed messages. */
export function pipeMeasurements(
  python: PythonPeer<PipeRequest> | null,
  scale: number,
): Measurement[] {
  const items: Record<Face, Ends<Payload>> = {
    async: [produce, consume],
    sync: [produceSync, consumeSync],
  };
  const bytes: Record<Face, Ends<Chunk>> = {
    async: [produceBytes, consumeBytes],
    sync: [produceBytesSync, consumeBytesSync],
  };
  return [
    ...PAYLOADS.map((payload) => flowMeasurement("pipe-one-way", payload, items, python, scale)),
    ...CHUNKS.map((chunk) => flowMeasurement("pipe-bytes", chunk, bytes, python, scale)),
    ...PAYLOADS.map((payload) => talkMeasurement(payload, python, scale)),
    gameMeasurement(python, scale),
  ];
}

function scaled(counts: Counts, scale: number): Counts {
  const count = (messages: number) => Math.ceil(messages * scale);
  return {
    pipe: count(counts.pipe),
    python: count(counts.python),
    channel: count(counts.channel),
  };
}

/** The targets that the two processes of a flow run. */
type Ends<P extends Payload | Chunk> = [
  produce: (connection: Connection<Item>, signals: Signals, share: Share<P>) => unknown,
  consume: (connection: Connection<Item>, signals: Signals, share: Share<P>) => unknown,
];

/** One process sends, another receives. */
function flowMeasurement<P extends Payload | Chunk>(
  name: string,
  payload: P,
  ends: Record<Face, Ends<P>>,
  python: PythonPeer<PipeRequest> | null,
  scale: number,
): Measurement {
  const counts = scaled(FLOW_MESSAGES[payload], scale);
  const warmUp = FLOW_WARM_UP[payload];
  const targets = FLOW_TARGETS[payload];

  /** The figure of a flow of `count` messages. */
  const rate = (count: number, flow: { ms: number; weight?: number }) => {
    const expected = weightOf(payload, count, 1);
    if (flow.weight !== expected) {
      throw new Error(
        `${name}/${payload}: got messages of weight ${flow.weight}, not ${expected}.`,
      );
    }
    return count / flow.ms * 1000;
  };

  const sides: Side[] = FACES.map((face) => ({
    name: `Pipe, ${face}`,
    against: PYTHON,
    target: targets?.python,
    also: { against: CHANNEL, target: targets?.channel },
    round: async (signal) => {
      const count = counts.pipe;
      return rate(count, await flow(ends[face], { payload, warmUp, count }, signal));
    },
  }));
  if (python !== null) {
    sides.push({
      name: PYTHON,
      round: async (signal) => {
        const count = counts.python;
        const request = { measure: "flow", payload, warmUp, count } as const;
        return rate(count, await python.ask(request, signal));
      },
    });
  }
  sides.push({
    name: CHANNEL,
    against: PYTHON,
    round: async (signal) => {
      const count = counts.channel;
      return rate(count, await channelFlow({ payload, warmUp, count }, signal));
    },
  });
  return { name: `${name}/${payload.replace(" ", "-")}`, unit: "items/s", sides };
}

async function flow<P extends Payload | Chunk>(
  [produce, consume]: Ends<P>,
  share: Share<P>,
  signal: AbortSignal,
): Promise<{ ms: number; weight: number }> {
  await using cleanUp = new AsyncDisposableStack();
  const signals = {
    ready: cleanUp.adopt(new Queue<null>(), close),
    go: cleanUp.adopt(new Queue<null>(), close),
    done: cleanUp.adopt(new Queue<number>(), close),
  };
  const [here, there] = Pipe<Item>().map((end) => cleanUp.adopt(end, close));
  const processes = [
    cleanUp.use(new Process({ target: consume, args: [here, signals, share], module: TARGETS })),
    cleanUp.use(new Process({ target: produce, args: [there, signals, share], module: TARGETS })),
  ];
  const { alarm, ended } = startAll(processes, signal);
  for (const _ of processes) await signals.ready.get({ signal: alarm });

  const start = performance.now();
  await signals.go.put(null);
  const weight = await signals.done.get({ signal: alarm });
  const ms = performance.now() - start;

  await ended;
  return { ms, weight };
}

/**
 * One message at a time there and back, between two processes that are both awake, which takes a processor
 * for each. A machine too busy for that shows it: Python takes half its time.
 */
function talkMeasurement(
  payload: Payload,
  python: PythonPeer<PipeRequest> | null,
  scale: number,
): Measurement {
  const counts = scaled(TALK_MESSAGES, scale);
  const share = (count: number) => ({ payload, warmUp: TALK_WARM_UP, count });
  const sides: Side[] = FACES.map((face) => ({
    name: `Pipe, ${face}`,
    against: PYTHON,
    target: TALK_TARGET,
    also: { against: CHANNEL },
    round: async (signal) => await talk(face, share(counts.pipe), signal) * 1000,
  }));
  if (python !== null) {
    sides.push({
      name: PYTHON,
      round: async (signal) => {
        const request = { measure: "talk", ...share(counts.python) } as const;
        return (await python.ask(request, signal)).ms * 1000;
      },
    });
  }
  sides.push({
    name: CHANNEL,
    against: PYTHON,
    round: async (signal) => await channelTalk(share(counts.channel), signal) * 1000,
  });
  return { name: `pipe-there-and-back/${payload}`, unit: "µs", sides };
}

/** Milliseconds for one message there and back. */
export async function talk(face: Face, share: Share, signal: AbortSignal): Promise<number> {
  const [asker, answerer] = face === "async" ? [ask, answer] : [askSync, answerSync];
  return await converse<Item>(asker, answerer, share, signal);
}

/**
 * An array that is moved from one process to the other and back: the time of one way, without a garbage
 * collection. Python shows the time with the bytes copied, the smallest array the time with next to none.
 */
function gameMeasurement(python: PythonPeer<PipeRequest> | null, scale: number): Measurement {
  const rounds = scaled(GAME_ROUNDS, scale);
  const game = (bytes: number, side: keyof Counts): Game => ({
    length: bytes / Float64Array.BYTES_PER_ELEMENT,
    warmUp: GAME_WARM_UP[side],
    count: rounds[side],
  });
  const sides: Side[] = FACES.flatMap((face) => {
    const side = (bytes: number, label: string): Side => ({
      name: `Pipe, ${face}, ${label}`,
      round: async (signal) => await play(face, game(bytes, "pipe"), signal) * 1000,
    });
    const small = side(64 * KIB, "64 KiB");
    return [
      small,
      {
        ...side(64 * MIB, "64 MiB"),
        against: small.name,
        target: SAME_TIME,
        also: { against: `${PYTHON}, 64 MiB` },
      },
      {
        ...side(256 * MIB, "256 MiB"),
        target: LARGEST_TARGET,
        also: { against: small.name },
      },
    ];
  });
  for (const [bytes, label] of [[64 * KIB, "64 KiB"], [64 * MIB, "64 MiB"]] as const) {
    if (python !== null) {
      sides.push({
        name: `${PYTHON}, ${label}`,
        round: async (signal) => {
          const request = { measure: "game", ...game(bytes, "python") } as const;
          return (await python.ask(request, signal)).ms * 1000;
        },
      });
    }
    sides.push({
      name: `${CHANNEL}, ${label}`,
      round: async (signal) => await channelGame(game(bytes, "channel"), signal) * 1000,
    });
  }
  return { name: "pipe-transfer", unit: "µs", sides };
}

async function play(face: Face, game: Game, signal: AbortSignal): Promise<number> {
  const [thrower, catcher] = face === "async"
    ? [throwBall, throwBack]
    : [throwBallSync, throwBackSync];
  return await converse<Ball, Game>(thrower, catcher, game, signal);
}

/** Runs the two ends of a conversation and gives the figure that the first of them reports. */
async function converse<T, P = Share>(
  first: (connection: Connection<T, T | null>, done: Queue<number>, plan: P) => unknown,
  second: (connection: Connection<T | null, T>) => unknown,
  plan: P,
  signal: AbortSignal,
): Promise<number> {
  await using cleanUp = new AsyncDisposableStack();
  const done = cleanUp.adopt(new Queue<number>(), close);
  const ends = Pipe<T, T | null>();
  const [here, there] = ends;
  for (const end of ends) cleanUp.adopt(end, close);
  const processes = [
    cleanUp.use(new Process({ target: second, args: [there], module: TARGETS })),
    cleanUp.use(new Process({ target: first, args: [here, done, plan], module: TARGETS })),
  ];
  const { alarm, ended } = startAll(processes, signal);
  const figure = await done.get({ signal: alarm });
  await ended;
  return figure;
}
