// Producers and consumers. As all targets of the soak they work by reference and by source, and so
// use nothing but their arguments, the globals and this package's exports.

import {
  type JoinableQueue,
  type Queue,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
} from "../../../mod.ts";
import type { At, States } from "../states.ts";

/** Who put it, the how many-th of its items it is, and something that follows from that. */
export type Item = [producer: number, number: number, content: string | Uint8Array];

/** How a producer and a consumer call the queue. */
export type Face = "async" | "sync" | "many" | "manySync" | "timid" | "timidSync";

/** Puts numbers 0, 1 … below `most`, `pace` of them at a time, and returns or, a victim, stays. */
export async function produce(
  words: Int32Array,
  at: At,
  is: States,
  queue: Queue<Item>,
  producer: number,
  most: number,
  face: Face,
  pace: number,
  isBig: boolean,
  stays: boolean,
): Promise<number> {
  const make = (i: number): Item => {
    if (isBig && i % 4 === 0) return [producer, i, new Uint8Array(1 << 20).fill(i)];
    return [producer, i, "é".repeat(i % 60 === 59 ? 3000 : i % 7)];
  };
  const isSync = face === "sync" || face === "manySync" || face === "timidSync";
  let i = 0;
  while (i < most && Atomics.load(words, at.over) === 0) {
    const isMany = face === "many" || face === "manySync";
    const items = Array.from({ length: isMany ? Math.min(5, most - i) : 1 }, (_, j) => make(i + j));
    Atomics.store(words, at.begun, i + items.length);
    Atomics.store(words, at.state, isBig && i % 4 === 0 ? is.big : isSync ? is.sync : is.async);
    try {
      if (face === "async") await queue.put(items[0]);
      else if (face === "sync") queue.putSync(items[0]);
      else if (face === "many") await queue.putMany(items);
      else if (face === "manySync") queue.putManySync(items);
      else if (face === "timidSync") queue.putSync(items[0], { timeout: i % 3 });
      else if (i % 3 === 0) await queue.put(items[0], { timeout: i % 2 });
      else if (i % 3 === 1) queue.putNowait(items[0]);
      else {
        const controller = new AbortController();
        const timer = setTimeout(() => controller.abort("enough"), i % 2);
        try {
          await queue.put(items[0], { signal: controller.signal });
        } finally {
          clearTimeout(timer);
        }
      }
    } catch (error) {
      if (!(error instanceof QueueFull || error === "enough")) throw error;
      Atomics.store(words, at.begun, i);
      await new Promise((resolve) => setTimeout(resolve, 1));
      continue;
    }
    i += items.length;
    Atomics.store(words, at.done, i);
    Atomics.store(words, at.state, is.computing);
    if (i % pace < items.length) await new Promise((resolve) => setTimeout(resolve, stays ? 1 : 8));
  }
  if (stays) await new Promise(() => setInterval(() => {}, 1000));
  return i;
}

/** Gets and marks what it got in `seen`, until the queue was shut down and is empty. */
export async function consume(
  words: Int32Array,
  at: At,
  is: States,
  queue: Queue<Item> | JoinableQueue<Item>,
  seen: Uint8Array,
  most: number,
  face: Face | "iterate",
  pace: number,
  isJoinable: boolean,
): Promise<number> {
  const last = new Map<number, number>();
  let marked = 0, waits = 0;
  const mark = ([producer, i, content]: Item) => {
    const isRight = typeof content === "string"
      ? content === "é".repeat(i % 60 === 59 ? 3000 : i % 7)
      : content.length === 1 << 20 &&
        [0, 1 << 19, content.length - 1].every((at) => content[at] === (i & 255));
    if (!isRight || i <= (last.get(producer) ?? -1)) Atomics.add(words, at.wrong, 1);
    last.set(producer, i);
    if (Atomics.add(seen, producer * most + i, 1) !== 0) Atomics.add(words, at.extra, 1);
    if (isJoinable) (queue as JoinableQueue<Item>).taskDone();
    Atomics.store(words, at.done, ++marked);
  };
  const isMany = face === "many" || face === "manySync";
  const isSync = face === "sync" || face === "manySync" || face === "timidSync";
  try {
    if (face === "iterate") {
      Atomics.store(words, at.begun, 1);
      Atomics.store(words, at.state, is.async);
      for await (const item of queue) {
        mark(item);
        Atomics.store(words, at.begun, marked + 1);
      }
      return marked;
    }
    for (;;) {
      const most = isMany ? 8 : 1;
      Atomics.store(words, at.begun, marked + most);
      Atomics.store(words, at.state, isSync ? is.sync : is.async);
      let items: Item[];
      try {
        if (face === "async") items = [await queue.get()];
        else if (face === "sync") items = [queue.getSync()];
        else if (face === "many") items = await queue.getMany(most);
        else if (face === "manySync") items = queue.getManySync(most);
        else if (face === "timidSync") items = [queue.getSync({ timeout: waits++ % 3 })];
        else if (waits++ % 3 === 0) items = [await queue.get({ timeout: waits % 2 })];
        else if (waits % 3 === 1) items = [queue.getNowait()];
        else {
          const controller = new AbortController();
          const timer = setTimeout(() => controller.abort("enough"), waits % 2);
          try {
            items = [await queue.get({ signal: controller.signal })];
          } finally {
            clearTimeout(timer);
          }
        }
      } catch (error) {
        if (!(error instanceof QueueEmpty || error === "enough")) throw error;
        Atomics.store(words, at.begun, marked);
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      Atomics.store(words, at.state, is.computing);
      for (const item of items) mark(item);
      Atomics.store(words, at.begun, marked);
      if (marked % pace < items.length) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } catch (error) {
    if (!(error instanceof QueueShutDown)) throw error;
    return marked;
  }
}
