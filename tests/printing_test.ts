// How every object is printed: with its state, in every state, and without any effect.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import * as local from "../local.ts";
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  type Connection,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Process,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  SimpleQueue,
  Value,
} from "../mod.ts";
import { type HandedOver, serialize } from "../lib/transfer/transferable.ts";
import { ownProcessTable } from "../lib/liveness/membership.ts";
import { abandon, bound, endings, startNamed, turn } from "./support/sync.ts";
import * as targets from "./support/targets/sync_targets.ts";
import { testInFull } from "./support/length.ts";

/** One line, however long it is. */
function printed(value: unknown): string {
  return Deno.inspect(value, { breakLength: Infinity });
}

Deno.test("what nobody has used yet", () => {
  const [receiver, sender] = Pipe({ duplex: false });
  const [end] = Pipe();
  const expected = new Map<unknown, string>([
    [new Lock(), "Lock { owner: null }"],
    [new RLock(), "RLock { owner: null, count: 0 }"],
    [new Semaphore(3), "Semaphore { value: 3 }"],
    [new Semaphore(0), "Semaphore { value: 0 }"],
    [new BoundedSemaphore(2), "BoundedSemaphore { value: 2, maxValue: 2 }"],
    [new Event(), "Event { set: false }"],
    [new Condition(), "Condition { lock: RLock { owner: null, count: 0 }, waiting: 0 }"],
    [new Condition(new Lock()), "Condition { lock: Lock { owner: null }, waiting: 0 }"],
    [new Barrier(3), "Barrier { parties: 3, waiting: 0, broken: false }"],
    [new Value("i32", -7), 'Value { type: "i32", value: -7 }'],
    [new Value("u64"), 'Value { type: "u64", value: 0n }'],
    [new SharedArray("f64", [1, 2.5]), "SharedArray(2) [Float64Array] [ 1, 2.5 ]"],
    [new Queue(), "Queue { size: 0, maxSize: 0 }"],
    [new Queue({ maxSize: 10 }), "Queue { size: 0, maxSize: 10 }"],
    [new JoinableQueue({ maxSize: 10 }), "JoinableQueue { size: 0, maxSize: 10, unfinished: 0 }"],
    [new SimpleQueue(), "SimpleQueue { size: 0 }"],
    [new local.Queue({ maxSize: 1 }), "Queue { size: 0, maxSize: 1, unfinished: 0 }"],
    [new local.LifoQueue(), "LifoQueue { size: 0, maxSize: 0, unfinished: 0 }"],
    [new local.PriorityQueue(), "PriorityQueue { size: 0, maxSize: 0, unfinished: 0 }"],
    [receiver, "Connection { readable: true, writable: false, toReceive: 0 }"],
    [sender, "Connection { readable: false, writable: true, sent: 0 }"],
    [end, "Connection { readable: true, writable: true, toReceive: 0, sent: 0 }"],
  ]);
  for (const [object, text] of expected) {
    assert.equal(printed(object), text);
    assert.equal(inspect(object, { breakLength: Infinity }), text.replaceAll('"', "'"));
  }
});

Deno.test("locks that this process holds", async () => {
  const lock = new Lock(), rlock = new RLock(), condition = new Condition(lock);
  const held = await lock.hold();
  await rlock.acquire();
  rlock.tryAcquire();
  assert.equal(printed(lock), 'Lock { owner: "MainProcess" }');
  assert.equal(printed(rlock), 'RLock { owner: "MainProcess", count: 2 }');
  assert.equal(printed(condition), 'Condition { lock: Lock { owner: "MainProcess" }, waiting: 0 }');
  assert.equal(printed(held), "Held { released: false }");
  // One that waits changes a bit of the word in which the holder stands.
  const waiting = lock.acquire();
  assert.equal(printed(lock), 'Lock { owner: "MainProcess" }');
  held.release();
  await waiting;
  assert.equal(printed(held), "Held { released: true }");
  lock.release();
  assert.equal(printed(lock), "Lock { owner: null }");
  rlock.release();
  assert.equal(printed(rlock), 'RLock { owner: "MainProcess", count: 1 }');
  rlock.release();
  assert.equal(printed(rlock), "RLock { owner: null, count: 0 }");
});

