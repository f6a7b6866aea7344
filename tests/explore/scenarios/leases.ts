// Leases: an item that a process has leased is done, or comes back, once, wherever the process ends; join()
// returns when every item is done, and not before.

import { Leases } from "../../../lib/queue/shared/leases.ts";
import type { Lease } from "../../../lib/queue/shared/lease.ts";
import { Store, type StoreContent } from "../../../lib/queue/shared/store.ts";
import { blocking, eventually, now } from "../../../lib/wait/operation.ts";
import type { Outcome, Scenario, Simulation } from "../kernel/scenario.ts";
import { finishes, init, isSameSet, type Program, reap, scenario, unfinished } from "./base.ts";

declare const sim: Simulation;
export { init };

interface Queues {
  queue: StoreContent;
}
type S = Program & Queues;

/** A store with leases, what its words are called in traces, and the items that are there at first. */
function jobsOf(attempts: number, ...items: string[]): () => Queues {
  return () => {
    const store = Store.make<string>(0, 1 << 12, undefined);
    store.attempts = attempts;
    Leases.of(store);
    const queue = store.content, { table, dead } = queue.leases!;
    sim.label(queue.ring.header, "ring");
    sim.label(queue.ring.records, "records");
    sim.label(table.rows, "rows");
    sim.label(table.heap, "heap");
    sim.label(dead.ring.header, "dead");
    for (const item of items) store.tryPut(item);
    return { queue };
  };
}

interface Jobs {
  store: Store<string>;
  leases: Leases<string>;
}

function of({ queue }: S): Jobs {
  const store = Leases.arrived<string>(queue);
  return { store, leases: store.leases as Leases<string> };
}

function leaseOf({ leases }: Jobs): Lease<string> {
  const lease = blocking(leases.lease);
  sim.log("leased", `${lease.item}.${lease.attempt}`);
  return lease;
}

function finish(lease: Lease<string>): void {
  sim.log("working", lease.item);
  sim.set(`${lease.item} is done`, 1);
  lease.done();
  sim.log("done", lease.item);
}

/** Leases and finishes so many items. */
const works = (count: number) => (s: S) => {
  const jobs = of(s);
  for (let i = 0; i < count; i++) finish(leaseOf(jobs));
};

/** Joins a queue with these items, and perhaps others. */
const joins = (...items: string[]) => (s: S) => {
  if (!blocking(of(s).store.join)) sim.fail("join() timed out");
  for (const item of items) {
    if (sim.get(`${item} is done`) !== 1) sim.fail(`join() returned before ${item} was done`);
  }
};

/** Takes and finishes all that is left, and logs it with the dead letters; what others have they finish. */
function drain({ store, leases }: Jobs, isLast = false): void {
  const left: string[] = [];
  for (let i = 0; i < 9; i++) {
    let lease: Lease<string>;
    try {
      lease = now(leases.lease);
    } catch (error) {
      if ((error as Error).name !== "QueueEmpty") throw error;
      break;
    }
    left.push(`${lease.item}.${lease.attempt}`);
    lease.done();
  }
  sim.log("left", left.join());
  const letters: string[] = [];
  for (let i = 0; i < 9; i++) {
    try {
      const { item, attempts } = now(leases.dead.get);
      letters.push(`${item}.${attempts}`);
    } catch {
      break;
    }
  }
  sim.log("letters", letters.join());
  if (!isLast) blocking(store.join);
  sim.log("unfinished", store.unfinished);
}

const names = (text: unknown): string[] =>
  (text as string).split(",").filter((name) => name !== "").map((name) => name.split(".")[0]);

/** Each item was finished once: by a process, at the end, or by a dead letter; the victim's is in doubt. */
function accounted(...items: string[]): (outcome: Outcome) => string | undefined {
  return (outcome) => {
    if (outcome.killed.length === 0) return;
    const failed = outcome.processes.find(({ error }) => error !== undefined);
    if (failed !== undefined) return `one failed: ${failed.error}`;
    if (!outcome.processes[2].done) return "P2 hangs";
    const done = outcome.of(undefined, "done") as string[];
    const all = [
      ...done,
      ...names(outcome.of(2, "left")[0]),
      ...names(outcome.of(2, "letters")[0]),
    ];
    // Whether the victim has finished the item that it was about to finish.
    const inDoubt = (outcome.of(1, "working") as string[]).filter((item) => !done.includes(item));
    const missing = items.filter((item) => !all.includes(item) && !inDoubt.includes(item));
    if (missing.length > 0) return `lost: ${missing}`;
    if (new Set(all).size !== all.length) return `finished twice: ${all}`;
    const [rest] = outcome.of(2, "unfinished");
    if (rest !== 0) return `${rest} are unfinished at the end`;
  };
}

