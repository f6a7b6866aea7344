// Bytes that are received into a buffer of the receiver.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  BufferTooShort,
  type Connection,
  EOFError,
  InvalidStateError,
  type OffsetOption,
  Pipe,
  Process,
  ProcessError,
  type SendBytesOptions,
  TimeoutError,
  type WaitOptions,
} from "../../mod.ts";
import { wrong } from "../support/local.ts";
import * as targets from "../support/targets/pipe_targets.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

type Into = (
  end: Connection,
  buffer: AllowSharedBufferSource,
  options?: WaitOptions & OffsetOption,
) => Promise<number>;

const faces: Record<string, Into> = {
  recvBytesInto: (end, buffer, options) => end.recvBytesInto(buffer, options),
  recvBytesIntoNowait: (end, buffer, options) =>
    Promise.try(() => end.recvBytesIntoNowait(buffer, options)),
  recvBytesIntoSync: (end, buffer, options) =>
    Promise.try(() => end.recvBytesIntoSync(buffer, options)),
};

const buffers: Record<string, (bytes: number) => AllowSharedBufferSource> = {
  "ArrayBuffer": (bytes) => new ArrayBuffer(bytes),
  "SharedArrayBuffer": (bytes) => new SharedArrayBuffer(bytes),
  "Uint8Array": (bytes) => new Uint8Array(bytes),
  "Uint8ClampedArray": (bytes) => new Uint8ClampedArray(bytes),
  "Int16Array": (bytes) => new Int16Array(bytes / 2),
  "Int32Array": (bytes) => new Int32Array(bytes / 4),
  "Float64Array": (bytes) => new Float64Array(bytes / 8),
  "BigInt64Array": (bytes) => new BigInt64Array(bytes / 8),
  "DataView": (bytes) => new DataView(new ArrayBuffer(bytes)),
  "DataView of shared memory": (bytes) => new DataView(new SharedArrayBuffer(bytes)),
  "Int32Array of shared memory": (bytes) => new Int32Array(new SharedArrayBuffer(bytes)),
  "a view in the middle": (bytes) => new Uint8Array(new ArrayBuffer(bytes + 16), 8, bytes),
  "a resizable ArrayBuffer": (bytes) => new ArrayBuffer(bytes, { maxByteLength: 2 * bytes }),
};

/** All bytes of a buffer, or those that a view shows. */
function bytesOf(buffer: AllowSharedBufferSource): number[] {
  return ArrayBuffer.isView(buffer)
    ? [...new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)]
    : [...new Uint8Array(buffer)];
}