testInFull("what another process holds, and what it leaves behind", async () => {
  const lock = new Lock(), rlock = new RLock(), semaphore = new Semaphore(5);
  for (
    const [what, free] of [[lock, "Lock { owner: null }"], [
      rlock,
      "RLock { owner: null, count: 0 }",
    ]] as const
  ) {
    const said = new Queue<string>();
    const process = startNamed("the holder", targets.hold, what, said, "wait", 1);
    assert.equal(await said.get(bound), "held");
    const count = what === rlock ? ", count: 1" : "";
    const name = what === rlock ? "RLock" : "Lock";
    assert.equal(printed(what), `${name} { owner: "the holder"${count} }`);
    process.kill();
    await process.join(bound);
    assert.equal(printed(what), `${name} { owner: "the holder"${count}, abandoned: true }`);
    await assert.rejects(what.acquire(bound));
    assert.equal(printed(what), free);
  }
  await abandon(semaphore, endings["is killed"]);
  assert.match(printed(semaphore), /^Semaphore \{ value: [45] \}$/);
});

Deno.test("an owner whose place was taken by another has no name any more, and not that one's", async () => {
  const lock = new Lock();
  const name = await abandon(lock);
  assert.equal(printed(lock), `Lock { owner: "${name}", abandoned: true }`);
  const processTable = ownProcessTable();
  for (let i = 0; i < 3000; i++) processTable.remove(processTable.registerProcess("a stranger"));
  assert.equal(printed(lock), 'Lock { owner: "a process that has ended", abandoned: true }');
  await assert.rejects(
    lock.acquire(),
    /^AbandonedLockError: A process has ended while it held the Lock/,
  );
});

Deno.test("who waits: at a condition, at a barrier", async () => {
  const condition = new Condition(new Lock()), barrier = new Barrier(3);
  const waits: Promise<unknown>[] = [];
  for (let i = 1; i <= 2; i++) {
    await condition.acquire();
    waits.push(condition.wait(bound).finally(() => condition.release()));
    waits.push(barrier.wait(bound));
    await turn();
    assert.equal(printed(condition), `Condition { lock: Lock { owner: null }, waiting: ${i} }`);
    assert.equal(printed(barrier), `Barrier { parties: 3, waiting: ${i}, broken: false }`);
  }
  await condition.acquire();
  condition.notify();
  assert.match(printed(condition), /waiting: 1 \}$/);
  condition.notifyAll();
  condition.release();
  await barrier.wait(bound);
  await Promise.all(waits);
  assert.equal(printed(condition), "Condition { lock: Lock { owner: null }, waiting: 0 }");
  assert.equal(printed(barrier), "Barrier { parties: 3, waiting: 0, broken: false }");
  barrier.abort();
  assert.equal(printed(barrier), "Barrier { parties: 3, waiting: 0, broken: true }");
});

Deno.test("values that change", () => {
  const event = new Event(), value = new Value("f64", 1), semaphore = new BoundedSemaphore(2);
  event.set();
  value.value = Infinity;
  semaphore.tryAcquire();
  assert.equal(printed(event), "Event { set: true }");
  assert.equal(printed(value), 'Value { type: "f64", value: Infinity }');
  assert.equal(printed(semaphore), "BoundedSemaphore { value: 1, maxValue: 2 }");
  semaphore.release();
});

