// The operations of the two ends of a pipe, by each of their three faces.

import assert from "node:assert/strict";
import {
  BrokenPipeError,
  type Connection,
  EOFError,
  Pipe,
  Process,
  TimeoutError,
} from "../../mod.ts";
import * as targets from "../support/targets/pipe_targets.ts";
import { testInFull } from "../support/length.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** A pipe whose messages may be anything. */
// deno-lint-ignore no-explicit-any -- what a test sends is its own business
const pipe = (options?: Parameters<typeof Pipe>[0]) => Pipe<any>(options);

/** An end whose other end is in a process that sends back what it gets, until it ends. */
function echoing(target: (connection: Connection) => unknown = targets.echo) {
  const [here, there] = pipe();
  const process = new Process({ target, args: [there], module });
  process.start();
  return { here, process };
}

Deno.test("what is sent on one end is received on the other, once and in order", async () => {
  const [a, b] = pipe();
  for (let i = 0; i < 1000; i++) {
    await a.send(i);
    await b.send(-i);
  }
  for (let i = 0; i < 1000; i++) {
    assert.equal(await b.recv(), i);
    assert.equal(await a.recv(), -i);
  }
  assert.throws(() => a.recvNowait(), TimeoutError);
  assert.throws(() => b.recvNowait(), TimeoutError);
  a.close();
  b.close();
});

Deno.test("the three faces of send and recv mix, as do those of bytes", async () => {
  const [a, b] = pipe();
  await a.send("async");
  a.sendNowait("now");
  a.sendSync("sync");
  await a.sendBytes(Uint8Array.of(1));
  a.sendBytesNowait(Uint8Array.of(2));
  a.sendBytesSync(Uint8Array.of(3));
  assert.equal(b.recvSync(), "async");
  assert.equal(await b.recv(), "now");
  assert.equal(b.recvNowait(), "sync");
  assert.deepEqual(b.recvBytesSync(), Uint8Array.of(1));
  assert.deepEqual(await b.recvBytes(), Uint8Array.of(2));
  assert.deepEqual(b.recvBytesNowait(), Uint8Array.of(3));
  a.close();
  b.close();
});

Deno.test("of a one-way pipe the first end receives and the second sends", async () => {
  const [receiver, sender] = pipe({ duplex: false });
  await sender.send("one way");
  assert.equal(await receiver.poll(), true);
  assert.equal(await receiver.recv(), "one way");
  sender.close();
  await assert.rejects(receiver.recv(), EOFError);
  receiver.close();
});

Deno.test("a one-way pipe whose receiver is closed is broken", () => {
  const [receiver, sender] = pipe({ duplex: false });
  receiver.close();
  assert.throws(() => sender.sendNowait(1), BrokenPipeError);
  sender.close();
});

Deno.test("an empty pipe says so now, after a timeout, and after a blocking one", async () => {
  const [a, b] = pipe();
  assert.throws(() => b.recvNowait(), TimeoutError);
  assert.throws(() => b.recvBytesNowait(), TimeoutError);
  assert.equal(b.pollNowait(), false);
  for (const timeout of [0, 5]) {
    assert.throws(() => b.recvSync({ timeout }), TimeoutError);
    assert.throws(() => b.recvBytesSync({ timeout }), TimeoutError);
    await assert.rejects(b.recv({ timeout }), { name: "TimeoutError" });
    await assert.rejects(b.recvBytes({ timeout }), TimeoutError);
    assert.equal(b.pollSync({ timeout }), false);
    assert.equal(await b.poll({ timeout }), false);
  }
  assert.equal(b.statistics().waiting, 0);
  a.sendNowait("and nothing is lost");
  assert.equal(await b.recv({ timeout: 0 }), "and nothing is lost");
  a.close();
  b.close();
});

Deno.test("a recv that timed out or was aborted leaves the message to the next", async () => {
  const [a, b] = pipe();
  const aborted = new AbortController();
  const failing = [
    assert.rejects(b.recv({ signal: aborted.signal }), /no longer wanted/),
    assert.rejects(b.recv({ timeout: 1 }), TimeoutError),
    assert.rejects(b.recvBytes({ signal: aborted.signal }), /no longer wanted/),
    assert.rejects(b.poll({ signal: aborted.signal }), /no longer wanted/),
  ];
  const fifth = b.recv();
  aborted.abort(new Error("no longer wanted"));
  await Promise.all(failing);
  await a.send("for the fifth");
  assert.equal(await fifth, "for the fifth");
  assert.equal(b.statistics().waiting, 0);
  a.close();
  b.close();
});

