// Targets of the tests of processes; the same terms as in queue_targets.ts. A function
// here that starts a process of its own does so by source, or runs itself: by source it has no
// other function of this module.

import {
  activeChildren,
  type Connection,
  currentProcess,
  JoinableQueue,
  parentProcess,
  Pipe,
  Process,
  Queue,
  QueueEmpty,
  wait,
  waitSync,
} from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** Gives back what it is given. */
export function give<T>(value: T): T {
  return value;
}

/** The same, later. */
export async function giveLater<T>(value: T): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return value;
}

/** Who a process is, as it sees itself and its parent. */
export interface Self {
  name: string;
  pid: number | undefined;
  daemon: boolean;
  alive: boolean;
  parent: { name: string; pid: number | undefined; daemon: boolean; alive: boolean } | null;
  children: number;
}

/** Tells who it is. */
export function tellSelf(): Self {
  const { name, pid, daemon } = currentProcess();
  const parent = parentProcess();
  return {
    name,
    pid,
    daemon,
    alive: currentProcess().isAlive(),
    parent: parent &&
      { name: parent.name, pid: parent.pid, daemon: parent.daemon, alive: parent.isAlive() },
    children: activeChildren().length,
  };
}

/** Starts itself in a child, which does the same, `depth` times; tells who they all are. */
export async function tellLine(depth: number): Promise<Omit<Self, "alive" | "children">[]> {
  const { name, pid, daemon } = currentProcess();
  const parent = parentProcess();
  const own = {
    name,
    pid,
    daemon,
    parent: parent &&
      { name: parent.name, pid: parent.pid, daemon: parent.daemon, alive: parent.isAlive() },
  };
  if (depth === 0) return [own];
  const child: Process<[number], Omit<Self, "alive" | "children">[]> = new Process({
    target: tellLine,
    args: [depth - 1],
  });
  child.start();
  return [own, ...await child.result()];
}

/** Starts `count` children one after the other; their names, and whether each was active. */
export async function nameChildren(count: number): Promise<[string, boolean][]> {
  const named: [string, boolean][] = [];
  for (let i = 0; i < count; i++) {
    const child = new Process({ target: function nothing() {}, by: "source" });
    child.start();
    const active = activeChildren().includes(child);
    await child.join();
    named.push([child.name, active && !activeChildren().includes(child)]);
  }
  return named;
}

/** Ends by itself, with a code. */
export function exitWith(code: number): never {
  Deno.exit(code);
}

/** Ends by itself, with a code, while it waits for something else. */
export async function exitFromTimer(code: number): Promise<void> {
  setTimeout(() => Deno.exit(code), 1);
  await new Promise(() => setInterval(() => {}, 1000));
}

/** Sets the code and returns. */
export function returnWithExitCode(code: number): string {
  Deno.exitCode = code;
  return "returned";
}

/** Throws an error of a class of its own, with a cause that has a cause. */
export function failWithCauses(): never {
  class OutOfPaper extends Error {
    override name = "OutOfPaper";
    tray = 3;
  }
  throw new OutOfPaper("no paper", {
    cause: new RangeError("tray is empty", { cause: new Map([["sheets", 0]]) }),
  });
}

/** The same from a class that says nothing of its name. */
export function failWithPlainClass(): never {
  class Jam extends TypeError {}
  throw new Jam("it is stuck");
}

/** Fails as none of several things succeeds. */
export async function failOfAll(): Promise<void> {
  await Promise.any([
    Promise.reject(new RangeError("one")),
    Promise.reject(new TypeError("other")),
  ]);
}

/** Throws what isn't an error. */
export function throwValue(value: unknown): never {
  throw value;
}

/** Fails as the package does. */
export function failEmpty(): never {
  new Queue<string>().getNowait();
  throw new Error("the queue had something");
}

/** Throws the package's own error with words of its own. */
export function failWithQueueEmpty(message: string): never {
  throw new QueueEmpty(message);
}

/** Fails as its child does. */
export async function failAsChild(): Promise<void> {
  const child = new Process({
    target: function inner() {
      throw new RangeError("too deep");
    },
    by: "source",
  });
  child.start();
  await child.result();
}

/** Fails after it has returned to the event loop, in nobody's promise. */
export async function failUnhandled(): Promise<void> {
  Promise.reject(new RangeError("nobody looks"));
  await new Promise(() => setInterval(() => {}, 1000));
}

/** Fails in a timer. */
export async function failInTimer(): Promise<void> {
  setTimeout(() => {
    throw new RangeError("late");
  }, 1);
  await new Promise(() => setInterval(() => {}, 1000));
}

/** Handles a rejection that nobody else does, as Deno lets it, and goes on. */
export async function handleRejection(): Promise<string> {
  const handled = new Promise<string>((resolve) => {
    globalThis.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      resolve(`handled: ${event.reason.message}`);
    });
  });
  Promise.reject(new RangeError("nobody looks"));
  return await handled;
}

