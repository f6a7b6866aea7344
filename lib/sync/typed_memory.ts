// The state of a Value and a SharedArray: numbers of one type in shared memory, and a lock beside them.
//
// A whole number is read and written by Atomics: in one piece, and in one order for all processes. There are
// no atomic operations on floats; an aligned float is read and written in one piece all the same where V8
// runs with 64 bits, but only the lock says when another process sees it.

import { describe } from "../validate/describe.ts";
import { checkNumber, checkWhole, isWhole } from "../validate/numbers.ts";
import { TimeoutError } from "../errors.ts";
import { stopIfKilled } from "../liveness/critical_section.ts";
import { EXPOSED_TIMEOUT_MS, isExposed } from "../liveness/tainted_memory.ts";
import { deserialize, serialize, type Serialized } from "../transfer/transferable.ts";
import { arrivedMemory } from "../validate/corruption.ts";
import { checkNames } from "../validate/options.ts";
import { RLock } from "./rlock.ts";
import { isThenable } from "./thenable.ts";
import {
  check,
  checkOperand,
  fits,
  type NumberOf,
  type NumberType,
  refusal,
  type TypeCode,
  type View,
} from "./number_types.ts";
import type { SharedMemoryStatistics } from "./statistics.ts";
import * as primordials from "../platform/primordials.ts";

const { RangeError, SharedArrayBuffer, TypeError } = primordials;

/** Bytes of the largest array; few machines give as much. */
const MAX_BYTES = 2 ** 34;

/**
 * The lock of a new {@linkcode Value} or {@linkcode SharedArray}.
 *
 * @example
 * ```ts
 * import { type LockOption, RLock, Value } from "@multiproc/multiprocessing";
 *
 * const shared: LockOption = { lock: new RLock() };
 * const income = new Value("f64", 0, shared), expenses = new Value("f64", 0, shared);
 * {
 *   using _held = income.lock.holdSync(); // and that of the other: both change together
 *   income.value += 10;
 *   expenses.value += 10;
 * }
 * console.log(income.lock === expenses.lock); // true
 * ```
 */
export interface LockOption {
  /** A lock that other objects share, in place of one of its own. Python's `lock`. */
  lock?: RLock;
}

/** The content of a serialized Value or SharedArray. */
interface TypedMemoryContent {
  type: TypeCode;
  buffer: SharedArrayBuffer;
  lock: Serialized;
}

/** The parts from which elements are made. */
export interface Parts {
  readonly buffer: SharedArrayBuffer;
  readonly lock: RLock;
}

/** New memory of `length` elements, which are 0. */
export function newParts<N>(type: NumberType<N>, length: number, lock = new RLock()): Parts {
  const most = MAX_BYTES / type.bytes;
  checkWhole("length", length, 0, most, `of "${type.code}" there is no room for more`);
  return { buffer: newBuffer(length, type.bytes), lock };
}

/** The lock that was given, if one was; `example` is a call with one, for the message. */
export function lockOf(options: LockOption | undefined, example: string): RLock | undefined {
  if (options === undefined) return undefined;
  if (options instanceof RLock) {
    throw new TypeError(`The options are an RLock. Give an object with it, as in ${example}.`);
  }
  const { lock } = checkNames(options, ["lock"], example);
  if (lock === undefined || lock instanceof RLock) return lock;
  throw new TypeError(
    `lock is ${
      describe(lock)
    }, not an RLock. Give an RLock, which update() can acquire while this ` +
      "process holds it, or nothing for a new one.",
  );
}

/** The check of an index that is known to be wrong: it always fails. */
const isNone = () => false;

function newBuffer(length: number, bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(length * bytes);
  } catch (cause) {
    throw new RangeError(
      `length is ${length}, and there are no ${
        length * bytes
      } bytes of memory left for it. Make it ` +
        "shorter.",
      { cause },
    );
  }
}

/** The parts that arrive in another process. */
export function arrivedParts(content: unknown): Parts & { type: TypeCode } {
  const { type, buffer, lock } = content as TypedMemoryContent;
  return { type, buffer: arrivedMemory(buffer, 0), lock: deserialize(lock) as RLock };
}

/** One process's view of some elements of one type. */
export class TypedMemory<T extends TypeCode> {
  readonly #type: NumberType<NumberOf<T>>;
  readonly #view: View<NumberOf<T>>;
  readonly #parts: Parts;
  /** The name of the public class. */
  readonly #name: string;

