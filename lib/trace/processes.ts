// The processes that a trace shows, by their pids: what their starters and hosts recorded of them.

import * as primordials from "../platform/primordials.ts";

const { SafeMap } = primordials;

/** A process of the trace; times are ms since the trace began. */
export interface TracedProcess {
  pid: number;
  name: string;
  parent: number;
  startedAt: number;
  readyAt: number | undefined;
  endedAt: number | undefined;
  exitCode: number | undefined;
  isConfined: boolean;
  /** Whether its name and its beginning, and its end, were written already. */
  isNamed: boolean;
  isClosed: boolean;
}

/** The processes of a trace. */
export class TracedProcesses {
  readonly all: Map<number, TracedProcess> = new SafeMap();

  /** The process with a pid, new if there was none. */
  get(pid: number, startedAt: number): TracedProcess {
    const known = this.all.get(pid);
    if (known !== undefined) return known;
    const process: TracedProcess = {
      ...{ pid, name: `process ${pid}`, parent: 0, startedAt, readyAt: undefined },
      ...{ endedAt: undefined, exitCode: undefined, isConfined: false },
      ...{ isNamed: false, isClosed: false },
    };
    this.all.set(pid, process);
    return process;
  }
}
