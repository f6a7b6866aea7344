// How one side learns of the end of the other side, in every way it can end: EOFError once all messages were
// received, BrokenPipeError on sending, by every face, also for ends that are on their way.

import assert from "node:assert/strict";
import {
  BrokenPipeError,
  type Connection,
  EOFError,
  InvalidStateError,
  Pipe,
  Process,
  Queue,
  sleep,
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

/** Waits until something in shared memory is so, of which nobody tells. */
async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + bound.timeout;
  while (!isSo()) {
    assert.ok(performance.now() < end, `not in ${bound.timeout} ms: ${isSo}`);
    await sleep(1);
  }
}

/** Checks that nothing more comes and nothing more can be sent, by every face. */
async function isOver(end: Connection, what: string): Promise<void> {
  assert.throws(() => end.recvSync(bound), EOFError, what);
  assert.throws(() => end.recvNowait(), EOFError, what);
  await assert.rejects(end.recv(bound), EOFError, what);
  await assert.rejects(end.recvBytes(bound), EOFError, what);
  assert.equal(end.pollNowait(), true, what);
  const bytes = new Uint8Array(1);
  await assert.rejects(end.send(1), BrokenPipeError, what);
  await assert.rejects(end.send(new SharedArrayBuffer(1)), BrokenPipeError, what);
  assert.throws(() => end.sendNowait(1), BrokenPipeError, what);
  assert.throws(() => end.sendSync(1), BrokenPipeError, what);
  assert.throws(() => end.sendBytesNowait(bytes), BrokenPipeError, what);
  assert.equal(end.statistics().waiting, 0, what);
}

/** The three messages of targets.sendAndEnd. */
function checkThree(messages: unknown[], what: string): void {
  assert.equal(messages.length, 3, what);
  assert.equal(messages[0], 0, what);
  assert.ok(messages[1] instanceof Int32Array, what);
  assert.equal(messages[2], "x".repeat(400_000), what);
}

/** What a process is doing, and how it is ended from outside, if it is. */
const endings: [how: targets.Ending, stop?: "terminate" | "kill"][] = [
  ["close"],
  ["return"],
  ["throw"],
  ["reject"],
  ["exit"],
  ["spin", "terminate"],
  ["spin", "kill"],
  ["block", "terminate"],
  ["block", "kill"],
  ["wait", "terminate"],
  ["wait", "kill"],
];

for (const [how, stop] of endings) {
  const ended = stop === undefined ? `"${how}"` : `"${how}" and ${stop}()`;
  // In short one of each: it ends by itself, it is busy, it waits.
  const test = ["return", "throw", "exit"].includes(how) || stop === "terminate" && how === "block"
    ? Deno.test
    : testInFull;
  test(`the end of a process by ${ended} is learnt after all it sent, by all faces`, async () => {
    for (const face of ["recv", "for await", "recvSync"] as const) {
      const [here, there] = pipe();
      const ready = new Queue<string>();
      await using process = new Process({
        target: targets.sendAndEnd,
        args: [there, how, ready],
        module,
      });
      process.start();
      // So that what it throws isn't printed.
      const result = process.result(bound).catch(() => {});
      const messages: unknown[] = [];
      if (face === "recvSync") {
        if (stop !== undefined) {
          ready.getSync(bound);
          process[stop]();
        }
        assert.throws(() => {
          for (;;) messages.push(here.recvSync(bound));
        }, EOFError);
      } else {
        const receiving = (async () => {
          if (face === "for await") { for await (const message of here) messages.push(message); }
          else {
            await assert.rejects(async () => {
              for (;;) messages.push(await here.recv(bound));
            }, EOFError);
          }
        })();
        await ready.get(bound);
        if (stop !== undefined) process[stop]();
        await receiving;
      }
      checkThree(messages, face);
      await isOver(here, face);
      if (how === "close") {
        assert.ok(process.isAlive());
        process.kill();
      }
      await result;
      here.close();
    }
  });
}

testInFull("what a process sent before its end is received long after it", async () => {
  for (const [how, stop] of endings) {
    const [here, there] = pipe();
    const ready = new Queue<string>();
    const process = new Process({ target: targets.sendAndEnd, args: [there, how, ready], module });
    process.start();
    process.result(bound).catch(() => {});
    await ready.get(bound);
    if (stop !== undefined || how === "close") process[stop ?? "kill"]();
    await process.join(bound);
    // Also by who didn't have this end then.
    const [a, b] = pipe();
    a.sendNowait(here);
    const moved = await b.recv();
    checkThree([moved.recvNowait(), await moved.recv(), moved.recvSync()], how);
    await isOver(moved, how);
    for (const end of [a, b, moved]) end.close();
  }
});