/** The ways not to end by oneself. */
export type Stuck =
  | "in a synchronous loop"
  | "awaiting"
  | "in getSync"
  | "in join"
  | "in joinSync";

/**
 * Says "ready" and doesn't end by itself. `empty` stays empty. Where it has a child,
 * that one ends when `empty` is shut down, and says "ended".
 */
export async function getStuck(
  way: Stuck,
  ready: Queue<string>,
  empty: Queue<string>,
): Promise<void> {
  const startChild = () => {
    const child = new Process({
      target: async function waitForShutdown(queue: Queue<string>, ready: Queue<string>) {
        await ready.put("child ready");
        for await (const _ of queue);
        await ready.put("child ended");
      },
      args: [empty, ready],
      by: "source",
    });
    child.start();
    return child;
  };
  switch (way) {
    case "in a synchronous loop":
      ready.putSync("ready");
      for (;;);
    case "awaiting":
      setInterval(() => {}, 1000);
      await ready.put("ready");
      return await new Promise(() => {});
    case "in getSync":
      ready.putSync("ready");
      empty.getSync();
      return;
    case "in join": {
      const child = startChild();
      await ready.put("ready");
      await child.join();
      return;
    }
    case "in joinSync": {
      const child = startChild();
      ready.putSync("ready");
      child.joinSync();
      return;
    }
  }
}

/** Says "ready", gets one item and returns it. */
export async function takeOne(ready: Queue<string>, queue: Queue<string>): Promise<string> {
  await ready.put("ready");
  return await queue.get();
}

/** A container with queues in all places. */
export interface Nested {
  array: Queue<string>[];
  map: Map<string, Queue<string>>;
  set: Set<Queue<string>>;
  deep: { list: { queue: Queue<string> }[] };
  itself?: Nested;
}

/** Puts to each place's queue the name of the place; which places hold the very same queue. */
export function useNested(nested: Nested, again: Queue<string>, key: Map<Queue<string>, string>) {
  const places: [string, Queue<string>][] = [
    ["array", nested.array[0]],
    ["map", nested.map.get("queue")!],
    ["set", [...nested.set][0]],
    ["deep", nested.deep.list[0].queue],
    ["key", [...key.keys()][0]],
    ["args", again],
  ];
  for (const [place, queue] of places) queue.putNowait(place);
  return {
    allQueues: places.every(([, queue]) => queue instanceof Queue),
    allOne: places.every(([, queue]) => queue === again),
    cycle: nested.itself === nested,
  };
}

/** Does one item of a joinable queue, and tells what it was given. */
export async function doOne(queue: JoinableQueue<string>): Promise<string> {
  const item = await queue.get();
  queue.taskDone();
  return `${item} from a ${queue instanceof JoinableQueue ? "JoinableQueue" : "Queue"}`;
}

/** Makes a queue with something in it and returns it in a Map, twice. */
export function makeQueue(...items: string[]): Map<string, Queue<string>> {
  const queue = new Queue<string>({ maxSize: 5 });
  queue.putManyNowait(items);
  return new Map([["one", queue], ["other", queue]]);
}

/** What it was given, from a child of its own. */
export async function giveThroughChild<T>(value: T): Promise<T> {
  const child = new Process({
    target: function give(value: T) {
      return value;
    },
    args: [value],
    by: "source",
  });
  child.start();
  return await child.result();
}

/** The same, blocking. */
export function giveThroughChildSync<T>(value: T): T {
  const child = new Process({
    target: function give(value: T) {
      return value;
    },
    args: [value],
    by: "source",
  });
  child.start();
  return child.resultSync();
}

/** Starts a child that loops for ever, terminates it, and tells how it ended. */
export async function terminateChild(blocking: boolean): Promise<[boolean, number | null]> {
  const ready = new Queue<string>();
  const child = new Process({
    target: function spin(ready: Queue<string>) {
      ready.putSync("ready");
      for (;;);
    },
    args: [ready],
    by: "source",
  });
  child.start();
  if (blocking) {
    ready.getSync();
    child.terminate();
    return [child.joinSync(), child.exitCode];
  }
  await ready.get();
  child.terminate();
  return [await child.join(), child.exitCode];
}

/** Starts a child of its own that ends when `queue` is shut down, and returns without it. */
export function leaveChildBehind(ready: Queue<string>, queue: Queue<string>) {
  const child = new Process({
    target: async function waitForShutdown(ready: Queue<string>, queue: Queue<string>) {
      await ready.put("child ready");
      for await (const _ of queue);
      await ready.put("child ended");
    },
    args: [ready, queue],
    by: "source",
  });
  child.start();
  return "returned";
}

