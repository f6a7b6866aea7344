// Ending a process by terminate() and kill() in every state it can be in, of every kind: what it
// was at is stopped, its exit code says so, and what it shared with others they can go on using.
// What it runs travels by source, so the states need no permission.

import assert from "node:assert/strict";
import {
  AbandonedLockError,
  activeChildren,
  Barrier,
  BrokenPipeError,
  Condition,
  type Connection,
  EOFError,
  Event,
  InvalidStateError,
  JoinableQueue,
  Lock,
  Pipe,
  Process,
  type ProcessOptions,
  Queue,
  RLock,
  Semaphore,
  sleep,
  Value,
  wait,
  waitSync,
} from "../../mod.ts";
import { inFull } from "../support/length.ts";
import { both, granted, needs, prints, run } from "../support/programs.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
const bound = { timeout: 20_000 };

/** So many processes at a time. */
const AT_ONCE = 4;

const ends = { terminate: -15, kill: -9 } as const;
type End = keyof typeof ends;

type Kind = Pick<ProcessOptions, "permissions" | "memoryLimitMb" | "timeLimit">;

/** The kinds of process, by what they are given besides a target. */
const kinds: Record<string, Kind> = {
  "a thread": {},
  "a sandbox": { permissions: "none" },
};

/** Kinds that differ from those only in how they are stopped: they are in few states. */
const limitedKinds: Record<string, Kind> = {
  "a thread with limited memory": { memoryLimitMb: 200 },
  "a thread in a sandbox": { permissions: "none", timeLimit: 60_000 },
};
const fewStates = ["getSync", "a loop", "a loop of microtasks", "a loop of put and get"];

/** What a process and its starter share. */
interface Things {
  ready: Queue<string>;
  /** What a child of the process waits for. */
  over: Event;
  empty: Queue<number>;
  /** Has room for one item, which is there. */
  full: Queue<number>;
  /** For those who put and get all the time. */
  busy: Queue<number>;
  /** Has an item that is never done. */
  undone: JoinableQueue<number>;
  /** Nothing comes here. */
  inbox: Connection<number>;
  /** Has room for one message, which nobody receives. */
  outbox: Connection<number>;
  /** Held by the starter. */
  held: { lock: Lock; rlock: RLock; semaphore: Semaphore };
  free: { lock: Lock; rlock: RLock; semaphore: Semaphore; value: Value<"i32"> };
  event: Event;
  condition: Condition;
  barrier: Barrier;
}

/** The things, and the ends of pipes that stay with the starter. */
function makeThings(): {
  things: Things;
  toInbox: Connection<number>;
  atOutbox: Connection<number>;
} {
  const [inbox, toInbox] = Pipe<number>(), [outbox, atOutbox] = Pipe<number>({ maxSize: 1 });
  const things: Things = {
    ready: new Queue(),
    over: new Event(),
    empty: new Queue(),
    full: new Queue({ maxSize: 1 }),
    busy: new Queue(),
    undone: new JoinableQueue(),
    inbox,
    outbox,
    held: { lock: new Lock(), rlock: new RLock(), semaphore: new Semaphore() },
    free: {
      lock: new Lock(),
      rlock: new RLock(),
      semaphore: new Semaphore(),
      value: new Value("i32"),
    },
    event: new Event(),
    condition: new Condition(),
    barrier: new Barrier(2),
  };
  things.full.putNowait(-1);
  things.undone.putNowait(-1);
  outbox.sendNowait(-1);
  for (const held of Object.values(things.held)) assert.ok(held.tryAcquire());
  return { things, toInbox, atOutbox };
}

/** A hundred items go through a queue. */
async function passesItems(queue: Queue<number>): Promise<void> {
  const items = Array.from({ length: 100 }, (_, i) => i), got: number[] = [];
  const getting = (async () => {
    while (got.length < items.length) got.push(await queue.get(bound));
  })();
  for (const item of items) await queue.put(item, bound);
  await getting;
  assert.deepEqual(got, items);
}

/** Something can be acquired, after at most one error that says that its holder has ended. */
async function canBeTaken(what: Lock | RLock | Semaphore | Condition): Promise<void> {
  try {
    assert.equal(await what.acquire(bound), true);
  } catch (error) {
    assert.ok(error instanceof AbandonedLockError, `${error}`);
    assert.equal(await what.acquire(bound), true);
  }
  what.release();
}

