/** The time of inspect(), and of its text, in a program with many processes and queues, of which all are waited for. */
import { inspect, Process, Queue, SimpleQueue } from "../mod.ts";
import type { Measurement } from "./harness.ts";
import { close, startAll } from "./processes.ts";
import { rest, SCALE_TARGETS } from "./scale_targets.ts";

const PROCESSES = 64, QUEUES = 10_000, LOOKS = 10;

/** The measurement of inspect(); `scale` multiplies the number of processes and queues. */
export function inspectMeasurements(scale: number): Measurement[] {
  const processes = Math.ceil(PROCESSES * scale), queues = Math.ceil(QUEUES * scale);
  return [{
    name: `inspect/${processes} processes, ${queues} queues`,
    unit: "ms",
    sides: [{
      name: "inspect() and its text",
      target: { below: 50 },
      round: (signal) => look(processes, queues, signal),
    }],
  }];
}

async function look(processes: number, queues: number, signal: AbortSignal): Promise<number> {
  await using cleanUp = new AsyncDisposableStack();
  const end = cleanUp.adopt(new Queue<null>(), close);
  const ready = cleanUp.adopt(new Queue<null>(), close);
  const all = Array.from(
    { length: processes },
    () => cleanUp.use(new Process({ target: rest, args: [end, ready], module: SCALE_TARGETS })),
  );
  const { alarm, ended } = startAll(all, signal);
  for (const _ of all) await ready.get({ signal: alarm });
  const waitedFor = Array.from({ length: queues }, () => new SimpleQueue<null>());
  const waits = waitedFor.map((queue) => queue.get());
  const start = performance.now();
  for (let index = 0; index < LOOKS; index++) {
    if (!`${inspect()}`.startsWith(`${processes + 1} processes`)) {
      throw new Error("inspect() doesn't show all processes.");
    }
  }
  const ms = (performance.now() - start) / LOOKS;
  for (const queue of waitedFor) await queue.put(null);
  await Promise.all(waits);
  for (const _ of all) await end.put(null);
  await ended;
  return ms;
}
