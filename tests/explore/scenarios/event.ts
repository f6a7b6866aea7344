// Event: its waiters go on once it is set.

import { Event } from "../../../lib/sync/event.ts";
import type { Scenario, Simulation } from "../kernel/scenario.ts";
import { finishes, init, type Program, reap, scenario, unfinished } from "./base.ts";
import { objectOf, type Sharing, sharing } from "./shared_object.ts";

declare const sim: Simulation;
export { init };

type S = Program & Sharing;
const of = objectOf<Event>;
const newEvent = sharing(() => new Event(), "event");

export const scenarios: Record<string, Scenario> = {
  event: scenario(newEvent, {
    about: "set, clear, set; one waits on each face",
    processes: [
      (s: S) => void of(s).waitSync(),
      async (s: S) => void await of(s).wait(),
      (s: S) => {
        const event = of(s);
        event.set();
        event.clear();
        event.set();
      },
    ],
    check: finishes,
  }),
  event_2: scenario(newEvent, {
    about: "two set it at once",
    processes: [
      (s: S) => void of(s).waitSync(),
      (s: S) => of(s).set(),
      (s: S) => of(s).set(),
    ],
    check: finishes,
    bounds: { preemptions: 3 },
  }),
  event_pulse: scenario(newEvent, {
    about: "set and cleared at once: who waited by then goes on",
    processes: [
      async (s: S) => {
        const waiting = of(s).wait();
        sim.set("waits", 1);
        await waiting;
      },
      (s: S) => {
        const event = of(s), waits = sim.get("waits") === 1;
        event.set();
        if (waits) event.clear();
      },
    ],
    check: finishes,
    bounds: { preemptions: 3 },
  }),
  event_timeout: scenario(newEvent, {
    about: "a waiter's time is up just as it is set",
    processes: [
      async (s: S) => void sim.log("was set", await of(s).wait({ timeout: 10 })),
      (s: S) => void of(s).waitSync(),
      (s: S) => of(s).set(),
    ],
    early: [0],
    check: finishes,
    bounds: { timeouts: 1 },
  }),
  event_kill: scenario(newEvent, {
    about: "who sets it is killed; another sets it, too",
    processes: [
      async (s: S) => void await of(s).wait(),
      (s: S) => of(s).set(),
      (s: S) => reap(s),
      (s: S) => of(s).set(),
    ],
    victims: [1],
    reaper: 2,
    check: unfinished,
  }),
};
