/**
 * All error classes of this package. The names are Python's (`queue.Empty`, `queue.Full`,
 * `queue.ShutDown`), with the word Queue in front where Python's name has the module `queue.` in
 * front.
 *
 * @module
 */

import * as primordials from "./platform/primordials.ts";

const { ArrayPrototypeSome, Object } = primordials;

/** The property of a prototype that names its class of this package, the same in every copy of the package. */
export const brand: unique symbol = Symbol.for("@multiproc/multiprocessing/error") as never;

/** Sets the name on the prototype, where the language's own errors have theirs: so it isn't printed twice. */
export function nameClass(errorClass: { prototype: Error }, value: string): void {
  Object.defineProperty(errorClass.prototype, "name", {
    value,
    writable: true,
    configurable: true,
  });
  Object.defineProperty(errorClass.prototype, brand, { value });
}

/**
 * Thrown by {@linkcode Queue.getNowait} when the queue is empty, and by `get` and `getSync` when the
 * queue stayed empty until their timeout. No item was taken. `getMany` and its siblings throw this
 * error, too. Python's `queue.Empty`.
 *
 * @example
 * ```ts
 * import { Queue, QueueEmpty } from "@multiproc/multiprocessing";
 *
 * const queue = new Queue<number>();
 * try {
 *   queue.getNowait();
 * } catch (error) {
 *   console.log(error instanceof QueueEmpty); // true
 * }
 * ```
 */
export class QueueEmpty extends Error {
  static {
    nameClass(this, "QueueEmpty");
  }
}

/**
 * Thrown by {@linkcode Queue.putNowait} when the queue is full, and by `put` and `putSync` when the
 * queue stayed full until their timeout. The item was not put. `putMany` and its siblings throw this
 * error, too, and may have put some of the items: see {@linkcode QueueFull.count}. Python's
 * `queue.Full`.
 *
 * @example
 * ```ts
 * import { Queue, QueueFull } from "@multiproc/multiprocessing";
 *
 * const queue = new Queue<number>({ maxSize: 1 });
 * queue.putNowait(1);
 * try {
 *   queue.putNowait(2);
 * } catch (error) {
 *   console.log(error instanceof QueueFull); // true
 * }
 * ```
 */
export class QueueFull extends Error {
  static {
    nameClass(this, "QueueFull");
  }
  /**
   * The number of items of a `putMany` that were put before the timeout; 0 for a single `put`.
   *
   * @example
   * ```ts
   * import { Queue, QueueFull } from "@multiproc/multiprocessing";
   *
   * const queue = new Queue<string>({ maxSize: 2 });
   * try {
   *   queue.putManyNowait(["a", "b", "c"]);
   * } catch (error) {
   *   if (error instanceof QueueFull) console.log(error.count); // 2
   * }
   * ```
   */
  readonly count: number;

  /**
   * Makes the error.
   *
   * @param message what happened
   * @param count the number of items of a `putMany` that were put
   */
  constructor(message?: string, count = 0) {
    super(message);
    this.count = count;
  }
}

/**
 * Thrown by `put` and its siblings after {@linkcode Queue.shutdown}, and by `get` and its siblings
 * once a queue that was shut down is empty. Python's `queue.ShutDown` (3.13).
 *
 * @example
 * ```ts
 * import { Queue, QueueShutDown } from "@multiproc/multiprocessing";
 *
 * const queue = new Queue<number>();
 * queue.shutdown();
 * try {
 *   queue.putNowait(1);
 * } catch (error) {
 *   console.log(error instanceof QueueShutDown); // true
 * }
 * ```
 */
export class QueueShutDown extends Error {
  static {
    nameClass(this, "QueueShutDown");
  }
}

/**
 * Thrown when an operation that returns a value times out, or would have to wait and may not:
 * {@linkcode Queue.open}, {@linkcode Connection.recv}, {@linkcode Connection.send},
 * {@linkcode Process.result}, {@linkcode Lock.hold} and their siblings. Nothing was taken or sent.
 * Queues throw {@linkcode QueueEmpty} or {@linkcode QueueFull} instead; `join` and `acquire` return
 * false. Python's `multiprocessing.TimeoutError`.
 *
 * @example
 * ```ts
 * import { Queue, TimeoutError } from "@multiproc/multiprocessing";
 *
 * try {
 *   await Queue.open("nobody has this", { timeout: 100 });
 * } catch (error) {
 *   console.log(error instanceof TimeoutError); // true
 * }
 * ```
 */
