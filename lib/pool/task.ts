// A task: one call that a pool has accepted. It can be awaited, inspected and cancelled.

import { TimeoutError } from "../errors.ts";
import type { CallSite } from "../wait/call_site.ts";
import { EventCount, EVENTCOUNT_WORDS } from "../wait/eventcount.ts";
import { type Readiness, readiness } from "../wait/waitable.ts";
import { signalOf, timeoutOf, type WaitOptions } from "../wait/options.ts";
import { callBack } from "./callbacks.ts";
import { describeItem, TaskError, wasCancelled } from "./errors.ts";
import { Unasked } from "./unasked.ts";
import type { Client, ItemFailure, Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  ArrayPrototypePush,
  clearTimeout,
  each,
  Int32Array,
  performance,
  PromisePrototypeThen,
  removeAbortListener,
  setTimeout,
  SharedArrayBuffer,
  StringPrototypeEndsWith,
  StringPrototypeSlice,
  StringPrototypeStartsWith,
  TypeError,
} = primordials;

/**
 * How long a task took, in ms: see {@linkcode Task.timing}.
 *
 * @example
 * ```ts
 * import { Pool, type TaskTiming } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * const task = pool.submit((n: number) => n * n, [7]);
 * await task;
 * const timing: TaskTiming = task.timing;
 * console.log(timing.running !== undefined && timing.total! >= timing.running); // true
 * ```
 */
export interface TaskTiming {
  /** The time that it waited for a worker. */
  queued: number;
  /** The time that it ran; undefined while it hasn't ended. */
  running: number | undefined;
  /** The time from submit() to the outcome; undefined while there is none. */
  total: number | undefined;
}

/** The pool, as a task uses it. */
export interface TaskOwner {
  cancel(unit: Unit, reason: unknown): void;
  isRunning(unit: Unit): boolean;
  /** The task of a unit has an outcome. */
  settled(client: TaskClient, unit: Unit): void;
}

/** Of no type of result, so that a Task<number> is a Task<unknown>. */
type DoneCallback = (task: Task<unknown>) => void;

type Outcome<R> =
  | { state: "returned"; value: R }
  | { state: "failed"; make: () => Error }
  | { state: "cancelled"; make: () => Error };

/** The arguments of the constructor, which only newTask() can pass. */
let making: { owner: TaskOwner; id: number; name: string; origin: CallSite } | undefined;

/** Makes a task, and the client through which the pool tells it its outcome. */
export function newTask<R>(
  owner: TaskOwner,
  id: number,
  name: string,
  origin: CallSite,
): { task: Task<R>; client: TaskClient } {
  making = { owner, id, name, origin };
  try {
    const task = new Task<R>();
    return { task, client: clientOf(task as Task<unknown>) };
  } finally {
    making = undefined;
  }
}

/** The pool's side of a task. */
export interface TaskClient extends Client {
  readonly task: Task<unknown>;
  /** The unit, while the task has no outcome. */
  readonly unit: Unit | undefined;
  /** The task is to be run by this unit. */
  begin(unit: Unit): void;
  /** The place in the list of the tasks that have no outcome: see live_tasks.ts. */
  place: number;
  onMessage: ((value: unknown) => void) | undefined;
  /** Called once the task has an outcome. */
  whenEnded: (() => void) | undefined;
  /** Called when the unit was sent to a worker. */
  whenAssigned: (() => void) | undefined;
  /** Gives the task an outcome that its function didn't produce. */
  end(state: "failed" | "cancelled", make: () => Error): void;
}

let clientOf: (task: Task<unknown>) => TaskClient;

/** What the client of a task does inside of the task. */
let inside: {
  unitOf(task: Task<unknown>): Unit | undefined;
  setUnit(task: Task<unknown>, unit: Unit): void;
  returned(task: Task<unknown>, value: unknown, at: number | undefined): void;
  failed(task: Task<unknown>, index: number, failure: ItemFailure): void;
  assigned(task: Task<unknown>, worker: string | undefined, at: number | undefined): void;
  end(task: Task<unknown>, state: "failed" | "cancelled", make: () => Error): void;
};

