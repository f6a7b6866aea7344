// What the two ends of a pipe do: their three faces, what can be sent, bounds and memory, streams.

import assert from "node:assert/strict";
import {
  BrokenPipeError,
  type Connection,
  EOFError,
  Pipe,
  Process,
  Queue,
  RLock,
  SharedArray,
  sleep,
  TimeoutError,
  Value,
  wait,
} from "../../mod.ts";
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

// The faces

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

Deno.test("both faces of two processes send each other messages, there and back", async () => {
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

// Bytes

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

// What can be sent

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

Deno.test("a sender a million messages ahead breaks nothing, and the memory is given back", async () => {
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
});

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

// Web streams

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

Deno.test("a chain of two workers in a stream keeps the order of thousands", async () => {
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
