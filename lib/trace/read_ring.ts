// Reading an event ring (lib/liveness/event_rings.ts) while its process may write on, and after its end. What can't be
// an event is left out: a process with permissions of its own can write anything there.

import {
  A,
  B,
  C,
  D,
  EVENT_WORDS,
  EVENTS,
  type Ring,
  TEXTS,
  TEXTS_END,
  TIME,
  TYPE,
  TYPES,
  WRITTEN,
} from "../liveness/event_rings.ts";
import { harmless } from "../wait/describe_wait.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypePush,
  Atomics,
  decodeText,
  Float64Array,
  Int32Array,
  Math,
  TypedArrayPrototypeSlice,
  TypedArrayPrototypeSubarray,
} = primordials;

/** The pace of events without a time, in ms, where none is known. */
const PACE_MS = 0.001;
/** The least time between two events of a process, in ms: the nanoseconds that a trace shows. */
const LEAST_MS = 0.00002;

/** An event as it was read; the time in ms since the trace began. */
export interface TraceEvent {
  pid: number;
  /** Whether its process has permissions of its own, and so may have made it up. */
  isConfined: boolean;
  type: number;
  a: number;
  b: number;
  c: number;
  d: number;
  time: number;
}

/** Reads the events of one ring, each once. */
export class RingReader {
  readonly ring: Ring;
  readonly pid: number;
  /** Whether the process has permissions of its own, and so may have written anything. */
  readonly isConfined: boolean;
  /** Events that were overwritten before they were read. */
  dropped = 0;
  #next = 0;
  #last = 0;
  #pace = PACE_MS;

  constructor(ring: Ring, pid: number, isConfined: boolean) {
    this.ring = ring;
    this.pid = pid;
    this.isConfined = isConfined;
  }

  /** The events since the last read, none of them later than `now`. */
  read(now: number): TraceEvent[] {
    const { header, words: shared } = this.ring;
    const written = Atomics.load(header, WRITTEN);
    const words = new Int32Array(shared);
    const times = new Float64Array(words.buffer);
    // What the process has overwritten meanwhile, or is about to overwrite, doesn't count.
    const overwritten = Math.max((Atomics.load(header, WRITTEN) - written) >>> 0, 0) + 1;
    const count = (written - this.#next) >>> 0, kept = Math.min(count, EVENTS - overwritten);
    if (!(kept > 0)) {
      this.dropped += count;
      this.#next = written;
      return [];
    }
    this.dropped += count - kept;
    this.#next = written;
    const events: TraceEvent[] = [];
    for (let i = 0; i < kept; i++) {
      const at = ((written - kept + i) & (EVENTS - 1)) * EVENT_WORDS;
      const type = words[at + TYPE];
      if (!(type > 0 && type < TYPES)) continue;
      ArrayPrototypePush(events, {
        ...{ pid: this.pid, isConfined: this.isConfined, type },
        a: words[at + A],
        b: words[at + B],
        c: words[at + C],
        d: words[at + D],
        time: times[(at + TIME) >> 1],
      });
    }
    this.#giveTimes(events, now);
    return events;
  }

  /** Gives a time to the events for which the clock was not read: after the one before, at the pace of late. */
  #giveTimes(events: TraceEvent[], now: number): void {
    for (let i = 0; i < events.length;) {
      let end = i;
      while (end < events.length && !isTime(events[end].time)) end++;
      const known = end < events.length ? Math.min(events[end].time, now) : now;
      const from = Math.min(this.#last, known);
      if (end < events.length && this.#last > 0) {
        const pace = (known - from) / (end - i + 1);
        if (pace < this.#pace || end === i) this.#pace = Math.min(pace, PACE_MS);
      }
      for (let k = i; k < end; k++) {
        events[k].time = Math.min(from + (k - i + 1) * this.#pace, known);
      }
      if (end < events.length) events[end].time = known;
      for (let k = i; k <= end && k < events.length; k++) {
        events[k].time = this.#last = Math.max(events[k].time, this.#last + LEAST_MS);
      }
      i = end + 1;
    }
  }

  /** The text with this number; empty if there is none. */
  text(at: number): string {
    const { bytes } = this.ring;
    if (!(at >= TEXTS && at < TEXTS_END)) return "";
    const copy = TypedArrayPrototypeSlice(
      TypedArrayPrototypeSubarray(bytes, at + 1, Math.min(at + 1 + bytes[at], TEXTS_END)),
    );
    return harmless(decodeText(copy));
  }
}

/** Whether it is a time that a clock can show. */
function isTime(time: number): boolean {
  return time > 0 && time < 1e15;
}
