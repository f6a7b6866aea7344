// The bytes of an item in the server: how often it was given out, its format, and the item.

import { decode, freeEncoder } from "./core.ts";
import { Buffer } from "node:buffer";

const HEADER = 2, ITEM = 1, DEAD = 2;

/** An item that the server has leased to this client. */
export interface Entry {
  readonly tag: number;
  readonly bytes: Buffer;
}

/** Encodes an item, or says why it can't be put. */
export function encodeEntry(item: unknown, root: string, most: number): Buffer {
  const encoder = freeEncoder();
  const end = encoder.encode(item, HEADER, root);
  if (end - HEADER > most) {
    encoder.trim();
    throw new RangeError(
      `${root} takes ${end - HEADER} bytes, more than the hub's maxItemBytes of ${most}. ` +
        "Connect with a larger maxItemBytes, or put it in parts.",
    );
  }
  const bytes = Buffer.from(encoder.bytes.subarray(0, end));
  bytes[0] = 0;
  bytes[1] = ITEM;
  encoder.trim();
  return bytes;
}

/** The item of an entry; of a dead letter, the item and how often it was tried. */
export function itemOf(bytes: Buffer): unknown {
  if (bytes[1] === DEAD) return { item: itemOf(bytes.subarray(2)), attempts: bytes[2] };
  if (bytes[1] !== ITEM) throw new Error("The entry was not written by this library.");
  return decode(bytes, HEADER, bytes.length);
}

/** Whether this library has written it, as far as that is seen at once. */
export function isOwn(bytes: Buffer): boolean {
  return bytes[1] === ITEM || bytes[1] === DEAD;
}

/** How often an entry was given out. */
export function attemptOf(bytes: Buffer): number {
  return bytes[0];
}

/** The entries in an answer: tag, bytes, tag, bytes, … */
export function entriesOf(reply: readonly unknown[], from: number): Entry[] {
  const entries: Entry[] = [];
  for (let i = from; i < reply.length; i += 2) {
    entries.push({ tag: Number(reply[i]), bytes: reply[i + 1] as Buffer });
  }
  return entries;
}

/** The entries in a message, if it is of this epoch. */
export function entriesIn(message: Buffer, epoch: number): Entry[] {
  if (message.readUInt32BE(1) !== epoch) return [];
  const entries: Entry[] = [];
  for (let at = 5; at < message.length;) {
    const tag = message.readDoubleBE(at), length = message.readUInt32BE(at + 8);
    entries.push({ tag, bytes: message.subarray(at + 12, at + 12 + length) });
    at += 12 + length;
  }
  return entries;
}
