/**
 * Queues across machines, in a Redis server: {@linkcode connect} gives a {@linkcode Hub}, which makes and opens
 * queues by their names. This entry point alone depends on a package, `npm:@redis/client`.
 *
 * @example
 * ```ts ignore
 * import { connect } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const queue = await hub.queue<string>("an example");
 * await queue.put("from any machine");
 * console.log(await queue.get()); // from any machine
 * await queue.delete();
 * ```
 *
 * @module
 */

export {
  BrokenPoolError,
  CancelledError,
  InvalidStateError,
  ProcessError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  Task,
  TaskError,
  TimeoutError,
} from "./lib/redis/core.ts";
export type {
  AsyncJoinableQueue,
  AsyncJoinableQueueStatistics,
  AsyncLease,
  AsyncQueue,
  AsyncQueueStatistics,
  BasicQueue,
  BatchQueue,
  BlockingQueue,
  DeadLetter,
  LeasingQueue,
} from "./lib/queue/contract.ts";
export { LeaseLostError } from "./lib/redis/errors.ts";
export { connect, Hub } from "./lib/redis/hub.ts";
export {
  RemoteJoinableQueue,
  type RemoteJoinableQueueStatistics,
} from "./lib/redis/joinable_queue.ts";
export { Lease } from "./lib/redis/lease.ts";
export { type RemoteHeld, RemoteLock } from "./lib/redis/lock.ts";
export type {
  HubOptions,
  RemoteJoinableQueueOptions,
  RemoteQueueOptions,
} from "./lib/redis/options.ts";
export type {
  RemoteMapOptions,
  RemotePoolOptions,
  RemoteTaskOptions,
} from "./lib/redis/pool/options.ts";
export {
  type LostTask,
  RemotePool,
  type RemotePoolStatistics,
  type RemoteWorker,
} from "./lib/redis/pool/remote_pool.ts";
export { RemoteQueue, type RemoteQueueStatistics } from "./lib/redis/queue.ts";
export type { TaskErrorDetails } from "./lib/pool/errors.ts";
export type { TaskTiming } from "./lib/pool/task.ts";
export type { AnyFunction, CallParameters, LoadedModule } from "./lib/pool/types.ts";
export type { MapOptions, Progress, TaskOptions } from "./lib/pool/options.ts";
export type { BlockOptions, WaitOptions } from "./lib/wait/options.ts";
