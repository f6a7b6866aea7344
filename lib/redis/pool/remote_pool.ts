// RemotePool: a pool whose workers are programs on any machine, which take their tasks from a server.

import {
  Admission,
  CallSite,
  cannotClone,
  checkArgs,
  type CheckedPool,
  type CheckedTask,
  checkNames,
  checkTask,
  constructFrom,
  customInspect,
  describe,
  type Inspect,
  InvalidStateError,
  MapCalls,
  moduleCalls,
  print,
  QueueFull,
  receivedParts,
  registered,
  signalOf,
  type Task,
  TaskCalls,
  timeoutOf,
  untilInTime,
  type WaitOptions,
} from "../core.ts";
import type { TaskError } from "../../pool/errors.ts";
import type { AnyFunction, CallParameters, LoadedModule } from "../../pool/types.ts";
import type { DeadLetter } from "../../queue/contract.ts";
import { RemoteQueue } from "../queue.ts";
import type { Store } from "../store.ts";
import { randomId, type Wires } from "../wires.ts";
import { Caller } from "./caller.ts";
import { RemoteFunctions } from "./functions.ts";
import { inTime } from "./in_time.ts";
import {
  checkRemotePool,
  namedMap,
  namedTask,
  type RemoteMapOptions,
  type RemotePoolOptions,
  type RemoteTaskOptions,
} from "./options.ts";
import { answersStore, deadStore, poolStore } from "./place.ts";

/** The most lines of a stack that a task keeps of its call: each takes time and memory. */
const CALLERS = 5;
/** How long a call that doesn't wait, or that has nothing to wait for but the server, waits for an answer, in ms. */
const PATIENCE = 2000;
/** How often ready() looks for workers, in ms. */
const LOOK_MS = 100;

/**
 * A worker of a {@linkcode RemotePool}.
 *
 * @example
 * ```ts ignore
 * import { connect, type RemoteWorker } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const workers: RemoteWorker[] = await hub.pool("thumbnails").workers();
 * for (const { name, processes } of workers) console.log(name, processes);
 * ```
 */
export interface RemoteWorker {
  /** Its name, as in {@linkcode TaskError.worker}. */
  name: string;
  /** How many tasks it runs at once. */
  processes: number;
  /** The files of its modules. */
  modules: string[];
  /** When it was started, in ms since 1970, by its own clock. */
  since: number;
}

/**
 * The figures of a {@linkcode RemotePool}, over all programs that use it.
 *
 * @example
 * ```ts ignore
 * import { connect, type RemotePoolStatistics } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const figures: RemotePoolStatistics = await hub.pool("thumbnails").statistics();
 * console.log(figures.waiting, figures.workers);
 * ```
 */
export interface RemotePoolStatistics {
  /** Units (calls, or chunks of a map) that wait for a worker. */
  waiting: number;
  /** Units that workers have. */
  running: number;
  /** Units that are over, since the pool was made. */
  done: number;
  /** Tasks that were lost with their workers too often. */
  dead: number;
  /** Workers that are there. */
  workers: number;
  /** How many tasks they run at once, all together. */
  processes: number;
}

/**
 * A task that was lost with its workers as often as its `retries` allow, among the `dead` of a {@linkcode RemotePool}.
 *
 * @example
 * ```ts ignore
 * import { connect, type LostTask } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const { item, attempts } = await hub.pool("thumbnails").dead.get();
 * const { name, args }: LostTask = item;
 * console.log(name, args, attempts);
 * ```
 */
export interface LostTask {
  /** The name that the task was given, or that of its function. */
  name: string;
  /** The file of its function. */
  module: string;
  /** The name by which that exports the function. */
  exportName: string;
  /** Its arguments. */
  args: unknown[];
}

/**
 * A pool whose workers are programs on any machine, from {@linkcode Hub.pool}. The workers are started apart:
 *
 * ```sh
 * deno run -N -R jsr:@multiproc/multiprocessing/worker redis://host:6379 --name NAME --module ./tasks.ts
 * ```
 *
 * The calls are those of `Pool`. Functions travel by reference, as the file and the name of an export: they have to
 * be exported from a module that the workers were started with. Arguments and results are copied.
 *
 * A task is run **at least once**: when its worker dies or is cut off, another one runs it anew, up to `retries`
 * times; `currentTask()?.attempt` tells it. So write tasks for which running again does no harm. Each call gets one
 * outcome all the same.
 *
 * @example
 * ```ts ignore
 * import { connect } from "@multiproc/multiprocessing/redis";
 * import { resize } from "./tasks.ts";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * await using pool = hub.pool("thumbnails");
 * console.log(await pool.apply(resize, ["a.jpg"]));
 * console.log(await pool.map(resize, ["b.jpg", "c.jpg"]));
 * ```
 */