for (const [face, into] of Object.entries(faces)) {
  for (const [kind, make] of Object.entries(buffers)) {
    Deno.test(`${face} writes to ${kind}, from an offset, as much as was sent`, async () => {
      const [a, b] = Pipe();
      const buffer = make(16);
      a.sendBytesNowait(Uint8Array.of(1, 2, 3));
      assert.equal(await into(b, buffer), 3);
      assert.deepEqual(bytesOf(buffer), [1, 2, 3, ...Array(13).fill(0)]);
      a.sendBytesNowait(Uint8Array.of(4, 5, 6));
      assert.equal(await into(b, buffer, { offset: 13 }), 3);
      assert.deepEqual(bytesOf(buffer), [1, 2, 3, ...Array(10).fill(0), 4, 5, 6]);
      a.sendBytesNowait(new Uint8Array(16).fill(7));
      assert.equal(await into(b, buffer, { offset: 0 }), 16);
      assert.deepEqual(bytesOf(buffer), Array(16).fill(7));
      a.sendBytesNowait(new Uint8Array());
      assert.equal(await into(b, buffer, { offset: 16 }), 0);
      if (ArrayBuffer.isView(buffer)) {
        const around = new Uint8Array(buffer.buffer).length - buffer.byteLength;
        assert.equal(new Uint8Array(buffer.buffer).filter((byte) => byte === 0).length, around);
      }
      a.close();
      b.close();
    });
  }

  Deno.test(`${face}: a message that is too long is in the error, is received, and nothing is written`, async () => {
    const [a, b] = Pipe();
    for (const [room, offset] of [[2, 0], [0, 0], [10, 8], [3, 3]]) {
      a.sendBytesNowait(Uint8Array.of(1, 2, 3));
      a.sendBytesNowait(Uint8Array.of(9));
      const buffer = new Uint8Array(room);
      await assert.rejects(into(b, buffer, { offset }), (error) => {
        assert.ok(error instanceof BufferTooShort, `${error}`);
        assert.ok(error instanceof Error);
        assert.equal(error.name, "BufferTooShort");
        assert.deepEqual(error.bytes, Uint8Array.of(1, 2, 3));
        assert.match(error.message, new RegExp(`3 bytes long.* room for ${room - offset}\\.`));
        return true;
      });
      assert.deepEqual(buffer, new Uint8Array(room));
      assert.deepEqual(b.recvBytesNowait(), Uint8Array.of(9));
    }
    a.close();
    b.close();
  });

  Deno.test(`${face}: what is no buffer, no offset or no option is refused, and nothing is received`, async () => {
    const [a, b] = Pipe();
    a.sendBytesNowait(Uint8Array.of(1));
    const detached = new Uint8Array(4);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    for (
      const buffer of [null, undefined, 5, "x", [1, 2], {}, new Map(), detached, detached.buffer]
    ) {
      await assert.rejects(into(b, wrong(buffer)), (error) => {
        assert.match(`${error}`, /^TypeError: buffer is .+\. Give .+\.$/);
        return true;
      });
    }
    const buffer = new Int32Array(1);
    for (const offset of [-1, 5, 1.5, NaN, Infinity]) {
      await assert.rejects(into(b, buffer, { offset }), RangeError, `${offset}`);
    }
    for (const offset of ["0", null, 1n, {}]) {
      await assert.rejects(into(b, buffer, { offset: wrong(offset) }), TypeError, `${offset}`);
    }
    for (const options of [null, 4, [4], { maxLength: 5 }, { off: 1 }, { transfer: [] }]) {
      await assert.rejects(into(b, buffer, wrong(options)), TypeError, `${options}`);
    }
    assert.equal(b.statistics().toReceive, 1);
    assert.equal(await into(b, buffer, { offset: 3 }), 1);
    assert.deepEqual(bytesOf(buffer), [0, 0, 0, 1]);
    a.close();
    b.close();
  });

  Deno.test(`${face}: a message that send() has sent is refused, and still there`, async () => {
    const [a, b] = Pipe();
    a.sendNowait("text");
    await assert.rejects(into(b, new Uint8Array(100)), TypeError);
    assert.equal(b.recvNowait(), "text");
    a.close();
    await assert.rejects(into(b, new Uint8Array(100)), EOFError);
    b.close();
    await assert.rejects(into(b, new Uint8Array(100)), InvalidStateError);
  });
}

Deno.test("it waits for a message, as long as it may, and nothing is lost", async () => {
  const [a, b] = Pipe();
  const buffer = new Uint8Array(4);
  assert.throws(() => b.recvBytesIntoNowait(buffer), TimeoutError);
  assert.throws(() => b.recvBytesIntoSync(buffer, { timeout: 1 }), TimeoutError);
  await assert.rejects(b.recvBytesInto(buffer, { timeout: 1 }), TimeoutError);
  await assert.rejects(b.recvBytesInto(buffer, { timeout: -1 }), RangeError);
  const stop = new AbortController();
  const aborted = b.recvBytesInto(buffer, { signal: stop.signal });
  stop.abort("not needed");
  await aborted.then(() => assert.fail(), (reason) => assert.equal(reason, "not needed"));
  const waiting = b.recvBytesInto(buffer, { offset: 2, ...bound });
  a.sendBytesNowait(Uint8Array.of(1, 2));
  assert.equal(await waiting, 2);
  assert.deepEqual(buffer, Uint8Array.of(0, 0, 1, 2));
  a.close();
  b.close();
});

