// Queues: every item that was put is got once, in the order of each putter, and no process sleeps while
// there is an item or room for it.

import { Store, type StoreContent } from "../../../lib/queue/shared/store.ts";
import { blocking, eventually, now } from "../../../lib/wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../../../lib/wait/options.ts";
import type { Outcome, Scenario, Simulation } from "../kernel/scenario.ts";
import {
  finishes,
  init,
  isSameSet,
  lostWakeUp,
  type Program,
  reap,
  scenario,
  unfinished,
} from "./base.ts";

declare const sim: Simulation;
export { init };

export interface Queues {
  queue: StoreContent;
}
type S = Program & Queues;

const AMPLE = 1 << 20;

/** A store, and what its words are called in traces. */
export function queueOf(maxSize: number, maxBytes = AMPLE): () => Queues {
  // Older versions count the unfinished only if asked to.
  const make = Store.make as (...args: unknown[]) => Store<string>;
  return () => {
    const queue = make.call(Store, maxSize, maxBytes, undefined, true).content;
    sim.label(queue.ring.header, "ring");
    sim.label(queue.ring.records, "records");
    return { queue };
  };
}

export const of = ({ queue }: S): Store<string> => Store.arrived<string>(queue);

function putSync(store: Store<string>, item: string, options?: BlockOptions): void {
  const left = store.tryPut(item);
  if (left !== undefined) blocking(store.put(left, false), options);
  sim.log("put", item);
}

function getSync(store: Store<string>, options?: BlockOptions): string {
  const item = blocking(store.get, options);
  sim.log("got", item);
  return item;
}

export async function put(
  store: Store<string>,
  item: string,
  options?: WaitOptions,
): Promise<void> {
  const left = store.tryPut(item);
  if (left !== undefined) await eventually(store.put(left, false), options);
  sim.log("put", item);
}

export async function get(store: Store<string>, options?: WaitOptions): Promise<string> {
  const item = await eventually(store.get, options);
  sim.log("got", item);
  return item;
}

export const putsSync = (...items: string[]) => (s: S) => {
  const store = of(s);
  for (const item of items) putSync(store, item);
};

export const getsSync = (count: number) => (s: S) => {
  const store = of(s);
  for (let i = 0; i < count; i++) getSync(store);
};

/** Every item was got once; those of one putter in their order, where one process got them. */
export function exactlyOnce(...items: string[][]): (outcome: Outcome) => string | undefined {
  return (outcome) => {
    const wrong = finishes(outcome);
    if (wrong !== undefined) return wrong;
    const got = outcome.of(undefined, "got") as string[];
    if (!isSameSet(got, items.flat())) return `put ${items.flat()}, got ${got}`;
    for (const [id] of outcome.processes.entries()) {
      const own = outcome.of(id, "got") as string[];
      for (const list of items) {
        const seen = own.filter((item) => list.includes(item));
        const order = list.filter((item) => seen.includes(item));
        if (seen.join() !== order.join()) return `P${id} got ${seen}, which were put as ${order}`;
      }
    }
  };
}

const long = (item: string, length: number) => item + "x".repeat(length);
const WRAPPING = [long("a1", 20), long("a2", 30), "a3", long("a4", 40), "a5"];

/** All that is left in a queue, until it is empty; what else ends it is logged. */
function drain(store: Store<string>, each: () => void = () => {}): string {
  const left: string[] = [];
  for (let i = 0; i < 9; i++) {
    try {
      left.push(now(store.get).slice(0, 2));
      each();
    } catch (error) {
      sim.log("end", (error as Error).name);
      break;
    }
  }
  sim.log("left", left.join());
  return left.join();
}

/** After one was killed that could end anywhere, the queue works: what was put is got, once. */
function drained(
  outcome: Outcome,
  expected: (left: string[]) => string | undefined,
): string | undefined {
  if (outcome.killed.length === 0) return;
  const failed = outcome.processes.find(({ error }) => error !== undefined);
  if (failed !== undefined) return `one failed: ${failed.error}`;
  // The others may wait for items that were never put.
  if (!outcome.processes[2].done) return "P2 hangs";
  const [end] = outcome.of(undefined, "end"), [text] = outcome.of(undefined, "left") as string[];
  const left = text.split(",").filter((item) => item !== "");
  if (end !== "QueueEmpty" && end !== "QueueShutDown") {
    return `got ${left}, and then ${end} instead of being told so`;
  }
  if (new Set(left).size !== left.length) return `got twice: ${left}`;
  return expected(left);
}

