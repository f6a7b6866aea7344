// Targets of the tests of pipes; the same terms as in queue_targets.ts.

import {
  BrokenPipeError,
  type Connection,
  EOFError,
  InvalidStateError,
  type JoinableQueue,
  Pipe,
  Process,
  type Queue,
  TimeoutError,
  wait,
} from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

// deno-lint-ignore no-explicit-any -- what a test sends is its own business
type AnyConnection = Connection<any>;

/** Gives back what it is given. */
export function give<T>(value: T): T {
  return value;
}

/** Sends back each message, until there are no more. */
export async function echo(connection: AnyConnection) {
  for await (const message of connection) await connection.send(message);
}

/** The same with the blocking face. */
export function echoSync(connection: AnyConnection) {
  try {
    for (;;) connection.sendSync(connection.recvSync());
  } catch (error) {
    if (!(error instanceof EOFError)) throw error;
  }
}

/** Sends back each message, transferred. */
export async function echoTransferred(connection: AnyConnection) {
  for await (const message of connection) await connection.send(message, { transfer: [message] });
}

/** Sends 0, 1 … count - 1. */
export async function count(connection: AnyConnection, count: number) {
  for (let i = 0; i < count; i++) await connection.send(i);
}

/** The same with the blocking face. */
export function countSync(connection: AnyConnection, count: number) {
  for (let i = 0; i < count; i++) connection.sendSync(i);
}

/** Receives 0, 1 … until there are no more; returns how many there were. */
export async function receive(connection: AnyConnection): Promise<number> {
  let next = 0;
  for await (const i of connection) {
    if (i !== next) throw new Error(`${i} came instead of ${next}`);
    next++;
  }
  return next;
}

/** The same with the blocking face. */
export function receiveSync(connection: AnyConnection): number {
  let next = 0;
  try {
    for (;;) {
      const i = connection.recvSync();
      if (i !== next) throw new Error(`${i} came instead of ${next}`);
      next++;
    }
  } catch (error) {
    if (!(error instanceof EOFError)) throw error;
  }
  return next;
}

/** Sends on what it receives, until there are no more. */
export async function forward(from: AnyConnection, to: AnyConnection) {
  for await (const message of from) await to.send(message);
}

/** The same with the blocking face. */
export function forwardSync(from: AnyConnection, to: AnyConnection) {
  try {
    for (;;) to.sendSync(from.recvSync());
  } catch (error) {
    if (!(error instanceof EOFError)) throw error;
  }
}

/** Sends each number, asks for one back, `count` times. */
export async function pingPong(connection: AnyConnection, count: number): Promise<number> {
  for (let i = 0; i < count; i++) {
    await connection.send(i);
    const answer = await connection.recv();
    if (answer !== i) throw new Error(`${answer} came instead of ${i}`);
  }
  return count;
}

/** The same with the blocking face. */
export function pingPongSync(connection: AnyConnection, count: number): number {
  for (let i = 0; i < count; i++) {
    connection.sendSync(i);
    const answer = connection.recvSync();
    if (answer !== i) throw new Error(`${answer} came instead of ${i}`);
  }
  return count;
}

/** How a process ends that has an end. */
export type Ending =
  | "close"
  | "return"
  | "throw"
  | "reject"
  | "exit"
  | "spin"
  | "block"
  | "wait";

/** Sends three messages, the second of them posted, says so, and ends in a way, or never. */
export async function sendAndEnd(connection: AnyConnection, how: Ending, ready: Queue<string>) {
  connection.sendNowait(0);
  connection.sendNowait(new Int32Array(new SharedArrayBuffer(4)));
  connection.sendNowait("x".repeat(400_000));
  if (how === "close") connection.close();
  ready.putSync("sent");
  switch (how) {
    case "close":
      return await new Promise(() => setInterval(() => {}, 1000));
    case "return":
      return;
    case "throw":
      throw new Error("as it was told to");
    case "reject":
      Promise.reject(new Error("as it was told to"));
      return await new Promise(() => setInterval(() => {}, 1000));
    case "exit":
      return Deno.exit(3);
    case "spin":
      for (;;);
    case "block":
      return connection.recvSync();
    case "wait":
      return await connection.recv();
  }
}

