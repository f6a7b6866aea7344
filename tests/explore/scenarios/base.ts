// Parts that all scenarios share: processes with control blocks and entries in one process table, and the usual
// checks of an outcome.

import { adoptControl, ControlBlock } from "../../../lib/liveness/control_block.ts";
import { setMayEndAnywhere } from "../../../lib/liveness/mutex.ts";
import { adoptPlace, ownProcessTable } from "../../../lib/liveness/membership.ts";
import type { Ref } from "../../../lib/liveness/process_table.ts";
import { SharedProcessTable } from "../../../lib/liveness/shared_table.ts";
import { recheckEverywhere } from "../../../lib/wait/eventcount.ts";
import type { Outcome, Scenario, Shared, Simulation } from "../kernel/scenario.ts";

declare const sim: Simulation;

/** A program of some processes. */
export interface Program extends Shared {
  processTable: SharedArrayBuffer;
  refs: Ref[];
}

/** Makes one; objects are made in the name of the first process. */
export function newProgram(count: number): Program {
  const processTable = SharedProcessTable.make();
  sim.label(processTable.shares, "process table");
  const refs: Ref[] = [], controls: Int32Array[] = [];
  for (let i = 0; i < count; i++) {
    refs.push(processTable.registerProcess(`P${i}`));
    const control = new ControlBlock().words;
    sim.label(control, `control${i}`);
    controls.push(control);
  }
  adoptPlace(processTable.shares, refs[0]);
  return { processTable: processTable.shares, refs, controls };
}

/** The first step of each process. */
export function init(shared: Shared, id: number): void {
  const { controls, processTable, refs } = shared as Program;
  adoptControl(controls[id]);
  adoptPlace(processTable, refs[id]);
  setMayEndAnywhere(sim.endsAnywhere().includes(id));
}

/** What the host of those that were killed does when they are gone. */
export function reap({ refs }: Program): void {
  for (const id of sim.killed()) ownProcessTable().reap(refs[id]);
  recheckEverywhere();
}

/** A scenario whose processes have what `share` adds to their program. */
export function scenario<T extends object>(
  share: (program: Program) => T,
  rest: Omit<Scenario<Program & T>, "setup">,
): Scenario {
  const setup = (count: number) => {
    const program = newProgram(count);
    return Object.assign(program, share(program));
  };
  return { setup, ...rest } as unknown as Scenario;
}

/** Who has failed, or hangs. */
export function unfinished({ processes }: Outcome): string | undefined {
  for (const [i, { dead, done, error }] of processes.entries()) {
    if (dead) continue;
    if (error !== undefined) return `P${i} failed with ${error.name}: ${error.message}`;
    if (!done && !isWaitingForDeath(processes, i)) return `P${i} hangs`;
  }
}

/** A reaper that has not had to start. */
function isWaitingForDeath(processes: Outcome["processes"], i: number): boolean {
  return !processes[i].started && processes.every(({ dead }) => !dead);
}

/** A waiter that only looked by itself, after its 20 ms or its second, had slept on. */
export function lostWakeUp({ killed, polls }: Outcome): string | undefined {
  if (killed.length === 0 && polls > 0) {
    return "a wake-up was lost: a waiter slept until it looked by itself";
  }
}

/** All finish, and nobody had to look by itself. */
export function finishes(outcome: Outcome): string | undefined {
  return unfinished(outcome) ?? lostWakeUp(outcome);
}

/** Whether two lists have the same elements. */
export function isSameSet(a: readonly unknown[], b: readonly unknown[]): boolean {
  return [...a].sort().join() === [...b].sort().join();
}

let nobody: Int32Array | undefined;

/** A step at which others may go on, always: nobody sleeps on this word. */
export function pause(): void {
  nobody ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.notify(nobody, 0);
}

/** Between enter() and exit(): `most` at a time, not counting who has died there. */
export function enter(most = 1): void {
  for (const id of sim.killed()) sim.set(`inside ${id}`, 0);
  sim.set(`inside ${sim.id}`, 1);
  sim.log("enter");
  let inside = 0;
  for (let id = 0; id < 8; id++) inside += sim.get(`inside ${id}`);
  if (inside > most) sim.fail(`${inside} are inside at once`);
}

export function exit(): void {
  pause();
  sim.set(`inside ${sim.id}`, 0);
  sim.log("leave");
}