/** What a process that has ended had can be used by others. */
async function checkUsable({ things, toInbox, atOutbox }: ReturnType<typeof makeThings>) {
  const { empty, full, busy, undone, held, free, event, condition, barrier } = things;
  assert.equal(empty.qsize(), 0);
  await passesItems(empty);
  assert.equal(await full.get(bound), -1);
  assert.equal(full.qsize(), 0);
  await passesItems(full);
  while (!busy.empty()) await busy.get(bound);
  await passesItems(busy);
  undone.taskDone();
  assert.equal(await undone.join(bound), true);
  await assert.rejects(toInbox.recv(bound), EOFError);
  await assert.rejects(toInbox.send(1), BrokenPipeError);
  assert.equal(await atOutbox.recv(bound), -1);
  await assert.rejects(atOutbox.recv(bound), EOFError);
  for (const one of Object.values(held)) {
    one.release();
    await canBeTaken(one);
  }
  for (const one of [free.lock, free.rlock, free.semaphore, free.value.lock, condition]) {
    await canBeTaken(one);
  }
  free.value.update((n) => n + 1);
  event.set();
  assert.equal(await event.wait(bound), true);
  barrier.reset();
  const places = await Promise.all([barrier.wait(bound), barrier.wait(bound)]);
  assert.deepEqual(places.sort(), [0, 1]);
}

/** It was ended, and everything about it says so. */
async function checkEnded<A extends unknown[]>(
  process: Process<A>,
  code: number,
  hasReturned = false,
): Promise<void> {
  assert.equal(await process.join(bound), true, "join() timed out");
  assert.equal(process.exitCode, code);
  assert.equal(process.isAlive(), false);
  assert.ok(!activeChildren().includes(process as unknown as Process));
  if (hasReturned) assert.equal(await process.result(bound), undefined);
  else await assert.rejects(process.result(bound), { name: "ProcessError", exitCode: code });
}

