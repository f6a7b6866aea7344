// Reading the wait board: what each process waits for. The processes write meanwhile; a row counts only if its SEQ
// was odd before and after it was copied.

import {
  BLOCKED,
  CHECKED,
  CPU_MS,
  FLAGS,
  HEAP_KB,
  HOLDER,
  KIND,
  LAG_MS,
  LOOKED_AT,
  MORE,
  MOST,
  MOVES,
  NUMBER,
  PARENT,
  PID,
  ROW_WORDS,
  ROWS,
  SEQ,
  SINCE,
  SIZE,
  type Slot,
  STARTED_AT,
  STATE,
  TIMERS,
  TOKEN,
  UNTIL,
  VERB,
  WAY,
} from "../liveness/wait_board.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypePush, Atomics } = primordials;

/** A row as it was read. */
export interface ReadWait {
  row: number;
  seq: number;
  verb: number;
  kind: number;
  number: number;
  name: string;
  holder: number;
  checked: number;
  size: number;
  most: number;
  since: number;
  lookedAt: number;
  until: number;
  way: number;
  site: string;
}

/** A slot as it was read. */
export interface ReadProcess {
  token: number;
  name: string;
  pid: number;
  /** The token of its starter. */
  parent: number;
  state: number;
  flags: number;
  startedAt: number;
  moves: number;
  /** The row of the blocking wait that the thread is in; 0 if there is none. */
  blocked: number;
  /** The waits for which there was no row. */
  more: number;
  timers: number;
  /** Servers, connections, listeners for signals and the like. */
  outside: number;
  heapKb: number;
  lag: number;
  cpu: number;
  waits: ReadWait[];
}

/** Reads a row; undefined if it isn't that of a wait that goes on. */
export function readWait(slot: Slot, row: number): ReadWait | undefined {
  const { words, times } = slot, at = row * ROW_WORDS;
  const seq = Atomics.load(words, at + SEQ);
  if ((seq & 1) === 0) return undefined;
  const checked = Atomics.load(words, at + CHECKED);
  const wait = {
    ...{ row, seq, checked },
    verb: words[at + VERB],
    kind: words[at + KIND],
    number: words[at + NUMBER],
    holder: words[at + HOLDER],
    size: words[at + SIZE],
    most: words[at + MOST],
    since: times[(at + SINCE) / 2],
    lookedAt: times[(at + LOOKED_AT) / 2],
    until: times[(at + UNTIL) / 2],
    way: words[at + WAY],
    name: checked === 0 ? "" : slot.name(row),
    site: checked === 0 ? "" : slot.site(row),
  };
  return Atomics.load(words, at + SEQ) === seq ? wait : undefined;
}

/** Reads a slot; undefined if it is that of no process. */
export function readProcess(slot: Slot, rows: Slot = slot): ReadProcess | undefined {
  const { words, times } = slot, of = rows.words;
  const token = Atomics.load(words, TOKEN);
  if (token === 0) return undefined;
  const waits: ReadWait[] = [];
  for (let row = 1; row < ROWS; row++) {
    const wait = readWait(rows, row);
    if (wait !== undefined) ArrayPrototypePush(waits, wait);
  }
  const read = {
    ...{ token, waits },
    name: slot.name(0),
    pid: words[PID],
    parent: words[PARENT],
    flags: words[FLAGS],
    startedAt: times[STARTED_AT / 2],
    state: of[STATE],
    moves: of[MOVES],
    blocked: of[BLOCKED],
    more: of[MORE],
    timers: of[TIMERS] & 0xffff,
    outside: of[TIMERS] >>> 16,
    heapKb: of[HEAP_KB],
    lag: of[LAG_MS],
    cpu: rows.times[CPU_MS / 2],
  };
  return Atomics.load(words, TOKEN) === token ? read : undefined;
}
