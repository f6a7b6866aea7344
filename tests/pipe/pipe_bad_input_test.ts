// Bad input to pipes: each is refused at the call, with the right class of error and a message that
// names the fault and a way out; and the pipe stays as it was.

import assert from "node:assert/strict";
import { Queue as LocalQueue } from "../../local.ts";
import {
  Connection,
  InvalidStateError,
  Pipe,
  Process,
  Queue,
  TimeoutError,
  wait,
  waitNowait,
  type WaitOptions,
  waitSync,
} from "../../mod.ts";
import * as targets from "../support/targets/pipe_targets.ts";

const module = targets.here;

type ErrorClass = abstract new (...args: never[]) => Error;

/** What the compiler would refuse, too. */
// deno-lint-ignore no-explicit-any -- it has to pass for every type
function wrong(value: unknown): any {
  return value;
}

/** A pipe whose messages may be anything. */
// deno-lint-ignore no-explicit-any -- what a test sends is its own business
const pipe = (options?: Parameters<typeof Pipe>[0]) => Pipe<any>(options);

/**
 * Checks that a call is refused with this class of error and that its message has all the patterns:
 * where it is asynchronous, by a rejection, else by a throw.
 */
async function refused(
  name: string,
  call: () => unknown,
  errorClass: ErrorClass,
  ...patterns: RegExp[]
): Promise<void> {
  let error: unknown;
  try {
    const result = call();
    error = new Error("nothing was thrown");
    if (result instanceof Promise) error = await result.then(() => error, (reason) => reason);
  } catch (thrown) {
    assert.ok(/Nowait|Sync|new|Pipe|message|start/i.test(name), `${name} throws`);
    error = thrown;
  }
  assert.ok(error instanceof errorClass, `${name}: not a ${errorClass.name}: ${error}`);
  for (const pattern of patterns) assert.match(error.message, pattern, name);
  assert.match(error.message, /^[^]+[.] [A-Z][^]+[.]$/, "a sentence, and what to do");
}

interface Options extends WaitOptions {
  transfer?: Transferable[];
}

type Send = (end: Connection, message: unknown, options?: Options) => unknown;
const sends: Record<string, Send> = {
  send: (end, message, options) => end.send(message, options),
  sendNowait: (end, message, options) => end.sendNowait(message, options),
  sendSync: (end, message, options) => end.sendSync(message, options),
};

const byteSends: Record<string, Send> = {
  sendBytes: (end, bytes, options) => end.sendBytes(wrong(bytes), options),
  sendBytesNowait: (end, bytes) => end.sendBytesNowait(wrong(bytes)),
  sendBytesSync: (end, bytes, options) => end.sendBytesSync(wrong(bytes), options),
};

interface ReceiveOptions extends WaitOptions {
  maxLength?: number;
}

type Receive = (end: Connection, options?: ReceiveOptions) => unknown;
const byteReceives: Record<string, Receive> = {
  recvBytes: (end, options) => end.recvBytes(options),
  recvBytesNowait: (end, options) => end.recvBytesNowait(options),
  recvBytesSync: (end, options) => end.recvBytesSync(options),
};
const receives: Record<string, Receive> = {
  recv: (end, options) => end.recv(options),
  recvNowait: (end) => end.recvNowait(),
  recvSync: (end, options) => end.recvSync(options),
  poll: (end, options) => end.poll(options),
  pollNowait: (end) => end.pollNowait(),
  pollSync: (end, options) => end.pollSync(options),
  wait: (end, options) => wait([end], options),
  waitNowait: (end) => waitNowait([end]),
  waitSync: (end, options) => waitSync([end], options),
  ...byteReceives,
};

const bytes = new Uint8Array(4);

