// Pipes of which the process at one end is killed.
//
// The messages that a killed sender has sent are received all the same: let it store `begun` before and `done` after
// each send, then the survivor receives 0 … n - 1 in order and then EOFError, and n is `done` or
// `begun`, which differ by one at most. So n is certain, but for the one message that was being sent.
// A killed receiver has got 0 … n - 1 in order; the survivor's send throws BrokenPipeError and its
// recv EOFError. An end is in one process, whatever way it was on; the holder of the other end learns of its death.

import {
  BrokenPipeError,
  type Connection,
  EOFError,
  Pipe,
  sleep,
  TimeoutError,
  wait,
} from "../../../mod.ts";
import { at } from "../states.ts";
import type { Member, Room } from "../room.ts";
import {
  giveEnds,
  type Message,
  receiveForEver,
  receiveFromMany,
  receiveFromManySync,
  sendForEver,
  takeEnds,
} from "./pipe_targets.ts";

const KILLS = 40;

/** A process that receives, for main, from the ends it is given. */
interface Hub {
  member: Member;
  control: Connection<number, Connection<Message>>;
}

/** Pipes until the time is over. */
export async function pipes(room: Room): Promise<void> {
  while (!room.isOver) {
    const { member, control } = await hub(
      room,
      room.chance(0.5) ? receiveFromMany : receiveFromManySync,
    );
    for (let kills = 0; kills < KILLS && !room.isOver; kills++) {
      if (room.chance(0.35)) await killReceiver(room);
      else await killSender(room, room.chance(0.4) ? { member, control } : undefined);
    }
    control.close();
    await room.result(member);
  }
}

async function hub(room: Room, target: typeof receiveFromMany | typeof receiveFromManySync) {
  const [control, theirs] = Pipe<number, Connection<Message>>();
  const args = [theirs as unknown as Connection<Connection<Message>, number>] as const;
  return { member: await room.survivor(target as typeof receiveFromMany, ...args), control };
}

const bounds = (room: Room) => ({ maxSize: room.chance(0.5) ? room.between(1, 20) : 0 });

async function killSender(room: Room, hub: Hub | undefined): Promise<void> {
  const [here, there] = Pipe<Message>(bounds(room));
  const isSync = room.chance(0.5), pace = room.pick([1, 3, 10]);
  const sender = await room.victim(sendForEver, [
    there as unknown as Connection<unknown, Message>,
    isSync,
    pace,
    room.between(0, 40),
  ]);
  let received: number;
  if (hub !== undefined) {
    await hub.control.send(here);
    await room.live(sender, 8);
    await room.kill(sender);
    room.step(`${hub.member.name} learns of the end of ${sender.name}`);
    received = await hub.control.recv();
    room.check(received >= 0, "a message came out of order");
  } else if (room.chance(0.1)) {
    await room.live(sender, 8);
    const killing = room.kill(sender);
    room.step(`learns of the end of ${sender.name} with its thread blocked`);
    received = receiveAllSync(room, here);
    await killing;
  } else {
    const receiving = room.chance(0.5) ? receiveAll(room, here) : receiveTimidly(room, here);
    await room.live(sender, 8);
    await room.kill(sender);
    room.step(`learns of the end of ${sender.name}`);
    received = await receiving;
  }
  const { [at.begun]: begun, [at.done]: done } = sender.words;
  room.check(
    received === done || received === begun && begun === done + 1,
    `${received} messages were received; ${done} were sent, ${begun} begun`,
  );
  if (!here.closed) {
    expect(room, () => here.sendNowait({ i: 0 }), BrokenPipeError, "send to a dead process");
    here.close();
  }
  room.count("pipe: messages", received);
  room.count("pipe: sends uncertain", begun - done);
}

/** Receives what there is; how many in order. */
async function receiveAll(room: Room, connection: Connection<Message>): Promise<number> {
  let next = 0;
  for await (const message of connection) checkMessage(room, message, next++);
  return next;
}

/** The same, by waits that end early. */
async function receiveTimidly(room: Room, connection: Connection<Message>): Promise<number> {
  let next = 0;
  for (;;) {
    try {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort("enough"), next % 3);
      try {
        const message = next % 2 === 0
          ? await connection.recv({ timeout: next % 3 })
          : await connection.recv({ signal: controller.signal });
        checkMessage(room, message, next++);
      } finally {
        clearTimeout(timer);
      }
    } catch (error) {
      if (error instanceof EOFError) return next;
      if (!(error instanceof TimeoutError || error === "enough")) throw error;
      await wait([connection], { timeout: 5 });
    }
  }
}

function receiveAllSync(room: Room, connection: Connection<Message>): number {
  let next = 0;
  try {
    for (;;) checkMessage(room, connection.recvSync(), next++);
  } catch (error) {
    if (!(error instanceof EOFError)) throw error;
    return next;
  }
}

function checkMessage(room: Room, { i, text, shared, buffer }: Message, next: number): void {
  room.check(i === next, `message ${i} came instead of ${next}`);
  const isWhole = text !== undefined
    ? text === (text.startsWith("y") ? "y".repeat(1 << 18) : "é".repeat(i % 41))
    : shared !== undefined
    ? shared[0] === i
    : buffer?.byteLength === 16;
  room.check(isWhole, `message ${i} is damaged`);
}

