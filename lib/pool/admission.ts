// Whether a pool accepts a call: it is open, it can work, and its backlog has room.

import { InvalidStateError } from "../errors.ts";
import { BrokenPoolError, wasCancelled } from "./errors.ts";
import type { Executor } from "./executor.ts";
import { limitedSignal, notInTime } from "./limited_wait.ts";
import type { CheckedPool, CheckedTask } from "./options.ts";
import * as primordials from "../platform/primordials.ts";

const { abortReason, each, isAborted, listOf, Math, performance, SafeSet } = primordials;

/** Admits calls to a pool. */
export class Admission {
  readonly #executor: Executor;
  readonly #sizes: CheckedPool;
  /** Callbacks of whenRoom(). */
  readonly #room = new SafeSet<() => void>();
  /** Whether close() or terminate() was called. */
  isClosed = false;
  isTerminated = false;

  constructor(executor: Executor, sizes: CheckedPool) {
    this.#executor = executor;
    this.#sizes = sizes;
  }

  /** Throws if `call` can't be made any more. */
  checkOpen(call: string): void {
    if (this.#executor.broken !== undefined) throw this.brokenError();
    if (!this.isClosed) return;
    throw new InvalidStateError(
      `The pool was ${
        this.isTerminated ? "terminated" : "closed"
      }. Call ${call}() before that, or make a new Pool.`,
    );
  }

  /** The error of a pool that can't work. */
  brokenError(): BrokenPoolError {
    const { message, cause } = this.#executor.broken!;
    return new BrokenPoolError(message, { cause });
  }

  /** Whether the backlog has room for another unit. */
  get hasRoom(): boolean {
    return this.#executor.waiting < this.#sizes.maxQueueSize;
  }

  /** Calls `call` once when the backlog has room. */
  whenRoom(call: () => void): void {
    this.#room.add(call);
  }

  /** Goes on with those that wait for room, as far as there is room. */
  roomMade(): void {
    for (const call of each(listOf(this.#room))) {
      if (!this.hasRoom) return;
      this.#room.delete(call);
      call();
    }
  }

  /** Waits until the backlog has room, and returns the options with the `timeout` that is left of all of it. */
  async waitForRoom(call: string, name: string, options: CheckedTask): Promise<CheckedTask> {
    const { timeout, signal } = options, began = performance.now();
    const late = () => notInTime(options.name ?? name, timeout);
    const limited = limitedSignal(timeout, signal, late);
    try {
      do {
        await this.#executor.until(() => this.hasRoom || this.isOver, limited.signal);
        this.checkOpen(call);
      } while (!this.hasRoom);
    } catch (error) {
      if (signal === undefined || !isAborted(signal)) throw error;
      throw wasCancelled(options.name ?? name, abortReason(signal));
    } finally {
      limited.end();
    }
    return { ...options, timeout: Math.max(0, timeout - (performance.now() - began)) };
  }

  /** Whether no more calls are accepted. */
  get isOver(): boolean {
    return this.isClosed || this.#executor.broken !== undefined;
  }
}
