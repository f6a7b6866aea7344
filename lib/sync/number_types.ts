// The types of numbers in shared memory: their codes, their ranges, and the error messages for values that
// don't fit.

import { describe } from "../validate/describe.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  Atomics,
  BigInt,
  Math,
  Number,
  Object,
  RangeError,
  TypeError,
} = primordials;

/**
 * The type codes of {@linkcode Value} and {@linkcode SharedArray}, and the typed array that holds
 * numbers of each: `i` is signed, `u` unsigned, `f` floating, and the figure counts the bits. In
 * Python's `array` and `multiprocessing`: `b B h H i I q Q f d`, in this order. (`i64` and `u64` hold
 * bigints.)
 *
 * @example
 * ```ts
 * import { SharedArray, type TypedArrays } from "@multiproc/multiprocessing";
 *
 * const pixels: TypedArrays["u8"] = new SharedArray("u8", 4);
 * pixels.fill(255);
 * console.log(pixels instanceof Uint8Array, pixels.join()); // true 255,255,255,255
 * ```
 */
export interface TypedArrays {
  /** Whole numbers from -128 to 127. */
  i8: Int8Array<SharedArrayBuffer>;
  /** Whole numbers from 0 to 255. */
  u8: Uint8Array<SharedArrayBuffer>;
  /** Whole numbers from -32,768 to 32,767. */
  i16: Int16Array<SharedArrayBuffer>;
  /** Whole numbers from 0 to 65,535. */
  u16: Uint16Array<SharedArrayBuffer>;
  /** Whole numbers from -2 ** 31 to 2 ** 31 - 1. */
  i32: Int32Array<SharedArrayBuffer>;
  /** Whole numbers from 0 to 2 ** 32 - 1. */
  u32: Uint32Array<SharedArrayBuffer>;
  /** Bigints from -2n ** 63n to 2n ** 63n - 1n. */
  i64: BigInt64Array<SharedArrayBuffer>;
  /** Bigints from 0n to 2n ** 64n - 1n. */
  u64: BigUint64Array<SharedArrayBuffer>;
  /** Any number, rounded to single precision: some seven digits. */
  f32: Float32Array<SharedArrayBuffer>;
  /** Any number. */
  f64: Float64Array<SharedArrayBuffer>;
}

/**
 * The code of a type of number in shared memory; {@linkcode TypedArrays} says what each type holds.
 *
 * @example
 * ```ts
 * import { SharedArray, type TypeCode } from "@multiproc/multiprocessing";
 *
 * const codes: TypeCode[] = ["u8", "f64"];
 * for (const code of codes) {
 *   console.log(code, new SharedArray(code, 10).byteLength); // u8 10, then f64 80
 * }
 * ```
 */
export type TypeCode = keyof TypedArrays;

/**
 * A type of whole numbers, for which there are atomic operations.
 *
 * @example
 * ```ts
 * import { type IntegerCode, SharedArray } from "@multiproc/multiprocessing";
 *
 * function counters(type: IntegerCode) {
 *   return new SharedArray(type, 26);
 * }
 *
 * console.log(counters("u16").byteLength); // 52
 * ```
 */
export type IntegerCode = Exclude<TypeCode, "f32" | "f64">;

/**
 * The kind of number that a type holds: bigint for "i64" and "u64", number for the others.
 *
 * @example
 * ```ts
 * import { type NumberOf, type TypeCode, Value } from "@multiproc/multiprocessing";
 *
 * function largest<T extends TypeCode>(type: T, numbers: NumberOf<T>[]): Value<T> {
 *   return new Value(type, numbers.reduce((most, number) => number > most ? number : most));
 * }
 *
 * console.log(largest("i64", [2n, 3n, 1n]).value); // 3n
 * ```
 */
export type NumberOf<T extends TypeCode> = TypedArrays[T][number];

/** The members of a typed array that are the same for all types. */
export interface View<N> {
  readonly buffer: ArrayBufferLike;
  readonly length: number;
  [index: number]: N;
}

/** The operations of Atomics, for one type. */
interface AtomicOperations<N> {
  load(view: View<N>, index: number): N;
  store(view: View<N>, index: number, value: N): N;
  add(view: View<N>, index: number, n: N): N;
  sub(view: View<N>, index: number, n: N): N;
  exchange(view: View<N>, index: number, value: N): N;
  compareExchange(view: View<N>, index: number, expected: N, replacement: N): N;
}

