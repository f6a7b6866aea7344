// A process attacks the program it runs in, in the way of the argument; the program checks that
// all its objects go on as before, and says so. The process has no permission ("none"), or none and a time
// limit ("limited"), or all ("all"): then the attacks that are refused to the others succeed.

import {
  type Connection,
  Lock,
  parentProcess,
  Pipe,
  Process,
  type ProcessOptions,
  Queue,
  sleep,
  TimeoutError,
} from "@multiproc/multiprocessing";

/** What the attacker knows, or can guess. */
export interface Known {
  /** Of a process that it has nothing to do with. */
  pid: number;
  /** A file that must not come to be. */
  file: string;
  /** A file that must not be read. */
  secret: string;
}

const BUS = "@multiproc/multiprocessing/1";

/** Values of all kinds that a message may hold. */
function oddities(): unknown[] {
  const cycle: Record<string, unknown> = { type: "look" };
  cycle.self = cycle;
  return [
    ...[null, undefined, 0, -1, NaN, 1n, "", "look", true, [], {}, new Map(), new Set([1])],
    ...[cycle, new Date(NaN), /x/, new Error("x"), new ArrayBuffer(8), new Int32Array(0)],
    ...[new Int32Array(new SharedArrayBuffer(4)), new Float64Array(new SharedArrayBuffer(64))],
    ...[new SharedArrayBuffer(0), { type: null }, { type: {} }, "x".repeat(1_000_000)],
    { __proto__: null, type: "find" },
  ];
}

/** Objects with every oddity in every property. */
function distorted(message: Record<string, unknown>): unknown[] {
  const all: unknown[] = [message];
  for (const key of Object.keys(message)) {
    for (const odd of oddities()) all.push({ ...message, [key]: odd });
    const { [key]: _, ...rest } = message;
    all.push(rest);
  }
  return all;
}

/** Somebody who is alive in the process table: whose words stand in the global scope. */
function ownRef(): unknown {
  return Reflect.get(globalThis, Symbol.for("@multiproc/multiprocessing/process-table")).self;
}

/** The ports that this library holds in this process, found by having it post. */
async function capturePorts(): Promise<Set<MessagePort>> {
  const ports = new Set<MessagePort>();
  const { MessageChannel: Channel, workerData } = await import("node:worker_threads");
  for (const value of Object.values(Object(workerData))) {
    if (typeof Object(value).postMessage === "function") ports.add(value as MessagePort);
  }
  const { port1 } = new Channel();
  for (const prototype of [MessagePort.prototype, Object.getPrototypeOf(port1)]) {
    const { postMessage } = prototype;
    prototype.postMessage = function (this: MessagePort, ...given: unknown[]) {
      ports.add(this);
      return postMessage.apply(this, given);
    };
  }
  port1.close();
  const child = new Process({ target: () => 1, by: "source" });
  child.start();
  await child.result();
  return ports;
}

