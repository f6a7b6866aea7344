// Checks of pipes that both the plain tests and the long rounds of the full run make.

import assert from "node:assert/strict";
import {
  BrokenPipeError,
  type Connection,
  EOFError,
  Pipe,
  Process,
  type ProcessParameters,
  sleep,
  TimeoutError,
  wait,
} from "../../mod.ts";
import { between, randomFrom } from "./seed.ts";
import * as targets from "./targets/pipe_targets.ts";
import * as queueTargets from "./targets/queue_targets.ts";

const module = targets.here;

/** Who has not learnt of a death by then never will. */
const learning = { timeout: 10_000 };
const bound = { timeout: 120_000 };

/** A pipe whose messages may be anything. */
// deno-lint-ignore no-explicit-any -- what a test sends is its own business
const pipe = (options?: Parameters<typeof Pipe>[0]) => Pipe<any>(options);

function started<A extends unknown[], R>(...parameters: ProcessParameters<A, R>): Process<A, R> {
  const process = new Process<A, R>(...parameters);
  process.start();
  return process;
}

/** Does something while another worker floods an unrelated channel. */
export async function flooded(work: () => Promise<void>): Promise<void> {
  await using flood = new Process({ target: queueTargets.flood, module: queueTargets.here });
  flood.start();
  await work();
}

/** The two faces. */
const senders = [targets.count, targets.countSync];
const receivers = [targets.receive, targets.receiveSync];
const forwarders = [targets.forward, targets.forwardSync];

/** Messages from one process to another: all of them, once, in order. By which faces, `which` says. */
export async function oneWay(count: number, which: number): Promise<void> {
  const [a, b] = pipe({ duplex: which % 2 === 0 });
  const [receiver, sender] = [a, b];
  const receiving = started({ target: receivers[which >> 1 & 1], args: [receiver], module });
  const sending = started({ target: senders[which & 1], args: [sender, count], module });
  await sending.result(bound);
  assert.equal(await receiving.result(bound), count);
}

/** The same there and back. */
export async function thereAndBack(count: number, which: number): Promise<void> {
  const [a, b] = pipe();
  const ping = which & 1 ? targets.pingPongSync : targets.pingPong;
  const pong = which & 2 ? targets.echoSync : targets.echo;
  const answering = started({ target: pong, args: [b], module });
  const asking = started({ target: ping, args: [a, count], module });
  assert.equal(await asking.result(bound), count);
  await answering.result(bound);
}

/** The same through a chain of three processes. */
export async function chain(count: number, which: number): Promise<void> {
  const [a, b] = pipe({ maxSize: which & 1 ? 1000 : 0 }), [c, d] = pipe();
  const last = started({ target: receivers[which & 1], args: [d], module });
  const middle = started({ target: forwarders[which >> 1 & 1], args: [b, c], module });
  const first = started({ target: senders[which & 1], args: [a, count], module });
  await first.result(bound);
  await middle.result(bound);
  assert.equal(await last.result(bound), count);
}

/** A process sends all of its messages and ends before the first is received; the memory goes then. */
export async function outrun(count: number): Promise<void> {
  const [here, there] = pipe();
  const sending = started({ target: targets.countSync, args: [there, count], module });
  assert.equal(await sending.join(bound), true);
  assert.equal(here.statistics().toReceive, count);
  assert.ok(here.statistics().bytes >= 8 * count);
  let next = 0;
  for await (const i of here) assert.equal(i, next++);
  assert.equal(next, count);
  const { bytes, capacity } = here.statistics();
  assert.equal(bytes, 0);
  assert.ok(capacity < 3 * 2 ** 20, `${capacity} bytes are kept`);
  here.close();
}

/** Ends a process in one of the two ways. */
function stop(process: { kill(): void; terminate(): void }, random: () => number): void {
  if (random() < 0.5) process.kill();
  else process.terminate();
}

