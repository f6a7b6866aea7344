// One job of the explorer, as a worker gets it, and its result.

import { programOf, type Version } from "./program.ts";
import type { Program } from "./kernel/environment.ts";
import type { Bounds } from "./kernel/scenario.ts";
import { searchDepthFirst } from "./search/depth_first.ts";
import { searchRandomly } from "./search/random.ts";
import { replay, shrink } from "./search/replay.ts";
import type { Failure, SearchResult } from "./search/result.ts";
import type { Edit } from "./transform/edit.ts";

/** How a scenario is searched. */
export interface Job {
  readonly file: string;
  readonly name: string;
  readonly bounds: Bounds;
  readonly seconds: number;
  /**
   * The most steps of all processes in all schedules: unlike seconds, the same on any machine. Then those
   * by chance come first, and then those with fewer preemptions, as most failures are among them.
   */
  readonly steps?: number;
  /** Depth first, unless by chance from a seed on. */
  readonly chance?: { readonly kind: "random" | "pct"; readonly seed: number };
  /** So many schedules by chance look for data races. */
  readonly raceRuns?: number;
  readonly lib?: string;
  readonly edits?: readonly Edit[];
}

/** A failure that can be replayed: what `--replay` reads. */
export interface Counterexample extends Failure {
  readonly file: string;
  readonly scenario: string;
  readonly bounds: Bounds;
  readonly lib?: string;
  readonly edits?: readonly Edit[];
}

/** What came of a job. */
export interface Report extends Omit<SearchResult, "failure"> {
  readonly counterexample: Counterexample | undefined;
  readonly trace: string | undefined;
  readonly seed: number | undefined;
  /** Data races, and how often each was seen. */
  readonly races: readonly (readonly [string, number])[];
}

/** All schedules without a preemption, then those with one, and so on: how far they go together. */
function searchByPreemptions(
  program: Program,
  name: string,
  bounds: Bounds,
  seconds: number,
  most: number,
): SearchResult {
  let schedules = 0, steps = 0, passed = 0;
  for (let preemptions = 0;; preemptions++) {
    const part = { ...bounds, preemptions: Math.min(preemptions, bounds.preemptions) };
    const result = searchDepthFirst(program, name, part, seconds - passed, most - steps);
    schedules += result.schedules;
    steps += result.steps;
    passed += result.seconds;
    if (result.failure !== undefined || !result.isComplete || preemptions >= bounds.preemptions) {
      return { ...result, schedules, steps, seconds: passed };
    }
  }
}

/** Does a job. */
export async function work(job: Job): Promise<Report> {
  const { file, name, bounds, seconds, steps, chance, lib, edits } = job;
  const version: Version = { lib, edits };
  const program = await programOf(file, bounds.cut === "checkpoints", version);
  const races = new Map<string, number>();
  const byChance = (seconds: number) =>
    searchRandomly(program, name, bounds, {
      ...{ kind: "random", seed: 1, seconds, most: job.raceRuns ?? 0, races },
    });
  if (steps !== undefined) {
    // A few by chance, of any number of preemptions, find much that is deep.
    const first = byChance(seconds);
    if (first.failure !== undefined) return reportOf(first, first.failure, first.seed);
    const { failure, ...rest } = searchByPreemptions(program, name, bounds, seconds, steps);
    return reportOf(rest, failure, undefined);
  }
  const result: SearchResult & { seed?: number } = chance === undefined
    ? searchDepthFirst(program, name, bounds, seconds)
    : searchRandomly(program, name, bounds, { ...chance, seconds, races });
  const { failure, ...rest } = result;
  if (failure === undefined && job.raceRuns !== undefined) {
    const more = byChance(5);
    if (more.failure !== undefined) return reportOf(more, more.failure, more.seed);
  }
  return reportOf(rest, failure, result.seed);

  function reportOf(
    { schedules, states, steps, isComplete, seconds }: Omit<SearchResult, "failure">,
    failure: Failure | undefined,
    seed: number | undefined,
  ): Report {
    const shortest = failure && shrink(program, name, bounds, failure);
    return {
      ...{ schedules, states, steps, isComplete, seconds, seed },
      counterexample: shortest && { ...shortest, file, scenario: name, bounds, lib, edits },
      trace: shortest && replay(program, name, bounds, shortest, true).trace,
      races: [...races],
    };
  }
}

/** Runs a counterexample again: what it fails with, and its trace. */
export async function rerun(
  { file, scenario, bounds, lib, edits, schedule, visible }: Counterexample,
): Promise<{ failure: string | undefined; trace: string }> {
  const program = await programOf(file, bounds.cut === "checkpoints", { lib, edits });
  const { failure, trace } = replay(program, scenario, bounds, { schedule, visible }, true);
  return { failure, trace: trace! };
}
