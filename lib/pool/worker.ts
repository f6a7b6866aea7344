// A worker of a pool, as the pool sees it: a process, a pipe to it, and the board that says what it may still do.
// Everything that becomes of it ends here, once, and is told to the pool.

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

/** What a worker tells its pool. */
export interface WorkerEvents {
  ready(worker: Worker): void;
  /** Its initializer has failed. */
  broken(worker: Worker, error: unknown): void;
  /** It has room for more. */
  free(worker: Worker): void;
  /** What is left of a unit, to be given to another worker. */
  returned(units: Unit[]): void;
  /** Its heap has grown too large. */
  grown(worker: Worker): void;
  /** It takes no more units: it was stopped, or has ended by itself. */
  lost(worker: Worker): void;
  /** Its process has ended. */
  ended(worker: Worker): void;
  /** An item has an outcome. */
  finished(worker: Worker, unit: Unit, item: number, runningMs: number, hasFailed: boolean): void;
}

/** How a worker is made. */
export interface WorkerMaking {
  setup: Omit<WorkerSetup, "board" | "epoch">;
  start(connection: Connection, setup: WorkerSetup): Process;
  events: WorkerEvents;
}

/**
 * loading → ready → leaving (finishes what it has) → ended; stopped from any of them.
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

/** Units are sent ahead to a worker that takes no longer than this for one, so many ms of them. */
const AHEAD_MS = 1;
/** What a new measurement of the length of a unit counts. */
const WEIGHT = 0.2;
/** A unit with which so many workers have ended before they began it is to blame. */
const MAX_LOSSES = 3;
/** How long a worker that has closed its pipe may take to end, in ms. */
const ENDING_MS = 5000;

