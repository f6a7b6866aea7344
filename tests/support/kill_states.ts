// The states in which a process can be when it is ended. The targets travel by source, so they need no
// permission.

import { type Connection, type Event, Process, Queue, sleep, wait, waitSync } from "../../mod.ts";
import type { Things } from "./kill.ts";

/** What a process is at; it says "ready" before. */
export interface State {
  family: string;
  name: string;
  target: (things: Things) => unknown;
  /** It calls into nothing that could look whether it is to end. */
  computes?: boolean;
  /** It has a child, which has the inbox, says "child ready" and ends after `over`. */
  hasChild?: boolean;
  /** Its target has returned, so there is a result. */
  hasReturned?: boolean;
}

export const states: State[] = [];

/** A state in which it calls into this library, or lets the event loop have its turn. */
function state(family: string, name: string, target: State["target"]): void {
  states.push({ family, name, target });
}

/** A state in which it does neither. */
function computing(family: string, name: string, target: State["target"]): void {
  states.push({ family, name, target, computes: true });
}

/** A state in which it waits for a child. */
function withChild(family: string, name: string, target: State["target"]): void {
  states.push({ family, name, target, hasChild: true });
}

/** A state in which its target has returned, and a listener keeps it from ending. */
function unloading(family: string, name: string, listener: State["target"]): void {
  states.push({ family, name, target: listener, hasReturned: true });
}

// Blocked

state("blocked in", "getSync", ({ ready, empty }) => {
  ready.putSync("ready");
  empty.getSync();
});
state("blocked in", "getManySync", ({ ready, empty }) => {
  ready.putSync("ready");
  empty.getManySync(5);
});
state("blocked in", "getSync with a timeout", ({ ready, empty }) => {
  ready.putSync("ready");
  empty.getSync({ timeout: 60_000 });
});
state("blocked in", "putSync", ({ ready, full }) => {
  ready.putSync("ready");
  full.putSync(1);
});
state("blocked in", "putManySync", ({ ready, full }) => {
  ready.putSync("ready");
  full.putManySync([1, 2, 3]);
});
state("blocked in", "joinSync of a queue", ({ ready, undone }) => {
  ready.putSync("ready");
  undone.joinSync();
});
state("blocked in", "recvSync", ({ ready, inbox }) => {
  ready.putSync("ready");
  inbox.recvSync();
});
state("blocked in", "recvBytesSync", ({ ready, inbox }) => {
  ready.putSync("ready");
  inbox.recvBytesSync();
});
state("blocked in", "pollSync", ({ ready, inbox }) => {
  ready.putSync("ready");
  inbox.pollSync();
});
state("blocked in", "sendSync", ({ ready, outbox }) => {
  ready.putSync("ready");
  outbox.sendSync(1);
});
state("blocked in", "sendBytesSync", ({ ready, outbox }) => {
  ready.putSync("ready");
  outbox.sendBytesSync(new Uint8Array(3));
});
state("blocked in", "waitSync", ({ ready, inbox, empty }) => {
  ready.putSync("ready");
  waitSync([inbox, empty]);
});
state("blocked in", "acquireSync of a Lock", ({ ready, held }) => {
  ready.putSync("ready");
  held.lock.acquireSync();
});
state("blocked in", "acquireSync of an RLock", ({ ready, held }) => {
  ready.putSync("ready");
  held.rlock.acquireSync();
});
state("blocked in", "acquireSync of a Semaphore", ({ ready, held }) => {
  ready.putSync("ready");
  held.semaphore.acquireSync();
});
state("blocked in", "holdSync", ({ ready, held }) => {
  ready.putSync("ready");
  using _held = held.lock.holdSync();
});
state("blocked in", "waitSync of an Event", ({ ready, event }) => {
  ready.putSync("ready");
  event.waitSync();
});
state("blocked in", "waitSync of a Condition", ({ ready, condition }) => {
  using _held = condition.holdSync();
  ready.putSync("ready");
  condition.waitSync();
});
state("blocked in", "waitForSync", ({ ready, condition }) => {
  using _held = condition.holdSync();
  ready.putSync("ready");
  condition.waitForSync(() => false);
});
state("blocked in", "waitSync of a Barrier", ({ ready, barrier }) => {
  ready.putSync("ready");
  barrier.waitSync();
});
withChild("blocked in", "joinSync", ({ ready, over, inbox }) => {
  const child = new Process({
    target: async (ready: Queue<string>, over: Event, _inbox: Connection<number>) => {
      await ready.put("child ready");
      await over.wait();
    },
    args: [ready, over, inbox],
    by: "source",
  });
  child.start();
  ready.putSync("ready");
  child.joinSync();
});
withChild("blocked in", "resultSync", ({ ready, over, inbox }) => {
  const child = new Process({
    target: async (ready: Queue<string>, over: Event, _inbox: Connection<number>) => {
      await ready.put("child ready");
      await over.wait();
    },
    args: [ready, over, inbox],
    by: "source",
  });
  child.start();
  ready.putSync("ready");
  child.resultSync();
});
computing("blocked in", "Atomics.wait", ({ ready }) => {
  ready.putSync("ready");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});

