// Pool: the public class. Worker processes run the functions that are called here.

import { describe } from "../validate/describe.ts";
import { InvalidStateError, QueueFull } from "../errors.ts";
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
import type { Ref } from "../liveness/process_table.ts";
import { isImporting } from "../process/current.ts";
import { cpuCount } from "../process/system.ts";
import { CallSite } from "../wait/call_site.ts";
import { noteMade } from "../wait/made.ts";
import { signalOf, timeoutOf, type WaitOptions } from "../wait/options.ts";
import { Admission } from "./admission.ts";
import { blockUntil } from "./blocking_wait.ts";
import { checkArgs, checkFunction, isGenerator } from "./check_call.ts";
import { limitedSignal, notInTime, untilInTime } from "./limited_wait.ts";
import { MapCalls } from "./map_calls.ts";
import { moduleCalls } from "./module_calls.ts";
import { PoolEvents, schedulerEvents } from "./pool_events.ts";
import { TaskCalls } from "./task_calls.ts";
import type { TaskError } from "./errors.ts";
import type { Executor } from "./executor.ts";
import { FunctionTable, type Registered, registered } from "./functions.ts";
import { Handover } from "./handover.ts";
import {
  type CheckedPool,
  type CheckedTask,
  checkPool,
  checkTask,
  type MapOptions,
  namedPoolOptions,
  type PoolOptions,
  type TaskOptions,
} from "./options.ts";
import { RemoteExecutor } from "./remote.ts";
import { Scheduler } from "./scheduler.ts";
import { type Histograms, PoolAccount, type PoolStatistics } from "./statistics.ts";
import type { Task } from "./task.ts";
import type { AnyFunction, CallParameters, LoadedModule } from "./types.ts";
import { startingOf, type WorkerStarting } from "./start_worker.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  ArrayPrototypeIncludes,
  ArrayPrototypeMap,
  DOMException,
  each,
  isAborted,
  performance,
  Reflect,
  removeAbortListener,
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

// deno-lint-ignore no-explicit-any
type AnyPool = Pool<any, any>;

/** The name and the histograms of a pool, for a monitor. */
export let nameOfPool: (pool: AnyPool) => string;
export let histogramsOf: (pool: AnyPool) => Histograms;

/** The parts of a pool for code of this package that makes units itself. */
export interface PoolParts {
  readonly executor: Executor;
  readonly functions: FunctionTable;
  /** Reserves numbers for so many tasks, and returns the first. */
  takeIds(count: number): number;
}

/** The parts of a pool. */
export let partsOf: (pool: Pool) => PoolParts;

