// Replays a schedule, and shortens it.

import type { Program } from "../kernel/environment.ts";
import {
  type Action,
  Kernel,
  type RunResult,
  type Schedule,
  type Strategy,
} from "../kernel/kernel.ts";
import type { Bounds } from "../kernel/scenario.ts";
import { ModelError } from "../kernel/signals.ts";
import type { Failure } from "./result.ts";

class Script implements Strategy {
  readonly #schedule: ReadonlyMap<number, Action>;

  constructor(schedule: Schedule) {
    this.#schedule = new Map(schedule);
  }

  choose(actions: readonly Action[], kernel: Kernel): number {
    const wanted = this.#schedule.get(kernel.decisions);
    return wanted === undefined ? 0 : Math.max(0, actions.indexOf(wanted));
  }
}

/** Runs a schedule. */
export function replay(
  program: Program,
  name: string,
  bounds: Bounds,
  { schedule, visible }: Pick<Failure, "schedule" | "visible">,
  traced = false,
): RunResult {
  const places = visible.length === 0
    ? undefined
    : { visible: new Set(visible), users: new Map<number, number>() };
  const unbounded = { ...bounds, preemptions: Infinity };
  const strategy = new Script(schedule);
  return new Kernel({ program, name, bounds: unbounded, strategy, places, traced }).run();
}

/** The shortest schedule with the same failure that leaving out decisions leads to. */
export function shrink(program: Program, name: string, bounds: Bounds, failure: Failure): Failure {
  const attempt = (schedule: Schedule): RunResult | undefined => {
    const run = replay(program, name, bounds, { ...failure, schedule });
    return run.failure === failure.what ? run : undefined;
  };
  const first = attempt(failure.schedule);
  if (first === undefined) {
    throw new ModelError(
      `${name}: the schedule that was found doesn't lead to the same failure again.`,
    );
  }
  let best = first;
  for (let isShorter = true; isShorter;) {
    isShorter = false;
    for (let size = Math.max(1, best.schedule.length >> 1); size >= 1; size >>= 1) {
      for (let at = 0; at < best.schedule.length;) {
        const { schedule } = best;
        const run = attempt([...schedule.slice(0, at), ...schedule.slice(at + size)]);
        if (run !== undefined && isBetter(run, best)) {
          best = run;
          isShorter = true;
        } else at += size;
      }
    }
  }
  return { ...failure, schedule: best.schedule };
}

function isBetter(run: RunResult, best: RunResult): boolean {
  const less = run.schedule.length - best.schedule.length;
  return less < 0 || less === 0 && run.steps < best.steps;
}