// Awaiting

state("awaiting", "all waits of queues", async ({ ready, empty, full, undone }) => {
  await ready.put("ready");
  await Promise.all([
    ...[empty.get(), empty.get({ timeout: 60_000 }), empty.getMany(5), wait([empty])],
    ...[full.put(1), full.putMany([1, 2, 3]), full.writable.getWriter().write(1), undone.join()],
    empty.readable.getReader().read(),
    // A sealed process has none.
    Queue.open("a name that no queue has").catch(() => sleep(Infinity)),
  ]);
});
state("awaiting", "all waits of connections", async ({ ready, inbox, outbox }) => {
  await ready.put("ready");
  await Promise.all([
    ...[inbox.recv(), inbox.recv({ timeout: 60_000 }), inbox.recvBytes(), inbox.poll()],
    ...[outbox.send(1), outbox.sendBytes(new Uint8Array(3)), wait([inbox])],
  ]);
});
state("awaiting", "a loop over a queue", async ({ ready, empty }) => {
  await ready.put("ready");
  for await (const _ of empty);
});
state("awaiting", "a loop over a connection", async ({ ready, inbox }) => {
  await ready.put("ready");
  for await (const _ of inbox);
});
state("awaiting", "all waits of locks", async ({ ready, held, event, barrier }) => {
  await ready.put("ready");
  await Promise.all([
    ...Object.values(held).map((one) => one.acquire()),
    ...Object.values(held).map((one) => one.hold()),
    ...[event.wait(), barrier.wait()],
  ]);
});
state("awaiting", "wait of a Condition", async ({ ready, condition }) => {
  using _held = await condition.hold();
  await ready.put("ready");
  await condition.wait();
});
state("awaiting", "waitFor", async ({ ready, condition }) => {
  using _held = await condition.hold();
  await ready.put("ready");
  await condition.waitFor(() => false);
});
state("awaiting", "sleep, and what nothing settles", async ({ ready }) => {
  await ready.put("ready");
  await Promise.all([sleep(Infinity), new Promise(() => {})]);
});
withChild("awaiting", "join and result", async ({ ready, over, inbox }) => {
  const child = new Process({
    target: async (ready: Queue<string>, over: Event, _inbox: Connection<number>) => {
      await ready.put("child ready");
      await over.wait();
    },
    args: [ready, over, inbox],
    by: "source",
  });
  child.start();
  await ready.put("ready");
  await Promise.all([child.join(), child.result(), wait([child])]);
});
withChild(
  "awaiting",
  "the end of its child, its target having returned",
  async ({ ready, over, inbox }) => {
    new Process({
      target: async (ready: Queue<string>, over: Event, _inbox: Connection<number>) => {
        await ready.put("child ready");
        await over.wait();
      },
      args: [ready, over, inbox],
      by: "source",
    }).start();
    await ready.put("ready");
  },
);

// Computing

