/**
 * Processes, queues, pipes, locks and pools for Deno, with the vocabulary of Python's
 * `multiprocessing`.
 *
 * A {@linkcode Process} is a Deno Worker that acts as a process. A {@linkcode Queue} carries items between
 * any number of processes, a {@linkcode Pipe} connects two, a {@linkcode Pool} keeps some that wait for
 * calls. {@linkcode Lock}, {@linkcode Semaphore}, {@linkcode Event}, {@linkcode Condition} and
 * {@linkcode Barrier} synchronize them, {@linkcode Value} and {@linkcode SharedArray} are memory that they
 * share.
 *
 * Every wait takes a `timeout` in milliseconds and an `AbortSignal` ({@linkcode WaitOptions}), and
 * has a form that doesn't wait (`getNowait`) and one that blocks the thread (`getSync`).
 *
 * @example
 * ```ts
 * import { Process, Queue } from "@multiproc/multiprocessing";
 *
 * export async function greet(queue: Queue<string>) {
 *   await queue.put("hello from another process");
 * }
 *
 * if (import.meta.main) {
 *   const queue = new Queue<string>();
 *   new Process({ target: greet, args: [queue] }).start();
 *   console.log(await queue.get()); // hello from another process
 * }
 * ```
 *
 * @module
 */

import "./lib/platform/requirements.ts";
import "./lib/child/module_graph.ts";
import { knowOwnExports } from "./lib/target/own_exports.ts";
// This module itself, to which functions by source refer by name.
import * as own from "./mod.ts";

knowOwnExports(own);

export {
  AbandonedLockError,
  BrokenBarrierError,
  BrokenPipeError,
  BufferTooShort,
  DeadlockError,
  EOFError,
  InvalidStateError,
  ProcessError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  TimeoutError,
} from "./lib/errors.ts";
export {
  Connection,
  type ConnectionStatistics,
  type MaxLengthOption,
  type OffsetOption,
  type SendBytesOptions,
  type SendNowaitOptions,
  type SendOptions,
  type SendSyncOptions,
} from "./lib/pipe/connection.ts";
export { inspect } from "./lib/inspect/inspection.ts";
export { type DeadlockOptions, detectDeadlocks } from "./lib/inspect/settings.ts";
export { type Dump, type DumpOptions, installDump } from "./lib/inspect/dump.ts";
import "./lib/inspect/idle.ts";
export type { Deadlock, Inspection, ProcessState, Wait } from "./lib/inspect/types.ts";
export { type Trace, trace, type TraceOptions, type TraceSummary } from "./lib/trace/trace.ts";
export { Pipe, type PipeOptions } from "./lib/pipe/pipe.ts";
export type { ConnectionMessage } from "./lib/pipe/foreign_worker.ts";
export type {
  BarrierStatistics,
  ConditionStatistics,
  EventStatistics,
  LockStatistics,
  RLockStatistics,
  SemaphoreStatistics,
  SharedMemoryStatistics,
} from "./lib/sync/statistics.ts";
export { wait, waitNowait, waitSync } from "./lib/wait/wait.ts";
export { Process, type ProcessConstructor, type ProcessObject } from "./lib/process/process.ts";
export type { ProcessOptions, ProcessParameters } from "./lib/process/options.ts";
export type { TargetForms, TargetParameters, TargetResult } from "./lib/target/target_types.ts";
export { activeChildren } from "./lib/process/active_children.ts";
export { currentProcess, parentProcess } from "./lib/process/current.ts";
export type { CurrentProcess, ParentProcess, ProcessInfo } from "./lib/process/process_info.ts";
export type { ProcessStatistics } from "./lib/process/process_statistics.ts";
export type { ProcessPermissions } from "./lib/process/permissions.ts";
export { cpuCount, sleep } from "./lib/process/system.ts";
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
export { JoinableQueue } from "./lib/queue/shared/joinable_queue.ts";
export type { Lease } from "./lib/queue/shared/lease.ts";
export { Queue } from "./lib/queue/shared/queue.ts";
export type { JoinableQueueOptions, QueueOptions } from "./lib/queue/shared/queue_options.ts";
export type {
  JoinableQueueStatistics,
  QueueStatistics,
  SimpleQueueStatistics,
} from "./lib/queue/shared/queue_statistics.ts";
export { SimpleQueue } from "./lib/queue/shared/simple_queue.ts";
export { Barrier, type BarrierOptions } from "./lib/sync/barrier.ts";
export { Condition } from "./lib/sync/condition.ts";
export { Event } from "./lib/sync/event.ts";
export type { Held } from "./lib/sync/guard.ts";
export type { Holdable } from "./lib/sync/holdable.ts";
export { Lock } from "./lib/sync/lock.ts";
export { RLock } from "./lib/sync/rlock.ts";
export { BoundedSemaphore, Semaphore } from "./lib/sync/semaphore.ts";
export {
  SharedArray,
  type SharedArrayConstructor,
  type SharedArrayMethods,
} from "./lib/sync/shared_array.ts";
export type { LockOption } from "./lib/sync/typed_memory.ts";
export type { IntegerCode, NumberOf, TypeCode, TypedArrays } from "./lib/sync/number_types.ts";
export { Value } from "./lib/sync/value.ts";
export type { BlockOptions, WaitOptions } from "./lib/wait/options.ts";
export { asCompleted } from "./lib/pool/as_completed.ts";
export { type CurrentTask, currentTask, transfer, workerState } from "./lib/pool/current_task.ts";
export {
  BrokenPoolError,
  CancelledError,
  TaskError,
  type TaskErrorDetails,
} from "./lib/pool/errors.ts";
export type { Percentiles } from "./lib/pool/histogram.ts";
export type { MapOptions, PoolOptions, Progress, TaskOptions } from "./lib/pool/options.ts";
export { Pool } from "./lib/pool/pool.ts";
export type { PoolStatistics, TaskLook, WorkerLook } from "./lib/pool/statistics.ts";
export { Task, type TaskTiming } from "./lib/pool/task.ts";
export type { AnyFunction, CallParameters, LoadedModule } from "./lib/pool/types.ts";
export type { WorkerState } from "./lib/pool/worker.ts";
