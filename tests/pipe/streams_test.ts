// A pipe as web streams: readable and writable.

import assert from "node:assert/strict";
import {
  BrokenPipeError,
  type Connection,
  EOFError,
  Pipe,
  Process,
  Queue,
  sleep,
  TimeoutError,
  wait,
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

Deno.test("a readable stream ends with the messages, and then the other end is closed", async () => {
  const [a, b] = pipe();
  for (let i = 0; i < 3; i++) a.sendNowait(i);
  a.close();
  const chunks = [];
  for await (const chunk of b.readable) chunks.push(chunk);
  assert.deepEqual(chunks, [0, 1, 2]);
  assert.equal(b.readable, b.readable);
  b.close();
});

Deno.test("a worker is a part of a stream, and each end of it reaches the other", async () => {
  for (const target of [targets.double, targets.doubleByStreams]) {
    const { here, process } = echoing(target);
    const doubled = ReadableStream.from([1, 2, 3, 4, 5]).pipeThrough(here);
    const chunks = [];
    for await (const chunk of doubled) chunks.push(chunk);
    assert.deepEqual(chunks, [2, 4, 6, 8, 10]);
    assert.equal(await process.result(bound), undefined);
    here.close();
  }
});

testInFull("a chain of two workers in a stream keeps the order of thousands", async () => {
  const first = echoing(targets.doubleByStreams), second = echoing(targets.double);
  const count = 3000;
  let pulled = 0;
  const source = new ReadableStream<number>({
    pull: (controller) => pulled < count ? controller.enqueue(pulled++) : controller.close(),
  });
  let next = 0;
  for await (const chunk of source.pipeThrough(first.here).pipeThrough(second.here)) {
    assert.equal(chunk, 4 * next++);
  }
  assert.equal(next, count);
  for (const { here, process } of [first, second]) {
    assert.equal(await process.result(bound), undefined);
    here.close();
  }
});

Deno.test("when the reader stops, a source without end is pulled no further", async () => {
  const [here, there] = pipe();
  const received = new Queue<string>();
  await using process = new Process({
    target: targets.receiveSome,
    args: [there, 50, received],
    module,
  });
  process.start();
  let pulled = 0;
  const source = new ReadableStream<number>({
    pull: (controller) => controller.enqueue(pulled++),
  });
  const stop = new AbortController();
  const piping = source.pipeTo(here.writable, { signal: stop.signal, preventAbort: true });
  await received.get(bound);
  // As soon as a write waits for room, nothing more is pulled.
  const before = performance.now();
  while (here.statistics().waiting === 0) {
    assert.ok(performance.now() - before < bound.timeout, "the stream never waits");
    await sleep(1);
  }
  const then = pulled;
  for (let turn = 0; turn < 20; turn++) await sleep(0);
  assert.equal(pulled, then);
  assert.ok(pulled <= 50 + 16 + 5, `${pulled} were pulled`);
  stop.abort();
  process.kill();
  await assert.rejects(piping);
  here.close();
});

Deno.test("a reader that takes one chunk makes room for one", async () => {
  const [a, b] = pipe();
  const writer = a.writable.getWriter();
  let written = 0;
  const writing = (async () => {
    for (let i = 0; i < 100; i++) {
      await writer.write(i);
      written++;
    }
    await writer.close();
  })();
  for (let i = 0; i < 100; i++) {
    assert.equal(await b.recv(bound), i);
    assert.ok(written <= i + 18, `${written} were written when ${i + 1} had been read`);
  }
  await writing;
  await assert.rejects(b.recv(), EOFError);
  a.close();
  b.close();
});

Deno.test("closing or aborting the writable is the end for the other side, of that direction", async () => {
  for (const how of ["close", "abort"] as const) {
    const [a, b] = pipe();
    const writer = a.writable.getWriter();
    await writer.write("last");
    await writer[how]();
    assert.equal(await b.recv(), "last");
    await assert.rejects(b.recv(), EOFError);
    assert.equal(b.pollNowait(), true);
    assert.equal(a.closed, false);
    await b.send("the other way");
    assert.equal(await a.recv(), "the other way");
    a.close();
    b.close();
  }
});

Deno.test("aborting a writable ends the write that waits for room", async () => {
  const [a, b] = pipe({ maxSize: 1 });
  const writer = a.writable.getWriter();
  await writer.write("one");
  const second = assert.rejects(writer.write("two"), /enough/);
  const closed = assert.rejects(writer.closed, /enough/);
  await writer.abort(new Error("enough"));
  await second;
  await closed;
  assert.equal(a.statistics().waiting, 0);
  assert.equal(await b.recv(), "one");
  await assert.rejects(b.recv(), EOFError);
  a.close();
  b.close();
});

Deno.test("cancelling the readable reaches the other side, whose sends then fail", async () => {
  const [a, b] = pipe();
  const sink = a.writable.getWriter();
  await sink.write("first");
  const reader = b.readable.getReader();
  assert.equal((await reader.read()).value, "first");
  const read = reader.read();
  await reader.cancel("no more");
  assert.equal((await read).done, true);
  await assert.rejects(sink.write("second"), BrokenPipeError);
  await sink.closed.catch(() => {});
  assert.throws(() => a.sendNowait("third"), BrokenPipeError);
  // The other direction stays open.
  await b.send("the other way");
  assert.equal(await a.recv(), "the other way");
  a.close();
  b.close();
});

Deno.test("nobody waits for what can't come after the readable was cancelled", async () => {
  const [a, b] = pipe();
  await b.readable.cancel();
  // Nobody can send any more: whatever it is that they learn, they don't learn it by a timeout.
  const isNoTimeout = (error: unknown) => !(error instanceof TimeoutError);
  await assert.rejects(b.recv({ timeout: 2000 }), isNoTimeout);
  assert.throws(() => b.recvSync({ timeout: 2000 }), isNoTimeout);
  assert.equal(await b.poll({ timeout: 2000 }).catch(() => true), true);
  assert.equal((await wait([b], { timeout: 2000 }).catch(() => [b])).length, 1);
  a.close();
  b.close();
});

Deno.test("cancelling the last stream of a chain ends the worker in its middle, and the source", async () => {
  const { here, process } = echoing(targets.doubleByStreams);
  let cancelled: unknown;
  const source = new ReadableStream<number>({
    pull: (controller) => controller.enqueue(1),
    cancel: (reason) => {
      cancelled = reason;
    },
  });
  const writing = assert.rejects(source.pipeTo(here.writable), BrokenPipeError);
  const reader = here.readable.getReader();
  for (let i = 0; i < 40; i++) assert.equal((await reader.read()).value, 2);
  await reader.cancel("enough");
  const isBroken = (error: unknown) => (error as Error).cause instanceof BrokenPipeError;
  await assert.rejects(process.result(bound), isBroken);
  await writing;
  assert.ok(cancelled instanceof BrokenPipeError);
  here.close();
});

Deno.test("a stream that is cancelled while it waits has taken nothing", async () => {
  const [a, b] = pipe();
  const reader = b.readable.getReader();
  const read = reader.read();
  await reader.cancel();
  assert.equal((await read).done, true);
  assert.equal(b.statistics().waiting, 0);
  a.close();
  b.close();
});

Deno.test("a stream that is cancelled as its message arrives doesn't lose it", async () => {
  const [a, b] = pipe();
  const reader = b.readable.getReader();
  const received = b.recv();
  const read = reader.read();
  const cancelled = received.then(() => reader.cancel());
  await sleep(0); // now the stream waits, too, behind that recv
  a.sendNowait(1);
  a.sendNowait(2);
  await cancelled;
  const { value } = await read;
  assert.deepEqual([await received, value], [1, 2]);
  a.close();
  b.close();
});

Deno.test("a stream reads nothing ahead", async () => {
  const [a, b] = pipe();
  for (let i = 0; i < 5; i++) a.sendNowait(i);
  const reader = b.readable.getReader();
  assert.equal((await reader.read()).value, 0);
  await sleep(0);
  assert.equal(b.statistics().toReceive, 4);
  reader.releaseLock();
  assert.equal(await b.recv(), 1);
  a.close();
  b.close();
});

Deno.test("the ends of a pipe have the types they were made with", async () => {
  const [a, b]: [Connection<string, number>, Connection<number, string>] = Pipe<string, number>();
  a.sendNowait(1);
  b.sendNowait("one");
  const [n, text]: [number, string] = [await b.recv(), await a.recv()];
  assert.deepEqual([n, text], [1, "one"]);
  a.close();
  b.close();
});
