// Hostile writes into the shared memory of everything that a process can be handed, and into the channel (where it asks
// its host about the process table) and the result buffer of a process with permissions of its own, during use: no
// operation exceeds its timeout by a quarter of a second, nothing ends. Arguments: seconds, and the seed.

import {
  Barrier,
  Condition,
  Event,
  Lock,
  Pipe,
  Process,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  sleep,
  Value,
} from "@multiproc/multiprocessing";
import { expose, serialize } from "../../../lib/transfer/transferable.ts";
import { BrokerChannel, newBrokerChannel } from "../../../lib/liveness/brokered_table.ts";
import { ownProcessTable, ownRef } from "../../../lib/liveness/membership.ts";
import { TableBroker } from "../../../lib/host/table_broker.ts";
import { newResultBuffer, read } from "../../../lib/protocol/result_buffer.ts";

/** A small generator of numbers (mulberry32). */
function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return (t ^ t >>> 14) >>> 0;
  };
}

/** Writes for so many ms: words at random, marks of a lock that go on counting, flips, copies of other words. */
export function spoil(memories: Int32Array[], seed: number, ms: number): number {
  const next = ((seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return (t ^ t >>> 14) >>> 0;
  })(seed);
  const end = performance.now() + ms;
  let writes = 0;
  while (performance.now() < end) {
    const words = memories[next() % memories.length];
    // Mostly the header, where it hurts.
    const at = next() % 4 === 0 ? next() % words.length : next() % Math.min(words.length, 64);
    const how = next() % 6;
    for (let i = 0; i < (how === 5 ? 2000 : 20); i++) {
      const now = Atomics.load(words, at);
      const value = how === 0
        ? next() | 0
        : how === 1
        ? now ^ 1 << next() % 32
        : how === 2
        ? next() % 16
        : how === 3
        ? words[next() % words.length]
        : (now & ~3) + 4 | 1 + next() % 2;
      Atomics.store(words, at, value);
      if (next() % 4 === 0) Atomics.notify(words, at);
      writes++;
    }
  }
  return writes;
}

function memoriesOf(
  value: unknown,
  depth = 0,
  found = new Set<SharedArrayBuffer>(),
): Set<SharedArrayBuffer> {
  if (value instanceof SharedArrayBuffer) found.add(value);
  else if (ArrayBuffer.isView(value)) memoriesOf(value.buffer, depth, found);
  else if (typeof value === "object" && value !== null && depth < 5) {
    for (const part of Object.values(value)) memoriesOf(part, depth + 1, found);
  }
  return found;
}

const TIMEOUT = 30;
const wait = { timeout: TIMEOUT };

/** Each kind: what is made, and what is done with it again and again. */
const kinds: Record<string, () => { object: unknown; use: (() => unknown)[] }> = {
  queue() {
    const queue = new Queue<number>({ maxSize: 50 });
    return {
      object: queue,
      use: [
        () => queue.put(1, wait),
        () => queue.get(wait),
        () => queue.putNowait(2),
        () => queue.getNowait(),
        () => queue.getSync(wait),
        () => queue.putSync(3, wait),
        () => queue.qsize(),
        () => queue.getMany(5, wait),
      ],
    };
  },
  pipe() {
    const [here, there] = Pipe<unknown>();
    return {
      object: here,
      use: [
        () => there.send(1),
        () => here.recv(wait),
        () => here.send([1, 2]),
        () => there.recv(wait),
        () => here.recvSync(wait),
        () => there.poll(wait),
      ],
    };
  },
  lock() {
    const lock = new Lock();
    return {
      object: lock,
      use: [
        () => lock.acquire(wait),
        () => lock.release(),
        () => lock.acquireSync(wait),
        () => lock.tryAcquire(),
      ],
    };
  },
  rlock() {
    const lock = new RLock();
    return {
      object: lock,
      use: [() => lock.acquire(wait), () => lock.release(), () => lock.acquireSync(wait)],
    };
  },
  semaphore() {
    const semaphore = new Semaphore(2);
    return {
      object: semaphore,
      use: [
        () => semaphore.acquire(wait),
        () => semaphore.release(),
        () => semaphore.acquireSync(wait),
      ],
    };
  },
  event() {
    const event = new Event();
    return {
      object: event,
      use: [
        () => event.wait(wait),
        () => event.set(),
        () => event.clear(),
        () => event.waitSync(wait),
      ],
    };
  },
  condition() {
    const condition = new Condition();
    return {
      object: condition,
      use: [async () => {
        if (!await condition.acquire(wait)) return;
        try {
          await condition.wait(wait);
        } finally {
          condition.release();
        }
      }, () => condition.acquireSync(wait) && condition.release()],
    };
  },
  barrier() {
    const barrier = new Barrier(2);
    return {
      object: barrier,
      use: [() => barrier.wait(wait), () => barrier.reset(), () => barrier.nWaiting],
    };
  },
  value() {
    const value = new Value("i32", 1);
    return {
      object: value,
      use: [
        () => value.value,
        () => value.update((n) => n + 1),
        () => value.lock.acquire(wait),
        () => value.lock.release(),
      ],
    };
  },
  array() {
    const array = new SharedArray("f64", 10);
    return {
      object: array,
      use: [() => array[3], () => array.lock.acquire(wait), () => array.lock.release()],
    };
  },
};

