// Tainted memory: shared memory that a process with permissions of its own can write to, as far as this isolate
// knows. It was handed to such a process, or came from one, or through a pipe that leads to one. The process may
// be hostile, so nobody waits long for a lock word there. What is tainted stays so, and says so when it is
// handed on.

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

const exposed = new WeakSet<object>();
/** What an object consists of is plain and flat. */
const MAX_DEPTH = 4;

/** Whether hostile code may write there. */
export function isExposed(memory: ArrayBufferLike): boolean {
  return WeakSetPrototypeHas(exposed, memory);
}

const spoiled = new WeakSet<object>();

/** Whether a lock word there was held too long. */
export function isSpoiled(memory: ArrayBufferLike): boolean {
  return WeakSetPrototypeHas(spoiled, memory);
}

/** A lock word there was held too long: who waits again doesn't wait as long. */
export function markSpoiled(memory: ArrayBufferLike): void {
  WeakSetPrototypeAdd(spoiled, memory);
}

/** Marks that held a lock word there for too long, by the place of the word, and since when, in ms. */
const suspects = new WeakMap<object, Map<number, { mark: number; since: number }>>();

/** Says that a mark holds a lock word there too long; answers for how long it has been seen there, in ms. */
export function suspect(memory: ArrayBufferLike, at: number, mark: number): number {
  const words = WeakMapPrototypeGet(suspects, memory) ?? new Map();
  WeakMapPrototypeSet(suspects, memory, words);
  const known = words.get(at), now = performance.now();
  if (known?.mark === mark) return now - known.since;
  words.set(at, { mark, since: now });
  return 0;
}

/** From now on hostile code may write to the memory in what an object consists of. */
export function exposeIn(content: unknown): void {
  const found = memoryIn(content, 0);
  for (let i = 0; i < found.length; i++) WeakSetPrototypeAdd(exposed, found[i]);
}

/** Whether hostile code may write to some of the memory in it. */
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
