// The explorer's settings for this project: which modules never see shared memory, which have models,
// and the constants that are made smaller, so that small scenarios reach states that take thousands of
// operations otherwise. A name that is missing is an error.

import { link, type LinkOptions } from "./transform/link.ts";
import type { Edit } from "./transform/edit.ts";
import type { Program } from "./kernel/environment.ts";

const here = import.meta.dirname!;

/** The root of the project. */
export const root: string = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/** Modules that work on memory of their own only. */
const PURE = [
  "lib/codec/",
  "lib/errors.ts",
  "lib/validate/describe.ts",
  "lib/validate/options.ts",
  "lib/validate/",
];

/** By file and name. */
const SMALLER: Record<string, Record<string, number>> = {
  // How often a held mutex is looked at, and after how many slices its holder counts as dead.
  "lib/liveness/mutex.ts": { SPINS: 1, ENDED_SLICES: 2, NEVER_TRUE_SLICES: 3 },
  // Time only: calls for which there has to be room on the stack. And tasks sleep, and have no nap before.
  "lib/wait/eventcount.ts": { STACK_NEEDED: 1, MAX_VAIN_NAPS: 0 },
  "lib/wait/broadcast.ts": { STACK_NEEDED: 1 },
  // Memory only: what a run costs is mostly the making of it.
  "lib/shm/scratch.ts": { SCRATCH_BYTES: 256 },
  "lib/codec/writer.ts": { MIN_BYTES: 256 },
  "lib/liveness/shared_table.ts": { MAX_BYTES: 1 << 14 },
  // Nobody reads what is waited for.
  "lib/liveness/membership.ts": { HAS_BOARD: 0 },
  "lib/wait/wait_records.ts": { MAKES_BOARD: 0 },
  // The ring wraps around and grows after a few records.
  "lib/shm/mpmc_ring.ts": { FIRST_UNITS: 16 },
  // An SPSC queue goes on to its next segment after a few records.
  "lib/shm/spsc_queue.ts": { FIRST_UNITS: 12, MAX_SEGMENT_UNITS: 64, LONG_UNITS: 20 },
};

/** For the scenarios in whose files it is said: an entry of the process table is taken again at once. */
const FEW_ENTRIES = { "lib/liveness/shared_table.ts": { MAX_BYTES: 1 << 14, MANY: 1 } };

/** Files of scenarios that need more than the usual constants. */
const SPECIAL: Record<string, Record<string, Record<string, number>>> = {
  process_table: FEW_ENTRIES,
  naps: { "lib/wait/eventcount.ts": { STACK_NEEDED: 1, MAX_VAIN_NAPS: 1 } },
  // A waiter may be woken several times before it gets the lock of the table.
  leases: { "lib/liveness/mutex.ts": { SPINS: 1, ENDED_SLICES: 2, NEVER_TRUE_SLICES: 10 } },
};

/** Modules in whose place a model stands. */
const MODELS: Record<string, string> = Object.fromEntries(
  [
    "lib/host/workers/thread.ts",
    "lib/host/workers/sandboxed_thread.ts",
    "lib/host/workers/sandbox.ts",
    "lib/protocol/crash_report.ts",
  ].map((file) => [file, "tests/explore/scenarios/worker_model.ts"]),
);

/** Another version of the code under test. */
export interface Version {
  /** Another checkout, of whose lib/ this is. */
  readonly lib?: string;
  readonly edits?: readonly Edit[];
}

const programs = new Map<string, Promise<Program>>();

/** The program of a file of scenarios. */
export function programOf(
  file: string,
  checkpoints: boolean,
  version: Version = {},
): Promise<Program> {
  const make = () => {
    const options: LinkOptions = {
      root,
      ...version,
      constants: { ...SMALLER, ...SPECIAL[file] },
      pure: PURE,
      models: MODELS,
      checkpoints,
    };
    return link(`${here}/scenarios/${file}.ts`, options);
  };
  if (version.edits !== undefined) return make();
  const key = `${file} ${checkpoints} ${version.lib}`;
  const known = programs.get(key) ?? make();
  programs.set(key, known);
  return known;
}