/** What the calls of an end whose other end is gone have thrown, by their names. */
export async function learn(connection: AnyConnection, blocking: boolean): Promise<string[]> {
  const nameOf = (error: unknown) =>
    error instanceof EOFError || error instanceof BrokenPipeError ? error.name : `${error}`;
  const names: string[] = [];
  if (blocking) {
    try {
      for (;;) connection.recvSync();
    } catch (error) {
      names.push(nameOf(error));
    }
    try {
      connection.sendSync(0);
    } catch (error) {
      names.push(nameOf(error));
    }
    return names;
  }
  try {
    for (;;) await connection.recv();
  } catch (error) {
    names.push(nameOf(error));
  }
  return [...names, await connection.send(0).then(() => "sent", nameOf)];
}

/** Sends back one message, and ends. */
export function sendBack(connection: AnyConnection) {
  connection.sendNowait(connection.recvSync());
}

/** Gives its end to a child of its own that sends back what it gets, and does nothing more. */
export async function giveAndIgnore(
  connection: AnyConnection,
  ready: Queue<string>,
  daemon = false,
): Promise<never> {
  const child = new Process({
    target: async function echo(connection: AnyConnection, ready: Queue<string>) {
      await ready.put("ready");
      for await (const message of connection) await connection.send(message);
      await ready.put("child ended");
    },
    args: [connection, ready],
    by: "source",
    daemon,
  });
  child.start();
  return await new Promise(() => setInterval(() => {}, 1000));
}

/** Receives a message and says of each place whether it holds a usable connection or queue. */
export async function useHandedOver(connection: AnyConnection) {
  const { own, queue, joinable, places } = await connection.recv();
  await own.send("through my own");
  await queue.put("through the queue");
  await joinable.get();
  joinable.taskDone();
  let sent = 0;
  const all: AnyConnection[] = [
    places.array[1],
    places.map.get("key"),
    ...places.keys.keys(),
    ...places.set,
    places.deep[0].deeper.deepest[0],
    places.bare.connection,
  ];
  for (const one of all) one.sendNowait(sent++);
  await connection.send({
    twice: places.twice[0] === places.twice[1] && places.twice[0] === own,
    cycle: places.itself === places,
    bare: Object.getPrototypeOf(places.bare) === Object.prototype,
    sent,
  });
}

/** Receives from the end in each place what says which place it is. */
export async function receiveFromAll(places: {
  array: AnyConnection[];
  map: Map<string, AnyConnection>;
  set: Set<AnyConnection>;
  deep: { list: { connection: AnyConnection }[] };
  itself?: unknown;
}): Promise<unknown[]> {
  const ends = [
    places.array[0],
    places.map.get("key")!,
    ...places.set,
    places.deep.list[0].connection,
  ];
  const got: unknown[] = [places.itself === places];
  for (const end of ends) got.push(await end.recv());
  return got;
}

/** Gives its end to a child of its own, and returns what that one says. */
export async function giveOn(
  connection: AnyConnection,
  depth: number,
): Promise<[string, ...unknown[]]> {
  if (depth === 0) {
    const received = await connection.recv();
    await connection.send(`${received} from the deep`);
    return ["received", received];
  }
  const child = new Process<[AnyConnection, number], [string, ...unknown[]]>({
    target: giveOn,
    args: [connection, depth - 1],
  });
  child.start();
  const closed = connection.closed;
  let why = "";
  try {
    connection.sendNowait("from the parent");
  } catch (error) {
    if (error instanceof InvalidStateError) why = error.message;
  }
  return ["gave on", closed, why.includes(`given to ${child.name}`), ...await child.result()];
}

/** Makes a pipe for its child and itself, and returns what went there and back. */
export async function talkToChild(text: string): Promise<string> {
  const [own, other] = Pipe<string>();
  const child = new Process({
    target: async function answer(connection: Connection<string>) {
      await connection.send(`${await connection.recv()} and back`);
    },
    args: [other],
    by: "source",
  });
  child.start();
  await own.send(text);
  return await own.recv();
}

/** Sends three messages into a new pipe and returns the other end. */
export async function makeEnd(count: number): Promise<Map<string, AnyConnection>> {
  const [own, other] = Pipe<number>();
  for (let i = 0; i < count; i++) await own.send(i);
  return new Map([["end", other]]);
}

/** Receives an end through its own, and another one through that, and so on: the last one answers. */
export async function unwrap(connection: AnyConnection, depth: number): Promise<void> {
  let inner = connection;
  for (let i = 0; i < depth; i++) inner = await inner.recv();
  await inner.send("from within");
}

