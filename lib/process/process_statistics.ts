// The statistics of a process: what it has written on the wait board when it last waited.

import { confinedBoards, ownSlot, PID, Slot, slotsOf, TOKEN } from "../liveness/wait_board.ts";
import { type ReadProcess, readProcess } from "../wait/read_board.ts";

/**
 * The statistics of a {@linkcode Process}: the answer of `process.statistics()`. A process measures itself once a second
 * while it waits, or is blocked; what it has not measured yet is null, and so is everything after its end.
 *
 * @example
 * ```ts
 * import { Process, type ProcessStatistics, sleep } from "@multiproc/multiprocessing";
 *
 * await using process = new Process({ target: () => sleep(Infinity) });
 * process.start();
 * const { waits }: ProcessStatistics = process.statistics();
 * console.log(waits); // 0
 * ```
 */
export interface ProcessStatistics {
  /** When it was started, in ms since 1970. */
  startedAt: number | null;
  /** How many waits of this library go on in it. */
  waits: number;
  /** Its processor time in ms. */
  cpu: number | null;
  /** Bytes of its heap in use. */
  heap: number | null;
  /** By how many ms its event loop was late. */
  lag: number | null;
}

/** The statistics of the process with a pid, which is alive. */
export function statisticsOf(pid: number | undefined): ProcessStatistics {
  const read = pid === undefined ? undefined : find(pid);
  if (read === undefined) return { startedAt: null, waits: 0, cpu: null, heap: null, lag: null };
  const { startedAt, waits, more, cpu, heapKb, lag } = read;
  const isMeasured = heapKb > 0;
  return {
    startedAt,
    waits: waits.length + (more > 0 ? more : 0),
    cpu: isMeasured ? cpu : null,
    heap: isMeasured ? heapKb * 1024 : null,
    lag: isMeasured ? lag : null,
  };
}

function find(pid: number): ReadProcess | undefined {
  const own = ownSlot();
  if (own === undefined || !own.board.growable) return undefined;
  for (let slot = slotsOf(own.board) - 1; slot > 0; slot--) {
    const header = new Slot({ board: own.board, slot }), { words } = header;
    if (words[PID] !== pid || words[TOKEN] === 0) continue;
    const confined = confinedBoards.get(words[TOKEN]);
    return readProcess(header, confined && new Slot({ board: confined, slot: 0 }));
  }
  return undefined;
}
