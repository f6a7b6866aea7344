/**
 * The targets of the benchmarks, which their children import.
 *
 * Each exists for both faces of Queue. A target first passes some untimed items, so that neither
 * the start of a process nor the first run of its code is timed.
 */
import { type Queue, sleep } from "../mod.ts";
import { type Chunk, type Item, itemsOf, type Large, type Payload, weigh } from "./payloads.ts";

/** The URL of this module, for the option `module` of a Process. */
export const TARGETS: string = import.meta.url;

/** The queues that start a flow and report its end; none is used while the clock runs. */
export interface Signals {
  /** One message from each process once it has warmed up. */
  ready: Queue<null>;
  /** One message to each process once all are ready: start. */
  go: Queue<null>;
  /** From each consumer the weight of its items, once it has all of them. */
  done: Queue<number>;
}

/** The number of items that one producer puts, or one consumer gets. */
export interface Share<P extends Payload | Chunk | Large = Payload> {
  payload: P;
  warmUp: number;
  count: number;
}

export async function produce(
  items: Queue<Item>,
  signals: Signals,
  share: Share,
): Promise<void> {
  const item = itemsOf(share.payload);
  for (let index = 0; index < share.warmUp; index++) {
    await items.put(item(index));
  }
  await signals.ready.put(null);
  await signals.go.get();
  for (let index = 0; index < share.count; index++) {
    await items.put(item(index));
  }
}

export async function consume(
  items: Queue<Item>,
  signals: Signals,
  share: Share,
): Promise<void> {
  for (let index = 0; index < share.warmUp; index++) weigh(await items.get());
  await signals.ready.put(null);
  // Without this a quick consumer would take the items that others still need to warm up.
  await signals.go.get();
  let weight = 0;
  for (let index = 0; index < share.count; index++) {
    weight += weigh(await items.get());
  }
  await signals.done.put(weight);
}

export function produceSync(
  items: Queue<Item>,
  signals: Signals,
  share: Share,
): void {
  const item = itemsOf(share.payload);
  for (let index = 0; index < share.warmUp; index++) items.putSync(item(index));
  signals.ready.putSync(null);
  signals.go.getSync();
  for (let index = 0; index < share.count; index++) items.putSync(item(index));
}

export function consumeSync(
  items: Queue<Item>,
  signals: Signals,
  share: Share,
): void {
  for (let index = 0; index < share.warmUp; index++) weigh(items.getSync());
  signals.ready.putSync(null);
  signals.go.getSync();
  let weight = 0;
  for (let index = 0; index < share.count; index++) {
    weight += weigh(items.getSync());
  }
  signals.done.putSync(weight);
}

/** The two queues of a conversation; `null` as a question ends the process that gets it. */
export interface Talk {
  questions: Queue<Item | null>;
  answers: Queue<Item>;
}

/** Sends back every item it gets. */
export async function answer(talk: Talk, ready: Queue<null>): Promise<void> {
  await ready.put(null);
  for (
    let item = await talk.questions.get();
    item !== null;
    item = await talk.questions.get()
  ) {
    await talk.answers.put(item);
  }
}

export function answerSync(talk: Talk, ready: Queue<null>): void {
  ready.putSync(null);
  for (
    let item = talk.questions.getSync();
    item !== null;
    item = talk.questions.getSync()
  ) {
    talk.answers.putSync(item);
  }
}

/** Puts one item at a time and waits for it to come back; reports milliseconds per item. */
export async function ask(
  talk: Talk,
  done: Queue<number>,
  share: Share<Payload | Large>,
): Promise<void> {
  const item = itemsOf(share.payload);
  for (let index = 0; index < share.warmUp; index++) {
    await talk.questions.put(item(index));
    await talk.answers.get();
  }
  const start = performance.now();
  for (let index = 0; index < share.count; index++) {
    await talk.questions.put(item(index));
    await talk.answers.get();
  }
  await done.put((performance.now() - start) / share.count);
}

export function askSync(
  talk: Talk,
  done: Queue<number>,
  share: Share<Payload | Large>,
): void {
  const item = itemsOf(share.payload);
  for (let index = 0; index < share.warmUp; index++) {
    talk.questions.putSync(item(index));
    talk.answers.getSync();
  }
  const start = performance.now();
  for (let index = 0; index < share.count; index++) {
    talk.questions.putSync(item(index));
    talk.answers.getSync();
  }
  done.putSync((performance.now() - start) / share.count);
}

/** The rest before each item, after which all waiting processes are asleep, in milliseconds. */
const REST = 1;

/**
 * Like `ask`, but all waiting processes are asleep when an item is put. Without the rest, the process that answered
 * last is still awake and takes the next item as well, and the number of other waiting processes makes no difference.
 */
export async function askAtRest(
  talk: Talk,
  done: Queue<number>,
  share: Share<Payload | Large>,
): Promise<void> {
  const item = itemsOf(share.payload);
  let total = 0;
  for (let index = -share.warmUp; index < share.count; index++) {
    await sleep(REST);
    const start = performance.now();
    await talk.questions.put(item(Math.abs(index)));
    await talk.answers.get();
    if (index >= 0) total += performance.now() - start;
  }
  await done.put(total / share.count);
}
