// The server that runs in a worker of a pool: it receives units of work, and begins them while there are free places.
// It goes on receiving while a task waits.

import { EOFError } from "../errors.ts";
import { type Connection, endpointOf } from "../pipe/connection.ts";
import type { Endpoint } from "../pipe/endpoint.ts";
import { describeFailure } from "../transfer/remote_error.ts";
import { CallSite } from "../wait/call_site.ts";
import { WAIT } from "../wait/eventcount.ts";
import { isBundled } from "../target/bundle.ts";
import { blocking, briefly, eventually, type Operation } from "../wait/operation.ts";
import { afterYield, countAsMany, yieldIsDue } from "../wait/yield.ts";
import { Board, numberOf, slotOf } from "./board.ts";
import { Cells } from "./cells.ts";
import { type CurrentTask, setWorkerState, workerState } from "./current_task.ts";
import { Headers } from "./headers.ts";
import { onNestedWait } from "./nested_wait.ts";
import { type FunctionTravel, makeFunction } from "../target/function_travel.ts";
import {
  ABORT,
  BROKEN,
  CREDIT,
  DEFINE,
  END,
  type FromWorker,
  GROWN,
  IN_CELLS,
  LARGE,
  MANY,
  OBJECTS,
  ONE,
  PLACES,
  READY,
  RETURN,
  type ToWorker,
  type WorkerSetup,
} from "./protocol.ts";
import { type Arrived, type Known, RunningUnit, type Surroundings } from "./running_unit.ts";
import { UnitSlots } from "./unit_slots.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeMap,
  ArrayPrototypePush,
  ArrayPrototypeShift,
  Deno,
  each,
  performance,
  Promise,
  PromisePrototypeThen,
  queueMicrotask,
  Reflect,
  SafeMap,
  whenAll,
} = primordials;

/** Serves a pool until the pool sends END, or is gone. */
export async function serve(connection: Connection, setup: WorkerSetup): Promise<void> {
  const server = new Server(connection, setup);
  if (await server.initialize()) await server.run();
}

/** An item that takes less is a short one, and for so long the pool is not woken for short ones, in ms. */
const SHORT_MS = 0.05, UNTOLD_MS = 0.1;
/** The same for short items of a unit of many. */
const MANY_UNTOLD_MS = 0.5;
/** While items take less than TINY_MS, the clock is read once for so many of them. */
const TINY_MS = 0.002, CLOCK_EVERY = 16;
/** So long a worker without work blocks its thread, as it wakes sooner then, before its event loop has a turn. */
const IDLE_MS = 1;
const NOTHING: readonly object[] = [];
/** The items of a call without arguments. */
const NO_ARGUMENTS: readonly unknown[] = [[]];

class Server {
  /** Kept, because a connection that nothing refers to is closed. */
  readonly connection: Connection;
  readonly #end: Endpoint;
  readonly #setup: WorkerSetup;
  readonly #board: Board;
  readonly #headers: Headers;
  readonly #cells: Cells;
  readonly #functions = new SafeMap<number, Known>();
  readonly #arrived: Arrived[] = [];
  /** The running units, by slot. */
  readonly #running = new UnitSlots<RunningUnit>();
  /** Tasks that wait for other tasks of a pool, and for how many: their places are free meanwhile. */
  readonly #yielded = new SafeMap<CurrentTask, number>();
  readonly #around: Surroundings;
  #hasEnded = false;
  /** When the last item had its outcome; whether the pool wasn't woken for some, and since when. */
  #lastOutcome = 0;
  #hasUntold = false;
  #firstUntold = 0;
  /** The number of items between two looks at the clock, and of those since the last one. */
  #clockEvery = 1;
  #uncounted = 0;
  #idle: (() => void) | undefined;

  constructor(connection: Connection, setup: WorkerSetup) {
    this.connection = connection;
    this.#end = endpointOf(connection);
    this.#end.largestBuffer = LARGE;
    this.#end.beInternal();
    this.#setup = setup;
    this.#board = new Board(setup.board, setup.epoch);
    this.#headers = new Headers(setup.headers);
    this.#cells = new Cells(setup.cells);
    this.#around = {
      board: this.#board,
      cells: this.#cells,
      clockIsDue: () => this.#clockIsDue(),
      isInCell: (now, isOfMany) => this.#isInCell(now, isOfMany),
      functions: this.#functions,
      send: (message, transfer) => this.#send(message, transfer),
      sendOutcome: (message, transfer) => this.#sendOutcome(message, transfer),
      ended: (slot) => this.#ended(slot),
    };
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
    const here = new CallSite(this.run), caller = () => here;
    try {
      while (!this.#hasEnded) {
        let message = operation.attempt();
        if (message === WAIT) {
          // Results that come while no unit waits are told at once.
          this.#end.uncork();
          if (this.#running.size === 0 && this.#arrived.length === 0) {
            await undefined; // what the last task has left may run first
            message = briefly(operation, IDLE_MS);
            countAsMany();
          }
          if (message === WAIT) message = await eventually(operation, undefined, caller);
          else if (yieldIsDue()) await afterYield(undefined);
          this.#begin();
        } else if (yieldIsDue()) {
          this.#end.uncork();
          await afterYield(undefined);
          this.#begin();
        }
        if (typeof message === "number") this.#arrive(message, NO_ARGUMENTS);
        else if ((message as Exclude<ToWorker, number>)[0] === OBJECTS) await knowAllObjects();
        else this.#receive(message as Exclude<ToWorker, number>);
      }
    } catch (error) {
      // The pool is gone, so nothing waits for a result any more.
      if (error instanceof EOFError) return;
      throw error;
    }
    this.#end.uncork();
    while (this.#running.size > 0 || this.#arrived.length > 0) {
      await new Promise<void>((resolve) => this.#idle = resolve);
    }
    const { finalizer } = this.#setup;
    if (finalizer !== undefined) await (await makeFunction(finalizer))(workerState());
  }

