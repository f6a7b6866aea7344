// The event rings: shared memory in which each process of a program that is traced writes what it does. The rings
// are there whether or not a trace runs, since shared memory can't be sent to a process that computes or is blocked;
// memory that is not written to costs nothing. What a process wrote survives it, however it ends.
//
// The header of all rings, written by the tracing process:
//
//   ON          the number of the trace that runs; 0 while none does
//   LAST        the number of the last trace
//   RINGS       how many rings were ever given out
//   WITHOUT     processes for which there was no ring
//   TRACER      the token of the tracing process
//   ORIGIN      the time from which events count, in ms since 1970
//
// Each ring has a header, an area of texts, and the events, the newest of which overwrite the oldest:
//
//   OWNER       the token of its process; 0 where it is free. Taken by compare-and-swap, freed by the tracing process
//   TRACE       the number of the trace for which it was emptied
//   WRITTEN     the events that were written; stored after each event, which so counts or doesn't
//   TEXT_END    the end of the texts
//   PID         the pid of its process
//
// An event has eight words: its type, three numbers, its time (a float of 64 bits, in ms since ORIGIN; 0 where the
// clock was not read), a further number, and one that is spare.
//
// A process with permissions of its own has one ring in memory of its own, as with the wait board. It can write
// anything there: lib/trace/read_ring.ts takes only what can be an event.

import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  Float64Array,
  Int32Array,
  Math,
  SharedArrayBuffer,
  SharedArrayBufferPrototypeGrow,
  Uint8Array,
} = primordials;

/** Words of the header of all rings. */
export const ON = 0, LAST = 1, RINGS = 2, WITHOUT = 3, TRACER = 4, ORIGIN = 8;
const HEADER_BYTES = 4096;

/** Words of the header of a ring. */
export const OWNER = 0, TRACE = 1, WRITTEN = 2, TEXT_END = 3, PID = 4;
const RING_HEADER_WORDS = 16;
/** Where the texts begin: a byte for the length, and the bytes of the text. No text is at 0. */
export const TEXTS = RING_HEADER_WORDS * 4, TEXTS_END = 64 * 1024;

/** The events of a ring, and the words of an event. */
export const EVENTS = 2 ** 15, EVENT_WORDS = 8;
/** Words of an event; its time is number TIME / 2 of the floats. */
export const TYPE = 0, A = 1, B = 2, C = 3, TIME = 4, D = 6;

const RING_BYTES = TEXTS_END + EVENTS * EVENT_WORDS * 4;
const MAX_RINGS = 1024;

/** The types of events, and their numbers A, B, C and D. */
// The object's kind and number, the position of the first item, their count.
export const PUT = 1, GET = 2, SEND = 3, RECV = 4;
// The object's kind and number, its name, how many items were got from it by then.
export const NAMED = 5;
// Its row and how it waits, the object's kind and number, the method. At the end: the row, the call site.
export const WAIT_BEGIN = 6, WAIT_END = 7;
// The object's kind and number.
export const ACQUIRED = 8, RELEASED = 9, ABANDONED = 10;
// The number of the task, its index, the name. At the end: the number, whether it failed.
export const TASK_BEGIN = 11, TASK_END = 12;
// The pid; with its parent's pid and its name; a signal; an exit code.
export const STARTED = 13, STOPPED = 14, ENDED = 15, READY = 16;
// Its pid; kilobytes.
export const HEAP = 17;
// The kind and number of the lock.
export const DEADLOCK = 18;
// The kind and number of a queue whose items were dropped.
export const CLEARED = 19;
export const TYPES = 20;

/** The rings of a program. */
export function newRings(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES, {
    maxByteLength: HEADER_BYTES + MAX_RINGS * RING_BYTES,
  });
}

/** The ring of a process with permissions of its own. */
export function newConfinedRings(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + RING_BYTES);
}

/** The header of all rings. */
export function headerOf(rings: SharedArrayBuffer): Int32Array {
  return new Int32Array(rings, 0, HEADER_BYTES / 4);
}

/** When the trace began, in ms since 1970. */
export function originOf(rings: SharedArrayBuffer): number {
  return new Float64Array(rings, 0, HEADER_BYTES / 8)[ORIGIN / 2];
}

export function setOrigin(rings: SharedArrayBuffer, origin: number): void {
  new Float64Array(rings, 0, HEADER_BYTES / 8)[ORIGIN / 2] = origin;
}

/** A ring, as the process that writes it and the one that reads it see it. */
export class Ring {
  readonly header: Int32Array;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly times: Float64Array;

  constructor(rings: SharedArrayBuffer, number: number) {
    const at = HEADER_BYTES + number * RING_BYTES;
    this.header = new Int32Array(rings, at, RING_HEADER_WORDS);
    this.bytes = new Uint8Array(rings, at, TEXTS_END);
    this.words = new Int32Array(rings, at + TEXTS_END, EVENTS * EVENT_WORDS);
    this.times = new Float64Array(rings, at + TEXTS_END, EVENTS * EVENT_WORDS / 2);
  }

  /** Empties it for a trace. */
  clear(trace: number): void {
    this.header[TEXT_END] = TEXTS + 1;
    Atomics.store(this.header, WRITTEN, 0);
    Atomics.store(this.header, TRACE, trace);
  }
}

/** The number of the rings that there are now. */
export function countRings(rings: SharedArrayBuffer): number {
  const most = Math.trunc((rings.byteLength - HEADER_BYTES) / RING_BYTES);
  return rings.growable ? Math.min(Atomics.load(headerOf(rings), RINGS), most) : most;
}

/** The ring of a process: the one it has already, a free one, or a new one; undefined if there can be no more. */
export function takeRing(rings: SharedArrayBuffer, token: number): Ring | undefined {
  const header = headerOf(rings);
  const count = countRings(rings);
  for (let number = 0; number < count; number++) {
    const ring = new Ring(rings, number);
    if (Atomics.load(ring.header, OWNER) === token) return ring;
  }
  for (let number = 0; number < count; number++) {
    const ring = new Ring(rings, number);
    if (Atomics.compareExchange(ring.header, OWNER, 0, token) === 0) return ring;
  }
  if (!rings.growable) return undefined;
  const number = Atomics.add(header, RINGS, 1);
  if (number < MAX_RINGS && makeRoom(rings, number)) {
    const ring = new Ring(rings, number);
    // A process that looks for a free ring may have been quicker.
    if (Atomics.compareExchange(ring.header, OWNER, 0, token) === 0) return ring;
  } else Atomics.sub(header, RINGS, 1);
  Atomics.add(header, WITHOUT, 1);
  return undefined;
}

function makeRoom(rings: SharedArrayBuffer, number: number): boolean {
  const wanted = HEADER_BYTES + (number + 1) * RING_BYTES;
  while (rings.byteLength < wanted) {
    try {
      SharedArrayBufferPrototypeGrow(rings, wanted);
    } catch {
      // Another process has grown it further at the same time, or there is no memory left.
      return rings.byteLength >= wanted;
    }
  }
  return true;
}