Deno.test("queues with items, a name, and at their end", async () => {
  const queue = new Queue<number>({ maxSize: 10, name: "printed" });
  await queue.putMany([1, 2]);
  assert.equal(printed(queue), 'Queue { name: "printed", size: 2, maxSize: 10 }');
  queue.maxSize = 3;
  queue.shutdown();
  assert.equal(printed(queue), 'Queue { name: "printed", size: 2, maxSize: 3, shutDown: true }');
  queue.close();
  const all = 'Queue { name: "printed", size: 2, maxSize: 3, shutDown: true, closed: true }';
  assert.equal(printed(queue), all);
  const joinable = new JoinableQueue<number>(), simple = new SimpleQueue<number>();
  joinable.putNowait(1);
  joinable.putNowait(2);
  joinable.getNowait();
  assert.equal(printed(joinable), "JoinableQueue { size: 1, maxSize: 0, unfinished: 2 }");
  joinable.close();
  assert.equal(
    printed(joinable),
    "JoinableQueue { size: 1, maxSize: 0, unfinished: 2, closed: true }",
  );
  simple.putNowait(1);
  assert.equal(printed(simple), "SimpleQueue { size: 1 }");
  simple.close();
  assert.equal(printed(simple), "SimpleQueue { size: 1, closed: true }");
  for (const Class of [local.Queue, local.LifoQueue, local.PriorityQueue]) {
    const queue = new Class<number>();
    queue.putNowait(1);
    queue.putNowait(2);
    queue.getNowait();
    queue.shutdown();
    const state = "{ size: 1, maxSize: 0, unfinished: 2, shutDown: true }";
    assert.equal(printed(queue), `${Class.name} ${state}`);
  }
});

Deno.test("connections with messages on their way, and of which one end is gone", async () => {
  const [a, b] = Pipe<number>();
  a.sendNowait(1);
  a.sendNowait(2);
  assert.equal(printed(a), "Connection { readable: true, writable: true, toReceive: 0, sent: 2 }");
  assert.equal(printed(b), "Connection { readable: true, writable: true, toReceive: 2, sent: 0 }");
  b.recvNowait();
  assert.equal(printed(b), "Connection { readable: true, writable: true, toReceive: 1, sent: 0 }");
  a.close();
  const state = "readable: true, writable: true, toReceive: 1, sent: 0, peerClosed: true";
  assert.equal(printed(b), `Connection { ${state} }`);
  assert.equal(printed(a), "Connection { closed: true }");
  const process = new Process({ target: (_: unknown) => {}, args: [b], by: "source", name: "Ann" });
  process.start();
  assert.equal(printed(b), 'Connection { closed: true, moved: "given to Ann" }');
  await process.join(bound);
});

Deno.test("processes before, during and after their life", async () => {
  const go = new Event();
  const target = (go: Event) => go.wait();
  const process = new Process({ target, args: [go], by: "source", name: "Ann", daemon: true });
  assert.equal(
    printed(process),
    'Process { name: "Ann", pid: undefined, daemon: true, exitCode: null }',
  );
  process.start();
  const { pid } = process;
  assert.equal(
    printed(process),
    `Process { name: "Ann", pid: ${pid}, daemon: true, exitCode: null }`,
  );
  go.set();
  await process.join(bound);
  assert.equal(printed(process), `Process { name: "Ann", pid: ${pid}, daemon: true, exitCode: 0 }`);
  process.close();
  assert.equal(printed(process), `Process { name: "Ann", pid: ${pid}, closed: true }`);
});

Deno.test("deep in other objects, with colors, without depth, and in subclasses", () => {
  const lock = new Lock();
  const deep = { a: { b: { c: [new Map([[lock, new Condition(lock)]])] } } };
  const text = "Condition { lock: Lock { owner: null }, waiting: 0 }";
  assert.ok(Deno.inspect(deep, { depth: 10, breakLength: Infinity }).includes(text));
  assert.equal(Deno.inspect(new Condition(lock), { depth: 0 }), text);
  assert.equal(Deno.inspect(lock, { colors: true }), "Lock { owner: \x1b[1mnull\x1b[22m }");
  assert.equal(Deno.inspect([lock], { depth: 0 }), "[ Lock { owner: null } ]");
  assert.equal(Deno.inspect(lock, { compact: false }), "Lock {\n  owner: null\n}");
  class Mutex extends Lock {}
  class Tasks<T> extends JoinableQueue<T> {}
  assert.equal(printed(new Mutex()), "Mutex { owner: null }");
  assert.equal(printed(new Tasks()), "Tasks { size: 0, maxSize: 0, unfinished: 0 }");
  const spoiled = new Lock();
  Object.defineProperty(spoiled, "constructor", { get: () => assert.fail() });
  assert.equal(printed(spoiled), "Lock { owner: null }");
});