/** Receives ends and closes them, or lets them be; waits until there are no more. */
export async function collect(connection: AnyConnection, closing: boolean): Promise<number> {
  const ends: AnyConnection[] = [];
  for await (const message of connection) {
    const end = message.deep === undefined ? message : message.deep[0];
    if (closing) end.close();
    ends.push(end);
  }
  return ends.length;
}

/** Leaves everything it was given unread for ever. */
export async function ignore(_given: unknown, ready: Queue<string>): Promise<never> {
  ready.putSync("here");
  return await new Promise(() => setInterval(() => {}, 1000));
}

/** Writes into shared memory that it was sent, and waits for the answer there. */
export async function shareMemory(connection: AnyConnection): Promise<number> {
  const { words, again }: { words: Int32Array; again: SharedArrayBuffer } = await connection.recv();
  if (words.buffer !== again) throw new Error("one buffer has become two");
  Atomics.store(words, 0, 7);
  Atomics.notify(words, 0);
  Atomics.wait(words, 1, 0, 20_000);
  return Atomics.load(words, 1);
}

/** Says what there is to say of a large buffer: its length and some bytes of it; sends it back. */
export async function inspectBuffer(connection: AnyConnection): Promise<void> {
  const buffer: ArrayBuffer = await connection.recv();
  const bytes = new Uint8Array(buffer);
  const seen = [bytes.length, bytes[0], bytes[bytes.length >> 1], bytes[bytes.length - 1]];
  bytes[1] = 99;
  await connection.send({ seen, buffer }, { transfer: [buffer] });
}

/** Answers on a port it is sent, and sends a stream of three chunks. */
export async function usePortAndStreams(connection: AnyConnection): Promise<string[]> {
  const { port, readable, writable } = await connection.recv() as {
    port: MessagePort;
    readable: ReadableStream<string>;
    writable: WritableStream<string>;
  };
  port.postMessage("through the port");
  port.close();
  const chunks: string[] = [];
  for await (const chunk of readable) chunks.push(chunk);
  const writer = writable.getWriter();
  for (const chunk of chunks) await writer.write(chunk.toUpperCase());
  await writer.close();
  return chunks;
}

/** Transforms numbers as a part of a stream, until the other side has written the last one. */
export async function double(connection: AnyConnection) {
  for await (const n of connection) await connection.send(2 * n);
}

/** The same, with the streams of the connection. */
export async function doubleByStreams(connection: AnyConnection) {
  await connection.readable
    .pipeThrough(new TransformStream({ transform: (n, out) => out.enqueue(2 * n) }))
    .pipeTo(connection.writable);
}

/** Receives `count` messages and then nothing, until it is told to go on. */
export async function receiveSome(
  connection: AnyConnection,
  count: number,
  done: Queue<string>,
): Promise<never> {
  for (let i = 0; i < count; i++) await connection.recv();
  done.putSync("done");
  return await new Promise(() => setInterval(() => {}, 1000));
}

/** Sends 0, 1 … for ever; counts in `sent` those of which the call has returned. */
export async function sendForEver(connection: AnyConnection, sent: Int32Array, seed: number) {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0;; i++) {
    const kind = (i * 7 + seed) % 61;
    if (kind === 0) await connection.send({ i, shared });
    else if (kind === 1) {
      const buffer = new ArrayBuffer(16);
      await connection.send({ i, buffer }, { transfer: [buffer] });
    } else if (kind === 2 && i % 5 === 0) await connection.send({ i, text: "y".repeat(300_000) });
    else if (kind === 3) connection.sendSync({ i, text: "é".repeat(i % 2000) });
    else await connection.send({ i });
    Atomics.store(sent, 0, i + 1);
  }
}

/** The same with the blocking face. */
export function sendForEverSync(connection: AnyConnection, sent: Int32Array, seed: number) {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0;; i++) {
    const kind = (i * 7 + seed) % 61;
    if (kind === 0) connection.sendSync({ i, shared });
    else if (kind === 1) {
      const buffer = new ArrayBuffer(16);
      connection.sendSync({ i, buffer }, { transfer: [buffer] });
    } else if (kind === 2 && i % 5 === 0) connection.sendSync({ i, text: "y".repeat(300_000) });
    else connection.sendSync({ i, text: "é".repeat(kind) });
    Atomics.store(sent, 0, i + 1);
  }
}