if (import.meta.main) {
  const [seconds, seed] = Deno.args.map(Number), random = randomFrom(seed);
  let last = performance.now();
  let worst = {
    stall: 0,
    kind: "",
    over: 0,
    overKind: "",
    calls: 0,
    errors: 0,
    writes: 0,
    rounds: 0,
  };
  let current = "";
  const look = () => {
    const now = performance.now(), stall = now - last - 5;
    // What blocks on purpose takes its timeout.
    if (stall > worst.stall) worst = { ...worst, stall: Math.round(stall), kind: current };
    last = now;
  };
  const timer = setInterval(look, 5);
  const end = performance.now() + seconds * 1000;
  const names = [...Object.keys(kinds), "broker channel", "result buffer"];
  for (let round = 0; performance.now() < end; round++) {
    current = names[round % names.length];
    worst.rounds++;
    const made = kinds[current]?.();
    const memories: SharedArrayBuffer[] = [];
    const use: (() => unknown)[] = [];
    let broker: TableBroker | undefined;
    if (made !== undefined) {
      const serialized = (made.object as { [serialize](): { kind: string; content: unknown } })
        [serialize]();
      expose(serialized);
      memories.push(...memoriesOf(serialized.content));
      use.push(...made.use);
    } else if (current === "broker channel") {
      const channel = newBrokerChannel(ownProcessTable(), 7),
        ref = ownProcessTable().registerProcess("fuzzed", ownRef());
      memories.push(channel);
      broker = new TableBroker(channel, ref);
      use.push(
        () => broker!.poll(),
        () => new BrokerChannel(channel).take(),
        () => new Lock().tryAcquire(),
      );
    } else {
      const buffer = newResultBuffer(2 ** 20);
      buffer.grow(8 + 2 ** 16);
      memories.push(buffer);
      use.push(() => read(buffer));
    }
    const views = memories.map((memory) => new Int32Array(memory, 0, memory.byteLength >> 2));
    const spoiler = new Process({
      target: spoil,
      args: [views, random(), 400],
      permissions: "inherit",
    });
    spoiler.start();
    const until = performance.now() + 700;
    while (performance.now() < until && spoiler.isAlive()) {
      const began = performance.now();
      worst.calls++;
      try {
        await use[random() % use.length]();
      } catch {
        worst.errors++;
      }
      const over = performance.now() - began - TIMEOUT;
      if (over > worst.over) worst = { ...worst, over: Math.round(over), overKind: current };
      await sleep(0);
    }
    await spoiler.join({ timeout: 5000 });
    worst.writes += await spoiler.result({ timeout: 1000 }).catch(() => 0);
    broker?.close();
  }
  clearInterval(timer);
  console.log(JSON.stringify({ seed, ...worst }));
  Deno.exit();
}
