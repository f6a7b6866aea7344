// The statistics of locks and the like: snapshots of their state.

/**
 * The statistics of a {@linkcode Lock}.
 *
 * @example
 * ```ts
 * import { Lock, type LockStatistics } from "@multiproc/multiprocessing";
 *
 * const lock = new Lock();
 * lock.acquireSync();
 * const { owner, waiting }: LockStatistics = lock.statistics();
 * console.log(owner, waiting); // MainProcess 0
 * ```
 */
export interface LockStatistics {
  /** The name of the process that holds it; null while it is free. */
  owner: string | null;
  /** Tasks of this process that wait for it. */
  waiting: number;
}

/**
 * The statistics of an {@linkcode RLock}.
 *
 * @example
 * ```ts
 * import { RLock, type RLockStatistics } from "@multiproc/multiprocessing";
 *
 * const lock = new RLock();
 * lock.acquireSync();
 * lock.acquireSync();
 * const { owner, count }: RLockStatistics = lock.statistics();
 * console.log(owner, count); // MainProcess 2
 * ```
 */
export interface RLockStatistics extends LockStatistics {
  /** How often its holder has acquired it; 0 while it is free. */
  count: number;
}

/**
 * The statistics of a {@linkcode Semaphore} or {@linkcode BoundedSemaphore}.
 *
 * @example
 * ```ts
 * import { Semaphore, type SemaphoreStatistics } from "@multiproc/multiprocessing";
 *
 * const semaphore = new Semaphore(3);
 * await semaphore.acquire();
 * const { value, initial }: SemaphoreStatistics = semaphore.statistics();
 * console.log(value, initial); // 2 3
 * ```
 */
export interface SemaphoreStatistics {
  /** Free permits. */
  value: number;
  /** Permits there were at first. */
  initial: number;
  /** Tasks of this process that wait for a permit. */
  waiting: number;
}

/**
 * The statistics of an {@linkcode Event}.
 *
 * @example
 * ```ts
 * import { Event, type EventStatistics } from "@multiproc/multiprocessing";
 *
 * const event = new Event();
 * event.set();
 * const { set, waiting }: EventStatistics = event.statistics();
 * console.log(set, waiting); // true 0
 * ```
 */
export interface EventStatistics {
  /** Whether its flag is up. */
  set: boolean;
  /** Tasks of this process that wait for it. */
  waiting: number;
}

/**
 * The statistics of a {@linkcode Condition}.
 *
 * @example
 * ```ts
 * import { Condition, type ConditionStatistics } from "@multiproc/multiprocessing";
 *
 * const condition = new Condition();
 * const { waiting, owner }: ConditionStatistics = condition.statistics();
 * console.log(waiting, owner); // 0 null
 * ```
 */
export interface ConditionStatistics {
  /** Waiters of all processes that were not notified. */
  waiting: number;
  /** The name of the process that holds its lock; null while that is free. */
  owner: string | null;
}

/**
 * The statistics of a {@linkcode Barrier}.
 *
 * @example
 * ```ts
 * import { Barrier, type BarrierStatistics } from "@multiproc/multiprocessing";
 *
 * const barrier = new Barrier(3);
 * const { parties, waiting, broken }: BarrierStatistics = barrier.statistics();
 * console.log(parties, waiting, broken); // 3 0 false
 * ```
 */
export interface BarrierStatistics {
  /** The number of parties that must arrive. */
  parties: number;
  /** The parties, of all processes, that have arrived and wait. */
  waiting: number;
  /** Whether it is broken. */
  broken: boolean;
}

/**
 * The statistics of a {@linkcode Value} or a {@linkcode SharedArray}.
 *
 * @example
 * ```ts
 * import { SharedArray, type SharedMemoryStatistics } from "@multiproc/multiprocessing";
 *
 * const votes = new SharedArray("u32", 3);
 * const { bytes, lock }: SharedMemoryStatistics = votes.statistics();
 * console.log(bytes, lock.owner); // 12 null
 * ```
 */
export interface SharedMemoryStatistics {
  /** Bytes of shared memory that its numbers take. */
  bytes: number;
  /** The statistics of its lock. */
  lock: RLockStatistics;
}
