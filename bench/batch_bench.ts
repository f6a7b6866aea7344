/**
 * Integers through a queue in batches, out of it by each way to ask for the next one, and large items.
 *
 * A flow is timed from the signal to start until the consumer has its last integer. For the ways to ask, all integers
 * are there before the clock runs. A large item goes there and back, and half of that time is its way across.
 */
import { Process, Queue } from "../mod.ts";
import {
  type Batches,
  getBatches,
  getBatchesSync,
  putBatches,
  putBatchesSync,
  readNothing,
  takeAll,
  TARGETS,
  type Way,
  weightOf,
} from "./batch_targets.ts";
import type { Measurement } from "./harness.ts";
import { LARGE } from "./payloads.ts";
import type { PythonPeer, QueueRequest } from "./peers/python.ts";
import { close, startAll } from "./processes.ts";
import { talk } from "./queue_bench.ts";
import { answer, answerSync, ask, askSync } from "./targets.ts";

const SIZE = 1000;
const FLOW = { warmUp: 500_000, count: 5_000_000 }, TAKES = { warmUp: 20_000, count: 300_000 };
const LARGE_ITEMS = { warmUp: 3, count: 10 };
const PYTHON = "multiprocessing.Queue";

/** The measurements of this file; `scale` multiplies the numbers of timed items. */
export function batchMeasurements(
  python: PythonPeer<QueueRequest> | null,
  scale: number,
): Measurement[] {
  return [flowMeasurement(scale), waysMeasurement(scale), largeMeasurement(python, scale)];
}

function share({ warmUp, count }: { warmUp: number; count: number }, scale: number): Batches {
  return { size: SIZE, warmUp, count: Math.ceil(count * scale / SIZE) * SIZE };
}

function flowMeasurement(scale: number): Measurement {
  const targets = {
    "getMany": [putBatches, getBatches],
    "getManySync": [putBatchesSync, getBatchesSync],
  } as const;
  return {
    name: `batches-of-${SIZE}/integers`,
    unit: "items/s",
    sides: Object.entries(targets).map(([name, [put, get]]) => ({
      name: `Queue, ${name}`,
      target: { above: 20_000_000 },
      round: async (signal) => {
        await using cleanUp = new AsyncDisposableStack();
        const items = cleanUp.adopt(new Queue<number>(), close);
        const signals = {
          ready: cleanUp.adopt(new Queue<null>(), close),
          go: cleanUp.adopt(new Queue<null>(), close),
          done: cleanUp.adopt(new Queue<number>(), close),
        };
        const batches = share(FLOW, scale), args = [items, signals, batches] as const;
        const processes = [
          cleanUp.use(new Process({ target: put, args, module: TARGETS })),
          cleanUp.use(new Process({ target: get, args, module: TARGETS })),
        ];
        const { alarm, ended } = startAll(processes, signal);
        for (const _ of processes) await signals.ready.get({ signal: alarm });
        const start = performance.now();
        await signals.go.put(null);
        const weight = await signals.done.get({ signal: alarm });
        const ms = performance.now() - start;
        await ended;
        if (weight !== weightOf(batches)) throw new Error(`Got integers of weight ${weight}.`);
        return batches.count / ms * 1000;
      },
    })),
  };
}

function waysMeasurement(scale: number): Measurement {
  const batches = share(TAKES, scale);
  const side = (way: Way) => ({
    name: `Queue, ${way}`,
    against: way === "get" ? undefined : "Queue, get",
    target: way === "get" ? undefined : { atMost: 1 },
    round: async (signal: AbortSignal) => {
      using items = new Queue<number>();
      const batch = Array.from({ length: SIZE }, (_, index) => index);
      for (let i = 0; i < (batches.warmUp + batches.count) / SIZE; i++) await items.putMany(batch);
      items.shutdown();
      await using process = new Process({
        target: takeAll,
        args: [items, way, batches],
        module: TARGETS,
      });
      process.start();
      return await process.result({ signal });
    },
  });
  return {
    name: "one-after-the-other/integers",
    unit: "ns",
    sides: [side("get"), side("for await"), side("readable"), {
      name: "ReadableStream that counts",
      against: "Queue, get",
      round: async (signal) => {
        await using process = new Process({
          target: readNothing,
          args: [batches],
          module: TARGETS,
        });
        process.start();
        return await process.result({ signal });
      },
    }],
  };
}

function largeMeasurement(
  python: PythonPeer<QueueRequest> | null,
  scale: number,
): Measurement {
  const share = {
    payload: LARGE,
    warmUp: LARGE_ITEMS.warmUp,
    count: Math.ceil(LARGE_ITEMS.count * scale),
  } as const;
  const targets = { async: [answer, ask], sync: [answerSync, askSync] } as const;
  const sides: Measurement["sides"] = Object.entries(targets).map(([face, [there, back]]) => ({
    name: `Queue, ${face}`,
    target: { below: 30 },
    also: { against: PYTHON },
    round: async (signal) => await talk(there, back, 1, share, signal) / 2,
  }));
  if (python !== null) {
    sides.push({
      name: PYTHON,
      round: async (signal) =>
        (await python.ask({ measure: "talk", waiting: 1, ...share }, signal)).ms / 2,
    });
  }
  return { name: "large-items/10-MB", unit: "ms", sides };
}
