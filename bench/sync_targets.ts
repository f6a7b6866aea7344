/**
 * The targets of sync_bench.ts: one loop each, in its own function, so that the type feedback of one
 * measurement neither helps nor hinders the compiler in another.
 */
import { type Event, type Lock, sleep, type Value } from "../mod.ts";
import type { Signals } from "./targets.ts";

/** The URL of this module, for the option `module` of a Process. */
export const TARGETS: string = import.meta.url;

/** The number of steps before the clock runs, and while it runs. */
export interface Times {
  warmUp: number;
  count: number;
}

/** Milliseconds for one `lock.acquireSync(); lock.release()`. */
export function acquireSync(lock: Lock, { warmUp, count }: Times): number {
  const run = (times: number) => {
    for (let i = 0; i < times; i++) {
      lock.acquireSync();
      lock.release();
    }
  };
  run(warmUp);
  const start = performance.now();
  run(count);
  return (performance.now() - start) / count;
}

/** The same of `tryAcquire`. */
export function tryAcquire(lock: Lock, { warmUp, count }: Times): number {
  const run = (times: number) => {
    for (let i = 0; i < times; i++) {
      lock.tryAcquire();
      lock.release();
    }
  };
  run(warmUp);
  const start = performance.now();
  run(count);
  return (performance.now() - start) / count;
}

/** The same of `await lock.acquire()`. */
export async function acquire(lock: Lock, { warmUp, count }: Times): Promise<number> {
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await lock.acquire();
      lock.release();
    }
  };
  await run(warmUp);
  const start = performance.now();
  await run(count);
  return (performance.now() - start) / count;
}

/** The same of `using held = lock.holdSync()`. */
export function holdSync(lock: Lock, { warmUp, count }: Times): number {
  const run = (times: number) => {
    for (let i = 0; i < times; i++) {
      using _held = lock.holdSync();
    }
  };
  run(warmUp);
  const start = performance.now();
  run(count);
  return (performance.now() - start) / count;
}

/** The same of `using held = await lock.hold()`. */
export async function hold(lock: Lock, { warmUp, count }: Times): Promise<number> {
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) {
      using _held = await lock.hold();
    }
  };
  await run(warmUp);
  const start = performance.now();
  await run(count);
  return (performance.now() - start) / count;
}

/** The same of `await lock.hold()` that is released without `using`. */
export async function holdAndRelease(lock: Lock, { warmUp, count }: Times): Promise<number> {
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const held = await lock.hold();
      try {
        // What the lock protects.
      } finally {
        held.release();
      }
    }
  };
  await run(warmUp);
  const start = performance.now();
  await run(count);
  return (performance.now() - start) / count;
}

/** What the language itself takes for `using`: nothing is held. */
export function usingNothing(_lock: Lock, { warmUp, count }: Times): number {
  const nothing = { [Symbol.dispose]() {} };
  const run = (times: number) => {
    for (let i = 0; i < times; i++) {
      using _nothing = nothing;
    }
  };
  run(warmUp);
  const start = performance.now();
  run(count);
  return (performance.now() - start) / count;
}

/** The same for `using` and a promise that is fulfilled already. */
export async function awaitNothing(_lock: Lock, { warmUp, count }: Times): Promise<number> {
  const nothing = { [Symbol.dispose]() {} };
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) {
      using _nothing = await Promise.resolve(nothing);
    }
  };
  await run(warmUp);
  const start = performance.now();
  await run(count);
  return (performance.now() - start) / count;
}

/** One of several that acquire and release one lock as fast as they can. */
export async function contend(lock: Lock, signals: Signals, { warmUp, count }: Times) {
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await lock.acquire();
      lock.release();
    }
  };
  await run(warmUp);
  await signals.ready.put(null);
  await signals.go.get();
  await run(count);
  await signals.done.put(count);
}

/** The same, blocking. */
export function contendSync(lock: Lock, signals: Signals, { warmUp, count }: Times) {
  const run = (times: number) => {
    for (let i = 0; i < times; i++) {
      lock.acquireSync();
      lock.release();
    }
  };
  run(warmUp);
  signals.ready.putSync(null);
  signals.go.getSync();
  run(count);
  signals.done.putSync(count);
}

/** Milliseconds for one `value.update(n => n + 1)`. */
export function update(value: Value<"i32">, { warmUp, count }: Times): number {
  const run = (times: number) => {
    for (let i = 0; i < times; i++) value.update((n) => n + 1);
  };
  run(warmUp);
  const start = performance.now();
  run(count);
  return (performance.now() - start) / count;
}

/** Milliseconds to do the same step by step, with the lock held. */
export function updateHeld(value: Value<"i32">, { warmUp, count }: Times): number {
  const run = (times: number) => {
    for (let i = 0; i < times; i++) {
      using _held = value.lock.holdSync();
      value.value += 1;
    }
  };
  run(warmUp);
  const start = performance.now();
  run(count);
  return (performance.now() - start) / count;
}

/** Milliseconds for one `value.add(1)`. */
export function add(value: Value<"i32">, { warmUp, count }: Times): number {
  const run = (times: number) => {
    for (let i = 0; i < times; i++) value.add(1);
  };
  run(warmUp);
  const start = performance.now();
  run(count);
  return (performance.now() - start) / count;
}

/** The two events of a conversation, and the rests that aren't counted. */
export interface Signs {
  question: Event;
  reply: Event;
  /** Milliseconds that the answering process has let pass before the last reply. */
  rested: Value<"f64">;
  /** Milliseconds after which both processes are asleep; with 0 neither ever sleeps. */
  rest: number;
}

/** Replies so many times. */
export async function reply({ question, reply, rested, rest }: Signs, { warmUp, count }: Times) {
  for (let i = 0; i < warmUp + count; i++) {
    await question.wait();
    question.clear();
    if (rest > 0) {
      const awake = performance.now();
      await sleep(rest);
      rested.value = performance.now() - awake;
    }
    reply.set();
  }
}

/** The same, blocking. */
export function replySync({ question, reply, rested, rest }: Signs, { warmUp, count }: Times) {
  for (let i = 0; i < warmUp + count; i++) {
    question.waitSync();
    question.clear();
    if (rest > 0) {
      const awake = performance.now();
      sleepSync(rest);
      rested.value = performance.now() - awake;
    }
    reply.set();
  }
}

/** Sets one event and waits for the other, over and over; milliseconds from a set() to its waiter. */
export async function ask(signs: Signs, { warmUp, count }: Times): Promise<number> {
  const { question, reply, rested, rest } = signs;
  let total = 0;
  for (let i = -warmUp; i < count; i++) {
    if (rest > 0) await sleep(rest);
    const start = performance.now();
    question.set();
    await reply.wait();
    if (i >= 0) total += performance.now() - start - rested.value;
    reply.clear();
  }
  return total / count / 2;
}

/** The same, blocking. */
export function askSync(signs: Signs, { warmUp, count }: Times): number {
  const { question, reply, rested, rest } = signs;
  let total = 0;
  for (let i = -warmUp; i < count; i++) {
    if (rest > 0) sleepSync(rest);
    const start = performance.now();
    question.set();
    reply.waitSync();
    if (i >= 0) total += performance.now() - start - rested.value;
    reply.clear();
  }
  return total / count / 2;
}

const never = new Int32Array(new SharedArrayBuffer(4));
function sleepSync(ms: number): void {
  Atomics.wait(never, 0, 0, ms);
}
