// The buffers that huge items need on their way, of the encoder and of what was taken from a queue. None is kept, but
// the last one is used again if it isn't collected by then: to copy into memory that was touched before takes a tenth
// of the time that new memory takes.

import * as primordials from "../platform/primordials.ts";

const { ArrayBuffer, WeakRef, WeakRefPrototypeDeref } = primordials;

/** A buffer of more bytes is huge: it is given up once its item is through. */
export const HUGE = 1 << 20;

/** A huge buffer that is used again may be so many times as long as is needed. */
const LOOSE = 4;

let last: WeakRef<ArrayBuffer> | undefined;

/** Gives up a huge buffer, which nothing uses any more. */
export function giveUp(buffer: ArrayBuffer): void {
  last = new WeakRef(buffer);
}

/** A buffer of at least so many bytes; what is in it may be anything. */
export function newBuffer(bytes: number): ArrayBuffer {
  if (bytes <= HUGE || last === undefined) return new ArrayBuffer(bytes);
  const buffer = WeakRefPrototypeDeref(last);
  const fits = buffer !== undefined && buffer.byteLength >= bytes &&
    buffer.byteLength <= LOOSE * bytes;
  if (!fits) return new ArrayBuffer(bytes);
  last = undefined;
  return buffer;
}
