// Ends that move: to processes, through pipes, together with the messages on their way to them; and the object that
// stays behind.

import assert from "node:assert/strict";
import {
  type Connection,
  InvalidStateError,
  Pipe,
  Process,
  TimeoutError,
  wait,
} from "../../mod.ts";
import * as targets from "../support/targets/pipe_targets.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** A pipe whose messages may be anything. */
// deno-lint-ignore no-explicit-any -- what a test sends is its own business
const pipe = (options?: Parameters<typeof Pipe>[0]) => Pipe<any>(options);

/** Checks that an end works, with its other end, both ways. */
async function works(one: Connection, other: Connection): Promise<void> {
  const shared = new Int32Array(new SharedArrayBuffer(4)).fill(7);
  for (const message of ["plain", shared, "long".repeat(100_000)]) {
    await one.send(message);
    assert.deepEqual(await other.recv(bound), message);
    await other.send(message);
    assert.deepEqual(await one.recv(bound), message);
  }
}

/** Checks that every method of an end says that, and where, it has moved. */
async function saysWhere(end: Connection, where: RegExp): Promise<void> {
  const says = (error: unknown) => {
    assert.ok(error instanceof InvalidStateError, `${error}`);
    assert.match(error.message, where);
    assert.match(error.message, /^[^]+[.] [A-Z][^]+[.]$/, "a sentence, and what to do");
    return true;
  };
  assert.equal(end.closed, true);
  const bytes = new Uint8Array(1);
  const [other] = pipe();
  const now = [
    () => end.recvNowait(),
    () => end.recvSync(),
    () => end.recvBytesNowait(),
    () => end.recvBytesSync(),
    () => end.recvBytesIntoNowait(bytes),
    () => end.recvBytesIntoSync(bytes),
    () => end.pollNowait(),
    () => end.pollSync(),
    () => end.sendNowait(1),
    () => end.sendSync(1),
    () => end.sendBytesNowait(bytes),
    () => end.sendBytesSync(bytes),
    () => end.statistics(),
    () => end.toMessage(),
    () => other.sendNowait(end),
    () => new Process({ target: targets.give, args: [end], module }).start(),
  ];
  for (const call of now) assert.throws(call, says, `${call}`);
  const later = [
    () => end.recv(),
    () => end.recvBytes(),
    () => end.recvBytesInto(bytes),
    () => end.poll(),
    () => end.send(1),
    () => end.sendBytes(bytes),
    () => wait([end]),
    async () => {
      for await (const _ of end);
    },
  ];
  for (const call of later) await assert.rejects(call, says, `${call}`);
  other.close();
  end.close();
  assert.equal(end.closed, true);
}