export class TimeoutError extends Error {
  static {
    nameClass(this, "TimeoutError");
  }
}

/**
 * Thrown by {@linkcode Connection.recv} and its siblings when no more messages will come: the other
 * end was closed, or its process has ended, in whatever way, and all that was sent has been received.
 * Python's `EOFError`.
 *
 * @example
 * ```ts
 * import { EOFError, Pipe } from "@multiproc/multiprocessing";
 *
 * const [a, b] = Pipe<string>();
 * b.close();
 * try {
 *   await a.recv();
 * } catch (error) {
 *   console.log(error instanceof EOFError); // true
 * }
 * ```
 */
export class EOFError extends Error {
  static {
    nameClass(this, "EOFError");
  }
}

/**
 * Thrown by {@linkcode Connection.send} and its siblings when the message can't be received any more:
 * the other end was closed, or its process has ended. Python's `BrokenPipeError`.
 *
 * @example
 * ```ts
 * import { BrokenPipeError, Pipe } from "@multiproc/multiprocessing";
 *
 * const [a, b] = Pipe<string>();
 * b.close();
 * try {
 *   await a.send("hello");
 * } catch (error) {
 *   console.log(error instanceof BrokenPipeError); // true
 * }
 * ```
 */
export class BrokenPipeError extends Error {
  static {
    nameClass(this, "BrokenPipeError");
  }
}

/**
 * Thrown by {@linkcode Connection.recvBytesInto} and its siblings when the message is longer than the
 * room in the buffer. The message was received: it is in `bytes`, and the buffer is unchanged.
 * Python's `multiprocessing.BufferTooShort`, which has the message in `args[0]`.
 *
 * @example
 * ```ts
 * import { BufferTooShort, Pipe } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe();
 * await here.sendBytes(new Uint8Array(1000));
 * try {
 *   await there.recvBytesInto(new Uint8Array(100));
 * } catch (error) {
 *   if (error instanceof BufferTooShort) console.log(error.bytes.length); // 1000
 * }
 * ```
 */
export class BufferTooShort extends Error {
  static {
    nameClass(this, "BufferTooShort");
  }
  /** The whole message. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  /**
   * Makes the error.
   *
   * @param message what happened
   * @param bytes the whole message
   */
  constructor(message: string, bytes: Uint8Array<ArrayBuffer>) {
    super(message);
    this.bytes = bytes;
  }
}

/**
 * Thrown once by the next `acquire` after a process has ended, in whatever way, while it held a lock or
 * permits of a semaphore: the data that the lock protects may be half changed. The lock is then free,
 * and can be acquired. Python has no such error: there, all other processes wait for ever. The name
 * is .NET's (`AbandonedMutexException`).
 *
 * @example
 * ```ts
 * import { AbandonedLockError, Lock, Process } from "@multiproc/multiprocessing";
 *
 * export async function die(lock: Lock) {
 *   await lock.acquire();
 *   Deno.exit(1);
 * }
 *
 * if (import.meta.main) {
 *   const lock = new Lock();
 *   const process = new Process({ target: die, args: [lock] });
 *   process.start();
 *   await process.join();
 *   try {
 *     await lock.acquire();
 *   } catch (error) {
 *     console.log(error instanceof AbandonedLockError); // true
 *   }
 *   console.log(await lock.acquire()); // true
 *   lock.release();
 * }
 * ```
 */
export class AbandonedLockError extends Error {
  static {
    nameClass(this, "AbandonedLockError");
  }
}

/**
 * Thrown by `acquireSync` and `holdSync` of {@linkcode Lock} and {@linkcode RLock} when the wait could never end:
 * blocked threads wait, each for a lock that the next one holds, without a timeout. The one that began to wait
 * last gets this error, within a second; its lock was not acquired, and the others go on once it releases what it
 * holds. The message tells the whole cycle, with places. See {@linkcode detectDeadlocks}.
 *
 * @example
 * ```ts
 * import { DeadlockError, Lock } from "@multiproc/multiprocessing";
 *
 * const lock = new Lock();
 * lock.acquireSync();
 * try {
 *   lock.acquireSync(); // it is held by the thread that waits for it
 * } catch (error) {
 *   console.log(error instanceof DeadlockError); // true
 * }
 * ```
 */
export class DeadlockError extends Error {
  static {
    nameClass(this, "DeadlockError");
  }
}

