// Depth first: each run repeats the decisions of the one before up to the last that has an untried
// action, and takes that. The search is cut off at a state that was seen with as many preemptions left.

import type { Program } from "../kernel/environment.ts";
import { type Action, Kernel, type SharedPlaces, type Strategy } from "../kernel/kernel.ts";
import type { Process } from "../kernel/process.ts";
import type { Bounds } from "../kernel/scenario.ts";
import { ModelError } from "../kernel/signals.ts";
import type { SearchResult } from "./result.ts";

/** States that were seen, and the most preemptions that were left there. */
type Seen = Map<number, number>;

class DepthFirst implements Strategy {
  readonly #seen: Seen;
  #own = new Set<number>();
  /** What was decided, of how many actions, in which state. */
  #choices: number[] = [];
  #counts: number[] = [];
  #keys: number[] = [];
  /** So many decisions are repeated. */
  #repeated = 0;
  /** So many were made in this run. */
  #made = 0;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  choose(actions: readonly Action[], kernel: Kernel, current: Process | undefined): number {
    const at = this.#made++;
    if (at < this.#repeated) {
      const isLast = at === this.#repeated - 1;
      if (actions.length !== this.#counts[at] || isLast && kernel.key(current) !== this.#keys[at]) {
        throw new ModelError(`Decision ${at} of a repeated run isn't what it was: ${actions}`);
      }
      return this.#choices[at];
    }
    const key = kernel.key(current), left = kernel.preemptions, known = this.#seen.get(key);
    if (known !== undefined && known >= left) {
      if (this.#own.has(key)) {
        throw new ModelError(`The same state twice in one run, at ${at}: ${actions}`);
      }
      kernel.cut();
    }
    this.#seen.set(key, left);
    this.#own.add(key);
    this.#choices[at] = 0;
    this.#counts[at] = actions.length;
    this.#keys[at] = key;
    return 0;
  }

  /** Prepares the next run; false if there is none. */
  next(): boolean {
    const choices = this.#choices, counts = this.#counts;
    let last = choices.length - 1;
    while (last >= 0 && choices[last] + 1 >= counts[last]) last--;
    choices.length = counts.length = this.#keys.length = last + 1;
    this.#own = new Set(this.#keys);
    this.#repeated = last + 1;
    this.#made = 0;
    if (last < 0) return false;
    choices[last]++;
    return true;
  }
}

/** Searches all schedules of a scenario within the bounds, for so long, or so many steps, at most. */
export function searchDepthFirst(
  program: Program,
  name: string,
  bounds: Bounds,
  seconds: number,
  most = Infinity,
): SearchResult {
  const began = performance.now();
  const places: SharedPlaces = { visible: new Set(), users: new Map() };
  let schedules = 0, steps = 0, states = 0;
  const result = (isComplete: boolean, failure?: SearchResult["failure"]): SearchResult => ({
    ...{ failure, isComplete, schedules, states, steps },
    seconds: (performance.now() - began) / 1000,
  });
  for (;;) {
    const seen: Seen = new Map(), strategy = new DepthFirst(seen);
    let hasGrown = false;
    do {
      if (steps > most || performance.now() - began > seconds * 1000) return result(false);
      const run = new Kernel({ program, name, bounds, strategy, places }).run();
      schedules++;
      steps += run.steps;
      states = seen.size;
      const { failure, schedule, grown } = run;
      if (failure !== undefined) {
        return result(false, { what: failure, schedule, visible: [...places.visible] });
      }
      hasGrown = grown.size > 0;
      for (const place of grown) places.visible.add(place);
      // Who is first matters in one more place: all was seen too coarsely.
    } while (!hasGrown && strategy.next());
    if (!hasGrown) return result(true);
  }
}
