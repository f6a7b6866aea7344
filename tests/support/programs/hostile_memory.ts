// Hostile writes into the shared memory of everything that a process can be handed, and into the control block, the
// channel (where it asks its host about the process table) and the result buffer of a process with permissions of its
// own, during use; and hostile messages on the port of a pipe. No call exceeds its timeout by a quarter of a second, and
// nothing ends. Arguments: seconds, the seed, and the kinds, if not all.

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
import { ControlBlock } from "../../../lib/liveness/control_block.ts";
import { ownTime } from "../own_time.ts";
import { newResultBuffer, read, writeTo } from "../../../lib/protocol/result_buffer.ts";

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

/** Makes one call, and notes how long it takes beyond the `most` ms that it may; 0 for those that don't wait. */
type Call = <T>(call: () => T | Promise<T>, most?: number) => Promise<T>;

type Use = (call: Call) => unknown;

/** A call that has a timeout, and one that doesn't wait. */
const waits = (wait: () => unknown): Use => (call) => call(wait);
const atOnce = (now: () => unknown): Use => (call) => call(now, 0);

/** Each kind: what is made, and what is done with it again and again. */
const kinds: Record<string, () => { object: unknown; use: Use[] }> = {
  queue() {
    const queue = new Queue<number>({ maxSize: 50 });
    return {
      object: queue,
      use: [
        waits(() => queue.put(1, wait)),
        waits(() => queue.get(wait)),
        atOnce(() => queue.putNowait(2)),
        atOnce(() => queue.getNowait()),
        waits(() => queue.getSync(wait)),
        waits(() => queue.putSync(3, wait)),
        atOnce(() => queue.qsize()),
        waits(() => queue.getMany(5, wait)),
      ],
    };
  },
  pipe() {
    const [here, there] = Pipe<unknown>();
    return {
      object: here,
      use: [
        waits(() => there.send(1, wait)),
        waits(() => here.recv(wait)),
        waits(() => here.send([1, 2], wait)),
        waits(() => there.recv(wait)),
        waits(() => here.recvSync(wait)),
        waits(() => there.poll(wait)),
      ],
    };
  },
  lock() {
    const lock = new Lock();
    return {
      object: lock,
      use: [
        waits(() => lock.acquire(wait)),
        atOnce(() => lock.release()),
        waits(() => lock.acquireSync(wait)),
        atOnce(() => lock.tryAcquire()),
      ],
    };
  },
  rlock() {
    const lock = new RLock();
    return {
      object: lock,
      use: [
        waits(() => lock.acquire(wait)),
        atOnce(() => lock.release()),
        waits(() => lock.acquireSync(wait)),
      ],
    };
  },
  semaphore() {
    const semaphore = new Semaphore(2);
    return {
      object: semaphore,
      use: [
        waits(() => semaphore.acquire(wait)),
        atOnce(() => semaphore.release()),
        waits(() => semaphore.acquireSync(wait)),
      ],
    };
  },
  event() {
    const event = new Event();
    return {
      object: event,
      use: [
        waits(() => event.wait(wait)),
        atOnce(() => event.set()),
        atOnce(() => event.clear()),
        waits(() => event.waitSync(wait)),
      ],
    };
  },
  condition() {
    const condition = new Condition();
    const release: Use = (call) => call(() => condition.release(), 0);
    return {
      object: condition,
      use: [async (call) => {
        if (!await call(() => condition.acquire(wait))) return;
        try {
          await call(() => condition.wait(wait));
        } finally {
          await release(call);
        }
      }, async (call) => {
        if (await call(() => condition.acquireSync(wait))) await release(call);
      }],
    };
  },
  barrier() {
    const barrier = new Barrier(2);
    return {
      object: barrier,
      use: [
        waits(() => barrier.wait(wait)),
        atOnce(() => barrier.reset()),
        atOnce(() => barrier.nWaiting),
      ],
    };
  },
  value() {
    const value = new Value("i32", 1);
    return {
      object: value,
      use: [
        atOnce(() => value.value),
        atOnce(() => value.update((n) => n + 1)),
        waits(() => value.lock.acquire(wait)),
        atOnce(() => value.lock.release()),
      ],
    };
  },
  array() {
    const array = new SharedArray("f64", 10);
    return {
      object: array,
      use: [
        atOnce(() => array[3]),
        waits(() => array.lock.acquire(wait)),
        atOnce(() => array.lock.release()),
      ],
    };
  },
};

