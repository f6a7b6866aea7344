// Scratch buffers: records outside of shared memory, which the encoder has written and which are yet to be put,
// or which were just taken and are yet to be decoded. A record is a 4-byte length (of the record, this length
// included) and the bytes of one item.

import { giveUp, HUGE, newBuffer } from "../codec/huge_buffers.ts";
import * as primordials from "../platform/primordials.ts";

const { Int32Array, Object, Uint8Array } = primordials;

/** Bytes of the length before a record. */
export const LENGTH_BYTES = 4;

const SCRATCH_BYTES = 1 << 16;

/** Bytes outside of shared memory, and a view of them as words; their number is a multiple of 8. */
export interface Scratch {
  bytes: Uint8Array;
  words: Int32Array;
  /** Whether its buffer is in use elsewhere, so that the next record needs another buffer. */
  isLent?: boolean;
}

function newScratch(bytes: number): Scratch {
  const buffer = newBuffer(bytes);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
}

/** Gives a scratch a buffer of its own again, if its buffer is lent. */
export function renewLent(scratch: Scratch): void {
  if (scratch.isLent) Object.assign(scratch, newScratch(SCRATCH_BYTES), { isLent: false });
}

/** Makes room for `bytes` in a scratch; its content is lost. */
export function ensureScratch(scratch: Scratch, bytes: number): void {
  renewLent(scratch);
  if (scratch.bytes.length >= bytes) return;
  let length = scratch.bytes.length;
  while (length < bytes) length *= 2;
  Object.assign(scratch, newScratch(length));
}

/** The scratch that records are taken into: one for the isolate, since no code runs between taking and decoding. */
export const taken: Scratch = newScratch(SCRATCH_BYTES);

/** Releases the memory that a huge record needed. */
export function trimTaken(): void {
  if (taken.bytes.length <= HUGE) return;
  giveUp(taken.bytes.buffer as ArrayBuffer);
  Object.assign(taken, newScratch(SCRATCH_BYTES));
}

/** Copies an even number of words; for a few words, faster than TypedArray.set with its view. */
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
