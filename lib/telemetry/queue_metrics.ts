// Metrics of OpenTelemetry, where Deno exports them: how many items the queues hold that this process has made, and
// how many were put and got.

import { meter, type Observed } from "../platform/telemetry.ts";
import * as primordials from "../platform/primordials.ts";

const { SafeSet, WeakRef, WeakRefPrototypeDeref } = primordials;

/** The most queues that are measured. */
const MOST = 200;

/** A queue, as far as it is measured. */
export interface Measured {
  readonly name: string | undefined;
  readonly number: number;
  readonly ring: { size: number; putCount: number; gotCount: number };
}

/** Whether metrics are exported: a constant, so that code that measures nothing costs nothing. */
export const isMeasuring: boolean = meter !== undefined;

const queues = new SafeSet<WeakRef<Measured>>();

let hasBegun = false;
/** Whether this process has permissions of its own: it says nothing in the name of the program. */
let isMuted = false;

/** Called in a process with permissions of its own. */
export function muteMetrics(): void {
  isMuted = true;
}

/** Measures a queue from now on, as long as the program uses it. */
export function measure(queue: Measured): void {
  if (isMuted) return;
  if (!hasBegun) begin();
  hasBegun = true;
  if (queues.size >= MOST) forgetCollected();
  if (queues.size < MOST) queues.add(new WeakRef(queue));
}

/** Makes room for other queues: an export, which does the same, may be far away. */
function forgetCollected(): void {
  for (const reference of queues) {
    if (WeakRefPrototypeDeref(reference) === undefined) queues.delete(reference);
  }
}

function begin(): void {
  const gauge = (name: string, description: string, read: (queue: Measured) => number) => {
    meter!.createObservableGauge(`multiprocessing.queue.${name}`, { description, unit: "{item}" })
      .addCallback((result) => observe(result, read));
  };
  gauge("length", "Items in the queue", ({ ring }) => ring.size);
  gauge("put", "Items put since the queue was made", ({ ring }) => ring.putCount);
  gauge("got", "Items got since the queue was made", ({ ring }) => ring.gotCount);
}

function observe(result: Observed, read: (queue: Measured) => number): void {
  for (const reference of queues) {
    const queue = WeakRefPrototypeDeref(reference);
    if (queue === undefined) {
      queues.delete(reference);
      continue;
    }
    const name = queue.name ?? `queue ${queue.number}`;
    result.observe(read(queue), {
      "messaging.system": "multiprocessing",
      "messaging.destination.name": name,
    });
  }
}