/** The most lines of a stack that a task keeps of its call: each takes time and memory. */
const CALLERS = 5;
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
  readonly #calls: TaskCalls;
  readonly #maps: MapCalls;
  readonly #handover: Handover;
  readonly #events = new PoolEvents(this);
  readonly #admission: Admission;

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
      this.#executor = this.#scheduler = this.#schedule(
        options as PoolOptions<never, never[]>,
        start,
      );
      this.#handover = new Handover(this.#scheduler, this.#functions, this.#takeIds);
    } else {
      this.#sizes = content.defaults;
      this.#name = content.name;
      this.#functions = new FunctionTable({});
      const connection = deserialize(content.connection) as Connection;
      const executor = this.#executor = new RemoteExecutor(
        connection,
        content.defaults.processes * content.defaults.tasksPerProcess,
      );
      this.#handover = new Handover(executor, this.#functions, this.#takeIds);
    }
    this.#signal = options.signal;
    this.#admission = new Admission(this.#executor, this.#sizes);
    this.#calls = new TaskCalls(this.#executor);
    this.#maps = new MapCalls({
      executor: this.#executor,
      admission: this.#admission,
      functions: this.#functions,
      defaults: this.#sizes,
      takeIds: this.#takeIds,
    });
    if (noteMade !== undefined && content === undefined) noteMade(this);
    if (this.#signal !== undefined) addAbortListener(this.#signal, this.#aborted);
    // In a child whose module makes a pool as it is imported, workers start at the first call.
    if (!isImporting()) this.#scheduler?.begin();
  }

  static {
    nameOfPool = (pool) => pool.#name;
    histogramsOf = (pool) => pool.#account.histograms;
    partsOf = (pool) => ({
      executor: pool.#executor,
      functions: pool.#functions,
      takeIds: pool.#takeIds,
    });
    registerTransferable(
      KIND,
      (content) => constructFrom(Pool, content),
      (content) => (deserialize((content as PoolContent).connection) as Connection).close(),
    );
  }

  // Not of the type of the initializer: a pool with one can be given where any pool is expected.
  #schedule(options: PoolOptions<never, never[]>, start: WorkerStarting["start"]): Scheduler {
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
    return new Scheduler(
      { ...sizes, concurrency: sizes.tasksPerProcess },
      { setup, start },
      schedulerEvents(this.#events, this.#account, () => this.#admission.roomMade()),
    );
  }

  /** @ignore */
  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.#events.listen(args[0]);
    Reflect.apply(addEventListener, this, args);
  }

  readonly #takeIds = (count: number): number => this.#calls.takeIds(count);

  readonly #aborted = (): void => this.terminate();

  /** The scheduler; throws in a process that was handed the pool, where `call` can't be made. */
  #own(call: string): Scheduler {
    if (this.#scheduler !== undefined) return this.#scheduler;
    throw new InvalidStateError(
      `This process was handed the pool, and doesn't own its workers. Call ${call}() where the pool was made.`,
    );
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
  apply<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    ...{ 0: args, 1: options }: CallParameters<A, TaskOptions>
  ): Promise<R> {
    // No async function: that would cost each call two more promises.
    try {
      const origin = new CallSite(this.apply, CALLERS);
      const checked = checkTask(options, this.#sizes);
      this.#admission.checkOpen("apply");
      const entry = registered(this.#functions, "apply", code),
        given = checkArgs("apply", args);
      if (!this.#admission.hasRoom) return this.#callLater("apply", entry, given, checked, origin);
      return this.#calls.submit<R>(entry, given, checked, origin).result();
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /** Calls a function when the backlog has room. */
  async #callLater<R>(
    call: string,
    entry: Registered,
    args: readonly unknown[],
    options: CheckedTask,
    origin: CallSite,
  ): Promise<R> {
    const admitted = await this.#admission.waitForRoom(call, entry.name, options);
    return await this.#calls.submit<R>(entry, args, admitted, origin).result();
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
    const origin = new CallSite(this.submit, CALLERS);
    const checked = checkTask(options, this.#sizes);
    this.#admission.checkOpen("submit");
    const entry = registered(this.#functions, "submit", code),
      given = checkArgs("submit", args);
    if (!this.#admission.hasRoom) {
      throw new QueueFull(
        `The pool is full: its maxQueueSize is ${this.#sizes.maxQueueSize}. Wait for a task, or use apply(), which waits.`,
      );
    }
    return this.#calls.submit<R>(entry, given, checked, origin);
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
    const origin = new CallSite(this.applySync, CALLERS);
    const { timeout, ...checked } = checkTask(options, this.#sizes);
    this.#admission.checkOpen("applySync");
    const scheduler = this.#own("applySync");
    const entry = registered(this.#functions, "applySync", code),
      given = checkArgs("applySync", args);
    const endless = { ...checked, timeout: Infinity }, end = performance.now() + timeout;
    const late = () => {
      throw notInTime(checked.name ?? entry.name, timeout);
    };
    if (!this.#admission.hasRoom) {
      const isSo = () => this.#admission.hasRoom || this.#admission.isOver;
      blockUntil(scheduler, isSo, end, late);
      this.#admission.checkOpen("applySync");
    }
    const task = this.#calls.submit<R>(entry, given, endless, origin);
    blockUntil(scheduler, () => task.done(), end, () => {
      task.cancel();
      late();
    });
    return task.valueNow();
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
    return this.#maps.collect("map", code, items, false, options, new CallSite(this.map));
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
    return this.#maps.collect("starmap", code, items, true, options, new CallSite(this.starmap));
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
    const scheduler = this.#own("mapSync");
    return this.#maps.collectSync(scheduler, code, items, options, origin);
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
    return this.#maps.iterate("imap", code, items, options, origin, (_, value) => value, true);
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
    return this.#maps.iterate(
      "imapUnordered",
      code,
      items,
      options,
      origin,
      (_, value) => value,
      false,
    );
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
    return this.#maps.iterate("imapIndexed", code, items, options, origin, pair, false);
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
    this.#admission.checkOpen("stream");
    const call = this.#functions.register(checkFunction("stream", code)),
      given = checkArgs("stream", args);
    if (!isGenerator(code)) {
      throw new TypeError(
        `stream() was given ${call.name}, which is no generator function. Use apply(), or write function*.`,
      );
    }
    return this.#calls.stream<Y>(call, given, checked, origin, bufferSize);
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
    if (checked.transfer.length > 0) {
      throw new TypeError(
        "broadcast() gives every worker the same arguments, so they can't be moved. Leave out transfer.",
      );
    }
    this.#admission.checkOpen("broadcast");
    const scheduler = this.#own("broadcast");
    const call = registered(this.#functions, "broadcast", code),
      given = checkArgs("broadcast", args);
    const tasks = this.#calls.submitToAll<R>(scheduler, call, given, checked, origin);
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
    const make = (name: string): AnyFunction => {
      const call = this.#functions.byName(`${module}`, name);
      return async (...args: unknown[]) => {
        const origin = new CallSite(this.load, CALLERS);
        const checked = checkTask(undefined, this.#sizes);
        this.#admission.checkOpen(name);
        if (!this.#admission.hasRoom) {
          return await this.#callLater(name, call, args, checked, origin);
        }
        return await this.#calls.submit(call, args, checked, origin).result();
      };
    };
    return moduleCalls<M>(make);
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
    const isSo = () =>
      scheduler.isReady || scheduler.broken !== undefined || this.#admission.isClosed;
    const isReady = await untilInTime(this.#executor, isSo, options);
    if (scheduler.broken !== undefined) throw this.#admission.brokenError();
    this.#admission.checkOpen("ready");
    return isReady;
  }

  /**
   * Replaces every worker by a new one. Each goes on until its successor has loaded, so that there are never fewer.
   *
   * @throws {InvalidStateError} if the pool was closed
   */
  async recycle(options?: WaitOptions): Promise<void> {
    const scheduler = this.#own("recycle");
    this.#admission.checkOpen("recycle");
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
    this.#admission.checkOpen("resize");
    this.#sizes.processes = processes;
    scheduler.resize(processes);
  }

  /** Accepts no more calls. Accepted calls are still done, and then the workers end. Python's `Pool.close`. */
  close(): void {
    const scheduler = this.#own("close");
    if (this.#admission.isClosed) return;
    this.#admission.isClosed = true;
    this.#admission.roomMade();
    scheduler.close();
  }

  /**
   * Waits until all workers have ended: true then, false if that takes more than `timeout` ms. Python's `Pool.join`.
   *
   * @throws {InvalidStateError} if neither close() nor terminate() was called
   */
  async join(options?: WaitOptions): Promise<boolean> {
    const scheduler = this.#own("join");
    if (!this.#admission.isClosed) {
      throw new InvalidStateError(
        "The pool is open, and its workers go on. Call close() or terminate() before join().",
      );
    }
    const hasEnded = await untilInTime(this.#executor, () => scheduler.hasEnded, options);
    if (hasEnded) this.#leave();
    return hasEnded;
  }

  #leave(): void {
    if (this.#signal !== undefined) removeAbortListener(this.#signal, this.#aborted);
    this.#handover.end();
    this.#calls.reportUnasked();
  }

  /** Ends everything now: waits for a task reject with a CancelledError. Python's `Pool.terminate`. */
  terminate(): void {
    const scheduler = this.#own("terminate");
    if (this.#admission.isTerminated) return;
    this.#admission.isClosed = this.#admission.isTerminated = true;
    const signal = this.#signal;
    const reason = signal && isAborted(signal) ? abortReason(signal) : "the pool was terminated";
    scheduler.terminate(); // first, so that no worker is started in the place of those that end
    this.#maps.endAll(reason);
    this.#calls.cancelAll(reason);
    this.#handover.end();
    this.#admission.roomMade();
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
      this.#maps.dropWaiting();
      this.#calls.cancelWaiting("the pool was shut down");
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
    return this.#admission.isClosed;
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
    // A pool that was closed goes on with what it has accepted, and that may use the pool.
    if (this.#admission.isTerminated) this.#admission.checkOpen("apply");
    const connection = this.#handover.serialize();
    const defaults = { ...this.#sizes, maxQueueSize: Infinity, ofTasks: undefined };
    const content: PoolContent = { connection, name: this.#name, defaults };
    return { kind: KIND, content, ports: connection.ports, program: connection.program };
  }

  /** @ignore */
  [moved](owner: Ref, how: string): void {
    this.#handover.moved(owner, how);
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
      closed: this.#admission.isClosed,
    };
    return `Pool ${inspect(state, options)}`;
  }
}

const { addEventListener } = EventTarget.prototype;