/** Who survives: a task or the blocked thread of main, or a process with either face. */
type Survivor = "task" | "thread" | "process" | "blocked process";

/** Bounds of a pipe: none most of the time. */
const someBounds = (random: () => number) => ({
  maxSize: random() < 0.4 ? between(random, 1, 30) : 0,
});

/** What targets.sendForEver sends. */
interface Sent {
  i: number;
  text?: string;
  shared?: Int32Array;
  buffer?: ArrayBuffer;
}

/** Checks the messages of targets.sendForEver. */
class Prefix {
  next = 0;
  /** When the last one came, by the clock. */
  last = 0;

  take({ i, text, shared, buffer }: Sent): void {
    this.last = Date.now();
    assert.equal(i, this.next++);
    if (text !== undefined && text !== "") {
      assert.ok(/^(y{300000}|\u00e9+)$/.test(text), `the text of ${i} is damaged`);
    }
    if (shared !== undefined) assert.ok(shared.buffer instanceof SharedArrayBuffer);
    if (buffer !== undefined) assert.equal(buffer.byteLength, 16);
  }
}

/**
 * Kills a process that sends for ever; the survivor has received all that it has sent, in order, and
 * learns of the end. Returns how long that took, in ms, once it had received what was there.
 */
async function killSender(random: () => number, survivor: Survivor): Promise<number> {
  const [here, there] = Pipe<Sent>(someBounds(random));
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const target = random() < 0.5 ? targets.sendForEver : targets.sendForEverSync;
  const atOnce = random() < 0.2, after = random() * 12;
  const sender = started({ target, args: [there, sent, between(random, 0, 60)], module });
  const prefix = new Prefix();
  let learnt = 0, killed = 0;
  if (survivor === "task") {
    const receiving = (async () => {
      try {
        for (;;) prefix.take(await here.recv(learning));
      } catch (error) {
        if (!(error instanceof EOFError)) throw error;
      }
    })();
    if (!atOnce) await Promise.race([here.poll(learning), receiving]);
    await Promise.race([sleep(after), receiving]);
    killed = Date.now();
    stop(sender, random);
    await receiving;
    learnt = Date.now();
  } else if (survivor === "thread") {
    if (!atOnce) prefix.take(here.recvSync(learning));
    const end = performance.now() + after;
    while (performance.now() < end) {
      try {
        prefix.take(here.recvSync({ timeout: end - performance.now() }));
      } catch (error) {
        if (!(error instanceof TimeoutError || error instanceof RangeError)) throw error;
      }
    }
    killed = Date.now();
    stop(sender, random);
    try {
      for (;;) prefix.take(here.recvSync(learning));
    } catch (error) {
      if (!(error instanceof EOFError)) throw error;
    }
    learnt = Date.now();
  } else {
    const got = new Int32Array(new SharedArrayBuffer(8));
    const target = survivor === "process" ? targets.receiveForEver : targets.receiveForEverSync;
    const receiver = started({ target, args: [here, got], module });
    const began = performance.now();
    while (!atOnce && Atomics.load(got, 0) === 0) {
      assert.ok(performance.now() - began < learning.timeout, "nothing ever comes");
      await sleep(1);
    }
    await sleep(after);
    killed = Date.now();
    stop(sender, random);
    [prefix.last, learnt] = await receiver.result(learning);
    prefix.next = Atomics.load(got, 0);
    assert.equal(Atomics.load(got, 1), 0, "a message came out of order");
  }
  assert.equal(await sender.join(learning), true, "a killed process did not end");
  assert.ok(
    prefix.next >= Atomics.load(sent, 0),
    `${prefix.next} were received of ${Atomics.load(sent, 0)} that were sent`,
  );
  here.close();
  // One that was dead before the survivor was up is learnt of when that is.
  return atOnce ? 0 : learnt - Math.max(killed, prefix.last);
}

