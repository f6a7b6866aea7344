// The wait board: shared memory in which each process writes what it waits for, so that any process of the same
// program can read it at any time, also while the writer's thread is blocked. A process has one slot, by the
// number of its entry in the process table; the slot has a header, written by the starter and the process, and
// rows, written by the process alone. A reader copies a row between two reads of its SEQ.
//
//   TOKEN     the token of the process whose slot it is; written last. What stands in the slot counts only
//             while that process is alive: a killed process leaves its rows behind
//   MOVES     counted up when a wait begins and when it ends
//   TIMERS    the timers of the process, in the lower half; in the upper half what else may wake it: servers and the like
//   BLOCKED   the row of the blocking wait that the thread is in, 0 while it isn't blocked
//   MORE      waits for which there was no row
//   SEQ       odd while the process waits; each wait has a SEQ of its own
//   HOLDER    the token of the process that held the lock when the waiter last looked
//   CHECKED   counted up after each look, which was at LOOKED_AT
//
// Slot 0 is that of the program: no process has entry 0. It has the settings, and the numbers that objects got
// last, by kind.
//
// A process with permissions of its own must not read what others wait for. It has a board of its own, with one
// slot, that only its host reads; see confinedBoards.

import { PerIsolate } from "./per_isolate.ts";
import { indexOfToken } from "./process_table.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  decodeText,
  each,
  encodeText,
  Float64Array,
  Int32Array,
  listOf,
  SafeMap,
  SafeSet,
  SharedArrayBuffer,
  SharedArrayBufferPrototypeGrow,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSlice,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;

/** Words of a row, and of the header, which stands in place of row 0. */
export const ROW_WORDS = 96;
/** Rows of a slot, the header counted. */
export const ROWS = 64;
const SLOT_WORDS = ROW_WORDS * ROWS, SLOT_BYTES = SLOT_WORDS * 4;
const FIRST_SLOTS = 64, MAX_SLOTS = 8192;

/** Words of the header. The times are 64-bit floats, in milliseconds of the wall clock. */
export const TOKEN = 0,
  STATE = 1,
  FLAGS = 2,
  PID = 3,
  PARENT = 4,
  MOVES = 5,
  BLOCKED = 6,
  MORE = 7,
  TIMERS = 8,
  HEAP_KB = 9,
  LAG_MS = 10,
  BUSY = 11,
  STARTED_AT = 12,
  CPU_MS = 14;
/** Values of STATE. */
export const STARTING = 0, RUNNING = 1, ENDING = 2;
/** Bits of FLAGS, in the header. */
export const DAEMON = 1, SANDBOXED = 2, INSPECTOR = 4;

/** Words of a row. */
export const SEQ = 0,
  VERB = 1,
  KIND = 2,
  NUMBER = 3,
  HOLDER = 4,
  CHECKED = 5,
  SIZE = 6,
  MOST = 7,
  SINCE = 8,
  UNTIL = 10,
  WAY = 12,
  LOOKED_AT = 14;
/** Bits of WAY: how a wait waits. */
export const BLOCKING = 1, HAS_SIGNAL = 2, NO_VICTIM = 4;
/** Where the name of the object, or of the process, and the call site stand: one byte more than there is of text. */
const NAME_AT = 16 * 4, NAME_BYTES = 64, SITE_AT = NAME_AT + NAME_BYTES, SITE_BYTES = 256;

/** Words of slot 0: settings, then the numbers by kind. */
export const BLOCKED_POLICY = 0, AWAITED_POLICY = 1, IDLE_POLICY = 2;
const NUMBERS = 32;

/** The shared memory of a slot, which crosses to the process. */
export interface SlotContent {
  board: SharedArrayBuffer;
  /** The number of the slot. */
  slot: number;
  /** The event rings (event_rings.ts) that go with the board; undefined where the process is never traced. */
  rings: SharedArrayBuffer | undefined;
}

/** A slot, as a process that may write it or read it sees it. */
export class Slot {
  readonly words: Int32Array;
  readonly times: Float64Array;
  readonly #bytes: Uint8Array;

  constructor({ board, slot }: Pick<SlotContent, "board" | "slot">) {
    const at = slot * SLOT_BYTES;
    this.words = new Int32Array(board, at, SLOT_WORDS);
    this.times = new Float64Array(board, at, SLOT_WORDS / 2);
    this.#bytes = new Uint8Array(board, at, SLOT_BYTES);
  }

  /** Empties the slot for a process, whose token is written by claim(). */
  clear(): void {
    const { words } = this;
    for (let i = 0; i < SLOT_WORDS; i++) words[i] = 0;
  }

  /** The name of the object, or of the process, in a row. */
  name(row: number): string {
    return this.#text(row * ROW_WORDS * 4 + NAME_AT, NAME_BYTES);
  }

  setName(row: number, name: string): void {
    this.#setText(row * ROW_WORDS * 4 + NAME_AT, NAME_BYTES, name);
  }

  /** Where the wait in a row was begun: a frame of a stack, empty while that isn't known. */
  site(row: number): string {
    return this.#text(row * ROW_WORDS * 4 + SITE_AT, SITE_BYTES);
  }

  hasSite(row: number): boolean {
    return this.#bytes[row * ROW_WORDS * 4 + SITE_AT] !== 0;
  }

  /** Writes where a wait was begun; of a longer text the end, which has the line. */
  setSite(row: number, site: string): void {
    this.#setText(row * ROW_WORDS * 4 + SITE_AT, SITE_BYTES, site, true);
  }

