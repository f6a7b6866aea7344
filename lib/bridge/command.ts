// The command that starts a process of the operating system: Deno, with its permissions as flags, no prompt, no
// configuration, no packages, nothing fetched, and an empty environment.
//
// On Linux and macOS a shell starts Deno, within limits (ulimit), and stays as its parent until the keeper closes
// the shell's standard input, of which it reads nothing: the keeper does so to end the process, and the operating
// system does so when the program has ended, however it did. Then the shell kills the process, which has no part
// in that and can't prevent it. The descriptors of the process are 0 for frames to it, 3 for frames from it, and
// the program's own 1 and 2.
//
// The path of Deno stands in the environment of the shell. Deno's node:child_process adds -A to the arguments of
// a command in which it finds that path (2.9.6).

import type { Grant, Grants, Name } from "../protocol/grants.ts";
import { PERMISSIONS } from "../protocol/grants.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayPrototypeConcat,
  ArrayPrototypeFlatMap,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  Math,
  splitText,
} = primordials;

/** The limits within which the operating system keeps a process. */
export interface Limits {
  memoryLimitMb: number | undefined;
  /** In ms. */
  timeLimit: number | undefined;
  /** Whether the process was given objects, so that it has a reader. */
  hasReader: boolean;
}

/**
 * What Deno 2.9.6 itself needs of RLIMIT_DATA to start, in MB, most of it reserved and never touched: buffers get
 * 160 of these 704. A further isolate, which reads the frames where objects were given, reserves 530.
 */
const DENO_DATA_MB = 704, READER_DATA_MB = 544;
/** What buffers may take beyond the memory limit, as in a thread (lib/child/memory_watch.ts). */
const SLACK_MB = 64;
/** How many seconds of processor time the start may take. */
const START_SECONDS = 10;

/** The text that the shell runs, with the arguments of Deno as its own. */
export function shellScript(
  { memoryLimitMb, timeLimit, hasReader }: Limits,
  processors: number,
): string {
  const lines = ["ulimit -c 0"];
  if (memoryLimitMb !== undefined) {
    const own = DENO_DATA_MB + (hasReader ? READER_DATA_MB : 0);
    const mb = own + SLACK_MB + Math.ceil(memoryLimitMb);
    lines[lines.length] = `ulimit -d ${mb * 1024}`;
  }
  if (timeLimit !== undefined && timeLimit !== Infinity) {
    const seconds = (START_SECONDS + Math.ceil(timeLimit / 1000)) * processors;
    lines[lines.length] = `ulimit -t ${Math.min(seconds, 2 ** 31)}`;
  }
  return `${ArrayPrototypeJoin(lines, "\n")}
deno=$MULTIPROCESSING_DENO
unset MULTIPROCESSING_DENO
"$deno" "$@" <&4 4<&- &
exec 3>&- 4<&- 2>/dev/null
read -r line
kill -9 $!
wait $!
exit $?`;
}

/** The arguments of Deno, but for the main module. */
export function denoArguments(
  grants: Grants,
  memoryLimitMb: number | undefined,
  isBySource: boolean,
): string[] {
  const isImporting = grants.import !== undefined && grants.import !== false;
  return ArrayPrototypeConcat(
    ["run", "--no-prompt", "--no-lock", "--unstable-worker-options"],
    isBySource ? ["--no-config", "--no-npm"] : [],
    isBySource && !isImporting ? ["--no-remote", "--deny-import"] : [],
    isImporting ? [] : ["--cached-only"],
    memoryLimitMb === undefined
      ? []
      : [`--v8-flags=--max-old-space-size=${Math.ceil(memoryLimitMb)}`],
    ArrayPrototypeFlatMap(PERMISSIONS, (name) => flagOf(name, grants[name])),
  );
}

function flagOf(name: Name, grant: Grant | undefined): string[] {
  if (grant === true) return [`--allow-${name}`];
  if (!Array.isArray(grant) || grant.length === 0) return [];
  // A comma in an entry is written twice.
  const entries = ArrayPrototypeMap(
    grant,
    (entry) => ArrayPrototypeJoin(splitText(entry, ","), ",,"),
  );
  return [`--allow-${name}=${ArrayPrototypeJoin(entries, ",")}`];
}
