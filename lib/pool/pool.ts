// Pool: the public class. Worker processes run the functions that are called here.

import { describe } from "../validate/describe.ts";
import { InvalidStateError, QueueFull, TimeoutError } from "../errors.ts";
import {
  cannotClone,
  constructFrom,
  deserialize,
  moved,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
} from "../transfer/transferable.ts";
import { checkNames, option } from "../validate/options.ts";
import { checkCount } from "../validate/numbers.ts";
import type { Connection } from "../pipe/connection.ts";
import { Pipe } from "../pipe/pipe.ts";
import type { Ref } from "../liveness/process_table.ts";
import { isImporting } from "../process/current.ts";
import { cpuCount } from "../process/system.ts";
import { CallSite } from "../wait/call_site.ts";
import { WAIT } from "../wait/eventcount.ts";
import { blocking, type Operation } from "../wait/operation.ts";
import { signalOf, timeoutOf, type WaitOptions } from "../wait/options.ts";
import { BrokenPoolError, CancelledError, type TaskError } from "./errors.ts";
import type { Executor } from "./executor.ts";
import { FunctionTable, type Registered } from "./functions.ts";
import { MapCall, type MapOwner, type MapSink } from "./map.ts";
import {
  type CheckedMap,
  type CheckedPool,
  type CheckedTask,
  checkMap,
  checkPool,
  checkTask,
  type MapOptions,
  namedPoolOptions,
  type PoolOptions,
  type TaskOptions,
} from "./options.ts";
import { RUN, STREAM } from "./protocol.ts";
import { RemoteClient, RemoteExecutor } from "./remote.ts";
import { ResultIterator } from "./result_iterator.ts";
import { Scheduler } from "./scheduler.ts";
import { PoolAccount, type PoolStatistics } from "./statistics.ts";
import { newTask, reportUnasked, type Task, type TaskClient, type TaskOwner } from "./task.ts";
import type { AnyFunction, CallParameters, LoadedModule } from "./types.ts";
import { Unit } from "./unit.ts";
import { startingOf, type WorkerStarting } from "./start_worker.ts";
import type { Worker } from "./worker.ts";
import * as primordials from "../platform/primordials.ts";

const {
  AbortControllerPrototypeAbort,
  abortReason,
  addAbortListener,
  ArrayPrototypeIncludes,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  ArrayPrototypeSome,
  clearTimeout,
  CustomEvent,
  DOMException,
  each,
  isAborted,
  listOf,
  Math,
  performance,
  PromisePrototypeThen,
  Proxy,
  queueMicrotask,
  Reflect,
  removeAbortListener,
  SafeMap,
  SafeSet,
  setTimeout,
  signalOfController,
  TypeError,
  whenAll,
} = primordials;

/** The name under which a pool is serialized. */
const KIND = "Pool";

/** The serialized parts of a pool. */
interface PoolContent {
  connection: Serialized;
  name: string;
  defaults: CheckedPool;
}

let poolsMade = 0;

/** The default number of values that a generator yields ahead of the consumer. */
const STREAM_AHEAD = 16;

/**
 * Worker processes that wait for calls, and run them: the names and meanings of Python's `multiprocessing.Pool` and
 * of `concurrent.futures`, times in milliseconds. Functions travel as the targets of a {@linkcode Process} do, each
 * once to each worker; arguments and results are copied, and queues, locks and the like handed over.
 *
 * A worker that ends in the middle of an item, in whatever way, costs that one item; the others go on, and a new
 * worker takes its place. A pool that has nothing to do doesn't keep the program alive.
 *
 * A pool is an EventTarget. Its events are "taskstart", "taskend", "workerstart", "workerend" and "drain" (nothing
 * waits or runs any more), with the particulars in `event.detail`.
 *
 * @example
 * ```ts
 * import { Pool } from "@multiproc/multiprocessing";
 *
 * export function square(n: number): number {
 *   return n * n;
 * }
 *
 * if (import.meta.main) {
 *   await using pool = new Pool({ processes: 2 });
 *   console.log(await pool.apply(square, [7])); // 49
 *   console.log((await pool.map(square, [1, 2, 3])).join()); // 1,4,9
 * }
 * ```
 *
 * @typeParam S what the initializer returns
 * @typeParam I the initializer's arguments
 */