Deno.test("an aborted signal rejects at once, also when there is a message or room", async () => {
  const [a, b] = pipe();
  a.sendNowait("there");
  const signal = AbortSignal.abort();
  await assert.rejects(b.recv({ signal }), { name: "AbortError" });
  await assert.rejects(b.recvBytes({ signal }), { name: "AbortError" });
  await assert.rejects(b.poll({ signal }), { name: "AbortError" });
  await assert.rejects(a.send("more", { signal }), { name: "AbortError" });
  await assert.rejects(a.sendBytes(new Uint8Array(1), { signal }), { name: "AbortError" });
  assert.equal(b.statistics().toReceive, 1);
  assert.equal(b.recvNowait(), "there");
  a.close();
  b.close();
});

Deno.test("a recv aborted as its message comes either has it or leaves it", async () => {
  const { here, process } = echoing();
  let next = 0, asked = 0, aborted = 0;
  for (let round = 0; round < 300; round++) {
    const controller = new AbortController();
    here.sendNowait(asked++);
    const message = here.recv({ signal: controller.signal });
    if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    try {
      assert.equal(await message, next);
      next++;
    } catch (error) {
      assert.ok(error instanceof DOMException, `${error}`);
      aborted++;
    }
  }
  for (; next < asked; next++) assert.equal(await here.recv(bound), next);
  assert.ok(aborted > 0);
  here.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("a recv that times out as its message comes either has it or leaves it", async () => {
  const { here, process } = echoing();
  let next = 0;
  for (let round = 0; round < 200; round++) {
    here.sendNowait(round);
    try {
      assert.equal(
        round % 2 ? await here.recv({ timeout: 0.1 }) : here.recvSync({ timeout: 0.05 }),
        next,
      );
      next++;
    } catch (error) {
      assert.ok(error instanceof TimeoutError, `${error}`);
    }
  }
  for (; next < 200; next++) assert.equal(await here.recv(bound), next);
  here.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("tasks that receive on one end get the messages in the order they asked", async () => {
  const [a, b] = pipe();
  const received = [b.recv(), b.recv(), b.recv()];
  a.sendNowait(1);
  a.sendNowait(2);
  received.push(b.recv());
  a.sendNowait(3);
  a.sendNowait(4);
  assert.deepEqual(await Promise.all(received), [1, 2, 3, 4]);
  a.close();
  b.close();
});

Deno.test("receives that are begun together resolve in their order", async () => {
  const [a, b] = pipe();
  const count = 2000;
  const order: number[] = [];
  const half = Array.from({ length: count / 2 }, () => b.recv().then((i) => order.push(i)));
  for (let i = 0; i < count; i++) a.sendNowait(i);
  const rest = Array.from({ length: count / 2 }, () => b.recv().then((i) => order.push(i)));
  await Promise.all([...half, ...rest]);
  assert.deepEqual(order, Array.from({ length: count }, (_, i) => i));
  a.close();
  b.close();
});

Deno.test("nobody overtakes a task that waits to receive", async () => {
  const [a, b] = pipe();
  const waiting = b.recv();
  assert.throws(() => b.recvNowait(), TimeoutError);
  a.sendNowait("first");
  a.sendNowait("second");
  assert.equal(b.recvSync(), "second");
  assert.equal(await waiting, "first");
  a.close();
  b.close();
});

Deno.test("poll waits for a message and takes nothing", async () => {
  const [a, b] = pipe();
  const polls = [b.poll(), b.poll(bound), b.recv(), b.poll()];
  a.sendNowait("one");
  a.sendNowait("two");
  assert.deepEqual(await Promise.all(polls), [true, true, "one", true]);
  assert.equal(b.pollNowait(), true);
  assert.equal(b.pollSync(), true);
  assert.equal(b.recvNowait(), "two");
  assert.equal(b.pollNowait(), false);
  a.close();
  assert.equal(await b.poll(), true, "recv would not wait, but throw EOFError");
  assert.equal(b.pollNowait(), true);
  assert.equal(b.pollSync(), true);
  b.close();
});

Deno.test("pollSync and recvSync block until another process sends", () => {
  const [here, there] = pipe();
  const process = new Process({ target: targets.count, args: [there, 3], module });
  process.start();
  assert.equal(here.pollSync(bound), true);
  assert.deepEqual([0, 1, 2].map(() => here.recvSync(bound)), [0, 1, 2]);
  assert.throws(() => here.recvSync(bound), EOFError);
  assert.equal(process.joinSync(bound), true);
  here.close();
});

Deno.test("for await receives until the other end is closed", async () => {
  const [a, b] = pipe();
  for (let i = 0; i < 3; i++) a.sendNowait(i);
  a.close();
  const got = [];
  for await (const message of b) got.push(message);
  assert.deepEqual(got, [0, 1, 2]);
  b.close();
});

Deno.test("a loop that is stopped while it waits takes nothing any more", async () => {
  const [a, b] = pipe();
  const messages = b[Symbol.asyncIterator]();
  const waiting = messages.next();
  await messages.return?.();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  a.sendNowait(1);
  assert.equal(b.recvNowait(), 1);
  a.close();
  b.close();
});

Deno.test("a loop that is left early has taken only what it gave", async () => {
  const [a, b] = pipe();
  for (let i = 0; i < 3; i++) a.sendNowait(i);
  for await (const message of b) {
    assert.equal(message, 0);
    break;
  }
  assert.equal(b.closed, false);
  assert.equal(b.recvNowait(), 1);
  a.close();
  b.close();
});

Deno.test("using closes an end, and closing it again does nothing", async () => {
  const [a, b] = pipe();
  {
    using inner = a;
    assert.equal(inner.closed, false);
  }
  assert.equal(a.closed, true);
  a.close();
  assert.equal(b.closed, false);
  await assert.rejects(b.recv(), EOFError);
  b.close();
  assert.equal(b.closed, true);
});

Deno.test("statistics tell what is on its way and who waits here", async () => {
  const [a, b] = pipe({ maxSize: 3 });
  const idle = a.statistics();
  assert.deepEqual({ ...idle, capacity: 0 }, {
    toReceive: 0,
    sent: 0,
    bytes: 0,
    capacity: 0,
    waiting: 0,
  });
  assert.ok(idle.capacity > 0);
  for (let i = 0; i < 3; i++) a.sendNowait("x".repeat(i));
  b.sendNowait(1);
  const seen = a.statistics();
  assert.equal(seen.sent, 3);
  assert.equal(seen.toReceive, 1);
  assert.ok(seen.bytes > 0 && seen.bytes <= seen.capacity);
  assert.equal(b.statistics().toReceive, 3);
  assert.equal(b.statistics().sent, 1);
  const sending = a.send("more"), polling = b.poll(), receiving = a.recv();
  assert.equal(await receiving, 1);
  const waiting = a.recv();
  assert.equal(a.statistics().waiting, 2);
  b.recvNowait();
  b.sendNowait(2);
  assert.equal(await waiting, 2);
  await Promise.all([sending, polling]);
  assert.equal(a.statistics().waiting, 0);
  assert.equal(b.statistics().waiting, 0);
  a.close();
  b.close();
});

Deno.test("a loop that never has to wait lets timers run", async () => {
  const [a, b] = pipe();
  const loops = [
    async () => {
      await a.send(1);
      await b.recv();
    },
    () => b.poll({ timeout: 0 }),
    () => b.recv({ timeout: 0 }).catch(() => {}),
  ];
  for (const loop of loops) {
    let fired = false;
    const timer = setTimeout(() => fired = true, 1);
    // Bounded, so that a failure is one and no hang.
    for (let i = 0; i < 2_000_000 && !fired; i++) await loop();
    clearTimeout(timer);
    assert.ok(fired);
  }
  a.close();
  b.close();
});

testInFull("both faces of two processes send each other messages, there and back", async () => {
  const pairs = [
    [targets.pingPong, targets.echo],
    [targets.pingPongSync, targets.echo],
    [targets.pingPong, targets.echoSync],
    [targets.pingPongSync, targets.echoSync],
  ] as const;
  const ended = pairs.map(([ping, pong]) => {
    const [a, b] = pipe();
    const pinging = new Process({ target: ping, args: [a, 500], module });
    const ponging = new Process({ target: pong, args: [b], module });
    ponging.start();
    pinging.start();
    return [pinging, ponging] as const;
  });
  for (const [pinging, ponging] of ended) {
    assert.equal(await pinging.result(bound), 500);
    assert.equal(await ponging.result(bound), undefined);
  }
});
