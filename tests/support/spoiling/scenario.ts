// The steps that are done while something is spoiled: every primitive, by every face. The result is a text, to be
// compared with the result where nothing is spoiled. The scenario is written with the language alone, and calls
// no methods but this library's, so that a failure is not the scenario's.

import { LifoQueue, PriorityQueue, Queue as LocalQueue } from "../../../local.ts";
import {
  asCompleted,
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Pool,
  Process,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  sleep,
  Value,
  wait,
  waitNowait,
  waitSync,
} from "../../../mod.ts";

const PlainMap = Map,
  PlainSet = Set,
  PlainDate = Date,
  Bytes = Uint8Array,
  PlainRangeError = RangeError;
const Controller = AbortController;
const { apply } = Reflect;
const { abort } = AbortController.prototype;
const signalOf = Object.getOwnPropertyDescriptor(AbortController.prototype, "signal")!.get!;
const { getTime } = Date.prototype;
const { get: mapGet, set: mapSet } = Map.prototype, { has: setHas, add: setAdd } = Set.prototype;
const { getReader } = ReadableStream.prototype, { getWriter } = WritableStream.prototype;
const { read } = ReadableStreamDefaultReader.prototype,
  { write } = WritableStreamDefaultWriter.prototype;
const soon = { timeout: 1 }, later = { timeout: 3000 };

const { setTimeout, clearTimeout } = globalThis, PlainPromise = Promise;
const sample = new RangeError("of an item");

/** How long a step may take, in ms: it takes a few. Those of pools take more. */
const ENDLESS = 2000;
export const ENDLESS_FOR_POOLS = 30_000;

/** What a step answers, what it throws, or that it hangs. */
export function answerOf(step: () => Promise<string>, endless = ENDLESS): Promise<string> {
  return new PlainPromise((resolve) => {
    const timer = setTimeout(() => resolve("HANGS"), endless);
    const run = async () => {
      let answer: string;
      try {
        answer = await step();
      } catch (error) {
        answer = `throws ${textOf(error)}`;
      }
      clearTimeout(timer);
      resolve(answer);
    };
    run();
  });
}

function textOf(error: unknown): string {
  try {
    const { name, message } = error as Error;
    return name + ": " + message;
  } catch {
    return "something strange";
  }
}

/** The name of what is thrown, as it should be. */
async function nameOfThrown(work: () => unknown): Promise<string> {
  try {
    await work();
    return "nothing";
  } catch (error) {
    const { name, message } = error as Error;
    return name === "TypeError" || name === "Error" ? name + ": " + message : name;
  }
}

/** One of each that can be cloned. */
function newItem(): Record<string, unknown> {
  const map = new PlainMap<string, number>(), set = new PlainSet<number>();
  apply(mapSet, map, ["key", 7]);
  apply(setAdd, set, [8]);
  const bytes = new Bytes(3);
  bytes[1] = 77;
  // deno-lint-ignore no-sparse-arrays
  const list = [1, "two", null, undefined, , 6],
    more = { deep: { er: 9, toString: 1 }, again: map };
  const date = new PlainDate(5), big = 2n ** 70n, text = "täxt – 世界";
  return { n: 1.5, text, list, map, set, date, bytes, error: sample, big, more };
}

/** What has come of it, in words. */
// deno-lint-ignore no-explicit-any
function wordsOf(item: any): string {
  const { n, text, list, map, set, date, bytes, error, big, more } = item;
  return n + text + list[1] + list.length + (4 in list) + apply(mapGet, map, ["key"]) +
    apply(setHas, set, [8]) + apply(getTime, date, []) + bytes[1] + error.message +
    (big === 2n ** 70n) + more.deep.er + more.deep.toString + (more.again === map) +
    (error instanceof PlainRangeError) +
    (map instanceof PlainMap);
}

