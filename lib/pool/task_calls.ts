// The single calls of a pool: each is a task with a unit of one item.

import type { CallSite } from "../wait/call_site.ts";
import type { Executor } from "./executor.ts";
import type { Registered } from "./functions.ts";
import { notInTime } from "./limited_wait.ts";
import type { CheckedTask } from "./options.ts";
import { RUN, STREAM } from "./protocol.ts";
import { ResultIterator } from "./result_iterator.ts";
import type { Scheduler } from "./scheduler.ts";
import { LiveTasks } from "./live_tasks.ts";
import { newTask, type Task, type TaskClient, type TaskOwner } from "./task.ts";
import { reportUnasked } from "./unasked.ts";
import { Unit } from "./unit.ts";
import type { Worker } from "./worker.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  ArrayPrototypePush,
  clearTimeout,
  Deno,
  each,
  Promise,
  PromisePrototypeThen,
  queueMicrotask,
  removeAbortListener,
  setTimeout,
} = primordials;

/**
 * How long the end of a loop waits for its generator to return, in ms, and how long the generator may take in all: it
 * may compute, or wait, for ever.
 */
const PATIENCE_MS = 1000, CLOSING_MS = 2000;

/** Makes tasks, and submits their units. */
export class TaskCalls {
  readonly #executor: Executor;
  readonly #owner: TaskOwner;
  /** The tasks that have no outcome yet. */
  readonly #tasks = new LiveTasks();
  #nextId = 1;

  constructor(executor: Executor) {
    this.#executor = executor;
    this.#owner = {
      cancel: (unit, reason) => executor.cancel(unit, reason),
      isRunning: (unit) => executor.isRunning(unit),
      settled: (client, unit) => this.#settled(client, unit),
    };
  }

  #settled(client: TaskClient, unit: Unit): void {
    this.#tasks.remove(client);
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
      () => this.#executor.closeStream(unit) ? this.#untilClosed(task) : void task.cancel(),
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

  /** Waits until a generator that was left has returned; one that doesn't return in time is ended. */
  async #untilClosed(task: Task<void>): Promise<void> {
    const late = setTimeout(() => task.cancel(), CLOSING_MS);
    Deno.unrefTimer(late as unknown as number);
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
      task.addDoneCallback(() => {
        clearTimeout(late);
        resolve();
      });
    });
    clearTimeout(timer);
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
    client.begin(unit);
    this.#tasks.add(client);
    if (options.timeout !== Infinity || options.signal !== undefined) {
      this.#limit(task as Task<unknown>, client, options);
    }
    return { task, client, unit };
  }

  /** Ends a task when its time is up, or its signal is aborted. */
  #limit(task: Task<unknown>, client: TaskClient, { timeout, signal }: CheckedTask): void {
    const { name } = task;
    const late = () => {
      if (client.unit !== undefined) this.#executor.cancel(client.unit, "timeout");
      client.end("failed", () => notInTime(name, timeout));
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
    for (const task of each(this.#tasks.list)) task.cancel(reason);
  }

  /** Cancels the tasks that have not begun. */
  cancelWaiting(reason: unknown): void {
    for (const task of each(this.#tasks.list)) {
      if (!task.running()) task.cancel(reason);
    }
  }

  /** Prints the errors of tasks that nothing has asked for. */
  reportUnasked(): void {
    reportUnasked(this.#owner);
  }
}