/** The attacks; each runs in the sandbox, and ends. */
export const attacks: Record<string, (known: Known) => unknown> = {
  "forged announcements": async () => {
    const { BroadcastChannel } = await import("node:worker_threads");
    const channel = new BroadcastChannel(BUS);
    const ticket = new Int32Array(new SharedArrayBuffer(4));
    const serialized = { kind: "Queue", content: {}, ports: [], program: "x" };
    for (const odd of oddities()) channel.postMessage(odd);
    for (
      const message of [
        { type: "look" },
        { type: "find", id: "1", name: "wanted", ticket },
        { type: "here", id: "1", name: "wanted", serialized },
      ]
    ) {
      for (const one of distorted(message)) channel.postMessage(one);
    }
    for (const content of oddities()) {
      const forged = { kind: "Queue", content };
      channel.postMessage({ type: "here", id: "1", name: "wanted", serialized: forged });
    }
    await sleep(50);
    channel.close();
  },
  "forged answers to a search": async () => {
    const { BroadcastChannel } = await import("node:worker_threads");
    const channel = new BroadcastChannel(BUS);
    let heard = 0;
    channel.onmessage = (event: unknown) => {
      const { type, id, name } = Object((event as MessageEvent).data);
      if (type !== "find" || name !== "wanted") return;
      heard++;
      for (const kind of ["Queue", "Lock", "Connection", "nothing", "__proto__"]) {
        for (const content of oddities()) {
          channel.postMessage({ type: "here", id, name, serialized: { kind, content } });
        }
      }
    };
    for (let i = 0; i < 200 && heard === 0; i++) await sleep(10);
    await sleep(50);
    channel.close();
    return heard > 0;
  },
  "a flood of announcements": async () => {
    const { BroadcastChannel } = await import("node:worker_threads");
    const channel = new BroadcastChannel(BUS);
    for (let i = 0; i < 20_000; i++) channel.postMessage({ type: "look" });
    await sleep(50);
    channel.close();
  },
  "a message that nobody can read": async () => {
    const nest = (depth: number) => {
      let nested: object = {};
      while (depth-- > 0) nested = { nested };
      return nested;
    };
    // As deep as this process can write it: who reads it has less of the stack left.
    const { port1 } = new MessageChannel();
    let most = 100, tooMany = 20_000;
    while (tooMany - most > 1) {
      const depth = (most + tooMany) >> 1;
      try {
        port1.postMessage(nest(depth));
        most = depth;
      } catch {
        tooMany = depth;
      }
    }
    const channel = new BroadcastChannel(BUS);
    for (let depth = most - 100; depth < most; depth += 10) channel.postMessage(nest(depth));
    await sleep(200);
    channel.close();
  },
  "forged queues of a name that is wanted": async () => {
    const { BroadcastChannel } = await import("node:worker_threads");
    const channel = new BroadcastChannel(BUS);
    channel.onmessage = (event: unknown) => {
      const { type, id, name } = Object((event as MessageEvent).data);
      if (type !== "find") return;
      for (const forgery of [{ length: 1e9 }, new SharedArrayBuffer(8), null]) {
        const content = { ring: { header: forgery, records: forgery }, name };
        channel.postMessage({ type: "here", id, name, serialized: { kind: "Queue", content } });
      }
    };
    await sleep(1000);
    channel.close();
  },
  "listening for secrets": async () => {
    const { BroadcastChannel } = await import("node:worker_threads");
    const channel = new BroadcastChannel(BUS), heard: string[] = [];
    channel.onmessage = (event: unknown) => {
      heard.push(Deno.inspect((event as MessageEvent).data, { depth: 20, strAbbreviateSize: 1e6 }));
    };
    await sleep(400);
    channel.close();
    if (heard.some((text) => text.includes("secret"))) throw new Error("a secret was heard");
  },
  "guessing names": async ({ pid }) => {
    const guesses = [`${pid}`, "1", "2", "queue", "undefined", "", "Queue", "Queue-1", "secret"];
    for (const name of guesses) {
      try {
        await Queue.open(name, { timeout: 20 });
      } catch (error) {
        if (error instanceof TimeoutError || error instanceof TypeError) continue;
        throw error;
      }
      throw new Error(`"${name}" was opened`);
    }
  },
  "forged requests to stop": async ({ pid }) => {
    const ports = await capturePorts();
    for (const port of ports) {
      for (const odd of oddities()) port.postMessage(odd);
      for (const one of distorted({ type: "stop", pid })) port.postMessage(one);
      for (let i = 0; i < 1000; i++) port.postMessage({ type: "stop", pid: pid - 500 + i });
    }
    await sleep(50);
    return ports.size;
  },
  "forged requests to start": async ({ pid, file }) => {
    const ports = await capturePorts();
    const text = `Deno.writeTextFileSync(${JSON.stringify(file)}, "escaped");`;
    const words = new Int32Array(new SharedArrayBuffer(256));
    const child = () => ({
      identity: { name: "forged", pid: pid + 1000, lineage: [9], daemon: false },
      self: ownRef(),
      control: words,
      giveUp: [],
      memoryLimitMb: undefined,
      timeLimit: undefined,
    });
    const request = () => ({
      child: child(),
      owner: pid,
      exit: words,
      crashReport: new SharedArrayBuffer(8, { maxByteLength: 2 ** 16 }),
      main: `data:text/javascript,${encodeURIComponent(text)}`,
      grants: undefined as unknown,
    });
    for (const port of ports) {
      for (const grants of [undefined, "inherit", { write: true }, {}, null]) {
        const { port1 } = new MessageChannel();
        const forged = { type: "spawn", request: { ...request(), grants, port: port1 } };
        port.postMessage(forged, [port1]);
      }
      for (const one of distorted(request())) port.postMessage({ type: "spawn", request: one });
      for (const one of distorted(child())) {
        port.postMessage({ type: "spawn", request: { ...request(), child: one } });
      }
      for (const odd of oddities()) port.postMessage({ type: "spawn", request: odd });
    }
    await sleep(200);
    return ports.size;
  },
  "forged notes of nested processes": async ({ pid }) => {
    const ports = await capturePorts();
    for (const port of ports) {
      for (let index = 0; index < 40; index++) {
        for (const by of [pid, pid + 1, pid + 2]) {
          const control = new Int32Array(new SharedArrayBuffer(256));
          const nested = { pid, by, control, ref: { index, generation: 1 } };
          port.postMessage({ type: "nested", nested });
          if (index === 0) {
            for (const one of distorted(nested)) port.postMessage({ type: "nested", nested: one });
          }
        }
      }
    }
    await sleep(50);
    return ports.size;
  },
  "a forged result": async () => {
    const { MessageChannel: Channel } = await import("node:worker_threads");
    const { port1 } = new Channel();
    const content = { words: new Int32Array(new SharedArrayBuffer(4)) };
    const bytes = new Uint8Array([0, 27, 0, 0, 0, 0]); // the first of what is handed over
    const forgedMessage = { bytes, serialized: [{ kind: "Queue", content }], posted: [] };
    for (const prototype of [MessagePort.prototype, Object.getPrototypeOf(port1)]) {
      const { postMessage } = prototype;
      prototype.postMessage = function (this: MessagePort, ...[message]: unknown[]) {
        const [own] = message instanceof Map ? message.values() : [];
        const forged = own?.type === "returned"
          ? new Map([[0, { ...own, message: forgedMessage }]])
          : message;
        return postMessage.call(this, forged);
      };
    }
    port1.close();
  },
  "a result buffer that holds nothing": () => {
    const { store } = Atomics;
    Atomics.store = ((words: Int32Array, at: number, value: number) => {
      return store(words, at, value > 8 ? 2 ** 30 : value);
    }) as typeof store;
    return "a result";
  },
  "an error that is in itself, again and again": () => {
    let error = new AggregateError([], "x");
    for (let i = 0; i < 100; i++) error = new AggregateError([error, error], "x", { cause: error });
    error.errors.push(error);
    throw error;
  },
  "a result that is nothing": async () => {
    const { MessageChannel: Channel } = await import("node:worker_threads");
    const { port1 } = new Channel();
    for (const prototype of [MessagePort.prototype, Object.getPrototypeOf(port1)]) {
      const { postMessage } = prototype;
      prototype.postMessage = function (this: MessagePort) {
        for (const odd of oddities()) postMessage.call(this, odd);
      };
    }
    port1.close();
  },
  "writing into the control block of the starter": async () => {
    const { load } = Atomics, blocks = new Set<Int32Array>();
    Atomics.load = ((words: Int32Array, at: number) => {
      blocks.add(words);
      return load(words, at);
    }) as typeof load;
    parentProcess()?.isAlive();
    Atomics.load = load;
    // As whoever kills it would.
    for (const block of blocks) for (let at = 0; at < 7; at++) Atomics.store(block, at, 9);
    await sleep(50);
    return blocks.size;
  },
  "writing into its own control block, and not ending": () => {
    const control: Int32Array = Reflect.get(
      globalThis,
      Symbol.for("@multiproc/multiprocessing/control-block"),
    );
    // Its host sees to it that this has an end.
    for (;;) for (let at = 0; at < 10; at++) if (at < 3 || at > 4) Atomics.store(control, at, 0);
  },
  "asking to be ended, and not ending": () => {
    const control = Reflect.get(globalThis, Symbol.for("@multiproc/multiprocessing/control-block"));
    Atomics.store(control, 2, 1);
    for (;;);
  },
  "large views to the host and the starter": async () => {
    const view = new Uint8Array(new SharedArrayBuffer(2 ** 31));
    for (const port of await capturePorts()) port.postMessage(view);
    await sleep(50);
  },
  "a flood of notes of nested processes": async ({ pid }) => {
    const notes = Array.from({ length: 20_000 }, (_, i) => {
      const control = new Int32Array(new SharedArrayBuffer(256));
      return { type: "nested", nested: { pid: pid + 1000 + i, control } };
    });
    for (const port of await capturePorts()) for (const note of notes) port.postMessage(note);
    await sleep(50);
  },
  "closing the ports to the host and the starter": async () => {
    for (const port of await capturePorts()) port.close();
    await sleep(50);
  },
  "stealing Web Locks": async () => {
    const { locks } = await import("node:worker_threads");
    for (let round = 0; round < 5; round++) {
      const { held = [] } = await locks.query();
      for (const { name } of held) {
        await locks.request(name!, { steal: true }, () => {}).catch(() => {});
      }
      await sleep(10);
    }
  },
  "starting processes with more rights": async ({ secret }) => {
    const got = await startMore(secret, 2);
    if (got.some((outcome) => outcome === "the secret")) throw new Error(`escaped: ${got}`);
    return got;
  },
  "errors that nobody catches": async () => {
    setTimeout(() => {
      throw null;
    });
    Promise.reject(new Error("x"));
    const worker = new Worker("data:text/javascript,throw new Error('nested')", { type: "module" });
    reportError(new Error("reported"));
    await sleep(1500);
    worker.terminate();
  },
  "Deno.exit": () => Deno.exit(7),
  "close": () => globalThis.close(),
  "postMessage": () => {
    for (const odd of oddities()) Reflect.get(globalThis, "postMessage")(odd);
  },
};

