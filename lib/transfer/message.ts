// Messages: values on their way to another process through a port, which are arguments, results, and those
// messages of pipes that can't be bytes alone. A value is written as bytes, as the items of queues are, and is
// read once for that, getters included. Objects that can't become bytes go beside the bytes: objects that are
// handed over, inside plain objects, arrays, Maps and Sets at any depth; shared memory and the like; and objects
// that are moved instead of copied.

import type { MessagePort } from "node:worker_threads";
import { postMessage, takeMessage } from "../platform/ports.ts";
import { option } from "../validate/options.ts";
import { decode } from "../codec/decode.ts";
import { type Beside, type Encoder, freeEncoder } from "../codec/encode.ts";
import {
  deserialize,
  discardSerialized,
  type HandedOver,
  markExposed,
  moved,
  serialize,
  type Serialized,
} from "./transferable.ts";
import { ownProcessTable } from "../liveness/membership.ts";
import type { Ref } from "../liveness/process_table.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayBuffer,
  ArrayPrototypeConcat,
  ArrayPrototypeFlatMap,
  ArrayPrototypeMap,
  ArrayPrototypeSome,
  each,
  Map,
  MapPrototypeGet,
  MapPrototypeSet,
  SafeSet,
  TypedArrayPrototypeSlice,
  TypeError,
  Uint8Array,
} = primordials;

/** A message as it crosses to another process. */
export interface Message {
  bytes: Uint8Array;
  /** The serialized forms of the objects that are handed over. */
  serialized: readonly Serialized[];
  /** The objects that only a port takes. */
  posted: readonly object[];
}

/** A value that was encoded; the objects in it are yet to be handed over. */
export interface Captured {
  bytes: Uint8Array;
  /** The objects in the value that are handed over. */
  objects: readonly HandedOver[];
  posted: readonly object[];
  /** The objects that the user has asked to move. */
  transfer: readonly object[];
}

/** A message, and the objects of this process that go with it. */
export interface PackedMessage {
  message: Message;
  /** The objects in the message that are handed over. */
  objects: readonly HandedOver[];
  /** The objects that move with the message: those the user has named, and ports of objects handed over. */
  transfer: readonly object[];
}

/** Buffers of arguments and results of more bytes than this are posted as they are. */
const LARGE = 2 ** 16;
const COPIES: Beside = { moving: new SafeSet(), largestBuffer: LARGE };

/**
 * Makes a message of a value, which isn't changed. Throws a TypeError that names the place of a part that can't
 * cross, and a RangeError if the value is nested too deep.
 *
 * @param root the name of the value
 */
export function packMessage(value: unknown, root: string): PackedMessage {
  const encoder = freeEncoder(), length = encoder.encode(value, 0, root, COPIES);
  return pack(capture(encoder, 0, length, []), root);
}

/** Takes from an encoder the bytes[at..end) that it has just written, and the objects that it has left out. */
export function capture(
  encoder: Encoder,
  at: number,
  end: number,
  transfer: readonly object[],
): Captured {
  const { handedOver = [], posted = [] } = encoder.takeLeftOut() ?? {};
  const bytes = TypedArrayPrototypeSlice(encoder.bytes, at, end);
  encoder.trim();
  return { bytes, objects: handedOver as HandedOver[], posted, transfer };
}

/**
 * Serializes the objects in a value that are handed over; throws if one of them can't be handed over.
 *
 * @param program the program that receives the message, by the id of its process table
 */
export function pack(
  { bytes, objects, posted, transfer }: Captured,
  root: string,
  program: string = ownProcessTable().id,
): PackedMessage {
  const serialized = ArrayPrototypeMap(objects, (object) => object[serialize]());
  for (let i = 0; i < serialized.length; i++) markExposed(serialized[i]);
  if (
    ArrayPrototypeSome(serialized, (object) => (option(object, "program") ?? program) !== program)
  ) {
    throw new TypeError(
      `${root} holds an object of another program: one that a worker was given after it had processes ` +
        "or pipes of its own. Call Connection.fromMessage before anything else there.",
    );
  }
  const ports = ArrayPrototypeFlatMap(serialized, (object) => option(object, "ports") ?? []);
  return {
    message: { bytes, serialized, posted },
    objects,
    transfer: ArrayPrototypeConcat<object>(transfer, ports),
  };
}

/**
 * A message as it goes through a port: in a Map, because receiveMessageOnPort searches for ports in
 * every property of a message, and in every element of every typed array (platform/ports.ts), but
 * not in a Map.
 */
type Wrapped = Map<0, unknown>;

function wrap(message: unknown): Wrapped {
  return MapPrototypeSet(new Map<0, unknown>(), 0, message);
}

/** Posts a message in which nothing is handed over. */
export function postAlone(port: MessagePort, message: unknown): void {
  postMessage(port, wrap(message));
}

/** The next message that was posted; undefined if there is none. */
export function receivePosted(port: MessagePort): unknown {
  const wrapped = takeMessage(port)?.message as Wrapped | undefined;
  return wrapped === undefined ? undefined : MapPrototypeGet(wrapped, 0);
}

/** Posts `message`, which holds `packed.message`. Throws a TypeError if a platform object in it can't be posted. */
export function post(
  port: MessagePort,
  message: unknown,
  packed: PackedMessage,
  root: string,
): void {
  try {
    if (packed.transfer.length === 0) return postAlone(port, message);
    postMessage(port, wrap(message), packed.transfer);
  } catch (error) {
    throw new TypeError(`${root} holds something that can't be cloned. Send plain data.`, {
      cause: error,
    });
  }
}

/** Tells the objects that moved with a message about their new owner. Called in a critical section, after post(). */
export function commit(packed: PackedMessage, owner: Ref, how: string): void {
  for (const object of each(packed.objects)) object[moved]?.(owner, how);
}

/**
 * Whether what was posted has the form of a message: hostile code may have posted anything, also a list that is as
 * long as a list can be, and empty.
 */
export function isMessage(value: unknown): value is Message {
  if (typeof value !== "object" || value === null) return false;
  const { bytes, serialized, posted } = value as Message;
  if (!(bytes instanceof Uint8Array) || !(bytes.buffer instanceof ArrayBuffer)) return false;
  // Each object takes at least one of the bytes.
  return isListWithin(serialized, bytes.length) && isListWithin(posted, bytes.length);
}

function isListWithin(value: unknown, most: number): boolean {
  return Array.isArray(value) && value.length <= most;
}

/** Ends the objects that were handed over in a message that will never be unpacked. */
export function discardMessage(message: unknown): void {
  if (!isMessage(message)) return;
  for (const object of each(message.serialized)) {
    if (typeof object !== "object" || object === null) return;
    discardSerialized(object);
  }
}

/** The value of a message that arrived, with the objects that were handed over in it. */
export function unpackMessage(message: Message): unknown {
  if (!isMessage(message)) {
    throw new TypeError("What has arrived is no value: somebody has forged it.");
  }
  const { bytes, serialized, posted } = message;
  const handedOver = ArrayPrototypeMap(serialized, deserialize);
  return decode(bytes, 0, bytes.length, { handedOver, posted });
}
