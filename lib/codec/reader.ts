// A cursor over received bytes: it reads numbers, strings and keys. The bytes come from the Writer of
// another isolate. Damaged bytes must lead to an error and not to an endless read, so every
// length is compared with the number of bytes left before it is used.

import { Buffer } from "node:buffer";
import { keyOf } from "./key_cache.ts";
import { shortString, UNROLLED } from "./strings.ts";
import { END, LONG_KEY } from "./format.ts";
import * as primordials from "../platform/primordials.ts";

const { Error, Float64Array, Uint8Array, uncurry } = primordials;

const latin1Slice = uncurry<Uint8Array, [number, number], string>(Buffer.prototype.latin1Slice),
  ucs2Slice = uncurry<Uint8Array, [number, number], string>(Buffer.prototype.ucs2Slice);

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Bytes being read, from `at` to `end`. */
export class Reader {
  bytes: Uint8Array = floatBytes;
  at = 0;
  end = 0;

  byte(): number {
    if (this.at >= this.end) throw new Error("They end too early.");
    return this.bytes[this.at++];
  }

  int32(): number {
    const at = this.take(4);
    const bytes = this.bytes;
    return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  float64(): number {
    const at = this.take(8);
    const bytes = this.bytes;
    floatBytes[0] = bytes[at];
    floatBytes[1] = bytes[at + 1];
    floatBytes[2] = bytes[at + 2];
    floatBytes[3] = bytes[at + 3];
    floatBytes[4] = bytes[at + 4];
    floatBytes[5] = bytes[at + 5];
    floatBytes[6] = bytes[at + 6];
    floatBytes[7] = bytes[at + 7];
    return float[0];
  }

  /** Skips `size` bytes and returns the offset at which they begin. */
  take(size: number): number {
    const at = this.at;
    // Written so that NaN is refused as well.
    if (!(size >= 0 && size <= this.end - at)) throw new Error("They end too early.");
    this.at = at + size;
    return at;
  }

  /** Reads a string of `length` characters of one byte each. */
  latin1(length: number): string {
    const at = this.take(length);
    if (length <= UNROLLED) return shortString(this.bytes, at, length);
    return latin1Slice(this.bytes, at, at + length);
  }

  /** Reads a string of `size` bytes of UTF-16. */
  utf16(size: number): string {
    const at = this.take(size);
    return ucs2Slice(this.bytes, at, at + size);
  }

  /** Reads the next key if it is a short one; returns END or LONG_KEY otherwise. */
  key(): string | typeof END | typeof LONG_KEY {
    const length = this.byte();
    if (length === END || length === LONG_KEY) return length;
    return keyOf(this.bytes, this.take(length), length);
  }
}