/** The steps of one isolate. */
export const steps: Record<string, () => Promise<string>> = {
  async "queue: every kind of value"() {
    const queue = new Queue<unknown>();
    await queue.put(newItem());
    queue.putNowait(newItem());
    queue.putSync(newItem());
    return wordsOf(await queue.get()) + wordsOf(queue.getNowait()) + wordsOf(queue.getSync());
  },
  async "queue: waits of every face end"() {
    const queue = new Queue<number>({ maxSize: 1 });
    const names = await nameOfThrown(() => queue.get(soon)) +
      await nameOfThrown(() => queue.getSync(soon)) + await nameOfThrown(() => queue.getNowait());
    const waiting = queue.get(later);
    await queue.put(1);
    const got = await waiting;
    await queue.put(2);
    const putting = queue.put(3, later);
    return names + got + await nameOfThrown(() => queue.putNowait(4)) + queue.getSync() +
      await putting + await queue.get() + queue.qsize();
  },
  async "queue: a signal ends a wait"() {
    const queue = new Queue<number>(), controller = new Controller();
    const signal = apply(signalOf, controller, []) as AbortSignal;
    const waiting = nameOfThrown(() => queue.get({ signal }));
    await null;
    apply(abort, controller, [sample]);
    return await waiting + await nameOfThrown(() => queue.get({ signal }));
  },
  async "queue: many at once"() {
    const queue = new Queue<number>();
    await queue.putMany([1, 2, 3]);
    queue.putManyNowait([4, 5]);
    queue.putManySync([6]);
    const some = await queue.getMany(2), more = queue.getManyNowait(2), rest = queue.getManySync(9);
    return "" + some[0] + some[1] + some.length + more[1] + more.length + rest[1] + rest.length;
  },
  async "queue: for await, until it is shut down"() {
    const queue = new Queue<string>();
    await queue.put("a");
    const putting = (async () => {
      await sleep(1);
      await queue.put("b");
      queue.shutdown();
    })();
    let all = "";
    for await (const one of queue) all = all + one;
    await putting;
    return all + await nameOfThrown(() => queue.put("c")) + await nameOfThrown(() => queue.get());
  },
  async "queue: streams"() {
    const queue = new Queue<string>();
    const writer = apply(getWriter, queue.writable, []);
    await apply(write, writer, ["x"]);
    const reader = apply(getReader, queue.readable, []);
    return (await apply(read, reader, [])).value;
  },
  async "queue: bad input is refused"() {
    const queue = new Queue<unknown>();
    // deno-lint-ignore no-explicit-any
    const bad = queue as any;
    return await nameOfThrown(() => queue.put({ a: [() => {}] })) +
      await nameOfThrown(() => bad.get({ timeOut: 1 })) + await nameOfThrown(() => bad.get(5)) +
      await nameOfThrown(() => new Queue({ maxSize: -1 })) +
      await nameOfThrown(() => bad.get({ timeout: "1" }));
  },
  async "joinable queue"() {
    const queue = new JoinableQueue<number>();
    await queue.put(1);
    const joining = queue.join(later);
    const got = await queue.get();
    queue.taskDone();
    return "" + got + await joining + queue.joinSync() + queue.unfinished;
  },
  async "local queues"() {
    const queue = new LocalQueue<unknown>({ maxSize: 1 }), lifo = new LifoQueue<number>();
    const sorted = new PriorityQueue<number>();
    const waiting = queue.get(later);
    await queue.put("x");
    const got = await waiting;
    await queue.put(1);
    const putting = queue.put(2, later);
    const one = await queue.get();
    await putting;
    for (let i = 0; i < 5; i++) {
      lifo.putNowait(i);
      sorted.putNowait((i * 3) % 5);
    }
    let order = "";
    for (let i = 0; i < 5; i++) order = order + lifo.getNowait() + sorted.getNowait();
    queue.shutdown();
    let all = "";
    for await (const left of queue) all = all + left;
    return "" + got + one + order + all + await nameOfThrown(() => lifo.get(soon));
  },
  async "pipe"() {
    const { 0: here, 1: there } = Pipe<unknown>();
    await here.send(newItem());
    there.sendSync({ back: 1 });
    const words = wordsOf(await there.recv()), back = here.recvSync() as { back: number };
    const waiting = there.recv(later);
    await here.send(5);
    const bytes = new Bytes(4);
    bytes[2] = 6;
    const got = await waiting;
    await here.sendBytes(bytes);
    const received = await there.recvBytes();
    await here.send({ port: new Queue<number>() });
    const { port } = await there.recv() as { port: Queue<number> };
    port.putNowait(3);
    const ready = await wait([there, port], later),
      now = waitNowait([there]),
      sync = waitSync([port]);
    here.close();
    return words + back.back + got + received[2] + port.getNowait() + ready.length + now.length +
      sync.length + await nameOfThrown(() => there.recv()) +
      await nameOfThrown(() => there.send(1));
  },
  async "pipe: for await"() {
    const { 0: here, 1: there } = Pipe<number>();
    await here.send(1);
    await here.send(2);
    here.close();
    let sum = 0;
    for await (const one of there) sum = sum + one;
    return "" + sum;
  },
  async "locks"() {
    const lock = new Lock(), rlock = new RLock();
    await lock.acquire();
    const waiting = lock.acquire(later);
    const busy = await lock.acquire(soon) + " " + lock.acquireSync(soon) + lock.tryAcquire();
    lock.release();
    const got = await waiting;
    lock.release();
    {
      using _held = await lock.hold();
    }
    {
      using _held = lock.holdSync();
    }
    await rlock.acquire();
    rlock.acquireSync();
    rlock.release();
    rlock.release();
    return busy + got + lock.locked + rlock.locked + await nameOfThrown(() => lock.release());
  },
  async "semaphores, events, barriers"() {
    const semaphore = new Semaphore(1), bounded = new BoundedSemaphore(1), event = new Event();
    await semaphore.acquire();
    const waiting = semaphore.acquire(later), set = event.wait(later);
    semaphore.release();
    event.set();
    const barrier = new Barrier(2), first = barrier.wait(later), second = barrier.wait(later);
    return "" + await waiting + await set + event.waitSync() + event.isSet() + semaphore.value +
      await semaphore.acquire(soon) + await nameOfThrown(() => bounded.release()) +
      (await first + await second) + await nameOfThrown(() => barrier.wait(soon)) + barrier.broken;
  },
  async "condition"() {
    const condition = new Condition();
    let is = false;
    const wait = async () => {
      using _held = await condition.hold();
      return await condition.waitFor(() => is, later);
    };
    const waiting = wait();
    await sleep(1);
    {
      using _held = await condition.hold();
      is = true;
      condition.notifyAll();
    }
    const woken = await waiting;
    using _held = await condition.hold();
    return "" + woken + await condition.wait(soon) + condition.waitForSync(() => false, soon);
  },
  async "values and arrays"() {
    const value = new Value("i32", 5), big = new Value("i64", 5n);
    value.value = 6;
    value.add(2);
    value.update((n) => n * 2);
    const array = new SharedArray("f64", [1, 2, 3]);
    array.store(1, 7);
    array.update(2, (n) => n + 1);
    return "" + value.value + big.value + array[1] + array[2] + array.length + array.load(0) +
      await nameOfThrown(() => value.value = 1.5) + (array instanceof SharedArray);
  },
};