/**
 * Thrown to the processes that wait at a {@linkcode Barrier} when it is broken: one of them timed out
 * or died, the barrier's action threw, or the barrier was aborted or reset. Python's
 * `threading.BrokenBarrierError`.
 *
 * @example
 * ```ts
 * import { Barrier, BrokenBarrierError } from "@multiproc/multiprocessing";
 *
 * const barrier = new Barrier(2);
 * try {
 *   await barrier.wait({ timeout: 10 }); // nobody else comes
 * } catch (error) {
 *   console.log(error instanceof BrokenBarrierError); // true
 * }
 * ```
 */
export class BrokenBarrierError extends Error {
  static {
    nameClass(this, "BrokenBarrierError");
  }
}

/**
 * Thrown when a method is called on an object that isn't in the state the method needs: a second
 * `start()`, a `join()` before `start()`, a `put` on a queue that this process has closed. The name is
 * that of Python's `asyncio.InvalidStateError`; Python's `multiprocessing` raises ValueError,
 * AssertionError or OSError there.
 *
 * @example
 * ```ts
 * import { InvalidStateError, Queue } from "@multiproc/multiprocessing";
 *
 * const queue = new Queue<number>();
 * queue.close();
 * try {
 *   queue.putNowait(1);
 * } catch (error) {
 *   console.log(error instanceof InvalidStateError); // true
 * }
 * ```
 */
export class InvalidStateError extends Error {
  static {
    nameClass(this, "InvalidStateError");
  }
}

/**
 * Thrown by {@linkcode Process.result} when the process did not return a result: its target threw
 * (`cause` is the thrown value), the process exited by itself, was ended from outside, or reached a
 * limit. (Python's `multiprocessing.ProcessError` is something else: the base class of its errors.)
 *
 * @example
 * ```ts
 * import { Process, ProcessError } from "@multiproc/multiprocessing";
 *
 * export function fails(): void {
 *   throw new RangeError("too far");
 * }
 *
 * if (import.meta.main) {
 *   const process = new Process({ target: fails });
 *   process.start();
 *   try {
 *     await process.result();
 *   } catch (error) {
 *     if (!(error instanceof ProcessError)) throw error;
 *     console.log(error.exitCode); // 1
 *     console.log(`${error.cause}`); // RangeError: too far
 *   }
 * }
 * ```
 */
export class ProcessError extends Error {
  static {
    nameClass(this, "ProcessError");
  }
  /** The exit code of the process: see {@linkcode Process.exitCode}. */
  readonly exitCode: number;
  /**
   * The option whose limit ended the process; undefined if it ended otherwise.
   *
   * @example
   * ```ts
   * import { Process, ProcessError } from "@multiproc/multiprocessing";
   *
   * export function spin() {
   *   while (true) {}
   * }
   *
   * if (import.meta.main) {
   *   const process = new Process({ target: spin, timeLimit: 100 });
   *   process.start();
   *   try {
   *     await process.result();
   *   } catch (error) {
   *     if (!(error instanceof ProcessError)) throw error;
   *     console.log(error.limit, error.exitCode); // timeLimit -9
   *   }
   * }
   * ```
   */
  declare readonly limit?: "timeLimit" | "memoryLimitMb";

  /**
   * Makes the error.
   *
   * @param message what happened
   * @param exitCode the exit code of the process
   * @param options `cause`: the value that the target threw; `limit`: the limit that the process reached
   */
  constructor(
    message: string,
    exitCode: number,
    options?: ErrorOptions & { limit?: "timeLimit" | "memoryLimitMb" },
  ) {
    super(message, options);
    this.exitCode = exitCode;
    if (options?.limit !== undefined) this.limit = options.limit;
  }
}

const ownErrors = [
  ...[QueueEmpty, QueueFull, QueueShutDown, TimeoutError, EOFError, BrokenPipeError],
  BufferTooShort,
  ...[AbandonedLockError, BrokenBarrierError, DeadlockError, InvalidStateError, ProcessError],
];

/** Adds error classes that are defined in another room to those of this package. */
export function addOwnErrors(...errorClasses: (typeof ownErrors)[number][]): void {
  ownErrors.push(...errorClasses);
}

/** Whether a value is an error of one of these classes. */
export function isOwnError(error: unknown): error is Error {
  return ArrayPrototypeSome(ownErrors, (errorClass) => error instanceof errorClass);
}
