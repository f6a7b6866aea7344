// Targets of the tests of locks, semaphores, events, conditions and barriers, by
// reference or by source: see queue_targets.ts.

import {
  AbandonedLockError,
  type Barrier,
  BoundedSemaphore,
  type Condition,
  type Connection,
  currentProcess,
  type Event,
  type Lock,
  type Queue,
  type RLock,
  type Semaphore,
} from "../../../mod.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

/** What is acquired and released. */
export type Acquirable = Lock | RLock | Semaphore | Condition;

/** Async or blocking. */
export type Face = "async" | "sync";

/** How a process ends, or that it doesn't. */
export type Ending = "return" | "throw" | "exit" | "wait" | "spin";

// Locks

/** Acquires it, says so, and ends without releasing it. */
export async function hold(what: Acquirable, said: Queue<string>, ending: Ending, times: number) {
  for (let i = 0; i < times; i++) await what.acquire();
  await said.put("held");
  if (ending === "throw") throw new Error("as it was told");
  if (ending === "exit") Deno.exit(3);
  if (ending === "wait") await new Promise(() => setInterval(() => {}, 1000));
  while (ending === "spin");
}

/** Holds it until it is told to release it. */
export async function holdUntil(what: Acquirable, connection: Connection<string>) {
  await what.acquire();
  await connection.send("held");
  await connection.recv();
  what.release();
  await connection.send("released");
}

