// A worker of a pool, as the pool sees it: a process, a pipe to it, and its claim board. Every outcome of a unit and
// every end of a worker is found here, exactly once, and told to the pool.

import { EOFError } from "../errors.ts";
import type { Connection } from "../pipe/connection.ts";
import { Pipe } from "../pipe/pipe.ts";
import type { Process } from "../process/process.ts";
import { recreateFailure } from "../transfer/recreate_error.ts";
import type { Failure } from "../transfer/remote_error.ts";
import { CallSite } from "../wait/call_site.ts";
import { eventually, type Operation } from "../wait/operation.ts";
import { Board, newBoardMemory, SLOTS, ticketOf } from "./board.ts";
import { Cells, newCellMemory, NO_CELLS } from "./cells.ts";
import {
  ABORT,
  BROKEN,
  CREDIT,
  DONE,
  END,
  FAILED,
  type FromWorker,
  GROWN,
  IN_CELLS,
  MESSAGE,
  PLACES,
  READY,
  RETURN,
  RUN,
  sendableReason,
  STOPPED,
  TOLD,
  type WorkerSetup,
  YIELD,
} from "./protocol.ts";
import { endingOf, failureOf, TIME_LIMIT_REACHED } from "./ending.ts";
import { settleLost } from "./lost_units.ts";
import { Headers, newHeaderMemory } from "./headers.ts";
import { Pace } from "./pace.ts";
import type { Registered } from "./functions.ts";
import { placed } from "./message_place.ts";
import { type RunningItem, SentUnits } from "./sent_units.ts";
import { StoppedUnits } from "./stopped_units.ts";
import { TimeLimits } from "./time_limits.ts";
import type { Unit } from "./unit.ts";
import { messageOf, WorkerLink } from "./worker_link.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypePush,
  ArrayPrototypeSome,
  ArrayPrototypeUnshift,
  clearTimeout,
  console,
  Deno,
  each,
  Math,
  performance,
  setTimeout,
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
  /** Whether no other worker has work: then it is worth while to spin for this one. */
  isOnlyBusy(worker: Worker): boolean;
  /** The worker's heap has grown too large. */
  grown(worker: Worker): void;
  /** The worker accepts no more units: it was stopped, or has ended by itself. */
  lost(worker: Worker): void;
  /** The process has ended. */
  ended(worker: Worker): void;
  /** So many items, from this one on, have an outcome; each has taken so long. */
  finished(
    worker: Worker,
    unit: Unit,
    item: number,
    count: number,
    runningMs: number,
    hasFailed: boolean,
  ): void;
}

/** The arguments of a new worker. */
export interface WorkerMaking {
  setup: Omit<WorkerSetup, "board" | "headers" | "cells" | "epoch">;
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

/** The time that a worker which has closed its pipe may take to end, in ms. */
const ENDING_MS = 5000;
/** The time that the initializer of a worker that nothing waits for may still take, in ms. */
const LOADING_MS = 2000;

/** One worker of a pool. */
export class Worker {
  readonly process: Process;
  readonly #link: WorkerLink;
  readonly #board: Board;
  readonly #headers: Headers;
  readonly #cells: Cells;
  readonly #events: WorkerEvents;
  readonly #concurrency: number;
  readonly #sent: SentUnits;
  #state: WorkerState = "loading";
  #isLoaded = false;
  /** Ends a worker whose initializer doesn't end. */
  #leaving: ReturnType<typeof setTimeout> | undefined;
  readonly #pace = new Pace();
  /** Whether the worker had been told to leave before it ended. */
  #wasLeaving = false;
  /** When a unit was last done, and when one was last sent, or the worker was ready. */
  #lastDone = 0;
  #lastGiven = 0;
  /** The number of extra places, for tasks that wait for other tasks. */
  #places = 0;
  readonly #limits: TimeLimits;
  /** The number of items that were given to the worker, and of those that have an outcome. */
  given = 0;
  done = 0;
  /** Units that only this worker may run. */
  readonly own: Unit[] = [];
  /** The exit code of the process; null while it lives. */
  exitCode: number | null = null;
  /** Whether the worker has begun any item. */
  hasBegun = false;
  /** Whether the pool has ended the worker, or has asked it to end. */
  isUnwanted = false;
  readonly #stopped = new StoppedUnits((wasTold) => this.#outlivesSignal(wasTold));
  /** The error that the worker ended with, if there was one. */
  cause: unknown;
  readonly startedAt: number = performance.now();

