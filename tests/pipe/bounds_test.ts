// The bounds of a pipe, the waits for room, and the memory that messages take.

import assert from "node:assert/strict";
import { BrokenPipeError, Pipe, Process, TimeoutError } from "../../mod.ts";
import * as targets from "../support/targets/pipe_targets.ts";
import { testInFull } from "../support/length.ts";

const module = targets.here;

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** A pipe whose messages may be anything. */
// deno-lint-ignore no-explicit-any -- what a test sends is its own business
const pipe = (options?: Parameters<typeof Pipe>[0]) => Pipe<any>(options);

// Bounds

Deno.test("maxSize makes send wait for room, and says so where it may not wait", async () => {
  const [a, b] = pipe({ maxSize: 2 });
  a.sendNowait(1);
  await a.send(2);
  assert.throws(() => a.sendNowait(3), TimeoutError);
  assert.throws(() => a.sendBytesNowait(new Uint8Array(1)), TimeoutError);
  for (const timeout of [0, 5]) {
    await assert.rejects(a.send(4, { timeout }), TimeoutError);
    assert.throws(() => a.sendSync(5, { timeout }), TimeoutError);
    await assert.rejects(a.sendBytes(new Uint8Array(1), { timeout }), TimeoutError);
    assert.throws(() => a.sendBytesSync(new Uint8Array(1), { timeout }), TimeoutError);
  }
  const sending = a.send("at last");
  assert.equal(await b.recv(), 1);
  await sending;
  assert.deepEqual([b.recvNowait(), b.recvNowait()], [2, "at last"]);
  assert.throws(() => b.recvNowait(), TimeoutError);
  // The other direction has a bound of its own.
  b.sendNowait(1);
  b.sendNowait(2);
  assert.throws(() => b.sendNowait(3), TimeoutError);
  a.close();
  b.close();
});

Deno.test("what a send that timed out or was aborted was to move is still here", async () => {
  const [a, b] = pipe({ maxSize: 1 });
  const [inner, other] = pipe();
  const buffer = new ArrayBuffer(8);
  a.sendNowait("in the way");
  const message = { buffer, inner }, transfer = [buffer];
  assert.throws(() => a.sendNowait(message, { transfer }), TimeoutError);
  assert.throws(() => a.sendSync(message, { transfer, timeout: 2 }), TimeoutError);
  await assert.rejects(a.send(message, { transfer, timeout: 2 }), TimeoutError);
  const controller = new AbortController();
  const sending = a.send(message, { transfer, signal: controller.signal });
  controller.abort(new Error("no longer"));
  await assert.rejects(sending, /no longer/);
  assert.equal(buffer.detached, false);
  assert.equal(inner.closed, false);
  assert.equal(b.recvNowait(), "in the way");
  inner.sendNowait("still here");
  assert.equal(other.recvNowait(), "still here");
  assert.throws(() => b.recvNowait(), TimeoutError);
  a.sendNowait(message, { transfer });
  assert.equal(buffer.detached, true);
  assert.equal((await b.recv()).buffer.byteLength, 8);
  a.close();
  b.close();
  other.close();
});

Deno.test("waiting sends keep their order, whatever they send, and nobody overtakes them", async () => {
  const [a, b] = pipe({ maxSize: 1 });
  const { buffer } = Int32Array.of(3);
  const controller = new AbortController();
  const sending = [
    a.send(0),
    a.send(new Int32Array(new SharedArrayBuffer(4)).fill(1)),
    a.sendBytes(Uint8Array.of(2)),
    a.send(new Int32Array(buffer), { transfer: [buffer] }),
    a.send([4]),
  ];
  const aborted = a.send("never", { signal: controller.signal });
  const timedOut = a.send("never", { timeout: 1 });
  sending.push(a.send(Uint8Array.of(5)));
  await assert.rejects(timedOut, TimeoutError);
  controller.abort();
  await assert.rejects(aborted, { name: "AbortError" });
  assert.throws(() => a.sendNowait("never"), TimeoutError);
  const got: unknown[] = [];
  for (let i = 0; i < 6; i++) {
    const message = await b.recv(bound);
    got.push(typeof message === "number" ? message : message[0]);
    assert.ok(b.statistics().toReceive <= 1);
  }
  assert.deepEqual(got, [0, 1, 2, 3, 4, 5]);
  await Promise.all(sending);
  assert.equal(a.statistics().waiting, 0);
  a.close();
  b.close();
});

