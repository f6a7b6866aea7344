/**
 * The targets of batch_bench.ts: integers through a queue in batches, and out of it one by one by each of the ways to
 * ask for the next one.
 */
import type { Queue } from "../mod.ts";
import type { Signals } from "./targets.ts";

/** The URL of this module, for the option `module` of a Process. */
export const TARGETS: string = import.meta.url;

/** The integers of one flow: `warmUp` and `count` are multiples of `size`, the length of a batch. */
export interface Batches {
  size: number;
  warmUp: number;
  count: number;
}

/** Batches from 0 on, made before the clock runs; they are put over and over. */
const DIFFERENT = 16;

function batchesOf({ size }: Batches): number[][] {
  return Array.from(
    { length: DIFFERENT },
    (_, batch) => Array.from({ length: size }, (_, index) => batch * size + index),
  );
}

/** The sum of what is put: of the timed integers. */
export function weightOf({ size, warmUp, count }: Batches): number {
  const batches = batchesOf({ size, warmUp, count });
  const sums = batches.map((batch) => batch.reduce((sum, n) => sum + n, 0));
  let weight = 0;
  for (let index = 0; index < count / size; index++) weight += sums[index % DIFFERENT];
  return weight;
}

export async function putBatches(items: Queue<number>, signals: Signals, share: Batches) {
  const batches = batchesOf(share), { size } = share;
  for (let i = 0; i < share.warmUp / size; i++) await items.putMany(batches[i % DIFFERENT]);
  await signals.ready.put(null);
  await signals.go.get();
  for (let i = 0; i < share.count / size; i++) await items.putMany(batches[i % DIFFERENT]);
  items.shutdown();
}

export function putBatchesSync(items: Queue<number>, signals: Signals, share: Batches): void {
  const batches = batchesOf(share), { size } = share;
  for (let i = 0; i < share.warmUp / size; i++) items.putManySync(batches[i % DIFFERENT]);
  signals.ready.putSync(null);
  signals.go.getSync();
  for (let i = 0; i < share.count / size; i++) items.putManySync(batches[i % DIFFERENT]);
  items.shutdown();
}

function sumOf(batch: number[]): number {
  let sum = 0;
  for (let i = 0; i < batch.length; i++) sum += batch[i];
  return sum;
}

export async function getBatches(items: Queue<number>, signals: Signals, share: Batches) {
  const run = async (count: number) => {
    let weight = 0;
    for (let got = 0; got < count;) {
      const batch = await items.getMany(Math.min(share.size, count - got));
      got += batch.length;
      weight += sumOf(batch);
    }
    return weight;
  };
  await run(share.warmUp);
  await signals.ready.put(null);
  await signals.done.put(await run(share.count));
}

export function getBatchesSync(items: Queue<number>, signals: Signals, share: Batches): void {
  const run = (count: number) => {
    let weight = 0;
    for (let got = 0; got < count;) {
      const batch = items.getManySync(Math.min(share.size, count - got));
      got += batch.length;
      weight += sumOf(batch);
    }
    return weight;
  };
  run(share.warmUp);
  signals.ready.putSync(null);
  signals.done.putSync(run(share.count));
}

/** The ways to ask for one integer after the other. */
export type Way = "get" | "for await" | "readable";

/** Nanoseconds of one integer, of those that are there already, of a queue that was shut down. */
export async function takeAll(items: Queue<number>, way: Way, share: Batches): Promise<number> {
  for (let i = 0; i < share.warmUp; i++) await items.get();
  const start = performance.now();
  let count = 0;
  if (way === "get") {
    for (; count < share.count; count++) await items.get();
  } else if (way === "for await") {
    for await (const _ of items) count++;
  } else {
    const reader = items.readable.getReader();
    while (!(await reader.read()).done) count++;
  }
  if (count !== share.count) throw new Error(`Got ${count} items, not ${share.count}.`);
  return (performance.now() - start) / count * 1e6;
}

/** The same of a web stream that counts, and takes nothing from anywhere: what Deno's streams take by themselves. */
export async function readNothing({ count }: Batches): Promise<number> {
  let next = 0;
  const stream = new ReadableStream<number>({
    pull(controller) {
      if (next < count) controller.enqueue(next++);
      else controller.close();
    },
  }, { highWaterMark: 0 });
  const start = performance.now();
  const reader = stream.getReader();
  while (!(await reader.read()).done);
  return (performance.now() - start) / count * 1e6;
}