  constructor({ setup, start, events }: WorkerMaking) {
    const board = newBoardMemory(), headers = newHeaderMemory(), cells = newCellMemory();
    const epoch = performance.timeOrigin + performance.now();
    const { 0: here, 1: there } = Pipe();
    this.#board = new Board(board, epoch);
    this.#headers = new Headers(headers);
    this.#cells = new Cells(cells);
    this.#sent = new SentUnits(this.#board, this.#cells);
    this.#limits = new TimeLimits(
      this.#sent,
      () => this.hearSync(),
      (slot, unit, item) => this.#endInTime(slot, unit, item),
    );
    this.#events = events;
    this.#concurrency = setup.concurrency;
    this.#link = new WorkerLink(here, {
      hear: () => this.#drain(),
      maySpin: () => this.#state !== "ended" && events.isOnlyBusy(this),
    });
    this.process = start(there, { ...setup, board, headers, cells, epoch });
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
    return this.#sent.units.size;
  }

  /** The time in which it had units, in ms. */
  get busyMs(): number {
    return this.#sent.units.busyMs;
  }

  /** The units that were sent and have no outcome yet. */
  get units(): Unit[] {
    return this.#sent.units.values;
  }

  /** The number of units that the worker accepts now. */
  get room(): number {
    return this.#room(this.#pace.ahead);
  }

  /** Whether the worker accepts a unit now. One whose buffers move can't be taken back, and is not sent ahead. */
  accepts({ options: { transfer } }: Unit): boolean {
    return this.#room(transfer.length > 0 ? 0 : this.#pace.ahead) > 0;
  }

  #room(ahead: number): number {
    if (this.#state !== "ready") return 0;
    const places = this.#concurrency + this.#places + ahead;
    return Math.min(places, SLOTS - 1) - this.#sent.units.size;
  }

  /** Since when a worker without units has had none, by performance.now(). */
  get idleSince(): number {
    return Math.max(this.#lastDone, this.#lastGiven);
  }

  /** Whether the claim board has a slot for another unit. */
  get hasSlot(): boolean {
    return this.#state !== "stopped" && this.#state !== "ended" &&
      this.#sent.units.size < SLOTS - 1;
  }

  /** Whether one of its tasks waits for other tasks, so that its place is free. */
  get isNesting(): boolean {
    return this.#places > 0;
  }

  /** Whether it has a unit that doesn't wait for other tasks: one that waits leaves its place to those. */
  get isBusy(): boolean {
    return this.#state !== "stopped" && this.#sent.units.size > this.#places;
  }

  /** The running items, and for how long each has run, in ms. */
  get running(): RunningItem[] {
    return this.#sent.running;
  }

  /** Whether a unit runs in this worker. */
  isRunning(unit: Unit): boolean {
    return ArrayPrototypeSome(this.running, (it) => it.unit === unit);
  }

  // Giving work

  /** Sends the worker a unit. Throws if an item can't cross, and has done nothing then. */
  give(unit: Unit, now = performance.now()): void {
    const { call, options } = unit;
    this.#link.define(call);
    // A worker that has work needn't be woken for more before this turn of the program's code is over.
    if (this.#sent.units.size > 0) this.#link.cork();
    else if (this.#pace.isShort) this.#link.spinSoon();
    const slot = this.#sent.freeSlot();
    const cells = unit.type === RUN ? this.#cells.take(slot, unit.items.length) : NO_CELLS;
    const isTimed = options.timeLimit !== undefined || this.#concurrency > 1;
    const { type, id, isSpread, first, attempt } = unit;
    this.#headers.write(slot, type, id, call.id, isSpread, first, attempt, isTimed, cells);
    const ticket = ticketOf(slot, this.#board.offer(slot));
    try {
      this.#link.send(messageOf(ticket, unit), options.transfer);
    } catch (error) {
      this.#board.revoke(slot);
      this.#cells.give(cells);
      throw placed(error, unit);
    }
    this.#sent.add(slot, unit, cells, now);
    this.#lastGiven = now;
    if (unit.pinned === undefined) this.given += unit.items.length;
    unit.client.assigned?.(this.name, now);
    if (options.timeLimit !== undefined) this.#limits.watch();
  }

  /** Lets the worker load a function before it is needed. */
  prepare(call: Registered): void {
    try {
      this.#link.define(call);
    } catch {
      // The worker's end is noticed where its messages are received.
    }
  }

  /** The consumer of a generator has taken values. */
  credit(unit: Unit, count: number): void {
    const slot = this.#sent.slotOf(unit);
    if (slot !== undefined) this.#link.trySend([CREDIT, slot, unit.id, count]);
  }

  /** The consumer of a generator wants no more. */
  close(unit: Unit): void {
    const slot = this.#sent.slotOf(unit);
    if (slot !== undefined) this.#link.trySend([RETURN, slot, unit.id]);
  }

  // Taking work back

  /** Takes back a unit that has not begun; false if it has. */
  revoke(unit: Unit): boolean {
    if (!this.#sent.revoke(unit)) return false;
    if (unit.pinned === undefined) this.given -= unit.items.length;
    this.#endIfDone();
    return true;
  }

  /** Takes back all units that have not begun, and returns those that another worker may run. */
  revokeAll(): Unit[] {
    const back: Unit[] = [], own: Unit[] = [];
    for (const unit of each(this.#sent.units.values)) {
      if (unit.options.transfer.length > 0) continue; // its buffers have moved
      if (this.revoke(unit)) ArrayPrototypePush(unit.pinned === undefined ? back : own, unit);
    }
    if (own.length > 0) ArrayPrototypeUnshift(this.own, ...own);
    return back;
  }

  /** Ends a running unit, and this worker with it unless other units run beside it. */
  stop(unit: Unit, reason: unknown): void {
    const slot = this.#sent.slotOf(unit);
    if (slot === undefined) return;
    for (;;) {
      const { claim, item } = this.#board.look(slot);
      if (claim !== "claimed") return; // the unit is done, or was stopped before
      if (this.#board.stop(slot, item)) return this.#endStopped(slot, unit, reason);
      // The worker has gone on to the next item meanwhile.
    }
  }

  /**
   * Ends a unit that was stopped on the board: with the worker; but if other units run beside it, by its signal, and
   * the worker ends when none of its units is wanted any more. Items that have not begun go back.
   */
  #endStopped(slot: number, unit: Unit, reason: unknown): void {
    if (this.#state === "ended") return; // its end was heard meanwhile, and has settled the unit
    const rest: Unit[] = [];
    this.#readCells(slot, unit);
    this.#sent.units.set(slot, unit); // also if its last outcome has just been heard
    if (!unit.isDropped && unit.settled < unit.items.length) {
      ArrayPrototypePush(rest, unit.slice(unit.settled, unit.items.length));
    }
    // From then on no other unit can begin.
    for (const other of each(this.revokeAll())) ArrayPrototypePush(rest, other);
    const others = this.#sent.units.size - this.#stopped.size - 1;
    if (others === 0) {
      this.#sent.units.delete(slot);
      this.#kill();
    } else {
      this.#stopped.add(slot);
      this.#link.trySend([ABORT, slot, unit.id, sendableReason(reason)]);
    }
    if (rest.length > 0) this.#events.returned(rest);
  }

  /** A stopped unit has not ended soon after its signal. */
  #outlivesSignal(wasTold: boolean): void {
    // A blocked thread runs no other unit either. Otherwise they go on, and the worker ends after them.
    if (wasTold) this.#events.grown(this);
    else this.#kill();
  }

  /** A stopped unit has ended by itself. */
  #forgetStopped(slot: number): void {
    if (!this.#stopped.delete(slot)) return;
    this.#sent.units.delete(slot);
    this.#board.free(slot);
    this.#endIfDone();
    this.#events.free(this);
  }

  /** Kills the worker if only stopped units are left in it. */
  #endIfUnwanted(): void {
    if (this.#stopped.size > 0 && this.#stopped.size === this.#sent.units.size) this.#kill();
  }

  #kill(): void {
    this.isUnwanted = true;
    this.#lose();
    this.process.kill();
  }

  #lose(): void {
    if (this.#state === "ended") return;
    const isNews = this.#state !== "stopped";
    this.#state = "stopped";
    this.#limits.stop();
    if (isNews) this.#events.lost(this);
  }

  /** Accepts no more units; the worker ends when it has finished its units. */
  retire(): void {
    if (this.#state === "loading" || this.#state === "ready") {
      this.isUnwanted = true;
      this.#state = "leaving";
      this.#endIfDone();
    }
  }

  /** Tells a worker that leaves that no more messages come: while it has units, they need some. */
  #endIfDone(): void {
    if (this.#state === "leaving" && this.#sent.units.size === 0) this.#link.trySend([END]);
  }

  /** As retire(), at the end of the pool: a worker whose initializer goes on is ended after a while. */
  leave(): void {
    this.retire();
    if (this.#isLoaded || this.#state !== "leaving" || this.#leaving !== undefined) return;
    this.#leaving = setTimeout(() => this.#isLoaded || this.#kill(), LOADING_MS);
    Deno.unrefTimer(this.#leaving as unknown as number);
  }

  /** Accepts no more units: the worker can't be reached any more, and is about to end. */
  giveUp(): void {
    this.#lose();
  }

  /** Ends the worker at once, with all its units. */
  terminate(): void {
    if (this.#state === "ended") return;
    this.isUnwanted = true;
    this.#sent.units.clear();
    this.#lose();
    this.process.terminate();
  }

  /** Ends a unit that has reached its time limit, and is stopped at this item. */
  #endInTime(slot: number, unit: Unit, item: number): void {
    this.#readCells(slot, unit);
    // The item may have had its outcome just before; then only the worker has ended.
    if (unit.settled <= item) {
      // A process that has ended by itself in time may need a while to be gone.
      const how = this.process.exitCode === null ? TIME_LIMIT_REACHED : endingOf(this.process);
      const failure = failureOf(this.name, unit, item, how);
      unit.settled = item + 1;
      this.#report(slot, unit, item, 1, true);
      if (!unit.isDropped) unit.client.failed(unit.first + item, failure);
    }
    this.#endStopped(slot, unit, "timeLimit");
  }

  /** Ends units that have reached their time limit; returns the time until the next limit, in ms. */
  checkLimits(): number {
    return this.#state === "ended" ? Infinity : this.#limits.check();
  }

  // Receiving

  async #listen(): Promise<void> {
    // Only polls: a message that was taken while the thread is blocked could not be read by hearSync().
    const { polling } = this.#link;
    const here = new CallSite(this.#listen), caller = () => here;
    try {
      for (;;) {
        await eventually(polling, undefined, caller);
        this.#drain();
      }
    } catch (error) {
      if (!(error instanceof EOFError) && this.#state !== "ended") {
        console.error(`A message of ${this.name} can't be read, so that worker is ended:`, error);
      }
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
    this.#link.uncork();
  }

  /** Reads what a worker has sent without waking this process, if there is anything. */
  look(): void {
    if (this.#state === "ended" || this.#sent.units.size === 0) return;
    this.#link.look();
    this.#readAllCells();
  }

  /** The operation of the next message, for blocking waits. */
  get receiving(): Operation<unknown> {
    return this.#link.receiving;
  }

  #drain(): void {
    let isInCells = false;
    try {
      for (;;) {
        const message = this.#link.receive();
        if (message === undefined) break;
        if (message[0] === IN_CELLS) isInCells = true;
        else this.#hear(message);
      }
    } finally {
      if (isInCells) this.#readAllCells();
    }
  }

  #readAllCells(): void {
    this.#cells.heard();
    const { units } = this.#sent, { slots } = units, now = performance.now();
    for (let i = 0; i < slots.length; i++) {
      const unit = units.get(slots[i]);
      if (unit !== undefined) this.#readCells(slots[i], unit, now);
    }
  }

  /** Settles the items whose results lie in cells. */
  #readCells(slot: number, unit: Unit, now = performance.now()): void {
    if (this.#stopped.has(slot)) return;
    const count = this.#sent.countInCells(slot, unit);
    if (count === 0) return;
    const from = unit.settled, at = this.#sent.cellsOf(slot);
    this.hasBegun = true;
    unit.settled += count;
    this.#report(slot, unit, from, count, false, now);
    const isDone = unit.settled === unit.items.length;
    if (isDone) this.#sent.units.delete(slot);
    const { client, first } = unit;
    if (count > 1 && client.returnedInCells !== undefined) {
      if (!unit.isDropped) client.returnedInCells(first + from, count, this.#cells, at + from);
    } else {
      for (let item = from; item < from + count && !unit.isDropped; item++) {
        client.returned(first + item, this.#cells.read(at + item), now);
      }
    }
    if (!isDone) return;
    this.#cells.give(at);
    this.#unitDone();
  }

  #unitDone(): void {
    this.#endIfUnwanted();
    this.#endIfDone();
    this.#events.free(this);
  }

  #hear(message: FromWorker): void {
    switch (message[0]) {
      case DONE:
      case FAILED: {
        const { 0: type, 1: slot, 2: content } = message;
        const unit = this.#sent.units.get(slot);
        if (unit === undefined || this.#stopped.has(slot)) return; // the unit was stopped
        const now = performance.now();
        if (unit.items.length > 1) this.#readCells(slot, unit, now);
        const item = unit.settled++;
        this.hasBegun = true;
        this.#report(slot, unit, item, 1, type === FAILED, now);
        if (unit.settled === unit.items.length) this.#sent.delete(slot);
        if (!unit.isDropped) {
          if (type === DONE) unit.client.returned(unit.first + item, content, now);
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
        if (unit.settled === unit.items.length) this.#unitDone();
        return;
      }
      case MESSAGE:
        return this.#wanted(message[1])?.client.message?.(message[3]);
      case YIELD: {
        const unit = this.#wanted(message[1]);
        if (unit === undefined) return;
        unit.hasYielded = true;
        return unit.client.yielded?.(message[2]);
      }
      case READY:
        this.#isLoaded = true;
        this.#lastGiven = performance.now();
        if (this.#state === "loading") this.#state = "ready";
        return this.#events.ready(this);
      case BROKEN:
        return this.#events.broken(this, recreateFailure(message[1]));
      case GROWN:
        return this.#events.grown(this);
      case PLACES:
        this.#places = message[1];
        return this.#events.free(this);
      case TOLD:
        return this.#stopped.told(message[1]);
      case STOPPED:
        return this.#forgetStopped(message[1]);
    }
  }

  /** The unit in a slot, unless it was given up. */
  #wanted(slot: number): Unit | undefined {
    const unit = this.#sent.units.get(slot);
    return unit?.isDropped || this.#stopped.has(slot) ? undefined : unit;
  }

  /** An item has failed with the worker. */
  failed(unit: Unit, item: number, runningMs: number): void {
    this.#events.finished(this, unit, item, 1, runningMs, true);
  }

  /** Measures and counts items that have an outcome, from this one on. */
  #report(
    slot: number,
    unit: Unit,
    item: number,
    count: number,
    hasFailed: boolean,
    now = performance.now(),
  ): void {
    const { sentAt } = this.#sent, ms = now - sentAt[slot];
    sentAt[slot] = now;
    this.done += count;
    if (item + count === unit.items.length) {
      // The worker has had the unit for itself since the one before was done.
      this.#pace.measured(now - Math.max(now - ms, this.#lastDone));
      this.#lastDone = now;
    }
    this.#events.finished(this, unit, item, count, ms / count, hasFailed);
  }

  /** Waits for the end of the process: no more messages will come. */
  async #closed(): Promise<void> {
    if (this.#state === "ended") return;
    this.#over();
    if (!await this.process.join({ timeout: ENDING_MS })) this.process.kill();
    // A blocking call may have noticed the end meanwhile.
    if ((this.#state as WorkerState) !== "ended") await this.process.join();
    this.#ended();
  }

  /** No message will come any more: a replacement needn't wait for the end of the process. */
  #over(): void {
    this.#wasLeaving ||= this.#state === "leaving";
    if (this.#state !== "leaving" || this.#sent.units.size > this.#stopped.size) this.#lose();
  }

  /** As #closed(), but blocks the thread. */
  #endSync(): void {
    this.#over();
    if (!this.process.joinSync({ timeout: ENDING_MS })) this.process.kill();
    this.process.joinSync();
    this.#ended();
  }

  /** Settles or gives back all units: the process has ended. */
  #ended(): void {
    if (this.#state === "ended") return;
    this.#stopped.stopTimers();
    clearTimeout(this.#leaving);
    for (const { 0: slot, 1: unit } of each(this.#sent.units.entries)) {
      this.#readCells(slot, unit);
    }
    const lost = ArrayPrototypeFilter(
      this.#sent.units.entries,
      ({ 0: slot }) => !this.#stopped.has(slot),
    );
    this.#over();
    this.#sent.units.clear();
    this.#state = "ended";
    this.#limits.stop();
    this.exitCode = this.process.exitCode;
    const ending = endingOf(this.process);
    this.cause = ending.cause;
    if (lost.length > 0) {
      const rest = settleLost(this, lost, this.#sent, ending);
      if (rest.length > 0) this.#events.returned(rest);
    } else if (
      this.cause !== undefined && (this.#wasLeaving || this.hasBegun && !this.isUnwanted)
    ) {
      console.error(`${this.name} has ended with an error that belongs to no task:`, this.cause);
    }
    this.#link.close();
    this.process.close();
    this.#events.ended(this);
  }
}