/** In a child, by source: passes a queue on, and waits. */
async function relay(input: Queue<unknown>, output: Queue<unknown>) {
  await output.put(await input.get());
  return { done: [1, "two"], output };
}

/** The steps that start processes. */
export const processSteps: Record<string, () => Promise<string>> = {
  async "process: arguments and result"() {
    const input = new Queue<unknown>(), output = new Queue<unknown>();
    const process = new Process({ target: relay, by: "source", args: [input, output] });
    process.start();
    await input.put(newItem());
    const words = wordsOf(await output.get(later)), result = await process.result(later);
    result.output.putNowait(3);
    return words + result.done[1] + await process.join(later) + process.exitCode +
      output.getNowait() +
      process.isAlive();
  },
  async "process: an error arrives"() {
    const target = () => {
      throw new RangeError("of the target");
    };
    const process = new Process({ target, by: "source" });
    process.start();
    try {
      await process.result(later);
      return "nothing thrown";
    } catch (error) {
      const { name, cause } = error as Error & { cause: Error };
      return name + cause.name + cause.message + process.exitCode;
    }
  },
  async "process: terminate, kill, join"() {
    const target = () => {
      while (true);
    };
    const one = new Process({ target, by: "source" }), two = new Process({ target, by: "source" });
    one.start();
    two.start();
    const early = await one.join(soon);
    one.terminate();
    two.kill();
    return "" + early + await one.join(later) + two.joinSync(later) + one.exitCode + two.exitCode;
  },
  async "process: timeLimit, await using"() {
    const target = async () => {
      await new Promise(() => {});
    };
    const limited = new Process({ target, by: "source", timeLimit: 20 });
    limited.start();
    const joined = await limited.join(later);
    {
      await using process = new Process({ target, by: "source", permissions: "none" });
      process.start();
    }
    return "" + joined + limited.exitCode;
  },
};