/** A process with a run(): adds what it was made with. */
export class Adder extends Process<[], number> {
  left: number;
  right: number;
  /** Told by run() to the child's own object only. */
  touched = false;
  constructor(left: number, right: number, name?: string) {
    super({ module: import.meta.url, ...(name === undefined ? {} : { name }) });
    this.left = left;
    this.right = right;
  }
  override run(): number {
    this.touched = true;
    return this.sum();
  }
  sum(): number {
    return this.left + this.right;
  }
}

/** A process with a run() that gets its queue as a field, and says who it is. */
export class Announcer extends Process<[], Promise<string>> {
  readonly queue: Queue<string>;
  constructor(queue: Queue<string>) {
    super({ name: "the announcer", module: import.meta.url });
    this.queue = queue;
  }
  override async run(): Promise<string> {
    await this.queue.put(`${this.name}, ${this.pid}, ${this.daemon}`);
    return currentProcess() === this ? "current" : "another";
  }
}

/** How a child waits for its parent. */
export type Watch = "join" | "joinSync" | "wait" | "waitSync";

/** How a parent ends, or what it does until it is killed. */
export type Watched = "exit" | "rest" | "spin";

/**
 * The parent starts itself in children that watch it, and when all do, ends or waits to be killed. A
 * child says how its parent is before it waits for that to end, and after.
 */
export async function watch(
  said: Queue<string>,
  watching: Queue<string>,
  role: Watch | Watched,
): Promise<void> {
  if (role === "exit" || role === "rest" || role === "spin") {
    for (const face of ["join", "joinSync", "wait", "waitSync"] as const) {
      const args: [Queue<string>, Queue<string>, Watch] = [said, watching, face];
      new Process({ target: watch, args }).start();
      // One after the other: main starts each at once, so none runs in the worker of this process.
      await watching.get();
    }
    await said.put("all are watching");
    if (role === "exit") Deno.exit(0);
    if (role === "rest") await new Promise((resolve) => setTimeout(resolve, 1e6));
    for (;;);
  }
  const parent = parentProcess()!;
  const state = () => `${parent.name} ${parent.isAlive() ? "lives" : "has ended"}`;
  const before = `${state()}, ${await parent.join({ timeout: 1 })}, ${parent.exitCode}`;
  await watching.put(role);
  if (role === "join") await parent.join();
  else if (role === "joinSync") parent.joinSync();
  else if (role === "wait") await wait([parent]);
  else waitSync([parent]);
  await said.put(`${role}: ${before}; ${state()}, ${parent.joinSync()}`);
}

/** How this process and its parent are printed, and what they say to what can't be done with them. */
export async function printSelf(): Promise<Record<string, unknown>> {
  const me = currentProcess(), parent = parentProcess()!;
  const errors: string[] = [];
  for (const object of [me, parent]) {
    try {
      new Queue<unknown>().putNowait({ object });
    } catch (error) {
      errors.push(String(error));
    }
  }
  const joined = await parent.join({ timeout: 0 });
  const refused = await parent.join({ timeout: -1 }).catch((error: Error) => error.name);
  return {
    me: Deno.inspect(me),
    parent: Deno.inspect([parent]),
    exitCodes: [me.exitCode, parent.exitCode],
    same: [me === currentProcess(), parent === parentProcess()],
    errors,
    joined,
    refused,
  };
}

/** A process that looks at itself in its run(). */
export class Introvert extends Process<[], Promise<Record<string, unknown>>> {
  constructor() {
    super({ module: import.meta.url });
  }
  override async run(): Promise<Record<string, unknown>> {
    const refusals: string[] = [];
    const calls = [
      () => this.start(),
      () => this.join(),
      () => this.joinSync(),
      () => this.result(),
      () => this.terminate(),
      () => this.kill(),
      () => this.close(),
      () => this.daemon = true,
    ];
    for (const call of calls) {
      try {
        await call();
        refusals.push("done");
      } catch (error) {
        refusals.push((error as Error).message);
      }
    }
    const { exitCode, daemon } = this;
    return { printed: Deno.inspect(this), alive: this.isAlive(), exitCode, daemon, refusals };
  }
}

/** As a subclass in Python's documentation: one end of its pipe goes with it, the other one stays. */
export class UpperCaser extends Process<[], Promise<void>> {
  readonly end: Connection<string>;
  readonly #other: Connection<string>;
  constructor() {
    super({ module: import.meta.url });
    [this.end, this.#other] = Pipe<string>();
  }
  override async run(): Promise<void> {
    for await (const text of this.end) await this.end.send(text.toUpperCase());
  }
  async submit(text: string): Promise<string> {
    await this.#other.send(text);
    return await this.#other.recv();
  }
  stop(): void {
    this.#other.close();
  }
}
