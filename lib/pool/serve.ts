// The server that runs in a worker of a pool: it receives units of work, runs their items, and sends the outcome of
// each item at once, so that a death loses no finished item. It goes on receiving while a task waits.

import { EOFError } from "../errors.ts";
import { stopIfKilled } from "../liveness/critical_section.ts";
import { explainRefusal } from "../codec/locate.ts";
import { type Connection, endpointOf } from "../pipe/connection.ts";
import type { Endpoint } from "../pipe/endpoint.ts";
import { describeFailure } from "../transfer/remote_error.ts";
import { WAIT } from "../wait/eventcount.ts";
import { isBundled } from "../target/bundle.ts";
import { blocking, eventually } from "../wait/operation.ts";
import { afterYield, yieldIsDue } from "../wait/yield.ts";
import { Board } from "./board.ts";
import {
  type CurrentTask,
  setWorkerState,
  Transferred,
  within,
  workerState,
} from "./current_task.ts";
import { onNestedWait } from "./nested_wait.ts";
import { explainThrown, type FunctionTravel, makeFunction } from "../target/function_travel.ts";
import {
  ABORT,
  BROKEN,
  CREDIT,
  DEFINE,
  DONE,
  END,
  FAILED,
  type FromWorker,
  GROWN,
  MESSAGE,
  OBJECTS,
  PLACES,
  READY,
  RETURN,
  RUN,
  STREAM,
  type ToWorker,
  type UnitHeader,
  type WorkerSetup,
  YIELD,
} from "./protocol.ts";
import * as primordials from "../platform/primordials.ts";

const {
  AbortController,
  AbortControllerPrototypeAbort,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  ArrayPrototypeShift,
  Atomics,
  Deno,
  Int32Array,
  Promise,
  PromisePrototypeThen,
  queueMicrotask,
  Reflect,
  SafeMap,
  SharedArrayBuffer,
  signalOfController,
  TypeError,
  whenAll,
} = primordials;

/** Milliseconds between two checks of a stopped worker whether it is being killed. */
const LOOK_MS = 5;

type AnyFunction = (...args: unknown[]) => unknown;

/** A function, or the promise of it while it is being made. */
interface Known {
  travel: FunctionTravel;
  code: AnyFunction | undefined;
  loading: Promise<AnyFunction> | undefined;
}

/** A unit that has arrived and has not begun. */
interface Arrived {
  type: typeof RUN | typeof STREAM;
  slot: number;
  header: UnitHeader;
  items: readonly unknown[];
}

/** Serves a pool until the pool sends END, or is gone. */
export async function serve(connection: Connection, setup: WorkerSetup): Promise<void> {
  const server = new Server(connection, setup);
  if (await server.initialize()) await server.run();
}

class Server {
  /** Kept, because a connection that nothing refers to is closed. */
  readonly connection: Connection;
  readonly #end: Endpoint;
  readonly #setup: WorkerSetup;
  readonly #board: Board;
  readonly #functions = new SafeMap<number, Known>();
  readonly #arrived: Arrived[] = [];
  /** The running units, by slot. */
  readonly #running = new SafeMap<number, Running>();
  /** Tasks that wait for other tasks of a pool, and for how many: their places are free meanwhile. */
  readonly #yielded = new SafeMap<CurrentTask, number>();
  #hasEnded = false;
  #idle: (() => void) | undefined;

