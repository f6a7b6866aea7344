// Transferables: objects that can't be copied. A queue, a lock or a pipe end is not a value but a place in shared
// memory, so it is handed over to another process, never cloned. Each class registers here how its objects cross
// (like comlink's transfer handlers): what an object consists of, and how an object is constructed around that
// content on the other side.

import type { MessagePort } from "node:worker_threads";
import { option } from "../validate/options.ts";
import { cannotClone, serialize, type TransferableObject } from "../codec/clone_protocol.ts";
import { exposeIn, isExposedIn } from "../liveness/tainted_memory.ts";
import type { Ref } from "../liveness/process_table.ts";
import * as primordials from "../platform/primordials.ts";

const { ArrayPrototypeEvery, Reflect, SafeMap, TypeError } = primordials;

export { cannotClone, serialize };

/** An object in the form in which it crosses: serialized. */
export interface Serialized {
  /** The class of the object: see registerTransferable(). */
  kind: string;
  /** The parts of the object; structured clone accepts them, except the ports. */
  content: unknown;
  /** The ports in `content`, which move with the message. */
  ports?: MessagePort[];
  /** The id of the process table that the content refers to, if any: it has no meaning in another program. */
  program?: string;
  /** Whether a process with permissions of its own can write to its memory: see liveness/tainted_memory.ts. */
  exposed?: boolean;
}

/** The method that tells an object which can only be in one place that it has moved. */
export const moved: unique symbol = Symbol("multiprocessing.moved");

/** An object that is handed over. */
export interface HandedOver extends TransferableObject {
  [serialize](): Serialized;
  /**
   * Called in a critical section, once nothing can fail any more.
   *
   * @param owner the new owner, in the process table
   * @param how completes the sentence "It was …"
   */
  [moved]?(owner: Ref, how: string): void;
}

/** The functions for serialized objects of a kind. */
interface Arrival {
  make(content: unknown): object;
  /** Called for an object that will never be deserialized. */
  discard?(content: unknown): void;
}

const arrivals = new SafeMap<string, Arrival>();

/**
 * Registers a class whose objects are handed over.
 *
 * @param kind the name of the class in serialized objects
 * @param make constructs an object, by {@linkcode constructFrom}, from the content that arrived
 * @param discard ends an object that will never be constructed, by its content
 */
export function registerTransferable(
  kind: string,
  make: Arrival["make"],
  discard?: Arrival["discard"],
): void {
  arrivals.set(kind, { make, discard });
}

/** The class whose object is being constructed from parts, and the parts. */
let received: { type: unknown; parts: unknown } | undefined;

/**
 * Constructs an object around existing parts, such as memory that arrived, where `new` alone makes new parts.
 * The constructor is public and so can't take the parts as an argument; instead it calls receivedParts().
 *
 * @param parts the value that the constructor gets from {@linkcode receivedParts}
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
 * The parts that an object is constructed from; undefined where a user constructs the object.
 *
 * @param type the `new.target` of the constructor that asks
 */
export function receivedParts<P>(type: unknown): P | undefined {
  if (received === undefined || received.type !== type) return undefined;
  const { parts } = received;
  received = undefined;
  return parts as P;
}

/** Whether this process can make objects of all these kinds. */
export function knowsAll(serialized: readonly Serialized[]): boolean {
  return ArrayPrototypeEvery(serialized, ({ kind }) => arrivals.has(kind));
}

/** Makes the object that was serialized. */
export function deserialize(serialized: Serialized): object {
  const arrival = arrivals.get(serialized.kind);
  if (arrival === undefined) {
    throw new TypeError(`This process knows no objects of kind ${serialized.kind}.`);
  }
  if (option(serialized, "exposed")) expose(serialized);
  return arrival.make(serialized.content);
}

/** Ends an object that was serialized and will never be deserialized. */
export function discardSerialized(serialized: Serialized): void {
  arrivals.get(serialized.kind)?.discard?.(serialized.content);
}

/** Marks a serialized object as exposed: from now on hostile code may write to its memory. */
export function expose(serialized: Serialized): void {
  serialized.exposed = true;
  exposeIn(serialized.content);
}

/** Marks several serialized objects as exposed. */
export function exposeAll(serialized: readonly Serialized[]): void {
  for (let i = 0; i < serialized.length; i++) expose(serialized[i]);
}

/** Marks a serialized object as exposed if some of its memory is. */
export function markExposed(serialized: Serialized): void {
  if (isExposedIn(serialized.content)) serialized.exposed = true;
}