/** Kills a process that receives for ever; it has received a prefix, and the survivor learns of it. */
async function killReceiver(random: () => number, survivor: Survivor): Promise<number> {
  // A thread that never waits and never returns would have nobody noticed: it gets a bound.
  const [here, there] = pipe(survivor === "thread" ? { maxSize: 20 } : someBounds(random));
  const got = new Int32Array(new SharedArrayBuffer(8)),
    sent = new Int32Array(new SharedArrayBuffer(4));
  const target = random() < 0.5 ? targets.receiveForEver : targets.receiveForEverSync;
  const atOnce = random() < 0.2, after = random() * 12;
  const receiver = started({ target, args: [there, got], module });
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const message = (i: number) => i % 50 === 49 ? { i, shared } : { i, text: "t".repeat(i % 100) };
  const isThere = async () => {
    const began = performance.now();
    while (!atOnce && Atomics.load(got, 0) === 0) {
      assert.ok(performance.now() - began < learning.timeout, "nothing is ever received");
      await sleep(1);
    }
  };
  let learnt = 0, killed = 0, next = 0;
  if (survivor === "task") {
    const sending = (async () => {
      try {
        for (;; next++) await here.send(message(next), learning);
      } catch (error) {
        if (!(error instanceof BrokenPipeError)) throw error;
      }
    })();
    await Promise.race([isThere(), sending]);
    await sleep(after);
    killed = Date.now();
    stop(receiver, random);
    await sending;
    learnt = Date.now();
  } else if (survivor === "thread") {
    while (next < 20) here.sendNowait(message(next++));
    if (!atOnce) here.sendSync(message(next++), learning);
    const end = performance.now() + after;
    while (performance.now() < end) {
      try {
        here.sendSync(message(next), { timeout: Math.max(0, end - performance.now()) });
        next++;
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
    }
    killed = Date.now();
    stop(receiver, random);
    try {
      for (;; next++) here.sendSync(message(next), learning);
    } catch (error) {
      if (!(error instanceof BrokenPipeError)) throw error;
    }
    learnt = Date.now();
  } else {
    const target = survivor === "process" ? targets.sendUntilBroken : targets.sendUntilBrokenSync;
    const sender = started({ target, args: [here, sent], module });
    await isThere();
    await sleep(after);
    killed = Date.now();
    stop(receiver, random);
    learnt = await sender.result(learning);
    next = Atomics.load(sent, 0);
  }
  assert.equal(await receiver.join(learning), true, "a killed process did not end");
  assert.equal(Atomics.load(got, 1), 0, "a message came out of order");
  assert.ok(Atomics.load(got, 0) <= next + 1, "more was received than was sent");
  if (!here.closed) {
    await assert.rejects(here.recv(learning), EOFError);
    here.close();
  }
  return atOnce ? 0 : learnt - killed;
}

/**
 * Kills one of two processes, or of a process and main, at random instants; the longest time it took
 * the survivor to learn of it.
 */
export async function killEnds(
  which: "sender" | "receiver",
  seed: number,
  kills: number,
): Promise<number> {
  const kill = which === "sender" ? killSender : killReceiver;
  const survivors: Survivor[] = ["task", "process", "blocked process", "task", "process"];
  const waiting = Array.from({ length: kills }, (_, i) => seed + i);
  let longest = 0;
  const one = async (seed: number, survivor: Survivor) => {
    try {
      longest = Math.max(longest, await kill(randomFrom(seed), survivor));
    } catch (error) {
      throw new Error(`With seed ${seed} and a ${survivor}: ${error}`, { cause: error });
    }
  };
  // Where main is blocked, it can do nothing else.
  for (const seed of waiting.splice(0, Math.floor(kills / 5))) await one(seed, "thread");
  const line = async () => {
    for (let seed; (seed = waiting.pop()) !== undefined;) {
      await one(seed, survivors[seed % survivors.length]);
    }
  };
  await Promise.all([line(), line(), line()]);
  return longest;
}

/**
 * Ends wander between processes at random while messages are on their way to and from them; all
 * arrive, once and in order.
 */
export async function wander(
  random: () => number,
  { processes = 3, pipes = 6, hops = 30 } = {},
): Promise<void> {
  const neighbours: Connection<targets.Wanderer>[][] = Array.from({ length: processes }, () => []);
  const homes = neighbours.map((list) => {
    const [home, other] = Pipe<targets.Wanderer>();
    list.push(other);
    return home;
  });
  for (let i = 0; i < processes; i++) {
    for (let j = 0; j < i; j++) {
      const [one, other] = Pipe<targets.Wanderer>();
      neighbours[i].push(one);
      neighbours[j].push(other);
    }
  }
  const wandering = neighbours.map((list) => {
    return started({ target: targets.wander, args: [list, between(random, 1, 2 ** 30)], module });
  });
  const send = (wanderer: targets.Wanderer) => {
    homes[between(random, 0, processes - 1)].sendNowait(wanderer);
  };
  for (let id = 0; id < pipes; id++) {
    const [receiver, sender] = pipe({ maxSize: random() < 0.3 ? between(random, 1, 50) : 0 });
    for (const [connection, sends] of [[receiver, false], [sender, true]] as const) {
      send({ id, connection, sends, next: 0, hops });
    }
  }
  const home: targets.Wanderer[] = [];
  while (home.length < 2 * pipes) {
    const ready = await wait(homes, { timeout: 30_000 });
    assert.ok(ready.length > 0, `${home.length} of ${2 * pipes} ends came home`);
    for (const connection of ready) {
      // One that has died says why.
      const wanderer = await connection.recv().catch(async (error) => {
        for (const process of wandering) if (!process.isAlive()) await process.result();
        throw error;
      });
      if (wanderer.hops-- > 0) send(wanderer);
      else home.push(wanderer);
    }
  }
  for (const connection of homes) connection.close();
  for (const process of wandering) assert.ok(await process.result(bound) >= 0);
  let all = 0;
  for (const receiver of home.filter(({ sends }) => !sends)) {
    const sender = home.find(({ id, sends }) => sends && id === receiver.id)!;
    sender.connection.close();
    for await (const message of receiver.connection) {
      assert.equal(targets.numberIn(message), receiver.next++);
    }
    assert.equal(receiver.next, sender.next);
    receiver.connection.close();
    all += sender.next;
  }
  assert.ok(all > 0);
}

/**
 * Sends ends to a process that sends them on to another, and kills one of the two at a random
 * instant: wherever an end was then, whoever has the other one learns that it is gone.
 */
export async function killInTransit(random: () => number): Promise<void> {
  const [a, b] = pipe(), [c, d] = pipe();
  const first = started({ target: targets.forward, args: [b, c], module });
  const second = started({ target: targets.collect, args: [d, random() < 0.5], module });
  // One of them may end by an error, for want of the other.
  first.result(bound).catch(() => {});
  second.result(bound).catch(() => {});
  const others: Connection[] = [];
  const sendSome = (count: number) => {
    for (let i = 0; i < count; i++) {
      const [inner, other] = pipe();
      try {
        a.sendNowait(random() < 0.5 ? inner : { deep: [inner] });
        others.push(other);
      } catch (error) {
        if (!(error instanceof BrokenPipeError)) throw error;
        inner.close();
        other.close();
      }
    }
  };
  sendSome(10);
  const learnt = others.map((other) => assert.rejects(other.recv(learning), EOFError));
  await sleep(random() * 90);
  sendSome(10);
  stop(random() < 0.5 ? first : second, random);
  sendSome(between(random, 0, 3));
  a.close();
  await Promise.all(learnt);
  for (const other of others) {
    await assert.rejects(other.recv(learning), EOFError);
    assert.throws(() => other.sendNowait(1), BrokenPipeError);
    other.close();
  }
  assert.equal(await first.join(learning), true);
  assert.equal(await second.join(learning), true);
}
