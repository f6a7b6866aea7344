// A source of items (streams.ts) made of an operation that takes one.

import { CallSite } from "./call_site.ts";
import { WAIT } from "./eventcount.ts";
import { attemptOrWait, eventually, type Operation } from "./operation.ts";
import type { Source } from "./streams.ts";

/** @param isEnd whether an error that the operation has thrown only says that there are no more items */
export function sourceOf<T>(
  operation: Operation<T>,
  isEnd: (error: unknown) => boolean,
): Source<T> {
  const iterated: Operation<T> = { ...operation, hasOwnSignal: true };
  /** The next item, if it is there and no task of this process waits for it. */
  function takeNow(): T | typeof WAIT {
    try {
      return attemptOrWait(operation);
    } catch (error) {
      new CallSite(takeNow).sign(error);
      throw error;
    }
  }
  return {
    takeNow,
    take: (signal) => eventually(iterated, { signal }),
    takeFor: (use, signal) => {
      const attempt = () => {
        const item = operation.attempt();
        if (item !== WAIT) use(item);
        return item;
      };
      return eventually({ ...iterated, attempt }, { signal });
    },
    isEnd,
  };
}