  constructor(connection: Connection, setup: WorkerSetup) {
    this.connection = connection;
    this.#end = endpointOf(connection);
    this.#setup = setup;
    this.#board = new Board(setup.board, setup.epoch);
    onNestedWait((task, by) => this.#countWait(task, by));
  }

  #countWait(task: CurrentTask, by: 1 | -1): void {
    const before = this.#yielded.size;
    const count = (this.#yielded.get(task) ?? 0) + by;
    if (count > 0) this.#yielded.set(task, count);
    else this.#yielded.delete(task);
    if (this.#yielded.size === before) return;
    this.#send([PLACES, this.#yielded.size]);
    if (by > 0) queueMicrotask(() => this.#advance());
  }

  /** Runs the initializer, and tells the pool the outcome; false if it has failed. */
  async initialize(): Promise<boolean> {
    const { initializer, initargs } = this.#setup;
    try {
      if (initializer !== undefined) {
        const initialize = await makeFunction(initializer);
        setWorkerState(await Reflect.apply(initialize, undefined, initargs));
      }
      this.#send([READY]);
      return true;
    } catch (error) {
      this.#send([BROKEN, describeFailure(error)]);
      return false;
    }
  }

  /** Receives until END, finishes all units, and runs the finalizer. */
  async run(): Promise<void> {
    const operation = this.#end.receiving();
    try {
      while (!this.#hasEnded) {
        let message = operation.attempt();
        if (message === WAIT) message = await eventually(operation);
        else if (yieldIsDue()) await afterYield(undefined);
        if ((message as ToWorker)[0] === OBJECTS) await knowAllObjects();
        else this.#receive(message as ToWorker);
      }
    } catch (error) {
      // The pool is gone, so nothing waits for a result any more.
      if (error instanceof EOFError) return;
      throw error;
    }
    while (this.#running.size > 0 || this.#arrived.length > 0) {
      await new Promise<void>((resolve) => this.#idle = resolve);
    }
    const { finalizer } = this.#setup;
    if (finalizer !== undefined) await (await makeFunction(finalizer))(workerState());
  }

  #receive(message: ToWorker): void {
    switch (message[0]) {
      case DEFINE:
        return this.#define(message[1], message[2]);
      case RUN:
      case STREAM: {
        const { 0: type, 1: slot, 2: header, 3: items } = message;
        ArrayPrototypePush(this.#arrived, { type, slot, header, items });
        return this.#advance();
      }
      case CREDIT:
        return this.#running.get(message[1])?.credit(message[2], message[3]);
      case RETURN:
        return this.#running.get(message[1])?.stop(message[2]);
      case ABORT:
        return this.#running.get(message[1])?.abort(message[2], message[3]);
      case END:
        this.#hasEnded = true;
    }
  }

  #define(id: number, travel: FunctionTravel): void {
    const known: Known = { travel, code: undefined, loading: undefined };
    known.loading = PromisePrototypeThen(makeFunction(travel), (code) => known.code = code);
    // The unit that calls the function gets the error.
    PromisePrototypeThen(known.loading, undefined, () => {});
    this.#functions.set(id, known);
  }

  /** Begins arrived units while there are free places. */
  #advance(): void {
    while (this.#arrived.length > 0) {
      if (this.#running.size - this.#yielded.size >= this.#setup.concurrency) return;
      const arrived = ArrayPrototypeShift(this.#arrived)!;
      if (!this.#board.claim(arrived.slot)) continue;
      const running = new Running(arrived, {
        board: this.#board,
        functions: this.#functions,
        send: (message, transfer) => this.#send(message, transfer),
        ended: () => this.#ended(arrived.slot),
      });
      this.#running.set(arrived.slot, running);
      running.begin();
    }
  }

  #ended(slot: number): void {
    this.#running.delete(slot);
    this.#checkHeap();
    if (this.#arrived.length > 0) this.#advance();
    if (this.#running.size === 0 && this.#arrived.length === 0) this.#idle?.();
  }

  #checkHeap(): void {
    const most = this.#setup.recycleAboveMb;
    if (most === undefined) return;
    const heapMb = Deno.memoryUsage().heapUsed / 2 ** 20;
    if (heapMb > most) this.#send([GROWN, heapMb]);
  }

  #send(message: FromWorker, transfer: readonly object[] = []): void {
    const left = this.#end.trySend(message, transfer);
    if (left !== undefined) blocking(left);
  }
}

/** The server, as a running unit uses it. */
interface Surroundings {
  board: Board;
  functions: Map<number, Known>;
  send(message: FromWorker, transfer?: readonly object[]): void;
  ended(): void;
}

/** A running unit. */
class Running {
  readonly #arrived: Arrived;
  readonly #around: Surroundings;
  readonly #task: CurrentTask = new RunningTask(this);
  #known: Known | undefined;
  /** The number of the item that runs. */
  #item = 0;
  #controller: AbortController | undefined;
  #aborted: { reason: unknown } | undefined;
  /** The number of values that the generator may yield before the consumer has taken more. */
  #credits = 0;
  #wake: (() => void) | undefined;
  #isStopped = false;

  constructor(arrived: Arrived, around: Surroundings) {
    this.#arrived = arrived;
    this.#around = around;
  }

  /** Runs the items; begins at once if the function is loaded. */
  begin(): void {
    const { header: { 1: functionId }, type } = this.#arrived;
    const { code, loading } = this.#known = this.#around.functions.get(functionId)!;
    if (code !== undefined) return this.#begin(code, type);
    PromisePrototypeThen(
      loading!,
      (found) => this.#begin(found, type),
      (error) => this.#failAll(error),
    );
  }

  #begin(call: AnyFunction, type: Arrived["type"]): void {
    within(this.#task, () => {
      if (type === STREAM) this.#stream(call as (...args: unknown[]) => AsyncGenerator);
      else this.#runItems(call);
    });
  }

  /** The consumer of the generator has taken so many values. */
  credit(id: number, count: number): void {
    if (id !== this.#arrived.header[0]) return;
    this.#credits += count;
    this.#wake?.();
  }

  /** The consumer of the generator wants no more. */
  stop(id: number): void {
    if (id !== this.#arrived.header[0]) return;
    this.#isStopped = true;
    this.#wake?.();
  }

  /** Aborts the task's signal: the caller wants no result any more. */
  abort(id: number, reason: unknown): void {
    if (id !== this.#arrived.header[0]) return;
    this.#aborted = { reason };
    if (this.#controller) AbortControllerPrototypeAbort(this.#controller, reason);
  }

  #runItems(call: AnyFunction): void {
    const { items, header: { 2: isSpread } } = this.#arrived;
    for (;;) {
      let returned: unknown;
      try {
        const item = items[this.#item];
        returned = isSpread ? Reflect.apply(call, undefined, item as unknown[]) : call(item);
      } catch (error) {
        if (!this.#failed(error)) return;
        continue;
      }
      if (
        returned instanceof Promise || typeof primordials.ToObject(returned).then === "function"
      ) {
        PromisePrototypeThen(
          Promise.resolve(returned),
          (value) => this.#returned(value) && this.#runItems(call),
          (error) => this.#failed(error) && this.#runItems(call),
        );
        return;
      }
      if (!this.#returned(returned)) return;
    }
  }

  /** Sends the value that an item returned; true if there is a next item. */
  #returned(value: unknown): boolean {
    const { slot } = this.#arrived;
    const moving = value instanceof Transferred;
    const result = moving ? value.value : value;
    if (this.#isLast) {
      if (!this.#around.board.finish(slot, this.#item)) return standStill();
    }
    try {
      this.#around.send([DONE, slot, result], moving ? value.list : undefined);
    } catch (error) {
      this.#sendFailure(this.#refusal(result, moving, error));
    }
    return this.#next();
  }

  /** Sends the error that an item threw; true if there is a next item. */
  #failed(error: unknown): boolean {
    const { slot } = this.#arrived;
    if (this.#isLast && !this.#around.board.finish(slot, this.#item)) return standStill();
    this.#sendFailure(error);
    return this.#next();
  }

  #sendFailure(error: unknown): void {
    const explained = explainThrown(error, this.#known!.travel);
    this.#around.send([FAILED, this.#arrived.slot, describeFailure(explained)]);
  }

  #refusal(result: unknown, moving: boolean, error: unknown): unknown {
    if (!(error instanceof TypeError) || moving) return error;
    return new TypeError(explainRefusal(result, "result", { sharedMemory: true }));
  }

  get #isLast(): boolean {
    return this.#item === this.#arrived.items.length - 1;
  }

  #next(): boolean {
    const { slot, header: { 5: isTimed } } = this.#arrived;
    if (this.#isLast) {
      this.#around.ended();
      return false;
    }
    if (!this.#around.board.advance(slot, this.#item, isTimed)) return standStill();
    this.#item++;
    return true;
  }

  /** Fails all items, because the function can't be loaded. */
  #failAll(error: unknown): void {
    while (this.#failed(error));
  }

  // Generators

  async #stream(call: (...args: unknown[]) => AsyncGenerator): Promise<void> {
    const { slot, items: { 0: args } } = this.#arrived;
    try {
      const generator = Reflect.apply(call, undefined, args as unknown[]);
      if (typeof primordials.ToObject(generator).next !== "function") {
        throw new TypeError(
          `${this.#task.name} returned no generator. Use apply() for a plain function, or write function*.`,
        );
      }
      for (;;) {
        while (this.#credits === 0 && !this.#isStopped) {
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
        if (this.#isStopped) {
          await generator.return?.(undefined);
          break;
        }
        const step = await generator.next();
        if (step.done) break;
        this.#credits--;
        const moving = (step.value as unknown) instanceof Transferred;
        const { value, list } = moving
          ? step.value as Transferred
          : { value: step.value, list: undefined };
        try {
          this.#around.send([YIELD, slot, value], list);
        } catch (error) {
          await generator.return?.(undefined);
          throw error instanceof TypeError
            ? new TypeError(explainRefusal(value, "yielded", { sharedMemory: true }))
            : error;
        }
      }
      this.#returned(undefined);
    } catch (error) {
      this.#failed(error);
    }
  }

  // For RunningTask

  get item(): number {
    return this.#item;
  }

  get header(): UnitHeader {
    return this.#arrived.header;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) {
        AbortControllerPrototypeAbort(this.#controller, this.#aborted.reason);
      }
    }
    return signalOfController(this.#controller);
  }

  /** Sends a value to the caller's onMessage. */
  message(value: unknown): void {
    const { slot, header: { 0: id } } = this.#arrived;
    try {
      this.#around.send([MESSAGE, slot, id + this.#item, value]);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(explainRefusal(value, "value", { sharedMemory: true }));
    }
  }
}

/** The task as its own code sees it. In a chunk, it is the item that runs. */
class RunningTask implements CurrentTask {
  readonly #running: Running;

  constructor(running: Running) {
    this.#running = running;
  }

  get id(): number {
    return this.#running.header[0] + this.#running.item;
  }

  get name(): string {
    return this.#running.header[6] ?? "";
  }

  get index(): number {
    return this.#running.header[3] + this.#running.item;
  }

  get attempt(): number {
    return this.#running.header[4];
  }

  get signal(): AbortSignal {
    return this.#running.signal;
  }

  send(value: unknown): void {
    this.#running.message(value);
  }
}

/** Loads the classes of all objects that may arrive; each module takes a quarter of a millisecond. */
async function knowAllObjects(): Promise<void> {
  if (isBundled) return;
  const modules = ["../child/deserializers.ts", "./pool.ts"];
  await whenAll(
    ArrayPrototypeMap(modules, (path) => import(new primordials.URL(path, import.meta.url).href)),
  );
}

/** Blocks for good: the pool has stopped this worker, and is about to kill it. */
function standStill(): never {
  const word = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    Atomics.wait(word, 0, 0, LOOK_MS);
    stopIfKilled(); // only a thread can be interrupted
  }
}
