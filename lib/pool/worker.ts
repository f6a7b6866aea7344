// A worker of a pool, as the pool sees it: a process, a pipe to it, and its claim board. Every outcome of a unit and
// every end of a worker is found here, exactly once, and told to the pool.

import { EOFError, type ProcessError } from "../errors.ts";
import { type Connection, endpointOf } from "../pipe/connection.ts";
import type { Endpoint } from "../pipe/endpoint.ts";
import { Pipe } from "../pipe/pipe.ts";
import type { Process } from "../process/process.ts";
import { recreateFailure } from "../transfer/recreate_error.ts";
import type { Failure } from "../transfer/remote_error.ts";
import { WAIT } from "../wait/eventcount.ts";
import { eventually, type Operation } from "../wait/operation.ts";
import { Board, newBoardMemory, SLOTS } from "./board.ts";
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
  type ToWorker,
  type UnitHeader,
  type WorkerSetup,
  YIELD,
} from "./protocol.ts";
import type { ItemFailure, Unit } from "./unit.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeEvery,
  ArrayPrototypePush,
  ArrayPrototypeSome,
  clearTimeout,
  console,
  Deno,
  each,
  Float64Array,
  listOf,
  Math,
  Number,
  performance,
  RangeError,
  RegExpPrototypeExec,
  SafeMap,
  SafeSet,
  setTimeout,
  String,
  StringPrototypeSlice,
  TypeError,
} = primordials;

/** The events of a worker, for its pool. */
export interface WorkerEvents {
  ready(worker: Worker): void;
  /** The initializer has failed. */
  broken(worker: Worker, error: unknown): void;
  /** The worker has room for another unit. */
  free(worker: Worker): void;
  /** Units, or the rests of units, that another worker must run. */
  returned(units: Unit[]): void;
  /** The worker's heap has grown too large. */
  grown(worker: Worker): void;
  /** The worker accepts no more units: it was stopped, or has ended by itself. */
  lost(worker: Worker): void;
  /** The process has ended. */
  ended(worker: Worker): void;
  /** An item has an outcome. */
  finished(worker: Worker, unit: Unit, item: number, runningMs: number, hasFailed: boolean): void;
}

/** The arguments of a new worker. */
export interface WorkerMaking {
  setup: Omit<WorkerSetup, "board" | "epoch">;
  start(connection: Connection, setup: WorkerSetup): Process;
  events: WorkerEvents;
}

/**
 * loading → ready → leaving (finishes its units) → ended; stopped from any of these states.
 *
 * @example
 * ```ts
 * import { Pool, type WorkerState } from "@multiproc/multiprocessing";
 *
 * await using pool = new Pool({ processes: 1 });
 * await pool.apply((n: number) => n * n, [7]);
 * const states: WorkerState[] = pool.statistics().workers.map(({ state }) => state);
 * console.log(states); // [ "ready" ]
 * ```
 */
export type WorkerState = "loading" | "ready" | "leaving" | "stopped" | "ended";

/** A worker that takes less than this for a unit is sent so many ms of units ahead. */
const AHEAD_MS = 1;
/** The weight of a new measurement in the average duration of a unit (exponential smoothing). */
const WEIGHT = 0.2;
/** A unit that so many workers got before they ended, without beginning it, counts as the cause. */
const MAX_LOSSES = 3;
/** The time that a worker which has closed its pipe may take to end, in ms. */
const ENDING_MS = 5000;

/** One worker of a pool. */
export class Worker {
  readonly process: Process;
  /** Kept, because a connection that nothing refers to is closed. */
  readonly connection: Connection;
  readonly #end: Endpoint;
  readonly #receiving: Operation<unknown>;
  readonly #board: Board;
  readonly #events: WorkerEvents;
  readonly #concurrency: number;
  readonly #known = new SafeSet<number>();
  /** The units that were sent and have no outcome yet, by slot, in the order of sending. */
  readonly #units = new SafeMap<number, Unit>();
  readonly #sentAt = new Float64Array(SLOTS);
  #nextSlot = 0;
  #state: WorkerState = "loading";
  #unitMs = Infinity;
  /** The number of extra places, for tasks that wait for other tasks. */
  #places = 0;
  #limitTimer: ReturnType<typeof setTimeout> | undefined;
  /** The number of items that were given to the worker, and of those that have an outcome. */
  given = 0;
  done = 0;
  /** The total duration of all items that have an outcome, in ms. */
  busyMs = 0;
  /** Units that only this worker may run. */
  readonly own: Unit[] = [];
  /** The exit code of the process; null while it lives. */
  exitCode: number | null = null;
  /** Whether the worker has begun any item. */
  hasBegun = false;
  /** The error that the worker ended with, if there was one. */
  cause: unknown;
  readonly startedAt: number = performance.now();