export class RemotePool implements AsyncDisposable {
  readonly #wires: Wires;
  readonly #name: string;
  readonly #sizes: CheckedPool;
  readonly #tasks: Store;
  readonly #answers: Store;
  readonly #caller: Caller;
  readonly #functions: RemoteFunctions;
  readonly #admission: Admission;
  readonly #calls: TaskCalls;
  readonly #maps: MapCalls;
  #dead: RemoteQueue<DeadLetter<LostTask>> | undefined;
  #left: Promise<void> | undefined;

  /** @ignore */
  constructor() {
    const parts = receivedParts<[Wires, string, RemotePoolOptions | undefined]>(new.target);
    if (parts === undefined) {
      throw new TypeError('A pool in a server is not constructed. Get it by hub.pool("name").');
    }
    const [wires, name, options] = parts;
    this.#wires = wires;
    this.#name = name;
    this.#sizes = checkRemotePool(options);
    this.#tasks = poolStore(wires, name);
    const caller = randomId();
    this.#answers = answersStore(this.#tasks, caller);
    this.#caller = new Caller(caller, this.#tasks, this.#answers, () => this.#admission.roomMade());
    this.#functions = new RemoteFunctions(options?.module);
    this.#admission = new Admission(this.#caller, this.#sizes);
    this.#calls = new TaskCalls(this.#caller);
    this.#maps = new MapCalls({
      executor: this.#caller,
      admission: this.#admission,
      functions: this.#functions,
      defaults: this.#sizes,
      takeIds: (count) => this.#calls.takeIds(count),
    });
  }

  /** Its name in the server, which the workers are given as `--name`. */
  get name(): string {
    return this.#name;
  }

  // One call

  /**
   * Calls a function in a worker and resolves to its result. Waits for room if the pool has a `maxQueueSize`. The
   * function is run at least once: again where its worker has died.
   *
   * @throws {TaskError} if it throws, its workers end too often, or they don't have it
   * @throws {TimeoutError} if it has not ended in `timeout` ms, waiting included; it is ended then
   * @throws {TypeError} if the function can't travel by reference, or an argument can't cross
   * @throws {BrokenPoolError} if the server has lost the pool, or the hub was closed
   * @throws {InvalidStateError} if the pool was closed
   */
  async apply<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    ...{ 0: args, 1: options }: CallParameters<A, RemoteTaskOptions>
  ): Promise<R> {
    const origin = new CallSite(this.apply, CALLERS);
    const checked = this.#checkTask(options, "apply");
    const entry = registered(this.#functions, "apply", code), given = checkArgs("apply", args);
    const admitted = this.#admission.hasRoom
      ? checked
      : await this.#admission.waitForRoom("apply", entry.name, checked);
    return await this.#calls.submit<R>(entry, given, admitted, origin).result();
  }

  /**
   * As {@linkcode RemotePool.apply}, but returns the task at once.
   *
   * @throws {QueueFull} if `maxQueueSize` calls wait already; otherwise as `apply`, but errors of the function go to
   *   the task
   */
  submit<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    ...{ 0: args, 1: options }: CallParameters<A, RemoteTaskOptions>
  ): Task<R> {
    const origin = new CallSite(this.submit, CALLERS);
    const checked = this.#checkTask(options, "submit");
    const entry = registered(this.#functions, "submit", code), given = checkArgs("submit", args);
    if (!this.#admission.hasRoom) {
      throw new QueueFull(
        `The pool is full: its maxQueueSize is ${this.#sizes.maxQueueSize}. ` +
          "Wait for a task, or use apply(), which waits.",
      );
    }
    return this.#calls.submit<R>(entry, given, checked, origin);
  }

  #checkTask(options: RemoteTaskOptions | undefined, call: string): CheckedTask {
    const checked = checkTask(namedTask(options), this.#sizes);
    this.#admission.checkOpen(call);
    return checked;
  }

  // Many calls

  /**
   * Calls a function with each item and resolves to the results, in the order of the items. The first item that
   * fails ends the call: waiting items are dropped, running ones may finish. Items travel in chunks; those of one
   * whose worker program dies are run anew together.
   *
   * @throws {TaskError} if an item fails, and `returnExceptions` isn't true; the others as `apply`
   * @throws whatever the items' iterator does
   */
  map<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: RemoteMapOptions & { returnExceptions: true },
  ): Promise<(R | TaskError)[]>;
  /** As above. */
  map<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: RemoteMapOptions,
  ): Promise<R[]>;
  map(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: RemoteMapOptions,
  ): Promise<unknown[]> {
    return this.#collect("map", code, items, false, options, new CallSite(this.map));
  }

  /**
   * As {@linkcode RemotePool.map}, where each item is an array of arguments.
   *
   * @throws what `map` does
   */
  starmap<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    items: Iterable<A> | AsyncIterable<A>,
    options: RemoteMapOptions & { returnExceptions: true },
  ): Promise<(R | TaskError)[]>;
  /** As above. */
  starmap<A extends readonly unknown[], R>(
    code: (...args: A) => R | PromiseLike<R>,
    items: Iterable<A> | AsyncIterable<A>,
    options?: RemoteMapOptions,
  ): Promise<R[]>;
  starmap(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: RemoteMapOptions,
  ): Promise<unknown[]> {
    return this.#collect("starmap", code, items, true, options, new CallSite(this.starmap));
  }

  async #collect(
    name: string,
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    isSpread: boolean,
    options: RemoteMapOptions | undefined,
    origin: CallSite,
  ): Promise<unknown[]> {
    return await this.#maps.collect(name, code, items, isSpread, namedMap(options), origin);
  }

  /**
   * As {@linkcode RemotePool.map}, but gives one result after the other, in order, as they are taken: the items are
   * read only as far ahead as `bufferSize` says, so that they may be endless. Leaving the loop ends the rest.
   *
   * @throws what `map` does; an error comes in its place
   */
  imap<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: RemoteMapOptions & { returnExceptions: true },
  ): AsyncIterableIterator<R | TaskError>;
  /** As above. */
  imap<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: RemoteMapOptions,
  ): AsyncIterableIterator<R>;
  imap(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: RemoteMapOptions,
  ): AsyncIterableIterator<never> {
    const origin = new CallSite(this.imap), checked = namedMap(options);
    return this.#maps.iterate("imap", code, items, checked, origin, (_, value) => value, true);
  }

  /**
   * As {@linkcode RemotePool.imap}, but in the order in which the results come.
   *
   * @throws what `imap` does
   */
  imapUnordered<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: RemoteMapOptions & { returnExceptions: true },
  ): AsyncIterableIterator<R | TaskError>;
  /** As above. */
  imapUnordered<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: RemoteMapOptions,
  ): AsyncIterableIterator<R>;
  imapUnordered(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: RemoteMapOptions,
  ): AsyncIterableIterator<never> {
    const origin = new CallSite(this.imapUnordered), checked = namedMap(options);
    const shape = (_: number, value: unknown) => value;
    return this.#maps.iterate("imapUnordered", code, items, checked, origin, shape, false);
  }

  /**
   * As {@linkcode RemotePool.imapUnordered}, each result with the index of its item.
   *
   * @throws what `imap` does
   */
  imapIndexed<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: RemoteMapOptions & { returnExceptions: true },
  ): AsyncIterableIterator<[index: number, result: R | TaskError]>;
  /** As above. */
  imapIndexed<T, R>(
    code: (item: T) => R | PromiseLike<R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: RemoteMapOptions,
  ): AsyncIterableIterator<[index: number, result: R]>;
  imapIndexed(
    code: AnyFunction,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: RemoteMapOptions,
  ): AsyncIterableIterator<never> {
    const origin = new CallSite(this.imapIndexed), checked = namedMap(options);
    const shape = (index: number, value: unknown) => [index, value];
    return this.#maps.iterate("imapIndexed", code, items, checked, origin, shape, false);
  }

  /**
   * The functions that a module exports, each as a call to the pool: for a program that hasn't loaded the module.
   *
   * @param module its URL, as `import.meta.resolve("./tasks.ts")`; only the file's name counts
   * @throws {TypeError} if it is no URL
   *
   * @typeParam M the module, as `typeof import("./tasks.ts")`
   */
  load<M>(module: string | URL): LoadedModule<M> {
    if (!URL.canParse(`${module}`)) {
      throw new TypeError(
        `load() was given ${
          describe(module)
        }. Give the URL of a module: import.meta.resolve("./tasks.ts").`,
      );
    }
    return moduleCalls<M>((name) => {
      const call = this.#functions.byName(`${module}`, name);
      return async (...args: unknown[]) => {
        const origin = new CallSite(this.load, CALLERS);
        const checked = this.#checkTask(undefined, name);
        const admitted = this.#admission.hasRoom
          ? checked
          : await this.#admission.waitForRoom(name, name, checked);
        return await this.#calls.submit(call, args, admitted, origin).result();
      };
    });
  }

  // Looking

  /** Resolves to true when there is a worker; to false if that takes more than `timeout` ms. */
  async ready(options?: WaitOptions): Promise<boolean> {
    const timeout = timeoutOf(options), signal = signalOf(options);
    const end = performance.now() + timeout;
    for (;;) {
      signal?.throwIfAborted();
      this.#admission.checkOpen("ready");
      // A call that doesn't wait asks the server all the same.
      const most = timeout === 0 ? PATIENCE : end - performance.now();
      const workers = await inTime(this.workers(), most, signal);
      if (workers !== undefined && workers.length > 0) return true;
      const left = end - performance.now();
      if (left <= 0) return false;
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, LOOK_MS)));
    }
  }

  /** The workers that are there. One that was killed is listed until its leases have ended. */
  async workers(): Promise<RemoteWorker[]> {
    return await this.#caller.staff();
  }

  /** The figures of the pool, over all programs that use it. */
  async statistics(): Promise<RemotePoolStatistics> {
    const [{ size, done, leased, dead }, staff] = await Promise.all([
      this.#tasks.look(),
      this.#caller.staff(),
    ]);
    const processes = staff.reduce((sum, worker) => sum + worker.processes, 0);
    return { waiting: size, running: leased, done, dead, workers: staff.length, processes };
  }

  /** The number of calls, and chunks of calls, that wait for a worker: those of all programs. */
  async qsize(): Promise<number> {
    return (await this.#tasks.look()).size;
  }

  /** Tasks that were lost with their workers as often as their `retries` allow. */
  get dead(): RemoteQueue<DeadLetter<LostTask>> {
    return this.#dead ??= constructFrom(RemoteQueue<DeadLetter<LostTask>>, deadStore(this.#tasks));
  }

  // Ending

  /** Whether close() or terminate() was called. */
  get closed(): boolean {
    return this.#admission.isClosed;
  }

  /** Accepts no more calls from here. Accepted calls are still done. The workers go on. */
  close(): void {
    if (this.#admission.isClosed) return;
    this.#admission.isClosed = true;
    this.#admission.roomMade();
  }

  /**
   * Waits until all calls of this object have their outcome: true then, false if that takes more than `timeout` ms.
   *
   * @throws {InvalidStateError} if neither close() nor terminate() was called
   */
  async join(options?: WaitOptions): Promise<boolean> {
    if (!this.#admission.isClosed) {
      throw new InvalidStateError(
        "The pool is open. Call close() or terminate() before join().",
      );
    }
    const hasEnded = await untilInTime(
      this.#caller,
      () => this.#caller.outstanding === 0,
      options,
    );
    // Where the server is away it forgets this program by itself.
    if (hasEnded) await inTime(this.#left ??= this.#leave(), PATIENCE, signalOf(options));
    return hasEnded;
  }

  async #leave(): Promise<void> {
    this.#calls.reportUnasked();
    if (this.#wires.isClosed || this.#caller.broken !== undefined) return;
    await Promise.all([this.#tasks.opened, this.#answers.opened]).then(async () => {
      await this.#answers.remove();
      await this.#tasks.leave();
      this.#wires.remove(this.#tasks);
    }).catch(() => {});
  }

  /** Ends all calls of this object now: waits for a task reject with a CancelledError. The workers go on. */
  terminate(): void {
    if (this.#admission.isTerminated) return;
    this.#admission.isClosed = this.#admission.isTerminated = true;
    this.#maps.endAll("the pool was terminated");
    this.#calls.cancelAll("the pool was terminated");
    this.#admission.roomMade();
  }

  /**
   * Closes the pool and waits until its calls have their outcome: true then. After `timeout` ms it terminates the
   * rest, and resolves to false.
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

  /** Removes the pool from the server, with its tasks: calls of all programs fail, and its workers end. */
  async delete(): Promise<void> {
    this.close();
    await this.#answers.opened.then(() => this.#answers.remove()).catch(() => {});
    await this.#tasks.remove();
  }

  /** Closes and joins: `await using pool = hub.pool("name")`. Nothing is lost, and no call outlives the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.join();
  }

  /** @ignore */
  get [cannotClone](): string {
    return "a RemotePool, a place in a server. Open it there by its name";
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { name, closed } = this;
    const state = () => ({ name, waiting: this.#caller.outstanding, closed });
    return print(this, ["RemotePool", RemotePool], state, inspect, options);
  }
}

/** The pool of this name. */
export function poolOf(
  wires: Wires,
  name: string,
  options: RemotePoolOptions | undefined,
): RemotePool {
  return constructFrom(RemotePool, [wires, name, options]);
}
