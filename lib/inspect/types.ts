// The value that inspect() returns.

/**
 * What {@linkcode inspect} returns. `console.log` and `toString()` make a text of it that a person reads.
 *
 * @example
 * ```ts
 * import { inspect, type Inspection } from "@multiproc/multiprocessing";
 *
 * const { processes, deadlocks }: Inspection = inspect();
 * console.log(processes.length, deadlocks.length); // 1 0
 * ```
 */
export interface Inspection {
  /** When it was made, in ms since 1970, as all times here. */
  at: number;
  /** The processes of the program that live, and the last 100 that have ended, in the order of their starts. */
  processes: ProcessState[];
  /** The cycles of processes of which each waits for the next one. */
  deadlocks: Deadlock[];
}

/**
 * A process, as {@linkcode inspect} sees it.
 *
 * @example
 * ```ts
 * import { inspect, type ProcessState } from "@multiproc/multiprocessing";
 *
 * const [main]: ProcessState[] = inspect().processes;
 * console.log(main.name, main.state, main.parent); // MainProcess running null
 * ```
 */
export interface ProcessState {
  /** Its pid, as `process.pid`. */
  pid: number;
  /** Its name. */
  name: string;
  /** The pid of the process that started it; null for the main process. */
  parent: number | null;
  /**
   * "waiting": its tasks wait; "blocked": its thread is blocked by a wait; "running": no wait is known, it computes
   * or awaits something else.
   */
  state: "starting" | "running" | "waiting" | "blocked" | "ending" | "ended";
  /** When its last wait began, if it waits or is blocked; else when it was started. */
  since: number;
  /** Whether it ends with the program. */
  daemon: boolean;
  /** Whether it has permissions of its own. */
  sandboxed: boolean;
  /** When it was started. */
  startedAt: number;
  /** Its processor time in ms, when it last waited. */
  cpu?: number;
  /** Bytes of its heap in use, when it last waited. */
  heap?: number;
  /** By how many ms its event loop was late, when it last waited. */
  lag?: number;
  /** The pids of the processes that run in workers of this one. */
  hosts: number[];
  /** How it ended; null while it lives. */
  exitCode: number | null;
  /** What its tasks, or its blocked thread, wait for. */
  waits: Wait[];
  /** The number of further waits: only the first 60 are told one by one. */
  moreWaits: number;
}

/**
 * A wait, as {@linkcode inspect} sees it.
 *
 * @example
 * ```ts
 * import { Event, inspect, type Wait } from "@multiproc/multiprocessing";
 *
 * const event = new Event();
 * const waiting = event.wait();
 * const [wait]: Wait[] = inspect().processes[0].waits;
 * console.log(wait.call, wait.on.detail, wait.until); // Event.wait not set null
 * event.set();
 * await waiting;
 * ```
 */
export interface Wait {
  /** The call: "Queue.get", "Lock.acquireSync"; "" for a wait inside of this library. */
  call: string;
  /** The object: its class, its number among those that were waited for, its name, how it was at the last look. */
  on: { kind: string; id: number; name?: string; detail?: string };
  /** When it began. */
  since: number;
  /** When its timeout ends it; null for never. */
  until: number | null;
  /** Whether it was given a signal. */
  abortable: boolean;
  /** Whether it blocks the thread. */
  blocking: boolean;
  /** The pid of the process that holds the lock, or whose end is waited for. */
  heldBy?: number;
  /** Where it was begun: the URL, the line and the column. */
  at?: string;
  /** The function that began it. */
  by?: string;
}

/**
 * Processes that wait for each other, as {@linkcode inspect} sees them.
 *
 * @example
 * ```ts
 * import { type Deadlock, inspect } from "@multiproc/multiprocessing";
 *
 * const deadlocks: Deadlock[] = inspect().deadlocks;
 * console.log(deadlocks.filter(({ certain }) => certain).length); // 0
 * ```
 */
export interface Deadlock {
  /** Whether nothing but the end of a process can end it: all are blocked threads that wait for locks. */
  certain: boolean;
  /** The processes: each waits for what the next one holds, or for the end of the next one. */
  cycle: { pid: number; waitsFor: Wait["on"]; heldBy: number; at?: string }[];
}
