// Value: one number in shared memory, and a lock.

import { customInspect, type Inspect, print } from "../printing.ts";
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
import type { SharedMemoryStatistics } from "./statistics.ts";
import { check, type IntegerCode, type NumberOf, type TypeCode, typeOf } from "./number_types.ts";

const NAME = "Value";

/**
 * One number that processes share. Python's `multiprocessing.Value`, with a type such as `"i32"` or
 * `"f64"` in place of Python's `"i"` or `"d"` (all are listed at {@linkcode TypedArrays}).
 *
 * `value.value += 1` reads and then writes: when two processes do that at the same moment, one of the two
 * additions is lost, as in Python. {@linkcode Value.update} doesn't lose any, nor does {@linkcode Value.add},
 * which is quicker, for whole numbers only, and does not respect the lock.
 *
 * Unlike in Python, reading and writing {@linkcode Value.value} doesn't take the lock: it never waits, and
 * sees what a holder of the lock has written so far.
 *
 * A Value is given to a process in `args`, or sent through a pipe. It can't go through a queue: items of a
 * queue are copies.
 *
 * @example
 * ```ts
 * import { Process, Value } from "@multiproc/multiprocessing";
 *
 * export function count(counter: Value<"i32">) {
 *   for (let i = 0; i < 1000; i++) counter.update((n) => n + 1);
 * }
 *
 * if (import.meta.main) {
 *   const counter = new Value("i32", 0);
 *   const processes = [1, 2].map(() => new Process({ target: count, args: [counter] }));
 *   for (const process of processes) process.start();
 *   for (const process of processes) await process.join();
 *   console.log(counter.value); // 2000
 * }
 * ```
 */
export class Value<T extends TypeCode> {
  /** The type of its number. */
  readonly type: T;
  readonly #elements: TypedMemory<T>;

  /**
   * Makes a value.
   *
   * @param type the type of the number
   * @param initial the number at first; by default 0, or 0n
   * @param options a `lock` that other objects have, too; by default the value has its own
   * @throws {TypeError} if there is no such type, or `initial` isn't the kind of number it holds:
   *   "i64" and "u64" hold bigints, the others numbers; or if `lock` isn't an RLock
   * @throws {RangeError} if `initial` doesn't fit in the type; it isn't rounded or wrapped around
   */
  constructor(type: T, initial?: NumberOf<T>, options?: LockOption) {
    const numbers = typeOf(type);
    if (initial !== undefined) check(numbers, initial, "initial");
    const lock = lockOf(options, 'new Value("i32", 0, { lock })');
    const parts = receivedParts<Parts>(new.target) ?? newParts(numbers, 1, lock);
    this.type = type;
    this.#elements = new TypedMemory<T>(numbers, new numbers.View(parts.buffer), parts, NAME);
    if (initial !== undefined) this.value = initial;
  }

  static {
    registerTransferable(NAME, (content) => {
      const { type, ...parts } = arrivedParts(content);
      return constructFrom(Value, parts, type);
    });
  }

  /**
   * The number. It is read and written in one piece, also while another process holds the lock; whole numbers
   * by `Atomics.load` and `Atomics.store`. It is not defined when another process sees a float that was
   * written without the lock; in practice it does so soon.
   */
  get value(): NumberOf<T> {
    return this.#elements.load(0);
  }

  /**
   * Sets the number.
   *
   * @throws {TypeError} if it isn't the kind of number the type holds
   * @throws {RangeError} if it doesn't fit in the type; "f32" rounds
   */
  set value(value: NumberOf<T>) {
    this.#elements.store(0, value);
  }

  /**
   * The lock that {@linkcode Value.update} takes: hold it for changes that take more than one step. Python's
   * `get_lock()`. It is handed over with the Value.
   *
   * @example
   * ```ts
   * import { Value } from "@multiproc/multiprocessing";
   *
   * const balance = new Value("f64", 100);
   * {
   *   using _held = await balance.lock.hold();
   *   if (balance.value >= 30) balance.value -= 30;
   * }
   * console.log(balance.value); // 70
   * ```
   */
  get lock(): RLock {
    return this.#elements.lock;
  }

