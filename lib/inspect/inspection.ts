// What inspect() returns: every process of the program, what each waits for, and the deadlocks among them. The
// value is made of what the processes have written into shared memory (lib/liveness/wait_board.ts); no process is
// asked, so it doesn't matter which of them are blocked.

import {
  BLOCKING,
  DAEMON,
  ENDING,
  HAS_SIGNAL,
  RUNNING,
  SANDBOXED,
} from "../liveness/wait_board.ts";
import { customInspect } from "../printing.ts";
import { callOf, harmless, placeOf, stateOf } from "../wait/describe_wait.ts";
import type { ReadProcess, ReadWait } from "../wait/read_board.ts";
import { KINDS, LOCK, PROCESS, RLOCK } from "../wait/subject.ts";
import { lookAtAll } from "../wait/wait_records.ts";
import { cyclesOf } from "./cycles.ts";
import { readAll, type Seen } from "./read_all.ts";
import { textOf } from "./text.ts";
import type { Deadlock, Inspection, ProcessState, Wait } from "./types.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  Date,
  each,
  Math,
  Object,
  SafeMap,
} = primordials;

/**
 * Tells what every process of the program does: who started it, whether it runs, waits or is blocked, and for each
 * wait the object, since when, until when, which process holds it, and the line that began it; and deadlocks. Works
 * while any of the processes is blocked, because they aren't asked. `console.log` prints it as text, with a sentence
 * for what looks wrong.
 *
 * A wait shows up at once; its place and the state of its object once it has blocked a thread for 20 ms, or was
 * awaited for a second (in this process: at once). "running" means that no wait of this library is known: the
 * process may compute, or await something else. A process with permissions of its own sees itself alone.
 *
 * @example
 * ```ts
 * import { inspect, Queue } from "@multiproc/multiprocessing";
 *
 * const queue = new Queue<number>({ name: "numbers" });
 * const waiting = queue.get();
 * const [main] = inspect().processes;
 * console.log(main.name, main.state, main.waits[0].call); // MainProcess waiting Queue.get
 * queue.putNowait(1);
 * await waiting;
 * ```
 */
export function inspect(): Inspection {
  lookAtAll();
  return inspectionOf(readAll());
}

/** The value, made of what was read. */
export function inspectionOf(all: Seen[]): Inspection {
  const byToken = new SafeMap<number, Seen>();
  for (const seen of each(all)) byToken.set(seen.process.token, seen);
  const pidOf = (token: number | undefined) =>
    token === undefined ? undefined : byToken.get(token)?.process.pid;
  const processes = ArrayPrototypeMap(all, (seen): ProcessState => {
    const { process, isAlive, exitCode } = seen;
    const waits = ArrayPrototypeMap(process.waits, (wait) => waitOf(wait, process, pidOf));
    const hosts: number[] = [];
    for (const other of each(all)) {
      if (other.isAlive && other.host === process.token) {
        ArrayPrototypePush(hosts, other.process.pid);
      }
    }
    const state = stateNow(seen);
    return {
      pid: process.pid,
      name: harmless(process.name),
      parent: pidOf(process.parent) ?? null,
      state,
      since: sinceOf(state, process),
      daemon: (process.flags & DAEMON) !== 0,
      sandboxed: (process.flags & SANDBOXED) !== 0,
      startedAt: process.startedAt,
      ...process.cpu > 0 && { cpu: process.cpu },
      ...process.heapKb > 0 && { heap: process.heapKb * 1024, lag: process.lag },
      hosts,
      exitCode: isAlive ? null : exitCode ?? null,
      waits,
      moreWaits: isAlive ? Math.max(process.more, 0) : 0,
    };
  });
  const deadlocks: Deadlock[] = ArrayPrototypeMap(cyclesOf(all), ({ certain, edges }) => ({
    certain,
    cycle: ArrayPrototypeMap(edges, ({ process, wait, holder }) => {
      const { on, at } = waitOf(wait, process, pidOf);
      return { pid: process.pid, waitsFor: on, heldBy: holder, ...at !== undefined && { at } };
    }),
  }));
  const inspection: Inspection = { at: Date.now(), processes, deadlocks };
  const print = () => textOf(inspection, all);
  for (const key of each([customInspect, "toString"])) {
    Object.defineProperty(inspection, key, { value: print, enumerable: false, configurable: true });
  }
  return inspection;
}

function stateNow({ process, isAlive }: Seen): ProcessState["state"] {
  if (!isAlive) return "ended";
  if (process.state === ENDING) return "ending";
  const isBlocked =
    ArrayPrototypeFilter(process.waits, ({ row }) => row === process.blocked).length;
  if (isBlocked) return "blocked";
  if (process.waits.length > 0 || process.more > 0) return "waiting";
  return process.state === RUNNING || process.parent === 0 ? "running" : "starting";
}

function sinceOf(state: ProcessState["state"], process: ReadProcess): number {
  if (state !== "waiting" && state !== "blocked") return process.startedAt;
  let since = process.startedAt;
  for (const wait of each(process.waits)) {
    if (state === "blocked" ? wait.row === process.blocked : wait.since > since) since = wait.since;
  }
  return since;
}

function waitOf(
  wait: ReadWait,
  process: ReadProcess,
  pidOf: (token: number) => number | undefined,
): Wait {
  const place = placeOf(wait.site), state = stateOf(wait);
  const isLock = wait.kind === LOCK || wait.kind === RLOCK;
  const heldBy = isLock ? pidOf(wait.holder) : wait.kind === PROCESS ? wait.number : undefined;
  return {
    call: callOf(wait),
    on: {
      kind: KINDS[wait.kind] ?? "",
      id: wait.number,
      ...wait.name !== "" && { name: harmless(wait.name) },
      ...state !== undefined && { detail: state },
    },
    since: wait.since,
    until: wait.until === Infinity ? null : wait.until,
    abortable: (wait.way & HAS_SIGNAL) !== 0,
    blocking: (wait.way & BLOCKING) !== 0 && process.blocked !== 0,
    ...heldBy !== undefined && { heldBy },
    ...place !== undefined && { at: place.at },
    ...place?.by !== undefined && { by: place.by },
  };
}