/** Does things, a few at a time. */
async function fewAtOnce(all: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...all];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** What a process is at; it says "ready" before. */
interface State {
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

const states: State[] = [];

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

/** A process that is to be ended. */
interface Case extends State {
  kind: string;
  options: Kind;
  end: End;
}

/**
 * Both ends for a thread, one of them for the other kinds; in the short run one case of each
 * state.
 */
function casesOf(one: State, i: number): Case[] {
  const all: Case[] = [];
  for (const [kind, options] of Object.entries(kinds)) {
    const isThread = options.permissions === undefined;
    if (one.computes && !isThread) continue;
    for (const [j, end] of (Object.keys(ends) as End[]).entries()) {
      if (isThread || j === i % 2) all.push({ ...one, kind, options, end });
    }
  }
  const few = inFull(all, [all[i % all.length]]);
  if (!fewStates.includes(one.name)) return few;
  const limited = Object.entries(limitedKinds).map(([kind, options]): Case => {
    return { ...one, kind, options, end: i % 2 ? "kill" : "terminate" };
  });
  return [...limited, ...few];
}

for (const family of new Set(states.map((state) => state.family))) {
  Deno.test(`a process that is ${family} anything can be terminated and killed`, async () => {
    const cases = states.filter((state) => state.family === family).flatMap(casesOf);
    await fewAtOnce(cases.map((one) => () => endAndCheck(one)));
  });
}

/** Brings a process into a state, ends it, and checks all that is so afterwards. */
async function endAndCheck(
  { family, name, target, hasChild = false, hasReturned = false, kind, options, end }: Case,
): Promise<void> {
  const all = makeThings(), { ready, over } = all.things;
  const process = new Process({ target, args: [all.things], by: "source", ...options });
  try {
    process.start();
    await ready.get(bound);
    if (hasChild) await ready.get(bound);
    // One is ended as soon as it is there, the other when it has been there for a while.
    if (end === "kill") await sleep(30);
    process[end]();
    await checkEnded(process, ends[end], hasReturned);
    over.set();
    await checkUsable(all);
  } catch (error) {
    throw new Error(`${kind}, ${family} ${name}, ${end}: ${error}`, { cause: error });
  }
}

// Before it runs

for (const end of Object.keys(ends) as End[]) {
  Deno.test(`${end}() right after start() ends a process`, async () => {
    const cases = Object.entries(kinds).flatMap(([kind, options]) =>
      [false, options.permissions === undefined].map((blocking) => async () => {
        const ran = new Queue<string>();
        const process = new Process({
          target: (ran: Queue<string>) => ran.putSync("ran"),
          args: [ran],
          by: "source",
          ...options,
        });
        process.start();
        process[end]();
        if (blocking) assert.equal(process.joinSync(bound), true, kind);
        await checkEnded(process, ends[end]);
        assert.equal(ran.qsize(), 0, kind);
      })
    );
    await fewAtOnce(cases);
  });
}

Deno.test("a process whose signal is aborted while its arguments are read is terminated", async () => {
  const controller = new AbortController(), { signal } = controller, ran = new Queue<string>();
  const trap = {
    get value() {
      controller.abort();
      return 1;
    },
  };
  const process = new Process({
    target: (_: unknown, ran: Queue<string>) => ran.putSync("ran"),
    args: [trap, ran],
    by: "source",
    signal,
  });
  process.start();
  await checkEnded(process, -15);
  assert.equal(ran.qsize(), 0);
});

Deno.test("a process can't be ended while its arguments are read, and starts", async () => {
  const refused: unknown[] = [];
  const trap = {
    get value() {
      for (const end of Object.keys(ends) as End[]) {
        try {
          process[end]();
        } catch (error) {
          refused.push(error);
        }
      }
      return 1;
    },
  };
  const process: Process<[{ value: number }], number> = new Process({
    target: ({ value }: { value: number }) => value,
    args: [trap],
    by: "source",
  });
  process.start();
  assert.equal(await process.result(bound), 1);
  assert.ok(refused.length >= 2 && refused.every((error) => error instanceof InvalidStateError));
});

const mayRead = Deno.permissions.querySync({ name: "read" }).state === "granted";

/** What a module does while it loads, in a worker that can't be told of it otherwise. */
const loading: Record<string, string> = {
  "awaits": "await new Promise(() => setInterval(() => {}, 1000));",
  "blocks": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
  "loops": "for (;;);",
};
for (const [what, text] of Object.entries(loading)) {
  Deno.test({
    name:
      `a process whose module ${what} as it loads is terminated and killed (needs --allow-read)`,
    ignore: !mayRead,
    fn: async () => {
      await fewAtOnce((Object.keys(ends) as End[]).map((end) => async () => {
        const name = crypto.randomUUID();
        const tell = `new BroadcastChannel(${JSON.stringify(name)}).postMessage("loading");`;
        const source = `${tell} ${text} export function work() {}`;
        const module = `data:text/javascript,${encodeURIComponent(source)}`;
        const channel = new BroadcastChannel(name);
        const loads = new Promise((resolve) => channel.onmessage = resolve);
        const process = new Process({ target: "work", module, by: "reference" });
        process.start();
        await loads;
        channel.close();
        process[end]();
        await checkEnded(process, ends[end]);
      }));
    },
  });
}

const mayServe = mayRead &&
  (["net", "import"] as const).every((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
Deno.test({
  name: "a process that waits for a module is terminated and killed " +
    "(needs --allow-read --allow-net --allow-import)",
  ignore: !mayServe,
  fn: async () => {
    const asked: Record<string, () => void> = {};
    const answers: (() => void)[] = [];
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/first")) {
        const body = `import "/last${pathname.slice(6)}"; export function work() {}`;
        return new Response(body, { headers: { "content-type": "text/javascript" } });
      }
      asked[pathname.slice(5)]();
      return new Promise((resolve) =>
        answers.push(() => resolve(new Response("", { status: 404 })))
      );
    });
    await fewAtOnce((Object.keys(ends) as End[]).map((end) => async () => {
      const id = `/${crypto.randomUUID()}.js`;
      const waits = new Promise<void>((resolve) => asked[id] = resolve);
      const module = `http://127.0.0.1:${server.addr.port}/first${id}`;
      const process = new Process({ target: "work", module, by: "reference" });
      process.start();
      await waits;
      process[end]();
      await checkEnded(process, ends[end]);
    }));
    for (const answer of answers) answer();
    await server.shutdown();
  },
});

// In the middle of something large

/** In ms: so long two items take, about. */
const WHILE = 200;

