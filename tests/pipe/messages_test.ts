// The values that can be sent through a pipe, and how they arrive: copied, moved, shared or handed over.

import assert from "node:assert/strict";
import { type Connection, Pipe, Process, Queue, RLock, SharedArray, Value } from "../../mod.ts";
import { assertSame } from "../support/codec_same.ts";
import { valueOf } from "../support/codec_values.ts";
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

Deno.test("what structured clone copies arrives as its copy", async () => {
  const [a, b] = pipe();
  for (let seed = 1; seed <= 300; seed++) {
    const value = valueOf(seed);
    a.sendNowait(value);
    try {
      assertSame(await b.recv(), structuredClone(value));
    } catch (error) {
      throw new Error(`With seed ${seed}`, { cause: error });
    }
  }
  a.close();
  b.close();
});

Deno.test("so does what only the platform can copy, to another process and back", async () => {
  const { here, process } = echoing();
  const back = async <T>(value: T): Promise<T> => {
    await here.send([value, new Map([["key", value]])]);
    const [one, map] = await here.recv(bound);
    assert.equal(map.get("key"), one);
    return one;
  };
  const blob = await back(new Blob(["some ", "text"], { type: "text/plain" }));
  assert.ok(blob instanceof Blob);
  assert.equal(blob.type, "text/plain");
  assert.equal(await blob.text(), "some text");
  const file = await back(new File(["content"], "name.txt", { lastModified: 5 }));
  assert.ok(file instanceof File);
  assert.deepEqual([file.name, file.lastModified], ["name.txt", 5]);
  assert.equal(await file.text(), "content");
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", Uint8Array.of(1), hmac, false, [
    "sign",
    "verify",
  ]);
  const keyBack = await back(key);
  assert.ok(keyBack instanceof CryptoKey);
  const data = Uint8Array.of(1, 2, 3);
  const signature = await crypto.subtle.sign("HMAC", key, data);
  assert.ok(await crypto.subtle.verify("HMAC", keyBack, signature, data));
  const wasm = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  assert.ok(await back(wasm) instanceof WebAssembly.Module);
  const exception = await back(new DOMException("no more", "QuotaExceededError"));
  assert.ok(exception instanceof DOMException);
  assert.deepEqual(
    [exception.name, exception.message, exception.code],
    ["QuotaExceededError", "no more", 22],
  );
  here.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("cycles, errors with causes, Maps, Sets, Dates and BigInts go there and back", async () => {
  const { here, process } = echoing();
  const cycle: Record<string, unknown> = { list: [] };
  cycle.list = [cycle, new Map([[cycle, new Set([cycle])]])];
  const values = [
    cycle,
    new RangeError("far", { cause: new TypeError("near", { cause: { code: 7 } }) }),
    new AggregateError([new Error("one")], "all"),
    new Map<unknown, unknown>([[{ key: 1 }, 2n ** 90n], [NaN, -0]]),
    new Set([new Date(0), /a+/giu, "text \ud800"]),
    BigInt64Array.of(-1n, 2n),
    new Float64Array(new Float64Array([1, 2, 3]).buffer, 8, 1),
    new ArrayBuffer(3, { maxByteLength: 9 }),
    [1, , undefined, null], // deno-lint-ignore-line no-sparse-arrays
    undefined,
    null,
    Object(1n),
  ];
  for (const value of values) {
    await here.send(value);
    assertSame(await here.recv(bound), structuredClone(value));
  }
  here.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("a message is a copy of what there was when send was called, room or not", async () => {
  const [a, b] = pipe({ maxSize: 1 });
  const message = { state: "then" };
  const sending = [a.send(message), a.send(message)];
  message.state = "later";
  assert.deepEqual(await b.recv(), { state: "then" });
  assert.deepEqual(await b.recv(), { state: "then" });
  await Promise.all(sending);
  a.close();
  b.close();
});

Deno.test("a getter of a message may itself send, and what it throws is thrown", () => {
  const [a, b] = pipe();
  a.sendNowait({
    get inner() {
      a.sendNowait("from within");
      return "outer";
    },
  });
  assert.equal(b.recvNowait(), "from within");
  assert.deepEqual(b.recvNowait(), { inner: "outer" });
  const failing = {
    get inner() {
      throw new RangeError("not now");
    },
  };
  assert.throws(() => a.sendNowait(failing), /not now/);
  assert.throws(() => a.sendNowait([failing, new SharedArrayBuffer(1)]), /not now/);
  a.sendNowait("usable");
  assert.equal(b.recvNowait(), "usable");
  a.close();
  b.close();
});

Deno.test("a SharedArrayBuffer is shared: both sides see what either writes", async () => {
  const [here, there] = pipe();
  const process = new Process({ target: targets.shareMemory, args: [there], module });
  process.start();
  const words = new Int32Array(new SharedArrayBuffer(8));
  await here.send({ words, again: words.buffer });
  const written = Atomics.waitAsync(words, 0, 0, bound.timeout);
  if (written.async) await written.value;
  assert.equal(Atomics.load(words, 0), 7);
  Atomics.store(words, 1, 42);
  Atomics.notify(words, 1);
  assert.equal(await process.result(bound), 42);
  here.close();
});

Deno.test("a growable SharedArrayBuffer grows on both sides", async () => {
  const { here, process } = echoing();
  const buffer = new SharedArrayBuffer(4, { maxByteLength: 64 });
  await here.send({ buffer });
  const back = (await here.recv(bound)).buffer;
  buffer.grow(32);
  assert.equal(back.byteLength, 32);
  here.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("256 MiB move: they are gone here, there and back, and nothing of them changed", async () => {
  const [here, there] = pipe({ maxBytes: 1024 });
  const process = new Process({ target: targets.inspectBuffer, args: [there], module });
  process.start();
  const size = 256 * 2 ** 20;
  const bytes = new Uint8Array(size);
  bytes[0] = 1;
  bytes[size / 2] = 2;
  bytes[size - 1] = 3;
  await here.send(bytes.buffer, { transfer: [bytes.buffer] });
  assert.equal(bytes.buffer.detached, true);
  assert.equal(bytes.length, 0);
  const { seen, buffer } = await here.recv(bound);
  assert.deepEqual(seen, [size, 1, 2, 3]);
  assert.equal(buffer.byteLength, size);
  assert.equal(new Uint8Array(buffer)[1], 99);
  // Not before the garbage is collected would the memory go otherwise.
  buffer.transfer(0);
  assert.equal(await process.join(bound), true);
  here.close();
});

Deno.test("what is transferred may be anywhere in the message, or nowhere in it", async () => {
  const [a, b] = pipe();
  const buffers = Array.from({ length: 3 }, (_, i) => new ArrayBuffer(i + 1));
  a.sendNowait(
    { list: [new Uint8Array(buffers[0])], map: new Map([[buffers[1], buffers[1]]]) },
    { transfer: buffers },
  );
  assert.ok(buffers.every((buffer) => buffer.detached));
  const { list, map } = await b.recv();
  assert.equal(list[0].length, 1);
  const [[key, value]] = map;
  assert.equal(key.byteLength, 2);
  assert.equal(key, value);
  a.close();
  b.close();
});

Deno.test("MessagePorts and streams are transferred to another process", async () => {
  const [here, there] = pipe();
  const process = new Process({ target: targets.usePortAndStreams, args: [there], module });
  process.start();
  const { port1, port2 } = new MessageChannel();
  const readable = ReadableStream.from(["a", "b", "c"]);
  const chunks: string[] = [];
  const closed = Promise.withResolvers<void>();
  const writable = new WritableStream<string>({
    write: (chunk) => void chunks.push(chunk),
    close: () => closed.resolve(),
  });
  const heard = new Promise((resolve) => port1.onmessage = ({ data }) => resolve(data));
  await here.send(
    { port: port2, readable, writable },
    { transfer: [port2, readable, writable] },
  );
  assert.equal(await heard, "through the port");
  assert.deepEqual(await process.result(bound), ["a", "b", "c"]);
  await closed.promise;
  assert.deepEqual(chunks, ["A", "B", "C"]);
  port1.close();
  here.close();
});

Deno.test("messages as bytes and posted ones keep their order", async () => {
  const { here, process } = echoing(targets.echoSync);
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const all: unknown[] = [];
  for (let i = 0; i < 300; i++) {
    const message = i % 3 === 0 ? i : i % 3 === 1 ? { i, shared } : "long".repeat(i * 400);
    all.push(message);
    if (i % 7 === 0) {
      const { buffer } = Int32Array.of(i);
      here.sendNowait(buffer, { transfer: [buffer] });
      all.push(Int32Array.of(i).buffer);
    }
    here.sendNowait(message);
    if (i % 7 === 0) all.push(all.splice(-2, 1)[0]);
  }
  for (const message of all) assert.deepEqual(await here.recv(bound), message);
  here.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("queues, locks and shared values in a message arrive as what they are", async () => {
  const { here, process } = echoing();
  const queue = new Queue<string>(), lock = new RLock();
  const value = new Value("i32", 5), array = new SharedArray("u8", [1, 2, 3]);
  await here.send({ queue, list: [lock, { value }], set: new Set([array]) });
  const back = await here.recv(bound);
  back.queue.putNowait("through");
  assert.equal(queue.getNowait(), "through");
  assert.ok(back.list[0] instanceof RLock);
  back.list[1].value.value = 6;
  assert.equal(value.value, 6);
  assert.equal([...back.set][0][2], 3);
  here.close();
  assert.equal(await process.join(bound), true);
});
