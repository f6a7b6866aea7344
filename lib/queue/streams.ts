// A queue as an async iterator and as web streams. None of them takes an item before it is asked
// for, so that none is lost when the consumer stops.

import { QueueShutDown } from "../errors.ts";
import { WAIT } from "../wait/gate.ts";
import { eventually } from "../wait/operation.ts";
import type { Queue } from "./queue.ts";
import type { Store } from "./store.ts";

/** The items as they are got, until the queue was shut down and is empty. */
export async function* iterate<T>(store: Store<T>): AsyncGenerator<T, void, void> {
  for (;;) {
    let item: T;
    try {
      item = await eventually(store.get);
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
        const attempt = () => {
          const item = store.get.attempt();
          if (item !== WAIT) controller.enqueue(item);
          return item;
        };
        await eventually({ ...store.get, attempt }, { signal: cancelled.signal });
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

/** A stream that puts what is written to it. */
export function writableOf<T>(queue: Queue<T>): WritableStream<T> {
  const aborted = new AbortController();
  return new WritableStream<T>({
    write: (item) => queue.put(item, { signal: aborted.signal }),
    close: () => queue.shutdown(),
    abort(reason) {
      aborted.abort(reason);
      queue.shutdown();
    },
  });
}
