// The frames between a process of the operating system and the thread that keeps it (keeper.ts). A frame is the
// length of its body in four bytes, its kind in one, and the body. The process may be hostile: the keeper refuses
// a frame that is longer than it may be before it has come, and kinds that it doesn't know.

import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypePush,
  ArrayPrototypeShift,
  Error,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;

// To the process, in this order: two texts if it can't load this package from files, then its start.
export const TEXT = 1, START = 2;
/** To the process: the answer to a call. */
export const REPLY = 3;

/** From the process: its modules are loaded. */
export const LOADED = 16;
/** From the process: the outcome of its target, as in a result buffer (lib/protocol/result_buffer.ts). */
export const OUTCOME = 17;
/** From the process: the text of an uncaught error, to be printed if the result isn't asked for. */
export const WORDS = 18;
/** From the process, at the very end: its exit code, and 1 if its memory was full. */
export const FINISHED = 19;
/** From the process: a call of a queue or connection that it was given, and its end before the answer. */
export const CALL = 20, CANCEL = 21;
/** From the process: its target is about to run. */
export const READY = 22;

export const HEADER_BYTES = 5;

/** A frame that has arrived. */
export interface Frame {
  kind: number;
  body: Uint8Array<ArrayBuffer>;
}

/** A frame as bytes. */
export function frameOf(kind: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEADER_BYTES + body.length);
  writeNumber(frame, 0, body.length);
  frame[4] = kind;
  TypedArrayPrototypeSet(frame, body, HEADER_BYTES);
  return frame;
}

/** Writes a whole number below 2 ** 32, in four bytes. */
export function writeNumber(bytes: Uint8Array, at: number, number: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = number >>> (8 * i);
}

/** Reads a whole number below 2 ** 32. */
export function readNumber(bytes: Uint8Array, at: number): number {
  let number = 0;
  for (let i = 3; i >= 0; i--) number = number * 256 + bytes[at + i];
  return number;
}

/** Puts frames together from the chunks in which they arrive. */
export class FrameReader {
  readonly #chunks: Uint8Array[] = [];
  readonly #most: number;
  #length = 0;

  /** @param most the longest body, in bytes */
  constructor(most: number) {
    this.#most = most;
  }

  add(chunk: Uint8Array): void {
    ArrayPrototypePush(this.#chunks, chunk);
    this.#length += chunk.length;
  }

  /**
   * The next frame; undefined if it hasn't arrived whole.
   *
   * @throws {Error} if it is longer than a frame may be
   */
  next(): Frame | undefined {
    if (this.#length < HEADER_BYTES) return undefined;
    while (this.#chunks[0].length < HEADER_BYTES) this.#join(HEADER_BYTES);
    const length = readNumber(this.#chunks[0], 0), kind = this.#chunks[0][4];
    if (length > this.#most) {
      throw new Error(`A frame of ${length} bytes is longer than it may be.`);
    }
    const whole = HEADER_BYTES + length;
    if (this.#length < whole) return undefined;
    this.#join(whole);
    const { 0: first } = this.#chunks;
    const body = new Uint8Array(length);
    TypedArrayPrototypeSet(body, TypedArrayPrototypeSubarray(first, HEADER_BYTES, whole));
    this.#chunks[0] = TypedArrayPrototypeSubarray(first, whole);
    if (this.#chunks[0].length === 0) ArrayPrototypeShift(this.#chunks);
    this.#length -= whole;
    return { kind, body };
  }

  /** Makes the first chunk as long as this, or longer. */
  #join(length: number): void {
    if (this.#chunks[0].length >= length) return;
    const { 0: first } = this.#chunks;
    let end = 0, count = 0;
    while (end < length) end += this.#chunks[count++].length;
    const joined = new Uint8Array(end);
    TypedArrayPrototypeSet(joined, first);
    for (let i = 0, at = 0; i < count; i++) {
      const chunk = ArrayPrototypeShift(this.#chunks)!;
      TypedArrayPrototypeSet(joined, chunk, at);
      at += chunk.length;
    }
    primordials.ArrayPrototypeUnshift(this.#chunks, joined);
  }
}