for (const [face, end] of [["putSync", "kill"], ["put", "terminate"]] as const) {
  Deno.test(`after ${end}() in ${face} of 100 MB, all items are whole, and so is the next`, async () => {
    const queue = new Queue<Uint8Array | string>(), ready = new Queue<string>();
    const process = new Process({
      target: async (
        queue: Queue<Uint8Array | string>,
        ready: Queue<string>,
        face: "putSync" | "put",
      ) => {
        const large = new Uint8Array(100_000_000).fill(7);
        ready.putSync("ready");
        for (;;) await queue[face](large);
      },
      args: [queue, ready, face],
      by: "source",
    });
    process.start();
    await ready.get(bound);
    await sleep(Math.random() * WHILE);
    process[end]();
    await checkEnded(process, ends[end]);
    await queue.put("next", bound);
    const other = new Process({
      target: async (queue: Queue<Uint8Array | string>) => {
        for (;;) {
          const item = await queue.get();
          if (typeof item === "string") return item;
          const isWhole = item.length === 100_000_000 && item.every((byte) => byte === 7);
          if (!isWhole) return "a damaged one";
        }
      },
      args: [queue],
      by: "source",
    });
    other.start();
    assert.equal(await other.result(bound), "next");
    assert.equal(queue.qsize(), 0);
  });
}

// By whom, when and how often

Deno.test("of terminate() and kill() the first counts, and the signal's abort is one of them", async () => {
  const orders: [("terminate" | "kill" | "abort")[], number][] = [
    [["terminate", "kill"], -15],
    [["kill", "terminate"], -9],
    [["kill", "abort", "kill"], -9],
    [["abort", "kill"], -15],
  ];
  await fewAtOnce(orders.map(([order, code]) => async () => {
    const controller = new AbortController(), ready = new Queue<string>();
    const process = new Process({
      target: (ready: Queue<string>) => {
        ready.putSync("ready");
        for (;;);
      },
      args: [ready],
      by: "source",
      signal: controller.signal,
    });
    process.start();
    await ready.get(bound);
    for (const end of order) end === "abort" ? controller.abort() : process[end]();
    await checkEnded(process, code);
    for (const end of order) end === "abort" ? controller.abort() : process[end]();
    assert.equal(process.exitCode, code);
  }));
});

Deno.test("a process that has ended keeps its exit code and its result", async () => {
  const own: [(code: number) => unknown, number][] = [
    [() => "returned", 0],
    [() => {
      throw new RangeError("its own");
    }, 1],
    [(code) => Deno.exit(code), 7],
  ];
  const cases = Object.values(kinds).flatMap((options) =>
    own.map(([target, code]) => async () => {
      const controller = new AbortController(), { signal } = controller;
      const process = new Process({ target, args: [code], by: "source", signal, ...options });
      process.start();
      const outcome = () =>
        process.result(bound).catch((error) => `${error.exitCode} ${error.cause}`);
      const first = await outcome();
      await process.join(bound);
      process.terminate();
      process.kill();
      controller.abort();
      await process[Symbol.asyncDispose]();
      assert.equal(process.exitCode, code);
      assert.equal(await outcome(), first);
      assert.equal(process.isAlive(), false);
      assert.ok(!activeChildren().includes(process as unknown as Process));
    })
  );
  await fewAtOnce(cases);
});

Deno.test("a process in an unload listener of its Deno.exit(3) has not ended, and is ended", async () => {
  const cases = (Object.keys(ends) as End[]).map((end) => async () => {
    const all = makeThings(), { ready } = all.things;
    const process = new Process({
      target: ({ ready }: Things) => {
        globalThis.addEventListener("unload", () => {
          ready.putSync("ready");
          for (;;);
        });
        Deno.exit(3);
      },
      args: [all.things],
      by: "source",
    });
    process.start();
    await ready.get(bound);
    assert.ok(process.isAlive());
    process[end]();
    await checkEnded(process, ends[end]);
    await checkUsable(all);
  });
  await fewAtOnce(cases);
});

Deno.test("a process is ended where its block is left, by finally and by await using", async () => {
  const ready = new Queue<string>();
  const make = () =>
    new Process({
      target: (ready: Queue<string>) => {
        ready.putSync("ready");
        for (;;);
      },
      args: [ready],
      by: "source",
    });
  const killed = make();
  try {
    killed.start();
    await ready.get(bound);
    throw new RangeError("the block is left");
  } catch (error) {
    assert.ok(error instanceof RangeError, `${error}`);
  } finally {
    killed.kill();
  }
  await checkEnded(killed, -9);
  const terminated = await (async () => {
    await using process = make();
    process.start();
    await ready.get(bound);
    return process;
  })();
  await checkEnded(terminated, -15);
});