export const scenarios: Record<string, Scenario> = {
  queue_1p1g: scenario(queueOf(0), {
    about: "1 putter, 1 getter, blocking",
    processes: [getsSync(2), putsSync("a1", "a2")],
    check: exactlyOnce(["a1", "a2"]),
    bounds: { preemptions: 3 },
  }),
  queue_2p1g: scenario(queueOf(0), {
    about: "2 putters, 1 getter, blocking",
    processes: [getsSync(2), putsSync("a1"), putsSync("b1")],
    check: exactlyOnce(["a1"], ["b1"]),
  }),
  queue_1p2g: scenario(queueOf(0), {
    about: "1 putter, 2 getters, blocking",
    processes: [getsSync(1), getsSync(1), putsSync("a1", "a2")],
    check: exactlyOnce(["a1", "a2"]),
  }),
  queue_bounded: scenario(queueOf(1), {
    about: "maxSize 1: each put waits for a get",
    processes: [getsSync(2), putsSync("a1", "a2")],
    check: exactlyOnce(["a1", "a2"]),
    bounds: { preemptions: 3 },
  }),
  queue_bounded_2p: scenario(queueOf(1), {
    about: "maxSize 1, 2 putters",
    processes: [getsSync(3), putsSync("a1", "a2"), putsSync("b1")],
    check: exactlyOnce(["a1", "a2"], ["b1"]),
  }),
  queue_growing: scenario(queueOf(0, 64), {
    about: "small maxBytes: wraps around, skips, grows",
    processes: [getsSync(5), putsSync(...WRAPPING)],
    check: exactlyOnce(WRAPPING),
  }),
  queue_growing_2p: scenario(queueOf(0, 64), {
    about: "the same with 2 putters",
    processes: [
      getsSync(4),
      putsSync(long("a1", 20), long("a2", 30)),
      putsSync(long("b1", 40), "b2"),
    ],
    check: exactlyOnce([long("a1", 20), long("a2", 30)], [long("b1", 40), "b2"]),
    bounds: { preemptions: 1 },
  }),
  queue_async: scenario(queueOf(0), {
    about: "1 putter, 1 getter, asynchronous",
    processes: [
      async (s: S) => {
        const store = of(s);
        await get(store);
        await get(store);
      },
      async (s: S) => {
        const store = of(s);
        await put(store, "a1");
        await put(store, "a2");
      },
    ],
    check: exactlyOnce(["a1", "a2"]),
  }),
  queue_tasks: scenario(queueOf(1), {
    about: "maxSize 1, 2 tasks of one process get, and both faces put",
    processes: [
      async (s: S) => {
        const store = of(s);
        await Promise.all([get(store), get(store)]);
        await get(store);
      },
      async (s: S) => {
        const store = of(s);
        await put(store, "a1");
        await put(store, "a2");
      },
      putsSync("b1"),
    ],
    check: exactlyOnce(["a1", "a2"], ["b1"]),
    bounds: { preemptions: 1 },
  }),
  queue_faces: scenario(queueOf(0), {
    about: "one getter waits asynchronously, one blocks",
    processes: [async (s: S) => void await get(of(s)), getsSync(1), putsSync("a1", "a2")],
    check: exactlyOnce(["a1", "a2"]),
  }),
  queue_timeout: scenario(queueOf(0), {
    about: "a get's time is up just as an item comes: the item is somebody's",
    processes: [
      async (s: S) => {
        try {
          await get(of(s), { timeout: 10 });
        } catch (error) {
          if ((error as Error).name !== "QueueEmpty") throw error;
          sim.log("empty");
        }
      },
      getsSync(1),
      putsSync("a1"),
    ],
    early: [0],
    ordered: true,
    bounds: { timeouts: 1 },
    check(outcome) {
      const got = outcome.of(undefined, "got"), empty = outcome.of(0, "empty");
      if (got.length !== 1) return `one item was put, and got ${got.length} times`;
      if (empty.length === 1 && !outcome.processes[1].done) return "nobody has the item";
      const early = outcome.events.slice(0, Math.max(0, outcome.quietAfter)).map((event) =>
        event[1]
      );
      if (early.includes("put") && !early.includes("got")) {
        return "all sleep, and the item is there";
      }
    },
  }),
  queue_batches: scenario(queueOf(2), {
    about: "putMany and getMany, maxSize 2",
    processes: [
      (s: S) => {
        const store = of(s);
        for (let left = 3; left > 0;) {
          const items = blocking(store.getMany(2));
          for (const item of items) sim.log("got", item);
          left -= items.length;
        }
      },
      (s: S) => {
        const store = of(s);
        blocking(store.put(store.encodeAll(["a1", "a2", "a3"]), true));
      },
    ],
    check: exactlyOnce(["a1", "a2", "a3"]),
  }),
  queue_batches_async: scenario(queueOf(0), {
    about: "one putMany for two getters that wait asynchronously",
    processes: [
      async (s: S) => {
        for (const item of await eventually(of(s).getMany(1))) sim.log("got", item);
      },
      async (s: S) => {
        for (const item of await eventually(of(s).getMany(1))) sim.log("got", item);
      },
      (s: S) => {
        const store = of(s);
        blocking(store.put(store.encodeAll(["a1", "a2"]), true));
      },
    ],
    check: exactlyOnce(["a1", "a2"]),
  }),
  queue_kill_putter: scenario(queueOf(1), {
    about: "maxSize 1, one of 2 putters is killed",
    processes: [getsSync(2), putsSync("v1", "v2"), putsSync("b1", "b2"), (s: S) => reap(s)],
    victims: [1],
    reaper: 3,
    bounds: { preemptions: 1, kills: 1 },
    check(outcome) {
      const { done, error } = outcome.processes[0];
      if (!done || error !== undefined) return `the getter ${error?.message ?? "hangs"}`;
      const got = outcome.of(0, "got");
      if (new Set(got).size !== 2) return `got ${got}`;
    },
  }),
  queue_kill_getter: scenario(queueOf(1), {
    about: "maxSize 1, one of 2 getters is killed",
    processes: [getsSync(2), getsSync(1), putsSync("b1", "b2", "b3"), (s: S) => reap(s)],
    victims: [1],
    reaper: 3,
    bounds: { preemptions: 1, kills: 1 },
    check(outcome) {
      if (!outcome.processes[2].done) return "the putter hangs";
      if (!outcome.processes[0].done) return "the getter hangs";
      const got = outcome.of(0, "got");
      if (new Set(got).size !== 2) return `got ${got}`;
    },
  }),
  queue_abrupt_putter: scenario(queueOf(0), {
    about: "a putter ends anywhere: what others put is got once",
    processes: [
      (s: S) => void sim.log("first", blocking(of(s).get)),
      (s: S) => void of(s).tryPut("v1"),
      (s: S) => {
        const store = of(s);
        reap(s);
        store.tryPut("b1");
        store.tryPut("b2");
        drain(store);
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { kills: 1, cut: "anywhere" },
    check: (outcome) =>
      drained(outcome, (left) => {
        const all = [...outcome.of(0, "first"), ...left];
        for (const item of ["b1", "b2"]) {
          if (all.filter((each) => each === item).length !== 1) {
            return `of b1 and b2 was got: ${all}`;
          }
        }
      }),
  }),
  queue_abrupt_getter: scenario(queueOf(0), {
    about: "a getter ends anywhere: what is left is got once, and then the queue is empty",
    processes: [
      (s: S) => {
        const store = of(s);
        store.tryPut("a1");
        store.tryPut("a2");
      },
      (s: S) => void sim.log("got", blocking(of(s).get)),
      (s: S) => {
        const store = of(s);
        reap(s);
        store.tryPut("c1");
        drain(store);
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { kills: 1, cut: "anywhere" },
    check: (outcome) =>
      drained(outcome, (left) => left.includes("c1") ? undefined : `c1 is lost: ${left}`),
  }),
  queue_abrupt_growth: scenario(queueOf(0), {
    about: "a putter ends while the room grows",
    processes: [
      (s: S) => {
        const store = of(s);
        store.tryPut(long("a1", 30));
        store.tryPut(long("a2", 30));
        now(store.get);
        now(store.get);
        store.tryPut("a3");
        sim.log("ready");
      },
      (s: S) => {
        const store = of(s);
        if (store.ring.putCount === 3) store.tryPut(long("v1", 70));
      },
      (s: S) => {
        const store = of(s);
        reap(s);
        store.tryPut(long("c1", 60));
        drain(store);
      },
    ],
    victims: [1],
    reaper: 2,
    ordered: true,
    bounds: { kills: 1, cut: "anywhere" },
    check(outcome) {
      const ready = outcome.indexOf("ready"), killed = outcome.indexOf("killed");
      if (ready < 0 || killed < ready) return;
      return drained(outcome, (left) => {
        const others = left.filter((item) => item !== "v1").join();
        return others === "a3,c1" ? undefined : `of a3 and c1 was left: ${others}`;
      });
    },
  }),
  queue_abrupt_growth_wrapped: scenario(queueOf(0), {
    about: "a putter ends while the room grows, and the records wrap around",
    processes: [
      (s: S) => {
        const store = of(s);
        store.tryPut(long("a1", 30));
        store.tryPut(long("a2", 30));
        now(store.get);
        store.tryPut(long("a3", 30));
        now(store.get);
        store.tryPut(long("a4", 30));
        sim.log("ready");
      },
      (s: S) => {
        const store = of(s);
        if (store.ring.putCount === 4) store.tryPut(long("v1", 90));
      },
      (s: S) => {
        const store = of(s);
        reap(s);
        store.tryPut(long("c1", 60));
        drain(store);
      },
    ],
    victims: [1],
    reaper: 2,
    ordered: true,
    bounds: { kills: 1, cut: "anywhere" },
    check(outcome) {
      const ready = outcome.indexOf("ready"), killed = outcome.indexOf("killed");
      if (ready < 0 || killed < ready) return;
      return drained(outcome, (left) => {
        const others = left.filter((item) => item !== "v1").join();
        return others === "a3,a4,c1" ? undefined : `of a3, a4 and c1 was left: ${others}`;
      });
    },
  }),
  queue_abrupt_wrapping: scenario(queueOf(0, 64), {
    about: "small maxBytes: a putter ends where it skips, goes on at the beginning, fills the ring",
    processes: [
      (s: S) => void of(s).tryPut(long("p1", 20)),
      (s: S) => {
        const store = of(s);
        for (const item of WRAPPING) {
          if (store.tryPut(item) === undefined) now(store.get);
        }
      },
      (s: S) => {
        const store = of(s);
        reap(s);
        const isFull = store.tryPut("c1") !== undefined;
        const left = drain(store);
        if (isFull && left === "") sim.fail("it is full, and nothing is there");
        store.tryPut("c2");
        while (now(store.get) !== "c2");
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
    check: (outcome) => drained(outcome, () => undefined),
  }),
  queue_abrupt_batches: scenario(queueOf(0), {
    about: "a putMany and a getMany end anywhere",
    processes: [
      (s: S) => {
        for (const item of blocking(of(s).getMany(2))) sim.log("got", item);
      },
      (s: S) => {
        const store = of(s);
        blocking(store.put(store.encodeAll(["v1", "v2", "v3", "v4", "v5"]), true));
        now(store.getMany(4));
      },
      (s: S) => {
        const store = of(s);
        reap(s);
        store.tryPut("c1");
        drain(store, () => store.taskDone());
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
    check: (outcome) =>
      drained(outcome, (left) => {
        const all = [...outcome.of(0, "got"), ...left] as string[];
        if (all.filter((item) => item === "c1").length !== 1) return `of c1 was got: ${all}`;
        if (new Set(all).size !== all.length) return `got twice: ${all}`;
      }),
  }),
  queue_abrupt_shutdown: scenario(queueOf(0), {
    about: "a process ends while it shuts the queue down and drops all items",
    processes: [
      (s: S) => {
        const store = of(s);
        store.tryPut("a1");
        store.tryPut("a2");
        now(store.get);
        store.taskDone();
        sim.log("ready");
      },
      (s: S) => of(s).shutdown(true),
      (s: S) => {
        const store = of(s);
        reap(s);
        let wasPut = true;
        try {
          store.tryPut("c1");
        } catch (error) {
          if ((error as Error).name !== "QueueShutDown") throw error;
          wasPut = false;
        }
        const left = drain(store, () => store.taskDone());
        if (wasPut && !left.includes("c1")) sim.log("lost");
        sim.log("unfinished", store.ring.unfinished);
      },
    ],
    victims: [1],
    reaper: 2,
    ordered: true,
    bounds: { kills: 1, cut: "anywhere" },
    check(outcome) {
      const ready = outcome.indexOf("ready"), killed = outcome.indexOf("killed");
      if (ready < 0 || killed < ready) return;
      return drained(outcome, () => {
        if (outcome.indexOf("lost") >= 0) return "c1 is lost";
        const [count] = outcome.of(2, "unfinished");
        return count === 0 ? undefined : `all is done, and ${count} are unfinished`;
      });
    },
  }),
  queue_abrupt_joinable: scenario(queueOf(0), {
    about: "a putter ends anywhere, and the unfinished are counted",
    processes: [
      () => {},
      (s: S) => void of(s).tryPut("v1"),
      (s: S) => {
        const store = of(s);
        reap(s);
        store.tryPut("c1");
        drain(store, () => store.taskDone());
        sim.log("unfinished", store.ring.unfinished);
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { kills: 1, cut: "anywhere" },
    check: (outcome) =>
      drained(outcome, () => {
        const [count] = outcome.of(2, "unfinished");
        return count === 0 ? undefined : `all that was got is done, and ${count} are unfinished`;
      }),
  }),
  queue_shutdown: scenario(queueOf(1), {
    about: "shutdown against put and get, blocking",
    processes: [
      (s: S) => {
        const store = of(s);
        try {
          for (;;) getSync(store);
        } catch (error) {
          sim.log("end", (error as Error).name);
        }
      },
      (s: S) => {
        const store = of(s);
        try {
          putSync(store, "a1");
          putSync(store, "a2");
        } catch (error) {
          sim.log("end", (error as Error).name);
        }
      },
      (s: S) => of(s).shutdown(false),
    ],
    check: shutDown,
  }),
  queue_shutdown_async: scenario(queueOf(1), {
    about: "shutdown against put and get, asynchronous",
    processes: [
      async (s: S) => {
        const store = of(s);
        try {
          for (;;) await get(store);
        } catch (error) {
          sim.log("end", (error as Error).name);
        }
      },
      async (s: S) => {
        const store = of(s);
        try {
          await put(store, "a1");
          await put(store, "a2");
        } catch (error) {
          sim.log("end", (error as Error).name);
        }
      },
      (s: S) => of(s).shutdown(false),
    ],
    check: shutDown,
    bounds: { preemptions: 1 },
  }),
  queue_joinable: scenario(queueOf(0), {
    about: "taskDone and join",
    processes: [0, 1].map(() => (s: S) => {
      const store = of(s);
      getSync(store);
      sim.log("done");
      store.taskDone();
    }).concat((s: S) => {
      const store = of(s);
      putSync(store, "a1");
      putSync(store, "a2");
      blocking(store.join);
      sim.log("joined");
    }),
    ordered: true,
    bounds: { preemptions: 1 },
    check(outcome) {
      const before = outcome.events.slice(0, outcome.indexOf("joined"));
      const done = before.filter((event) => event[1] === "done").length;
      return finishes(outcome) ?? (done === 2 ? undefined : "joined too early");
    },
  }),
};

function shutDown(outcome: Outcome): string | undefined {
  const put = outcome.of(1, "put"), got = outcome.of(0, "got");
  return unfinished(outcome) ?? lostWakeUp(outcome) ??
    (put.join() === got.join() ? undefined : `put ${put}, got ${got}`);
}
