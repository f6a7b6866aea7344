// SharedArray: a typed array in shared memory, and a lock.
//
// `new SharedArray("f64", …)` makes a Float64Array in the literal sense, an object of a class that extends
// it; there is such a class for each type. Its species is the typed array itself, so map(), filter() and
// slice() make ordinary arrays that share nothing, and subarray() gives an ordinary view of the same memory.

import { types } from "node:util";
import { describe } from "../validate/describe.ts";
import {
  cannotClone,
  constructFrom,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
} from "../transfer/transferable.ts";
import {
  arrivedParts,
  lockOf,
  type LockOption,
  newParts,
  type Parts,
  TypedMemory,
} from "./typed_memory.ts";
import type { RLock } from "./rlock.ts";
import { handedOverOnly } from "../shm/shared_state.ts";
import {
  check,
  type IntegerCode,
  type NumberOf,
  type NumberType,
  type TypeCode,
  type TypedArrays,
  typeOf,
  type View,
} from "./number_types.ts";
import type { SharedMemoryStatistics } from "./statistics.ts";
import * as primordials from "../platform/primordials.ts";

const { listOf, Number, Object, SafeMap, ToObject, TypeError } = primordials;

const NAME = "SharedArray";

/**
 * The members that a {@linkcode SharedArray} has in addition to those of every typed array.
 *
 * @example
 * ```ts
 * import { SharedArray, type SharedArrayMethods } from "@multiproc/multiprocessing";
 *
 * function count(votes: SharedArrayMethods<"u32">, candidate: number) {
 *   votes.add(candidate, 1);
 * }
 *
 * const votes = new SharedArray("u32", 3);
 * for (const candidate of [0, 2, 2]) count(votes, candidate);
 * console.log(votes.join()); // 1,0,2
 * ```
 */
export interface SharedArrayMethods<T extends TypeCode> {
  /** The type of its elements. */
  readonly type: T;

  /**
   * The lock that {@linkcode SharedArrayMethods.update} takes, one for all elements: hold it for changes that
   * take more than one step. Python's `get_lock()`. It is handed over with the array.
   */
  readonly lock: RLock;

  /**
   * Replaces the element at `index` by what `fn` makes of it, and returns the stored value, as
   * {@linkcode Value.update}: this process holds the lock meanwhile, so no update of another process is lost,
   * nor any change that another process makes while it holds the lock. Blocks the thread while another
   * process holds the lock.
   *
   * @throws {TypeError} if `fn` isn't a function, or returns a promise or anything else that isn't
   *   the kind of number the type holds; nothing is stored then
   * @throws {RangeError} if there is no element at `index`, or what `fn` returns doesn't fit in the
   *   type; nothing is stored then
   * @throws {AbandonedLockError} once, if a process has ended while it held the lock; nothing is stored
   *   then, and the next update works
   *
   * @example
   * ```ts
   * import { SharedArray } from "@multiproc/multiprocessing";
   *
   * const highest = new SharedArray("f64", [20.5, 21.5]);
   * console.log(highest.update(1, (old) => Math.max(old, 22))); // 22
   * ```
   */
  update(index: number, fn: (value: NumberOf<T>) => NumberOf<T>): NumberOf<T>;

  /** A snapshot of its state. Python has nothing like it. */
  statistics(): SharedMemoryStatistics;

  /**
   * The element at `index`; whole numbers by `Atomics.load`. Unlike `array[index]` it refuses an index
   * outside of the array.
   *
   * @throws {RangeError} if there is no element at `index`
   */
  load(index: number): NumberOf<T>;

  /**
   * Sets the element at `index`; whole numbers by `Atomics.store`. Unlike `array[index] = value` it refuses
   * an index outside of the array and a value that doesn't fit. It does not respect the lock.
   *
   * @throws {TypeError} if `value` isn't the kind of number the type holds
   * @throws {RangeError} if there is no element at `index`, or `value` doesn't fit in the type; "f32"
   *   rounds
   */
  store(index: number, value: NumberOf<T>): void;

  /**
   * Adds to the whole number at `index`, and returns what it was before: `Atomics.add`. It never
   * waits, wraps around at the end of the range, and does not respect the lock: use this or
   * update(), not both.
   *
   * @throws {TypeError} if the type is "f32" or "f64", or `n` isn't the kind of number it holds
   * @throws {RangeError} if there is no element at `index`, or `n` isn't a whole number
   */
  add(this: { readonly type: IntegerCode }, index: number, n: NumberOf<T>): NumberOf<T>;

  /**
   * Subtracts from the whole number at `index`, and returns what it was before: `Atomics.sub`. It
   * wraps around, and does not respect the lock.
   *
   * @throws {TypeError} if the type is "f32" or "f64", or `n` isn't the kind of number it holds
   * @throws {RangeError} if there is no element at `index`, or `n` isn't a whole number
   */
  sub(this: { readonly type: IntegerCode }, index: number, n: NumberOf<T>): NumberOf<T>;

