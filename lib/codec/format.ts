// The wire format of the byte codec. The format is used only inside one running program, between copies
// of this very module, so it has no version and no byte order of its own.
//
//   message  = flag value         flag: 1 if a REFERENCE follows; with 0 the decoder keeps no list of objects
//   value    = small | tag body   small: a byte from SMALL up is the integer 0 to 127 itself
//   key      = END | length bytes | LONG_KEY string
//   u32, f64 = four or eight bytes in the machine's order, at any offset
//
// Objects (all values that have an identity) are numbered in the order in which their tags appear.

import * as primordials from "../platform/primordials.ts";

const {
  BigInt64Array,
  BigUint64Array,
  DataView,
  Error,
  EvalError,
  Float16Array,
  Float32Array,
  Float64Array,
  Int16Array,
  Int32Array,
  Int8Array,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  Uint16Array,
  Uint32Array,
  Uint8Array,
  Uint8ClampedArray,
  URIError,
} = primordials;

/** Bytes from here up are the integers 0 to 127. */
export const SMALL = 0x80;

/** Ends keys and values of an object; the only key of length 0 is a LONG_KEY. */
export const END = 0;
/** i32 */
export const INT32 = 1;
/** f64 */
export const FLOAT64 = 2;
/** length in one byte, then as many characters U+0000 to U+00FF */
export const SHORT_STRING = 3;
/** u32 length, then as many characters U+0000 to U+007F */
export const ASCII_STRING = 4;
/** u32 length in bytes, then UTF-16 units, lone surrogates included */
export const UTF16_STRING = 5;
/** (key value)* END */
export const OBJECT = 6;
/** u32 length, then as many values or HOLEs or a REST, then (key value)* END */
export const ARRAY = 7;
export const UNDEFINED = 8;
export const NULL = 9;
export const TRUE = 10;
export const FALSE = 11;
/** u32 number of the object meant */
export const REFERENCE = 12;
/** stands for a missing element (a hole) */
export const HOLE = 13;
/** the elements from here on are holes, or follow as keys and values */
export const REST = 14;
/** i64 */
export const BIGINT64 = 15;
/** TRUE if negative, or FALSE, then the magnitude in hexadecimal as a string */
export const BIGINT = 16;
/** f64 */
export const DATE = 17;
/** u32 size, then (value value)* */
export const MAP = 18;
/** u32 size, then value* */
export const SET = 19;
/** a buffer (its number follows the view's), kind in one byte, f64 offset, f64 length or -1 */
export const VIEW = 20;
/** f64 byteLength, then the bytes */
export const BUFFER = 21;
/** f64 byteLength, f64 maxByteLength, then the bytes */
export const RESIZABLE_BUFFER = 22;
/** kind in one byte, message and stack as string or UNDEFINED, cause as value or HOLE */
export const ERROR = 23;
/** name, message and stack as strings; stack may be UNDEFINED */
export const DOM_EXCEPTION = 24;
/** source and flags as strings */
export const REGEXP = 25;
/** the boolean, number, bigint or string inside */
export const BOXED = 26;
/** u32 index among the objects that are handed over beside the bytes */
export const HANDED_OVER = 27;
/** u32 index among the objects that are posted beside the bytes */
export const POSTED = 28;

/** In place of a key's length: the key follows as a string value. */
export const LONG_KEY = 0xff;

/** Strings and keys up to this length are written by a loop; for longer ones, a call to the platform is faster. */
export const SHORT = 40;

/**
 * The encoder refuses deeper nesting, so that every message can be decoded: a decoder that ran
 * out of stack would lose the item. On an otherwise empty stack the encoder reaches 2,400 objects,
 * the decoder 2,800, structuredClone 2,700 (Deno 2.9.6). An error counts as two levels.
 */
export const MAX_DEPTH = 2000;

/** The kinds of error that keep their prototype; a kind is the index here. All other errors become Error. */
export const ERROR_KINDS: readonly ErrorConstructor[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

/** The constructors of all kinds of view. */
export interface ViewConstructor {
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): ArrayBufferView;
  readonly name: string;
}

/** The kinds of view; a kind is the index here. */
export const VIEW_KINDS: readonly ViewConstructor[] = [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  BigUint64Array,
  BigInt64Array,
  Float16Array,
  Float32Array,
  Float64Array,
  DataView,
];
