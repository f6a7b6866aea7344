// Values on their way to another process, with objects among them that are handed over: at any
// depth of plain objects, arrays, Maps and Sets. Such an object is replaced by an empty stand-in,
// and the containers on the way to it by copies; everything else stays as it is for the
// structured clone that follows. The stand-ins travel a second time in a list beside the value.
// Structured clone keeps identity within one message, so the receiver finds them again by
// identity, and no value of the user's can be mistaken for one.

import type { MessagePort } from "node:worker_threads";
import { explainRefusal } from "./codec/place.ts";
import { cannotClone, handOver, isHandedOver, type Parcel, unpack } from "./crossing.ts";

/** What crosses. */
export interface Cargo {
  value: unknown;
  /** The stand-ins in `value`, and what each stands for. */
  parcels: [standIn: object, parcel: Parcel][];
}

/**
 * Prepares a value for crossing; it is not changed. Throws a TypeError if an object that can only
 * be handed over is where it can't be, or if one can't cross at all: structured clone would send
 * an empty object in its place. `root` is the name of the value.
 */
export function load(value: unknown, root: string): Cargo {
  const found = { any: false, misplaced: false };
  scan(value, true, found, new Set());
  const parcels: Cargo["parcels"] = [];
  const cargo = found.any
    ? { value: copy(value, new Map(), parcels), parcels }
    : { value, parcels };
  if (found.misplaced) throw new TypeError(explainRefusal(cargo.value, root, posting));
  return cargo;
}

/** Posts a message that holds the cargo. Throws a TypeError that names the place of what can't cross. */
export function post(port: MessagePort, message: unknown, cargo: Cargo, root: string): void {
  try {
    port.postMessage(message);
  } catch (error) {
    const place = explainRefusal(cargo.value, root, posting);
    throw new TypeError(place, { cause: error });
  }
}

/** A message shares shared memory, where bytes couldn't. */
const posting = { sharedMemory: true };

/** The value that crossed, with the objects that were handed over in it. */
export function unload(cargo: Cargo): unknown {
  if (cargo.parcels.length === 0) return cargo.value;
  const objects = new Map<unknown, unknown>();
  for (const [standIn, parcel] of cargo.parcels) objects.set(standIn, unpack(parcel));
  return restore(cargo.value, objects, new Set());
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether objects in it are handed over. */
function isContainer(value: object): boolean {
  return Array.isArray(value) || value instanceof Map || value instanceof Set || isPlain(value);
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  return Object.values(value);
}

/** Parts that structured clone sees too, but through which nothing is handed over. */
function otherPartsOf(value: object): unknown[] {
  if (ArrayBuffer.isView(value) || value instanceof Date || value instanceof RegExp) return [];
  return value instanceof Error ? [value.cause] : Object.values(value);
}

/** Looks for objects that are handed over, and for such as are misplaced. */
function scan(
  value: unknown,
  inReach: boolean,
  found: { any: boolean; misplaced: boolean },
  seen: Set<unknown>,
): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (cannotClone in value) {
    if (inReach && isHandedOver(value)) found.any = true;
    else found.misplaced = true;
    return;
  }
  if (isContainer(value)) {
    for (const part of partsOf(value)) scan(part, inReach, found, seen);
  } else {
    for (const part of otherPartsOf(value)) scan(part, false, found, seen);
  }
}

function copy(value: unknown, copies: Map<unknown, unknown>, parcels: Cargo["parcels"]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const inner = (part: unknown) => copy(part, copies, parcels);
  if (isHandedOver(value)) {
    const standIn = {};
    copies.set(value, standIn);
    parcels.push([standIn, value[handOver]()]);
    return standIn;
  }
  if (Array.isArray(value)) {
    const array: unknown[] = new Array(value.length);
    copies.set(value, array);
    for (const key of Object.keys(value)) define(array, key, inner(Reflect.get(value, key)));
    return array;
  }
  if (value instanceof Map) {
    const map = new Map<unknown, unknown>();
    copies.set(value, map);
    for (const [key, part] of value) map.set(inner(key), inner(part));
    return map;
  }
  if (value instanceof Set) {
    const set = new Set<unknown>();
    copies.set(value, set);
    for (const part of value) set.add(inner(part));
    return set;
  }
  if (isPlain(value)) {
    const object = {};
    copies.set(value, object);
    for (const [key, part] of Object.entries(value)) define(object, key, inner(part));
    return object;
  }
  return value;
}

/** Sets an own property, "__proto__" included. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** Puts the objects in the places of their stand-ins; the containers are the receiver's own. */
function restore(value: unknown, objects: Map<unknown, unknown>, seen: Set<unknown>): unknown {
  if (objects.has(value)) return objects.get(value);
  if (typeof value !== "object" || value === null || seen.has(value)) return value;
  seen.add(value);
  const inner = (part: unknown) => restore(part, objects, seen);
  if (value instanceof Map) {
    const entries = [...value];
    value.clear();
    for (const [key, part] of entries) value.set(inner(key), inner(part));
  } else if (value instanceof Set) {
    const parts = [...value];
    value.clear();
    for (const part of parts) value.add(inner(part));
  } else if (Array.isArray(value) || isPlain(value)) {
    for (const [key, part] of Object.entries(value)) {
      const restored = inner(part);
      if (restored !== part) define(value, key, restored);
    }
  }
  return value;
}