Deno.test("maxBytes makes send wait for room, and a message of that length always passes", async () => {
  const [a, b] = pipe({ maxBytes: 1000 });
  await a.sendBytes(new Uint8Array(600));
  const second = a.sendBytes(new Uint8Array(600));
  assert.throws(() => a.sendNowait("x".repeat(600)), TimeoutError);
  assert.equal(b.statistics().toReceive, 1);
  assert.equal((await b.recv()).length, 600);
  await second;
  assert.equal((await b.recv()).length, 600);
  for (const length of [990, 995, 999]) {
    a.sendBytesNowait(new Uint8Array(length));
    assert.throws(() => a.sendBytesNowait(new Uint8Array(8)), TimeoutError);
    assert.equal((await b.recvBytes()).length, length);
  }
  // What is transferred doesn't count.
  const buffer = new ArrayBuffer(100_000);
  a.sendNowait(buffer, { transfer: [buffer] });
  assert.equal((await b.recv()).byteLength, 100_000);
  a.close();
  b.close();
});

Deno.test("a process that waits for room goes on as there is some, by both faces", async () => {
  for (const target of [targets.count, targets.countSync]) {
    const [here, there] = pipe({ maxSize: 3 });
    const process = new Process({ target, args: [there, 500], module });
    process.start();
    for (let i = 0; i < 500; i++) {
      assert.equal(await here.recv(bound), i);
      assert.ok(here.statistics().toReceive <= 3);
    }
    assert.equal(await process.join(bound), true);
    assert.equal(process.exitCode, 0);
    here.close();
  }
});

Deno.test("who waits for room learns that there will never be any", async () => {
  const [a, b] = pipe({ maxSize: 1 });
  a.sendNowait("the only one");
  const sending = [a.send(1), a.send(new SharedArrayBuffer(1)), a.sendBytes(new Uint8Array(1))];
  b.close();
  for (const one of sending) await assert.rejects(one, BrokenPipeError);
  assert.equal(a.statistics().waiting, 0);
  a.close();
});

// Memory

/** More than this isn't kept for messages that were received. */
const KEPT = 3 * 2 ** 20;

testInFull(
  "a sender a million messages ahead breaks nothing, and the memory is given back",
  async () => {
    const count = 1_000_000;
    const [a, b] = pipe();
    for (let i = 0; i < count; i++) a.sendNowait(i);
    assert.equal(b.statistics().toReceive, count);
    assert.ok(a.statistics().bytes >= count * 8);
    for (let i = 0; i < count; i++) if (b.recvNowait() !== i) assert.fail(`not ${i}`);
    assert.throws(() => b.recvNowait(), TimeoutError);
    for (const end of [a, b]) {
      const { bytes, capacity } = end.statistics();
      assert.equal(bytes, 0);
      assert.ok(capacity < KEPT, `${capacity} bytes`);
    }
    a.sendNowait("after the burst");
    assert.equal(await b.recv(), "after the burst");
    a.close();
    b.close();
  },
);

Deno.test("long messages take memory for the time they are on their way", async () => {
  const [a, b] = pipe();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 8; i++) a.sendBytesNowait(new Uint8Array(3_000_000).fill(i));
    a.sendNowait("short");
    assert.ok(a.statistics().bytes >= 24_000_000);
    for (let i = 0; i < 8; i++) {
      const bytes = await b.recvBytes();
      assert.deepEqual([bytes.length, bytes[0], bytes[2_999_999]], [3_000_000, i, i]);
    }
    assert.equal(await b.recv(), "short");
    for (const end of [a, b]) assert.ok(end.statistics().capacity < KEPT);
  }
  a.close();
  b.close();
});

Deno.test("a stack that overflows in the middle of a send or a recv leaves the pipe usable", async () => {
  for (const target of [targets.overflowSending, targets.overflowReceiving]) {
    const [here, there] = pipe();
    for (let i = 0; i < 20_000; i++) here.sendNowait(i);
    const process = new Process({ target, args: [there], module });
    process.start();
    for (let next = 0;; next++) {
      const message = await here.recv(bound);
      if (message === "usable") break;
      assert.equal(message, next);
    }
    await here.send("go");
    assert.equal(await process.result(bound), "go");
    here.close();
  }
});