export const scenarios: Record<string, Scenario> = {
  leases_2w: scenario(jobsOf(0, "a1", "a2"), {
    about: "two lease and finish, one joins",
    bounds: { preemptions: 1 },
    processes: [works(1), works(1), joins("a1", "a2")],
    check: (outcome) =>
      finishes(outcome) ??
        (isSameSet(outcome.of(undefined, "done"), ["a1", "a2"])
          ? undefined
          : `done: ${outcome.of(undefined, "done")}`),
  }),
  leases_join: scenario(jobsOf(0, "a1"), {
    about:
      "one finishes a lease, one puts and finishes more, one joins: not before the first is done",
    processes: [
      works(1),
      (s: S) => {
        const jobs = of(s);
        jobs.store.tryPut("b1");
        finish(leaseOf(jobs));
      },
      joins("a1"),
    ],
    bounds: { preemptions: 1 },
    check: finishes,
  }),
  leases_count: scenario(jobsOf(0, "a1"), {
    about: "while one item stays leased, others that come and go never make it count as finished",
    processes: [
      (s: S) => {
        const { unfinished } = of(s).store;
        if (unfinished < 1 || unfinished > 2) sim.fail(`${unfinished} are unfinished`);
      },
      (s: S) => {
        const jobs = of(s);
        leaseOf(jobs);
        jobs.store.tryPut("b1");
        finish(leaseOf(jobs));
      },
    ],
    check: finishes,
  }),
  leases_give_back: scenario(jobsOf(0, "a1", "a2"), {
    about: "an item that is given back wakes one that waits, and comes before the next",
    processes: [
      (s: S) => {
        try {
          now(of(s).leases.lease).giveBack();
        } catch (error) {
          if ((error as Error).name !== "QueueEmpty") throw error;
        }
      },
      works(2),
    ],
    bounds: { preemptions: 1 },
    check: finishes,
  }),
  leases_async: scenario(jobsOf(0, "a1"), {
    about: "a task waits for a lease that a killed process has; the item comes back once",
    processes: [
      async (s: S) => {
        const { leases } = of(s);
        const lease = await eventually(leases.lease);
        sim.log("leased", lease.attempt);
        finish(lease);
      },
      (s: S) => void leaseOf(of(s)),
      (s: S) => reap(s),
    ],
    victims: [1],
    reaper: 2,
    bounds: { preemptions: 1, kills: 1 },
    check(outcome) {
      const done = outcome.of(undefined, "done");
      if (outcome.killed.length > 0) {
        return unfinished(outcome) ?? (done.length === 1 ? undefined : `done: ${done}`);
      }
    },
  }),
  leases_abrupt_lease: scenario(jobsOf(0, "a1", "a2"), {
    about:
      "one that leases and finishes ends anywhere: no item is lost, finished twice or counted twice",
    processes: [
      (s: S) => {
        try {
          finish(now(of(s).leases.lease));
        } catch (error) {
          if ((error as Error).name !== "QueueEmpty") throw error;
        }
      },
      works(1),
      (s: S) => {
        reap(s);
        drain(of(s));
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
    check: (outcome) => outcome.processes[0].done ? accounted("a1", "a2")(outcome) : undefined,
  }),
  leases_abrupt_get: scenario(jobsOf(0, "a1", "a2"), {
    about: "one that leases ends anywhere, while another gets without a lease",
    processes: [
      (s: S) => {
        const { store } = of(s);
        try {
          sim.log("done", now(store.get));
          store.taskDone();
        } catch (error) {
          if ((error as Error).name !== "QueueEmpty") throw error;
        }
      },
      (s: S) => void leaseOf(of(s)),
      (s: S) => {
        reap(s);
        drain(of(s));
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
    check: (outcome) => outcome.processes[0].done ? accounted("a1", "a2")(outcome) : undefined,
  }),
  leases_abrupt_letter: scenario(jobsOf(1, "a1", "a2"), {
    about: "one that writes a dead letter ends anywhere: each item has one letter",
    processes: [
      (s: S) => void sim.log("ready", of(s).store.size),
      (s: S) => {
        const jobs = of(s);
        leaseOf(jobs).giveBack();
        leaseOf(jobs);
      },
      (s: S) => {
        reap(s);
        drain(of(s));
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
    check: accounted("a1", "a2"),
  }),
  leases_abrupt_return: scenario(jobsOf(0, "a1"), {
    about:
      "one that gets what came back, without a lease, ends anywhere: the item is got once, or goes with it",
    processes: [
      (s: S) => void sim.log("ready", of(s).store.size),
      (s: S) => {
        const jobs = of(s);
        leaseOf(jobs).giveBack();
        now(jobs.store.get);
        sim.log("done", "a1");
        jobs.store.taskDone();
      },
      (s: S) => {
        reap(s);
        drain(of(s), true);
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
    check(outcome) {
      if (outcome.killed.length === 0) return;
      if (!outcome.processes[2].done) return "P2 hangs";
      const left = names(outcome.of(2, "left")[0]);
      const all = [...outcome.of(1, "done"), ...left];
      if (all.length > 1) return `got twice: ${all}`;
      const isLeased = outcome.of(1, "leased").length > 0;
      if (!isLeased && left.length !== 1) return "lost";
    },
  }),
};
