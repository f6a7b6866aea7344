// Condition: no notification is lost, not even with a waiter that dies.

import { Condition } from "../../../lib/sync/condition.ts";
import { Lock } from "../../../lib/sync/lock.ts";
import type { Scenario, Simulation } from "../kernel/scenario.ts";
import { finishes, init, lostWakeUp, type Program, reap, scenario, unfinished } from "./base.ts";
import { objectOf, type Sharing, sharing, take, takeAsync } from "./shared_object.ts";

declare const sim: Simulation;
export { init };

type S = Program & Sharing;
const of = objectOf<Condition>;
const newCondition = sharing(() => new Condition(new Lock()), "line");

/** A blocked waiter looks by itself after so many ms. */
const LOOKS = 20;

/** Waits for one of the things that notifiers make. */
const consumes = (s: S) => {
  const condition = of(s);
  take(condition);
  while (sim.get("things") === 0) condition.waitSync();
  sim.add("things", -1);
  condition.release();
};

const consumesAsync = async (s: S) => {
  const condition = of(s);
  await takeAsync(condition);
  while (sim.get("things") === 0) await condition.wait();
  sim.add("things", -1);
  condition.release();
};

const makes = (times: number) => (s: S) => {
  const condition = of(s);
  for (let i = 0; i < times; i++) {
    take(condition);
    sim.add("things", 1);
    condition.notify();
    condition.release();
  }
};

export const scenarios: Record<string, Scenario> = {
  condition: scenario(newCondition, {
    about: "one waits, one notifies",
    processes: [consumes, makes(1)],
    check: finishes,
    bounds: { preemptions: 3 },
  }),
  condition_faces: scenario(newCondition, {
    about: "one waits on each face, two notifications",
    processes: [consumes, consumesAsync, makes(2)],
    check: finishes,
    bounds: { preemptions: 1 },
  }),
  condition_all: scenario(newCondition, {
    about: "notifyAll for two",
    processes: [consumes, consumesAsync, (s: S) => {
      const condition = of(s);
      take(condition);
      sim.add("things", 2);
      condition.notifyAll();
      condition.release();
    }],
    check: finishes,
    bounds: { preemptions: 1 },
  }),
  condition_timeout: scenario(newCondition, {
    about: "a waiter's time is up just as it is notified: the other has the notification",
    processes: [
      async (s: S) => {
        const condition = of(s);
        await takeAsync(condition);
        if (sim.get("things") === 0) await condition.wait({ timeout: 10 });
        if (sim.get("things") > 0) sim.add("things", -1);
        condition.release();
      },
      consumes,
      makes(2),
    ],
    early: [0],
    // Who had reserved the lock may have had it, and then the others wait until that time is up.
    check: (outcome) =>
      unfinished(outcome) ?? (outcome.waited < LOOKS ? undefined : lostWakeUp(outcome)),
    bounds: { preemptions: 1, timeouts: 1 },
  }),
  condition_kill: scenario(newCondition, {
    about: "the waiter that is notified is killed: the other has the notification",
    processes: [
      (s: S) => {
        const condition = of(s);
        take(condition);
        sim.log("waits");
        try {
          condition.waitSync();
        } catch (error) {
          if ((error as Error).name !== "AbandonedLockError") throw error;
          sim.log("told");
        }
        condition.release();
      },
      (s: S) => {
        const condition = of(s);
        take(condition);
        sim.log("waits");
        condition.waitSync();
        sim.log("woken");
        condition.release();
      },
      (s: S) => {
        const condition = of(s);
        take(condition);
        sim.log("notifies");
        condition.notify();
        condition.release();
      },
      (s: S) => reap(s),
    ],
    victims: [1],
    reaper: 3,
    ordered: true,
    bounds: { preemptions: 1, kills: 1 },
    check(outcome) {
      const [first, , notifier] = outcome.processes;
      if (first.error !== undefined) return `P0: ${first.error.message}`;
      if (!notifier.done) return "the notifier hangs";
      if (outcome.killed.length === 0) return;
      const notified = outcome.indexOf("notifies");
      const waited = [0, 1].every((id) => {
        const at = outcome.indexOf("waits", id);
        return at >= 0 && at < notified;
      });
      if (waited && outcome.indexOf("woken") < 0 && !first.done) {
        return "two waited, one was notified and died, and the other waits for ever";
      }
    },
  }),
};
