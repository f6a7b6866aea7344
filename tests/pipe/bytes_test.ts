// Messages of bytes: sendBytes, recvBytes and their bounds.

import assert from "node:assert/strict";
import { type Connection, Pipe, Process } from "../../mod.ts";
import * as targets from "../support/targets/pipe_targets.ts";

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

Deno.test("bytes arrive as the bytes that a view shows, in memory of their own", async () => {
  const [a, b] = pipe();
  const buffer = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]).buffer;
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7);
  const sources: [AllowSharedBufferSource, number[]][] = [
    [buffer, [0, 1, 2, 3, 4, 5, 6, 7]],
    [new Uint8Array(buffer, 2, 3), [2, 3, 4]],
    [new DataView(buffer, 6), [6, 7]],
    [new Uint16Array(buffer, 2, 1), [2, 3]],
    [new Uint8Array(0), []],
    [shared, [7, 7, 7]],
    [shared.buffer, [7, 7, 7]],
  ];
  for (const [source] of sources) a.sendBytesNowait(source);
  new Uint8Array(buffer).fill(99);
  shared.fill(99);
  for (const [_, bytes] of sources) {
    const received = await b.recvBytes();
    assert.ok(received instanceof Uint8Array);
    assert.deepEqual([...received], bytes);
    assert.equal(received.buffer.byteLength, bytes.length);
    assert.ok(received.buffer instanceof ArrayBuffer);
  }
  a.close();
  b.close();
});

Deno.test("bytes of all lengths go there and back", async () => {
  const { here, process } = echoing();
  for (const length of [0, 1, 7, 8, 9, 4_000, 4_096, 262_143, 262_144, 262_145, 5_000_000]) {
    const bytes = new Uint8Array(length).map((_, i) => i % 251);
    here.sendBytesSync(bytes);
    assert.ok(Buffer.from(await here.recv(bound)).equals(bytes), `${length} bytes`);
  }
  here.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("bytes longer than maxLength stay where they are", async () => {
  const [a, b] = pipe();
  a.sendBytesNowait(new Uint8Array(10));
  await assert.rejects(b.recvBytes({ maxLength: 9 }), RangeError);
  assert.throws(() => b.recvBytesNowait({ maxLength: 0 }), RangeError);
  assert.throws(() => b.recvBytesSync({ maxLength: 9.5 }), RangeError);
  assert.equal((await b.recvBytes({ maxLength: 10 })).length, 10);
  a.sendBytesNowait(new Uint8Array(10));
  assert.equal(b.recvBytesSync({ maxLength: Infinity }).length, 10);
  a.close();
  b.close();
});

Deno.test("a message that isn't bytes is refused by recvBytes, and stays where it is", async () => {
  const [a, b] = pipe();
  const shared = new Int32Array(new SharedArrayBuffer(4));
  for (const message of ["text", Uint8Array.of(1), shared]) {
    a.sendNowait(message);
    await assert.rejects(b.recvBytes(), TypeError);
    assert.throws(() => b.recvBytesNowait(), TypeError);
    assert.throws(() => b.recvBytesSync(), TypeError);
    assert.deepEqual(b.recvNowait(), message);
  }
  a.close();
  b.close();
});