/** The same by source; what they use is the globals and this package's exports. */
const attacksBySource: Record<string, () => unknown> = {
  "revoking the URL of the package's text": () => {
    try {
      return new Queue({ maxSize: -1 });
    } catch (error) {
      const [url] = /blob:null\/[\w-]+/.exec(`${(error as Error).stack}`) ?? [];
      if (url !== undefined) URL.revokeObjectURL(url);
      return url;
    }
  },
};

/** The names of all attacks. */
export const attackNames: string[] = [attacks, attacksBySource].flatMap(Object.keys);

/** Reads a file in processes of its own, which it starts with all kinds of permissions, and they. */
export async function startMore(file: string, depth: number): Promise<string[]> {
  const outcomes: string[] = [];
  const options: ProcessOptions["permissions"][] = ["inherit", { read: true }, { read: [file] }];
  for (const permissions of [...options, { read: "inherit" as const }]) {
    try {
      const process = new Process({
        target: (file: string) => Deno.readTextFileSync(file),
        args: [file],
        by: "source",
        permissions,
      });
      process.start();
      outcomes.push(await process.result());
    } catch (error) {
      outcomes.push(`${(error as Error).cause ?? error}`);
    }
  }
  if (depth > 1) {
    const process = new Process({ target: startMore, args: [file, depth - 1] });
    process.start();
    outcomes.push(...await process.result());
  }
  return outcomes;
}

