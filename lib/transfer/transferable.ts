// Transferables: objects that can't be copied. A queue, a lock, a pipe end are not values but places in shared
// memory, so they cross to another process by being handed over, never by being cloned (comlink calls what does
// this transfer handlers). Each class says here, in one place, how its objects cross: what they consist of, and
// how an object is constructed around that on the other side.

import type { MessagePort } from "node:worker_threads";
import { option } from "../validate/options.ts";
import { cannotClone, serialize, type TransferableObject } from "../codec/clone_protocol.ts";
import { exposeIn, isExposedIn } from "../liveness/tainted_memory.ts";
import type { Ref } from "../liveness/process_table.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeEvery, Reflect, SafeMap, TypeError } = primordials;

export { cannotClone, serialize };

/** What crosses in place of an object. */
export interface Serialized {
  /** Which class's objects are made from it: see registerTransferable(). */
  kind: string;
  /** What the object consists of; structured clone takes it, but for the ports. */
  content: unknown;
  /** The ports in `content`, which move with it. */
  ports?: MessagePort[];
  /** The id of the roster it names, if it does: it means nothing in another program. */
  program?: string;
  /** Whether a process with permissions of its own can write to it: see liveness/tainted_memory.ts. */
  exposed?: boolean;
}

/** The method by which an object that can be in one place only is told that it has moved. */
export const moved: unique symbol = Symbol("multiprocessing.moved");

/** An object that crosses by being handed over. */
export interface HandedOver extends TransferableObject {
  [serialize](): Serialized;
  /**
   * Called in a critical section, once nothing can go wrong any more.
   *
   * @param owner who has it now, in the roster
   * @param how completes the sentence "It was …"
   */
  [moved]?(owner: Ref, how: string): void;
}

/** What is done with the parcels of a kind. */
interface Arrival {
  make(content: unknown): object;
  /** For a parcel that nobody will ever unpack. */
  discard?(content: unknown): void;
}

const arrivals = new SafeMap<string, Arrival>();

/**
 * Registers a class whose objects are handed over.
 *
 * @param kind the name of the class in what crosses
 * @param make constructs an object, by {@linkcode constructFrom}, from what arrived
 * @param discard ends what an object stands for that nobody will construct
 */
export function registerTransferable(
  kind: string,
  make: Arrival["make"],
  discard?: Arrival["discard"],
): void {
  arrivals.set(kind, { make, discard });
}

/** The class that is being constructed from parts, and the parts. */
let received: { type: unknown; parts: unknown } | undefined;

/**
 * Constructs an object around parts that exist, as memory that arrived, where `new` by itself makes new ones.
 * A constructor can't be given them as an argument, because it is public; so it asks for them.
 *
 * @param parts what the constructor gets from {@linkcode receivedParts}
 * @param args further arguments of the constructor
 */
export function constructFrom<T extends object, A extends unknown[]>(
  type: new (...args: A) => T,
  parts: unknown,
  ...args: A
): T {
  received = { type, parts };
  try {
    return Reflect.construct(type, args) as T;
  } finally {
    received = undefined;
  }
}

/**
 * The parts that an object is to be constructed from; undefined where a user constructs one.
 *
 * @param type the `new.target` of the constructor that asks
 */
export function receivedParts<P>(type: unknown): P | undefined {
  if (received === undefined || received.type !== type) return undefined;
  const { parts } = received;
  received = undefined;
  return parts as P;
}

/** Whether objects of all these kinds can be made here. */
export function knowsAll(parcels: readonly Serialized[]): boolean {
  return ArrayPrototypeEvery(parcels, ({ kind }) => arrivals.has(kind));
}

/** Makes the object that a parcel stands for. */
export function deserialize(parcel: Serialized): object {
  const arrival = arrivals.get(parcel.kind);
  if (arrival === undefined) {
    throw new TypeError(`This process knows no objects of kind ${parcel.kind}.`);
  }
  if (option(parcel, "exposed")) expose(parcel);
  return arrival.make(parcel.content);
}

/** Ends what a parcel stands for: nobody will unpack it. */
export function discardSerialized(parcel: Serialized): void {
  arrivals.get(parcel.kind)?.discard?.(parcel.content);
}

/** From now on hostile code may write to what a parcel stands for. */
export function expose(parcel: Serialized): void {
  parcel.exposed = true;
  exposeIn(parcel.content);
}

/** The same of several. */
export function exposeAll(parcels: readonly Serialized[]): void {
  for (let i = 0; i < parcels.length; i++) expose(parcels[i]);
}

/** Has a parcel say so, if it stands for something that is exposed. */
export function markExposed(parcel: Serialized): void {
  if (isExposedIn(parcel.content)) parcel.exposed = true;
}
