// The description of an implementation for the contract of queues, and the helpers that its tests share.

import assert from "node:assert/strict";
import type {
  AsyncJoinableQueue,
  AsyncQueue,
  BasicQueue,
  BatchQueue,
  BlockingQueue,
  WaitOptions,
} from "../../../mod.ts";
import { QueueEmpty } from "../../../mod.ts";

/** What not every queue can do. One that can't has none of the members, which is tested as well. */
export interface Capabilities {
  /** It is an AsyncQueue: it has looks, a shutdown, loops and streams. */
  readonly asyncQueue: boolean;
  /** It is a BatchQueue. */
  readonly batches: boolean;
  /** It is a BlockingQueue. */
  readonly blocking: boolean;
  /** It is an AsyncJoinableQueue. */
  readonly joinable: boolean;
  /** This process can end its use of it: `closed`, `close()` and `using`. */
  readonly closable: boolean;
  /** `maxSize` can be set. */
  readonly resizable: boolean;
  /** What doesn't wait answers at once, and not by a promise. */
  readonly synchronous: boolean;
  /** Items are copied; else `get` gives the object that was put. */
  readonly copies: boolean;
  /** It can be given to a process. */
  readonly processes: boolean;
  /** What was got and isn't reported done comes back when its process ends. */
  readonly leases: boolean;
  /** wait() takes it. */
  readonly waitable: boolean;
}

/** The members that a capability stands for. */
export const members: Partial<Record<keyof Capabilities, readonly PropertyKey[]>> = {
  asyncQueue: [
    ...["maxSize", "qsize", "full", "shutdown", "readable", "writable"],
    Symbol.asyncIterator,
  ],
  batches: ["putMany", "putManyNowait", "getMany", "getManyNowait"],
  blocking: ["putSync", "getSync"],
  joinable: ["unfinished", "taskDone", "join"],
  closable: ["closed", "close", Symbol.dispose],
};

/** A queue as the tests use it; what it can't do they don't use. */
export type Tested<T> =
  & Omit<AsyncJoinableQueue<T>, "maxSize">
  & BatchQueue<T>
  & BlockingQueue<T>
  & Disposable
  & {
    maxSize: number;
    readonly closed: boolean;
    close(): void;
    putManySync(items: Iterable<T>, options?: WaitOptions): void;
    getManySync(max: number, options?: WaitOptions): T[];
    joinSync(options?: WaitOptions): boolean;
  };

/** How a queue is bounded; and for one that gives the smallest item first, what is smaller. */
export interface MakeOptions {
  maxSize?: number;
  /** Items are any values, not numbers alone. */
  any?: boolean;
}

/** An implementation of a queue. */
export interface Implementation {
  /** As in the names of the tests. */
  readonly name: string;
  /** Its class, as it is printed. */
  readonly className: string;
  /** Which item is the next: the oldest, the newest or the smallest. */
  readonly order: "oldest" | "newest" | "smallest";
  readonly can: Capabilities;
  /** Makes one. */
  make(options?: MakeOptions): BasicQueue<unknown>;
  /** The module of the targets that take one; contract_targets.ts by default. */
  readonly module?: string;
  /** Called after each test. */
  after?(): Promise<void>;
}

/** Numbers in the order in which a queue gives them that were put into it as they are here. */
export function inOrder({ order }: Implementation, items: readonly number[]): number[] {
  if (order === "smallest") return items.toSorted((a, b) => a - b);
  return order === "newest" ? items.toReversed() : [...items];
}

/** What the tests of the contract are registered with. */
export interface Contract {
  readonly implementation: Implementation;
  readonly can: Capabilities;
  /** Makes a queue, which is closed after the test. */
  make<T = number>(options?: MakeOptions): Tested<T>;
  /** Registers a test, or says which capability keeps it from being one. */
  test(name: string, body: () => void | Promise<void>): void;
}

/** Who waits longer than this for what must come has found a bug. */
export const bound = { timeout: 20_000 };