  constructor({ setup, start, events }: WorkerMaking) {
    const board = newBoardMemory(), epoch = performance.timeOrigin + performance.now();
    const { 0: here, 1: there } = Pipe();
    this.#board = new Board(board, epoch);
    this.#events = events;
    this.#concurrency = setup.concurrency;
    this.connection = here;
    this.#end = endpointOf(here);
    this.#receiving = this.#end.receiving();
    this.#receiving.eventcount.isQuiet = true;
    this.#end.onFirstPost = () => this.#send([OBJECTS]);
    this.process = start(there, { ...setup, board, epoch });
    // Asked once for its result, the process doesn't print its error: the pool tells it.
    try {
      this.process.resultNowait();
    } catch {
      // The process has only just been started.
    }
    this.#listen();
  }

  get state(): WorkerState {
    return this.#state;
  }

  get name(): string {
    return this.process.name;
  }

  /** The number of units that were sent and have no outcome yet. */
  get load(): number {
    return this.#units.size;
  }

  /** The number of units that the worker accepts now. */
  get room(): number {
    if (this.#state !== "ready") return 0;
    const ahead = this.#unitMs < AHEAD_MS ? Math.min(AHEAD_MS / this.#unitMs, SLOTS) : 0;
    const places = this.#concurrency + this.#places + Math.ceil(ahead);
    return Math.min(places, SLOTS - 1) - this.#units.size;
  }

  /** The running items, and for how long each has run, in ms. */
  get running(): { unit: Unit; item: number; ms: number }[] {
    const running: { unit: Unit; item: number; ms: number }[] = [];
    for (const { 0: slot, 1: unit } of this.#units) {
      const { claim, item } = this.#board.look(slot);
      if (claim !== "claimed") continue;
      ArrayPrototypePush(running, { unit, item, ms: this.#board.running(slot) });
    }
    return running;
  }

  /** Whether a unit runs in this worker. */
  isRunning(unit: Unit): boolean {
    return ArrayPrototypeSome(this.running, (it) => it.unit === unit);
  }

  // Giving work

  /** Sends the worker a unit. Throws if an item can't cross, and has done nothing then. */
  give(unit: Unit): void {
    const { call, options } = unit;
    if (!this.#known.has(call.id)) {
      this.#send([DEFINE, call.id, call.travel]);
      this.#known.add(call.id);
    }
    const slot = this.#freeSlot();
    const isTimed = options.timeLimit !== undefined || this.#concurrency > 1;
    const header: UnitHeader = [
      unit.id,
      call.id,
      unit.isSpread,
      unit.first,
      unit.attempt,
      isTimed,
      options.name ?? call.name,
    ];
    this.#board.offer(slot);
    try {
      this.#send([unit.type, slot, header, unit.items] as ToWorker, options.transfer);
    } catch (error) {
      this.#board.revoke(slot);
      throw placed(error, unit);
    }
    this.#units.set(slot, unit);
    this.#sentAt[slot] = performance.now();
    this.given += unit.items.length;
    unit.client.assigned?.(this.name);
    if (options.timeLimit !== undefined) this.#limitTime();
  }

  #freeSlot(): number {
    while (this.#units.has(this.#nextSlot)) this.#nextSlot = (this.#nextSlot + 1) % SLOTS;
    const slot = this.#nextSlot;
    this.#nextSlot = (slot + 1) % SLOTS;
    return slot;
  }

  /** Sends a message. The only bound of the pipe is its memory, and a full pipe is an error for the caller. */
  #send(message: ToWorker, transfer: readonly object[] = []): void {
    this.#end.trySend(message, transfer)?.onTimeout();
  }

  /** The consumer of a generator has taken values. */
  credit(unit: Unit, count: number): void {
    const slot = this.#slotOf(unit);
    if (slot !== undefined) this.#trySend([CREDIT, slot, unit.id, count]);
  }

  /** The consumer of a generator wants no more. */
  close(unit: Unit): void {
    const slot = this.#slotOf(unit);
    if (slot !== undefined) this.#trySend([RETURN, slot, unit.id]);
  }

  #slotOf(unit: Unit): number | undefined {
    for (const { 0: slot, 1: other } of this.#units) if (other === unit) return slot;
    return undefined;
  }

  /** Sends a message to a worker that may just be ending. */
  #trySend(message: ToWorker): void {
    try {
      this.#send(message);
    } catch {
      // The worker's end is noticed where its messages are received.
    }
  }

  // Taking work back

  /** Takes back a unit that has not begun; false if it has. */
  revoke(unit: Unit): boolean {
    const slot = this.#slotOf(unit);
    if (slot === undefined || !this.#board.revoke(slot)) return false;
    this.#units.delete(slot);
    this.given -= unit.items.length;
    return true;
  }

  /** Takes back all units that have not begun. */
  revokeAll(): Unit[] {
    const back: Unit[] = [];
    for (const unit of each(listOf(this.#units.values()))) {
      if (this.revoke(unit)) ArrayPrototypePush(back, unit);
    }
    return back;
  }

  /**
   * Ends a running unit, and this worker with it; true if the unit was running. If other units run beside it,
   * the task is asked to stop, by its signal, and the worker ends when none of its units is wanted any more.
   */
  stop(unit: Unit, reason: unknown): boolean {
    const slot = this.#slotOf(unit);
    if (slot === undefined) return false;
    const { claim, item } = this.#board.look(slot);
    if (claim !== "claimed") return false;
    if (this.running.length > 1) {
      this.#trySend([ABORT, slot, unit.id, isCloneable(reason) ? reason : String(reason)]);
      this.#endIfUnwanted();
      return true;
    }
    if (!this.#board.stop(slot, item)) {
      // The worker has gone on to the next item meanwhile, or the unit is done.
      return this.#board.look(slot).claim === "claimed" && this.stop(unit, reason);
    }
    this.#kill(slot);
    return true;
  }

  /** Ends the worker if all running units were given up. */
  #endIfUnwanted(): void {
    const back = this.revokeAll();
    if (ArrayPrototypeEvery(this.running, ({ unit }) => unit.isDropped)) {
      this.#lose();
      this.process.kill();
    }
    if (back.length > 0) this.#events.returned(back);
  }

  /** Kills the worker in the middle of a unit whose client has been told. Items that have not begun go back. */
  #kill(slot: number): void {
    const unit = this.#units.get(slot)!;
    this.#units.delete(slot);
    const rest: Unit[] = [];
    if (!unit.isDropped && unit.settled < unit.items.length) {
      ArrayPrototypePush(rest, unit.slice(unit.settled, unit.items.length));
    }
    for (const other of each(this.revokeAll())) ArrayPrototypePush(rest, other);
    this.#lose();
    this.process.kill();
    if (rest.length > 0) this.#events.returned(rest);
  }

  #lose(): void {
    if (this.#state === "ended") return;
    const isNews = this.#state !== "stopped";
    this.#state = "stopped";
    clearTimeout(this.#limitTimer);
    if (isNews) this.#events.lost(this);
  }

  /** Accepts no more units; the worker ends when it has finished its units. */
  retire(): void {
    if (this.#state === "loading" || this.#state === "ready") {
      this.#state = "leaving";
      this.#trySend([END]);
    }
  }

  /** Accepts no more units: the worker can't be reached any more, and is about to end. */
  giveUp(): void {
    this.#lose();
  }

  /** Ends the worker at once, with all its units. */
  terminate(): void {
    if (this.#state === "ended") return;
    this.#units.clear();
    this.#lose();
    this.process.terminate();
  }

  // Time limits

  /** Checks the limits when the next one can be reached. */
  #limitTime(): void {
    if (this.#limitTimer !== undefined) return;
    const left = this.#checkLimits();
    if (left === Infinity) return;
    this.#limitTimer = setTimeout(() => {
      this.#limitTimer = undefined;
      this.#limitTime();
    }, Math.min(Math.ceil(left), 2 ** 31 - 1));
    Deno.unrefTimer(this.#limitTimer as unknown as number);
  }

  /** Ends a unit that has reached its limit; returns the time until the next limit, in ms. */
  #checkLimits(): number {
    let next = Infinity;
    for (const { 0: slot, 1: unit } of this.#units) {
      const { timeLimit } = unit.options;
      if (timeLimit === undefined) continue;
      const { claim, item } = this.#board.look(slot);
      const left = claim === "claimed" ? timeLimit - this.#board.running(slot) : timeLimit;
      if (left > 0) {
        next = Math.min(next, left);
        continue;
      }
      if (!this.#board.stop(slot, item)) {
        next = Math.min(next, timeLimit);
        continue;
      }
      this.hearSync();
      if (!this.#units.has(slot)) continue; // its last message told the outcome
      const failure = this.#failureOf(unit, item, { exitCode: -9, limit: "timeLimit" as const });
      unit.settled = item + 1;
      this.#report(slot, unit, item, true);
      unit.client.failed(unit.first + item, failure);
      this.#kill(slot);
      return Infinity;
    }
    return next;
  }

  #failureOf(
    unit: Unit,
    item: number,
    how: { exitCode: number; limit: ItemFailure["limit"]; cause?: unknown },
  ): ItemFailure {
    const { exitCode, limit, cause } = how;
    return {
      how: "ended",
      ...{ cause, exitCode, limit },
      worker: this.name,
      attempts: unit.attempt,
      item: unit.items[item],
    };
  }

  // Receiving

  async #listen(): Promise<void> {
    const { polling } = this.#end;
    try {
      for (;;) {
        // Only polls: a message that was taken while the thread is blocked could not be read by hearSync().
        await eventually(polling);
        this.#drain();
      }
    } catch (error) {
      if (!(error instanceof EOFError) && this.#state !== "ended") reportBug(error);
      await this.#closed();
    }
  }

  /** Reads all messages while the thread is blocked and #listen() can't. */
  hearSync(): void {
    if (this.#state === "ended") return;
    try {
      this.#drain();
    } catch (error) {
      if (!(error instanceof EOFError)) throw error;
      this.#endSync();
    }
  }

  /** The operation of the next message, for blocking waits. */
  get receiving(): Operation<unknown> {
    return this.#receiving;
  }

  #drain(): void {
    for (;;) {
      const message = this.#receiving.attempt();
      if (message === WAIT) return;
      this.#hear(message as FromWorker);
    }
  }

  #hear(message: FromWorker): void {
    switch (message[0]) {
      case DONE:
      case FAILED: {
        const { 0: type, 1: slot, 2: content } = message;
        const unit = this.#units.get(slot);
        if (unit === undefined) return; // the unit was stopped
        const item = unit.settled++;
        this.hasBegun = true;
        this.#report(slot, unit, item, type === FAILED);
        if (unit.settled === unit.items.length) this.#units.delete(slot);
        if (!unit.isDropped) {
          if (type === DONE) unit.client.returned(unit.first + item, content);
          else {
            unit.client.failed(unit.first + item, {
              how: "threw",
              cause: recreateFailure(content as Failure),
              exitCode: 1,
              limit: undefined,
              worker: this.name,
              attempts: unit.attempt,
              item: unit.items[item],
            });
          }
        }
        if (unit.settled === unit.items.length) this.#events.free(this);
        return;
      }
      case MESSAGE:
        return this.#units.get(message[1])?.client.message?.(message[3]);
      case YIELD:
        return this.#units.get(message[1])?.client.yielded?.(message[2]);
      case READY:
        if (this.#state === "loading") this.#state = "ready";
        return this.#events.ready(this);
      case BROKEN:
        return this.#events.broken(this, recreateFailure(message[1]));
      case GROWN:
        return this.#events.grown(this);
      case PLACES:
        this.#places = message[1];
        return this.#events.free(this);
    }
  }

  /** Measures and counts an item that has an outcome. */
  #report(slot: number, unit: Unit, item: number, hasFailed: boolean): void {
    const now = performance.now(), ms = now - this.#sentAt[slot];
    this.#sentAt[slot] = now;
    this.done++;
    this.busyMs += ms;
    const own = this.#units.size > 1 ? ms / this.#units.size : ms;
    if (unit.items.length === 1 || item === unit.items.length - 1) {
      this.#unitMs = this.#unitMs === Infinity ? own : this.#unitMs + WEIGHT * (own - this.#unitMs);
    }
    this.#events.finished(this, unit, item, ms, hasFailed);
  }

  /** Waits for the end of the process: no more messages will come. */
  async #closed(): Promise<void> {
    if (this.#state === "ended") return;
    if (!await this.process.join({ timeout: ENDING_MS })) this.process.kill();
    // A blocking call may have noticed the end meanwhile.
    if ((this.#state as WorkerState) !== "ended") await this.process.join();
    this.#ended();
  }

  /** As #closed(), but blocks the thread. */
  #endSync(): void {
    if (!this.process.joinSync({ timeout: ENDING_MS })) this.process.kill();
    this.process.joinSync();
    this.#ended();
  }

  /** Settles or gives back all units: the process has ended. */
  #ended(): void {
    if (this.#state === "ended") return;
    const lost = listOf(this.#units);
    this.#units.clear();
    if (this.#state !== "leaving" || lost.length > 0) this.#lose();
    this.#state = "ended";
    clearTimeout(this.#limitTimer);
    this.exitCode = this.process.exitCode;
    const ending = this.#ending();
    this.cause = ending.cause;
    if (lost.length > 0) this.#settleLost(lost, ending);
    this.connection.close();
    this.process.close();
    this.#events.ended(this);
  }

  /** How the process has ended. */
  #ending(): { exitCode: number; limit: ItemFailure["limit"]; cause: unknown } {
    try {
      this.process.resultNowait();
      return { exitCode: 0, limit: undefined, cause: undefined };
    } catch (error) {
      const { exitCode, limit, cause } = error as ProcessError;
      return { exitCode, limit, cause };
    }
  }

  /** Fails the item that was running, or runs it anew; items that have not begun go back. */
  #settleLost(
    lost: [slot: number, unit: Unit][],
    ending: { exitCode: number; limit: ItemFailure["limit"]; cause: unknown },
  ): void {
    const rest: Unit[] = [];
    for (const { 0: slot, 1: unit } of each(lost)) {
      if (unit.isDropped) continue;
      const { claim, item } = this.#board.look(slot);
      const hasBegun = claim !== "pending" && claim !== "revoked" ||
        ++unit.losses >= MAX_LOSSES;
      this.hasBegun ||= hasBegun;
      const wasRunning = hasBegun && (claim === "free" || item >= unit.settled);
      let from = unit.settled;
      if (wasRunning) {
        const at = unit.settled++;
        from = at + 1;
        if (unit.attempt <= unit.options.retries && unit.options.transfer.length === 0) {
          ArrayPrototypePush(rest, unit.slice(at, at + 1, unit.attempt + 1));
        } else {
          this.#events.finished(this, unit, at, performance.now() - this.#sentAt[slot], true);
          unit.client.failed(unit.first + at, this.#failureOf(unit, at, ending));
        }
      }
      if (from < unit.items.length) {
        ArrayPrototypePush(rest, unit.slice(from, unit.items.length));
      }
    }
    if (rest.length > 0) this.#events.returned(rest);
  }
}

function isCloneable(value: unknown): boolean {
  return value === null || typeof value !== "object" && typeof value !== "function" &&
      typeof value !== "symbol";
}

/** Rewrites an error about a place in a message as one about a place in the caller's arguments. */
function placed(error: unknown, { isSpread, items, first }: Unit): unknown {
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) return error;
  const place = RegExpPrototypeExec(/^message\[3\]\[(\d+)\]/, error.message);
  if (place === null) return error;
  const isCall = isSpread && items.length === 1 && first === 0;
  const given = isCall ? "args" : `items[${first + Number(place[1])}]`;
  const message = given + StringPrototypeSlice(error.message, place[0].length);
  return error instanceof TypeError ? new TypeError(message) : new RangeError(message);
}

/** Prints an error that should never happen. */
function reportBug(error: unknown): void {
  console.error("@multiproc/multiprocessing: a pool could not read what a worker has sent.", error);
}
