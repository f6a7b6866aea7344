/**
 * The items that a queue carries in a second, and the time of one item.
 *
 * A *flow* is timed from the signal to start until the last consumer has its last item.
 * A *talk* is one item at a time through two empty queues, timed by the process that asks. All
 * ends are processes of their own, started and warmed up before the clock runs, on every side.
 */
import { Process, Queue } from "../mod.ts";
import type { Measurement, Side } from "./harness.ts";
import { type Item, type Large, type Payload, PAYLOADS, weightOf } from "./payloads.ts";
import { channelFlow, channelTalk } from "./peers/message_channel.ts";
import type { ChannelName, ChannelRequest, NodePeer } from "./peers/node.ts";
import type { PythonPeer, QueueRequest } from "./peers/python.ts";
import { close, startAll } from "./processes.ts";
import {
  answer,
  answerSync,
  ask,
  askAtRest,
  askSync,
  consume,
  consumeSync,
  produce,
  produceSync,
  TARGETS,
} from "./targets.ts";

type Face = "async" | "sync";

const PYTHON = "multiprocessing.Queue";

/** The targets of flows: so many times as fast as Python's queue. */
const FLOW_TARGETS: Record<Payload, number> = {
  integers: 8,
  objects: 4,
  strings: 3,
};

/** Items of one flow, which take about half a second on each side. */
const FLOW_ITEMS: Record<
  Payload,
  { queue: number; python: number; channel: number }
> = {
  integers: { queue: 800_000, python: 120_000, channel: 300_000 },
  objects: { queue: 400_000, python: 100_000, channel: 150_000 },
  strings: { queue: 300_000, python: 100_000, channel: 150_000 },
};
const FLOW_WARM_UP = 4_000;

const TALK_ITEMS = 5_000;
const TALK_WARM_UP = 1_000;

const CROWDS = [1, 8, 64];
const CROWD_ITEMS = 400;
/**
 * Untimed items: ten for each process of the largest crowd, since each compiles its code for itself. The
 * number is the same for every crowd, so that the asking process, which is timed, is equally warm in all.
 */
const CROWD_WARM_UP = 10 * Math.max(...CROWDS);

/** What a queue is compared with, as far as this machine has it. */
export interface QueuePeers {
  python: PythonPeer<QueueRequest> | null;
  channels: NodePeer<ChannelRequest> | null;
}

/** The names of the sides that Node's threads are. */
const NODE: Record<ChannelName, string> = {
  "MessagePort": "Node, MessagePort",
  "ringbuf.js": "Node, ringbuf.js",
  "comlink": "Node, comlink",
};

/** The queue measurements; `scale` multiplies every number of timed items. */
export function queueMeasurements(peers: QueuePeers, scale: number): Measurement[] {
  const { python } = peers;
  return [
    ...PAYLOADS.map((payload) => flowMeasurement("one-to-one", payload, 1, peers, scale)),
    flowMeasurement("four-to-four", "integers", 4, peers, scale),
    ...PAYLOADS.map((payload) => talkMeasurement(payload, peers, scale)),
    crowdMeasurement(python, scale),
  ];
}

/** `ends` producers and as many consumers on one queue. */
function flowMeasurement(
  name: string,
  payload: Payload,
  ends: number,
  { python, channels }: QueuePeers,
  scale: number,
): Measurement {
  const target = { atLeast: ends === 1 ? FLOW_TARGETS[payload] : 5 };
  const count = (items: number) => Math.ceil(items * scale / ends);
  const warmUp = FLOW_WARM_UP / ends;
  const items = FLOW_ITEMS[payload];

  /** The figure of a flow whose producers each sent `each` items. */
  const rate = (each: number, flow: { ms: number; weight?: number }) => {
    const expected = weightOf(payload, each, ends);
    if (flow.weight !== expected) {
      throw new Error(
        `${name}/${payload}: got items of weight ${flow.weight}, not ${expected}.`,
      );
    }
    return each * ends / flow.ms * 1000;
  };

  const face = (face: Face): Side => ({
    name: `Queue, ${face}`,
    against: PYTHON,
    target,
    round: async (signal) => {
      const each = count(items.queue);
      return rate(
        each,
        await flow(face, ends, { payload, warmUp, count: each }, signal),
      );
    },
  });
  const sides = [face("async"), face("sync")];
  if (python !== null) {
    sides.push({
      name: PYTHON,
      round: async (signal) => {
        const each = count(items.python);
        const request = {
          payload,
          warmUp,
          count: each,
          producers: ends,
          consumers: ends,
        };
        return rate(
          each,
          await python.ask({ measure: "flow", ...request }, signal),
        );
      },
    });
  }
  if (ends === 1) {
    sides.push({
      name: "bare MessageChannel",
      against: PYTHON,
      round: async (signal) => {
        const each = count(items.channel);
        return rate(
          each,
          await channelFlow({ payload, warmUp, count: each }, signal),
        );
      },
    });
    for (const way of channels === null ? [] : waysOf(payload)) {
      sides.push({
        name: NODE[way],
        against: PYTHON,
        round: async (signal) => {
          const each = count(items.channel);
          const request = { measure: "flow", way, payload, warmUp, count: each } as const;
          return rate(each, await channels!.ask(request, signal));
        },
      });
    }
  }
  return { name: `${name}/${payload}`, unit: "items/s", sides };
}

