// Items that are taken one after the other, as an async iterator and as a web stream. Neither takes
// an item before it is asked for one, so nothing is lost when the consumer stops. Every queue and
// every connection of this package uses these, so all of them behave alike.

import { CallSite } from "./call_site.ts";
import { WAIT } from "./attempt.ts";
import { afterYield, done, yieldIsDue } from "./yield.ts";
import * as primordials from "../platform/primordials.ts";

const {
  AbortController,
  AbortControllerPrototypeAbort,
  isAborted,
  Object,
  PromisePrototypeThen,
  signalOfController,
} = primordials;

/** A source of items. */
export interface Source<T> {
  /** Takes the next item if it is there and no other task waits for it; answers WAIT and has taken nothing otherwise. */
  takeNow?(): T | typeof WAIT;
  /**
   * Takes the next item, waiting for it if there is none.
   *
   * @param signal ends the wait; then nothing was taken
   */
  take(signal: AbortSignal): Promise<T>;
  /** Like take(), and gives the item to `use` in the step in which it is taken. */
  takeFor(use: (item: T) => void, signal: AbortSignal): Promise<unknown>;
  /** Whether an error that `take` has thrown only says that there are no more items. */
  isEnd(error: unknown): boolean;
}

const END: IteratorReturnResult<void> = Object.freeze({ done: true, value: undefined });

/**
 * The items as they are taken, until the end. Not a generator: a generator that is asked to return
 * while it waits goes on waiting, and loses the item it then gets. Several calls of next() may wait
 * at the same time; each gets an item of its own, in the order of the calls.
 */
class Items<T> implements AsyncIterableIterator<T, void, void>, AsyncDisposable {
  readonly #source: Source<T>;
  readonly #stopped = new AbortController();
  /** Read once: Deno's getter checks its receiver each time. */
  readonly #signal = signalOfController(this.#stopped);
  #isOver = false;

  constructor(source: Source<T>) {
    this.#source = source;
  }

  /** The next item; done when there are no more, or after return(). */
  next(): Promise<IteratorResult<T, void>> {
    const source = this.#source;
    // An item that is there costs no promise but the answer.
    if (!this.#isOver && source.takeNow !== undefined) {
      try {
        const value = source.takeNow();
        if (value !== WAIT) return done<IteratorResult<T, void>>({ done: false, value });
      } catch (error) {
        if (this.#endBy(error)) return primordials.Promise.reject(error);
        return primordials.Promise.resolve(END);
      }
    }
    return this.#wait();
  }

  async #wait(): Promise<IteratorResult<T, void>> {
    if (this.#isOver) return END;
    try {
      return { done: false, value: await this.#source.take(this.#signal) };
    } catch (error) {
      if (this.#endBy(error)) throw error;
      return END;
    }
  }

  /** Ends the iteration where taking has failed; returns whether that is to be reported: the end isn't. */
  #endBy(error: unknown): boolean {
    // Of several calls that wait, the first one reports an error.
    if (this.#isOver) return false;
    this.#stop();
    return !this.#source.isEnd(error);
  }

  /** Ends the iteration, and every next() that waits: those answer that it is done, and have taken nothing. */
  return(): Promise<IteratorReturnResult<void>> {
    this.#stop();
    return primordials.Promise.resolve(END);
  }

  /** Ends the iteration as return() does, and rejects with the error, as a generator does. */
  throw(error?: unknown): Promise<IteratorReturnResult<void>> {
    this.#stop();
    return primordials.Promise.reject(error);
  }

  #stop(): void {
    this.#isOver = true;
    AbortControllerPrototypeAbort(this.#stopped, "stopped"); // without a reason Deno makes one, of the global DOMException
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

/** The items as they are taken, until the end. */
export function iterate<T>(source: Source<T>): AsyncIterableIterator<T, void, void> {
  return new Items(source);
}

/**
 * A stream of the items; cancelled while it waits, it takes nothing.
 *
 * @param cancelled called when the stream was cancelled
 */
export function readableOf<T>(source: Source<T>, cancelled?: () => void): ReadableStream<T> {
  const aborted = new AbortController(), signal = signalOfController(aborted);
  const caller = new CallSite(readableOf);
  const end = (controller: ReadableStreamDefaultController<T>, error: unknown) => {
    if (isAborted(signal)) return;
    if (source.isEnd(error)) return controller.close();
    // The stream asks for items at any time, from a microtask of its own.
    caller.sign(error);
    controller.error(error);
  };
  const wait = async (controller: ReadableStreamDefaultController<T>) => {
    try {
      // Taken and enqueued in one step: between two steps the stream could be cancelled, and the item lost.
      await source.takeFor((item) => controller.enqueue(item), signal);
    } catch (error) {
      end(controller, error);
    }
  };
  // Without prototypes: Deno looks in them for more members than there are.
  const underlying: UnderlyingDefaultSource<T> = {
    __proto__: null,
    pull(controller) {
      if (source.takeNow === undefined) return wait(controller);
      try {
        const item = source.takeNow();
        if (item === WAIT) return wait(controller);
        controller.enqueue(item);
      } catch (error) {
        return end(controller, error);
      }
      if (yieldIsDue()) return afterYield(undefined);
    },
    cancel(reason) {
      AbortControllerPrototypeAbort(aborted, reason);
      cancelled?.();
    },
  } as UnderlyingDefaultSource<T>;
  return new primordials.ReadableStream<T>(
    underlying,
    { __proto__: null, highWaterMark: 0 } as QueuingStrategy<T>,
  );
}

/** A destination of items. */
export interface Sink<T> {
  put(item: T, signal: AbortSignal): Promise<void>;
  /** Called when no more items will come. */
  end(): void | Promise<void>;
}

/** A stream that puts what is written to it; closing or aborting the stream ends the sink. */
export function writableOf<T>(sink: Sink<T>): WritableStream<T> {
  const caller = new CallSite(writableOf);
  const underlying: UnderlyingSink<T> = {
    __proto__: null,
    // The controller's own signal: abort() below is only called once the write under way has settled.
    write(item, controller) {
      const putting = sink.put(item, controller.signal);
      // The first handler of the promise, and no promise in between: the stream is to learn of the error at
      // once.
      PromisePrototypeThen(putting, undefined, (error) => caller.sign(error));
      return putting;
    },
    close: () => sink.end(),
    abort: () => sink.end(),
  } as UnderlyingSink<T>;
  return new primordials.WritableStream<T>(underlying, { __proto__: null } as QueuingStrategy<T>);
}