  constructor(type: NumberType<NumberOf<T>>, view: View<NumberOf<T>>, parts: Parts, name: string) {
    this.#type = type;
    this.#view = view;
    this.#parts = parts;
    this.#name = name;
  }

  get lock(): RLock {
    return this.#parts.lock;
  }

  get statistics(): SharedMemoryStatistics {
    const { buffer } = this.#parts;
    return { bytes: buffer.byteLength, lock: this.lock.statistics() };
  }

  checkIndex(index: number): void {
    const { length } = this.#view;
    if (isWhole(index, 0, length - 1)) return;
    const wanted = length === 0
      ? "Make it longer."
      : `Give a whole number from 0 to ${length - 1}.`;
    checkNumber("index", index, isNone, wanted, `, and the length is ${length}`);
  }

  load(index: number): NumberOf<T> {
    const type = this.#type, view = this.#view;
    return type.isFloat ? view[index] : type.atomics.load(view, index);
  }

  store(index: number, value: NumberOf<T>): void {
    check(this.#type, value, "value");
    this.#store(index, value);
  }

  #store(index: number, value: NumberOf<T>): void {
    const type = this.#type, view = this.#view;
    if (type.isFloat) view[index] = value;
    else type.atomics.store(view, index, value);
  }

  /** Replaces an element by what `fn` makes of it, under the lock; returns the stored value. */
  update(index: number, fn: (value: NumberOf<T>) => NumberOf<T>): NumberOf<T> {
    if (typeof fn !== "function") {
      throw new TypeError(
        `fn is ${describe(fn)}, not a function. Give one that makes the new value of the old.`,
      );
    }
    const { lock } = this.#parts;
    this.#take(lock);
    try {
      const value = fn(this.load(index));
      if (!fits(this.#type, value)) throw this.#refused(value);
      // Another process may have taken the lock meanwhile, if this one was killed and could not be stopped in
      // fn.
      stopIfKilled();
      this.#store(index, value);
      // The value as it is stored: "f32" has rounded it.
      return this.load(index);
    } finally {
      lock.release();
    }
  }

  #take(lock: RLock): void {
    // A process that may be hostile can hold the lock for ever.
    const timeout = EXPOSED_TIMEOUT_MS;
    if (isExposed(this.#view.buffer) ? lock.acquireSync({ timeout }) : lock.acquireSync()) return;
    throw new TimeoutError(
      `Another process has held the lock for ${timeout} ms, and update() waits no longer where a process with ` +
        "permissions of its own has the lock, too. Hold it around update(), with a timeout of your own.",
    );
  }

  #refused(result: unknown): Error {
    const what = "What fn returned";
    if (!isThenable(result)) return refusal(this.#type, result, what);
    return new TypeError(
      `${what} is a promise, and update() doesn't wait: nothing was stored. Await first and update ` +
        "then, or hold the lock meanwhile: using held = await x.lock.hold().",
    );
  }

  add(index: number, n: NumberOf<T>): NumberOf<T> {
    this.#checkWhole("add");
    checkOperand(this.#type, n);
    return this.#type.atomics.add(this.#view, index, n);
  }

  sub(index: number, n: NumberOf<T>): NumberOf<T> {
    this.#checkWhole("sub");
    checkOperand(this.#type, n);
    return this.#type.atomics.sub(this.#view, index, n);
  }

  exchange(index: number, value: NumberOf<T>): NumberOf<T> {
    this.#checkWhole("exchange");
    check(this.#type, value, "value");
    return this.#type.atomics.exchange(this.#view, index, value);
  }

  compareExchange(
    index: number,
    expected: NumberOf<T>,
    replacement: NumberOf<T>,
  ): NumberOf<T> {
    this.#checkWhole("compareExchange");
    check(this.#type, expected, "expected");
    check(this.#type, replacement, "replacement");
    return this.#type.atomics.compareExchange(this.#view, index, expected, replacement);
  }

  #checkWhole(method: string): void {
    const { isFloat, code } = this.#type;
    if (!isFloat) return;
    throw new TypeError(
      `${method}() was called on a ${this.#name} of "${code}", and it is for whole numbers. ` +
        "Use update(), which takes the lock.",
    );
  }

  /** The serialized form of the object. */
  get serialized(): Serialized {
    const { buffer, lock } = this.#parts;
    const content: TypedMemoryContent = { type: this.#type.code, buffer, lock: lock[serialize]() };
    return { kind: this.#name, content };
  }
}