  /**
   * Sets the whole number at `index`, and returns what it was before: `Atomics.exchange`. It does not
   * respect the lock.
   *
   * @throws {TypeError} if the type is "f32" or "f64", or `value` isn't the kind of number it holds
   * @throws {RangeError} if there is no element at `index`, or `value` doesn't fit in the type
   */
  exchange(this: { readonly type: IntegerCode }, index: number, value: NumberOf<T>): NumberOf<T>;

  /**
   * Sets the whole number at `index` to `replacement` if it is `expected`, and returns what it was
   * before: the replacement was made if that is `expected`. `Atomics.compareExchange`. It does not
   * respect the lock.
   *
   * @throws {TypeError} if the type is "f32" or "f64", or one of the two isn't the kind of number it
   *   holds
   * @throws {RangeError} if there is no element at `index`, or one of the two doesn't fit in the type
   */
  compareExchange(
    this: { readonly type: IntegerCode },
    index: number,
    expected: NumberOf<T>,
    replacement: NumberOf<T>,
  ): NumberOf<T>;
}

/**
 * A typed array that processes share, with what {@linkcode SharedArrayMethods} adds: a
 * `SharedArray<"f64">` is a `Float64Array`.
 *
 * @example
 * ```ts
 * import { SharedArray } from "@multiproc/multiprocessing";
 *
 * function mean(numbers: Float64Array): number {
 *   return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
 * }
 *
 * const measured: SharedArray<"f64"> = new SharedArray("f64", [20.5, 21.5]);
 * console.log(mean(measured)); // 21
 * ```
 */
export type SharedArray<T extends TypeCode> = TypedArrays[T] & SharedArrayMethods<T>;

/**
 * The type of the class {@linkcode SharedArray} itself.
 *
 * @example
 * ```ts
 * import { SharedArray, type SharedArrayConstructor } from "@multiproc/multiprocessing";
 *
 * const { SharedArray: Numbers }: { SharedArray: SharedArrayConstructor } = { SharedArray };
 * const numbers = new Numbers("i32", [1, 2, 3]);
 * console.log(numbers instanceof SharedArray, numbers instanceof Int32Array); // true true
 * ```
 */
export interface SharedArrayConstructor {
  /**
   * Makes an array.
   *
   * @param type the type of its elements
   * @param lengthOrValues the number of elements, which are 0 at first, up to 16 GiB; or the elements
   * @param options a `lock` that other objects have, too; by default the array has its own
   * @throws {TypeError} if there is no such type, or one of the values isn't the kind of number it
   *   holds: "i64" and "u64" hold bigints, the others numbers; or if `lock` isn't an RLock
   * @throws {RangeError} if the length isn't a whole number, is too large, or there is no memory for
   *   it, or if one of the values doesn't fit in the type; it isn't rounded or wrapped around
   */
  new <T extends TypeCode>(
    type: T,
    lengthOrValues: number | Iterable<NumberOf<T>>,
    options?: LockOption,
  ): SharedArray<T>;
  /** Whether a value is a SharedArray, of any type. */
  [Symbol.hasInstance](value: unknown): value is SharedArray<TypeCode>;
}

/** The class of the arrays of one type. */
type ClassOf<T extends TypeCode> = new (
  lengthOrValues: number | Iterable<NumberOf<T>>,
  options?: LockOption,
) => View<NumberOf<T>> & SharedArrayMethods<T>;

/** Makes the class of a type, which extends its typed array. */
function extended<T extends TypeCode>(code: T): ClassOf<T> {
  const type = typeOf(code);
  return class extends type.View implements SharedArrayMethods<T> {
    readonly #elements: TypedMemory<T>;

    static {
      // The name by which it is printed. Written as the name of the class it would be lost in the bundled
      // text.
      Object.defineProperty(this, "name", { value: NAME });
    }

    constructor(lengthOrValues: number | Iterable<NumberOf<T>>, options?: LockOption) {
      const lock = lockOf(options, 'new SharedArray("f64", 10, { lock })');
      const received = receivedParts<Parts>(new.target);
      const values = received === undefined ? valuesOf(type, lengthOrValues) : undefined;
      const parts = received ?? newParts(type, values?.length ?? Number(lengthOrValues), lock);
      super(parts.buffer);
      this.#elements = new TypedMemory<T>(type, this, parts, NAME);
      if (values !== undefined) { for (let i = 0; i < values.length; i++) this[i] = values[i]; }
    }

    static get [Symbol.species](): NumberType<NumberOf<T>>["View"] {
      return type.View;
    }

    get type(): T {
      return code;
    }

    get lock(): RLock {
      return this.#elements.lock;
    }

    statistics(): SharedMemoryStatistics {
      return this.#elements.statistics;
    }

    update(index: number, fn: (value: NumberOf<T>) => NumberOf<T>): NumberOf<T> {
      this.#elements.checkIndex(index);
      return this.#elements.update(index, fn);
    }

    load(index: number): NumberOf<T> {
      this.#elements.checkIndex(index);
      return this.#elements.load(index);
    }

    store(index: number, value: NumberOf<T>): void {
      this.#elements.checkIndex(index);
      this.#elements.store(index, value);
    }

    add(index: number, n: NumberOf<T>): NumberOf<T> {
      this.#elements.checkIndex(index);
      return this.#elements.add(index, n);
    }

    sub(index: number, n: NumberOf<T>): NumberOf<T> {
      this.#elements.checkIndex(index);
      return this.#elements.sub(index, n);
    }

    exchange(index: number, value: NumberOf<T>): NumberOf<T> {
      this.#elements.checkIndex(index);
      return this.#elements.exchange(index, value);
    }

    compareExchange(
      index: number,
      expected: NumberOf<T>,
      replacement: NumberOf<T>,
    ): NumberOf<T> {
      this.#elements.checkIndex(index);
      return this.#elements.compareExchange(index, expected, replacement);
    }

    get [cannotClone](): string {
      return `a SharedArray, which ${handedOverOnly}`;
    }

    [serialize](): Serialized {
      return this.#elements.serialized;
    }
  };
}

