/** The sleepers of wakeups_bench.ts: each is woken again and again, and counts each time in shared memory. */
import { setImmediate } from "node:timers";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { Condition, Event } from "../mod.ts";

/** The words that a sleeper shares with the program that wakes it. */
export const WAKE = 0, AWAKE = 1, READY = 2;

/** What a bare thread is told: how it sleeps, and where. */
export interface Sleep {
  way: keyof typeof WAYS;
  words: Int32Array;
  /** A FIFO. */
  path?: string;
  /** What a message comes by, or goes by. */
  port?: MessagePort;
}

/** The URL of this module. */
export const SLEEPERS: string = import.meta.url;

const WAYS = {
  wait({ words }: Sleep): void {
    for (let seen = 0;; seen++) {
      Atomics.wait(words, WAKE, seen);
      Atomics.add(words, AWAKE, 1);
    }
  },

  async waitAsync({ words }: Sleep): Promise<void> {
    setInterval(() => {}, 1e6); // the wait doesn't keep the thread alive
    for (let seen = 0;; seen++) {
      await Atomics.waitAsync(words, WAKE, seen).value;
      Atomics.add(words, AWAKE, 1);
    }
  },

  message({ words }: Sleep): void {
    parentPort!.on("message", () => Atomics.add(words, AWAKE, 1));
  },

  broadcast({ words }: Sleep): void {
    new BroadcastChannel("wakeups").onmessage = () => Atomics.add(words, AWAKE, 1);
  },

  setImmediate({ words }: Sleep): void {
    let seen = 0;
    const look = () => {
      if (Atomics.load(words, WAKE) !== seen) {
        seen++;
        Atomics.add(words, AWAKE, 1);
      }
      setImmediate(look);
    };
    look();
  },

  async fifo({ words, path }: Sleep): Promise<void> {
    const file = await Deno.open(path!, { read: true, write: true });
    for (const byte = new Uint8Array(1);;) {
      await file.read(byte);
      Atomics.add(words, AWAKE, 1);
    }
  },

  port({ words, port }: Sleep): void {
    port!.on("message", () => Atomics.add(words, AWAKE, 1));
  },

  /** A thread that blocks, and posts a message to the one that sleeps. */
  helper({ words, port }: Sleep): void {
    for (let seen = 0;; seen++) {
      Atomics.wait(words, WAKE, seen);
      port!.postMessage(null);
    }
  },
};

export async function sleepAtEvent(event: Event, words: Int32Array): Promise<void> {
  Atomics.add(words, READY, 1);
  for (;;) {
    await event.wait();
    event.clear();
    Atomics.add(words, AWAKE, 1);
  }
}

export function sleepAtEventSync(event: Event, words: Int32Array): void {
  Atomics.add(words, READY, 1);
  for (;;) {
    event.waitSync();
    event.clear();
    Atomics.add(words, AWAKE, 1);
  }
}

export async function sleepAtCondition(condition: Condition, words: Int32Array): Promise<void> {
  Atomics.add(words, READY, 1);
  await condition.acquire();
  for (;;) {
    await condition.wait();
    Atomics.add(words, AWAKE, 1);
  }
}

export function sleepAtConditionSync(condition: Condition, words: Int32Array): void {
  Atomics.add(words, READY, 1);
  condition.acquireSync();
  for (;;) {
    condition.waitSync();
    Atomics.add(words, AWAKE, 1);
  }
}

if (workerData?.way !== undefined) {
  const sleep = workerData as Sleep;
  Atomics.add(sleep.words, READY, 1);
  void WAYS[sleep.way](sleep);
}