  #arrive(ticket: number, items: readonly unknown[], name?: string, traceparent?: string): void {
    ArrayPrototypePush(this.#arrived, { ticket, items, name, traceparent, credits: 0 });
    this.#advance();
  }

  #receive(message: Exclude<ToWorker, number>): void {
    switch (message[0]) {
      case DEFINE:
        return this.#define(message[1], message[2], message[3]);
      case ONE:
        return this.#arrive(message[1], [message[2]], message[3], message[4]);
      case MANY:
        return this.#arrive(message[1], message[2], message[3], message[4]);
      case CREDIT:
        return this.#credit(message[1], message[2], message[3]);
      case RETURN:
        return this.#running.get(message[1])?.stop(message[2]);
      case ABORT:
        return this.#running.get(message[1])?.abort(message[2], message[3]);
      case END:
        this.#hasEnded = true;
    }
  }

  #credit(slot: number, id: number, count: number): void {
    this.#running.get(slot)?.credit(id, count);
    // Credits may come before the generator begins.
    for (const arrived of each(this.#arrived)) {
      const { ticket } = arrived;
      if (slotOf(ticket) !== slot || !this.#board.isOffered(slot, numberOf(ticket))) continue;
      if (this.#headers.id(slot) === id) arrived.credits += count;
    }
  }

  #define(id: number, travel: FunctionTravel, name: string): void {
    const known: Known = { travel, name, code: undefined, loading: undefined, isLoading: true };
    known.loading = PromisePrototypeThen(makeFunction(travel), (code) => known.code = code);
    // The unit that calls the function gets the error.
    PromisePrototypeThen(known.loading, undefined, () => known.isLoading = false);
    this.#functions.set(id, known);
  }

  /** Begins arrived units while there are free places. */
  #advance(): void {
    while (this.#arrived.length > 0) {
      if (this.#running.size - this.#yielded.size >= this.#setup.concurrency) return;
      const { ticket } = this.#arrived[0], slot = slotOf(ticket), number = numberOf(ticket);
      const isOffered = this.#board.isOffered(slot, number);
      // Until its function is loaded, a unit has not begun: no time limit runs, and no death costs it.
      if (isOffered && this.#awaitFunction(this.#headers.functionId(slot))) return;
      const arrived = ArrayPrototypeShift(this.#arrived)!;
      if (!isOffered || !this.#board.claim(slot, number)) continue;
      const running = new RunningUnit(arrived, slot, this.#headers.read(slot), this.#around);
      this.#running.set(slot, running);
      running.begin();
    }
  }

  /** Whether a function is being loaded; units go on then. */
  #awaitFunction(id: number): boolean {
    const known = this.#functions.get(id);
    // The unit may have been taken back meanwhile; then it can't be claimed.
    if (known === undefined || !known.isLoading || known.code !== undefined) return false;
    const { loading } = known;
    const goOn = () => {
      this.#advance();
      // Those that waited for the function may all have been taken back.
      if (this.#running.size === 0 && this.#arrived.length === 0) this.#idle?.();
    };
    PromisePrototypeThen(loading!, goOn, goOn);
    return true;
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

  /** Units that were sent ahead are about to run: the pool needn't be woken for each of their outcomes. */
  #begin(): void {
    this.#end.cork();
    this.#lastOutcome = performance.now();
    this.#hasUntold = false;
  }

  /** Wakes the pool for what was sent. */
  #tell(): void {
    if (!this.#end.uncork()) return;
    this.#end.cork();
  }

  #send(message: FromWorker, transfer: readonly object[] = NOTHING): void {
    const left = this.#end.trySend(message, transfer);
    this.#tell();
    if (left !== undefined) blocking(left);
  }

  /**
   * Sends the outcome of an item. The pool is woken at once for an item that took long, and after a moment for
   * many short ones together. If a long item follows them, the pool looks by itself.
   */
  #sendOutcome(message: FromWorker, transfer: readonly object[] = NOTHING): void {
    this.#outcome(this.#end.trySend(message, transfer));
  }

  #clockIsDue(): boolean {
    return !this.#hasUntold || ++this.#uncounted >= this.#clockEvery;
  }

  /** The result of an item lies in its cell. */
  #isInCell(now: number | undefined, isOfMany: boolean): void {
    const left = this.#cells.mustTell() ? this.#end.trySend([IN_CELLS], NOTHING) : undefined;
    if (now === undefined && left === undefined) return;
    this.#outcome(left, now, isOfMany ? MANY_UNTOLD_MS : UNTOLD_MS);
  }

  #outcome(
    left: Operation<void> | undefined,
    now = performance.now(),
    untoldMs = UNTOLD_MS,
  ): void {
    const each = (now - this.#lastOutcome) / (this.#uncounted + 1);
    this.#clockEvery = each < TINY_MS ? CLOCK_EVERY : 1;
    this.#uncounted = 0;
    if (!this.#hasUntold) this.#firstUntold = now;
    this.#hasUntold = each < SHORT_MS && now - this.#firstUntold < untoldMs && left === undefined;
    this.#lastOutcome = now;
    if (!this.#hasUntold) this.#tell();
    if (left !== undefined) blocking(left);
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