Deno.test("an end given to a process says so where it was, and works there", async () => {
  const [here, there] = pipe();
  const process = new Process({ target: targets.echo, args: [there], module });
  assert.equal(there.closed, false);
  process.start();
  await saysWhere(there, new RegExp(`given to ${process.name}\\b`));
  here.sendNowait("there and back");
  assert.equal(await here.recv(bound), "there and back");
  here.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("an end sent through a pipe says so where it was, and works where it was received", async () => {
  const [a, b] = pipe(), [inner, other] = pipe();
  await a.send({ inner });
  await saysWhere(inner, /sent through a pipe/);
  const received = (await b.recv()).inner;
  assert.notEqual(received, inner);
  await works(received, other);
  // It can go on, and come back.
  b.sendNowait([received]);
  await saysWhere(received, /sent through a pipe/);
  const [back] = await a.recv();
  await works(other, back);
  for (const end of [a, b, other, back]) end.close();
});

Deno.test("an end put into a message for a worker says so", async () => {
  const [here, there] = pipe();
  there.toMessage();
  await saysWhere(there, /put into a message/);
  here.close();
});

Deno.test("tasks that wait on an end that moves learn of it, and nothing is lost with them", async () => {
  const [a, b] = pipe({ maxSize: 1 }), [carrier, arrival] = pipe();
  b.sendNowait("in the way");
  const { buffer } = Int32Array.of(1);
  const tasks = [
    b.recv(),
    b.recvBytes({ timeout: 20_000 }),
    b.poll(),
    b.send("never sent"),
    b.send(buffer, { transfer: [buffer] }),
    b.sendBytes(new Uint8Array(1)),
    wait([arrival, b]),
    b[Symbol.asyncIterator]().next(),
    b.readable.getReader().read(),
    b.writable.getWriter().write("never written"),
  ];
  const learning = tasks.map((task) => assert.rejects(task, /sent through a pipe/));
  b.writable; // its writer is released by nobody
  carrier.sendNowait(b);
  a.sendNowait("for whoever has it now");
  await Promise.all(learning);
  assert.equal(buffer.detached, false);
  const moved = await arrival.recv();
  assert.equal(await moved.recv(), "for whoever has it now");
  assert.equal(await a.recv(), "in the way");
  assert.throws(() => a.recvNowait(), TimeoutError);
  assert.equal(moved.statistics().waiting, 0);
  for (const end of [a, moved, carrier, arrival]) end.close();
});

/** Messages of all kinds, as long as their own segments, and the buffers that are to be moved. */
function mixture(): [message: unknown, transfer: ArrayBuffer[]][] {
  const messages: [unknown, ArrayBuffer[]][] = [];
  for (let i = 0; i < 400; i++) {
    const { buffer } = new Int32Array(20).fill(i);
    messages.push([i, []]);
    if (i % 40 === 0) messages.push([`${i}`.repeat(100_000), []]);
    if (i % 10 === 0) messages.push([new Int32Array(new SharedArrayBuffer(8)).fill(i), []]);
    if (i % 10 === 5) messages.push([new Int32Array(buffer), [buffer]]);
    if (i % 25 === 0) messages.push([{ text: "é".repeat(i) }, []]);
  }
  return messages;
}

Deno.test("messages on their way to an end, and from it, are received when it has moved", async () => {
  const [here, there] = pipe();
  const expected = mixture().map(([message]) => message);
  const sent = mixture();
  const third = Math.floor(sent.length / 3);
  const send = (end: Connection, from: number, to: number) => {
    for (const [message, transfer] of sent.slice(from, to)) end.sendNowait(message, { transfer });
  };
  send(here, 0, third);
  there.sendNowait("sent before it moved");
  // Some are received here, so that it is not at the beginning.
  for (let i = 0; i < 50; i++) assert.deepEqual(there.recvNowait(), expected[i]);
  const [carrier, arrival] = pipe();
  carrier.sendNowait(there);
  send(here, third, 2 * third);
  const moved = await arrival.recv();
  for (let i = 50; i < third + 50; i++) assert.deepEqual(moved.recvNowait(), expected[i]);
  const process = new Process({ target: targets.echo, args: [moved], module });
  process.start();
  send(here, 2 * third, sent.length);
  assert.equal(await here.recv(bound), "sent before it moved");
  for (const message of expected.slice(third + 50)) {
    assert.deepEqual(await here.recv(bound), message);
  }
  here.close();
  assert.equal(await process.join(bound), true);
  carrier.close();
  arrival.close();
});

Deno.test("both ends of a pipe move to two processes, that talk to each other", async () => {
  const [a, b] = pipe();
  for (let i = 0; i < 10; i++) a.sendNowait(i);
  const receiving = new Process({ target: targets.receive, args: [b], module });
  receiving.start();
  for (let i = 10; i < 20; i++) a.sendNowait(i);
  const [ping, pong] = pipe();
  const processes = [
    new Process({ target: targets.pingPongSync, args: [ping, 100], module }),
    new Process({ target: targets.echo, args: [pong], module }),
  ];
  for (const process of processes) process.start();
  assert.equal(await processes[0].result(bound), 100);
  assert.equal(await processes[1].result(bound), undefined);
  a.close();
  assert.equal(await receiving.result(bound), 20);
});

Deno.test("an end that comes back from where it was is a new one, the old one stays gone", async () => {
  const [a, b] = pipe(), [to, from] = pipe();
  const process = new Process({ target: targets.echo, args: [from], module });
  process.start();
  let end = b;
  for (let round = 0; round < 10; round++) {
    a.sendNowait(round);
    await to.send([end]);
    const [back] = await to.recv(bound);
    assert.equal(end.closed, true);
    assert.notEqual(back, end);
    assert.equal(back.recvNowait(), round);
    end = back;
  }
  await works(a, end);
  for (const one of [a, end, to]) one.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("an end that moves about answers whoever waits at the other one all the while", async () => {
  const [a, b] = pipe(), [to, from] = pipe();
  const process = new Process({ target: targets.echoSync, args: [from], module });
  process.start();
  const waiting = a.recv(bound);
  let end = b;
  for (let round = 0; round < 20; round++) {
    await to.send(end);
    end = await to.recv(bound);
  }
  end.sendNowait("at last");
  assert.equal(await waiting, "at last");
  for (const one of [a, end, to]) one.close();
  assert.equal(await process.join(bound), true);
});
