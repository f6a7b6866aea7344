// The functions for code in a worker of a pool: its current task, the state its initializer made, moved results.

import { AsyncLocalStorage } from "node:async_hooks";
import * as primordials from "../platform/primordials.ts";

const { TypeError, uncurry } = primordials;

/**
 * The task that the calling code runs in: see {@linkcode currentTask}.
 *
 * @example
 * ```ts
 * import { currentTask, type CurrentTask } from "@multiproc/multiprocessing";
 *
 * const task: CurrentTask | undefined = currentTask();
 * console.log(task); // undefined
 * ```
 */
export interface CurrentTask {
  /** The number of the task in the pool. */
  readonly id: number;
  /** The name that the task was given, or that of its function. */
  readonly name: string;
  /** The index of the item in its map, from 0; 0 for a single task. */
  readonly index: number;
  /** 1, and one more each time a worker has died while it ran the item. */
  readonly attempt: number;
  /** Aborted when the caller doesn't want the result any more. */
  readonly signal: AbortSignal;
  /** Sends a value to the caller's `onMessage`, while the task runs. */
  send(value: unknown): void;
}

/** The current task of each asynchronous context. */
const contexts = new AsyncLocalStorage<CurrentTask>();
const run = uncurry<typeof contexts, [CurrentTask, () => unknown], unknown>(contexts.run),
  getStore = uncurry<typeof contexts, [], CurrentTask | undefined>(contexts.getStore);
let state: unknown;

/** Runs code with `task` as its current task. */
export function within<T>(task: CurrentTask, work: () => T): T {
  return run(contexts, task, work) as T;
}

/** Sets the value that workerState() returns: the initializer's. */
export function setWorkerState(value: unknown): void {
  state = value;
}

/**
 * The task of a {@linkcode Pool} in which this code runs; undefined outside of any.
 *
 * @example
 * ```ts
 * import { currentTask, Pool } from "@multiproc/multiprocessing";
 *
 * export function which(): string {
 *   const task = currentTask();
 *   return `${task?.name}, attempt ${task?.attempt}`;
 * }
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 1 });
 *   console.log(await pool.apply(which)); // which, attempt 1
 * }
 * ```
 */
export function currentTask(): CurrentTask | undefined {
  return getStore(contexts);
}

/**
 * The value that the `initializer` of the {@linkcode Pool} returned in this worker; undefined without one.
 *
 * @typeParam S the type of that value
 *
 * @example
 * ```ts
 * import { Pool, workerState } from "@multiproc/multiprocessing";
 *
 * export const open = () => new Map([["greeting", "hello"]]);
 * export const look = (key: string) => workerState<Map<string, string>>().get(key);
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 1, initializer: open });
 *   console.log(await pool.apply(look, ["greeting"])); // hello
 * }
 * ```
 */
export function workerState<S = unknown>(): S {
  return state as S;
}

/** A result, and the objects in it that are moved instead of copied. */
export class Transferred<T = unknown> {
  readonly value: T;
  readonly list: Transferable[];

  constructor(value: T, list: Transferable[]) {
    this.value = value;
    this.list = list;
  }
}

/**
 * Makes a task of a {@linkcode Pool} move buffers with its result instead of copying them: return this call's value.
 *
 * @param value the result
 * @param list the ArrayBuffers, MessagePorts and streams in it that move; the task can't use them afterwards
 * @throws {TypeError} if the list is no array
 *
 * @example
 * ```ts
 * import { Pool, transfer } from "@multiproc/multiprocessing";
 *
 * export function zeros(length: number): Uint8Array {
 *   const bytes = new Uint8Array(length);
 *   return transfer(bytes, [bytes.buffer]);
 * }
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 1 });
 *   console.log((await pool.apply(zeros, [1000])).length); // 1000
 * }
 * ```
 */
export function transfer<T>(value: T, list: Transferable[]): T {
  if (!primordials.Array.isArray(list)) {
    throw new TypeError(
      "The transfer list is not an array. Give the buffers: transfer(value, [value.buffer]).",
    );
  }
  // To the caller the type is that of the value: the worker unwraps it.
  return new Transferred(value, list) as T;
}
