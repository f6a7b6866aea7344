// Targets of the tests of inspect() and of deadlocks.

import {
  type Barrier,
  DeadlockError,
  inspect,
  type Lock,
  type Queue,
  type RLock,
  type SharedArray,
  sleep,
} from "../../../mod.ts";

/** Waits for an item, blocked. */
export function getBlocked(queue: Queue<unknown>) {
  queue.getSync();
}

/** Waits for an item, and says before that it will. */
export async function getAwaited(queue: Queue<unknown>, ready: Queue<string>) {
  const got = queue.get();
  await ready.put("ready");
  await got;
}

/** What this process sees of the program. */
export function see(): { names: string[]; waits: number } {
  const { processes } = inspect();
  return {
    names: processes.map(({ name }) => name),
    waits: processes.reduce((sum, { waits }) => sum + waits.length, 0),
  };
}

/** Acquires two locks, with a pause until all have the first. */
export function lockBoth(first: Lock | RLock, second: Lock | RLock, all: Barrier): string {
  first.acquireSync();
  all.waitSync();
  try {
    second.acquireSync();
    second.release();
    return "acquired";
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    return error.message;
  } finally {
    first.release();
  }
}

/** The same, awaited. */
export async function awaitBoth(first: Lock, second: Lock, all: Barrier): Promise<string> {
  await first.acquire();
  await all.wait();
  try {
    await second.acquire();
    second.release();
    return "acquired";
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    return error.message;
  } finally {
    first.release();
  }
}

/** Holds a lock for a time. */
export async function holdFor(lock: Lock, ms: number, ready: Queue<string>) {
  using _held = await lock.hold();
  await ready.put("held");
  await sleep(ms);
}

/** Words of a process in the model: the locks it holds, as bits, and one more than the lock it waits for. */
const HELD = 0, WAITS = 1;

/**
 * Runs random programs of locks: acquires locks in any order, and releases them. Writes into the model what it holds
 * and waits for. Returns how many DeadlockErrors it had, and which of them the model doesn't confirm.
 */
export function runRandomLocks(
  { id, members, programs, seed, locks, all, model }: {
    id: number;
    members: number;
    programs: number;
    seed: number;
    locks: (Lock | RLock)[];
    all: Barrier;
    model: SharedArray<"i32">;
  },
): { deadlocks: number; wrong: string[]; acquired: number } {
  let state = seed * 7919 + id * 104_729 + 1;
  const random = (n: number) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    state ^= state >>> 13;
    return (state >>> 0) % n;
  };
  const get = (of: number, word: number) => Atomics.load(model as Int32Array, of * 2 + word);
  const set = (word: number, value: number) =>
    Atomics.store(model as Int32Array, id * 2 + word, value);
  /** Whether the chain from this process comes back to it. */
  const isInCycle = (lock: number) => {
    let wanted = lock;
    for (let steps = 0; steps <= members; steps++) {
      let holder = -1;
      for (let of = 0; of < members; of++) if ((get(of, HELD) & 1 << wanted) !== 0) holder = of;
      if (holder === id) return true;
      if (holder < 0 || get(holder, WAITS) === 0) return false;
      wanted = get(holder, WAITS) - 1;
    }
    return false;
  };
  const nothing = new Int32Array(new SharedArrayBuffer(4)), wrong: string[] = [];
  let deadlocks = 0, acquired = 0;
  for (let program = 0; program < programs; program++) {
    const order: number[] = [];
    try {
      for (let ops = 2 + random(6); ops > 0; ops--) {
        const lock = random(locks.length), isHeld = (get(id, HELD) & 1 << lock) !== 0;
        if (isHeld) {
          if (random(4) !== 0) continue;
          set(HELD, get(id, HELD) & ~(1 << lock));
          order.splice(order.indexOf(lock), 1);
          locks[lock].release();
          continue;
        }
        // A wait with a limit is no edge: it ends by itself.
        const isLimited = random(4) === 0;
        if (!isLimited) set(WAITS, lock + 1);
        const has = locks[lock].acquireSync(isLimited ? { timeout: 1 + random(100) } : undefined);
        set(WAITS, 0);
        if (!has) continue;
        set(HELD, get(id, HELD) | 1 << lock);
        order.push(lock);
        acquired++;
        // Others get a lock meanwhile.
        if (random(6) === 0) Atomics.wait(nothing, 0, 0, 1);
      }
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error;
      deadlocks++;
      const lock = get(id, WAITS) - 1;
      if (lock < 0 || !isInCycle(lock)) wrong.push(`program ${program}: ${error.message}`);
      set(WAITS, 0);
    }
    for (const lock of order) {
      set(HELD, get(id, HELD) & ~(1 << lock));
      locks[lock].release();
    }
    all.waitSync();
  }
  return { deadlocks, wrong, acquired };
}
