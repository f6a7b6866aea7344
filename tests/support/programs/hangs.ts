// The classic hangs. Each hangs as a program of a user would; what it prints is what inspect() shows then.

import { Barrier, detectDeadlocks, inspect, Lock, Process, Queue, sleep } from "../../../mod.ts";

export async function eatOne(dishes: Queue<string>) {
  await dishes.get();
  throw new Error("no more appetite");
}

export async function cook(dishes: Queue<string>) {
  for (let i = 0; i < 10; i++) await dishes.put(`dish ${i}`);
}

export async function eatAll(dishes: Queue<string>) {
  for await (const _ of dishes);
}

export async function meet(barrier: Barrier) {
  await barrier.wait();
}

export function swapBlocked(first: Lock, second: Lock, both: Barrier) {
  first.acquireSync();
  both.waitSync();
  second.acquireSync();
}

export async function swap(first: Lock, second: Lock, both: Barrier) {
  await first.acquire();
  await both.wait();
  await second.acquire();
}

export async function want(lock: Lock) {
  await lock.acquire();
}

// deno-lint-ignore no-explicit-any
function start(target: any, args: unknown[], name: string): Process {
  const process = new Process({ target, args, name, module: import.meta.url });
  process.start();
  return process as unknown as Process;
}

const HANGS: Record<string, () => Promise<unknown>> = {
  blockedLocks() {
    detectDeadlocks({ blocked: "off" });
    const [a, b, both] = [new Lock(), new Lock(), new Barrier(2)];
    start(swapBlocked, [a, b, both], "left");
    return start(swapBlocked, [b, a, both], "right").join();
  },
  awaitedLocks() {
    const [a, b, both] = [new Lock(), new Lock(), new Barrier(2)];
    start(swap, [a, b, both], "left");
    return start(swap, [b, a, both], "right").join();
  },
  async deadConsumer() {
    const dishes = new Queue<string>({ maxSize: 2, name: "dishes" });
    start(eatOne, [dishes], "eater").result().catch(() => {});
    for (let i = 0; i < 10; i++) await dishes.put(`dish ${i}`);
  },
  joinFirst() {
    const dishes = new Queue<string>({ maxSize: 2, name: "dishes" });
    return start(cook, [dishes], "cook").join();
  },
  barrierShort() {
    const barrier = new Barrier(3);
    start(meet, [barrier], "one");
    return start(meet, [barrier], "other").join();
  },
  unservedGet() {
    const dishes = new Queue<string>({ name: "dishes" });
    return start(eatAll, [dishes], "eater").join();
  },
  async lockOfJoiner() {
    const lock = new Lock();
    await lock.acquire();
    await start(want, [lock], "child").join();
  },
};

if (import.meta.main) {
  const [name, ...patterns] = Deno.args;
  HANGS[name]();
  const end = performance.now() + 50_000;
  // A process writes how what it waits for is after a second.
  for (let isSaid = false; !isSaid && performance.now() < end;) {
    await sleep(50);
    const text = `${inspect()}`;
    isSaid = patterns.every((pattern) => new RegExp(pattern, "m").test(text));
    if (isSaid || performance.now() >= end) console.log(text);
  }
  Deno.exit();
}
