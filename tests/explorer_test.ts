// The explorer itself, on programs written for it by hand: it finds the bugs they have, and nothing where there
// are none. Its use on the library is described in docs/explorer.md and runs in `deno task explore`.

import { NAMES, type Program } from "./explore/kernel/environment.ts";
import type { Bounds, Scenario, Shared, Simulation } from "./explore/kernel/scenario.ts";
import { ModelError } from "./explore/kernel/signals.ts";
import { searchDepthFirst } from "./explore/search/depth_first.ts";
import { searchRandomly } from "./explore/search/random.ts";
import { replay, shrink } from "./explore/search/replay.ts";

type Step = Generator<unknown, number, unknown>;

/** Operations that may have to wait for their turn, as transformed code does them. */
interface Steps {
  load(words: Int32Array, index: number): Step;
  store(words: Int32Array, index: number, value: number): Step;
  add(words: Int32Array, index: number, value: number): Step;
  exchange(words: Int32Array, index: number, value: number): Step;
  wait(words: Int32Array, index: number, value: number, timeout?: number): Step;
  notify(words: Int32Array, index: number, count?: number): Step;
}

interface Environment {
  $AG: Steps;
  $r(site: number, words: Int32Array, index: number): number;
  $w(site: number, words: Int32Array, index: number, value: number): void;
  sim: Simulation;
  SharedArrayBuffer: SharedArrayBufferConstructor;
}

interface Words extends Shared {
  words: Int32Array;
}

type Main = (words: Int32Array) => Generator<unknown, void, unknown>;

/** A program of processes that share some words. */
function program(
  about: (
    environment: Environment,
  ) => Partial<Omit<Scenario<Words>, "processes">> & { processes: Main[] },
): Program {
  const factory = (...values: unknown[]) => {
    const environment = Object.fromEntries(NAMES.map((name, i) => [name, values[i]]));
    const { SharedArrayBuffer } = environment as unknown as Environment;
    const { processes, ...rest } = about(environment as unknown as Environment);
    const scenario: Scenario<Words> = {
      about: "a test",
      setup: () => ({ controls: [], words: new Int32Array(new SharedArrayBuffer(16)) }),
      processes: processes.map((main) => ({ words }: Words) => main(words)),
      check: ({ processes }) => {
        const stuck = processes.findIndex(({ done, dead }) => !done && !dead);
        return stuck < 0 ? undefined : `P${stuck} hangs`;
      },
      ...rest,
    };
    return { scenarios: { it: scenario }, init() {} };
  };
  return { factory, sites: ["a.ts:1:1 read", "a.ts:2:1 write", "b.ts:1:1 write"] };
}

const usual: Bounds = { preemptions: 2, kills: 0, cut: "outside", timeouts: 0, jumps: 0 };
const search = (made: Program, bounds: Partial<Bounds> = {}) =>
  searchDepthFirst(made, "it", { ...usual, ...bounds }, 30);

