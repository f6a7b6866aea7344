// The growing buffer that values are encoded into, with the writing of numbers, strings and keys.
// `room` is called before every write, because a typed array ignores writes past its end.

import { ASCII_STRING, LONG_KEY, SHORT, SHORT_STRING, UTF16_STRING } from "./format.ts";
import { giveUp, HUGE, newBuffer } from "./huge_buffers.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Float64Array,
  Int32Array,
  Math,
  encodeTextInto,
  StringPrototypeCharCodeAt,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;

const MIN_BYTES = 16 * 1024;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Bytes being written, from `at` on. */
export class Writer {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(MIN_BYTES);
  words: Int32Array<ArrayBuffer> = new Int32Array(this.bytes.buffer);
  at = 0;

  // A view of `bytes` from #tailAt on, kept because making one costs 35 ns, and messages of one shape have their
  // long strings at the same place (Deno 2.9.6).
  #tail: Uint8Array<ArrayBuffer> = this.bytes;
  #tailAt = 0;

  /** Makes room for `size` more bytes. */
  room(size: number): void {
    if (this.at + size > this.bytes.length) this.#resize(this.at + size);
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** Writes four bytes: an i32 or a u32. */
  int32(value: number): void {
    const { bytes, at } = this;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.at = at + 4;
  }

  float64(value: number): void {
    const { bytes, at } = this;
    float[0] = value;
    bytes[at] = floatBytes[0];
    bytes[at + 1] = floatBytes[1];
    bytes[at + 2] = floatBytes[2];
    bytes[at + 3] = floatBytes[3];
    bytes[at + 4] = floatBytes[4];
    bytes[at + 5] = floatBytes[5];
    bytes[at + 6] = floatBytes[6];
    bytes[at + 7] = floatBytes[7];
    this.at = at + 8;
  }

  /** Makes room for bytes and writes them. */
  copy(source: Uint8Array): void {
    this.room(source.length);
    TypedArrayPrototypeSet(this.bytes, source, this.at);
    this.at += source.length;
  }

  /** Writes a string with its tag. */
  string(value: string): void {
    const length = value.length;
    if (length > SHORT) return this.#longString(value);
    this.room(2 + length);
    const bytes = this.bytes;
    let at = this.at;
    bytes[at++] = SHORT_STRING;
    bytes[at++] = length;
    for (let i = 0; i < length; i++) {
      const unit = StringPrototypeCharCodeAt(value, i);
      if (unit > 0xff) return this.#utf16(value);
      bytes[at++] = unit;
    }
    this.at = at;
  }

  /** Writes the key of a property. */
  key(key: string): void {
    const length = key.length;
    this.room(1 + SHORT);
    if (length > 0 && length <= SHORT) {
      const bytes = this.bytes;
      let at = this.at;
      bytes[at++] = length;
      let i = 0;
      while (i < length) {
        const unit = StringPrototypeCharCodeAt(key, i);
        if (unit > 0xff) break;
        bytes[at++] = unit;
        i++;
      }
      if (i === length) {
        this.at = at;
        return;
      }
    }
    this.byte(LONG_KEY);
    this.string(key);
  }

  /** Replaces an overgrown buffer by a small one. */
  trim(): void {
    if (this.bytes.length <= HUGE) return;
    giveUp(this.bytes.buffer);
    this.#adopt(new Uint8Array(MIN_BYTES));
  }

  #longString(value: string): void {
    const length = value.length;
    this.room(5 + length);
    if (looksAscii(value)) {
      const start = this.at + 5;
      if (this.#tailAt !== start) {
        this.#tail = TypedArrayPrototypeSubarray(this.bytes, start);
        this.#tailAt = start;
      }
      const { read, written } = encodeTextInto(value, this.#tail);
      if (read === length && written === length) {
        this.byte(ASCII_STRING);
        this.int32(length);
        this.at = start + length;
        return;
      }
    }
    this.#utf16(value);
  }

  // UTF-16 rather than UTF-8: both take 2 ns a character to write, but UTF-16 is read five times as
  // fast (Deno 2.9.6), and lone surrogates need no special case.
  #utf16(value: string): void {
    const length = value.length;
    this.room(5 + 2 * length);
    this.byte(UTF16_STRING);
    this.int32(2 * length);
    const bytes = this.bytes;
    let at = this.at;
    for (let i = 0; i < length; i++) {
      const unit = StringPrototypeCharCodeAt(value, i);
      bytes[at++] = unit;
      bytes[at++] = unit >>> 8;
    }
    this.at = at;
  }

  #resize(size: number): void {
    const least = Math.max(2 * this.bytes.length, Math.ceil(size / 8) * 8);
    const larger = new Uint8Array(newBuffer(least));
    TypedArrayPrototypeSet(larger, TypedArrayPrototypeSubarray(this.bytes, 0, this.at));
    this.#adopt(larger);
  }

  #adopt(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.words = new Int32Array(bytes.buffer);
    this.#tail = bytes;
    this.#tailAt = 0;
  }
}

/** A guess from some sixteen characters, which spares most other strings a futile attempt. */
function looksAscii(value: string): boolean {
  const step = value.length >>> 4 || 1;
  for (let i = 0; i < value.length; i += step) {
    if (StringPrototypeCharCodeAt(value, i) > 0x7f) return false;
  }
  return true;
}