/** The client of a task. A class, because each task makes one: closures would take longer to make. */
class OwnClient implements TaskClient {
  readonly task: Task<unknown>;
  onMessage: ((value: unknown) => void) | undefined;
  whenEnded: (() => void) | undefined;
  yielded: ((value: unknown) => void) | undefined;
  whenAssigned: (() => void) | undefined;
  place = 0;

  constructor(task: Task<unknown>) {
    this.task = task;
  }

  get unit(): Unit | undefined {
    return inside.unitOf(this.task);
  }

  begin(unit: Unit): void {
    inside.setUnit(this.task, unit);
  }

  returned(_index: number, value: unknown, at?: number): void {
    inside.returned(this.task, value, at);
  }

  failed(index: number, failure: ItemFailure): void {
    inside.failed(this.task, index, failure);
  }

  assigned(worker: string | undefined, at?: number): void {
    inside.assigned(this.task, worker, at);
    if (this.whenAssigned !== undefined) this.whenAssigned();
  }

  message(value: unknown): void {
    if (this.onMessage !== undefined) callBack("onMessage", this.onMessage, value);
  }

  end(state: "failed" | "cancelled", make: () => Error): void {
    inside.end(this.task, state, make);
  }
}

/**
 * A call that a {@linkcode Pool} has accepted, as {@linkcode Pool.submit} returns it. Awaiting a task gives the value
 * that the function returned. Python's `concurrent.futures.Future`.
 *
 * @example
 * ```ts
 * import { Pool, type Task } from "@multiproc/multiprocessing";
 *
 * export const square = (n: number) => n * n;
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 2 });
 *   const tasks: Task<number>[] = [1, 2, 3].map((n) => pool.submit(square, [n]));
 *   for (const task of tasks) console.log(await task); // 1, then 4, then 9
 * }
 * ```
 *
 * @typeParam R what the function returns, or its promise resolves to
 */
export class Task<R = unknown> implements PromiseLike<R> {
  /** The number of the task in the pool, from 1. */
  readonly id: number;
  /** The name that the task was given, or that of its function. */
  readonly name: string;
  readonly #owner: TaskOwner;
  #submitted = 0;
  /** The line that submitted the task. */
  readonly #origin: CallSite;
  #unit: Unit | undefined;
  #client: TaskClient | undefined;
  #outcome: Outcome<R> | undefined;
  #worker: string | undefined;
  #started: number | undefined;
  #ended: number | undefined;
  /** Resolves the promise that result() returned first: most tasks have no other. */
  #resolve: ((value: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  /** The promise of further waits, which resolves when there is an outcome. */
  #settled: Promise<void> | undefined;
  #tellSettled: (() => void) | undefined;
  #wasAsked = false;
  #unasked: Unasked | undefined;
  /** For wait(). */
  #eventcount: EventCount | undefined;
  #callbacks: DoneCallback[] | undefined;

  /** @ignore */
  constructor() {
    if (making === undefined) throw new TypeError("A task is made by a pool. Call pool.submit().");
    this.#owner = making.owner;
    this.id = making.id;
    this.name = making.name;
    this.#origin = making.origin;
  }

  static {
    clientOf = (task) => task.#client = new OwnClient(task);
    inside = {
      unitOf: (task) => task.#unit,
      setUnit: (task, unit) => {
        task.#unit = unit;
        task.#submitted = unit.since;
      },
      returned: (task, value, at) => task.#settle({ state: "returned", value }, at),
      failed: (task, index, failure) => {
        const { name } = task;
        task.#settleBy("failed", () => taskErrorOf(name, index, failure));
      },
      assigned: (task, worker, at = performance.now()) => {
        task.#worker = worker;
        task.#started = at;
      },
      end: (task, state, make) => task.#settleBy(state, make),
    };
  }