/** The words of the control block that was made last: starting a process looks whether it is to be killed. */
let controlWords: Int32Array | undefined;
const { killSignal } = ControlBlock.prototype;
ControlBlock.prototype.killSignal = function () {
  controlWords = this.words;
  return killSignal.call(this);
};

/** A process with permissions of its own, and the calls of its starter. */
function confined(): { words: Int32Array; use: Use[]; end: () => Promise<unknown> } {
  const process = new Process({
    target: async () => {
      for (let i = 0; i < 200; i++) await new Promise((done) => setTimeout(done, 10));
      return 1;
    },
    by: "source",
    permissions: "none",
  });
  process.start();
  const words = controlWords!;
  return {
    words,
    use: [
      atOnce(() => process.isAlive()),
      atOnce(() => process.exitCode),
      waits(() => process.join(wait)),
      waits(() => process.result(wait)),
      waits(() => process.joinSync(wait)),
    ],
    end: async () => {
      process.kill();
      await process.join({ timeout: 5000 });
    },
  };
}

/** A value made of random parts, of which some are parts of real messages. */
function randomValue(random: () => number, depth = 0): unknown {
  const values: (() => unknown)[] = [
    () => random() | 0,
    () => random() % 8,
    () => undefined,
    () => null,
    () => "x".repeat(random() % 100),
    () => new Uint8Array(random() % 200).map(() => random()),
    () => new SharedArrayBuffer(random() % 100),
    () => ({ length: [Infinity, NaN, 2 ** 53][random() % 3] }),
    () => new Array(2 ** 32 - 1 - random() % 2),
    () => new Int32Array(new SharedArrayBuffer(64)),
    () => new Map([[random() % 3, depth < 4 ? randomValue(random, depth + 1) : 0]]),
    () =>
      Array.from({ length: random() % 5 }, () => depth < 4 ? randomValue(random, depth + 1) : 0),
    () => {
      const keys = [
        "length",
        "number",
        "message",
        "moved",
        "bytes",
        "serialized",
        "posted",
        "kind",
        "content",
      ];
      keys.push(
        "ports",
        "program",
        "type",
        "words",
        "self",
        "peer",
        "incoming",
        "outgoing",
        "header",
      );
      const made: Record<string, unknown> = {};
      for (let i = random() % 6; i > 0; i--) {
        made[keys[random() % keys.length]] = depth < 4 ? randomValue(random, depth + 1) : 0;
      }
      return made;
    },
    () => ["queue", "connection", "lock", "value", "event", "condition"][random() % 6],
  ];
  return values[random() % values.length]();
}

/** Changes some bytes of what a process has returned. */
function mutate(buffer: SharedArrayBuffer, random: () => number): void {
  const bytes = new Uint8Array(buffer), { length } = bytes;
  for (let i = random() % 8; i > 0; i--) bytes[8 + random() % Math.min(length - 8, 400)] = random();
}

const returned = [
  { a: [1, "two", 3n, new Date(0), /x/u, new Map([[1, new Set([2])]])] },
  [new Uint8Array(100), new ArrayBuffer(8, { maxByteLength: 64 }), new Error("x", { cause: 1 })],
  Array.from({ length: 100 }, (_, i) => ({ i, text: `${i}` })),
];

/** In ms: a call that takes longer hangs. */
const HANG_MS = 20_000;

/**
 * Has a thread that isn't this library's tell of a call that hangs: which kind, and which of its uses. The words: the
 * number of calls so far, the kind, the use.
 */
function watch(): Int32Array {
  const words = new Int32Array(new SharedArrayBuffer(12));
  const text = `onmessage = ({ data }) => {
    let last = 0, since = performance.now();
    setInterval(() => {
      const now = performance.now();
      if (data[0] !== last) [last, since] = [data[0], now];
      else if (now - since > ${HANG_MS}) {
        console.error("hangs: kind " + data[1] + ", use " + data[2] + ", after " + last + " calls");
        since = Infinity;
      }
    }, 500);
  };`;
  new Worker(`data:text/javascript,${encodeURIComponent(text)}`, { type: "module" })
    .postMessage(words);
  return words;
}

