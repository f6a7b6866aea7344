// The guard of a held lock or permit, for `using`; C++'s std::lock_guard.

import { TimeoutError } from "../errors.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import { blocking, eventually, type Operation } from "../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../wait/options.ts";
import * as primordials from "../platform/primordials.ts";

/**
 * A held lock or permit, released at the end of the block: `using held = await lock.hold()`, or
 * `await using`. As Python's `with lock:`.
 *
 * @example
 * ```ts
 * import { type Held, Lock } from "@multiproc/multiprocessing";
 *
 * const lock = new Lock();
 * {
 *   using held: Held = await lock.hold();
 *   console.log(held.released); // false
 * }
 * await lock.acquire(); // it is free again
 * lock.release();
 * ```
 */
export interface Held extends Disposable, AsyncDisposable {
  /** Whether it was released. */
  readonly released: boolean;
  /** Releases it before the end of the block; a second call does nothing. */
  release(): void;
}

/** What is held: its release() is called once. */
interface Releasable {
  release(): void;
}

/** The guard of what was just acquired. */
export class HeldUntilDisposed implements Held {
  #held: Releasable | undefined;

  constructor(held: Releasable) {
    this.#held = held;
  }

  get released(): boolean {
    return this.#held === undefined;
  }

  release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) held.release();
  }

  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => ({ released: this.released });
    return print(this, ["Held", HeldUntilDisposed], state, inspect, options);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return primordials.Promise.resolve();
  }
}

/** Waits until the lock or permit is acquired; throws a TimeoutError if that took too long. */
export async function hold(
  taking: Operation<boolean>,
  held: Releasable,
  what: string,
  options: WaitOptions | undefined,
): Promise<Held> {
  // The error is thrown in the wait, which knows its call site.
  const onTimeout = () => throwTooLate(what);
  await eventually({ ...taking, onTimeout }, options);
  return new HeldUntilDisposed(held);
}

/** Like hold(), but blocks the thread. */
export function holdSync(
  taking: Operation<boolean>,
  held: Releasable,
  what: string,
  options: BlockOptions | undefined,
): Held {
  if (!blocking(taking, options)) throwTooLate(what);
  return new HeldUntilDisposed(held);
}

function throwTooLate(what: string): never {
  throw new TimeoutError(
    `The ${what} was not to be had in time. Wait longer, or see that its holder releases it.`,
  );
}