/**
 * Receives 0, 1 … until there are no more; in `got` it counts how many there were and says whether
 * one was wrong. Returns when, by the clock, the last one came, and when it learnt that it was.
 */
export async function receiveForEver(
  connection: AnyConnection,
  got: Int32Array,
): Promise<[last: number, learnt: number]> {
  let next = 0, last = 0;
  for await (const { i } of connection) {
    last = Date.now();
    if (i !== next) Atomics.store(got, 1, 1);
    Atomics.store(got, 0, ++next);
  }
  return [last, Date.now()];
}

/** The same with the blocking face. */
export function receiveForEverSync(
  connection: AnyConnection,
  got: Int32Array,
): [last: number, learnt: number] {
  let next = 0, last = 0;
  try {
    for (;;) {
      const { i } = connection.recvSync();
      last = Date.now();
      if (i !== next) Atomics.store(got, 1, 1);
      Atomics.store(got, 0, ++next);
    }
  } catch (error) {
    if (!(error instanceof EOFError)) throw error;
  }
  return [last, Date.now()];
}

/** Sends until nobody receives any more; returns when, by the clock, it learnt that. */
export async function sendUntilBroken(connection: AnyConnection, sent: Int32Array) {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  try {
    for (let i = 0;; i++) {
      await connection.send(i % 50 === 49 ? { i, shared } : { i });
      Atomics.store(sent, 0, i + 1);
    }
  } catch (error) {
    if (!(error instanceof BrokenPipeError)) throw error;
  }
  return Date.now();
}

/** The same with the blocking face. */
export function sendUntilBrokenSync(connection: AnyConnection, sent: Int32Array) {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  try {
    for (let i = 0;; i++) {
      connection.sendSync(i % 50 === 49 ? { i, shared } : { i });
      Atomics.store(sent, 0, i + 1);
    }
  } catch (error) {
    if (!(error instanceof BrokenPipeError)) throw error;
  }
  return Date.now();
}

/** The number that a message of wander() carries in its own way. */
export function numberIn(message: unknown): number {
  if (typeof message === "number") return message;
  if (message instanceof ArrayBuffer) return new Int32Array(message)[0];
  if (message instanceof Uint8Array) return new Int32Array(message.buffer)[0];
  return message instanceof Int32Array ? message[0] : (message as { i: number }).i;
}

/** An end that wanders from process to process, with what whoever has it must know. */
export interface Wanderer {
  /** The same of both ends of a pipe. */
  id: number;
  connection: AnyConnection;
  sends: boolean;
  /** The next number it sends or expects. */
  next: number;
  /** How many more times it is handed on. */
  hops: number;
}

/**
 * Does a little with each end that comes from a neighbour, and hands it on; those that have
 * wandered enough go to the first neighbour, who collects them. Ends when that one closes.
 */