testInFull("two processes learn of each other's end, by both faces", async () => {
  for (const blocking of [false, true]) {
    for (const how of ["terminate", "kill", "exit"] as const) {
      const [a, b] = pipe();
      const ready = new Queue<string>();
      const learning = new Process({ target: targets.learn, args: [a, blocking], module });
      const ending = new Process({
        target: targets.sendAndEnd,
        args: [b, how === "exit" ? "exit" : "block", ready],
        module,
      });
      learning.start();
      ending.start();
      ending.result(bound).catch(() => {});
      await ready.get(bound);
      if (how !== "exit") ending[how]();
      assert.deepEqual(await learning.result(bound), ["EOFError", "BrokenPipeError"]);
      await ending.join(bound);
    }
  }
});

testInFull("processes that wait learn of a close while main is blocked", () => {
  for (const blocking of [false, true]) {
    const [here, there] = pipe();
    const learning = new Process({ target: targets.learn, args: [there, blocking], module });
    learning.start();
    here.close();
    assert.deepEqual(learning.resultSync(bound), ["EOFError", "BrokenPipeError"]);
  }
});

Deno.test("tasks that wait learn at once that the other end was closed in their own process", async () => {
  const [a, b] = pipe({ maxSize: 1 });
  b.sendNowait("in the way");
  const receiving = [b.recv(), b.recvBytes(), b[Symbol.asyncIterator]().next()];
  const polling = [b.poll(), wait([b])];
  const sending = [b.send(1), b.sendBytes(new Uint8Array(1)), b.send(new SharedArrayBuffer(1))];
  a.close();
  await assert.rejects(receiving[0], EOFError);
  await assert.rejects(receiving[1], EOFError);
  assert.deepEqual(await receiving[2], { done: true, value: undefined });
  assert.deepEqual(await Promise.all(polling), [true, [b]]);
  for (const one of sending) await assert.rejects(one, BrokenPipeError);
  await isOver(b, "closed here");
  b.close();
});

Deno.test("tasks that wait on an end that is closed learn that it was", async () => {
  const [a, b] = pipe({ maxSize: 1 });
  b.sendNowait("in the way");
  const tasks = [b.recv(), b.recvBytes(), b.poll(), b.send(1), wait([b])];
  const learning = tasks.map((task) => assert.rejects(task, InvalidStateError));
  b.close();
  await Promise.all(learning);
  assert.equal(await a.recv(), "in the way");
  await isOver(a, "closed");
  a.close();
});

Deno.test("what was on its way to an end that is closed is dropped", async () => {
  const [a, b] = pipe();
  for (let i = 0; i < 1000; i++) a.sendNowait(i);
  a.sendNowait(new SharedArrayBuffer(8));
  b.close();
  await isOver(a, "dropped");
  a.close();
});

testInFull("a process that is blocked sending learns that nobody will receive", async () => {
  const sent = new Int32Array(new SharedArrayBuffer(4));
  for (const target of [targets.sendUntilBroken, targets.sendUntilBrokenSync]) {
    const [a, b] = pipe({ maxSize: 3 });
    const ready = new Queue<string>();
    const ignoring = new Process({ target: targets.ignore, args: [b, ready], module });
    ignoring.start();
    await ready.get(bound);
    Atomics.store(sent, 0, 0);
    const sending = new Process({ target, args: [a, sent], module });
    sending.start();
    await until(() => Atomics.load(sent, 0) === 3);
    ignoring.kill();
    assert.equal(typeof await sending.result(bound), "number");
    assert.equal(Atomics.load(sent, 0), 3);
    await ignoring.join(bound);
  }
});

Deno.test("main learns it, too, while it is blocked sending", async () => {
  for (const stop of ["terminate", "kill"] as const) {
    const [here, there] = pipe({ maxSize: 1 });
    const ready = new Queue<string>();
    const process = new Process({ target: targets.ignore, args: [there, ready], module });
    process.start();
    ready.getSync(bound);
    here.sendNowait("in the way");
    process[stop]();
    assert.throws(() => here.sendSync("more", bound), BrokenPipeError);
    await isOver(here, stop);
    await process.join(bound);
    here.close();
  }
});

Deno.test("an end is alive as long as its process, whatever becomes of the one that gave it", async () => {
  const [here, there] = pipe(), ready = new Queue<string>();
  const process = new Process({ target: targets.giveAndIgnore, args: [there, ready], module });
  process.start();
  await ready.get(bound);
  process.kill();
  await process.join(bound);
  here.sendNowait("still there?");
  assert.equal(await here.recv(bound), "still there?");
  here.close();
  // Its child has ended, too, before this test may end.
  assert.equal(await ready.get(bound), "child ended");
});

testInFull("a daemon's end goes with the process that started it", async () => {
  for (const stop of ["kill", "terminate"] as const) {
    const [here, there] = pipe(), ready = new Queue<string>();
    const process = new Process({
      target: targets.giveAndIgnore,
      args: [there, ready, true],
      module,
    });
    process.start();
    await ready.get(bound);
    const receiving = assert.rejects(here.recv(bound), EOFError);
    process[stop]();
    await receiving;
    await isOver(here, stop);
    await process.join(bound);
    here.close();
  }
});

// Ends that are on their way