/** A type of number: its code, its operations and its range. */
export interface NumberType<N> {
  readonly code: TypeCode;
  readonly bytes: number;
  readonly View: new (buffer: SharedArrayBuffer) => View<N>;
  readonly atomics: AtomicOperations<N>;
  readonly zero: N;
  /** Whether it is a floating type, in which every number fits. */
  readonly isFloat: boolean;
  readonly least: N;
  readonly most: N;
  /** Completes "Give …". */
  readonly wanted: string;
}

function whole(
  code: IntegerCode,
  View: NumberType<number>["View"],
  least: number,
  most: number,
): NumberType<number> {
  const wanted = `a whole number from ${least} to ${most}`;
  const bytes = Math.log2(most - least + 1) / 8;
  return { code, bytes, View, atomics: Atomics, zero: 0, isFloat: false, least, most, wanted };
}

function big(
  code: IntegerCode,
  View: NumberType<bigint>["View"],
  least: bigint,
  most: bigint,
): NumberType<bigint> {
  const wanted = `a bigint from ${least}n to ${most}n`;
  return { code, bytes: 8, View, atomics: Atomics, zero: 0n, isFloat: false, least, most, wanted };
}

function float(
  code: TypeCode,
  bytes: number,
  View: NumberType<number>["View"],
): NumberType<number> {
  const least = -Infinity, most = Infinity, wanted = "any number";
  return { code, bytes, View, atomics: Atomics, zero: 0, isFloat: true, least, most, wanted };
}

const types: { readonly [T in TypeCode]: NumberType<NumberOf<T>> } = {
  i8: whole("i8", primordials.Int8Array, -128, 127),
  u8: whole("u8", primordials.Uint8Array, 0, 255),
  i16: whole("i16", primordials.Int16Array, -(2 ** 15), 2 ** 15 - 1),
  u16: whole("u16", primordials.Uint16Array, 0, 2 ** 16 - 1),
  i32: whole("i32", primordials.Int32Array, -(2 ** 31), 2 ** 31 - 1),
  u32: whole("u32", primordials.Uint32Array, 0, 2 ** 32 - 1),
  i64: big("i64", primordials.BigInt64Array, -(2n ** 63n), 2n ** 63n - 1n),
  u64: big("u64", primordials.BigUint64Array, 0n, 2n ** 64n - 1n),
  f32: float("f32", 4, primordials.Float32Array),
  f64: float("f64", 8, primordials.Float64Array),
};

/** The type of a code; throws if there is no such type. */
export function typeOf<T extends TypeCode>(code: T): NumberType<NumberOf<T>> {
  if (typeof code === "string" && Object.hasOwn(types, code)) return types[code];
  const codes = ArrayPrototypeJoin(
    ArrayPrototypeMap(Object.keys(types), (name) => `"${name}"`),
    ", ",
  );
  throw new TypeError(`type is ${describe(code)}, not the code of a type. Give one of ${codes}.`);
}

/** Whether a type holds a value exactly, apart from the rounding of floats. */
export function fits<N>(type: NumberType<N>, value: unknown): value is N {
  if (typeof value !== typeof type.zero) return false;
  if (type.isFloat) return true;
  if (typeof value === "number" && !Number.isInteger(value)) return false;
  return (value as N) >= type.least && (value as N) <= type.most;
}

/** Throws if a type doesn't hold a value exactly; `what` begins the message. */
export function check<N>(type: NumberType<N>, value: N, what: string): void {
  if (!fits(type, value)) throw refusal(type, value, what);
}

/** Throws if `n` can't be added or subtracted. It needn't be in the range: the result wraps around. */
export function checkOperand<N>(type: NumberType<N>, n: N): void {
  if (typeof n !== typeof type.zero) throw refusal(type, n, "n");
  if (typeof n === "bigint" || Number.isSafeInteger(n)) return;
  throw new RangeError(
    `n is ${n}. Give a whole number from -(2 ** 53 - 1) to 2 ** 53 - 1; the result wraps around.`,
  );
}

/** The error for a value that a type doesn't hold. */
export function refusal<N>(type: NumberType<N>, value: unknown, what: string): Error {
  const { code, wanted } = type;
  const shown = typeof value === "number"
    ? `${value}`
    : typeof value === "bigint"
    ? `${value}n`
    : describe(value);
  if (typeof value === typeof type.zero) {
    return new RangeError(`${what} is ${shown}, which doesn't fit in "${code}". Give ${wanted}.`);
  }
  const isWhole = typeof value === "number" && Number.isInteger(value);
  const instead = isWhole ? `${BigInt(value)}n` : wanted;
  return new TypeError(
    `${what} is ${shown}, not a ${typeof type.zero}, which "${code}" holds. Give ${instead}.`,
  );
}
