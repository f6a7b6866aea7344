// What became of a target, on its way to the one who started it.
//
// By port, as a message: a result may hold what is handed over. Or by letter, as bytes in shared memory,
// from a process with permissions of its own, which may be hostile: so nothing is read before somebody
// asks for the result, and nothing arrives that could act by itself. A message is read where it arrives, and
// a large enough one stops who reads it.
//
// Its host is told by letter, too, of an error that is to be printed: a message could still be on its way to a
// listener, where nobody can take it, when the end is noticed (measured: 1 in 20).

import type { MessagePort } from "node:worker_threads";
import { load, post, postAlone, receivePosted, settle, unload } from "../transfer/message.ts";
import { decode } from "../codec/decode.ts";
import { freeEncoder } from "../codec/encode.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { starterRef } from "../process/current.ts";
import { describeFailure, type Failure, withoutLeaves } from "../transfer/remote_error.ts";
import { checkedFailure } from "../transfer/untrusted_error.ts";
import type { Outcome } from "./messages.ts";
import { headlineOf } from "../transfer/recreate_error.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  hasValue,
  Int32Array,
  Math,
  RangeError,
  SharedArrayBuffer,
  SharedArrayBufferPrototypeGrow,
  StringPrototypeSlice,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSlice,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;

/** What became of a target: what it returned, or why it did not. */
export type Result = { value: unknown } | { failure: Failure };

/** How a started process says what became of its target; throws what can't cross. */
export interface Reply {
  returned(value: unknown): void;
  /** Answers what it has said. */
  threw(thrown: unknown): Failure;
}

/** By port. */
export function replyTo(port: MessagePort): Reply {
  return {
    returned(value) {
      const loaded = load(value, "result");
      post(port, { type: "returned", cargo: loaded.cargo } satisfies Outcome, loaded, "result");
      const starter = starterRef();
      if (starter === undefined) return;
      withoutKill(() => settle(loaded, starter, "returned as the result of this process"));
    },
    threw(thrown) {
      const say = (failure: Failure) => {
        postAlone(port, { type: "threw", failure } satisfies Outcome);
        return failure;
      };
      const failure = describeFailure(thrown);
      try {
        return say(failure);
      } catch {
        // With it came a platform object that can't be posted.
        return say(withoutLeaves(failure));
      }
    },
  };
}

/** What has come by port. */
export function receive(port: MessagePort): Result | undefined {
  const outcome = receivePosted(port) as Outcome | undefined;
  if (outcome === undefined) return undefined;
  if (outcome.type === "threw") return { failure: outcome.failure };
  return { value: unload(outcome.cargo) };
}

// The words of a letter: how many bytes there are, 0 while it isn't written, and what they are.
const LENGTH = 0, KIND = 1, HEADER_BYTES = 8;
const RETURNED = 1, THREW = 2;

/** In every letter there is room for the first line of an error, whatever a result may take. */
const ERROR_BYTES = 2 ** 15;

/** New shared memory of a letter, for a result of so many bytes at most. */
export function newLetter(most: number): SharedArrayBuffer {
  const maxByteLength = HEADER_BYTES + Math.ceil(most) + ERROR_BYTES;
  return new SharedArrayBuffer(HEADER_BYTES, { maxByteLength });
}

/** By letter. */
export function writeTo(letter: SharedArrayBuffer): Reply {
  const room = letter.maxByteLength - HEADER_BYTES, maxResult = room - ERROR_BYTES;
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
    // It may have been written once, by an error that nobody caught.
    const size = HEADER_BYTES + length;
    if (size > letter.byteLength) SharedArrayBufferPrototypeGrow(letter, size);
    TypedArrayPrototypeSet(
      new Uint8Array(letter, HEADER_BYTES, length),
      TypedArrayPrototypeSubarray(encoder.bytes, 0, length),
    );
    encoder.trim();
    const words = new Int32Array(letter, 0, 2);
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
        // It is too large.
        const headline: Failure = { thrown: headlineOf(failure), objects: [] };
        write(THREW, headline, room);
        return headline;
      }
    },
  };
}

/** What stands in a letter. Throws if that is nothing. */
export function read(letter: SharedArrayBuffer): Result | undefined {
  const words = new Int32Array(letter, 0, 2);
  const length = Atomics.load(words, LENGTH);
  if (length === 0) return undefined;
  // A copy, which doesn't change while it is read.
  const bytes = TypedArrayPrototypeSlice(new Uint8Array(letter, HEADER_BYTES, length));
  const value = decode(bytes, 0, length, undefined, letter.maxByteLength - HEADER_BYTES);
  return words[KIND] === THREW ? { failure: checkedFailure(value, length) } : { value };
}

/** The longest error that is printed whole, in UTF-16 code units; of others this much of the end is, the stack. */
const MOST_WORDS = 2 ** 15, TAIL = 2 ** 12;

/** A new letter for the words that a process leaves. */
export function newLastWords(): SharedArrayBuffer {
  const header = 2 ** 6;
  return newLetter(2 * MOST_WORDS + header);
}

/** Leaves them. */
export function leaveWords(letter: SharedArrayBuffer, words: string): void {
  const isLong = words.length > MOST_WORDS;
  const said = isLong
    ? `${StringPrototypeSlice(words, 0, MOST_WORDS - TAIL)} … ${StringPrototypeSlice(words, -TAIL)}`
    : words;
  writeTo(letter).returned(said);
}

/** What a process has left; undefined if nothing. Not for one that may be hostile: it may be anything then. */
export function wordsLeft(letter: SharedArrayBuffer): unknown {
  const found = read(letter);
  return found && hasValue(found) ? found.value : undefined;
}