/** Everything that lies in shared memory. */
function allShared(): Record<string, HandedOver> {
  const [a, b] = Pipe<number>();
  a.sendNowait(1);
  const queue = new JoinableQueue<number>({ maxSize: 5 });
  queue.putNowait(1);
  return {
    lock: new Lock(),
    rlock: new RLock(),
    semaphore: new Semaphore(3),
    bounded: new BoundedSemaphore(2),
    event: new Event(),
    condition: new Condition(),
    barrier: new Barrier(3),
    value: new Value("i32", 5),
    queue,
    simple: new SimpleQueue(),
    connection: b,
    other: a,
  };
}

/** The shared memory an object consists of, but for the table of processes. */
function memoryOf(object: HandedOver): SharedArrayBuffer[] {
  const found = new Set<SharedArrayBuffer>();
  const look = (value: unknown, key: string) => {
    if (key === "processTable") return;
    if (value instanceof SharedArrayBuffer) found.add(value);
    else if (typeof value === "object" && value !== null && !(value instanceof EventTarget)) {
      for (const [key, inner] of Object.entries(value)) look(inner, key);
    }
  };
  look(object[serialize]().content, "content");
  return [...found];
}

Deno.test("printing changes nothing in shared memory", () => {
  for (const [name, object] of Object.entries(allShared())) {
    const memory = memoryOf(object);
    assert.ok(memory.length > 0, name);
    const before = memory.map((buffer) => new Uint8Array(buffer).slice());
    printed(object);
    assert.deepEqual(memory.map((buffer) => new Uint8Array(buffer).slice()), before, name);
  }
});

Deno.test("whatever stands in shared memory, and whoever holds its locks, printing ends and doesn't throw", () => {
  const patterns = [-1, 0, 1, 2, 0x7fffffff, -0x80000000, 0x3fffffff, 0x55555555, 1 << 30];
  for (const [name, object] of Object.entries(allShared())) {
    const memory = memoryOf(object);
    for (let round = 0; round < 50; round++) {
      for (const buffer of memory) {
        const words = new Int32Array(buffer);
        if (round < patterns.length) words.fill(patterns[round]);
        else for (let i = 0; i < words.length; i++) words[i] = Math.random() * 2 ** 32 | 0;
      }
      assert.match(printed(object), /^\w+ \{ .+ \}$/, name);
    }
    // So that nobody takes part in what is left of it.
    for (const buffer of memory) new Int32Array(buffer).fill(0);
  }
});

for (
  const [how, options] of Object.entries({
    "in another process": {},
    "in a sandbox": { permissions: "none" as const },
    "in a sandbox that can be stopped": { permissions: "none" as const, timeLimit: 20_000 },
  })
) {
  Deno.test(`they are printed ${how} as here`, async () => {
    // An end that nothing refers to any more would be closed.
    const { other, ...things } = allShared(), lock = things.lock as Lock;
    await lock.acquire();
    const expected = targets.printAll(things);
    assert.equal(expected.lock, 'Lock { owner: "MainProcess" }');
    const process = new Process({
      target: targets.printAll,
      args: [things],
      by: "source",
      ...options,
    });
    process.start();
    // A process with permissions of its own doesn't know the others by name.
    if ("permissions" in options) expected.lock = 'Lock { owner: "another process" }';
    assert.deepEqual(await process.result(bound), expected);
    lock.release();
    (other as Connection).close();
  });
}
