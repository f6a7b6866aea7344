// What can be got one after the other, as an async iterator and as a web stream. Neither takes
// anything before it is asked for it, so that nothing is lost when the consumer stops.

import { WAIT } from "./gate.ts";
import { eventually, type Operation } from "./operation.ts";

/** Where items come from. */
export interface Source<T> {
  /** Gets the next one. */
  readonly operation: Operation<T>;
  /** Whether what the operation has thrown only says that there are no more. */
  isEnd(error: unknown): boolean;
}

/**
 * The items as they are got, until the end. Not a generator: one that is asked to return while it
 * waits would go on waiting, and then lose what it got.
 */
export function iterate<T>({ operation, isEnd }: Source<T>): AsyncIterableIterator<T, void, void> {
  const stopped = new AbortController(), { signal } = stopped;
  const end: IteratorReturnResult<void> = { done: true, value: undefined };
  return {
    async next() {
      if (signal.aborted) return end;
      try {
        return { done: false, value: await eventually(operation, { signal }) };
      } catch (error) {
        if (signal.aborted) return end;
        stopped.abort();
        if (isEnd(error)) return end;
        throw error;
      }
    },
    return() {
      stopped.abort();
      return Promise.resolve(end);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/**
 * A stream of the items; cancelled while it waits, it takes nothing.
 *
 * @param cancelled called when it was cancelled
 */
export function readableOf<T>(
  { operation, isEnd }: Source<T>,
  cancelled?: () => void,
): ReadableStream<T> {
  const aborted = new AbortController();
  return new ReadableStream<T>({
    async pull(controller) {
      try {
        // Taken and enqueued in one step: between two, it could be cancelled and an item lost.
        const attempt = () => {
          const item = operation.attempt();
          if (item !== WAIT) controller.enqueue(item);
          return item;
        };
        await eventually({ ...operation, attempt }, { signal: aborted.signal });
      } catch (error) {
        if (aborted.signal.aborted) return;
        if (isEnd(error)) controller.close();
        else controller.error(error);
      }
    },
    cancel(reason) {
      aborted.abort(reason);
      cancelled?.();
    },
  }, { highWaterMark: 0 });
}

/** Where items go to. */
export interface Sink<T> {
  put(item: T, signal: AbortSignal): Promise<void>;
  /** No more will come. */
  end(): void;
}

/** A stream that puts what is written to it; when it is closed or aborted, that is the end. */
export function writableOf<T>(sink: Sink<T>): WritableStream<T> {
  return new WritableStream<T>({
    // Its own signal: abort() below is only called once the write under way has settled.
    write: (item, controller) => sink.put(item, controller.signal),
    close: () => sink.end(),
    abort: () => sink.end(),
  });
}
