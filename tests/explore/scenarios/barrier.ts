// Barrier: all parties pass, or it breaks for all.

import { Barrier } from "../../../lib/sync/barrier.ts";
import type { Outcome, Scenario, Simulation } from "../kernel/scenario.ts";
import { finishes, init, isSameSet, type Program, reap, scenario, unfinished } from "./base.ts";
import { objectOf, type Sharing, sharing } from "./shared_object.ts";

declare const sim: Simulation;
export { init };

type S = Program & Sharing;
const of = objectOf<Barrier>;
const barrier = (parties: number) => sharing(() => new Barrier(parties), "barrier");

/** Passes, or sees it broken. */
const tries = (s: S) => {
  try {
    sim.log("passed", of(s).waitSync());
  } catch (error) {
    if ((error as Error).name !== "BrokenBarrierError") throw error;
    sim.log("broken");
  }
};

const triesAsync = async (s: S) => {
  try {
    sim.log("passed", await of(s).wait());
  } catch (error) {
    if ((error as Error).name !== "BrokenBarrierError") throw error;
    sim.log("broken");
  }
};

/** Of those who live all have passed, or for all it was broken, or all wait. */
function allAlike(outcome: Outcome): string | undefined {
  const failed = outcome.processes.find(({ error }) => error !== undefined);
  if (failed !== undefined) return `one failed: ${failed.error}`;
  const [first, , third] = outcome.processes;
  if (first.done !== third.done) return "one goes on, and the other hangs";
  if (!first.done) return outcome.killed.length === 0 ? "all hang" : undefined;
  const alive = [0, 2];
  const passed = alive.flatMap((id) => outcome.of(id, "passed")).length;
  if (passed !== 0 && passed !== 2) return `${passed} passed, and for the other it was broken`;
}

export const scenarios: Record<string, Scenario> = {
  barrier_2: scenario(barrier(2), {
    about: "2 parties, twice",
    processes: [0, 1].map(() => (s: S) => {
      const barrier = of(s);
      sim.log("first", barrier.waitSync());
      sim.log("second", barrier.waitSync());
    }),
    check: (outcome) =>
      finishes(outcome) ??
        (["first", "second"].every((name) => isSameSet(outcome.of(undefined, name), [0, 1]))
          ? undefined
          : "the indices are wrong"),
  }),
  barrier_3: scenario(barrier(3), {
    about: "3 parties, on both faces",
    processes: [tries, triesAsync, tries],
    check: (outcome) =>
      finishes(outcome) ??
        (isSameSet(outcome.of(undefined, "passed"), [0, 1, 2]) ? undefined : "not all passed"),
    bounds: { preemptions: 1 },
  }),
  barrier_timeout: scenario(barrier(2), {
    about: "a party's time is up just as the last one comes",
    processes: [
      async (s: S) => {
        try {
          sim.log("passed", await of(s).wait({ timeout: 10 }));
        } catch (error) {
          if ((error as Error).name !== "BrokenBarrierError") throw error;
          sim.log("broken");
        }
      },
      tries,
    ],
    early: [0],
    bounds: { timeouts: 1 },
    check: (outcome) =>
      unfinished(outcome) ??
        (outcome.of(undefined, "passed").length === 1 ? "one passed, the other didn't" : undefined),
  }),
  barrier_abort: scenario(barrier(3), {
    about: "aborted while two wait or arrive",
    processes: [tries, (s: S) => of(s).abort(), triesAsync],
    check: (outcome) => finishes(outcome) ?? allAlike(outcome),
  }),
  barrier_kill: scenario(barrier(3), {
    about: "one of 3 is killed",
    processes: [tries, (s: S) => void of(s).waitSync(), tries, (s: S) => reap(s)],
    victims: [1],
    reaper: 3,
    check: allAlike,
    bounds: { preemptions: 1, kills: 1 },
  }),
  barrier_abrupt: scenario(barrier(3), {
    about: "one of 3 ends anywhere",
    processes: [tries, (s: S) => void of(s).waitSync(), tries, (s: S) => reap(s)],
    victims: [1],
    reaper: 3,
    check: allAlike,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
  }),
  barrier_abrupt_tasks: scenario(barrier(3), {
    about: "the same with two tasks of one process, and one that ends anywhere",
    processes: [
      async (s: S) => void await Promise.all([triesAsync(s), triesAsync(s)]),
      (s: S) => void of(s).waitSync(),
      (s: S) => reap(s),
    ],
    victims: [1],
    reaper: 2,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
    check(outcome) {
      const failed = outcome.processes.find(({ error }) => error !== undefined);
      if (failed !== undefined) return `one failed: ${failed.error}`;
      const passed = outcome.of(0, "passed").length, broken = outcome.of(0, "broken").length;
      if (passed + broken === 1) return "one task goes on, and the other waits for ever";
      if (passed === 1) return "one task passed, and for the other it was broken";
    },
  }),
};
