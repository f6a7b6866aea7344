/**
 * The targets of pipe_bench.ts, like those of targets.ts for the queues: the children import
 * them; there is one for each face of Connection.
 */
import type { Connection, Queue } from "../mod.ts";
import { type Chunk, chunksOf, type Item, itemsOf, type Payload, weigh } from "./payloads.ts";
import type { Share, Signals } from "./targets.ts";

/** The URL of this module, for the option `module` of a Process. */
export const TARGETS: string = import.meta.url;

type AnyShare = Share<Payload | Chunk>;

export function produce(
  connection: Connection<Item>,
  signals: Signals,
  share: Share,
): Promise<void> {
  return produceAll(itemsOf(share.payload), (item) => connection.send(item), signals, share);
}

export function consume(
  connection: Connection<Item>,
  signals: Signals,
  share: Share,
): Promise<void> {
  return consumeAll(() => connection.recv(), signals, share);
}

export function produceSync(
  connection: Connection<Item>,
  signals: Signals,
  share: Share,
): void {
  produceAllSync(itemsOf(share.payload), (item) => connection.sendSync(item), signals, share);
}

export function consumeSync(
  connection: Connection<Item>,
  signals: Signals,
  share: Share,
): void {
  consumeAllSync(() => connection.recvSync(), signals, share);
}

export function produceBytes(
  connection: Connection<Item>,
  signals: Signals,
  share: Share<Chunk>,
): Promise<void> {
  return produceAll(
    chunksOf(share.payload),
    (chunk) => connection.sendBytes(chunk),
    signals,
    share,
  );
}

export function consumeBytes(
  connection: Connection<Item>,
  signals: Signals,
  share: Share<Chunk>,
): Promise<void> {
  return consumeAll(() => connection.recvBytes(), signals, share);
}

export function produceBytesSync(
  connection: Connection<Item>,
  signals: Signals,
  share: Share<Chunk>,
): void {
  produceAllSync(
    chunksOf(share.payload),
    (chunk) => connection.sendBytesSync(chunk),
    signals,
    share,
  );
}

export function consumeBytesSync(
  connection: Connection<Item>,
  signals: Signals,
  share: Share<Chunk>,
): void {
  consumeAllSync(() => connection.recvBytesSync(), signals, share);
}

// A process runs one of these with one `send` or `recv`, so the call is as cheap as a direct one.

async function produceAll<T>(
  item: (index: number) => T,
  send: (item: T) => Promise<void>,
  signals: Signals,
  share: AnyShare,
): Promise<void> {
  for (let index = 0; index < share.warmUp; index++) await send(item(index));
  await signals.ready.put(null);
  await signals.go.get();
  for (let index = 0; index < share.count; index++) await send(item(index));
}

async function consumeAll(
  recv: () => Promise<Item>,
  signals: Signals,
  share: AnyShare,
): Promise<void> {
  for (let index = 0; index < share.warmUp; index++) weigh(await recv());
  await signals.ready.put(null);
  let weight = 0;
  for (let index = 0; index < share.count; index++) weight += weigh(await recv());
  await signals.done.put(weight);
}

function produceAllSync<T>(
  item: (index: number) => T,
  send: (item: T) => void,
  signals: Signals,
  share: AnyShare,
): void {
  for (let index = 0; index < share.warmUp; index++) send(item(index));
  signals.ready.putSync(null);
  signals.go.getSync();
  for (let index = 0; index < share.count; index++) send(item(index));
}

function consumeAllSync(recv: () => Item, signals: Signals, share: AnyShare): void {
  for (let index = 0; index < share.warmUp; index++) weigh(recv());
  signals.ready.putSync(null);
  let weight = 0;
  for (let index = 0; index < share.count; index++) weight += weigh(recv());
  signals.done.putSync(weight);
}

/** Sends back every item it receives, until it receives `null`. */
export async function answer(connection: Connection<Item | null, Item>): Promise<void> {
  for (let item = await connection.recv(); item !== null; item = await connection.recv()) {
    await connection.send(item);
  }
}