export async function flow(
  face: Face,
  ends: number,
  share: { payload: Payload; warmUp: number; count: number },
  signal: AbortSignal,
): Promise<{ ms: number; weight: number }> {
  await using cleanUp = new AsyncDisposableStack();
  const items = cleanUp.adopt(new Queue<Item>(), close);
  const signals = {
    ready: cleanUp.adopt(new Queue<null>(), close),
    go: cleanUp.adopt(new Queue<null>(), close),
    done: cleanUp.adopt(new Queue<number>(), close),
  };
  const targets = face === "async" ? [consume, produce] : [consumeSync, produceSync];
  const processes = targets.flatMap((target) =>
    Array.from({ length: ends }, () =>
      cleanUp.use(
        new Process({ target, args: [items, signals, share], module: TARGETS }),
      ))
  );
  const { alarm, ended } = startAll(processes, signal);
  for (const _ of processes) await signals.ready.get({ signal: alarm });

  const start = performance.now();
  for (const _ of processes) await signals.go.put(null);
  let weight = 0;
  for (let end = 0; end < ends; end++) weight += await signals.done.get({ signal: alarm });
  const ms = performance.now() - start;

  await ended;
  return { ms, weight };
}

/** What carries a flow of these items in Node: a ring carries numbers only. */
function waysOf(payload: Payload): ChannelName[] {
  return payload === "integers" ? ["MessagePort", "ringbuf.js"] : ["MessagePort"];
}

/** One item at a time there and back, with one process that answers. */
function talkMeasurement(
  payload: Payload,
  { python, channels }: QueuePeers,
  scale: number,
): Measurement {
  const share = {
    payload,
    warmUp: TALK_WARM_UP,
    count: Math.ceil(TALK_ITEMS * scale),
  };
  const face = (face: Face): Side => ({
    name: `Queue, ${face}`,
    against: PYTHON,
    target: face === "async" ? { atMost: 0.5 } : undefined,
    round: async (signal) => {
      const [answerer, asker] = face === "async" ? [answer, ask] : [answerSync, askSync];
      return await talk(answerer, asker, 1, share, signal) * 1000;
    },
  });
  const sides = [face("async"), face("sync")];
  if (python !== null) sides.push(pythonTalk(python, PYTHON, "talk", 1, share));
  sides.push({
    name: "bare MessageChannel",
    against: PYTHON,
    round: async (signal) => await channelTalk(share, signal) * 1000,
  });
  for (const way of channels === null ? [] : [...waysOf(payload), "comlink" as const]) {
    sides.push({
      name: NODE[way],
      against: PYTHON,
      round: async (signal) =>
        (await channels!.ask({ measure: "talk", way, ...share }, signal)).ms * 1000,
    });
  }
  return { name: `there-and-back/${payload}`, unit: "µs", sides };
}

/** The same with 1, 8 and 64 processes that sleep until an item comes; only one of them gets it. */
function crowdMeasurement(
  python: PythonPeer<QueueRequest> | null,
  scale: number,
): Measurement {
  const share = {
    payload: "integers" as const,
    warmUp: CROWD_WARM_UP,
    count: Math.ceil(CROWD_ITEMS * scale),
  };
  const label = (peer: string, waiting: number) => `${peer}, ${waiting} waiting`;
  const most = CROWDS[CROWDS.length - 1];
  const sides: Side[] = [];
  for (const waiting of CROWDS) {
    sides.push({
      name: label("Queue, async", waiting),
      against: waiting === 1 ? undefined : label("Queue, async", 1),
      target: waiting === most ? { atMost: 2 } : undefined,
      round: async (signal) => await talk(answer, askAtRest, waiting, share, signal) * 1000,
    });
  }
  if (python !== null) {
    for (const waiting of CROWDS) {
      sides.push({
        ...pythonTalk(python, label(PYTHON, waiting), "talk at rest", waiting, share),
        against: waiting === 1 ? undefined : label(PYTHON, 1),
      });
    }
  }
  return { name: "one-of-a-crowd", unit: "µs", sides };
}

function pythonTalk(
  python: PythonPeer<QueueRequest>,
  name: string,
  measure: "talk" | "talk at rest",
  waiting: number,
  share: { payload: Payload; warmUp: number; count: number },
): Side {
  return {
    name,
    round: async (signal) =>
      (await python.ask({ measure, waiting, ...share }, signal)).ms *
      1000,
  };
}

/** Milliseconds for one item there and back while `waiting` processes wait for items. */
export async function talk(
  answerTarget: typeof answer | typeof answerSync,
  askTarget: typeof ask | typeof askSync,
  waiting: number,
  share: { payload: Payload | Large; warmUp: number; count: number },
  signal: AbortSignal,
): Promise<number> {
  await using cleanUp = new AsyncDisposableStack();
  const ready = cleanUp.adopt(new Queue<null>(), close);
  const done = cleanUp.adopt(new Queue<number>(), close);
  const queues = {
    questions: cleanUp.adopt(new Queue<Item | null>(), close),
    answers: cleanUp.adopt(new Queue<Item>(), close),
  };
  const answerers = Array.from({ length: waiting }, () =>
    cleanUp.use(
      new Process({
        target: answerTarget,
        args: [queues, ready],
        module: TARGETS,
      }),
    ));
  const crowd = startAll(answerers, signal);
  for (const _ of answerers) await ready.get({ signal: crowd.alarm });

  const asker = cleanUp.use(
    new Process({
      target: askTarget,
      args: [queues, done, share],
      module: TARGETS,
    }),
  );
  const one = startAll([asker], crowd.alarm);
  const ms = await done.get({ signal: one.alarm });

  await one.ended;
  for (const _ of answerers) await queues.questions.put(null);
  await crowd.ended;
  return ms;
}
