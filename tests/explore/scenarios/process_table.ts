// The process table: which entries are alive, and which owner each has. Freed entries are taken again at once
// here (MANY is 1: see program.ts).

import { Mutex } from "../../../lib/liveness/mutex.ts";
import { ownProcessTable } from "../../../lib/liveness/membership.ts";
import type { Ref } from "../../../lib/liveness/process_table.ts";
import type { Outcome, Scenario, Simulation } from "../kernel/scenario.ts";
import { init, lostWakeUp, type Program, reap, scenario, unfinished } from "./base.ts";

declare const sim: Simulation;
export { init };

type S = Program & { end: Ref };
const nothing = () => ({ end: { index: 0, generation: 0 } });

/** Takes an entry and gives it back, some times; nobody else has it meanwhile. */
const enrolls = (times: number) => (s: S) => {
  const processTable = ownProcessTable();
  for (let i = 0; i < times; i++) {
    const ref = processTable.register(s.refs[sim.id]);
    if (sim.add(`entry ${ref.index}`, 1) > 1) sim.fail(`entry ${ref.index} is taken twice`);
    if (!processTable.isAlive(ref)) sim.fail(`what was registered isn't alive`);
    sim.add(`entry ${ref.index}`, -1);
    processTable.remove(ref);
    if (processTable.isAlive(ref)) sim.fail(`what was removed is alive`);
  }
};

function newEnd(program: Program): { end: Ref } {
  const processTable = ownProcessTable();
  // The new owner is of another generation than the old one.
  for (let i = 0; i < 2; i++) {
    processTable.remove(program.refs[2]);
    program.refs[2] = processTable.registerProcess("P2");
  }
  return { end: processTable.register(program.refs[1]) };
}

const check = (outcome: Outcome) => unfinished(outcome) ?? lostWakeUp(outcome);

export const scenarios: Record<string, Scenario> = {
  process_table_register: scenario(nothing, {
    about: "3 processes register something and remove it",
    processes: [enrolls(1), enrolls(1), enrolls(1)],
    check,
  }),
  process_table_again: scenario(nothing, {
    about: "2 processes, three times each: entries are taken again",
    processes: [enrolls(3), enrolls(3)],
    check,
  }),
  process_table_hand_on: scenario(newEnd, {
    about: "an end is handed on and its old owner removed, while another looks whether it is alive",
    processes: [
      ({ end }: S) => {
        for (let i = 0; i < 2; i++) {
          if (!ownProcessTable().isAlive(end)) {
            sim.fail("an end that was handed on in time counts as dead");
          }
        }
      },
      ({ end, refs }: S) => {
        new Mutex(new Int32Array(new SharedArrayBuffer(4)), 0).withLockNoKill(() =>
          ownProcessTable().reparent(end, refs[2])
        );
        ownProcessTable().reap(refs[1]);
      },
      () => {},
    ],
    check,
    bounds: { preemptions: 3 },
  }),
  process_table_lost: scenario(newEnd, {
    about: "two reap who has died and what belongs to it, at once",
    processes: [
      ({ refs }: S) => ownProcessTable().reap(refs[1]),
      () => {},
      ({ end, refs }: S) => {
        const processTable = ownProcessTable();
        processTable.reap(refs[1]);
        if (processTable.isAlive(end)) sim.fail("what belonged to the dead one is alive");
        const [a, b] = [processTable.registerProcess("a"), processTable.registerProcess("b")];
        if (a.index === b.index) sim.fail(`entry ${a.index} is taken twice`);
      },
    ],
    check,
  }),
  process_table_abrupt: scenario(nothing, {
    about: "one ends anywhere while it registers and removes: the table works",
    processes: [
      ({ refs }: S) => {
        const processTable = ownProcessTable(), taken = new Set<number>();
        for (let i = 0; i < 4; i++) {
          const ref = processTable.register(refs[0]);
          if (!processTable.isAlive(ref)) sim.fail("what was registered isn't alive");
          if (taken.has(ref.index)) sim.fail(`entry ${ref.index} is taken twice`);
          taken.add(ref.index);
        }
      },
      ({ refs }: S) => {
        const processTable = ownProcessTable();
        const [a, b] = [processTable.register(refs[1]), processTable.register(refs[1])];
        processTable.remove(a);
        processTable.remove(b);
      },
      (s: S) => reap(s),
    ],
    victims: [1],
    reaper: 2,
    check: unfinished,
    bounds: { preemptions: 1, kills: 1, cut: "anywhere" },
  }),
};