function equal(actual: unknown, expected: unknown): void {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${a} instead of ${b}`);
}

/** Looks at a flag and then sleeps: `value` is what the word must hold for that. */
const sleeper = ({ $AG }: Environment, value: number | "as it is now"): Main =>
  function* (words) {
    if ((yield* $AG.load(words, 0)) !== 0) return;
    const expected = value === "as it is now" ? yield* $AG.load(words, 1) : value;
    yield* $AG.wait(words, 1, expected);
  };

const waker = ({ $AG }: Environment): Main =>
  function* (words) {
    yield* $AG.store(words, 0, 1);
    yield* $AG.add(words, 1, 1);
    yield* $AG.notify(words, 1, 1);
  };

const lostWakeUp = () =>
  program((environment) => ({
    processes: [sleeper(environment, "as it is now"), waker(environment)],
  }));

Deno.test("a lost wake-up is found, and not where the value is checked", () => {
  equal(search(lostWakeUp()).failure?.what, "P0 hangs");
  const right = program((environment) => ({
    processes: [sleeper(environment, 0), waker(environment)],
  }));
  const { failure, isComplete, schedules } = search(right, { preemptions: Infinity });
  equal([failure, isComplete, schedules > 3], [undefined, true, true]);
});

Deno.test("the schedule that was found fails again in the same way, and so does the shortest", () => {
  const made = lostWakeUp();
  const { failure } = search(made);
  equal(replay(made, "it", usual, failure!).failure, "P0 hangs");
  const shortest = shrink(made, "it", usual, failure!);
  equal(shortest.schedule.length <= failure!.schedule.length, true);
  const again = replay(made, "it", usual, shortest, true);
  equal(again.failure, "P0 hangs");
  equal(/P1 .*store.*\n[^]*P0 .*sleeps/.test(again.trace!), true);
});

Deno.test("a lost wake-up is found by chance, and a seed is a schedule", () => {
  for (const kind of ["random", "pct"] as const) {
    const found = searchRandomly(lostWakeUp(), "it", usual, { kind, seed: 1, seconds: 20 });
    equal(found.failure?.what, "P0 hangs");
    const options = { kind, seed: found.seed, seconds: 20, most: 1 };
    equal(searchRandomly(lostWakeUp(), "it", usual, options).failure, found.failure);
  }
});

Deno.test("a lost update is found, and the data race of plain accesses", () => {
  const made = program(({ $AG, $r, $w, sim }) => {
    const increment: Main = function* (words) {
      const value = yield* $AG.load(words, 0);
      $w(1, words, 2, $r(0, words, 2) + 1);
      yield* $AG.store(words, 0, value + 1);
      sim.log("value", value + 1);
    };
    return {
      processes: [increment, increment],
      check: ({ of }) => of(undefined, "value").includes(2) ? undefined : "an update was lost",
    };
  });
  equal(search(made, { preemptions: 1 }).failure?.what, "an update was lost");
  equal(search(made, { preemptions: 0 }).failure, undefined);
  const races = new Map<string, number>();
  searchRandomly(made, "it", usual, { kind: "random", seed: 1, seconds: 20, most: 100, races });
  equal([...races.keys()].some((race) => /a\.ts:2:1 write \(plain\)/.test(race)), true);
});

Deno.test("what is ordered by Atomics is no data race", () => {
  const made = program(({ $AG, $r, $w }) => ({
    processes: [
      function* (words) {
        $w(1, words, 2, 7);
        yield* $AG.store(words, 0, 1);
      },
      function* (words) {
        if ((yield* $AG.load(words, 0)) === 1) $r(0, words, 2);
      },
    ],
  }));
  const races = new Map<string, number>();
  searchRandomly(made, "it", usual, { kind: "random", seed: 1, seconds: 20, most: 200, races });
  equal([...races], []);
});

Deno.test("a deadlock of two locks is found, and not where all take them in one order", () => {
  const made = (order: number[][]) =>
    program(({ $AG }) => {
      function* lock(words: Int32Array, at: number): Generator<unknown, void, unknown> {
        while ((yield* $AG.exchange(words, at, 1)) !== 0) yield* $AG.wait(words, at, 1);
      }
      function* unlock(words: Int32Array, at: number): Generator<unknown, void, unknown> {
        yield* $AG.store(words, at, 0);
        yield* $AG.notify(words, at);
      }
      return {
        processes: order.map(([first, second]): Main =>
          function* (words) {
            yield* lock(words, first);
            yield* lock(words, second);
            yield* unlock(words, second);
            yield* unlock(words, first);
          }
        ),
      };
    });
  equal(search(made([[0, 1], [1, 0]])).failure?.what, "P0 hangs");
  const { failure, isComplete } = search(made([[0, 1], [0, 1]]), { preemptions: 3 });
  equal([failure, isComplete], [undefined, true]);
});

Deno.test("a process is killed at each step, and nobody hangs only where that is provided for", () => {
  const made = program(({ $AG, sim }) => ({
    processes: [
      function* (words) {
        yield* $AG.store(words, 0, 1);
        yield* $AG.store(words, 0, 0);
      },
      function* (words) {
        if ((yield* $AG.load(words, 0)) === 1) sim.log("held by the dead one");
      },
    ],
    victims: [0],
    reaper: 1,
    check: ({ of, killed }) =>
      killed.length > 0 && of(1, "held by the dead one").length > 0 ? "it died with it" : undefined,
  }));
  equal(search(made, { kills: 1 }).failure?.what, "it died with it");
  equal(search(made, { kills: 0 }).failure, undefined);
});

Deno.test("time passes when all sleep, and earlier where that is allowed", () => {
  const made = program(({ $AG, sim }) => ({
    processes: [
      function* (words) {
        const result: unknown = yield* $AG.wait(words, 0, 0, 10);
        sim.log("woken", result);
      },
      function* (words) {
        yield* $AG.store(words, 0, 1);
        yield* $AG.notify(words, 0);
      },
    ],
    early: [0],
    check: ({ of }) => of(0, "woken")[0] === "timed-out" ? "its time was up" : undefined,
  }));
  equal(search(made).failure, undefined);
  equal(search(made, { timeouts: 1 }).failure?.what, "its time was up");
});

Deno.test("a program whose steps don't follow from what it has seen is an error of the model", () => {
  let runs = 0;
  const made = program(({ $AG }) => ({
    processes: [
      function* (words) {
        for (let i = 0; i <= runs % 3; i++) yield* $AG.add(words, 0, 1);
        runs++;
      },
      function* (words) {
        yield* $AG.add(words, 0, 1);
      },
    ],
  }));
  let error: unknown;
  try {
    search(made, { preemptions: 3 });
  } catch (thrown) {
    error = thrown;
  }
  equal(error instanceof ModelError, true);
});