Deno.test("a buffer that was transferred while it waits is refused, and the message is still there", async () => {
  const [a, b] = Pipe();
  const buffer = new Uint8Array(4);
  const waiting = b.recvBytesInto(buffer);
  structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
  a.sendBytesNowait(Uint8Array.of(1, 2));
  await assert.rejects(waiting, /buffer is in a detached ArrayBuffer/);
  assert.deepEqual(b.recvBytesNowait(), Uint8Array.of(1, 2));
  a.close();
  b.close();
});

Deno.test("a buffer that has shrunk while it waits has as much room as it has then", async () => {
  const [a, b] = Pipe();
  const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
  const waiting = b.recvBytesInto(buffer);
  buffer.resize(1);
  a.sendBytesNowait(Uint8Array.of(1, 2));
  await assert.rejects(waiting, BufferTooShort);
  a.close();
  b.close();
});

Deno.test("long messages, of more than a segment, arrive whole", async () => {
  const [a, b] = Pipe();
  const buffer = new Uint8Array(2 ** 21);
  for (const length of [1000, 2 ** 16, 2 ** 20 + 3, 2 ** 21]) {
    const bytes = crypto.getRandomValues(new Uint8Array(2 ** 16));
    const message = new Uint8Array(length).map((_, i) => bytes[i & 0xffff]);
    const receiving = b.recvBytesInto(buffer, bound);
    await a.sendBytes(message);
    assert.equal(await receiving, length);
    assert.equal(Buffer.compare(buffer.subarray(0, length), message), 0);
  }
  a.close();
  b.close();
});

const sends = {
  sendBytes: (end: Connection, bytes: AllowSharedBufferSource, options?: SendBytesOptions) =>
    end.sendBytes(bytes, options),
  sendBytesNowait: (end: Connection, bytes: AllowSharedBufferSource, options?: SendBytesOptions) =>
    Promise.try(() => end.sendBytesNowait(bytes, options)),
  sendBytesSync: (end: Connection, bytes: AllowSharedBufferSource, options?: SendBytesOptions) =>
    Promise.try(() => end.sendBytesSync(bytes, options)),
};

for (const [face, send] of Object.entries(sends)) {
  Deno.test(`${face} sends a part of the bytes, from an offset, so many`, async () => {
    const [a, b] = Pipe();
    const bytes = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    const views = [bytes, bytes.buffer, new DataView(bytes.buffer), new Int32Array(bytes.buffer)];
    for (const view of [...views, new Uint8Array(Uint8Array.of(9, ...bytes, 9).buffer, 1, 8)]) {
      for (const [offset, size] of [[5], [0, 0], [2, 3], [8], [8, 0], [0, 8], [undefined, 4]]) {
        await send(a, view, { offset, size });
        const end = size === undefined ? undefined : (offset ?? 0) + size;
        assert.deepEqual(b.recvBytesNowait(), bytes.slice(offset, end));
      }
    }
    for (
      const [offset, size] of [[9], [4, 5], [8, 1], [-1], [4, -1], [0.5], [0, NaN], [Infinity]]
    ) {
      await assert.rejects(send(a, bytes, { offset, size }), RangeError, `${offset}, ${size}`);
    }
    for (
      const options of [{ offset: "1" }, { size: 1n }, { offset: null }, { length: 1 }, 5, null]
    ) {
      await assert.rejects(send(a, bytes, wrong(options)), TypeError);
    }
    assert.equal(b.pollNowait(), false);
    a.close();
    b.close();
  });
}

for (const face of ["async", "sync"] as const) {
  Deno.test(`in another process, ${face}: the bytes, or the error with them`, async () => {
    for (const room of [3, 2]) {
      const [a, b] = Pipe();
      const process = new Process({
        target: targets.receiveInto,
        args: [b, room, face],
        module: targets.here,
      });
      process.start();
      await a.sendBytes(Uint8Array.of(1, 2, 3));
      if (room === 3) assert.deepEqual(await process.result(bound), [1, 2, 3]);
      else {
        await assert.rejects(process.result(bound), (error) => {
          assert.ok(error instanceof ProcessError);
          assert.ok(error.cause instanceof BufferTooShort, `${error.cause}`);
          assert.deepEqual(error.cause.bytes, Uint8Array.of(1, 2, 3));
          return true;
        });
      }
      a.close();
      await process.join(bound);
    }
  });
}