export class Pool<S = unknown, I extends unknown[] = unknown[]> extends EventTarget
  implements AsyncDisposable {
  readonly #name: string;
  readonly #sizes: CheckedPool;
  readonly #executor: Executor;
  /** The scheduler of its workers; undefined in a process that was handed the pool. */
  readonly #scheduler: Scheduler | undefined;
  readonly #functions: FunctionTable;
  readonly #account = new PoolAccount();
  readonly #signal: AbortSignal | undefined;
  readonly #owner: TaskOwner;
  readonly #mapOwner: MapOwner;
  readonly #clients = new SafeSet<RemoteClient>();
  /** The end that goes with a message, until it has moved: here it would be closed once nothing refers to it. */
  #leaving: Connection | undefined;
  /** The tasks and maps that have no outcome yet. */
  readonly #tasks = new SafeMap<Task<unknown>, Unit>();
  readonly #maps = new SafeSet<MapCall>();
  readonly #room = new SafeSet<() => void>();
  /** The types of events that had a listener at any time. */
  readonly #listened = new SafeSet<string>();
  #nextId = 1;
  #isClosed = false;
  #isTerminated = false;

  /**
   * Makes a pool and starts `minProcesses` workers, without waiting for them.
   *
   * @throws {TypeError} if an option has the wrong type or there is none of its name; if the initializer or finalizer
   *   can't travel
   * @throws {RangeError} if a number is out of its range
   */
  constructor(options: PoolOptions<S, I> = {}) {
    super();
    options = namedPoolOptions(options);
    const content = receivedParts<PoolContent>(new.target);
    if (content === undefined) {
      this.#sizes = checkPool(options as PoolOptions<never, never[]>, cpuCount());
      this.#name = options.name ?? `Pool-${++poolsMade}`;
      const { start, modules } = startingOf(options, this.#name);
      this.#functions = new FunctionTable(
        options,
        modules && ((module) => ArrayPrototypeIncludes(modules, module)),
      );
      this.#executor = this.#scheduler = this.#schedule(options, start);
    } else {
      this.#sizes = content.defaults;
      this.#name = content.name;
      this.#functions = new FunctionTable({});
      const connection = deserialize(content.connection) as Connection;
      this.#executor = new RemoteExecutor(
        connection,
        content.defaults.processes * content.defaults.tasksPerProcess,
      );
    }
    this.#signal = options.signal;
    this.#owner = {
      cancel: (unit, reason) => this.#executor.cancel(unit, reason),
      isRunning: (unit) => this.#executor.isRunning(unit),
      settled: (task) => this.#settled(task),
    };
    this.#mapOwner = this.#ownMaps();
    if (this.#signal !== undefined) addAbortListener(this.#signal, this.#aborted);
    // In a child whose module makes a pool as it is imported, workers start at the first call.
    if (!isImporting()) this.#scheduler?.begin();
  }

  static {
    registerTransferable(
      KIND,
      (content) => constructFrom(Pool, content),
      (content) => (deserialize((content as PoolContent).connection) as Connection).close(),
    );
  }

  #schedule(options: PoolOptions<S, I>, start: WorkerStarting["start"]): Scheduler {
    const sizes = this.#sizes;
    const { initializer, finalizer, initargs = [] } = options;
    const travel = (code: AnyFunction | undefined) => code && this.#functions.register(code).travel;
    const setup = {
      concurrency: sizes.tasksPerProcess,
      initializer: travel(initializer),
      initargs,
      finalizer: travel(finalizer),
      recycleAboveMb: sizes.recycleAboveMb,
    };
    const account = this.#account;
    return new Scheduler({ ...sizes, concurrency: sizes.tasksPerProcess }, {
      setup,
      start,
    }, {
      workerStarted: ({ name }) => this.#tell("workerstart", () => ({ worker: name })),
      workerEnded: ({ name, exitCode }) => {
        this.#tell("workerend", () => ({ worker: name, exitCode }));
      },
      dispatched: (worker, unit) => {
        account.dispatched(unit);
        this.#tell("taskstart", () => ({
          ...{ id: unit.id, name: nameOf(unit), index: unit.first },
          ...{ count: unit.items.length, worker: worker.name },
        }));
      },
      finished: (worker, unit, item, ms, hasFailed) => {
        account.finished(unit, item, ms, hasFailed);
        this.#tell("taskend", () => ({
          ...{ id: unit.id + item, name: nameOf(unit), index: unit.first + item },
          ...{ worker: worker.name, ms, failed: hasFailed },
        }));
      },
      drained: () => this.#tell("drain", () => undefined),
      roomMade: () => this.#roomMade(),
    });
  }

  /** @ignore */
  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.#listened.add(args[0]);
    Reflect.apply(addEventListener, this, args);
  }

  #tell(type: string, detail: () => unknown): void {
    if (this.#listened.has(type)) dispatch(this, type, detail());
  }

  readonly #aborted = (): void => this.terminate();

  #settled(task: Task<unknown>): void {
    const unit = this.#tasks.get(task);
    if (unit === undefined) return;
    this.#tasks.delete(task);
    this.#executor.settled(unit);
  }

  get #hasRoom(): boolean {
    return this.#executor.waiting < this.#sizes.maxQueueSize;
  }

  #roomMade(): void {
    for (const call of each(listOf(this.#room))) {
      if (!this.#hasRoom) return;
      this.#room.delete(call);
      call();
    }
  }

  #ownMaps(): MapOwner {
    const hasRoom = () => this.#hasRoom;
    return {
      executor: this.#executor,
      takeIds: (count) => this.#takeIds(count),
      get hasRoom() {
        return hasRoom();
      },
      whenRoom: (call) => this.#room.add(call),
    };
  }

  #takeIds(count: number): number {
    const first = this.#nextId;
    this.#nextId += count;
    return first;
  }

  // Checks

  #checkOpen(call: string): void {
    if (this.#executor.broken !== undefined) throw this.#brokenError();
    if (!this.#isClosed) return;
    throw new InvalidStateError(
      `The pool was ${
        this.#isTerminated ? "terminated" : "closed"
      }. Call ${call}() before that, or make a new Pool.`,
    );
  }

  /** The scheduler; throws in a process that was handed the pool, where `call` can't be made. */
  #own(call: string): Scheduler {
    if (this.#scheduler !== undefined) return this.#scheduler;
    throw new InvalidStateError(
      `This process was handed the pool, and doesn't own its workers. Call ${call}() where the pool was made.`,
    );
  }

  #brokenError(): BrokenPoolError {
    const { message, cause } = this.#executor.broken!;
    return new BrokenPoolError(message, { cause });
  }

  #register(call: string, code: unknown): Registered {
    if (typeof code !== "function") {
      throw new TypeError(
        `${call}() was given ${describe(code)} as its function. Give a function.`,
      );
    }
    if (call !== "stream" && isGenerator(code)) {
      throw new TypeError(
        `${call}() was given ${code.name}, a generator function. Give it to stream(), which iterates what it yields.`,
      );
    }
    return this.#functions.register(code as AnyFunction);
  }

  // One call

  /**
   * Calls a function in a worker and resolves to its result, awaited there if it is a promise. Waits for room if the
   * pool has a `maxQueueSize`. Python's `Pool.apply`, which blocks: here that is `applySync`.
   *
   * @throws {TaskError} if it throws, or its worker ends
   * @throws {TimeoutError} if it has not ended in `timeout` ms, waiting included; it is ended then
   * @throws {TypeError} if the function can't travel, or an argument can't cross
   * @throws {BrokenPoolError} if the pool can't work
   * @throws {InvalidStateError} if the pool was closed
   *
   * @example
   * ```ts
   * import { Pool } from "@multiproc/multiprocessing";
   *
   * export const power = (base: number, exponent: number) => base ** exponent;
   *
   * if (import.meta.main) {
   *   await using pool = new Pool({ processes: 1 });
   *   console.log(await pool.apply(power, [2, 10])); // 1024
   * }
   * ```
   */
  async apply<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    ...{ 0: args, 1: options }: CallParameters<A, TaskOptions>
  ): Promise<R> {
    const origin = new CallSite(this.apply);
    const checked = checkTask(options, this.#sizes);
    this.#checkOpen("apply");
    const registered = this.#register("apply", code), given = checkArgs("apply", args);
    if (!this.#hasRoom) await this.#waitForRoom("apply", checked);
    return await this.#submit<R>(registered, given, checked, origin).result();
  }

  async #waitForRoom(call: string, { signal }: CheckedTask): Promise<void> {
    do {
      await this.#executor.until(() => this.#hasRoom || this.#isClosed, signal);
      this.#checkOpen(call);
    } while (!this.#hasRoom);
  }

  /**
   * As {@linkcode Pool.apply}, but returns the task at once. Python's `Executor.submit`.
   *
   * @throws {QueueFull} if `maxQueueSize` items wait already; otherwise as `apply`, but errors of the function go to
   *   the task
   */
  submit<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    ...{ 0: args, 1: options }: CallParameters<A, TaskOptions>
  ): Task<R> {
    const origin = new CallSite(this.submit);
    const checked = checkTask(options, this.#sizes);
    this.#checkOpen("submit");
    const registered = this.#register("submit", code), given = checkArgs("submit", args);
    if (!this.#hasRoom) {
      throw new QueueFull(
        `The pool is full: its maxQueueSize is ${this.#sizes.maxQueueSize}. Wait for a task, or use apply(), which waits.`,
      );
    }
    return this.#submit<R>(registered, given, checked, origin);
  }

  #submit<R>(
    call: Registered,
    args: readonly unknown[],
    options: CheckedTask,
    origin: CallSite,
  ): Task<R> {
    const { task, unit } = this.#prepare<R>(RUN, call, args, options, origin);
    this.#executor.submit(unit);
    return task;
  }

  #prepare<R>(
    type: typeof RUN | typeof STREAM,
    call: Registered,
    args: readonly unknown[],
    options: CheckedTask,
    origin: CallSite,
    pinned?: Worker,
  ): { task: Task<R>; client: TaskClient; unit: Unit } {
    const id = this.#takeIds(1);
    const { task, client } = newTask<R>(this.#owner, id, options.name ?? call.name, origin);
    client.onMessage = options.onMessage;
    const unit = new Unit({
      ...{ type, call, client, options, id, pinned },
      ...{ isSpread: true, first: 0, items: [args] },
    });
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

  /**
   * As {@linkcode Pool.apply}, but blocks the thread while it waits. Python's `Pool.apply`.
   *
   * @throws what `apply` does
   */
  applySync<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    ...{ 0: args, 1: options }: CallParameters<A, Omit<TaskOptions, "signal">>
  ): R {
    const origin = new CallSite(this.applySync);
    const { timeout, ...checked } = checkTask(options, this.#sizes);
    this.#checkOpen("applySync");
    this.#own("applySync");
    const registered = this.#register("applySync", code), given = checkArgs("applySync", args);
    const endless = { ...checked, timeout: Infinity };
    const task = this.#submit<R>(registered, given, endless, origin);
    this.#block(() => task.done(), timeout, () => {
      task.cancel();
      throw new TimeoutError(
        `${task.name} has not ended in time, ${timeout} ms in all. It was ended.`,
      );
    });
    return task.valueNow();
  }

  /** Blocks the thread, and receives the messages of the workers meanwhile. */
  #block(isDone: () => boolean, timeout: number, onTimeout: () => never): void {
    const scheduler = this.#own("applySync");
    const end = performance.now() + timeout;
    while (!isDone()) {
      const workers = scheduler.workers;
      const eventcounts = ArrayPrototypeMap(workers, ({ receiving }) => receiving.eventcount);
      const operation: Operation<boolean> = {
        eventcount: eventcounts[0],
        others: ArrayPrototypeSlice(eventcounts, 1),
        attempt: () => {
          for (const worker of each(workers)) worker.hearSync();
          const now = scheduler.workers;
          const isOther = ArrayPrototypeSome(workers, (worker, i) => worker !== now[i]);
          return isDone() || isOther || workers.length !== now.length || WAIT;
        },
        onTimeout,
      };
      const left = end - performance.now();
      blocking(operation, left === Infinity ? undefined : { timeout: Math.max(left, 0) });
    }
  }

  // Many calls

  /**
   * Calls a function with each item and resolves to the results, in the order of the items. The first item that
   * fails ends the call: waiting items are dropped, running ones may finish, and the error is that of the lowest index
   * that has failed by then. Python's `Pool.map`.
   *
   * @throws {TaskError} if an item fails, and `returnExceptions` isn't true; the others as `apply`
   * @throws whatever the items' iterator does
   *
   * @example
   * ```ts
   * import { Pool } from "@multiproc/multiprocessing";
   *
   * export const length = (word: string) => word.length;
   *
   * if (import.meta.main) {
   *   await using pool = new Pool({ processes: 2 });
   *   const lengths: number[] = await pool.map(length, ["one", "three"]);
   *   console.log(lengths.join()); // 3,5
   * }
   * ```
   */
  map<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions & { returnExceptions: true },
  ): Promise<(R | TaskError)[]>;
  /** As above. */
  map<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions,
  ): Promise<R[]>;
  map(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): Promise<unknown[]> {
    return this.#collect("map", code, items, false, options, new CallSite(this.map));
  }

  /**
   * As {@linkcode Pool.map}, where each item is an array of arguments. Python's `Pool.starmap`.
   *
   * @throws what `map` does
   */
  starmap<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    items: Iterable<A> | AsyncIterable<A>,
    options: MapOptions & { returnExceptions: true },
  ): Promise<(R | TaskError)[]>;
  /** As above. */
  starmap<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): Promise<R[]>;
  starmap(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): Promise<unknown[]> {
    return this.#collect("starmap", code, items, true, options, new CallSite(this.starmap));
  }

  #collect(
    name: string,
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    isSpread: boolean,
    options: MapOptions | undefined,
    origin: CallSite,
  ): Promise<unknown[]> {
    try {
      const { promise, resolve, reject } = primordials.Promise.withResolvers<unknown[]>();
      const call = this.#gather(name, code, items, isSpread, options, origin, { resolve, reject });
      queueMicrotask(() => call.feed());
      return promise;
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  #gather(
    name: string,
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    isSpread: boolean,
    options: MapOptions | undefined,
    origin: CallSite,
    settle: { resolve: (results: unknown[]) => void; reject: (reason: unknown) => void },
  ): MapCall {
    const checked = checkMap(options, this.#sizes);
    const results: unknown[] = [];
    let lowest: { index: number; error: Error } | undefined;
    const call = this.#begin(name, code, items, isSpread, checked, origin, {
      untaken: 0,
      isIterated: false,
      returned: (index, value) => results[index] = value,
      failed: (index, error) => {
        if (checked.returnExceptions) results[index] = error;
        else if (lowest === undefined) {
          lowest = { index, error };
          // Messages that were sent by now are received first: an item with a lower index may have failed.
          if (name === "mapSync") call.failFast(error);
          else queueMicrotask(() => call.failFast(lowest!.error));
        } else if (index < lowest.index) lowest = { index, error };
      },
      // The last items may have returned before the one that failed could end the call.
      finished: () => lowest === undefined ? settle.resolve(results) : settle.reject(lowest.error),
      broken: settle.reject,
    });
    return call;
  }

  #begin(
    name: string,
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    isSpread: boolean,
    checked: CheckedMap,
    origin: CallSite,
    sink: MapSink,
  ): MapCall {
    this.#checkOpen(name);
    const registered = this.#register(name, code);
    checkItems(name, items);
    const call: MapCall = new MapCall(this.#mapOwner, registered, items, isSpread, checked, {
      get untaken() {
        return sink.untaken;
      },
      isIterated: sink.isIterated,
      returned: (index, value) => sink.returned(index, value),
      failed: (index, error) => sink.failed(index, error),
      finished: (count) => {
        this.#maps.delete(call);
        sink.finished(count);
      },
      broken: (error) => {
        this.#maps.delete(call);
        sink.broken(error);
      },
    }, origin);
    this.#maps.add(call);
    return call;
  }

  /**
   * As {@linkcode Pool.map}, but blocks the thread until all are done.
   *
   * @throws {TypeError} if the items are asynchronous; the others as `map`
   */
  mapSync<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T>,
    options: Omit<MapOptions, "signal"> & { returnExceptions: true },
  ): (R | TaskError)[];
  /** As above. */
  mapSync<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T>,
    options?: Omit<MapOptions, "signal">,
  ): R[];
  mapSync(code: AnyFunction, items: Iterable<unknown>, options?: MapOptions): unknown[] {
    const origin = new CallSite(this.mapSync);
    this.#own("mapSync");
    if (typeof primordials.ToObject(items)[Symbol.iterator] !== "function") {
      throw new TypeError(
        `mapSync() was given ${describe(items)} as items. Give an array, or use map().`,
      );
    }
    const { timeout: _, ...rest } = options ?? {};
    const timeout = option(options, "timeout") ?? Infinity;
    let outcome: { results: unknown[] } | { error: unknown } | undefined;
    const call = this.#gather("mapSync", code, items, false, rest, origin, {
      resolve: (results) => outcome = { results },
      reject: (error) => outcome = { error },
    });
    call.feed();
    this.#block(() => outcome !== undefined, timeout, () => {
      call.stop();
      throw new TimeoutError(
        `mapSync() has not ended in time, ${timeout} ms in all. It was ended.`,
      );
    });
    if (outcome !== undefined && "results" in outcome) return outcome.results;
    throw outcome?.error;
  }

  /**
   * As {@linkcode Pool.map}, but gives one result after the other, in order, as they are taken: the items are read only
   * as far ahead as `bufferSize` says, so that they may be endless. Leaving the loop ends the rest. Python's
   * `Pool.imap`.
   *
   * @throws what `map` does; an error comes in its place
   *
   * @example
   * ```ts
   * import { Pool } from "@multiproc/multiprocessing";
   *
   * export const square = (n: number) => n * n;
   *
   * function* naturals() {
   *   for (let n = 0;; n++) yield n;
   * }
   *
   * if (import.meta.main) {
   *   await using pool = new Pool({ processes: 2 });
   *   for await (const n of pool.imap(square, naturals())) {
   *     if (n > 50) break;
   *     if (n > 30) console.log(n); // 36, then 49
   *   }
   * }
   * ```
   */
  imap<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions & { returnExceptions: true },
  ): AsyncIterableIterator<R | TaskError>;
  /** As above. */
  imap<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions,
  ): AsyncIterableIterator<R>;
  imap(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): AsyncIterableIterator<never> {
    const origin = new CallSite(this.imap);
    return this.#iterate("imap", code, items, options, origin, (_, value) => value, true);
  }

  /**
   * As {@linkcode Pool.imap}, but in the order in which the results come. Python's `Pool.imap_unordered`.
   *
   * @throws what `imap` does
   */
  imapUnordered<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions & { returnExceptions: true },
  ): AsyncIterableIterator<R | TaskError>;
  /** As above. */
  imapUnordered<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions,
  ): AsyncIterableIterator<R>;
  imapUnordered(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): AsyncIterableIterator<never> {
    const origin = new CallSite(this.imapUnordered);
    return this.#iterate("imapUnordered", code, items, options, origin, (_, value) => value, false);
  }

  /**
   * As {@linkcode Pool.imapUnordered}, each result with the index of its item.
   *
   * @throws what `imap` does
   */
  imapIndexed<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions & { returnExceptions: true },
  ): AsyncIterableIterator<[index: number, result: R | TaskError]>;
  /** As above. */
  imapIndexed<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions,
  ): AsyncIterableIterator<[index: number, result: R]>;
  imapIndexed(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): AsyncIterableIterator<never> {
    const origin = new CallSite(this.imapIndexed);
    const pair = (index: number, value: unknown) => [index, value];
    return this.#iterate("imapIndexed", code, items, options, origin, pair, false);
  }

  #iterate(
    name: string,
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions | undefined,
    origin: CallSite,
    shape: (index: number, value: unknown) => unknown,
    isOrdered: boolean,
  ): AsyncIterableIterator<never> {
    const checked = checkMap(options, this.#sizes);
    /** Outcomes that came before that of an item with a lower index. */
    const early = new SafeMap<number, { value: unknown } | { error: Error }>();
    let next = 0;
    const iterator: ResultIterator<unknown> = new ResultIterator<unknown>(
      () => call.feed(),
      () => {
        this.#maps.delete(call);
        return call.stop();
      },
    );
    const come = (index: number, outcome: { value: unknown } | { error: Error }) => {
      if (isOrdered && index !== next) {
        early.set(index, outcome);
        return;
      }
      for (
        let now: typeof outcome | undefined = outcome;
        now !== undefined;
        now = early.get(next)
      ) {
        early.delete(next);
        if ("error" in now) return call.failFast(now.error);
        iterator.push(shape(isOrdered ? next : index, now.value));
        next++;
        if (!isOrdered) return;
      }
    };
    const call: MapCall = this.#begin(name, code, items, false, checked, origin, {
      get untaken() {
        return early.size + iterator.size;
      },
      isIterated: true,
      returned: (index, value) => come(index, { value }),
      failed: (index, error) => {
        come(index, checked.returnExceptions ? { value: error } : { error });
      },
      finished: () => iterator.finish(),
      broken: (error) => iterator.finish({ error }),
    });
    queueMicrotask(() => call.feed());
    return iterator as AsyncIterableIterator<never>;
  }

  /**
   * Runs a generator function in a worker and iterates the values it yields. The generator runs at most `bufferSize`
   * values ahead of the consumer; leaving the loop makes it return.
   *
   * @throws {TypeError} if it is no generator function; the others as `apply`
   *
   * @example
   * ```ts
   * import { Pool } from "@multiproc/multiprocessing";
   *
   * export function* countDown(from: number) {
   *   for (let n = from; n > 0; n--) yield n;
   * }
   *
   * if (import.meta.main) {
   *   await using pool = new Pool({ processes: 1 });
   *   for await (const n of pool.stream(countDown, [2])) console.log(n); // 2, then 1
   * }
   * ```
   */
  stream<A extends readonly unknown[], Y>(
    code: (...args: A) => Iterable<Y> | AsyncIterable<Y>,
    ...{ 0: args, 1: options }: CallParameters<A, TaskOptions & { bufferSize?: number }>
  ): AsyncIterableIterator<Y> {
    const origin = new CallSite(this.stream);
    const { bufferSize: _, ...rest } = options ?? {};
    const bufferSize = option(options, "bufferSize") ?? STREAM_AHEAD;
    checkCount("bufferSize", bufferSize, 1);
    const checked = checkTask(options === undefined ? undefined : rest, this.#sizes);
    this.#checkOpen("stream");
    const call = this.#register("stream", code), given = checkArgs("stream", args);
    if (!isGenerator(code)) {
      throw new TypeError(
        `stream() was given ${call.name}, which is no generator function. Use apply(), or write function*.`,
      );
    }
    const { task, client, unit } = this.#prepare<void>(STREAM, call, given, checked, origin);
    const iterator = new ResultIterator<Y>(
      () => this.#executor.credit(unit, 1),
      () => {
        if (!this.#executor.closeStream(unit)) task.cancel();
      },
    );
    client.yielded = (value) => iterator.push(value as Y);
    const { assigned } = client;
    client.assigned = (worker) => {
      assigned?.(worker);
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

  /**
   * Calls a function once in every worker, between its tasks, and resolves to all results.
   *
   * @throws what `apply` does
   */
  async broadcast<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    ...{ 0: args, 1: options }: CallParameters<A, TaskOptions>
  ): Promise<R[]> {
    const origin = new CallSite(this.broadcast);
    const checked = checkTask(options, this.#sizes);
    this.#checkOpen("broadcast");
    const scheduler = this.#own("broadcast");
    const call = this.#register("broadcast", code), given = checkArgs("broadcast", args);
    const tasks: Task<R>[] = [];
    scheduler.submitToAll((worker) => {
      const { task, unit } = this.#prepare<R>(RUN, call, given, checked, origin, worker);
      ArrayPrototypePush(tasks, task);
      return unit;
    });
    return await whenAll(ArrayPrototypeMap(tasks, (task) => task.result()));
  }

  /**
   * The functions that a module exports, each as a call to the pool.
   *
   * @param module its URL, as `import.meta.resolve("./tasks.ts")`
   * @throws {TypeError} if it is no URL
   *
   * @typeParam M the module, as `typeof import("./tasks.ts")`
   */
  load<M>(module: string | URL): LoadedModule<M> {
    if (!(module instanceof primordials.URL) && !primordials.URL.canParse(module)) {
      throw new TypeError(
        `load() was given ${
          describe(module)
        }. Give the URL of a module: import.meta.resolve("./tasks.ts").`,
      );
    }
    const calls = new SafeMap<string, AnyFunction>();
    const make = (name: string): AnyFunction => {
      const call = this.#functions.byName(`${module}`, name);
      return async (...args: unknown[]) => {
        const origin = new CallSite(this.load);
        const checked = checkTask(undefined, this.#sizes);
        this.#checkOpen(name);
        if (!this.#hasRoom) await this.#waitForRoom(name, checked);
        return await this.#submit(call, args, checked, origin).result();
      };
    };
    const handler: ProxyHandler<object> = {
      __proto__: null,
      get: (_, name) => {
        // A module is no promise, so that it can be returned from an asynchronous function.
        if (typeof name !== "string" || name === "then") return undefined;
        const call = calls.get(name) ?? make(name);
        calls.set(name, call);
        return call;
      },
    } as ProxyHandler<object>;
    return new Proxy({}, handler) as LoadedModule<M>;
  }

  // The life of the pool

  /**
   * Resolves to true when `minProcesses` workers have loaded and their initializers have run; to false if that takes
   * more than `timeout` ms.
   *
   * @throws {BrokenPoolError} if an initializer has failed
   */
  async ready(options?: WaitOptions): Promise<boolean> {
    const scheduler = this.#own("ready");
    const isSo = () => scheduler.isReady || scheduler.broken !== undefined || this.#isClosed;
    const isReady = await this.#until(isSo, options);
    if (scheduler.broken !== undefined) throw this.#brokenError();
    this.#checkOpen("ready");
    return isReady;
  }

  async #until(isSo: () => boolean, options?: WaitOptions): Promise<boolean> {
    const timeout = timeoutOf(options), signal = signalOf(options);
    if (isSo()) return true;
    if (timeout === 0) return false;
    const late = {}, limited = limitedSignal(timeout, signal, () => late);
    try {
      await this.#executor.until(isSo, limited.signal);
      return true;
    } catch (error) {
      if (error === late) return false;
      throw error;
    } finally {
      limited.end();
    }
  }

  /**
   * Replaces every worker by a new one. Each goes on until its successor has loaded, so that there are never fewer.
   *
   * @throws {InvalidStateError} if the pool was closed
   */
  async recycle(options?: WaitOptions): Promise<void> {
    const scheduler = this.#own("recycle");
    this.#checkOpen("recycle");
    const timeout = timeoutOf(options), signal = signalOf(options);
    const late = () => new DOMException("Signal timed out.", "TimeoutError");
    const limited = limitedSignal(timeout, signal, late);
    try {
      await scheduler.recycle(limited.signal);
    } finally {
      limited.end();
    }
  }

  /**
   * Changes the number of workers. Surplus workers finish their units and end.
   *
   * @throws {RangeError} if it is less than 1 or no whole number
   * @throws {InvalidStateError} if the pool was closed
   */
  resize(processes: number): void {
    checkCount("processes", processes, 1);
    const scheduler = this.#own("resize");
    this.#checkOpen("resize");
    this.#sizes.processes = processes;
    scheduler.resize(processes);
  }

  /** Accepts no more calls. Accepted calls are still done, and then the workers end. Python's `Pool.close`. */
  close(): void {
    const scheduler = this.#own("close");
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#roomMade();
    scheduler.close();
  }

  /**
   * Waits until all workers have ended: true then, false if that takes more than `timeout` ms. Python's `Pool.join`.
   *
   * @throws {InvalidStateError} if neither close() nor terminate() was called
   */
  async join(options?: WaitOptions): Promise<boolean> {
    const scheduler = this.#own("join");
    if (!this.#isClosed) {
      throw new InvalidStateError(
        "The pool is open, and its workers go on. Call close() or terminate() before join().",
      );
    }
    const hasEnded = await this.#until(() => scheduler.hasEnded, options);
    if (hasEnded) this.#leave();
    return hasEnded;
  }

  #leave(): void {
    if (this.#signal !== undefined) removeAbortListener(this.#signal, this.#aborted);
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    reportUnasked(this.#owner);
  }

  /** Ends everything now: waits for a task reject with a CancelledError. Python's `Pool.terminate`. */
  terminate(): void {
    const scheduler = this.#own("terminate");
    if (this.#isTerminated) return;
    this.#isClosed = this.#isTerminated = true;
    const signal = this.#signal;
    const reason = signal && isAborted(signal) ? abortReason(signal) : "the pool was terminated";
    for (const call of each(listOf(this.#maps))) {
      call.end(new CancelledError("The pool was terminated.", { cause: reason }));
    }
    for (const task of each(listOf(this.#tasks.keys()))) task.cancel(reason);
    scheduler.terminate();
    this.#roomMade();
  }

  /**
   * Closes the pool and waits until its workers have ended: true then. After `timeout` ms it terminates the rest, and
   * resolves to false. Python's `Executor.shutdown`.
   *
   * @param options `cancelFutures`: cancels tasks that haven't begun
   */
  async shutdown(options: { timeout?: number; cancelFutures?: boolean } = {}): Promise<boolean> {
    const names = ["timeout", "cancelFutures"], example = "{ cancelFutures: true }";
    const { cancelFutures = false, timeout } = checkNames(options, names, example);
    if (typeof cancelFutures !== "boolean") {
      throw new TypeError(`cancelFutures is ${describe(cancelFutures)}. Give true or false.`);
    }
    timeoutOf({ timeout });
    this.close();
    if (cancelFutures) {
      for (const call of each(listOf(this.#maps))) call.dropWaiting();
      for (const task of each(listOf(this.#tasks.keys()))) {
        if (!task.running()) task.cancel("the pool was shut down");
      }
    }
    if (await this.join({ timeout })) return true;
    this.terminate();
    await this.join();
    return false;
  }

  /** Closes and joins: `await using pool = new Pool()`. Nothing outlives the block, and nothing is lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#scheduler === undefined) return;
    this.close();
    await this.join();
  }

  // Inspection

  /** Whether close() or terminate() was called. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /** The number of calls, and chunks of calls, that wait for a worker. */
  qsize(): number {
    return this.#executor.waiting;
  }

  /** The workers, and what each one does. */
  get workers(): PoolStatistics["workers"] {
    return this.#account.workersOf(this.#own("workers").workers);
  }

  /** Counts, times and the state of each worker. It costs nothing unless it is called. */
  statistics(): PoolStatistics {
    const scheduler = this.#own("statistics");
    return this.#account.statistics(scheduler.workers, scheduler.waiting, scheduler.restarts);
  }

  /** @ignore */
  get [cannotClone](): string {
    return "a Pool: give it to a process in `args`, to a task in its arguments, or send it through a Pipe";
  }

  /** @ignore */
  [serialize](): Serialized {
    const scheduler = this.#own("giving it to another process");
    this.#checkOpen("handing it over");
    const { 0: here, 1: there } = Pipe();
    const client: RemoteClient = new RemoteClient(
      here,
      scheduler,
      this.#functions,
      (count) => this.#takeIds(count),
      () => this.#clients.delete(client),
    );
    this.#clients.add(client);
    const parcel = there[serialize]();
    this.#leaving = there;
    const content: PoolContent = {
      connection: parcel,
      name: this.#name,
      defaults: { ...this.#sizes, maxQueueSize: Infinity },
    };
    return { kind: KIND, content, ports: parcel.ports, program: parcel.program };
  }

  /** @ignore */
  [moved](owner: Ref, how: string): void {
    this.#leaving?.[moved](owner, how);
    this.#leaving = undefined;
  }

  /** @ignore */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options?: Deno.InspectOptions) => string,
    options: Deno.InspectOptions,
  ): string {
    let running: number | undefined;
    if (this.#scheduler !== undefined) {
      running = 0;
      for (const { load } of each(this.#scheduler.workers)) running += load;
    }
    const state = {
      name: this.#name,
      processes: this.#sizes.processes,
      waiting: this.#executor.waiting,
      running,
      closed: this.#isClosed,
    };
    return `Pool ${inspect(state, options)}`;
  }
}

const { addEventListener, dispatchEvent } = EventTarget.prototype;

/** Dispatches an event to the listeners. */
function dispatch(pool: EventTarget, type: string, detail: unknown): void {
  const event = new CustomEvent(type, { __proto__: null, detail } as CustomEventInit);
  Reflect.apply(dispatchEvent, pool, [event]);
}

/** A signal that is aborted with another one, or after so many ms with the error of `late`, until end() is called. */
function limitedSignal(
  timeout: number,
  signal: AbortSignal | undefined,
  late: () => unknown,
): { signal: AbortSignal; end(): void } {
  const controller = new primordials.AbortController();
  const timer = timeout < 2 ** 31
    ? setTimeout(() => AbortControllerPrototypeAbort(controller, late()), timeout)
    : undefined;
  const aborted = () => AbortControllerPrototypeAbort(controller, abortReason(signal!));
  if (signal !== undefined) addAbortListener(signal, aborted);
  return {
    signal: signalOfController(controller),
    end: () => {
      clearTimeout(timer);
      if (signal !== undefined) removeAbortListener(signal, aborted);
    },
  };
}

function nameOf(unit: Unit): string {
  return unit.options.name ?? unit.call.name;
}

function checkArgs(call: string, args: unknown): readonly unknown[] {
  if (args === undefined) return [];
  if (primordials.Array.isArray(args)) return args;
  throw new TypeError(
    `${call}() was given ${
      describe(args)
    } as arguments. Give an array of them: ${call}(f, [1, 2]).`,
  );
}

function checkItems(call: string, items: unknown): void {
  const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = primordials.ToObject(items);
  const isIterable = typeof sync === "function" || typeof async === "function";
  if (typeof items !== "string" && isIterable) return;
  throw new TypeError(
    `${call}() was given ${describe(items)} as items. Give an array, or anything else to iterate.`,
  );
}

function isGenerator(code: unknown): boolean {
  const { name } = primordials.ToObject(code).constructor;
  return name === "GeneratorFunction" || name === "AsyncGeneratorFunction";
}