/** One worker. */
export class Worker {
  readonly process: Process;
  /** A connection that nothing refers to is closed. */
  readonly connection: Connection;
  readonly #end: Endpoint;
  readonly #receiving: Operation<unknown>;
  readonly #board: Board;
  readonly #events: WorkerEvents;
  readonly #concurrency: number;
  readonly #known = new SafeSet<number>();
  /** The units in hand, by slot, in the order in which they were sent. */
  readonly #units = new SafeMap<number, Unit>();
  readonly #sentAt = new Float64Array(SLOTS);
  #nextSlot = 0;
  #state: WorkerState = "loading";
  #unitMs = Infinity;
  /** Places of tasks that wait for others. */
  #places = 0;
  #limitTimer: ReturnType<typeof setTimeout> | undefined;
  /** How many items it was given, and how many have an outcome. */
  given = 0;
  done = 0;
  /** In ms, of all items that have an outcome. */
  busyMs = 0;
  /** Units only it is to run. */
  readonly own: Unit[] = [];
  /** That of its process; null while it lives. */
  exitCode: number | null = null;
  /** Whether it has begun anything. */
  hasBegun = false;
  /** The error that it ended with, if there was one. */
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
    // Its pool tells of its errors, so they needn't be printed.
    try {
      this.process.resultNowait();
    } catch {
      // It has only just been started.
    }
    this.#listen();
  }

  get state(): WorkerState {
    return this.#state;
  }

  get name(): string {
    return this.process.name;
  }

  /** How many units it has in hand. */
  get load(): number {
    return this.#units.size;
  }

  /** How many more units it takes now. */
  get room(): number {
    if (this.#state !== "ready") return 0;
    const ahead = this.#unitMs < AHEAD_MS ? Math.min(AHEAD_MS / this.#unitMs, SLOTS) : 0;
    const places = this.#concurrency + this.#places + Math.ceil(ahead);
    return Math.min(places, SLOTS - 1) - this.#units.size;
  }

  /** What runs in it, and for how long, in ms. */
  get running(): { unit: Unit; item: number; ms: number }[] {
    const running: { unit: Unit; item: number; ms: number }[] = [];
    for (const { 0: slot, 1: unit } of this.#units) {
      const { claim, item } = this.#board.look(slot);
      if (claim !== "claimed") continue;
      ArrayPrototypePush(running, { unit, item, ms: this.#board.running(slot) });
    }
    return running;
  }

  /** Whether a unit runs in it. */
  isRunning(unit: Unit): boolean {
    return ArrayPrototypeSome(this.running, (it) => it.unit === unit);
  }

  // Giving it work

  /** Sends it a unit. Throws what can't cross, and has done nothing then. */
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

  /** The pipe has no bound but its memory, and one that is full is an error of the caller's. */
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

  /** To a worker that may just be ending. */
  #trySend(message: ToWorker): void {
    try {
      this.#send(message);
    } catch {
      // Its end is noticed where its messages are received.
    }
  }

  // Taking it back

  /** Takes back a unit that has not begun; false if it has. */
  revoke(unit: Unit): boolean {
    const slot = this.#slotOf(unit);
    if (slot === undefined || !this.#board.revoke(slot)) return false;
    this.#units.delete(slot);
    this.given -= unit.items.length;
    return true;
  }

  /** All that has not begun. */
  revokeAll(): Unit[] {
    const back: Unit[] = [];
    for (const unit of each(listOf(this.#units.values()))) {
      if (this.revoke(unit)) ArrayPrototypePush(back, unit);
    }
    return back;
  }

  /**
   * Ends a unit that is running, and this worker with it; true if it was running. Where other units run beside
   * it, its task is asked to stop, by its signal, and the worker ends when none of them is wanted any more.
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
      // It has gone on to its next item meanwhile, or is done.
      return this.#board.look(slot).claim === "claimed" && this.stop(unit, reason);
    }
    this.#kill(slot);
    return true;
  }

  /** Ends a worker in which nothing runs any more that anybody wants. */
  #endIfUnwanted(): void {
    const back = this.revokeAll();
    if (ArrayPrototypeEvery(this.running, ({ unit }) => unit.isDropped)) {
      this.#lose();
      this.process.kill();
    }
    if (back.length > 0) this.#events.returned(back);
  }

  /** Kills the worker in the middle of the unit in a slot, which has been told of it. What has not begun goes back. */
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

  /** Takes no more units; ends when it has finished those it has. */
  retire(): void {
    if (this.#state === "loading" || this.#state === "ready") {
      this.#state = "leaving";
      this.#trySend([END]);
    }
  }

  /** Takes no more units: it can't be reached any more, and is about to end. */
  giveUp(): void {
    this.#lose();
  }

  /** Ends at once, with all it has. */
  terminate(): void {
    if (this.#state === "ended") return;
    this.#units.clear();
    this.#lose();
    this.process.terminate();
  }

  // Time limits

  /** Looks at the clock when the next limit can be reached. */
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

  /** Ends what has reached its limit; answers how long the next one has, in ms. */
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
      if (!this.#units.has(slot)) continue; // a last message has told
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

  // What it sends

  async #listen(): Promise<void> {
    const { polling } = this.#end;
    try {
      for (;;) {
        // Nothing is taken before it can be heard: while the thread is blocked, hearSync() hears it.
        await eventually(polling);
        this.#drain();
      }
    } catch (error) {
      if (!(error instanceof EOFError) && this.#state !== "ended") reportBug(error);
      await this.#closed();
    }
  }

  /** Hears all that has been sent, where the thread is blocked and can't; its end is noticed later. */
  hearSync(): void {
    if (this.#state === "ended") return;
    try {
      this.#drain();
    } catch (error) {
      if (!(error instanceof EOFError)) throw error;
      this.#endSync();
    }
  }

  /** When its messages have come, for those who wait blocked. */
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
        if (unit === undefined) return; // it was stopped
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

  /** Keeps account of an item that has an outcome. */
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

  /** Nothing more will come: it has ended, or is about to. */
  async #closed(): Promise<void> {
    if (this.#state === "ended") return;
    if (!await this.process.join({ timeout: ENDING_MS })) this.process.kill();
    // A blocking call may have noticed it meanwhile.
    if ((this.#state as WorkerState) !== "ended") await this.process.join();
    this.#ended();
  }

  /** The same with the thread blocked. */
  #endSync(): void {
    if (!this.process.joinSync({ timeout: ENDING_MS })) this.process.kill();
    this.process.joinSync();
    this.#ended();
  }

  /** Its process has ended: what becomes of the units it had? */
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

  /** How its process has ended. */
  #ending(): { exitCode: number; limit: ItemFailure["limit"]; cause: unknown } {
    try {
      this.process.resultNowait();
      return { exitCode: 0, limit: undefined, cause: undefined };
    } catch (error) {
      const { exitCode, limit, cause } = error as ProcessError;
      return { exitCode, limit, cause };
    }
  }

  /** The item that was running has failed; all that has not begun goes back. */
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

/** An error about a place in a message as one about a place in what the caller has given. */
function placed(error: unknown, { isSpread, items, first }: Unit): unknown {
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) return error;
  const place = RegExpPrototypeExec(/^message\[3\]\[(\d+)\]/, error.message);
  if (place === null) return error;
  const isCall = isSpread && items.length === 1 && first === 0;
  const given = isCall ? "args" : `items[${first + Number(place[1])}]`;
  const message = given + StringPrototypeSlice(error.message, place[0].length);
  return error instanceof TypeError ? new TypeError(message) : new RangeError(message);
}

/** What should never happen must not be silent. */
function reportBug(error: unknown): void {
  console.error("@multiproc/multiprocessing: a pool could not read what a worker has sent.", error);
}