Deno.test("options of a pipe that are none are refused", async () => {
  for (
    const [options, what] of [[null, /null/], ["x", /a string, "x"/], [5, /a number/]] as const
  ) {
    await refused("Pipe", () => Pipe(wrong(options)), TypeError, what, /Pipe\(\{ duplex/);
  }
  for (const duplex of ["no", 0, null]) {
    await refused("Pipe", () => Pipe({ duplex: wrong(duplex) }), TypeError, /^duplex is/);
  }
  for (const maxSize of [-1, 1.5, NaN, Infinity, 2 ** 31]) {
    await refused("Pipe", () => Pipe({ maxSize }), RangeError, /^maxSize is/, /0 for no bound/);
  }
  for (const maxBytes of [-1, 0, 63, 64.5, NaN, Infinity, 2 ** 31]) {
    await refused("Pipe", () => Pipe({ maxBytes }), RangeError, /^maxBytes is/, /2 \*\* 30/);
  }
  for (const value of ["5", null, 5n]) {
    await refused("Pipe", () => Pipe({ maxSize: wrong(value) }), TypeError, /^maxSize is/);
    await refused("Pipe", () => Pipe({ maxBytes: wrong(value) }), TypeError, /^maxBytes is/);
  }
});

Deno.test("a connection is not made by new, nor of what is no message", async () => {
  for (const content of [undefined, null, {}]) {
    await refused("new", () => new Connection(content), TypeError, /Pipe\(\)/);
  }
  for (const message of [undefined, null, {}, 5, "text", [], { content: {} }]) {
    const call = () => Connection.fromMessage(wrong(message));
    await refused("fromMessage", call, TypeError, /toMessage\(\)/);
  }
});

Deno.test("receiving on the sending end of a one-way pipe is refused by every face", async () => {
  const [receiver, sender] = pipe({ duplex: false });
  for (const [name, receive] of Object.entries(receives)) {
    await refused(name, () => receive(sender), InvalidStateError, /only sends/, /duplex/);
  }
  await assert.rejects(async () => {
    for await (const _ of sender);
  }, InvalidStateError);
  sender.sendNowait("usable");
  assert.equal(receiver.recvNowait(), "usable");
  receiver.close();
  sender.close();
});

Deno.test("sending on the receiving end of a one-way pipe is refused by every face", async () => {
  const [receiver, sender] = pipe({ duplex: false });
  for (const [name, send] of Object.entries({ ...sends, ...byteSends })) {
    await refused(name, () => send(receiver, bytes), InvalidStateError, /only receives/, /duplex/);
  }
  await refused(
    "sendNowait",
    () => receiver.sendNowait(new SharedArrayBuffer(1)),
    InvalidStateError,
    /only receives/,
  );
  const writer = receiver.writable.getWriter();
  await assert.rejects(writer.write(1), InvalidStateError);
  await writer.closed.catch(() => {});
  sender.sendNowait("usable");
  assert.equal(receiver.recvNowait(), "usable");
  receiver.close();
  sender.close();
});

Deno.test("a closed end is refused by every face, and where it is to move", async () => {
  const [here, there] = pipe();
  there.close();
  const words = /was closed/;
  for (const [name, receive] of Object.entries(receives)) {
    await refused(name, () => receive(there), InvalidStateError, words);
  }
  for (const [name, send] of Object.entries({ ...sends, ...byteSends })) {
    await refused(name, () => send(there, bytes), InvalidStateError, words);
  }
  const [a, b] = pipe();
  for (const [name, send] of Object.entries(sends)) {
    await refused(name, () => send(a, { there }), InvalidStateError, words);
  }
  await refused("toMessage", () => there.toMessage(), InvalidStateError, words);
  const process = new Process({ target: targets.give, args: [there], module });
  await refused("start", () => process.start(), InvalidStateError, words);
  assert.throws(() => there.statistics(), InvalidStateError);
  there.close();
  there[Symbol.dispose]();
  for (const end of [here, a, b]) end.close();
});

/** What can't be sent, and how messages name it. */
const uncloneable: [unknown, RegExp][] = [
  [() => {}, /message is a function/],
  [{ list: [1, { onDone() {} }] }, /message\.list\[1\]\.onDone is a function/],
  [[Symbol("no")], /message\[0\] is a symbol/],
  [{ promise: Promise.resolve() }, /message\.promise is a Promise.*\. Await it/],
  [new Map([["key", new WeakMap()]]), /message\.get\("key"\) is a WeakMap/],
  [new Set([new URL("http://localhost")]), /\[\.\.\.message\]\[0\] is a URL/],
  [new Error("x", { cause: { f() {} } }), /message\.cause\.f is a function/],
  [[new Proxy({}, {})], /message\[0\] is a Proxy/],
  [{ signal: new AbortController().signal }, /message\.signal is an AbortSignal/],
  [{ process: new Process({ target: targets.give, args: [1], module }) }, /\.process is a Process/],
  [[new LocalQueue()], /message\[0\] is a.*Queue/],
  [{ shared: new SharedArrayBuffer(1), f() {} }, /message\.f is a function/],
];

Deno.test("what can't be cloned is named with its place, and the pipe is as it was", async () => {
  const [a, b] = pipe();
  a.sendNowait("before");
  for (const [message, pattern] of uncloneable) {
    for (const [name, send] of Object.entries(sends)) {
      await refused(name, () => send(a, message), TypeError, pattern);
    }
  }
  const { port1, port2 } = new MessageChannel();
  for (const [name, send] of Object.entries(sends)) {
    await refused(name, () => send(a, { port1 }), TypeError, /message/);
  }
  port1.close();
  port2.close();
  a.sendNowait("after");
  assert.deepEqual([b.recvNowait(), b.recvNowait()], ["before", "after"]);
  assert.throws(() => b.recvNowait(), TimeoutError);
  a.close();
  b.close();
});

Deno.test("it is refused at once by a full pipe, too, and not when there is room", async () => {
  const [a, b] = pipe({ maxSize: 1 });
  a.sendNowait("in the way");
  for (const [message, pattern] of uncloneable) {
    for (const [name, send] of Object.entries(sends)) {
      await refused(name, () => send(a, message, { timeout: 2_000 }), TypeError, pattern);
    }
    assert.equal(a.statistics().waiting, 0);
  }
  assert.equal(b.recvNowait(), "in the way");
  a.close();
  b.close();
});

Deno.test("a transfer list that is wrong is refused, and nothing of it is moved", async () => {
  const [a, b] = pipe(), [inner, other] = pipe();
  const buffer = new ArrayBuffer(8), shared = new SharedArrayBuffer(8);
  const gone = new ArrayBuffer(8);
  structuredClone(gone, { transfer: [gone] });
  const locked = new ReadableStream();
  const reader = locked.getReader();
  const lists: [unknown, RegExp][] = [
    [buffer, /^transfer is an object.*as \[buffer\]/],
    ["buffer", /^transfer is a string/],
    [null, /^transfer is null/],
    [new Set([buffer]), /^transfer is an object/],
    [[buffer, new Uint8Array(buffer)], /^transfer\[1\] is a view.*Transfer its \.buffer/],
    [[buffer, shared], /^transfer\[1\] is a SharedArrayBuffer, which is shared anyway/],
    [[buffer, gone], /^transfer\[1\] is a detached ArrayBuffer/],
    [[buffer, buffer], /^transfer\[1\] is the same as transfer\[0\]/],
    [[buffer, inner], /^transfer\[1\] is an object that moves by itself/],
    [[buffer, new Queue()], /^transfer\[1\] is an object that moves by itself/],
    [[buffer, locked], /^transfer\[1\] is a stream that is locked/],
    [[buffer, {}], /^transfer\[1\] is an object, which can't be transferred/],
    [[buffer, undefined], /^transfer\[1\] is undefined, which can't be transferred/],
    [[buffer, "text"], /^transfer\[1\] is a string/],
    [[buffer, new Blob([])], /^transfer\[1\] is an object, which can't be transferred/],
  ];
  for (const [transfer, pattern] of lists) {
    for (const [name, send] of Object.entries(sends)) {
      const options = { transfer: wrong(transfer) };
      await refused(name, () => send(a, { buffer }, options), TypeError, pattern);
      assert.equal(buffer.detached, false, name);
    }
  }
  assert.equal(inner.closed, false);
  assert.equal(b.pollNowait(), false);
  a.sendNowait({ buffer }, { transfer: [buffer] });
  assert.equal(b.recvNowait().buffer.byteLength, 8);
  reader.releaseLock();
  for (const end of [a, b, inner, other]) end.close();
});

Deno.test("what was transferred before isn't sent again", async () => {
  const [a, b] = pipe();
  const buffer = new ArrayBuffer(8), view = new Uint8Array(buffer);
  a.sendNowait(buffer, { transfer: [buffer] });
  for (const [name, send] of Object.entries(sends)) {
    const detached = /detached ArrayBuffer/;
    await refused(name, () => send(a, [buffer], { transfer: [buffer] }), TypeError, detached);
    await refused(name, () => send(a, [buffer]), TypeError, /message\[0\] is a detached/);
    await refused(name, () => send(a, { view }), TypeError, /message\.view is a.*detached/);
  }
  for (const [name, send] of Object.entries(byteSends)) {
    await refused(name, () => send(a, buffer), TypeError, /^bytes are in a detached/);
    await refused(name, () => send(a, view), TypeError, /^bytes are in a detached/);
  }
  b.recvNowait();
  a.sendNowait("usable");
  assert.equal(b.recvNowait(), "usable");
  a.close();
  b.close();
});

Deno.test("of two waiting sends that transfer the same, the second fails and moves nothing", async () => {
  const [a, b] = pipe({ maxSize: 1 });
  a.sendNowait("in the way");
  const shared = new ArrayBuffer(8), own = new ArrayBuffer(8);
  const first = a.send(shared, { transfer: [shared] });
  const second = assert.rejects(a.send([own, shared], { transfer: [own, shared] }), TypeError);
  const third = a.send("third");
  assert.equal(b.recvNowait(), "in the way");
  assert.equal((await b.recv()).byteLength, 8);
  await first;
  await second;
  assert.equal(own.detached, false);
  assert.equal(await b.recv(), "third");
  await third;
  a.close();
  b.close();
});

Deno.test("what isn't bytes is refused by every face that sends bytes", async () => {
  const [a, b] = pipe();
  const values = ["text", [1, 2], 5, null, undefined, {}, new Blob([]), true];
  for (const [name, send] of Object.entries(byteSends)) {
    for (const value of values) {
      await refused(name, () => send(a, value), TypeError, /^bytes is/, /ArrayBuffer/);
    }
  }
  assert.equal(b.pollNowait(), false);
  a.close();
  b.close();
});

Deno.test("a maxLength that is none is refused, and the message stays where it is", async () => {
  const [a, b] = pipe();
  a.sendBytesNowait(bytes);
  for (const [name, receive] of Object.entries(byteReceives)) {
    for (const maxLength of [-1, NaN, -Infinity]) {
      await refused(name, () => receive(b, { maxLength }), RangeError, /^maxLength is/);
    }
    for (const maxLength of ["5", null, 5n]) {
      const options = { maxLength: wrong(maxLength) };
      await refused(name, () => receive(b, options), TypeError, /^maxLength is/);
    }
    await refused(name, () => receive(b, { maxLength: 3 }), RangeError, /4 bytes.*maxLength, 3/);
  }
  assert.equal(b.recvBytesNowait().length, 4);
  a.sendNowait("text");
  for (const [name, receive] of Object.entries(byteReceives)) {
    await refused(name, () => receive(b), TypeError, /not bytes.*recv\(\)/);
  }
  assert.equal(b.recvNowait(), "text");
  a.close();
  b.close();
});

Deno.test("a message larger than maxBytes is refused at once, by every face, full or not", async () => {
  const [a, b] = pipe({ maxBytes: 256 });
  for (const full of [false, true]) {
    if (full) a.sendBytesNowait(new Uint8Array(250));
    for (const [name, send] of Object.entries(sends)) {
      const call = () => send(a, "x".repeat(300));
      await refused(
        name,
        call,
        RangeError,
        /takes \d+ bytes/,
        /maxBytes of 256/,
        /larger maxBytes/,
      );
    }
    for (const [name, send] of Object.entries(byteSends)) {
      const call = () => send(a, new Uint8Array(300));
      await refused(name, call, RangeError, /takes \d+ bytes/, /maxBytes of 256/);
    }
  }
  assert.equal(b.recvNowait().length, 250);
  a.sendNowait("x".repeat(200));
  assert.equal(b.recvNowait().length, 200);
  a.close();
  b.close();
});

/** Everything that takes a timeout, with an end that has a message and room. */
const timed = Object.entries({ ...sends, ...byteSends, ...receives })
  .filter(([name]) => !name.endsWith("Nowait"))
  .map(([name, call]) => ({
    name,
    call: (a: Connection, b: Connection, options: WaitOptions) =>
      name in receives ? (call as Receive)(b, options) : (call as Send)(a, bytes, options),
  }));

Deno.test("a timeout that isn't a time is refused by every face, and nothing happens", async () => {
  const [a, b] = pipe();
  a.sendBytesNowait(bytes);
  const ways = /milliseconds from 0 up/;
  for (const { name, call } of timed) {
    for (const timeout of [NaN, -1, -Infinity]) {
      const pattern = new RegExp(`^timeout is ${timeout}\\.`);
      await refused(name, () => call(a, b, { timeout }), RangeError, pattern, ways);
    }
    for (const [timeout, what] of [["5", /a string/], [null, /null/], [5n, /a bigint/]] as const) {
      await refused(name, () => call(a, b, { timeout: wrong(timeout) }), TypeError, what, ways);
    }
    assert.equal(b.statistics().toReceive, 1, name);
  }
  a.close();
  b.close();
});

Deno.test("a signal that is none, or aborted, is refused, and nothing happens", async () => {
  const [a, b] = pipe();
  a.sendBytesNowait(bytes);
  const reason = new Error("before it began");
  const options = { signal: AbortSignal.abort(reason) };
  for (const { name, call } of timed.filter(({ name }) => !name.endsWith("Sync"))) {
    for (const signal of [new AbortController(), "now", 5]) {
      const call2 = () => call(a, b, { signal: wrong(signal) });
      await refused(name, call2, TypeError, /^signal is/);
    }
    await assert.rejects(async () => await call(a, b, options), (error) => error === reason, name);
    assert.equal(b.statistics().toReceive, 1, name);
  }
  a.close();
  b.close();
});

Deno.test("waiting for nothing, or for what can't be waited for, is refused by every face", async () => {
  const [a, b] = pipe(), [receiver, sender] = pipe({ duplex: false });
  const queue = new Queue<string>(), closed = new Queue<string>();
  closed.close();
  const unstarted = new Process({ target: targets.give, args: [1], module });
  const over = new Process({ target: targets.give, args: [1], module });
  over.start();
  await over.join();
  over.close();
  // deno-lint-ignore no-explicit-any -- it has to pass for every type
  const faces: [string, (objects: any) => unknown][] = [
    ["wait", (objects) => wait(objects)],
    ["wait", (objects) => wait(objects, { timeout: 0 })],
    ["waitNowait", (objects) => waitNowait(objects)],
    ["waitSync", (objects) => waitSync(objects)],
  ];
  for (const [name, face] of faces) {
    for (const none of [[], new Set()]) {
      await refused(name, () => face(none), RangeError, /nothing to wait for/);
    }
    for (const no of [undefined, null, 5, "text", {}, b, queue]) {
      // A queue or a connection is no list, though one could loop over it.
      await refused(name, () => face(no), TypeError, /^The objects are/, /array of connections/);
    }
    for (const no of [undefined, null, "text", {}, Promise.resolve(), new LocalQueue(), [b]]) {
      const pattern = /^objects\[1\] is .*can't be waited for/;
      await refused(name, () => face([b, no]), TypeError, pattern);
    }
    await refused(name, () => face([b, sender]), InvalidStateError, /only sends/);
    await refused(name, () => face([b, closed]), InvalidStateError, /closed the queue/);
    await refused(name, () => face([b, unstarted]), InvalidStateError, /not started/);
    await refused(name, () => face([b, over]), InvalidStateError, /was closed/);
  }
  assert.equal(b.statistics().waiting, 0);
  for (const end of [a, b, receiver, sender]) end.close();
});

Deno.test("a connection isn't put into a queue, and the queue says so", async () => {
  const [a, b] = pipe(), queue = new Queue<unknown>();
  const words = /item\.deep\[0\] is a Connection, which is handed over, not copied.*through a pipe/;
  await refused("putNowait", () => queue.putNowait({ deep: [a] }), TypeError, words);
  await refused("put", () => queue.put({ deep: [a] }), TypeError, words);
  assert.ok(queue.empty());
  a.sendNowait("usable");
  assert.equal(b.recvNowait(), "usable");
  b.close();
  await refused("put", () => queue.put(b), TypeError, /was closed/);
  a.close();
});