Deno.test("a child ends its own child, and the program has all of them at their end", async () => {
  for (const daemon of [false, true]) {
    const told = new Queue<string>(), over = new Event(), [here, there] = Pipe<never>();
    const process = new Process({
      target: async (
        told: Queue<string>,
        over: Event,
        there: Connection<never>,
        daemon: boolean,
      ) => {
        const child = new Process({
          target: (
            told: Queue<string>,
            over: Event,
            there: Connection<never>,
            daemon: boolean,
          ) => {
            new Process({
              target: async (told: Queue<string>, over: Event, _there: Connection<never>) => {
                await told.put("grandchild");
                await over.wait();
              },
              args: [told, over, there],
              by: "source",
              daemon,
            }).start();
            for (;;);
          },
          args: [told, over, there, daemon],
          by: "source",
        });
        child.start();
        await told.get();
        child.kill();
        const joined = await child.join();
        return [joined, child.exitCode, child.isAlive(), activeChildren().length];
      },
      args: [told, over, there, daemon],
      by: "source",
    });
    process.start();
    assert.deepEqual(await process.result(bound), [true, -9, false, 0]);
    await process.join(bound);
    assert.equal(process.exitCode, 0);
    // A daemon ends with who started it.
    if (!daemon) over.set();
    await assert.rejects(here.recv(bound), EOFError);
    assert.deepEqual(activeChildren(), []);
  }
});

Deno.test("a process can be ended while it starts children", async () => {
  const cases = [0, 3, 10, 40].map((ms, i) => async () => {
    const end: End = i % 2 ? "kill" : "terminate", done = new Queue<string>();
    const process = new Process({
      target: async (done: Queue<string>) => {
        for (;;) {
          const children = [1, 2].map(() =>
            new Process({
              target: (done: Queue<string>) => done.putSync("done"),
              args: [done],
              by: "source",
            })
          );
          done.putSync("starting");
          for (const child of children) child.start();
          for (const child of children) await child.join();
        }
      },
      args: [done],
      by: "source",
    });
    process.start();
    assert.equal(await done.get(bound), "starting");
    await sleep(ms);
    process[end]();
    await checkEnded(process, ends[end]);
    const after = new Process({ target: () => "as ever", by: "source" });
    after.start();
    assert.equal(await after.result(bound), "as ever");
  });
  await fewAtOnce(cases);
});

Deno.test("a process can be ended while it hands over ends of pipes", async () => {
  const cases = [0, 1, 5, 20].map((ms, i) => async () => {
    const end: End = i % 2 ? "kill" : "terminate";
    const [here, there] = Pipe<Connection<string>>();
    const process = new Process({
      target: async (there: Connection<Connection<string>>) => {
        for (;;) {
          const [one, other] = Pipe<string>();
          await there.send(other);
          await one.send("through it");
        }
      },
      args: [there],
      by: "source",
    });
    process.start();
    await here.poll(bound);
    await sleep(ms);
    process[end]();
    await checkEnded(process, ends[end]);
    let count = 0;
    for await (const connection of here) {
      const got: string[] = [];
      for await (const message of connection) got.push(message);
      assert.ok(got.length <= 1 && got.every((message) => message === "through it"), `${got}`);
      count++;
    }
    assert.ok(count > 0);
  });
  await fewAtOnce(cases);
});

// Whole programs

const programs: Record<string, [program: string, args: string[], flags: string[], out: string[]]> =
  {
    "a listener for a signal of the operating system kills a process": [
      "kill_on_signal.ts",
      [],
      ["--allow-run"],
      ["signal: SIGUSR1", "killed: -9"],
    ],
    "a FinalizationRegistry kills the process of an object that is gone": [
      "kill_at_collection.ts",
      [],
      ["--v8-flags=--expose-gc"],
      ["killed: -9"],
    ],
    "a process that computes and catches everything is killed, and the program ends": [
      "killed_catching.ts",
      [],
      [],
      ["killed: -9", "main done"],
    ],
  };
for (const [name, [program, args, flags, out]] of Object.entries(programs)) {
  Deno.test({
    name: `${name} ${needs}`,
    ignore: !granted,
    fn: async () => {
      assert.deepEqual(await run(program, args, flags), { code: 0, out, errors: "" });
    },
  });
}

const ended = ["true -15 false", "0"];
both(
  "a process in a sandbox that only the end of the program can stop has ended, and the program ends",
  "sandboxed_loop.ts",
  [],
  prints(0, ...ended, ...ended, ...ended, "main done"),
);
