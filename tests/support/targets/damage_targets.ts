// Targets of the tests of corrupted memory.

// All from the files: what a child imports as mod.ts is the bundle, whose symbols are not those of the files.
import { Pipe } from "../../../lib/pipe/pipe.ts";
import { Queue } from "../../../lib/queue/shared/queue.ts";
import { Barrier } from "../../../lib/sync/barrier.ts";
import { Condition } from "../../../lib/sync/condition.ts";
import { Event } from "../../../lib/sync/event.ts";
import { Lock } from "../../../lib/sync/lock.ts";
import { RLock } from "../../../lib/sync/rlock.ts";
import { Semaphore } from "../../../lib/sync/semaphore.ts";
import { SharedArray } from "../../../lib/sync/shared_array.ts";
import { Value } from "../../../lib/sync/value.ts";
import { deserialize, type HandedOver, serialize } from "../../../lib/transfer/transferable.ts";
import { randomFrom } from "../seed.ts";

/** The module for `new Process({ module })`. */
export const here: string = import.meta.url;

const timeout = 1;

/** What is damaged, and how it is used then. */
const uses = {
  queue: {
    make: () => {
      const queue = new Queue<unknown>();
      for (let i = 0; i < 50; i++) queue.putNowait("x".repeat(i * 7));
      return queue;
    },
    // Words that say "held": these are waited for ten seconds (tests/full/mutex_rounds.ts).
    locks: [16, 32],
    use: async (queue: Queue<unknown>) => {
      await queue.put({ some: "thing" }, { timeout });
      await queue.get({ timeout });
      queue.getSync({ timeout });
      await queue.getMany(10, { timeout });
      queue.qsize();
      queue.statistics();
      queue.shutdown({ immediate: true });
    },
  },
  pipe: {
    make: () => {
      const [end, other] = Pipe<unknown>();
      for (let i = 0; i < 50; i++) other.sendNowait("x".repeat(i * 7));
      return end;
    },
    locks: [],
    use: async (end: ReturnType<typeof Pipe>[0]) => {
      await end.recv({ timeout });
      end.recvSync({ timeout });
      await end.send({ some: "thing" }, { timeout });
      await end.poll({ timeout });
      end.close();
    },
  },
  lock: {
    make: () => new Lock(),
    locks: [],
    use: async (lock: Lock) => {
      if (await lock.acquire({ timeout })) lock.release();
      if (lock.acquireSync({ timeout })) lock.release();
    },
  },
  RLock: {
    make: () => new RLock(),
    locks: [],
    use: async (lock: RLock) => {
      if (await lock.acquire({ timeout })) lock.release();
      if (lock.acquireSync({ timeout })) lock.release();
    },
  },
  semaphore: {
    make: () => {
      const semaphore = new Semaphore(3);
      semaphore.tryAcquire();
      return semaphore;
    },
    locks: [0],
    use: async (semaphore: Semaphore) => {
      if (await semaphore.acquire({ timeout })) semaphore.release();
      semaphore.acquireSync({ timeout });
      semaphore.release();
    },
  },
  event: {
    make: () => new Event(),
    locks: [],
    use: async (event: Event) => {
      await event.wait({ timeout });
      event.set();
      event.waitSync({ timeout });
      event.clear();
    },
  },
  condition: {
    make: () => new Condition(),
    locks: [0],
    use: async (condition: Condition) => {
      if (!await condition.acquire({ timeout })) return;
      await condition.wait({ timeout });
      condition.waitSync({ timeout });
      condition.notifyAll();
      condition.notify(3);
      condition.release();
    },
  },
  barrier: {
    make: () => new Barrier(2),
    locks: [0],
    use: async (barrier: Barrier) => {
      const waits = await Promise.allSettled([
        barrier.wait({ timeout }),
        barrier.wait({ timeout }),
      ]);
      barrier.reset();
      barrier.abort();
      for (const wait of waits) if (wait.status === "rejected") throw wait.reason;
    },
  },
  value: {
    make: () => new Value("f64", 1),
    locks: [],
    use: (value: Value<"f64">) => {
      value.value = 7;
      value.update((n) => n + 1);
    },
  },
  "shared array": {
    make: () => new SharedArray("i32", 10),
    locks: [],
    use: (array: SharedArray<"i32">) => {
      array.add(0, 1);
      array.update(1, (n) => n + 1);
    },
  },
};

/** A kind of object. */
export type Kind = keyof typeof uses;

/** All kinds. */
export const kinds = Object.keys(uses) as Kind[];

const serializedOf = (object: unknown) => (object as HandedOver)[serialize]();

/** All shared memory in something, but for the process table, which is everybody's. */
function memoryIn(content: unknown, found: SharedArrayBuffer[] = []): SharedArrayBuffer[] {
  if (content instanceof SharedArrayBuffer) found.push(content);
  else if (typeof content === "object" && content !== null) {
    for (const [key, part] of Object.entries(content)) {
      if (key !== "processTable") memoryIn(part, found);
    }
  }
  return found;
}

/** Values that are nothing anywhere, or everything. */
const odd = [0, 1, -1, 2, -2, 7, 64, 1000, 2 ** 30, 2 ** 31 - 1, -(2 ** 31), 0x7fff0000];

/** Damages one after the other and uses it; how often that gave an answer, and which errors. */
export async function useDamaged(kind: Kind, seed: number, rounds: number) {
  const random = randomFrom(seed), counts: Record<string, number> = { answers: 0 };
  const any = (n: number) => Math.floor(random() * n);
  const { make, use, locks } = uses[kind];
  for (let round = 0; round < rounds; round++) {
    const object = make();
    const all = memoryIn(serializedOf(object).content);
    for (let damages = 1 + any(3); damages > 0; damages--) {
      const at = any(all.length), words = new Int32Array(all[at]);
      const word = any(Math.min(words.length, random() < 0.7 ? 64 : 1 << 20));
      if (at === 0 && (locks as number[]).includes(word)) continue;
      words[word] = random() < 0.7 ? odd[any(odd.length)] : any(2 ** 32) | 0;
    }
    try {
      await use(object as never);
      counts.answers++;
    } catch (error) {
      const { name } = error as Error;
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

/** Has serialized objects arrive in which something else stands for shared memory; the errors. */
export function receiveForged(kind: Kind): string[] {
  const errors: string[] = [];
  const { content, kind: name } = serializedOf(uses[kind].make());
  const forge = (part: unknown, forgery: unknown): unknown => {
    if (part instanceof SharedArrayBuffer) return forgery;
    if (typeof part !== "object" || part === null || part.constructor !== Object) return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, inner]) => [key, forge(inner, forgery)]),
    );
  };
  for (const forgery of [{ length: 1e9 }, new SharedArrayBuffer(0), 1e9, null, "x"]) {
    try {
      deserialize({ kind: name, content: forge(content, forgery) });
      errors.push("nothing");
    } catch (error) {
      errors.push(`${error}`);
    }
  }
  return errors;
}
