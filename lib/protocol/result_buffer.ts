// The outcome of a target as bytes in shared memory, from a process with permissions of its own, which may be
// hostile. Nothing is read before a call asks for the result, and bytes can't act by themselves. (A message is
// read where it arrives, and a large enough one stops the isolate that reads it.)

import { decode } from "../codec/decode.ts";
import { freeEncoder } from "../codec/encode.ts";
import { headlineOf } from "../transfer/recreate_error.ts";
import { describeFailure, type Failure } from "../transfer/remote_error.ts";
import { checkedFailure } from "../transfer/untrusted_error.ts";
import type { Reply, Result } from "./outcome.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  Int32Array,
  Math,
  RangeError,
  SharedArrayBuffer,
  SharedArrayBufferPrototypeGrow,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSlice,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;

// The words of a buffer: the number of bytes, which is 0 until they are written, and the kind of outcome.
const LENGTH = 0, KIND = 1, HEADER_BYTES = 8;
const RETURNED = 1, THREW = 2;

/** The room for the first line of an error, which every buffer has besides the room for a result. */
const ERROR_BYTES = 2 ** 15;

/** New shared memory, for a result of at most `most` bytes. */
export function newResultBuffer(most: number): SharedArrayBuffer {
  const maxByteLength = HEADER_BYTES + Math.ceil(most) + ERROR_BYTES;
  return new SharedArrayBuffer(HEADER_BYTES, { maxByteLength });
}

/** A reply that writes the outcome of the target into the buffer. */
export function writeTo(buffer: SharedArrayBuffer): Reply {
  const room = buffer.maxByteLength - HEADER_BYTES, maxResult = room - ERROR_BYTES;
  const write = (kind: number, value: unknown, most: number) => {
    const encoder = freeEncoder(), length = encoder.encode(value, 0, "result");
    if (length > most) {
      throw new RangeError(
        `result takes ${length} bytes, and a process with permissions of its own returns at most ${most}. ` +
          "Start it with a larger maxResultBytes, or hand it a queue or a pipe and send the result in parts.",
      );
    }
    if (encoder.weight > most) {
      throw new RangeError(
        `result counts as ${encoder.weight} bytes (a resizable buffer as its maxByteLength, an error as 128, a regular ` +
          `expression with the flag u or v as its parts), and a process with permissions of its own returns at most ` +
          `${most}. Start it with a larger maxResultBytes, or return plain buffers and strings.`,
      );
    }
    // An uncaught error may have written to the buffer before.
    const size = HEADER_BYTES + length;
    if (size > buffer.byteLength) SharedArrayBufferPrototypeGrow(buffer, size);
    TypedArrayPrototypeSet(
      new Uint8Array(buffer, HEADER_BYTES, length),
      TypedArrayPrototypeSubarray(encoder.bytes, 0, length),
    );
    encoder.trim();
    const words = new Int32Array(buffer, 0, 2);
    words[KIND] = kind;
    Atomics.store(words, LENGTH, length);
  };
  return {
    returned: (value) => write(RETURNED, value, maxResult),
    threw: (thrown) => {
      const failure = describeFailure(thrown, false);
      try {
        write(THREW, failure, maxResult);
        return failure;
      } catch {
        // The error is too large.
        const headline: Failure = { thrown: headlineOf(failure), objects: [] };
        write(THREW, headline, room);
        return headline;
      }
    },
  };
}

/** The bytes of a buffer in which an outcome was written, to be written into another buffer. */
export function bytesOf(buffer: SharedArrayBuffer): Uint8Array {
  return TypedArrayPrototypeSlice(new Uint8Array(buffer));
}

/**
 * Writes the bytes of another buffer, which may be hostile: they are read as an outcome only when a call asks for
 * the result.
 *
 * @throws {RangeError} if there are too many, or too few
 */
export function writeBytes(buffer: SharedArrayBuffer, bytes: Uint8Array): void {
  const size = bytes.length;
  if (size < HEADER_BYTES || size > buffer.maxByteLength) {
    throw new RangeError(
      `An outcome has ${HEADER_BYTES} to ${buffer.maxByteLength} bytes, not ${size}.`,
    );
  }
  if (size > buffer.byteLength) SharedArrayBufferPrototypeGrow(buffer, size);
  const header = TypedArrayPrototypeSlice(bytes, 0, HEADER_BYTES);
  const { 0: length, 1: kind } = new Int32Array(header.buffer as ArrayBuffer, 0, 2);
  if (length <= 0 || length > size - HEADER_BYTES) {
    throw new RangeError(`An outcome of ${size} bytes can't hold ${length}.`);
  }
  const body = TypedArrayPrototypeSubarray(bytes, HEADER_BYTES, HEADER_BYTES + length);
  TypedArrayPrototypeSet(new Uint8Array(buffer, HEADER_BYTES, length), body);
  const words = new Int32Array(buffer, 0, 2);
  words[KIND] = kind;
  Atomics.store(words, LENGTH, length);
}

/** Whether no outcome has been written. */
export function isEmpty(buffer: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(buffer, 0, 2), LENGTH) === 0;
}

/** The outcome in the buffer; undefined if none has been written. Throws if the bytes are no outcome. */
export function read(buffer: SharedArrayBuffer): Result | undefined {
  const words = new Int32Array(buffer, 0, 2);
  const length = Atomics.load(words, LENGTH);
  if (length === 0) return undefined;
  // A copy, because hostile code could change the bytes while they are decoded.
  const bytes = TypedArrayPrototypeSlice(new Uint8Array(buffer, HEADER_BYTES, length));
  const value = decode(bytes, 0, length, undefined, buffer.maxByteLength - HEADER_BYTES);
  return words[KIND] === THREW ? { failure: checkedFailure(value, length) } : { value };
}