export async function wander(neighbours: Connection<Wanderer>[], seed: number): Promise<number> {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const numberIn = (message: unknown): number => {
    if (typeof message === "number") return message;
    if (message instanceof ArrayBuffer) return new Int32Array(message)[0];
    if (message instanceof Uint8Array) return new Int32Array(message.buffer)[0];
    return message instanceof Int32Array ? message[0] : (message as { i: number }).i;
  };
  const open = new Set(neighbours);
  let handed = 0;
  for (;;) {
    const ready = await wait(open);
    for (const neighbour of ready) {
      let wanderer: Wanderer;
      try {
        wanderer = neighbour.recvNowait();
      } catch (error) {
        if (!(error instanceof EOFError)) throw error;
        if (neighbour === neighbours[0]) return handed;
        open.delete(neighbour);
        continue;
      }
      const { connection } = wanderer;
      const check = (message: unknown) => {
        const i = numberIn(message);
        if (i !== wanderer.next) throw new Error(`${i} came instead of ${wanderer.next}`);
        wanderer.next++;
      };
      try {
        if (wanderer.sends) {
          for (let left = random(60); left > 0; left--) {
            const i = wanderer.next;
            const kind = random(40);
            if (kind === 0) {
              const { buffer } = Int32Array.of(i);
              await connection.send(buffer, { transfer: [buffer], timeout: random(2) });
            } else if (kind === 1) {
              connection.sendNowait(new Int32Array(new SharedArrayBuffer(4)).fill(i));
            } else if (kind === 2) {
              connection.sendSync({ i, long: "z".repeat(random(2) * 300_000) }, { timeout: 1 });
            } else if (kind === 3) connection.sendBytesSync(Int32Array.of(i), { timeout: 1 });
            else connection.sendNowait(i);
            wanderer.next++;
          }
        } else {
          for (let left = random(80); left > 0; left--) {
            const face = random(4);
            if (face === 0) check(await connection.recv({ timeout: random(2) }));
            else if (face === 1) check(connection.recvSync({ timeout: random(2) }));
            else check(connection.recvNowait());
          }
        }
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
      if (!wanderer.sends) {
        // Who still waits when the end goes on takes nothing with him.
        const waiting = connection.recv();
        if (connection.statistics().waiting === 0) check(await waiting);
        else {
          waiting.then(() => {
            throw new Error("a message came for an end that has moved");
          }, () => {});
        }
      }
      const to = wanderer.hops-- > 0 ? neighbours[random(neighbours.length)] : neighbours[0];
      await to.send(wanderer);
      handed++;
    }
  }
}

/** Puts one item, and waits for the end of its connection. */
export async function putOne(queue: Queue<number>, connection: AnyConnection) {
  queue.putNowait(1);
  await connection.poll();
}

/** Waits at several objects and takes nothing of any; how often there was something. */
export async function lookOnly(
  control: Connection<string>,
  others: [AnyConnection, Queue<string>, JoinableQueue<string>],
): Promise<number> {
  await control.send("looking");
  for (let seen = 0;; seen++) {
    for (const ready of await wait<object>([control, ...others])) {
      if (ready === control) return seen;
    }
    // Somebody else takes it.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Waits at several objects until told to stop; what it was told by them, in order. */
export async function waitAtAll(
  control: Connection<string>,
  others: [AnyConnection, Queue<string>, JoinableQueue<string>],
): Promise<string[]> {
  const told: string[] = [];
  const [connection, queue, joinable] = others;
  for (;;) {
    for (const ready of await wait<object>([control, ...others])) {
      if (ready === control) return told;
      if (ready === connection) told.push(`connection ${connection.recvNowait()}`);
      if (ready === queue) told.push(`queue ${queue.getNowait()}`);
      if (ready === joinable) {
        told.push(`joinable ${joinable.getNowait()}`);
        joinable.taskDone();
      }
    }
    await control.send("told");
  }
}

/** Makes pipes, uses and closes them, again and again. */
export function churnPipes(rounds: number): number {
  let right = 0;
  for (let i = 0; i < rounds; i++) {
    const [a, b] = Pipe<number>();
    a.sendNowait(i);
    if (b.recvNowait() === i) right++;
    b.close();
    try {
      a.sendNowait(i);
    } catch (error) {
      if (error instanceof BrokenPipeError) right++;
    }
    a.close();
  }
  return right;
}

/** A process with a run() that has its end as a field. */
export class Answerer extends Process<[], Promise<string>> {
  readonly connection: Connection<string>;
  constructor(connection: Connection<string>) {
    super({ module: import.meta.url });
    this.connection = connection;
  }
  override async run(): Promise<string> {
    const asked = await this.connection.recv();
    await this.connection.send(`answer to ${asked}`);
    return asked;
  }
}

/** Sends in a recursion that never ends, until the stack is full; then says that all is usable. */
export async function overflowSending(connection: AnyConnection): Promise<string> {
  const recurse = (i: number): number => {
    connection.sendNowait(i);
    return recurse(i + 1) + 1;
  };
  try {
    recurse(0);
  } catch {
    connection.sendNowait("usable");
  }
  let last: unknown;
  while (typeof (last = await connection.recv()) !== "string");
  return `${last}`;
}

/** The same with receives. */
export async function overflowReceiving(connection: AnyConnection): Promise<string> {
  const recurse = (): number => {
    connection.recvNowait();
    return recurse() + 1;
  };
  try {
    recurse();
  } catch {
    connection.sendNowait("usable");
  }
  let last: unknown;
  while (typeof (last = await connection.recv()) !== "string");
  return `${last}`;
}

/** Receives bytes into a buffer whose room is `room`, one way or the other; returns what is there then. */
export async function receiveInto(
  connection: AnyConnection,
  room: number,
  face: "async" | "sync",
): Promise<number[]> {
  const buffer = new Uint8Array(room);
  if (face === "async") await connection.recvBytesInto(buffer);
  else connection.recvBytesIntoSync(buffer);
  return [...buffer];
}