async function killReceiver(room: Room): Promise<void> {
  const [here, there] = Pipe<Message>(bounds(room));
  const isSync = room.chance(0.5), pace = room.pick([1, 3, 10]);
  const receiver = await room.victim(receiveForEver, [there, isSync, pace]);
  let sent = 0;
  const sending = (async () => {
    for (;;) {
      const message: Message = sent % 30 === 29
        ? { i: sent, shared: new Int32Array(new SharedArrayBuffer(4)) }
        : { i: sent, text: "t".repeat(sent % 100) };
      try {
        if (sent % 3 === 0) await here.send(message);
        else await here.send(message, { timeout: sent % 7 });
        sent++;
      } catch (error) {
        if (error instanceof BrokenPipeError) return;
        if (!(error instanceof TimeoutError)) throw error;
      }
      if (sent % 50 === 49) await sleep(1);
    }
  })();
  await room.live(receiver, 8);
  await room.kill(receiver);
  room.step(`learns of the end of ${receiver.name}`);
  await sending;
  expect(room, () => here.sendNowait({ i: 0 }), BrokenPipeError, "send to a dead process");
  await here.recv().then(
    () => room.check(false, "a message came from one who sends none"),
    (error) => room.check(error instanceof EOFError, `${error} instead of EOFError`),
  );
  here.close();
  const { [at.begun]: begun, [at.done]: done, [at.wrong]: wrong } = receiver.words;
  room.check(wrong === 0, `${receiver.name} received ${wrong} messages out of order`);
  room.check(done <= sent + 1, `${done} were received of ${sent} that were sent`);
  room.check(begun - done <= 1, "the victim's words are wrong");
  room.count("pipe: messages", done);
}

function expect(
  room: Room,
  call: () => unknown,
  kind: new (...args: never[]) => Error,
  what: string,
): void {
  try {
    call();
  } catch (error) {
    room.check(error instanceof kind, `${what} threw ${error} instead of ${kind.name}`);
    return;
  }
  room.check(false, `${what} did not throw ${kind.name}`);
}

/** Pipes whose ends are on their way when a process is killed, until the time is over. */
export async function ends(room: Room): Promise<void> {
  while (!room.isOver) {
    if (room.chance(0.5)) await killGiver(room);
    else await killTaker(room);
  }
}

async function killGiver(room: Room): Promise<void> {
  const [here, there] = Pipe<{ end: Connection<number>[] }>(bounds(room));
  const giver = await room.victim(giveEnds, [
    there as unknown as Connection<unknown, { end: Connection<number>[] }>,
    room.pick([1, 2, 5]),
  ]);
  const all: Promise<number>[] = [];
  const receiving = (async () => {
    for await (const { end: [end] } of here) all.push(prefix(room, end));
  })();
  await room.live(giver, 8);
  await room.kill(giver);
  room.step(`learns that ${giver.name} sends no more ends`);
  await receiving;
  const { [at.begun]: begun, [at.done]: done } = giver.words;
  room.check(all.length === begun || all.length === done, `${all.length} ends came of ${done}`);
  room.step(`learns on ${all.length} ends that ${giver.name} has ended`);
  const sent = await Promise.all(all);
  // The last one may have been sent without what comes after it.
  for (const [i, count] of sent.entries()) {
    room.check(count === 3 || i >= done, `${count} messages came on end ${i} of ${done}`);
  }
  here.close();
  room.count("pipe: ends handed over", all.length);
}

/** Receives 0, 1 … as far as it goes, and closes the end. */
async function prefix(room: Room, end: Connection<number>): Promise<number> {
  let next = 0;
  for await (const i of end) room.check(i === next++, `${i} came instead of ${next - 1}`);
  end.close();
  return next;
}

async function killTaker(room: Room): Promise<void> {
  const [here, there] = Pipe<Connection<number>>(bounds(room));
  const taker = await room.victim(takeEnds, [there, room.chance(0.5)]);
  const mine: Connection<number>[] = [];
  const all: Promise<number>[] = [];
  let sent = 0;
  const sending = (async () => {
    for (; sent < 200; sent++) {
      const [end, other] = Pipe<number>();
      mine.push(end);
      all.push(prefix(room, end));
      try {
        await here.send(other);
      } catch (error) {
        other.close();
        if (!(error instanceof BrokenPipeError)) throw error;
        return;
      }
      if (sent % 4 === 3) await sleep(1);
    }
  })();
  await room.live(taker, 8);
  await room.kill(taker);
  room.step(`learns that ${taker.name} takes no more ends`);
  await sending;
  room.step(`learns on ${all.length} ends that ${taker.name} has ended`);
  const counts = await Promise.all(all);
  const done = taker.words[at.done];
  for (const [i, count] of counts.entries()) {
    room.check(i >= done || count === 3, `${count} messages came on end ${i} of ${done}`);
  }
  here.close();
  room.count("pipe: ends handed over", done);
  room.count("pipe: ends lost with who was to receive them", counts.length - done);
}
