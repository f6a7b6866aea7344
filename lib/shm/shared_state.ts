// The state of each object of lib/sync: some words of shared memory, and the process table, which says whether
// the processes whose tokens are written there are alive.

import { arrivedMemory } from "../validate/corruption.ts";
import { reserve } from "../validate/reservations.ts";
import { ownProcessTable, ownRef, placeIn } from "../liveness/membership.ts";
import type { ProcessTable } from "../liveness/process_table.ts";
import * as primordials from "../platform/primordials.ts";

const { Int32Array, SharedArrayBuffer, TypeError } = primordials;

/** The state as it crosses to another process. */
interface SharedContent {
  words: SharedArrayBuffer;
  /** The id of the process table. */
  program: string;
}

/** Words in shared memory, and the identity of this process to the processes that share them. */
export interface SharedState {
  /** All words, or as many as there were at first. */
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly processTable: ProcessTable;
  /** The token of this process, which fits into a word. */
  readonly token: number;
}

/** New shared memory of `count` words, which may grow to `most`. */
export function newSharedState(count: number, most = count): SharedState {
  const processTable = ownProcessTable();
  const buffer = most === count
    ? new SharedArrayBuffer(count * 4)
    : reserve(most * 4, () => new SharedArrayBuffer(count * 4, { maxByteLength: most * 4 }));
  return { words: viewOf(buffer), processTable, token: processTable.token(ownRef()) };
}

/** A view of all words there are now. A view whose length isn't fixed is slow (V8 in Deno 2.9.6). */
export function viewOf(buffer: SharedArrayBuffer): Int32Array<SharedArrayBuffer> {
  return new Int32Array(buffer, 0, buffer.byteLength >> 2);
}

/** The holder of a lock, or of the like, as it is printed. */
export interface Owner {
  /** The name of the process. */
  owner: string;
  /** Only where the process has ended: the next acquirer learns of that. */
  abandoned?: true;
}

/** The holder with this token. */
export function ownerOf(processTable: ProcessTable, token: number): Owner {
  const owner = processTable.knownNameOf(token) ?? "a process that has ended";
  return processTable.isTokenAlive(token) ? { owner } : { owner, abandoned: true };
}

/** An object of a kind, serialized. */
interface SerializedState {
  kind: string;
  content: SharedContent;
  program: string;
}

/** The state as it crosses to another process. */
export function contentOf({ words, processTable }: SharedState): SharedContent {
  return { words: words.buffer, program: processTable.id };
}

/** The serialized form of an object with this state. */
export function serializedOf(kind: string, state: SharedState): SerializedState {
  return { kind, content: contentOf(state), program: state.processTable.id };
}

/** The state, in the process that the object was handed over to. */
export function receivedState(content: unknown): SharedState {
  const { words, program } = content as SharedContent;
  const place = placeIn(program);
  if (place === undefined) {
    throw new TypeError("It has arrived from a program this worker knows nothing of.");
  }
  return {
    words: viewOf(arrivedMemory(words, 4)),
    processTable: place.processTable,
    token: place.processTable.token(place.self),
  };
}

/** Ends the sentence "args[0] is a Lock, which …". */
export const handedOverOnly: string = "is handed over, not copied. Give it to a process in args, " +
  "or send it through a pipe, at any depth of plain objects, arrays, Maps and Sets";