/** The checked values; undefined if a length is given. */
function valuesOf<N>(
  type: NumberType<N>,
  lengthOrValues: number | Iterable<N>,
): ArrayLike<N> | undefined {
  if (typeof lengthOrValues === "number") return undefined;
  if (!(primordials.Symbol.iterator in ToObject(lengthOrValues))) {
    throw new TypeError(
      `lengthOrValues is ${describe(lengthOrValues)}, neither a length nor values. Give a whole ` +
        "number, or an array or another iterable.",
    );
  }
  const values = isTypedArray(lengthOrValues) ? lengthOrValues : listOf(lengthOrValues);
  for (let i = 0; i < values.length; i++) check(type, values[i], `values[${i}]`);
  return values;
}

/** Whether the values are a typed array, which is read twice in place: it may be too large to be copied for that. */
function isTypedArray<N>(values: Iterable<N>): values is Iterable<N> & ArrayLike<N> {
  return types.isTypedArray(values);
}

/** The classes that were needed so far, by type. */
const classes = new SafeMap<TypeCode, ClassOf<TypeCode>>();

function classOf(type: TypeCode): ClassOf<TypeCode> {
  let found = classes.get(type);
  if (found === undefined) classes.set(type, found = extended(type));
  return found;
}

registerTransferable(NAME, (content) => {
  const { type, ...parts } = arrivedParts(content);
  return constructFrom(classOf(type), parts, 0);
});

/**
 * An array of numbers that processes share. Python's `multiprocessing.Array`, with a type such as
 * `"i32"` or `"f64"` in place of Python's `"i"` or `"d"` (all are listed at
 * {@linkcode TypedArrays}).
 *
 * It is a typed array, whose memory is all its own: `array[i]`, `length`, loops and every method work as they
 * always do. `array.subarray(from, to)` is a view of the same memory, `slice`, `map` and `filter` give
 * ordinary arrays that share nothing. As in every typed array, a value assigned to `array[i]` is wrapped
 * around or rounded to fit, and an index `i` outside of the array is ignored;
 * {@linkcode SharedArrayMethods.store} checks both.
 *
 * Where each process has elements of its own, nothing more is needed. Where several processes change the same
 * elements, `array[i] += 1` loses some of the additions: see {@linkcode SharedArrayMethods.update} and
 * {@linkcode SharedArrayMethods.add}. Unlike in Python, reading and writing elements doesn't take the lock.
 *
 * A SharedArray is given to a process in `args`, or sent through a pipe, and so is a subarray, as an ordinary
 * typed array on the same memory. Neither can go through a queue: items of a queue are copies.
 *
 * @example
 * ```ts
 * import { Process, SharedArray } from "@multiproc/multiprocessing";
 *
 * export function square(numbers: SharedArray<"f64">, from: number, to: number) {
 *   for (let i = from; i < to; i++) numbers[i] = i * i;
 * }
 *
 * if (import.meta.main) {
 *   const numbers = new SharedArray("f64", 8);
 *   const processes = [
 *     new Process({ target: square, args: [numbers, 0, 4] }),
 *     new Process({ target: square, args: [numbers, 4, 8] }),
 *   ];
 *   for (const process of processes) process.start();
 *   for (const process of processes) await process.join();
 *   console.log(numbers.join()); // 0,1,4,9,16,25,36,49
 * }
 * ```
 */
export const SharedArray: SharedArrayConstructor = class {
  constructor(
    type: TypeCode,
    lengthOrValues: number | Iterable<number | bigint>,
    options?: LockOption,
  ) {
    return new (classOf(type))(lengthOrValues, options);
  }

  static [Symbol.hasInstance](value: unknown): value is SharedArray<TypeCode> {
    for (const made of classes.values()) if (value instanceof made) return true;
    return false;
  }
} as SharedArrayConstructor; // what it makes depends on the code, which the compiler can't know
