// Values on their way to another process, with objects among them that are handed over: at any
// depth of plain objects, arrays, Maps and Sets. Such an object is replaced by an empty stand-in,
// and the containers on the way to it by copies; everything else stays as it is for the
// structured clone that follows. The stand-ins travel a second time in a list beside the value.
// Structured clone keeps identity within one message, so the receiver finds them again by
// identity, and no value of the user's can be mistaken for one.

import type { MessagePort } from "node:worker_threads";
import { takeMessage } from "../platform/ports.ts";
import { type CrossingOptions, explainRefusal, findRefusal } from "./codec/place.ts";
import { refusalOf } from "./codec/refusals.ts";
import {
  cannotClone,
  discard,
  type HandedOver,
  handOver,
  isHandedOver,
  moved,
  type Parcel,
  unpack,
} from "./crossing.ts";
import { ownRoster, type Ref } from "./roster.ts";
import * as primordials from "../platform/primordials.ts";

const { Array, ArrayBuffer, Date, Error, Map, Object, Reflect, RegExp, Set, TypeError } =
  primordials;

/** What crosses. */
export interface Cargo {
  value: unknown;
  /** The stand-ins in `value`, and what each stands for. */
  parcels: [standIn: object, parcel: Parcel][];
}

/** What crosses, and what there is to know about it on this side. */
export interface Load {
  cargo: Cargo;
  /** The objects in it that are handed over. */
  objects: HandedOver[];
  /** What moves with it: what the user has said, and ports of objects that are handed over. */
  transfer: readonly object[];
}

/**
 * Prepares a value for crossing; it is not changed. Throws a TypeError if an object that can only
 * be handed over is where it can't be, or if one can't cross at all: structured clone would send
 * an empty object in its place. `root` is the name of the value.
 *
 * @param transfer what is to be moved instead of copied; that it can be is checked before
 * @param program the program that is to receive it, as the id of its roster
 */
export function load(
  value: unknown,
  root: string,
  transfer: readonly object[] = [],
  program: string = ownRoster().id,
): Load {
  const moving = new Set<unknown>(transfer);
  const found = { any: false, misplaced: false };
  // What is reached twice, once where it can be handed over and once where it can't, is looked at twice.
  scan(value, true, found, { inReach: new Set(transfer), other: new Set(transfer) });
  const standIns = new Map<HandedOver, object>();
  const copied = found.any ? copy(value, new Map(), standIns) : value;
  // Last of all: a getter of the value may have used them.
  const objects = [...standIns.keys()];
  const parcels = objects.map((object): Cargo["parcels"][number] => {
    return [standIns.get(object)!, object[handOver]()];
  });
  const cargo = { value: copied, parcels };
  if (parcels.some(([, parcel]) => (parcel.program ?? program) !== program)) {
    throw new TypeError(
      `${root} holds an object of another program: one that a worker was given after it had processes ` +
        "or pipes of its own. Call Connection.fromMessage before anything else there.",
    );
  }
  const options = { sharedMemory: true, mayCross: (object: object) => moving.has(object) };
  // A post that fails detaches what it was to move all the same (platform/ports.ts).
  if (found.misplaced || transfer.length > 0) checkCloneable(cargo.value, root, options);
  const ports = parcels.flatMap(([, parcel]) => parcel.ports ?? []);
  return { cargo, objects, transfer: [...transfer, ...ports] };
}

/** Throws a TypeError that names the place of what can't cross, in a value that was loaded. */
export function checkCloneable(
  value: unknown,
  root: string,
  options: CrossingOptions = { sharedMemory: true },
): void {
  const place = findRefusal(value, root, options);
  if (place !== undefined) throw new TypeError(place);
}

/**
 * A message as it goes through a port: in a Map, because receiveMessageOnPort looks for ports in
 * every property of a message, and every element of every typed array (platform/ports.ts), but
 * not in a Map.
 */
type Wrapped = Map<0, unknown>;

/** Posts a message in which nothing is handed over. */
export function postAlone(port: MessagePort, message: unknown): void {
  const wrapped: Wrapped = new Map([[0, message]]);
  port.postMessage(wrapped);
}

/** The next message that was posted; undefined if there is none. */
export function receivePosted(port: MessagePort): unknown {
  return (takeMessage(port)?.message as Wrapped | undefined)?.get(0);
}

/** Posts a message that holds the cargo. Throws a TypeError that names the place of what can't cross. */
export function post(port: MessagePort, message: unknown, load: Load, root: string): void {
  try {
    if (load.transfer.length === 0) return postAlone(port, message);
    const wrapped: Wrapped = new Map([[0, message]]);
    port.postMessage(wrapped, load.transfer as MessagePort[]);
  } catch (error) {
    const place = explainRefusal(load.cargo.value, root, { sharedMemory: true });
    throw new TypeError(place, { cause: error });
  }
}

/** Tells what has moved where it is now; in a critical section, after it was posted. */
export function settle(load: Load, owner: Ref, how: string): void {
  for (const object of load.objects) object[moved]?.(owner, how);
}

/** Ends what was handed over in a cargo that nobody will ever unload. */
export function drop(cargo: Cargo): void {
  for (const [, parcel] of cargo.parcels) discard(parcel);
}

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
  seen: { inReach: Set<unknown>; other: Set<unknown> },
): void {
  if (typeof value !== "object" || value === null) return;
  const alike = inReach ? seen.inReach : seen.other;
  if (alike.has(value)) return;
  alike.add(value);
  if (cannotClone in value) {
    if (inReach && isHandedOver(value)) found.any = true;
    else found.misplaced = true;
    return;
  }
  if (isContainer(value)) {
    for (const part of partsOf(value)) scan(part, inReach, found, seen);
    return;
  }
  if (refusalOf(value, true) !== undefined) found.misplaced = true;
  for (const part of otherPartsOf(value)) scan(part, false, found, seen);
}

function copy(
  value: unknown,
  copies: Map<unknown, unknown>,
  standIns: Map<HandedOver, object>,
): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const inner = (part: unknown) => copy(part, copies, standIns);
  if (isHandedOver(value)) {
    const standIn = {};
    copies.set(value, standIn);
    standIns.set(value, standIn);
    return standIn;
  }
  if (Array.isArray(value)) {
    const array: unknown[] = Array(value.length);
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
