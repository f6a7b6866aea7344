// Random schedules: uniform, or by random priorities of the processes that change a few times in a
// run (PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic
// Guarantees of Finding Bugs", 2010). For scenarios that are too large to be searched.

import type { Program } from "../kernel/environment.ts";
import { type Action, Kernel, type Strategy } from "../kernel/kernel.ts";
import type { Process } from "../kernel/process.ts";
import type { Bounds } from "../kernel/scenario.ts";
import type { SearchResult } from "./result.ts";

/** How likely a process that could go on has to stop. */
const SWITCH = 0.15;
/** How likely a kill, a timeout or a jump is where one is possible. */
const SPECIAL = 0.02;
/** How often the priorities change, and in so many decisions. */
const CHANGES = 3, LENGTH = 300;

/** A generator of numbers from 0 to 1 (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = state + 0x6D2B79F5 | 0;
    let x = Math.imul(state ^ state >>> 15, 1 | state);
    x = x + Math.imul(x ^ x >>> 7, 61 | x) ^ x;
    return ((x ^ x >>> 14) >>> 0) / 2 ** 32;
  };
}

/** Any action, with the same chance. */
export class Uniform implements Strategy {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = generator(seed);
  }

  choose(actions: readonly Action[], _kernel: Kernel, current: Process | undefined): number {
    if (current !== undefined && this.#random() >= SWITCH) return 0;
    return Math.floor(this.#random() * actions.length);
  }
}

/** The process with the highest priority; at some decisions the current one gets the lowest. */
export class Priorities implements Strategy {
  readonly #random: () => number;
  readonly #changes: Set<number>;
  readonly #priorities: number[] = [];
  #lowest = 0;

  constructor(seed: number) {
    const random = this.#random = generator(seed);
    this.#changes = new Set(Array.from({ length: CHANGES }, () => Math.floor(random() * LENGTH)));
  }

  choose(actions: readonly Action[], kernel: Kernel, current: Process | undefined): number {
    if (current !== undefined && this.#changes.has(kernel.decisions)) {
      this.#priorities[current.id] = --this.#lowest;
    }
    const special = [...actions.keys()].filter((i) => typeof actions[i] === "string");
    if (special.length === actions.length || special.length > 0 && this.#random() < SPECIAL) {
      return special[Math.floor(this.#random() * special.length)];
    }
    let best = 0, highest = -Infinity;
    for (const [i, action] of actions.entries()) {
      if (typeof action !== "number") continue;
      const priority = this.#priorities[action] ??= 1 + this.#random();
      if (priority > highest) {
        highest = priority;
        best = i;
      }
    }
    return best;
  }
}

/** How a random search is made. */
export interface RandomOptions {
  readonly kind: "random" | "pct";
  readonly seed: number;
  readonly seconds: number;
  readonly most?: number;
  /** Where data races are noted. */
  readonly races?: Map<string, number>;
}

/** Runs schedules by chance, for so long. */
export function searchRandomly(
  program: Program,
  name: string,
  bounds: Bounds,
  options: RandomOptions,
): SearchResult & { readonly seed: number } {
  const began = performance.now();
  const { kind, seconds, most = Infinity, races } = options;
  const unbounded = { ...bounds, preemptions: Infinity };
  let schedules = 0, steps = 0, { seed } = options;
  for (;; seed++) {
    const passed = (performance.now() - began) / 1000;
    const isOver = passed > seconds || schedules >= most;
    if (isOver) {
      return {
        ...{ failure: undefined, isComplete: false, schedules, states: 0, steps },
        seconds: passed,
        seed,
      };
    }
    const strategy = kind === "pct" ? new Priorities(seed) : new Uniform(seed);
    const run = new Kernel({ program, name, bounds: unbounded, strategy, races }).run();
    schedules++;
    steps += run.steps;
    if (run.failure === undefined) continue;
    const failure = { what: run.failure, schedule: run.schedule, visible: [] };
    return {
      ...{ failure, isComplete: false, schedules, states: 0, steps },
      seconds: passed,
      seed,
    };
  }
}