  /** Settles the task by an error, made anew at each call of make(), which doesn't refer to the task. */
  #settleBy(state: "failed" | "cancelled", make: () => Error): void {
    const origin = this.#origin;
    this.#settle({
      state,
      make: () => {
        const error = make();
        origin.sign(error); // adds the line that submitted the task
        return error;
      },
    });
  }

  #settle(outcome: Outcome<R>, at = performance.now()): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#ended = at;
    const unit = this.#unit, client = this.#client;
    this.#unit = this.#client = undefined;
    if (this.#resolve !== undefined) {
      if (outcome.state === "returned") this.#resolve(outcome.value);
      // The error is made after this turn: describing the item may run the program's code.
      else PromisePrototypeThen(this.#whenSettled(), () => this.#reject!(this.#failure()));
    }
    this.#tellSettled?.();
    this.#eventcount?.notify(Infinity);
    if (outcome.state === "failed" && !this.#wasAsked) {
      this.#unasked = new Unasked(this, this.#owner, outcome.make);
    }
    client!.whenEnded?.();
    this.#owner.settled(client!, unit!);
    const callbacks = this.#callbacks;
    if (callbacks === undefined) return;
    this.#callbacks = undefined;
    for (const callback of each(callbacks)) this.#call(callback);
  }

  #call(callback: DoneCallback): void {
    this.#asked();
    callBack("addDoneCallback", callback, this as Task<unknown>);
  }

  #asked(): void {
    this.#wasAsked = true;
    this.#unasked?.forget();
  }

  /**
   * Resolves to the value that the function returned.
   *
   * @throws {TaskError} if it threw, or its worker ended
   * @throws {CancelledError} if it was cancelled
   * @throws {TimeoutError} if the wait took longer than `timeout` ms; the task goes on
   * @throws {BrokenPoolError} if the pool can't work
   */
  result(options?: WaitOptions): Promise<R> {
    this.#asked();
    if (options === undefined) {
      if (this.#outcome === undefined && this.#resolve === undefined) {
        return new primordials.Promise<R>((resolve, reject) => {
          this.#resolve = resolve as (value: unknown) => void;
          this.#reject = reject;
        });
      }
      return PromisePrototypeThen(this.#whenSettled(), () => this.#answer());
    }
    return PromisePrototypeThen(this.#patiently(options), () => this.#answer());
  }

  /** The error that the task failed with; undefined if it returned. Otherwise rejects as {@linkcode Task.result}. */
  async exception(options?: WaitOptions): Promise<TaskError | undefined> {
    try {
      await this.result(options);
      return undefined;
    } catch (error) {
      if (this.#outcome?.state !== "failed") throw error;
      return error as TaskError;
    }
  }

  /** @internal The value or error of result(), of a task that has an outcome. */
  valueNow(): R {
    this.#asked();
    return this.#answer();
  }

  #answer(): R {
    const outcome = this.#outcome!;
    if (outcome.state === "returned") return outcome.value;
    throw outcome.make();
  }

  /** What a wait for a task rejects with that has not returned. */
  #failure(): unknown {
    try {
      return this.#answer();
    } catch (error) {
      return error;
    }
  }

  #whenSettled(): Promise<void> {
    if (this.#outcome !== undefined) return primordials.Promise.resolve();
    return this.#settled ??= new primordials.Promise((resolve) => this.#tellSettled = resolve);
  }

  async #patiently(options: WaitOptions): Promise<void> {
    const timeout = timeoutOf(options), signal = signalOf(options);
    if (this.#outcome !== undefined) return;
    const late = () =>
      new TimeoutError(`${this.name} has not ended in time. Wait longer, or cancel it.`);
    if (timeout === 0) throw late();
    let timer: ReturnType<typeof setTimeout> | undefined, aborted: (() => void) | undefined;
    try {
      await new primordials.Promise<void>((resolve, reject) => {
        PromisePrototypeThen(this.#whenSettled(), resolve);
        if (timeout < 2 ** 31) timer = setTimeout(() => reject(late()), timeout);
        if (signal === undefined) return;
        addAbortListener(signal, aborted = () => reject(abortReason(signal)));
      });
    } finally {
      clearTimeout(timer);
      if (signal !== undefined && aborted !== undefined) removeAbortListener(signal, aborted);
    }
  }

  /** Makes a task awaitable. */
  then<T = R, E = never>(
    onFulfilled?: ((value: R) => T | PromiseLike<T>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<T | E> {
    return PromisePrototypeThen<R, T | E>(
      this.result(),
      onFulfilled ?? undefined,
      onRejected ?? undefined,
    ) as Promise<T | E>;
  }

  /**
   * Ends the task: a waiting task is taken out, a running one is stopped, even in the middle of `while (true) {}`.
   * True if it had no outcome; waits for it reject with a {@linkcode CancelledError}, whose `cause` is the reason.
   */
  cancel(reason?: unknown): boolean {
    if (this.#outcome !== undefined) return false;
    const unit = this.#unit;
    // While the task has no outcome the unit is known, also where it is cancelled through a pipe.
    if (unit !== undefined) this.#owner.cancel(unit, reason);
    const { name } = this;
    this.#settleBy("cancelled", () => wasCancelled(name, reason));
    return true;
  }

  /** Whether it was cancelled. */
  cancelled(): boolean {
    return this.#outcome?.state === "cancelled";
  }

  /** Whether it is running in a worker. */
  running(): boolean {
    return this.#outcome === undefined && this.#unit !== undefined &&
      this.#owner.isRunning(this.#unit);
  }

  /** Whether it has an outcome. */
  done(): boolean {
    return this.#outcome !== undefined;
  }

  /** Calls `callback` with the task once it has an outcome; at once if it has one. */
  addDoneCallback(callback: (task: Task<R>) => void): void {
    if (typeof callback !== "function") throw new TypeError("addDoneCallback() takes a function.");
    if (this.#outcome === undefined) {
      ArrayPrototypePush(this.#callbacks ??= [], callback as DoneCallback);
    } else this.#call(callback as DoneCallback);
  }

  /** @ignore */
  [readiness](): Readiness {
    this.#asked();
    if (this.#eventcount === undefined) {
      const words = new Int32Array(new SharedArrayBuffer(4 * EVENTCOUNT_WORDS));
      this.#eventcount = new EventCount(words, 0, () => this.done());
    }
    return { eventcount: this.#eventcount, isReady: () => this.done() };
  }

  /** The name of the worker that has the task, or had it last. */
  get worker(): string | undefined {
    return this.#worker;
  }

  /** How long it took. */
  get timing(): TaskTiming {
    const submitted = this.#submitted, started = this.#started, ended = this.#ended;
    return {
      queued: (started ?? ended ?? performance.now()) - submitted,
      running: started === undefined || ended === undefined ? undefined : ended - started,
      total: ended === undefined ? undefined : ended - submitted,
    };
  }

  /** @ignore */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options?: Deno.InspectOptions) => string,
    options: Deno.InspectOptions,
  ): string {
    const { id, name, worker } = this;
    const state = this.#outcome?.state ?? (this.running() ? "running" : "waiting");
    return `Task ${inspect({ id, name, state, worker }, options)}`;
  }
}

/** A list of arguments as it is written in a call. */
function withoutBrackets(list: string): string {
  const start = StringPrototypeStartsWith(list, "[ ")
    ? 2
    : StringPrototypeStartsWith(list, "[")
    ? 1
    : 0;
  const cut = StringPrototypeEndsWith(list, " ]") ? 2 : StringPrototypeEndsWith(list, "]") ? 1 : 0;
  return StringPrototypeSlice(list, start, list.length - cut);
}

/** The TaskError of an item that failed. */
export function taskErrorOf(name: string, index: number, failure: ItemFailure): Error {
  const { how, cause, exitCode, limit, worker, attempts } = failure;
  if (cause instanceof Error && cause.name === "BrokenPoolError") return cause;
  const item = describeItem(failure.item);
  const call = `${name}(${primordials.Array.isArray(failure.item) ? withoutBrackets(item) : item})`;
  const what = how === "threw"
    ? `failed: ${describeCause(cause)}`
    : limit === "timeLimit"
    ? "was killed: it reached its timeLimit."
    : limit !== undefined
    ? `was killed with its worker: ${worker} reached its ${limit}.`
    : `was lost: its worker${worker === undefined ? "" : ` ${worker}`} ${howItEnded(exitCode)}${
      cause === undefined ? "." : `: ${describeCause(cause)}`
    }`;
  const options = cause === undefined ? { limit } : { limit, cause };
  return new TaskError(
    `${call} ${what}`,
    exitCode,
    { task: name, index, item, worker, attempts },
    options,
  );
}

function describeCause(cause: unknown): string {
  try {
    return cause instanceof Error ? `${cause.name}: ${cause.message}` : describeItem(cause);
  } catch {
    return "an error that can't be shown";
  }
}

function howItEnded(exitCode: number): string {
  if (exitCode === -15) return "was terminated";
  if (exitCode === -9) return "was killed";
  return `exited with code ${exitCode}`;
}