/** A turn of the event loop: whatever could go on has gone on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Turns of the event loop until something is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + bound.timeout;
  while (!await isSo()) {
    assert.ok(performance.now() < end, `it never came to this: ${what}`);
    await turn();
  }
}

/** Returns when so many tasks wait at a queue. */
export async function waiting(
  { can }: Contract,
  queue: Pick<AsyncQueue<unknown>, "statistics">,
  wanted: { toGet?: number; toPut?: number },
): Promise<void> {
  // A queue without statistics lies in memory: whoever waits there waits when the call returns.
  if (!can.asyncQueue) return;
  await until(`${JSON.stringify(wanted)} wait`, async () => {
    const { waitingToGet, waitingToPut } = await queue.statistics();
    return waitingToGet === (wanted.toGet ?? 0) && waitingToPut === (wanted.toPut ?? 0);
  });
}

/** All that can be got now. */
export async function drain<T>(queue: Tested<T>): Promise<T[]> {
  const items: T[] = [];
  for (;;) {
    try {
      items.push(await queue.getNowait());
    } catch (error) {
      if (error instanceof QueueEmpty) return items;
      throw error;
    }
  }
}

export type ErrorClass = abstract new (...args: never[]) => Error;

/** A test that an error is of this class, in sentences that say what is wrong and what to do. */
export function says(errorClass: ErrorClass, ...patterns: RegExp[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof errorClass, `not a ${errorClass.name}: ${error}`);
    for (const pattern of patterns) assert.match(error.message, pattern);
    assert.match(error.message, /^[^]+[.] [A-Z][^]+[.]$/, "a sentence, and what to do");
    return true;
  };
}

/** Whether it is the very same: for reasons of aborts that are no errors. */
export function is(reason: unknown): (error: unknown) => true {
  return (error) => {
    assert.equal(error, reason);
    return true;
  };
}

/** One of the forms of a method. */
export interface Face {
  readonly name: string;
  /** Whether it can wait, and so takes a timeout. */
  readonly waits: boolean;
  /** Whether it takes a signal: one that blocks doesn't. */
  readonly takesSignal: boolean;
  readonly isMany: boolean;
  call(queue: Tested<unknown>, options?: WaitOptions): unknown;
}

function facesOf(
  { can }: Contract,
  all: Record<string, (queue: Tested<unknown>, options?: WaitOptions) => unknown>,
): Face[] {
  return Object.entries(all)
    .filter(([name]) => can.blocking || !name.endsWith("Sync"))
    .filter(([name]) => can.batches || !name.includes("Many"))
    .map(([name, call]) => ({
      name,
      waits: !name.endsWith("Nowait"),
      takesSignal: !/Sync|Nowait/.test(name),
      isMany: name.includes("Many"),
      call,
    }));
}

/** All forms in which a queue takes an item. */
export function putsOf(contract: Contract, item: unknown): Face[] {
  return facesOf(contract, {
    put: (queue, options) => queue.put(item, options),
    putNowait: (queue) => queue.putNowait(item),
    putSync: (queue, options) => queue.putSync(item, options),
    putMany: (queue, options) => queue.putMany([item], options),
    putManyNowait: (queue) => queue.putManyNowait([item]),
    putManySync: (queue, options) => queue.putManySync([item], options),
  });
}

/** All forms in which a queue gives an item. */
export function getsOf(contract: Contract): Face[] {
  return facesOf(contract, {
    get: (queue, options) => queue.get(options),
    getNowait: (queue) => queue.getNowait(),
    getSync: (queue, options) => queue.getSync(options),
    getMany: (queue, options) => queue.getMany(2, options),
    getManyNowait: (queue) => queue.getManyNowait(2),
    getManySync: (queue, options) => queue.getManySync(2, options),
  });
}

/** All forms of join. */
export function joinsOf(contract: Contract): Face[] {
  if (!contract.can.joinable) return [];
  return facesOf(contract, {
    join: (queue, options) => queue.join(options),
    joinSync: (queue, options) => queue.joinSync(options),
  });
}

/**
 * Checks that a call fails as its form does: what may wait, or is far away, by a promise that rejects; all
 * else at the call.
 */
export async function fails(
  { can }: Contract,
  { name, takesSignal }: Pick<Face, "name" | "takesSignal">,
  call: () => unknown,
  check: ErrorClass | ((error: unknown) => true),
): Promise<void> {
  if (!takesSignal && (can.synchronous || name.endsWith("Sync"))) {
    return assert.throws(call, check, name);
  }
  const answer = call();
  assert.ok(answer instanceof Promise, `${name} returns a promise`);
  await assert.rejects(answer, check, name);
}

/** What the compiler would refuse, too. */
// deno-lint-ignore no-explicit-any -- it has to pass for every type
export function wrong(value: unknown): any {
  return value;
}