export function answerSync(connection: Connection<Item | null, Item>): void {
  for (let item = connection.recvSync(); item !== null; item = connection.recvSync()) {
    connection.sendSync(item);
  }
}

/** Sends one item at a time and waits for it to come back; reports milliseconds per item. */
export async function ask(
  connection: Connection<Item, Item | null>,
  done: Queue<number>,
  share: Share,
): Promise<void> {
  const item = itemsOf(share.payload);
  for (let index = 0; index < share.warmUp; index++) {
    await connection.send(item(index));
    await connection.recv();
  }
  const start = performance.now();
  for (let index = 0; index < share.count; index++) {
    await connection.send(item(index));
    await connection.recv();
  }
  await done.put((performance.now() - start) / share.count);
  await connection.send(null);
}

export function askSync(
  connection: Connection<Item, Item | null>,
  done: Queue<number>,
  share: Share,
): void {
  const item = itemsOf(share.payload);
  for (let index = 0; index < share.warmUp; index++) {
    connection.sendSync(item(index));
    connection.recvSync();
  }
  const start = performance.now();
  for (let index = 0; index < share.count; index++) {
    connection.sendSync(item(index));
    connection.recvSync();
  }
  done.putSync((performance.now() - start) / share.count);
  connection.sendSync(null);
}

/** The array that is moved from one process to the other and back. */
export type Ball = Float64Array<ArrayBuffer>;

/** The length of the ball, and how many times it is thrown and thrown back. */
export interface Game {
  length: number;
  warmUp: number;
  count: number;
}

/** Makes a ball. Every page is written to, so that there is memory to move. */
export function newBall(length: number): Ball {
  return new Float64Array(length).fill(1);
}

/** Throws an error if this isn't the ball that was sent. */
export function checkBall(ball: Ball, length: number): void {
  if (ball.length === length && ball[0] === 1 && ball[length - 1] === 1) return;
  throw new Error(`An array of ${length} numbers came back as one of ${ball.length}.`);
}

/**
 * The tenth percentile: nine in ten of these times exceed it. When a large buffer arrives in an isolate with little
 * on its heap, V8 sees the heap grow many times over, and often collects garbage for some milliseconds: the median
 * measures the move on one day, and the collector on another.
 */
export function undisturbed(times: number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 10)];
}

/** Sends back every ball it receives, until it receives `null`. */
export async function throwBack(connection: Connection<Ball | null, Ball>): Promise<void> {
  for (let ball = await connection.recv(); ball !== null; ball = await connection.recv()) {
    await connection.send(ball, { transfer: [ball.buffer] });
  }
}

export function throwBackSync(connection: Connection<Ball | null, Ball>): void {
  for (let ball = connection.recvSync(); ball !== null; ball = connection.recvSync()) {
    connection.sendSync(ball, { transfer: [ball.buffer] });
  }
}

/** Moves an array there and back; reports milliseconds per hop, two of which make one time. */
export async function throwBall(
  connection: Connection<Ball, Ball | null>,
  done: Queue<number>,
  { length, warmUp, count }: Game,
): Promise<void> {
  const times: number[] = [];
  let ball = newBall(length);
  for (let index = 0; index < warmUp + count; index++) {
    const start = performance.now();
    await connection.send(ball, { transfer: [ball.buffer] });
    ball = await connection.recv();
    times.push(performance.now() - start);
  }
  checkBall(ball, length);
  await done.put(undisturbed(times.slice(warmUp)) / 2);
  await connection.send(null);
}

export function throwBallSync(
  connection: Connection<Ball, Ball | null>,
  done: Queue<number>,
  { length, warmUp, count }: Game,
): void {
  const times: number[] = [];
  let ball = newBall(length);
  for (let index = 0; index < warmUp + count; index++) {
    const start = performance.now();
    connection.sendSync(ball, { transfer: [ball.buffer] });
    ball = connection.recvSync();
    times.push(performance.now() - start);
  }
  checkBall(ball, length);
  done.putSync(undisturbed(times.slice(warmUp)) / 2);
  connection.sendSync(null);
}
