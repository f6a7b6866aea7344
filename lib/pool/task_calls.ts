// The single calls of a pool: each is a task with a unit of one item.

import { TimeoutError } from "../errors.ts";
import type { CallSite } from "../wait/call_site.ts";
import type { Executor } from "./executor.ts";
import type { Registered } from "./functions.ts";
import type { CheckedTask } from "./options.ts";
import { RUN, STREAM } from "./protocol.ts";
import { ResultIterator } from "./result_iterator.ts";
import type { Scheduler } from "./scheduler.ts";
import { newTask, reportUnasked, type Task, type TaskClient, type TaskOwner } from "./task.ts";
import { Unit } from "./unit.ts";
import type { Worker } from "./worker.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  ArrayPrototypePush,
  clearTimeout,
  each,
  listOf,
  PromisePrototypeThen,
  queueMicrotask,
  removeAbortListener,
  SafeMap,
  setTimeout,
} = primordials;

/** Makes tasks, and submits their units. */
export class TaskCalls {
  readonly #executor: Executor;
  readonly #owner: TaskOwner;
  /** The tasks that have no outcome yet. */
  readonly #tasks = new SafeMap<Task<unknown>, Unit>();
  #nextId = 1;

  constructor(executor: Executor) {
    this.#executor = executor;
    this.#owner = {
      cancel: (unit, reason) => executor.cancel(unit, reason),
      isRunning: (unit) => executor.isRunning(unit),
      settled: (task) => this.#settled(task),
    };
  }

  #settled(task: Task<unknown>): void {
    const unit = this.#tasks.get(task);
    if (unit === undefined) return;
    this.#tasks.delete(task);
    this.#executor.settled(unit);
  }

  /** Reserves numbers for so many tasks, and returns the first. */
  takeIds(count: number): number {
    const first = this.#nextId;
    this.#nextId += count;
    return first;
  }

  /** Submits a call. */
  submit<R>(
    call: Registered,
    args: readonly unknown[],
    options: CheckedTask,
    origin: CallSite,
  ): Task<R> {
    const { task, unit } = this.#prepare<R>(RUN, call, args, options, origin);
    this.#executor.submit(unit);
    return task;
  }

  /** Submits a call for each worker. */
  submitToAll<R>(
    scheduler: Scheduler,
    call: Registered,
    args: readonly unknown[],
    options: CheckedTask,
    origin: CallSite,
  ): Task<R>[] {
    const tasks: Task<R>[] = [];
    scheduler.submitToAll((worker) => {
      const { task, unit } = this.#prepare<R>(RUN, call, args, options, origin, worker);
      ArrayPrototypePush(tasks, task);
      return unit;
    });
    return tasks;
  }

  /** Submits the call of a generator function; the iterator has the values that it yields. */
  stream<Y>(
    call: Registered,
    args: readonly unknown[],
    options: CheckedTask,
    origin: CallSite,
    bufferSize: number,
  ): AsyncIterableIterator<Y> {
    const { task, client, unit } = this.#prepare<void>(STREAM, call, args, options, origin);
    const iterator = new ResultIterator<Y>(
      () => this.#executor.credit(unit, 1),
      () => {
        if (!this.#executor.closeStream(unit)) task.cancel();
      },
    );
    client.yielded = (value) => iterator.push(value as Y);
    client.whenAssigned = () => {
      queueMicrotask(() => this.#executor.credit(unit, bufferSize));
    };
    PromisePrototypeThen(
      task.result(),
      () => iterator.finish(),
      (error) => iterator.finish({ error }),
    );
    this.#executor.submit(unit);
    return iterator;
  }

  /** Makes the task of a call, and the unit that is submitted for it. */
  #prepare<R>(
    type: typeof RUN | typeof STREAM,
    call: Registered,
    args: readonly unknown[],
    options: CheckedTask,
    origin: CallSite,
    pinned?: Worker,
  ): { task: Task<R>; client: TaskClient; unit: Unit } {
    const id = this.takeIds(1);
    const { task, client } = newTask<R>(this.#owner, id, options.name ?? call.name, origin);
    client.onMessage = options.onMessage;
    const isSpread = true, first = 0, items = [args];
    const unit = new Unit({ type, call, client, options, id, pinned, isSpread, first, items });
    client.unit = unit;
    this.#tasks.set(task as Task<unknown>, unit);
    if (options.timeout !== Infinity || options.signal !== undefined) {
      this.#limit(task as Task<unknown>, client, options);
    }
    return { task, client, unit };
  }

  /** Ends a task when its time is up, or its signal is aborted. */
  #limit(task: Task<unknown>, client: TaskClient, { timeout, signal }: CheckedTask): void {
    const late = () => {
      const { unit } = client;
      client.end("failed", () => {
        return new TimeoutError(
          `${task.name} has not ended in time, ${timeout} ms in all. It was ended.`,
        );
      });
      if (unit !== undefined) this.#executor.cancel(unit, undefined);
    };
    const timer = timeout < 2 ** 31 ? setTimeout(late, timeout) : undefined;
    const aborted = () => task.cancel(abortReason(signal!));
    if (signal !== undefined) addAbortListener(signal, aborted);
    client.whenEnded = () => {
      clearTimeout(timer);
      if (signal !== undefined) removeAbortListener(signal, aborted);
    };
  }

  /** Cancels all tasks. */
  cancelAll(reason: unknown): void {
    for (const task of each(listOf(this.#tasks.keys()))) task.cancel(reason);
  }

  /** Cancels the tasks that have not begun. */
  cancelWaiting(reason: unknown): void {
    for (const task of each(listOf(this.#tasks.keys()))) {
      if (!task.running()) task.cancel(reason);
    }
  }

  /** Prints the errors of tasks that nothing has asked for. */
  reportUnasked(): void {
    reportUnasked(this.#owner);
  }
}