if (import.meta.main) {
  const watched = watch();
  const [seconds, seed] = Deno.args.map(Number), random = randomFrom(seed);
  let last = ownTime();
  let worst = {
    stall: 0,
    kind: "",
    over: 0,
    overKind: "",
    calls: 0,
    errors: 0,
    writes: 0,
    rounds: 0,
    ends: 0,
  };
  let current = "";
  const look = () => {
    const now = ownTime(), stall = now - last - 5;
    // What blocks on purpose takes its timeout.
    if (stall > worst.stall) worst = { ...worst, stall: Math.round(stall), kind: current };
    last = now;
  };
  const timer = setInterval(look, 5);
  const call: Call = async (made, most = TIMEOUT) => {
    worst.calls++;
    const began = ownTime();
    try {
      return await made();
    } finally {
      const over = ownTime() - began - most;
      if (over > worst.over) worst = { ...worst, over: Math.round(over), overKind: current };
    }
  };
  const end = performance.now() + seconds * 1000;
  const names = Deno.args[2]?.split(",") ?? [
    ...Object.keys(kinds),
    ...["broker channel", "result buffer", "mutated result", "control block", "messages"],
  ];
  for (let round = 0; performance.now() < end; round++) {
    current = names[round % names.length];
    worst.rounds++;
    const made = kinds[current]?.();
    const memories: SharedArrayBuffer[] = [];
    const use: Use[] = [];
    let broker: TableBroker | undefined, finish: (() => unknown) | undefined;
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
        atOnce(() => broker!.poll()),
        atOnce(() => new BrokerChannel(channel).take()),
        atOnce(() => new Lock().tryAcquire()),
      );
    } else if (current === "control block") {
      const { words, use: calls, end } = confined();
      memories.push(words.buffer as SharedArrayBuffer);
      use.push(...calls);
      finish = end;
    } else if (current === "mutated result") {
      const buffer = newResultBuffer(2 ** 16), words = new Int32Array(buffer, 0, 2);
      const reply = writeTo(buffer);
      use.push(atOnce(() => {
        words[0] = 0;
        if (random() % 4 === 0) reply.threw(new AggregateError([new Error("x")], "y"));
        else reply.returned(returned[random() % returned.length]);
        mutate(buffer, random);
        return read(buffer);
      }));
    } else if (current === "messages") {
      const [here, there] = Pipe<unknown>();
      const { content } =
        (there as unknown as { [serialize](): { content: { port: MessagePort } } })
          [serialize]();
      const { port } = content;
      use.push(
        () => {
          const message = randomValue(random);
          port.postMessage(
            random() % 2 ? message : new Map([[
              0,
              random() % 2 ? message : { number: random() % 9, message, moved: [] },
            ]]),
          );
        },
        waits(() => there.send(new Blob(["x"]), wait)),
        waits(() => here.recv(wait)),
        waits(() => here.recvSync(wait)),
      );
    } else {
      const buffer = newResultBuffer(2 ** 20);
      buffer.grow(8 + 2 ** 16);
      memories.push(buffer);
      use.push(atOnce(() => read(buffer)));
    }
    const views = memories.map((memory) => new Int32Array(memory, 0, memory.byteLength >> 2));
    if (views.length === 0) views.push(new Int32Array(new SharedArrayBuffer(64)));
    const spoiler = new Process({
      target: spoil,
      args: [views, random(), 400],
      permissions: "inherit",
    });
    spoiler.start();
    // Deno blocks the thread that starts another, until that has begun.
    last = ownTime();
    const until = performance.now() + 700;
    while (performance.now() < until && spoiler.isAlive()) {
      try {
        const which = random() % use.length;
        watched[1] = round % names.length;
        watched[2] = which;
        watched[0]++;
        await use[which](call);
      } catch {
        worst.errors++;
      }
      await sleep(0);
    }
    await spoiler.join({ timeout: 5000 });
    worst.writes += await spoiler.result({ timeout: 1000 }).catch(() => 0);
    broker?.close();
    const ending = performance.now();
    await finish?.();
    // A process that doesn't end by itself has two seconds for it.
    worst.ends = Math.max(worst.ends, Math.round(performance.now() - ending));
  }
  clearInterval(timer);
  console.log(JSON.stringify({ seed, ...worst }));
  Deno.exit();
}
