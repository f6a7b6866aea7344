// The loop and the web streams of a queue: written once, for every queue, on a source (which takes the next
// item) and the queue's put and shutdown.

import { QueueShutDown } from "../errors.ts";
import { iterate, readableOf, type Source, writableOf } from "../wait/streams.ts";
import type { AsyncQueue } from "./contract.ts";

/** Whether an error of a get only says that there are no more items. */
export function isEnd(error: unknown): boolean {
  return error instanceof QueueShutDown;
}

/** The loop and the streams of a queue, which are made of its other methods. */
export class Faces<T> {
  readonly #source: Source<T>;
  readonly #queue: Pick<AsyncQueue<T>, "put" | "shutdown">;
  #readable: ReadableStream<T> | undefined;
  #writable: WritableStream<T> | undefined;

  /** @param source takes the next item; its end is {@linkcode isEnd} */
  constructor(source: Source<T>, queue: Pick<AsyncQueue<T>, "put" | "shutdown">) {
    this.#source = source;
    this.#queue = queue;
  }

  iterate(): AsyncIterableIterator<T> {
    return iterate(this.#source);
  }

  get readable(): ReadableStream<T> {
    return this.#readable ??= readableOf(this.#source);
  }

  get writable(): WritableStream<T> {
    const queue = this.#queue;
    return this.#writable ??= writableOf({
      put: (item, signal) => queue.put(item, { signal }),
      end: () => queue.shutdown(),
    });
  }
}