Deno.test("an end in a message that nobody will receive is closed with the pipe", async () => {
  const [a, b] = pipe(), [inner, other] = pipe();
  inner.sendNowait("sent before");
  a.sendNowait([inner]);
  assert.equal(await other.recv(), "sent before");
  const waiting = assert.rejects(other.recv(bound), EOFError);
  other.sendNowait("nobody has closed it yet");
  b.close();
  await waiting;
  await isOver(other, "in a message");
  a.close();
  other.close();
});

Deno.test("so is one in a message on its way through another that nobody will receive", async () => {
  const [a, b] = pipe(), [c, d] = pipe(), [inner, other] = pipe();
  c.sendNowait({ inner });
  a.sendNowait({ d });
  const waiting = assert.rejects(other.recv(bound), EOFError);
  assert.equal(other.statistics().waiting, 1);
  b.close();
  await waiting;
  await isOver(other, "inner");
  await isOver(c, "outer");
  for (const end of [a, c, other]) end.close();
});

testInFull("an end in a message to a process that has died, or never began, is gone", async () => {
  for (const began of [true, false]) {
    for (const stop of ["terminate", "kill"] as const) {
      const [a, b] = pipe(), [c, d] = pipe(), [inner, other] = pipe();
      const ready = new Queue<string>();
      const process = new Process({ target: targets.ignore, args: [b, ready], module });
      process.start();
      if (began) await ready.get(bound);
      // One directly, one through another that is on its way.
      c.sendNowait(inner);
      a.sendNowait([d]);
      const waiting = assert.rejects(other.recv(bound), EOFError);
      process[stop]();
      await waiting;
      await isOver(other, "inner");
      await isOver(c, "outer");
      await isOver(a, "given");
      await process.join(bound);
      for (const end of [a, c, other]) end.close();
    }
  }
});

testInFull("the same is learnt with the thread blocked", async () => {
  for (const began of [true, false]) {
    const [a, b] = pipe(), [inner, other] = pipe();
    const ready = new Queue<string>();
    const process = new Process({ target: targets.ignore, args: [b, ready], module });
    process.start();
    if (began) ready.getSync(bound);
    a.sendNowait(inner);
    process.kill();
    assert.throws(() => other.recvSync(bound), EOFError);
    assert.throws(() => a.recvSync(bound), EOFError);
    await process.join(bound);
    for (const end of [a, other]) end.close();
  }
});

Deno.test({
  name: "an end given to a process whose target isn't found is gone (needs --allow-read)",
  ignore: Deno.permissions.querySync({ name: "read" }).state !== "granted",
  fn: async () => {
    const [here, there] = pipe();
    const process = new Process({ target: "nobody", module, args: [there] });
    process.start();
    const waiting = assert.rejects(here.recv(bound), EOFError);
    await assert.rejects(process.result(bound), /"nobody" is not exported/);
    await waiting;
    await isOver(here, "not found");
    here.close();
  },
});

Deno.test("an end that comes back from a process that has ended since is usable", async () => {
  const [to, from] = pipe(), [inner, other] = pipe();
  const process = new Process({ target: targets.sendBack, args: [from], module });
  process.start();
  to.sendNowait({ inner });
  other.sendNowait("kept");
  await process.join(bound);
  const back = (await to.recv(bound)).inner;
  assert.equal(await back.recv(), "kept");
  back.sendNowait("usable");
  assert.equal(await other.recv(), "usable");
  await isOver(to, "ended");
  for (const end of [to, back, other]) end.close();
});

Deno.test("an end whose other end is in its process, and is closed, has ended everywhere", async () => {
  const [here, there] = pipe();
  const ended = new Process({ target: targets.receive, args: [there], module });
  ended.start();
  for (let i = 0; i < 5; i++) here.sendNowait(i);
  here.close();
  assert.equal(await ended.result(bound), 5);
});

testInFull("ends that a process has received are closed when it ends, kept or not", async () => {
  for (const closing of [true, false]) {
    const [to, from] = pipe();
    const process = new Process({ target: targets.collect, args: [from, closing], module });
    process.start();
    const others = Array.from({ length: 50 }, () => {
      const [inner, other] = pipe();
      to.sendNowait(inner);
      return other;
    });
    const waiting = others.map((other) => assert.rejects(other.recv(bound), EOFError));
    to.close();
    assert.equal(await process.result(bound), 50);
    await Promise.all(waiting);
    for (const other of others) {
      await isOver(other, "collected");
      other.close();
    }
  }
});

testInFull("whoever waits at many ends of a process that is killed learns of all", async () => {
  const [to, from] = pipe();
  const process = new Process({ target: targets.collect, args: [from, false], module });
  process.start();
  const others = Array.from({ length: 40 }, () => {
    const [inner, other] = pipe();
    to.sendNowait(inner);
    return other;
  });
  const marker = pipe();
  to.sendNowait(marker[0]);
  // The last one was received: so were they all.
  await until(() => to.statistics().sent === 0);
  const waiting = others.map((other) => assert.rejects(other.recv(bound), EOFError));
  process.kill();
  await Promise.all(waiting);
  assert.deepEqual(await wait(others, bound), others);
  await process.join(bound);
  for (const end of [...others, to, marker[1]]) end.close();
});