/** In a worker of a pool. */
const double = (n: number) => n * 2;
const sum = (a: number, b: number) => a + b;
const refuse = (n: number) => {
  if (n === 2) throw new RangeError("two");
  return n;
};
const spin = () => {
  while (true);
};
function* count(to: number) {
  for (let n = 0; n < to; n++) yield n;
}
function* numbers() {
  for (let n = 1;; n++) yield n;
}

/** What a task throws. */
async function failureOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "nothing";
  } catch (error) {
    const { name, cause } = error as Error & { cause: unknown };
    return name + "/" + ((cause as Error | undefined)?.message ?? cause);
  }
}

/** The steps that make pools: each one uses all that a pool can do. */
export const poolSteps: Record<string, () => Promise<string>> = {
  async "pool: one call, many, streams"() {
    const pool = new Pool({ processes: 2, by: "source", initializer: () => 5 });
    const ready = await pool.ready(later), twice = await pool.apply(double, [21]);
    const all = await pool.map(double, [1, 2, 3]),
      pairs = await pool.starmap(sum, [[1, 2], [3, 4]]);
    let listed = "";
    for await (const n of pool.imap(double, [1, 2, 3], { chunkSize: 1 })) listed = listed + n + ",";
    let total = 0;
    for await (const n of pool.imapUnordered(double, [1, 2, 3])) total = total + n;
    for await (const pair of pool.imapIndexed(double, [1])) total = total + pair[0] + pair[1];
    for await (const n of pool.imap(double, numbers(), { bufferSize: 4 })) {
      total = total + n;
      if (n === 6) break;
    }
    for await (const n of pool.stream(count, [3])) total = total + n;
    const each = await pool.broadcast(double, [4]), blocked = pool.applySync(sum, [1, 2]);
    const blockedAll = pool.mapSync(double, [5]);
    await pool.resize(1);
    await pool.recycle(later);
    const after = await pool.apply(double, [1]), { completed, failed } = pool.statistics();
    pool.close();
    return "" + ready + twice + all[0] + all[2] + all.length + pairs[1] + listed + total + each[0] +
      blocked + blockedAll[0] + after + failed + (completed > 10) + await pool.join(later) +
      await nameOfThrown(() => pool.apply(double, [1]));
  },
  async "pool: failures, limits, cancelling"() {
    const pool = new Pool({ processes: 1, by: "source" });
    const thrown = await failureOf(() => pool.apply(refuse, [2]));
    const mapped = await failureOf(() => pool.map(refuse, [1, 2, 3]));
    const kept = await pool.map(refuse, [1, 2, 3], { returnExceptions: true });
    const limited = await failureOf(() => pool.apply(spin, [], { timeLimit: 20 }));
    const late = await failureOf(() => pool.apply(spin, [], { timeout: 20 }));
    const running = pool.submit(spin), waiting = pool.submit(double, [1]);
    const behind = pool.submit(double, [2]);
    const soonOver = await failureOf(() => running.result(soon));
    waiting.cancel("unwanted");
    running.cancel();
    const cancelled = await failureOf(() => waiting.result()) +
      await failureOf(() => running.result());
    const next = await behind;
    const controller = new Controller(), signal = apply(signalOf, controller, []) as AbortSignal;
    const aborted = failureOf(() => pool.apply(spin, [], { signal }));
    apply(abort, controller, [sample]);
    const uncloneable = await failureOf(() => pool.apply(double, [(() => 1) as never]));
    const words = await aborted;
    let order = "";
    for await (const task of asCompleted([pool.submit(double, [3]), pool.submit(double, [4])])) {
      order = order + await task;
    }
    const both = await wait([pool.submit(double, [5])], later);
    pool.submit(spin);
    pool.terminate();
    return thrown + mapped + kept[0] + (kept[1] as Error).name + kept.length + limited + late +
      soonOver + cancelled + next + words + uncloneable + order + both.length +
      await pool.join(later);
  },
};