computing("computing in", "a loop", ({ ready }) => {
  ready.putSync("ready");
  for (;;);
});
computing("computing in", "a loop of microtasks", async ({ ready }) => {
  ready.putSync("ready");
  for (;;) await null;
});
computing("computing in", "a finally that begins the loop anew", ({ ready }) => {
  ready.putSync("ready");
  const spin = () => {
    try {
      for (;;);
    } finally {
      spin();
    }
  };
  spin();
});
computing("computing in", "a stack that overflows all the time", ({ ready }) => {
  ready.putSync("ready");
  const sink = () => {
    try {
      sink();
    } catch {
      sink();
    }
  };
  sink();
});
computing("computing in", "a regular expression", ({ ready }) => {
  ready.putSync("ready");
  /^(a+)+$/.test(`${"a".repeat(100)}b`);
});
computing("computing in", "WebAssembly", ({ ready }) => {
  // (module (func loop br 0 end) (start 0))
  const header = [0, 97, 115, 109, 1, 0, 0, 0], type = [1, 4, 1, 96, 0, 0];
  const functions = [3, 2, 1, 0], begin = [8, 1, 0], code = [10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11];
  const bytes = Uint8Array.of(...header, ...type, ...functions, ...begin, ...code);
  const module = new WebAssembly.Module(bytes);
  ready.putSync("ready");
  new WebAssembly.Instance(module);
});
computing("computing in", "a loop with a lock of each kind held", (things) => {
  const { ready, free, condition } = things;
  using _lock = free.lock.holdSync();
  using _rlock = free.rlock.holdSync();
  using _again = free.rlock.holdSync();
  using _semaphore = free.semaphore.holdSync();
  using _condition = condition.holdSync();
  free.value.update((n) => {
    ready.putSync("ready");
    while (n === n);
    return n;
  });
});

// Busy

state("busy in", "a loop of timers", async ({ ready }) => {
  await ready.put("ready");
  for (;;) await new Promise((resolve) => setTimeout(resolve));
});
state("busy in", "a loop of immediates", async ({ ready }) => {
  await ready.put("ready");
  for (;;) await new Promise((resolve) => setImmediate(resolve));
});
state("busy in", "a loop of putNowait and getNowait", ({ ready, busy }) => {
  ready.putSync("ready");
  for (let i = 0;; i++) {
    busy.putNowait(i);
    busy.getNowait();
  }
});
state("busy in", "a loop of put and get", async ({ ready, busy }) => {
  await ready.put("ready");
  for (let i = 0;; i++) {
    await busy.put(i);
    await busy.get();
  }
});
state("busy in", "a loop of locks", ({ ready, free, condition }) => {
  ready.putSync("ready");
  for (;;) {
    using _lock = free.lock.holdSync();
    using _rlock = free.rlock.holdSync();
    using _semaphore = free.semaphore.holdSync();
    using _condition = condition.holdSync();
    free.value.update((n) => n + 1);
    condition.notifyAll();
  }
});
computing("busy in", "a loop that polls a lock that another holds", ({ ready, held }) => {
  ready.putSync("ready");
  while (!held.lock.tryAcquire());
});
state("blocked in", "getSync, with a lock of each kind held", (things) => {
  const { ready, free, condition, empty } = things;
  using _lock = free.lock.holdSync();
  using _rlock = free.rlock.holdSync();
  using _again = free.rlock.holdSync();
  using _semaphore = free.semaphore.holdSync();
  using _condition = condition.holdSync();
  free.value.update((n) => {
    ready.putSync("ready");
    empty.getSync();
    return n;
  });
});

// Ending

unloading("ending in", "an unload listener that is blocked", ({ ready, empty }) => {
  globalThis.addEventListener("unload", () => {
    ready.putSync("ready");
    empty.getSync();
  });
});
unloading("ending in", "an unload listener that gets and puts", ({ ready, busy }) => {
  globalThis.addEventListener("unload", () => {
    ready.putSync("ready");
    for (let i = 0;; i++) {
      busy.putNowait(i);
      busy.getNowait();
    }
  });
});
