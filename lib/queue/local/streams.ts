// A queue of one process as an async iterator and as a readable stream. Neither takes an item
// before it is asked for, so that none is lost when the consumer stops.

import { QueueShutDown } from "../../errors.ts";
import type { Store } from "./store.ts";

/** The items as they are got, until the queue was shut down and is empty. */
export async function* iterate<T>(store: Store<T>): AsyncGenerator<T, void, void> {
  const step = store.get((item: T) => item);
  for (;;) {
    let item: T;
    try {
      item = await store.getters.eventually(step);
    } catch (error) {
      if (error instanceof QueueShutDown) return;
      throw error;
    }
    yield item;
  }
}

/** A stream of the items; cancelled while it waits, it takes nothing. */
export function readableOf<T>(store: Store<T>): ReadableStream<T> {
  const cancelled = new AbortController();
  return new ReadableStream<T>({
    async pull(controller) {
      try {
        // Taken and enqueued in one step: between two, it could be cancelled and an item lost.
        const step = store.get((item: T) => controller.enqueue(item));
        await store.getters.eventually(step, { signal: cancelled.signal });
      } catch (error) {
        if (cancelled.signal.aborted) return;
        if (error instanceof QueueShutDown) controller.close();
        else controller.error(error);
      }
    },
    cancel(reason) {
      cancelled.abort(reason);
    },
  }, { highWaterMark: 0 });
}