/** Runs an attack. */
export async function attack(name: string, known: Known): Promise<unknown> {
  return await attacks[name](known);
}

/** Sends back what it receives, while it holds a lock now and then. */
export async function echo(connection: Connection<string>, lock: Lock) {
  for await (const message of connection) {
    using _held = await lock.hold();
    await connection.send(message);
  }
  return "echoed all";
}

const bound = { timeout: 5000 };

/** The kinds of process that attack. */
const kinds: Record<
  "none" | "limited" | "sealed" | "sealed, limited" | "all",
  Pick<ProcessOptions, "permissions" | "timeLimit" | "sealed">
> = {
  none: { permissions: "none", sealed: false },
  limited: { permissions: "none", timeLimit: 60_000, sealed: false },
  sealed: { permissions: "none" },
  "sealed, limited": { permissions: "none", timeLimit: 60_000 },
  all: { permissions: "inherit" },
};

if (import.meta.main) {
  const [name, file, secret, how] = Deno.args as [string, string, string, keyof typeof kinds];
  const [here, there] = Pipe<string>(), lock = new Lock(), queue = new Queue<string>();
  const canary = new Process({ target: echo, args: [there, lock] });
  canary.start();
  for (let i = 0; i < 10; i++) queue.putNowait(`secret ${i}`);
  await here.send("before");
  await here.recv(bound);
  const known = { pid: canary.pid!, file, secret };
  const options = kinds[how];
  const attacker = name in attacksBySource
    ? new Process({ target: attacksBySource[name], by: "source", ...options })
    : new Process({ target: attack, args: [name, known], ...options });
  attacker.start();
  const outcome = attacker.result({ timeout: 3000 }).then(
    (value) => `returned ${Deno.inspect(value)}`,
    (error) => `failed: ${error.message}`,
  );
  // What an attacker could listen to, answer or disturb.
  for (let i = 0; i < 20; i++) {
    await here.send(`secret ${i}`);
    if (await here.recv(bound) !== `secret ${i}`) throw new Error("the pipe is damaged");
    await queue.put(`secret ${i}`);
    await sleep(5);
  }
  const opened = await Queue.open("wanted", { timeout: 300 }).catch((error) => error.name);
  // The other one: when it hears nothing any more.
  if (opened !== "TimeoutError" && opened !== "InvalidStateError") {
    throw new Error(`a queue was forged: ${Deno.inspect(opened)}`);
  }
  console.log(`attack: ${await outcome}`);
  attacker.terminate();
  if (!await attacker.join(bound)) throw new Error("the attacker doesn't end");
  if (!canary.isAlive()) throw new Error(`the canary ended: ${canary.exitCode}`);
  for (let i = 0; i < 10; i++) {
    await here.send(`after ${i}`);
    if (await here.recv(bound) !== `after ${i}`) throw new Error("the pipe is damaged");
  }
  if (!await lock.acquire(bound)) throw new Error("the lock is stuck");
  lock.release();
  const items = await queue.getMany(100, bound);
  if (items.length !== 30) throw new Error(`${items.length} items are left`);
  const other = new Process({ target: () => "as ever", by: "source" });
  other.start();
  if (await other.result(bound) !== "as ever") throw new Error("a new process is damaged");
  here.close();
  if (await canary.result(bound) !== "echoed all") throw new Error("the canary is damaged");
  console.log("fine");
  // What a free process has forged may live on.
  if (how === "all") Deno.exit();
}
