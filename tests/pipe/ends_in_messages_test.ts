// Where in a message ends of pipes and queues may be; a message that is refused moves nothing.

import assert from "node:assert/strict";
import {
  BrokenPipeError,
  type Connection,
  InvalidStateError,
  JoinableQueue,
  Pipe,
  Process,
  Queue,
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

// Where in a message

Deno.test("ends and queues are handed over at any depth, and one of them stays one", async () => {
  const [here, there] = pipe();
  const process = new Process({ target: targets.useHandedOver, args: [there], module });
  process.start();
  const pairs = Array.from({ length: 6 }, () => pipe());
  const [own, mine] = pipe();
  const ends = pairs.map(([end]) => end);
  const queue = new Queue<string>(), joinable = new JoinableQueue<string>();
  await joinable.put("task");
  const places: Record<string, unknown> = {
    array: [queue, ends[0]],
    map: new Map([["key", ends[1]]]),
    keys: new Map([[ends[2], "value"]]),
    set: new Set([ends[3]]),
    deep: [{ deeper: { deepest: new Array(1).fill(ends[4]) } }],
    bare: Object.assign(Object.create(null), { connection: ends[5] }),
    twice: [own, own],
  };
  places.itself = places;
  await here.send({ own, queue, joinable, places });
  assert.deepEqual(await here.recv(bound), { twice: true, cycle: true, bare: true, sent: 6 });
  assert.equal(await mine.recv(bound), "through my own");
  assert.equal(await queue.get(bound), "through the queue");
  assert.equal(await joinable.join(bound), true);
  for (const [i, [end, other]] of pairs.entries()) {
    assert.equal(await other.recv(bound), i);
    assert.equal(end.closed, true);
    other.close();
  }
  // The containers of this side are as they were.
  assert.deepEqual(places.twice, [own, own]);
  assert.equal(places.itself, places);
  assert.equal(await process.join(bound), true);
  for (const end of [here, mine]) end.close();
});

Deno.test("ends are given to a process at any depth of its arguments", async () => {
  const pairs = Array.from({ length: 4 }, () => pipe());
  const ends = pairs.map(([end]) => end);
  const places: Parameters<typeof targets.receiveFromAll>[0] = {
    array: [ends[0]],
    map: new Map([["key", ends[1]]]),
    set: new Set([ends[2]]),
    deep: { list: [{ connection: ends[3] }] },
  };
  places.itself = places;
  const process = new Process({ target: targets.receiveFromAll, args: [places], module });
  process.start();
  for (const [i, [end, other]] of pairs.entries()) {
    assert.equal(end.closed, true);
    other.sendNowait(i);
    other.close();
  }
  assert.deepEqual(await process.result(bound), [true, 0, 1, 2, 3]);
  assert.equal(places.array[0], ends[0]);
});

Deno.test("an end may be a field of a subclass of Process", async () => {
  const [here, there] = Pipe<string>();
  const answerer = new targets.Answerer(there);
  answerer.start();
  assert.equal(answerer.connection, there);
  assert.equal(there.closed, true);
  await here.send("question");
  assert.equal(await here.recv(bound), "answer to question");
  assert.equal(await answerer.result(bound), "question");
  here.close();
});

Deno.test("a result may hold an end, with what was sent to it", async () => {
  const process = new Process({ target: targets.makeEnd, args: [3], module });
  process.start();
  await process.join(bound);
  const result = await process.result(bound);
  const end = result.get("end")!;
  const got = [];
  for await (const i of end) got.push(i);
  assert.deepEqual(got, [0, 1, 2]);
  assert.throws(() => end.sendNowait(1), BrokenPipeError);
  end.close();
});

Deno.test("an end goes to a process and comes back as its result", async () => {
  const [here, there] = pipe();
  here.sendNowait("kept");
  const process = new Process<[Connection], Connection>({
    target: targets.give<Connection>,
    args: [there],
    module,
  });
  process.start();
  const back = await process.result(bound);
  assert.equal(await back.recv(), "kept");
  await works(here, back);
  here.close();
  back.close();
});

Deno.test("a process gives its end to a child of its own, and that one to its own", async () => {
  const [here, there] = pipe();
  const process = new Process({ target: targets.giveOn, args: [there, 2], module });
  process.start();
  here.sendNowait("hello");
  assert.equal(await here.recv(bound), "hello from the deep");
  assert.deepEqual(
    await process.result(bound),
    ["gave on", true, true, "gave on", true, true, "received", "hello"],
  );
  here.close();
});

Deno.test("a process talks to its child through a pipe of its own", async () => {
  const process = new Process({ target: targets.talkToChild, args: ["there"], module });
  process.start();
  assert.equal(process.resultSync(bound), "there and back");
  await process.join(bound);
});

Deno.test("an end is sent through an end that is sent through an end", async () => {
  const depth = 5;
  const pipes = Array.from({ length: depth + 1 }, () => pipe());
  // Each is in the one before it, the last one innermost and sent first.
  for (let i = depth; i > 0; i--) pipes[i - 1][0].sendNowait(pipes[i][1]);
  const process = new Process({ target: targets.unwrap, args: [pipes[0][1], depth], module });
  process.start();
  assert.equal(await pipes[depth][0].recv(bound), "from within");
  await process.result(bound);
  for (const [end] of pipes) end.close();
});

Deno.test("an end in a hundred others, none of them received, is not lost", async () => {
  const depth = 100;
  const pipes = Array.from({ length: depth + 1 }, () => pipe());
  for (let i = depth; i > 0; i--) pipes[i - 1][0].sendNowait(pipes[i][1]);
  pipes[depth][0].sendNowait("deep");
  assert.throws(() => pipes[depth][0].recvNowait(), TimeoutError);
  let inner = pipes[0][1];
  for (let i = 0; i < depth; i++) {
    const next = inner.recvNowait();
    inner.close();
    inner = next;
  }
  assert.equal(await inner.recv(), "deep");
  await works(inner, pipes[depth][0]);
  inner.close();
  for (const [end] of pipes) end.close();
});

Deno.test("both ends of a pipe may be in one message, and work where it is received", async () => {
  const [a, b] = pipe(), [inner, other] = pipe();
  inner.sendNowait("on its way");
  a.sendNowait(new Map([[inner, other]]));
  const [[one, two]] = await b.recv();
  assert.equal(two.recvNowait(), "on its way");
  await works(one, two);
  for (const end of [a, b, one, two]) end.close();
});

Deno.test("a queue keeps what is in it while an end that carries it moves", async () => {
  const [a, b] = pipe(), [to, from] = pipe();
  const queue = new Queue<string>();
  queue.putNowait("kept");
  a.sendNowait(queue);
  to.sendNowait(b);
  const moved = await from.recv();
  const same = await moved.recv();
  assert.equal(await same.get(bound), "kept");
  same.putNowait("back");
  assert.equal(queue.getNowait(), "back");
  for (const end of [a, moved, to, from]) end.close();
});

// What fails moves nothing

Deno.test("a message that is refused moves nothing, and the pipe is usable", async () => {
  const [a, b] = pipe(), [inner, other] = pipe();
  const [closed] = pipe();
  closed.close();
  const buffer = new ArrayBuffer(8);
  const locked = new ReadableStream();
  const reader = locked.getReader();
  const messages: [unknown, Transferable[], RegExp][] = [
    [[inner, () => {}], [], /message\[1\] is a function/],
    [{ f() {}, inner }, [], /message\.f is a function/],
    [{ inner, buffer, deep: [Symbol()] }, [buffer], /message\.deep\[0\] is a symbol/],
    [[inner, closed], [], /was closed/],
    [[closed, inner], [], /was closed/],
    [{ cause: new Error("x", { cause: inner }) }, [], /message\.cause\.cause is a Connection/],
    [[inner, buffer], [buffer, buffer], /transfer\[1\]/],
    [[inner, buffer, locked], [buffer, locked], /transfer\[1\] is a stream that is locked/],
    [
      {
        inner,
        get bad() {
          throw new Error("a getter fails");
        },
      },
      [],
      /a getter fails/,
    ],
    [[inner, new WeakMap()], [buffer], /message\[1\] is a WeakMap/],
  ];
  for (const [message, transfer, pattern] of messages) {
    assert.throws(() => a.sendNowait(message, { transfer }), pattern);
    assert.throws(() => a.sendSync(message, { transfer }), pattern);
    await assert.rejects(a.send(message, { transfer }), pattern);
    assert.equal(inner.closed, false, `${pattern}`);
    assert.equal(buffer.detached, false, `${pattern}`);
  }
  assert.equal(b.pollNowait(), false);
  await works(inner, other);
  await works(a, b);
  a.sendNowait({ inner, buffer }, { transfer: [buffer] });
  const received = await b.recv();
  assert.equal(received.buffer.byteLength, 8);
  await works(received.inner, other);
  reader.releaseLock();
  for (const end of [a, b, received.inner, other]) end.close();
});

Deno.test("an end that is where it can't be handed over is refused, also if it is elsewhere, too", () => {
  class Holder {
    constructor(readonly end: Connection) {}
  }
  const [a, b] = pipe(), [inner, other] = pipe();
  for (const misplaced of [new Error("x", { cause: inner }), new Holder(inner)]) {
    for (const message of [[inner, misplaced], [misplaced, inner], new Map([[inner, misplaced]])]) {
      assert.throws(
        () => a.sendNowait(message),
        /is a Connection, which is handed over, not copied/,
      );
      const process = new Process<unknown[], unknown>({
        target: targets.give,
        args: [message],
        module,
      });
      assert.throws(() => process.start(), /is a Connection, which is handed over, not copied/);
      assert.equal(inner.closed, false);
    }
  }
  for (const end of [a, b, inner, other]) end.close();
});

Deno.test("a start that fails moves nothing", async () => {
  const [inner, other] = pipe();
  const [closed] = pipe();
  closed.close();
  const refused: [unknown[], RegExp][] = [
    [[inner, () => {}], /args\[1\] is a function/],
    [[{ inner }, closed], /was closed/],
    [[[inner], { deep: Symbol() }], /args\[1\]\.deep is a symbol/],
    [[new Error("x", { cause: inner })], /args\[0\]\.cause is a Connection/],
  ];
  for (const [args, pattern] of refused) {
    const process = new Process<unknown[], unknown>({ target: targets.give, args, module });
    assert.throws(() => process.start(), pattern);
    assert.equal(inner.closed, false, `${pattern}`);
    await works(inner, other);
  }
  const native = new Process({ target: Math.max.bind(null), args: [inner as never], by: "source" });
  assert.throws(() => native.start(), /no source text/);
  await works(inner, other);
  const process = new Process({ target: targets.echo, args: [inner], module });
  process.start();
  assert.throws(() => process.start(), InvalidStateError);
  other.sendNowait("once");
  assert.equal(await other.recv(bound), "once");
  other.close();
  assert.equal(await process.join(bound), true);
});

Deno.test("an end that is sent to a broken or full pipe doesn't move", async () => {
  const [a, b] = pipe({ maxSize: 1 }), [inner, other] = pipe();
  a.sendNowait("in the way");
  assert.throws(() => a.sendNowait(inner), TimeoutError);
  const controller = new AbortController();
  const sending = a.send(inner, { signal: controller.signal });
  controller.abort();
  await assert.rejects(sending, { name: "AbortError" });
  const waiting = a.send([inner]);
  b.close();
  await assert.rejects(waiting, BrokenPipeError);
  assert.throws(() => a.sendNowait(inner), BrokenPipeError);
  await works(inner, other);
  for (const end of [a, inner, other]) end.close();
});

Deno.test("an end that waits to be sent can be used until then", async () => {
  const [a, b] = pipe({ maxSize: 1 }), [inner, other] = pipe();
  a.sendNowait("in the way");
  const sending = a.send({ inner });
  await works(inner, other);
  inner.sendNowait("before it moved");
  assert.equal(await b.recv(), "in the way");
  const received = await b.recv(bound);
  await sending;
  assert.equal(inner.closed, true);
  assert.equal(await other.recv(), "before it moved");
  await works(received.inner, other);
  for (const end of [a, b, received.inner, other]) end.close();
});

Deno.test("an end can't be sent through its own pipe, at whatever depth", async () => {
  const [a, b] = pipe();
  for (const message of [a, [a], new Map([["a", { a }]]), b, [new Set([b])]]) {
    const pattern = /the very pipe it is sent through/;
    assert.throws(() => a.sendNowait(message), pattern);
    assert.throws(() => a.sendSync(message), pattern);
    await assert.rejects(a.send(message), pattern);
  }
  assert.deepEqual([a.closed, b.closed], [false, false]);
  await works(a, b);
  a.close();
  b.close();
});

Deno.test("two ends that are in each other's way are lost, and the other two learn of it", async () => {
  const [a, b] = pipe(), [c, d] = pipe();
  a.sendNowait(d);
  assert.equal(b.pollNowait(), true);
  c.sendNowait(b);
  // b is on its way to d, and d to b: nobody will ever receive either.
  assert.throws(() => a.sendNowait(1), BrokenPipeError);
  assert.throws(() => c.sendNowait(1), BrokenPipeError);
  await assert.rejects(a.recv(bound), { name: "EOFError" });
  await assert.rejects(c.recv(bound), { name: "EOFError" });
  a.close();
  c.close();
});

testInFull(
  "processes that make and close many pipes at once don't disturb each other",
  async () => {
    const [held, other] = pipe();
    const processes = Array.from({ length: 2 }, () => {
      const process = new Process({ target: targets.churnPipes, args: [1500], module });
      process.start();
      return process;
    });
    const idle = new Process({ target: targets.echo, args: [other], module });
    idle.start();
    held.sendNowait("before");
    assert.equal(await held.recv(bound), "before");
    assert.equal(targets.churnPipes(1500), 3000);
    for (const process of processes) assert.equal(await process.result(bound), 3000);
    held.sendNowait("after");
    assert.equal(await held.recv(bound), "after");
    held.close();
    // It closes an end, and has seen nothing of what the others did.
    assert.equal(await idle.result(bound), undefined);
  },
);
