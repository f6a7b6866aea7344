// Every queue there is passes the contract of queues.

import * as local from "../../local.ts";
import { JoinableQueue, Queue, SimpleQueue } from "../../mod.ts";
import { type Implementation, queueContract } from "./contract.ts";
import { FarQueue } from "./far_queue.ts";

/** A queue between processes. */
const shared: Implementation["can"] = {
  asyncQueue: true,
  batches: true,
  blocking: true,
  joinable: false,
  closable: true,
  resizable: true,
  synchronous: true,
  copies: true,
  processes: true,
  leases: false,
  waitable: true,
};

/** A queue for the tasks of one process. */
const alone: Implementation["can"] = {
  ...shared,
  // Nothing is gained by it where nothing is copied.
  batches: false,
  // While the thread is blocked, nobody could put what it waits for.
  blocking: false,
  joinable: true,
  // Nobody else uses it, so there is nothing to end but the queue itself.
  closable: false,
  copies: false,
  processes: false,
  waitable: false,
};

const implementations: Implementation[] = [
  {
    name: "Queue",
    className: "Queue",
    order: "oldest",
    can: shared,
    make: ({ maxSize } = {}) => new Queue({ maxSize }),
  },
  {
    name: "JoinableQueue",
    className: "JoinableQueue",
    order: "oldest",
    can: { ...shared, joinable: true },
    make: ({ maxSize } = {}) => new JoinableQueue({ maxSize }),
  },
  {
    name: "SimpleQueue",
    className: "SimpleQueue",
    order: "oldest",
    // As Python's: put, get, empty, close.
    can: { ...shared, asyncQueue: false, batches: false, resizable: false },
    make: () => new SimpleQueue(),
  },
  {
    name: "local Queue",
    className: "Queue",
    order: "oldest",
    can: alone,
    make: ({ maxSize } = {}) => new local.Queue({ maxSize }),
  },
  {
    name: "local LifoQueue",
    className: "LifoQueue",
    order: "newest",
    can: alone,
    make: ({ maxSize } = {}) => new local.LifoQueue({ maxSize }),
  },
  {
    name: "local PriorityQueue",
    className: "PriorityQueue",
    order: "smallest",
    can: alone,
    make: ({ maxSize, any } = {}) =>
      new local.PriorityQueue(any ? { maxSize, compare: () => 0 } : { maxSize }),
  },
  {
    name: "a queue that answers by promises",
    className: "FarQueue",
    order: "oldest",
    // As one on a server: it answers nothing at once, and its bound is that with which it was made.
    can: { ...alone, synchronous: false, resizable: false, copies: true },
    make: ({ maxSize } = {}) => new FarQueue(maxSize),
  },
];

for (const implementation of implementations) queueContract(implementation);
