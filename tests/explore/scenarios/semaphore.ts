// Semaphore and BoundedSemaphore: never more holders than permits, no permit is lost or made out of
// nothing, and no wake-up is lost.

import { BoundedSemaphore, Semaphore } from "../../../lib/sync/semaphore.ts";
import type { Outcome, Scenario, Simulation } from "../kernel/scenario.ts";
import {
  enter,
  exit,
  finishes,
  init,
  lostWakeUp,
  type Program,
  reap,
  scenario,
  unfinished,
} from "./base.ts";
import { objectOf, type Sharing, sharing, take, takeAsync } from "./shared_object.ts";

declare const sim: Simulation;
export { init };

type S = Program & Sharing;
const of = objectOf<Semaphore>;
const permits = (count: number) => sharing(() => new Semaphore(count), "semaphore");
const bounded = (count: number) => sharing(() => new BoundedSemaphore(count), "semaphore");

const works = (most = 1, times = 1) => (s: S) => {
  const semaphore = of(s);
  for (let i = 0; i < times; i++) {
    take(semaphore);
    enter(most);
    exit();
    semaphore.release();
  }
};

/** One dies: nothing hangs, at most one is told, and there is one permit again at the end. */
function survives(outcome: Outcome): string | undefined {
  const wrong = unfinished(outcome) ?? lostWakeUp(outcome);
  if (wrong !== undefined) return wrong;
  const told = outcome.of(undefined, "told").length, values = outcome.of(undefined, "value");
  if (told > outcome.killed.length) return `${outcome.killed.length} died, and ${told} were told`;
  const [victim] = outcome.killed;
  if (victim === undefined) return;
  const isInside = outcome.of(victim, "enter").length > outcome.of(victim, "leave").length;
  if (isInside && told === 0) return "a holder died, and nobody was told";
  if (values.some((value) => (value as number) > 1)) return `permits out of nothing: ${values}`;
}

export const scenarios: Record<string, Scenario> = {
  semaphore_2of3: scenario(permits(2), {
    about: "3 processes, 2 permits",
    processes: [works(2), works(2), works(2)],
    check: finishes,
  }),
  semaphore_signal: scenario(permits(0), {
    about: "as a signal: 2 release what one acquires",
    processes: [
      (s: S) => {
        const semaphore = of(s);
        semaphore.acquireSync();
        semaphore.acquireSync();
      },
      (s: S) => of(s).release(),
      (s: S) => of(s).release(),
    ],
    check: finishes,
  }),
  semaphore_many: scenario(permits(0), {
    about: "two releases for two that wait, one on each face",
    processes: [
      (s: S) => void of(s).acquireSync(),
      async (s: S) => void await of(s).acquire(),
      (s: S) => {
        const semaphore = of(s);
        semaphore.release();
        semaphore.release();
      },
    ],
    check: finishes,
  }),
  semaphore_bounded: scenario(bounded(1), {
    about: "a BoundedSemaphore as a lock, twice each",
    processes: [works(1, 2), works(1, 2)],
    check: finishes,
  }),
  semaphore_timeout: scenario(permits(1), {
    about: "a waiter's time is up; another waits asynchronously, a third blocks",
    processes: [
      async (s: S) => {
        const semaphore = of(s);
        if (await takeAsync(semaphore, 10)) {
          enter();
          exit();
          semaphore.release();
        }
      },
      async (s: S) => {
        const semaphore = of(s);
        await takeAsync(semaphore);
        enter();
        exit();
        semaphore.release();
      },
      works(),
    ],
    early: [0],
    check: finishes,
    bounds: { preemptions: 1, timeouts: 1 },
  }),
  semaphore_reserved: scenario(permits(1), {
    about: "the clock jumps, so that a waiter reserves the permit",
    processes: [works(1, 2), works(), works()],
    check: finishes,
    bounds: { preemptions: 1, jumps: 1 },
  }),
  semaphore_kill: scenario(permits(1), {
    about: "one of 2 is killed; the reaper takes it, too",
    processes: [
      (s: S) => {
        works(1, 2)(s);
        sim.log("value", of(s).value);
      },
      works(),
      (s: S) => {
        reap(s);
        works()(s);
      },
    ],
    victims: [1],
    reaper: 2,
    check: survives,
    bounds: { preemptions: 1 },
  }),
  semaphore_abrupt: scenario(permits(1), {
    about: "a holder ends anywhere: the permit is to be had again",
    processes: [
      (s: S) => {
        const semaphore = of(s);
        take(semaphore);
        semaphore.release();
      },
      (s: S) => {
        const semaphore = of(s);
        take(semaphore);
        semaphore.release();
      },
      (s: S) => {
        reap(s);
        const semaphore = of(s);
        take(semaphore);
        semaphore.release();
        sim.log("value", semaphore.value);
      },
    ],
    victims: [1],
    reaper: 2,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
    check(outcome) {
      if (outcome.killed.length === 0) return unfinished(outcome);
      if (!outcome.processes[2].done) return "the permit is lost: nobody gets it any more";
      return unfinished(outcome) ?? survives(outcome);
    },
  }),
  semaphore_abrupt_reclaim: scenario(permits(1), {
    about:
      "a holder is killed, and the one that finds it dead ends anywhere: somebody alive is told",
    processes: [
      works(),
      (s: S) => {
        const semaphore = of(s);
        take(semaphore);
        sim.log("took");
        semaphore.release();
      },
      (s: S) => reap(s),
      (s: S) => {
        const never = new Int32Array(new SharedArrayBuffer(4));
        while (sim.killed().length < 2) Atomics.wait(never, 0, 0, 10);
        reap(s);
        const semaphore = of(s);
        take(semaphore);
        sim.log("last");
        semaphore.release();
        sim.log("value", semaphore.value);
      },
    ],
    victims: [0, 1],
    reaper: 2,
    polls: 60,
    bounds: { preemptions: 0, kills: 2, cut: "anywhere" },
    check(outcome) {
      if (outcome.killed.length < 2) return;
      if (!outcome.processes[3].done) return "the permit is lost: nobody gets it any more";
      const [value] = outcome.of(3, "value");
      if (value !== 1) return `one permit there is, and value is ${value}`;
      const isInside = outcome.of(0, "enter").length > outcome.of(0, "leave").length;
      const knew = outcome.of(1, "told").length > 0 && outcome.of(1, "took").length > 0;
      const told = [2, 3].flatMap((id) => outcome.of(id, "told")).length;
      if (isInside && told === 0 && !knew) return "two have died, and nobody alive was told";
    },
  }),
};
