// The objects that a process shares with others before it is ended, and checks that the others can go on using them.

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
  JoinableQueue,
  Lock,
  Pipe,
  type Process,
  type ProcessOptions,
  Queue,
  RLock,
  Semaphore,
  Value,
} from "../../mod.ts";

/** Who waits longer than this for what must come soon, has found a bug. */
export const bound = { timeout: 20_000 };

/** So many processes at a time. */
export const AT_ONCE = 4;

export const ends = { terminate: -15, kill: -9 } as const;
export type End = keyof typeof ends;

export type Kind = Pick<ProcessOptions, "permissions" | "memoryLimitMb" | "timeLimit">;

/** The kinds of process, by what they are given besides a target. */
export const kinds: Record<string, Kind> = {
  "a thread": {},
  "a sandbox": { permissions: "none" },
};

/** Kinds that differ from those only in how they are stopped: they are in few states. */
export const limitedKinds: Record<string, Kind> = {
  "a thread with limited memory": { memoryLimitMb: 200 },
  "a thread in a sandbox": { permissions: "none", timeLimit: 60_000 },
};
export const fewStates = ["getSync", "a loop", "a loop of microtasks", "a loop of put and get"];

/** What a process and its starter share. */
export interface Things {
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
export function makeThings(): {
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
export async function passesItems(queue: Queue<number>): Promise<void> {
  const items = Array.from({ length: 100 }, (_, i) => i), got: number[] = [];
  const getting = (async () => {
    while (got.length < items.length) got.push(await queue.get(bound));
  })();
  for (const item of items) await queue.put(item, bound);
  await getting;
  assert.deepEqual(got, items);
}

/** Something can be acquired, after at most one error that says that its holder has ended. */
export async function canBeTaken(what: Lock | RLock | Semaphore | Condition): Promise<void> {
  try {
    assert.equal(await what.acquire(bound), true);
  } catch (error) {
    assert.ok(error instanceof AbandonedLockError, `${error}`);
    assert.equal(await what.acquire(bound), true);
  }
  what.release();
}

/** What a process that has ended had can be used by others. */
export async function checkUsable({ things, toInbox, atOutbox }: ReturnType<typeof makeThings>) {
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
export async function checkEnded<A extends unknown[]>(
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
export async function fewAtOnce(all: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...all];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
