// The recorder of this process while the program is traced: it writes events into the ring of this process
// (event_rings.ts). Code that has something to record asks whether there is a recorder, and that is all it costs
// where no trace runs:
//
//   if (recorder !== undefined) recorder.items(PUT, …);
//
// A process notices a trace that begins or ends when it waits, is blocked, or starts, and at each event.
//
// Reading the clock takes longer than a put. While events come in quick succession, it is read for one in
// 32 alone. Items that follow each other in a queue count as one event then, that of the first; other events are given
// their times by the reader, at the pace of those before. In the next turn of the event loop the clock is read again,
// so that a pause never lies between events that look as if they came in one go.

import {
  A,
  B,
  C,
  D,
  EVENT_WORDS,
  EVENTS,
  headerOf,
  ON,
  originOf,
  PID,
  RECV,
  type Ring,
  takeRing,
  TEXT_END,
  TEXTS_END,
  TIME,
  TRACE,
  TYPE,
  WRITTEN,
} from "./event_rings.ts";
import { ownSlot, PID as BOARD_PID, Slot, TOKEN } from "./wait_board.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  Deno,
  encodeText,
  performance,
  SafeMap,
  setTimeout,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSubarray,
} = primordials;

/** Events that come faster than one in so many ms are quick, and then at most one in so many has its time. */
const QUICK_MS = 0.003, MOST_UNTIMED = 32;
const MASK = EVENTS - 1;
/** The most bytes of a text. */
const MOST_TEXT = 250;

/** The recorder of this process; undefined while no trace runs. */
export let recorder: Recorder | undefined;

let rings: SharedArrayBuffer | undefined;
let header: Int32Array | undefined;
/** What ON was when this process last looked. */
let seen = 0;

/** Has this process record if a trace runs now, and not if none does. */
export function attend(): void {
  if (header === undefined) {
    rings = ownSlot()?.rings;
    if (rings === undefined) return;
    header = headerOf(rings);
  }
  const on = header[ON];
  if (on !== seen) change(on);
}

function change(on: number): void {
  seen = on;
  recorder = undefined;
  const own = ownSlot();
  if (on === 0 || rings === undefined || own === undefined) return;
  const { words } = new Slot(own);
  const ring = takeRing(rings, words[TOKEN]);
  if (ring === undefined) return;
  ring.header[PID] = words[BOARD_PID];
  if (ring.header[TRACE] !== on) ring.clear(on);
  recorder = new Recorder(ring, header!, on, originOf(rings));
}

/** Writes the events of this process. */
export class Recorder {
  readonly #ring: Ring;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #state: Int32Array;
  readonly #header: Int32Array;
  readonly #trace: number;
  /** What is added to performance.now() to have the time since the trace began. */
  readonly #offset: number;
  readonly #texts = new SafeMap<string, number>();
  #written: number;
  /** The number of events until the clock is read, of those between its last two readings, and the last reading. */
  #untimed = 0;
  #every = 1;
  #readAt = 0;
  #isTurnAwaited = false;
  /** The last event, where it stands, and the position that goes on with it. */
  #type = 0;
  #kind = 0;
  #number = 0;
  #at = 0;
  #next = 0;

  constructor(ring: Ring, header: Int32Array, trace: number, origin: number) {
    this.#ring = ring;
    this.#words = ring.words;
    this.#times = ring.times;
    this.#state = ring.header;
    this.#header = header;
    this.#trace = trace;
    this.#offset = performance.timeOrigin - origin;
    this.#written = ring.header[WRITTEN];
  }

  /** Records items that went into, or came out of, an object. */
  items(type: number, kind: number, number: number, position: number, count: number): void {
    if (this.#header[ON] !== this.#trace) return attend();
    const isUntimed = (this.#untimed -= count) > 0;
    if (
      isUntimed && type === this.#type && position === this.#next && number === this.#number &&
      kind === this.#kind
    ) {
      this.#words[this.#at + D] += count;
      this.#next = (position + count) | 0;
      return;
    }
    const at = (this.#written & MASK) * EVENT_WORDS, words = this.#words;
    words[at + TYPE] = type;
    words[at + A] = kind;
    words[at + B] = number;
    words[at + C] = position;
    words[at + D] = count;
    this.#type = type <= RECV ? type : 0;
    this.#kind = kind;
    this.#number = number;
    this.#at = at;
    this.#next = (position + count) | 0;
    if (isUntimed) this.#times[(at + TIME) >> 1] = 0;
    else this.#times[(at + TIME) >> 1] = this.#readClock();
    this.#written = (this.#written + 1) | 0;
    Atomics.store(this.#state, WRITTEN, this.#written);
  }

  /** Records an event with its time. */
  event(type: number, a: number, b = 0, c = 0, d = 0): void {
    this.#untimed = 0;
    this.#every = 1;
    this.items(type, a, b, c, d);
  }

  #readClock(): number {
    const now = performance.now() + this.#offset;
    if (now - this.#readAt >= QUICK_MS * this.#every) this.#every = 1;
    else if (this.#every < MOST_UNTIMED) this.#every *= 2;
    this.#readAt = now;
    this.#untimed = this.#every;
    if (this.#every > 1 && !this.#isTurnAwaited) this.#awaitTurn();
    return now;
  }

  #awaitTurn(): void {
    this.#isTurnAwaited = true;
    const timer = setTimeout(() => {
      this.#isTurnAwaited = false;
      this.#untimed = 0;
      this.#every = 1;
    }, 0);
    Deno.unrefTimer(timer as unknown as number);
  }

  /** The number of a text; 0 where there is no room for it. */
  text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    let bytes = encodeText(text);
    if (bytes.length > MOST_TEXT) {
      // The end of a call site has the line.
      bytes = TypedArrayPrototypeSubarray(bytes, bytes.length - MOST_TEXT);
    }
    const at = this.#state[TEXT_END];
    if (at + 1 + bytes.length > TEXTS_END) return 0;
    this.#ring.bytes[at] = bytes.length;
    TypedArrayPrototypeSet(this.#ring.bytes, bytes, at + 1);
    this.#state[TEXT_END] = at + 1 + bytes.length;
    this.#texts.set(text, at);
    return at;
  }
}