  clearSite(row: number): void {
    this.#bytes[row * ROW_WORDS * 4 + SITE_AT] = 0;
    this.#bytes[row * ROW_WORDS * 4 + NAME_AT] = 0;
  }

  #text(at: number, room: number): string {
    const bytes = TypedArrayPrototypeSlice(
      TypedArrayPrototypeSubarray(this.#bytes, at, at + room),
    );
    return decodeText(TypedArrayPrototypeSubarray(bytes, 1, 1 + bytes[0]));
  }

  #setText(at: number, room: number, text: string, isEndWanted = false): void {
    let bytes = encodeText(text);
    const most = room - 1;
    if (bytes.length > most) {
      bytes = isEndWanted
        ? TypedArrayPrototypeSubarray(bytes, bytes.length - most)
        : TypedArrayPrototypeSubarray(bytes, 0, most);
    }
    TypedArrayPrototypeSet(this.#bytes, bytes, at + 1);
    this.#bytes[at] = bytes.length;
  }
}

const perIsolate = new PerIsolate<SlotContent & { free: number[] }>("wait-board");
/** The same in a sealed process: see hideSlot(). */
let hidden: SlotContent & { free: number[] } | undefined;

/** The slot of this isolate, as plain data, with its free rows; undefined while it has none. */
export function ownSlot(): SlotContent & { free: number[] } | undefined {
  return hidden ?? perIsolate.get();
}

/** Sets the slot of this isolate. */
export function adoptSlot({ board, slot, rings }: SlotContent): SlotContent & { free: number[] } {
  const free: number[] = [];
  for (let row = ROWS - 1; row > 0; row--) free[ROWS - 1 - row] = row;
  return perIsolate.set({ board, slot, rings, free });
}

/** Notes in what state this process is. */
export function markState(state: number): void {
  const own = ownSlot();
  if (own !== undefined) new Slot(own).words[STATE] = state;
}

/** Called in a sealed process, so that no other code in the isolate finds its slot. */
export function hideSlot(): void {
  hidden = perIsolate.get();
  perIsolate.hide();
}

/** A board for a whole program. */
export function newBoard(): SharedArrayBuffer {
  return new SharedArrayBuffer(FIRST_SLOTS * SLOT_BYTES, { maxByteLength: MAX_SLOTS * SLOT_BYTES });
}

/** A board with one slot, for a process with permissions of its own. */
export function newConfinedBoard(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLOT_BYTES);
}

/** The number of slots that a board has now. */
export function slotsOf(board: SharedArrayBuffer): number {
  return board.byteLength / SLOT_BYTES >>> 0;
}

/** The number of the slot of the process with this token. */
export function slotOfToken(token: number): number {
  return indexOfToken(token) >> 1;
}

/** Makes room for a slot; false if there can be no such slot. */
export function makeRoom(board: SharedArrayBuffer, slot: number): boolean {
  while (slot >= slotsOf(board)) {
    if (slot >= MAX_SLOTS || !board.growable) return false;
    let wanted = slotsOf(board);
    while (wanted <= slot) wanted *= 2;
    try {
      SharedArrayBufferPrototypeGrow(board, wanted * SLOT_BYTES);
    } catch {
      // Another process has grown it further at the same time, or there is no memory left.
      if (slot >= slotsOf(board)) return false;
    }
  }
  return true;
}

/** What the starter of a process enters in the slot of the process. */
export interface Entered {
  token: number;
  name: string;
  pid: number;
  parent: number;
  flags: number;
  startedAt: number;
}

/** Enters a process in its slot. */
export function enter(content: Pick<SlotContent, "board" | "slot">, entered: Entered): void {
  const slot = new Slot(content), { words, times } = slot;
  // Memory that was never used is zero.
  if (Atomics.exchange(words, TOKEN, 0) !== 0) slot.clear();
  words[FLAGS] = entered.flags;
  words[PID] = entered.pid;
  words[PARENT] = entered.parent;
  times[STARTED_AT / 2] = entered.startedAt;
  slot.setName(0, entered.name);
  Atomics.store(words, TOKEN, entered.token);
}

/** The settings and numbers of a program: slot 0 of its board. */
export function programWords(board: SharedArrayBuffer): Int32Array {
  return new Int32Array(board, 0, SLOT_WORDS);
}

/** The next number of an object of a kind. */
export function nextNumber(board: SharedArrayBuffer, kind: number): number {
  return Atomics.add(programWords(board), NUMBERS + kind, 1) + 1;
}

/** The boards of the processes with permissions of their own that run here, by their tokens. */
export const confinedBoards: Map<number, SharedArrayBuffer> = new SafeMap();

type BoardListener = (token: number, board: SharedArrayBuffer) => void;

const boardListeners = new SafeSet<BoardListener>();

/** Has a function called with each confined board that is made, until the function that is returned is called. */
export function onConfinedBoard(listener: BoardListener): () => void {
  boardListeners.add(listener);
  return () => boardListeners.delete(listener);
}

/** Notes the board of a process with permissions of its own. */
export function noteConfinedBoard(token: number, board: SharedArrayBuffer): void {
  confinedBoards.set(token, board);
  for (const listener of each(listOf(boardListeners))) listener(token, board);
}

/** The pids and event rings of the processes with permissions of their own that were started here, by their tokens. */
export const confinedRings: Map<number, { pid: number; rings: SharedArrayBuffer }> = new SafeMap();

/** Notes that this process is the inspector, which inspect() doesn't show. */
export function markInspector(): void {
  const own = ownSlot();
  if (own !== undefined) new Slot(own).words[FLAGS] |= INSPECTOR;
}
