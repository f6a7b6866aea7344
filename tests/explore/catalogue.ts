// The list of all scenarios, by file, and the bounds of the search for each.

import { programOf, type Version } from "./program.ts";
import type { Bounds, Scenario } from "./kernel/scenario.ts";
import { Kernel } from "./kernel/kernel.ts";

/** The files in scenarios/ that hold scenarios. */
export const files = [
  ...["queue", "pipe", "lock", "semaphore", "event", "condition", "barrier", "value"],
  ...["mutex", "process_table", "host", "leases", "naps"],
];

/** A scenario, and where it is. */
export interface Entry {
  readonly file: string;
  readonly name: string;
  readonly about: string;
  readonly bounds: Bounds;
  readonly isLong: boolean;
}

/** All scenarios. */
export async function catalogue(version: Version = {}): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const file of files) {
    const program = await programOf(file, false, version);
    for (const [name, scenario] of Object.entries(Kernel.scenariosOf(program))) {
      entries.push({ file, name, ...describe(scenario) });
    }
  }
  return entries;
}

function describe(scenario: Scenario): Omit<Entry, "file" | "name"> {
  const { about, bounds, victims, long = false } = scenario;
  const usual: Bounds = {
    preemptions: 2,
    kills: victims === undefined ? 0 : 1,
    cut: "outside",
    timeouts: 0,
    jumps: 0,
  };
  return { about, bounds: { ...usual, ...bounds }, isLong: long };
}
