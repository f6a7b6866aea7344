// Records outside of shared memory: on their way in, as the encoder writes them, or just taken out,
// to be decoded. A record is a 4-byte length (its own bytes, this length included) and the bytes of
// one item.

import * as primordials from "../platform/primordials.ts";

const { ArrayBuffer, Int32Array, Object, Uint8Array } = primordials;

/** Bytes of the length before a record. */
export const LENGTH_BYTES = 4;

const SCRATCH_BYTES = 1 << 16, HUGE_SCRATCH = 1 << 20;

/** Bytes outside shared memory, and the same as words; a multiple of 8 long. */
export interface Scratch {
  bytes: Uint8Array;
  words: Int32Array;
  /** Whether somebody keeps what is in it, so that another is needed for what comes next. */
  isLent?: boolean;
}

function newScratch(bytes: number): Scratch {
  const buffer = new ArrayBuffer(bytes);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
}

/** Has a scratch be one of its own again. */
export function renewLent(scratch: Scratch): void {
  if (scratch.isLent) Object.assign(scratch, newScratch(SCRATCH_BYTES), { isLent: false });
}

/** Makes room for `bytes` in a scratch, keeping nothing. */
export function ensureScratch(scratch: Scratch, bytes: number): void {
  renewLent(scratch);
  if (scratch.bytes.length >= bytes) return;
  let length = scratch.bytes.length;
  while (length < bytes) length *= 2;
  Object.assign(scratch, newScratch(length));
}

/** Records are taken to here; one for the isolate, since nothing runs between taking and decoding. */
export const taken: Scratch = newScratch(SCRATCH_BYTES);

/** Gives back the memory that a huge record needed. */
export function trimTaken(): void {
  if (taken.bytes.length > HUGE_SCRATCH) Object.assign(taken, newScratch(SCRATCH_BYTES));
}

/** Copies an even number of words; for few of them faster than TypedArray.set with its view. */
export function copyWords(
  from: Int32Array,
  start: number,
  to: Int32Array,
  at: number,
  count: number,
): void {
  for (let i = 0; i < count; i += 2) {
    to[at + i] = from[start + i];
    to[at + i + 1] = from[start + i + 1];
  }
}
