// The internal mutex, and critical sections.

import { Mutex } from "../../../lib/liveness/mutex.ts";
import type { Outcome, Scenario, Simulation } from "../kernel/scenario.ts";
import { init, lostWakeUp, pause, type Program, reap, scenario, unfinished } from "./base.ts";

declare const sim: Simulation;
export { init };

interface Words {
  words: SharedArrayBuffer;
}
type S = Program & Words;

function newWords(): Words {
  const words = new SharedArrayBuffer(4);
  sim.label(words, "mutex");
  return { words };
}

/** In the section, the others are outside; one who has died there is, too. */
const section = ({ words: buffer }: S) => {
  new Mutex(new Int32Array(buffer), 0).withLockNoKill(() => {
    for (const id of sim.killed()) sim.set(`inside ${id}`, 0);
    sim.set(`inside ${sim.id}`, 1);
    const inside = [0, 1, 2, 3].filter((id) => sim.get(`inside ${id}`) === 1);
    if (inside.length > 1) sim.fail(`${inside} are in the section at once`);
    pause();
    sim.set(`inside ${sim.id}`, 0);
  });
};

const isFree = ({ shared }: Outcome<S>): boolean => new Int32Array(shared.words)[0] === 0;

export const scenarios: Record<string, Scenario> = {
  mutex_2: scenario(newWords, {
    about: "2 processes, twice each",
    processes: [0, 1].map(() => (s: S) => {
      section(s);
      section(s);
    }),
    check: (outcome) =>
      unfinished(outcome) ?? lostWakeUp(outcome) ?? (isFree(outcome) ? undefined : "not free"),
    bounds: { preemptions: 4 },
  }),
  mutex_3: scenario(newWords, {
    about: "3 processes",
    processes: [section, section, section],
    check: (outcome) =>
      unfinished(outcome) ?? lostWakeUp(outcome) ?? (isFree(outcome) ? undefined : "not free"),
    bounds: { preemptions: 3 },
  }),
  mutex_kill: scenario(newWords, {
    about: "one of 3 is killed: never in the section",
    processes: [section, section, (s: S) => {
      reap(s);
      section(s);
    }],
    victims: [1],
    reaper: 2,
    check: (outcome) =>
      unfinished(outcome) ??
        (outcome.polls === 0 ? undefined : "one slept until it looked by itself") ??
        (isFree(outcome) ? undefined : "not free"),
  }),
  mutex_abrupt: scenario(newWords, {
    about: "one of 3 ends anywhere: the others take the section from it",
    processes: [section, section, section],
    victims: [1],
    check: unfinished,
    bounds: { kills: 1, cut: "anywhere" },
  }),
};
