// A source of items (streams.ts) made of an operation that takes one.

import { WAIT } from "./eventcount.ts";
import { eventually, type Operation } from "./operation.ts";
import type { Source } from "./streams.ts";

/** @param isEnd whether an error that the operation has thrown only says that there are no more items */
export function sourceOf<T>(
  operation: Operation<T>,
  isEnd: (error: unknown) => boolean,
): Source<T> {
  return {
    take: (signal) => eventually(operation, { signal }),
    takeFor: (use, signal) => {
      const attempt = () => {
        const item = operation.attempt();
        if (item !== WAIT) use(item);
        return item;
      };
      return eventually({ ...operation, attempt }, { signal });
    },
    isEnd,
  };
}
