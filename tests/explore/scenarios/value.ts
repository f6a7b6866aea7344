// Value and SharedArray: no update is lost, and no update of a process that dies is half done.

import { SharedArray } from "../../../lib/sync/shared_array.ts";
import { Value } from "../../../lib/sync/value.ts";
import type { Scenario, Simulation } from "../kernel/scenario.ts";
import { finishes, init, type Program, reap, scenario, unfinished } from "./base.ts";
import { objectOf, type Sharing, sharing } from "./shared_object.ts";

declare const sim: Simulation;
export { init };

type S = Program & Sharing;

/** Logs the value of one that is done, for the check. */
const increments = (times = 1) => (s: S) => {
  const value = objectOf<Value<"i32">>(s);
  for (let i = 0; i < times; i++) value.update((n) => n + 1);
  sim.log("value", value.value);
};

const lastIs = (wanted: number) => (values: unknown[]) =>
  Math.max(...values as number[]) === wanted ? undefined : `${wanted} are counted as ${values}`;

export const scenarios: Record<string, Scenario> = {
  value_update: scenario(sharing(() => new Value("i32"), "value"), {
    about: "update() of 2 processes, twice each",
    processes: [increments(2), increments(2)],
    check: (outcome) => finishes(outcome) ?? lastIs(4)(outcome.of(undefined, "value")),
  }),
  value_add: scenario(sharing(() => new Value("u8"), "value"), {
    about: "add() of 3 processes",
    processes: [1, 2, 4].map((n) => (s: S) => {
      const value = objectOf<Value<"u8">>(s);
      value.add(n);
      sim.log("value", value.value);
    }),
    check: (outcome) => finishes(outcome) ?? lastIs(7)(outcome.of(undefined, "value")),
    bounds: { preemptions: 3 },
  }),
  value_float: scenario(sharing(() => new Value("f64"), "value"), {
    about: "update() of a float",
    processes: [0, 1].map(() => (s: S) => {
      const value = objectOf<Value<"f64">>(s);
      value.update((n) => n + 0.5);
      sim.log("value", value.update((n) => n));
    }),
    check: (outcome) => finishes(outcome) ?? lastIs(1)(outcome.of(undefined, "value")),
  }),
  value_kill: scenario(sharing(() => new Value("i32"), "value"), {
    about: "one is killed in update(): the others go on, once one of them was told",
    processes: [
      (s: S) => {
        const value = objectOf<Value<"i32">>(s);
        for (let left = 1; left > 0;) {
          try {
            value.update((n) => n + 1);
            left--;
          } catch (error) {
            if ((error as Error).name !== "AbandonedLockError") throw error;
            sim.log("told");
          }
        }
        sim.log("value", value.value);
      },
      (s: S) => void objectOf<Value<"i32">>(s).update((n) => n + 1),
      (s: S) => reap(s),
    ],
    victims: [1],
    reaper: 2,
    check: (outcome) =>
      unfinished(outcome) ??
        (outcome.of(undefined, "told").length > 1 ? "told more than once" : undefined),
  }),
  shared_array: scenario(sharing(() => new SharedArray("i16", 2), "array"), {
    about: "update() of two elements by 2 processes",
    processes: [0, 1].map(() => (s: S) => {
      const array = objectOf<SharedArray<"i16">>(s);
      sim.log("first", array.update(0, (n) => n + 1));
      sim.log("second", array.update(1, (n) => n + 10));
    }),
    check: (outcome) =>
      finishes(outcome) ?? lastIs(2)(outcome.of(undefined, "first")) ??
        lastIs(20)(outcome.of(undefined, "second")),
  }),
};
