// The checks of arguments of a connection, before anything is done.

import { describe } from "../validate/describe.ts";
import { checkBytes as checkByteCount, checkWhole } from "../validate/numbers.ts";
import { cannotClone } from "../codec/clone_protocol.ts";
import { isStarted } from "../platform/ports.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayBuffer,
  ArrayPrototypeIndexOf,
  ArrayPrototypeSome,
  MessagePort,
  ReadableStream,
  SharedArrayBuffer,
  TransformStream,
  TypedArrayPrototypeSubarray,
  TypeError,
  Uint8Array,
  WritableStream,
} = primordials;

const NOTHING: readonly object[] = [];

/** A sealed process has no global of that name. */
const WebPort = MessagePort;

const transferables = [ArrayBuffer, WebPort, ReadableStream, WritableStream, TransformStream];

/**
 * The objects to be moved with a message. They are checked here because a post that fails detaches all the
 * same what it was to move (platform/ports.ts).
 */
export function checkTransfer(transfer: unknown): readonly object[] {
  if (transfer === undefined) return NOTHING;
  if (!Array.isArray(transfer)) {
    throw new TypeError(
      `transfer is ${describe(transfer)}. Give an array of what is to be moved, as [buffer].`,
    );
  }
  for (let index = 0; index < transfer.length; index++) {
    const item: unknown = transfer[index];
    const problem = problemOf(item) ?? repetition(transfer, item, index);
    if (problem !== undefined) throw new TypeError(`transfer[${index}] is ${problem}`);
  }
  return transfer;
}

function problemOf(item: unknown): string | undefined {
  if (typeof item === "object" && item !== null) {
    if (cannotClone in item) {
      return "an object that moves by itself. Leave it out of transfer; the message holds it.";
    }
    if (ArrayBuffer.isView(item)) return "a view, not its buffer. Transfer its .buffer.";
    if (item instanceof SharedArrayBuffer) {
      return "a SharedArrayBuffer, which is shared anyway. Leave it out of transfer.";
    }
    if (item instanceof ArrayBuffer && item.detached) {
      return "a detached ArrayBuffer: it was transferred before. Give one that is still here.";
    }
    const streams = item instanceof TransformStream ? [item.readable, item.writable] : [item];
    if (ArrayPrototypeSome(streams, (stream) => "locked" in stream && stream.locked === true)) {
      return "a stream that is locked. Release its reader or writer first.";
    }
    if (item instanceof WebPort && isStarted(item)) {
      return "a MessagePort that receives messages here. Transfer it before it is started.";
    }
    if (ArrayPrototypeSome(transferables, (type) => item instanceof type)) return undefined;
  }
  return `${describe(item)}, which can't be transferred. ` +
    "Give ArrayBuffers, MessagePorts or web streams.";
}

function repetition(transfer: readonly unknown[], item: unknown, index: number) {
  const first = ArrayPrototypeIndexOf(transfer, item);
  return first < index ? `the same as transfer[${first}]. Name each thing once.` : undefined;
}

/** The bytes to send: `size` of them from an offset on, or all from there. */
export function checkBytes(bytes: unknown, offset: unknown = 0, size?: unknown): Uint8Array {
  const all = bytesOf(bytes, "bytes");
  if (offset === 0 && size === undefined) return all;
  checkWhole("offset", offset, 0, all.length, "the first byte to send");
  const rest = TypedArrayPrototypeSubarray(all, offset as number);
  if (size === undefined) return rest;
  checkWhole("size", size, 0, rest.length, "how many bytes to send");
  return TypedArrayPrototypeSubarray(rest, 0, size as number);
}

/** The place of received bytes: the part of a buffer from an offset on, in bytes. */
export function checkRoom(buffer: unknown, offset: unknown = 0): Uint8Array {
  const bytes = bytesOf(buffer, "buffer");
  checkWhole("offset", offset, 0, bytes.length, "where in the buffer the message begins, in bytes");
  return TypedArrayPrototypeSubarray(bytes, offset as number);
}

/** The bytes that a buffer or a view shows. */
function bytesOf(source: unknown, what: string): Uint8Array {
  const isView = ArrayBuffer.isView(source);
  const buffer: unknown = isView ? source.buffer : source;
  if (buffer instanceof ArrayBuffer && buffer.detached) {
    throw new TypeError(
      `${
        what === "bytes" ? "bytes are" : `${what} is`
      } in a detached ArrayBuffer: it was transferred before. Give one that is still here.`,
    );
  }
  if (isView) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) {
    return new Uint8Array(buffer);
  }
  throw new TypeError(
    `${what} is ${describe(source)}. Give an ArrayBuffer, a typed array or a DataView.`,
  );
}

/** The most bytes a message may have. */
export function checkMaxLength(maxLength: unknown): number {
  return maxLength === undefined ? Infinity : checkByteCount("maxLength", maxLength);
}
