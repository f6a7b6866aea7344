// What users give to a connection, checked before anything is done.

import { describe } from "../describe.ts";
import { cannotClone } from "../memory/crossing.ts";

const NOTHING: readonly object[] = [];

const transferables = [ArrayBuffer, MessagePort, ReadableStream, WritableStream, TransformStream];

/**
 * What is to be moved with a message. It is checked here because a post that fails detaches what
 * it was to move all the same (Deno 2.9.6).
 */
export function checkTransfer(transfer: unknown): readonly object[] {
  if (transfer === undefined) return NOTHING;
  if (!Array.isArray(transfer)) {
    throw new TypeError(
      `transfer is ${describe(transfer)}. Give an array of what is to be moved, as [buffer].`,
    );
  }
  for (const [index, item] of transfer.entries()) {
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
    if (streams.some((stream) => "locked" in stream && stream.locked === true)) {
      return "a stream that is locked. Release its reader or writer first.";
    }
    if (item instanceof MessagePort && isStarted(item)) {
      return "a MessagePort that receives messages here. Transfer it before it is started.";
    }
    if (transferables.some((type) => item instanceof type)) return undefined;
  }
  return `${describe(item)}, which can't be transferred. ` +
    "Give ArrayBuffers, MessagePorts or web streams.";
}

/**
 * Deno 2.9.6 refuses such a port only once it has taken all that is to be moved, which is lost then.
 * It marks it by a symbol of its own.
 */
function isStarted(port: object): boolean {
  return Object.getOwnPropertySymbols(port).some((symbol) => {
    return symbol.description === "enabled" && Reflect.get(port, symbol) === true;
  });
}

function repetition(transfer: readonly unknown[], item: unknown, index: number) {
  const first = transfer.indexOf(item);
  return first < index ? `the same as transfer[${first}]. Name each thing once.` : undefined;
}

/** The bytes to send. */
export function checkBytes(bytes: unknown): Uint8Array {
  if (ArrayBuffer.isView(bytes)) {
    checkAttached(bytes.buffer);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  if (bytes instanceof ArrayBuffer || bytes instanceof SharedArrayBuffer) {
    checkAttached(bytes);
    return new Uint8Array(bytes);
  }
  throw new TypeError(
    `bytes is ${describe(bytes)}. Give an ArrayBuffer, a typed array or a DataView.`,
  );
}

function checkAttached(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer && buffer.detached) {
    throw new TypeError(
      "bytes are in a detached ArrayBuffer: it was transferred before. Give one that is still here.",
    );
  }
}

/** The most bytes a message may have. */
export function checkMaxLength(maxLength: unknown): number {
  if (maxLength === undefined) return Infinity;
  if (typeof maxLength !== "number") {
    throw new TypeError(`maxLength is ${describe(maxLength)}. Give a number of bytes from 0 up.`);
  }
  if (maxLength >= 0) return maxLength;
  throw new RangeError(`maxLength is ${maxLength}. Give a number of bytes from 0 up.`);
}
