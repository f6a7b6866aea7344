// Targets that have an end of a pipe: see queue_targets.ts for the terms.

import { BrokenPipeError, type Connection, EOFError, Pipe } from "../../../mod.ts";
import type { At, States } from "../states.ts";

/** A message of sendForEver(). */
export type Message = { i: number; text?: string; shared?: Int32Array; buffer?: ArrayBuffer };

/** Sends 0, 1 … for ever, in all the ways a message can travel. */
export async function sendForEver(
  words: Int32Array,
  at: At,
  is: States,
  connection: Connection<unknown, Message>,
  isSync: boolean,
  pace: number,
  first: number,
): Promise<never> {
  for (let i = 0;; i++) {
    const kind = (first + i) % 41;
    const message: Message = kind === 7
      ? { i, shared: new Int32Array(new SharedArrayBuffer(4)).fill(i) }
      : kind === 13
      ? { i, buffer: new ArrayBuffer(16) }
      : kind === 19
      ? { i, text: "y".repeat(1 << 18) }
      : { i, text: "é".repeat(i % 41) };
    const transfer = message.buffer === undefined ? undefined : [message.buffer];
    Atomics.store(words, at.begun, i + 1);
    Atomics.store(words, at.state, kind === 19 ? is.big : isSync ? is.sync : is.async);
    if (isSync) connection.sendSync(message, { transfer });
    else await connection.send(message, { transfer });
    Atomics.store(words, at.done, i + 1);
    Atomics.store(words, at.state, is.computing);
    if (i % pace !== 0) continue;
    Atomics.store(words, at.state, isSync ? is.sync : is.async);
    if (isSync) connection.pollSync({ timeout: 1 });
    else await connection.poll({ timeout: 1 });
  }
}

/** Receives 0, 1 … for ever. */
export async function receiveForEver(
  words: Int32Array,
  at: At,
  is: States,
  connection: Connection<Message>,
  isSync: boolean,
  pace: number,
): Promise<never> {
  for (let next = 0;; next++) {
    Atomics.store(words, at.begun, next + 1);
    Atomics.store(words, at.state, isSync ? is.sync : is.async);
    const { i } = isSync ? connection.recvSync() : await connection.recv();
    if (i !== next) Atomics.add(words, at.wrong, 1);
    Atomics.store(words, at.done, next + 1);
    Atomics.store(words, at.state, is.computing);
    if (i % pace === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Receives 0, 1 … from each end it is given, at the same time; says how many there were. */
export async function receiveFromMany(
  _words: Int32Array,
  _at: At,
  _is: States,
  control: Connection<Connection<Message>, number>,
): Promise<void> {
  const receive = async (connection: Connection<Message>) => {
    let next = 0;
    for await (const { i } of connection) if (i !== next++) return -1;
    connection.close();
    return next;
  };
  const all: Promise<void>[] = [];
  for await (const connection of control) {
    all.push(receive(connection).then((count) => control.send(count)));
  }
  await Promise.all(all);
}

/** The same, one after the other, with the thread blocked. */
export function receiveFromManySync(
  _words: Int32Array,
  _at: At,
  _is: States,
  control: Connection<Connection<Message>, number>,
): void {
  const receive = (connection: Connection<Message>) => {
    let next = 0;
    try {
      for (;;) if (connection.recvSync().i !== next++) return -1;
    } catch (error) {
      if (!(error instanceof EOFError)) throw error;
    }
    connection.close();
    return next;
  };
  try {
    for (;;) control.sendSync(receive(control.recvSync()));
  } catch (error) {
    if (!(error instanceof EOFError || error instanceof BrokenPipeError)) throw error;
  }
}

/** Makes pipes for ever and sends away one end of each; on the other it has sent 0, 1, 2. */
export async function giveEnds(
  words: Int32Array,
  at: At,
  is: States,
  connection: Connection<unknown, { end: Connection<number>[] }>,
  pace: number,
): Promise<never> {
  const kept: Connection<number>[] = [];
  for (let i = 0;; i++) {
    const [mine, other] = Pipe<number>();
    Atomics.store(words, at.begun, i + 1);
    Atomics.store(words, at.state, is.handing);
    const before = i % 4;
    for (let j = 0; j < before; j++) mine.sendNowait(j);
    await connection.send({ end: [other] });
    for (let j = before; j < 3; j++) mine.sendNowait(j);
    Atomics.store(words, at.done, i + 1);
    Atomics.store(words, at.state, is.async);
    if (i % 3 === 0) mine.close();
    else kept.push(mine);
    if (i % pace === 0) await connection.poll({ timeout: 1 });
  }
}

/** Receives ends for ever, sends 0, 1, 2 on each and keeps it; every third it sends on to itself. */
export async function takeEnds(
  words: Int32Array,
  at: At,
  is: States,
  connection: Connection<Connection<number>>,
  isSync: boolean,
): Promise<never> {
  const kept: Connection<number>[] = [];
  const [here, there] = Pipe<Connection<number>>();
  for (let i = 0;; i++) {
    Atomics.store(words, at.state, isSync ? is.sync : is.async);
    let end = isSync ? connection.recvSync() : await connection.recv();
    Atomics.store(words, at.state, is.handing);
    if (i % 3 === 0) {
      here.sendNowait(end);
      end = await there.recv();
    }
    for (let j = 0; j < 3; j++) end.sendNowait(j);
    kept.push(end);
    Atomics.store(words, at.done, i + 1);
  }
}
