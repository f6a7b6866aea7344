// Tainted memory: shared memory that a process with permissions of its own can write to, as far as this isolate
// knows. The memory was handed to such a process, or came from one, or through a pipe that leads to one. The
// process may be hostile, so waits for a lock word in tainted memory are short. Tainted memory stays tainted, and
// is marked as such when it is handed on.

import * as primordials from "../platform/primordials.ts";

const {
  ArrayBuffer,
  ArrayPrototypePush,
  each,
  Object,
  performance,
  SafeMap: Map,
  SharedArrayBuffer,
  WeakMap,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
  WeakSet,
  WeakSetPrototypeAdd,
  WeakSetPrototypeHas,
} = primordials;

/** The longest wait for a lock that hostile code can hold, in a call that has no timeout for it; in ms. */
export const EXPOSED_TIMEOUT_MS = 150;

const exposed = new WeakSet<object>();
/** The content of a serialized object is plain data of few levels. */
const MAX_DEPTH = 4;

/** Whether hostile code may write to this memory. */
export function isExposed(memory: ArrayBufferLike): boolean {
  return WeakSetPrototypeHas(exposed, memory);
}

const spoiled = new WeakSet<object>();

/** Whether a lock word in this memory was held too long. */
export function isSpoiled(memory: ArrayBufferLike): boolean {
  return WeakSetPrototypeHas(spoiled, memory);
}

/** Notes that a lock word in this memory was held too long: later waits for one are shorter. */
export function markSpoiled(memory: ArrayBufferLike): void {
  WeakSetPrototypeAdd(spoiled, memory);
}

/** The marks that were seen to hold lock words too long, by memory and index of the word, and since when, in ms. */
const suspects = new WeakMap<object, Map<number, { mark: number; since: number }>>();

/** Notes that a mark holds a lock word too long, and returns for how long the mark has been seen there, in ms. */
export function suspect(memory: ArrayBufferLike, at: number, mark: number): number {
  const words = WeakMapPrototypeGet(suspects, memory) ?? new Map();
  WeakMapPrototypeSet(suspects, memory, words);
  const known = words.get(at), now = performance.now();
  if (known?.mark === mark) return now - known.since;
  words.set(at, { mark, since: now });
  return 0;
}

/** Marks all shared memory in this content as exposed: from now on hostile code may write to it. */
export function exposeIn(content: unknown): void {
  const found = memoryIn(content, 0);
  for (let i = 0; i < found.length; i++) WeakSetPrototypeAdd(exposed, found[i]);
}

/** Whether hostile code may write to some of the shared memory in this content. */
export function isExposedIn(content: unknown): boolean {
  const found = memoryIn(content, 0);
  for (let i = 0; i < found.length; i++) if (isExposed(found[i])) return true;
  return false;
}

function memoryIn(value: unknown, depth: number): SharedArrayBuffer[] {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return [];
  if (value instanceof SharedArrayBuffer) return [value as SharedArrayBuffer];
  if (ArrayBuffer.isView(value)) return memoryIn(value.buffer, depth + 1);
  const found: SharedArrayBuffer[] = [];
  for (const part of each(Object.values(value))) {
    for (const memory of each(memoryIn(part, depth + 1))) ArrayPrototypePush(found, memory);
  }
  return found;
}