  /**
   * Replaces the number by what `fn` makes of it, and returns the stored value. Meanwhile this process holds
   * the lock, so no update of another process is lost, nor any change that another process makes while it
   * holds the lock. Python's `with value.get_lock(): value.value = fn(value.value)`.
   *
   * It blocks the thread while another process holds the lock. `fn` is called once; keep it short, and
   * not asynchronous. As the lock is an {@linkcode RLock}, `fn` may use it, and a task of this process
   * that holds the lock over an `await` doesn't keep another task's update out.
   *
   * @throws {TypeError} if `fn` isn't a function, or returns a promise or anything else that isn't
   *   the kind of number the type holds; nothing is stored then
   * @throws {RangeError} if what it returns doesn't fit in the type; nothing is stored then
   * @throws {AbandonedLockError} once, if a process has ended while it held the lock; nothing is stored
   *   then, and the next update works
   * @throws {TimeoutError} if a process with permissions of its own has this Value, too, and another process holds
   *   the lock for 150 ms; nothing is stored then
   *
   * @example
   * ```ts
   * import { Value } from "@multiproc/multiprocessing";
   *
   * const highest = new Value("f64", -Infinity);
   * const measured = 21.5;
   * console.log(highest.update((old) => Math.max(old, measured))); // 21.5
   * ```
   */
  update(fn: (value: NumberOf<T>) => NumberOf<T>): NumberOf<T> {
    return this.#elements.update(0, fn);
  }

  /**
   * Adds to a whole number, and returns what it was before: `Atomics.add`. It never waits, loses
   * nothing among other atomic operations, and wraps around at the end of the range.
   *
   * It does not respect the lock: it also adds while another process holds the lock, and between the reading
   * and the writing of an update(), which then overwrites what was added. Use one or the other.
   *
   * @throws {TypeError} if the type is "f32" or "f64", or `n` isn't the kind of number it holds
   * @throws {RangeError} if `n` isn't a whole number
   *
   * @example
   * ```ts
   * import { Value } from "@multiproc/multiprocessing";
   *
   * const nextTask = new Value("u32");
   * console.log(nextTask.add(1)); // 0
   * console.log(nextTask.add(1)); // 1
   * ```
   */
  add(this: Value<T> & { readonly type: IntegerCode }, n: NumberOf<T>): NumberOf<T> {
    return this.#elements.add(0, n);
  }

  /**
   * Subtracts from a whole number, and returns what it was before: `Atomics.sub`. As
   * {@linkcode Value.add} it wraps around, and does not respect the lock.
   *
   * @throws {TypeError} if the type is "f32" or "f64", or `n` isn't the kind of number it holds
   * @throws {RangeError} if `n` isn't a whole number
   */
  sub(this: Value<T> & { readonly type: IntegerCode }, n: NumberOf<T>): NumberOf<T> {
    return this.#elements.sub(0, n);
  }

  /**
   * Sets a whole number, and returns what it was before: `Atomics.exchange`. It does not respect the
   * lock.
   *
   * @throws {TypeError} if the type is "f32" or "f64", or `value` isn't the kind of number it holds
   * @throws {RangeError} if `value` doesn't fit in the type
   */
  exchange(this: Value<T> & { readonly type: IntegerCode }, value: NumberOf<T>): NumberOf<T> {
    return this.#elements.exchange(0, value);
  }

  /**
   * Sets a whole number to `replacement` if it is `expected`, and returns what it was before: the
   * replacement was made if that is `expected`. `Atomics.compareExchange`. It does not respect the
   * lock.
   *
   * @throws {TypeError} if the type is "f32" or "f64", or one of the two isn't the kind of number it
   *   holds
   * @throws {RangeError} if one of the two doesn't fit in the type
   *
   * @example
   * ```ts
   * import { Value } from "@multiproc/multiprocessing";
   *
   * const FREE = 0, TAKEN = 1;
   * const seat = new Value("u8", FREE);
   * console.log(seat.compareExchange(FREE, TAKEN) === FREE); // true
   * console.log(seat.compareExchange(FREE, TAKEN) === FREE); // false
   * ```
   */
  compareExchange(
    this: Value<T> & { readonly type: IntegerCode },
    expected: NumberOf<T>,
    replacement: NumberOf<T>,
  ): NumberOf<T> {
    return this.#elements.compareExchange(0, expected, replacement);
  }

  /** A snapshot of its state. Python has nothing like it. */
  statistics(): SharedMemoryStatistics {
    return this.#elements.statistics;
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => ({ type: this.type, value: this.value });
    return print(this, [NAME, Value], state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `a Value, which ${handedOverOnly}`;
  }

  /** @ignore */
  [serialize](): Serialized {
    return this.#elements.serialized;
  }
}