/** Says that it is about to wait; returns what came of it: the name and message of an error, or "acquired". */
export async function acquire(what: Acquirable, said: Queue<string>, face: Face) {
  await said.put("waits");
  try {
    if (face === "async") await what.acquire();
    else what.acquireSync();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  what.release();
  return "acquired";
}

/** Whether it can be acquired now; it is released again. */
export function acquireNow(what: Acquirable): boolean {
  if (!what.tryAcquire()) return false;
  what.release();
  return true;
}

/** Adds to a number that isn't atomic, with one of the faces or with them in turn. */
export async function increment(
  what: Acquirable,
  number: Float64Array,
  times: number,
  face: Face | "mixed",
) {
  for (let i = 0; i < times; i++) {
    const async = face === "async" || face === "mixed" && i % 3 === 0;
    if (async) await what.acquire();
    else if (face === "sync" || i % 3 === 1) what.acquireSync();
    else if (!what.tryAcquire()) {
      using _held = await what.hold();
      number[0] = number[0] + 1;
      continue;
    }
    number[0] = number[0] + 1;
    what.release();
  }
}

/** Calls a method; returns the name and message of its error. */
export async function tryTo(
  method: "release" | "wait" | "notify" | "tryAcquire",
  object: Acquirable,
) {
  try {
    await (object as unknown as Record<string, () => unknown>)[method]();
    return "it did";
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

/** Acquires and releases in a tight loop while words[0] is 0; returns how often it did. */
export async function compete(what: Acquirable, words: Int32Array, face: Face) {
  let count = 0;
  Atomics.add(words, 1, 1);
  while (Atomics.load(words, 2) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  while (Atomics.load(words, 0) === 0) {
    if (face === "async") await what.acquire();
    else what.acquireSync();
    count++;
    what.release();
  }
  return count;
}

/** Takes part, one after the other, in holding up to a number of permits; returns the most there were. */
export async function share(permits: Semaphore, inside: Int32Array, times: number) {
  let most = 0;
  for (let i = 0; i < times; i++) {
    await permits.acquire();
    most = Math.max(most, Atomics.add(inside, 0, 1) + 1);
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.sub(inside, 0, 1);
    permits.release();
  }
  return most;
}

/** Acquires so many permits, one after the other, and returns. */
export async function consumePermits(permits: Semaphore, count: number) {
  for (let i = 0; i < count; i++) await permits.acquire();
}

// Events

/** Says that it waits; returns whether the flag went up. */
export async function awaitEvent(event: Event, waiting: Semaphore, face: Face) {
  waiting.release();
  return face === "async" ? await event.wait() : event.waitSync();
}

/** Answers each event of one kind with one of the other. */
export async function pingPong(mine: Event, other: Event, times: number, face: Face) {
  for (let i = 0; i < times; i++) {
    if (face === "async") await mine.wait();
    else mine.waitSync();
    mine.clear();
    other.set();
  }
}

// Conditions

/** Waits to be notified, and says when it waits and when it goes on. */
export async function awaitCondition(condition: Condition, said: Queue<string>, face: Face) {
  await condition.acquire();
  await said.put("waits");
  if (face === "async") await condition.wait();
  else condition.waitSync();
  await said.put(currentProcess().name);
  condition.release();
}

/** Hands over to the next of `parties`, round and round. */
export async function handOn(
  condition: Condition,
  turn: Int32Array,
  me: number,
  parties: number,
  times: number,
  face: Face,
) {
  using _held = await condition.hold();
  for (let i = 0; i < times; i++) {
    if (face === "async") await condition.waitFor(() => turn[0] === me);
    else condition.waitForSync(() => turn[0] === me);
    turn[0] = (me + 1) % parties;
    turn[1] = turn[1] + 1;
    if (parties === 2) condition.notify();
    else condition.notifyAll();
  }
}

/** Waits, and releases the lock, which it must hold then; returns the error that came of the wait. */
export async function awaitInVain(condition: Condition, said: Queue<string>, face: Face) {
  await condition.acquire();
  await said.put("waits");
  let message = "";
  try {
    if (face === "async") await condition.wait();
    else condition.waitSync();
  } catch (error) {
    message = `${(error as Error).name}: ${(error as Error).message}`;
  }
  condition.release();
  return message;
}

/** Notifies so many, and keeps the lock for ever. */
export async function notifyAndKeep(condition: Condition, said: Queue<string>, count: number) {
  await condition.acquire();
  condition.notify(count);
  await said.put("held");
  while (true);
}

/** Waits for an item, and dies with the lock instead of taking it. */
export async function keepOnceNotified(
  condition: Condition,
  items: Int32Array,
  said: Queue<string>,
  face: Face,
) {
  await condition.acquire();
  await said.put("waits");
  if (face === "async") await condition.waitFor(() => items[0] > 0);
  else condition.waitForSync(() => items[0] > 0);
  await said.put("has it");
  while (true);
}

/** Waits for an item; returns how the wait ended, and how many items there were. */
export async function takeItem(
  condition: Condition,
  items: Int32Array,
  said: Queue<string>,
  face: Face,
) {
  await condition.acquire();
  await said.put("waits");
  let how = "notified";
  try {
    if (face === "async") await condition.waitFor(() => items[0] > 0);
    else condition.waitForSync(() => items[0] > 0);
  } catch (error) {
    how = (error as Error).name;
  }
  how += `, ${items[0]} left`;
  condition.release();
  return how;
}

// Barriers

/** Waits so many rounds; returns its indexes. */
export async function rounds(barrier: Barrier, times: number, face: Face) {
  const indexes: number[] = [];
  for (let i = 0; i < times; i++) {
    indexes.push(face === "async" ? await barrier.wait() : barrier.waitSync());
  }
  return indexes;
}

/** Waits round after round, for ever; says when it has taken part. */
export async function circle(barrier: Barrier, up: Semaphore, face: Face) {
  await barrier.wait();
  up.release();
  for (;;) {
    if (face === "async") await barrier.wait();
    else barrier.waitSync();
  }
}

/** Waits so many rounds, and checks in each that all have done their part of the one before. */
export async function lockstep(barrier: Barrier, steps: Int32Array, me: number, times: number) {
  for (let i = 1; i <= times; i++) {
    steps[me] = i;
    const index = (i + me) % 2 ? await barrier.wait() : barrier.waitSync();
    if (index < 0 || index >= barrier.parties) throw new Error(`index ${index}`);
    for (let other = 0; other < barrier.parties; other++) {
      if (Atomics.load(steps, other) < i) throw new Error(`${other} is late in round ${i}`);
    }
    if (me % 3 === 0) await barrier.wait();
    else barrier.waitSync();
  }
}

/** Waits once, and says what came of it. */
export async function meet(barrier: Barrier, said: Queue<string>, face: Face) {
  try {
    const index = face === "async" ? await barrier.wait() : barrier.waitSync();
    await said.put(`passed ${index >= 0}`);
  } catch (error) {
    await said.put(`${(error as Error).name}: ${(error as Error).message}`);
  }
}

/** Waits once, and then ends, or goes on. */
export async function meetOnce(barrier: Barrier, said: Queue<string>, ending: Ending) {
  await barrier.wait();
  await said.put("met");
  if (ending === "throw") throw new Error("as it was told");
  if (ending === "exit") Deno.exit(3);
  if (ending === "wait") await new Promise(() => setInterval(() => {}, 1000));
}

/** Begins to wait, and returns. */
export async function arriveAndReturn(barrier: Barrier, said: Queue<string>) {
  barrier.wait().catch(() => {});
  await said.put("arrived");
}

// Several

/** All kinds, at some depth. */
export interface Kit {
  lock: Lock;
  list: [RLock, Map<string, Semaphore>];
  event: Event;
  condition: Condition;
  barrier: Barrier;
  again: Lock;
}

/** Changes the state of each; returns what it found. */
export function use(kit: Kit) {
  const { lock, list: [rlock, map], event, condition, barrier } = kit;
  const semaphore = map.get("semaphore")!;
  const found = [lock.locked, rlock.locked, semaphore.value, event.isSet(), barrier.parties];
  lock.acquireSync();
  rlock.acquireSync();
  semaphore.release();
  event.set();
  condition.acquireSync();
  condition.release();
  barrier.abort();
  const isBounded = semaphore instanceof BoundedSemaphore;
  return { found, isOne: lock === kit.again, isBounded };
}

/** Acquires a lock and waits at the condition it belongs to. */
export async function waitUnderLock(lock: Lock, condition: Condition, said: Queue<string>) {
  await lock.acquire();
  await said.put("waits");
  const wasNotified = await condition.wait();
  lock.release();
  return wasNotified;
}

/** Gives back what it gets through a pipe. */
export async function echoObject(connection: Connection<Semaphore>) {
  const got = await connection.recv();
  got.release();
  await connection.send(got);
}

// Rounds

/** Waits for an event round after round, and says when it waits and when it goes on. */
export async function wakeUp(
  events: [Event, Event],
  waiting: Semaphore,
  awake: Semaphore,
  times: number,
  face: Face,
) {
  for (let i = 0; i < times; i++) {
    const event = events[i % 2];
    waiting.release();
    if (!(face === "async" ? await event.wait() : event.waitSync())) throw new Error("not set");
    awake.release();
  }
}

/** Words that those share who hold something in turn, until they are killed. */
export const arena = { over: 0, inside: 1, broken: 2, victim: 3, words: 4 } as const;

/** Waits for its turn, and then holds and releases, for ever. */
export async function contend(
  what: Acquirable,
  words: Int32Array,
  places: typeof arena,
  up: Event,
  go: Event,
  me: number,
  face: Face,
) {
  const { inside, broken, victim } = places;
  up.set();
  await go.wait();
  for (;;) {
    if (face === "async") await what.acquire();
    else what.acquireSync();
    Atomics.store(words, victim, me);
    Atomics.store(words, inside, me);
    // Another who thinks that he holds it would write his own number here.
    for (let look = 0; look < 1000; look++) {
      if (Atomics.load(words, inside) !== me) Atomics.add(words, broken, 1);
    }
    Atomics.store(words, victim, 0);
    what.release();
  }
}

/** The same in turn with one of those; says of whom it was told that he has died. */
export async function survive(
  what: Acquirable,
  words: Int32Array,
  places: typeof arena,
  deaths: Queue<string>,
) {
  const { over, inside, broken } = places, me = -1;
  while (Atomics.load(words, over) === 0) {
    try {
      await what.acquire();
      Atomics.store(words, inside, me);
      for (let look = 0; look < 20; look++) {
        if (Atomics.load(words, inside) !== me) Atomics.add(words, broken, 1);
      }
      what.release();
    } catch (error) {
      if (!(error instanceof AbandonedLockError)) throw error;
      await deaths.put(error.message.split(" ")[0]);
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Consumes what there is, for ever, and waits for it in between; never mind who died with the lock. */
export async function consume(condition: Condition, items: Int32Array, up: Semaphore, face: Face) {
  up.release();
  for (;;) {
    try {
      if (face === "async") await condition.acquire();
      else condition.acquireSync();
    } catch (error) {
      if (!(error instanceof AbandonedLockError)) throw error;
      continue;
    }
    try {
      if (face === "async") await condition.waitFor(() => items[0] > 0);
      else condition.waitForSync(() => items[0] > 0);
    } catch (error) {
      if (!(error instanceof AbandonedLockError)) throw error;
    }
    if (items[0] > 0) items[0]--;
    condition.release();
  }
}

/** Posts to an unrelated BroadcastChannel as fast as it can, for ever. */
export async function flood() {
  const channel = new BroadcastChannel("unrelated");
  for (;;) {
    for (let i = 0; i < 50; i++) channel.postMessage({ i, text: "noise" });
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** How things are printed in this process. */
export function printAll(things: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(things).map((
      [name, thing],
    ) => [name, Deno.inspect(thing, { breakLength: 1000 })]),
  );
}
