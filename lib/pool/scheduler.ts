// The scheduler of a pool: its workers, the backlog of units, and the rules by which a worker gets a unit.
// Loaded workers get units in the order of priority and arrival. The units that a lost worker has not begun return
// to the backlog, and the worker is replaced. Outstanding units keep the program alive; an idle pool doesn't.

import { BrokenPipeError, InvalidStateError } from "../errors.ts";
import { keepAlive, letExit } from "../wait/broadcast.ts";
import { Backlog } from "./backlog.ts";
import { BrokenPoolError } from "./errors.ts";
import { Changes } from "./changes.ts";
import type { Executor } from "./executor.ts";
import { RecentCalls } from "./recent_calls.ts";
import type { Unit } from "./unit.ts";
import { abandonOwn, failAll, failUnsent } from "./unit_failures.ts";
import { type Sizes, WorkerSet } from "./worker_set.ts";
import { Worker, type WorkerEvents, type WorkerMaking } from "./worker.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeFlatMap,
  ArrayPrototypeIndexOf,
  ArrayPrototypePush,
  ArrayPrototypeShift,
  ArrayPrototypeSlice,
  ArrayPrototypeSome,
  ArrayPrototypeSplice,
  clearInterval,
  clearTimeout,
  Deno,
  each,
  Error,
  performance,
  queueMicrotask,
  setImmediate,
  setInterval,
  setOf,
  setTimeout,
} = primordials;

/** The events of a scheduler, for its pool. */
export interface SchedulerEvents {
  workerStarted(worker: Worker): void;
  workerEnded(worker: Worker): void;
  /** So many items, from this one on, have an outcome; each has taken so long. */
  finished(
    worker: Worker,
    unit: Unit,
    item: number,
    count: number,
    runningMs: number,
    hasFailed: boolean,
  ): void;
  /** A unit was sent to a worker, at that time by performance.now(). */
  dispatched(worker: Worker, unit: Unit, now: number): void;
  /** Nothing waits and nothing runs any more. */
  drained(): void;
  /** There is room in the backlog. */
  roomMade(): void;
}

/** Milliseconds after which the pool looks for outcomes that it wasn't woken for. */
const LOOK_MS = 4;
/** Milliseconds after which a worker is started in the place of a spare that has stepped in. */
const REFILL_MS = 5;
/** So many workers that die one after the other before their first item break a pool. */
const MAX_EARLY_DEATHS = 5;

/** The workers of a pool and the backlog of units. */
export class Scheduler implements Executor {
  readonly #sizes: Sizes;
  readonly #events: SchedulerEvents;
  readonly #backlog = new Backlog<Unit>();
  readonly #set: WorkerSet;
  /** The number of units that wait or run: they have items without an outcome. */
  #outstanding = 0;
  readonly #calls = new RecentCalls();
  #holds = false;
  #lookTimer: ReturnType<typeof setInterval> | undefined;
  #refillTimer: ReturnType<typeof setTimeout> | undefined;
  #broken: BrokenPoolError | undefined;
  #isClosed = false;
  #isTerminated = false;
  #earlyDeaths = 0;
  #stealsSoon = false;
  #restarts = 0;
  readonly #changes = new Changes();
  readonly #listener: WorkerEvents;

  constructor(sizes: Sizes, making: Omit<WorkerMaking, "events">, events: SchedulerEvents) {
    this.#sizes = sizes;
    this.#events = events;
    this.#listener = {
      ready: (worker) => {
        this.#calls.prepare(worker);
        this.#dispatch();
        this.#changes.changed();
      },
      broken: (worker, error) => this.#break(worker, error),
      free: (worker) => this.#free(worker),
      returned: (units) => {
        this.#backlog.pushFront(units);
        this.#dispatch();
      },
      isOnlyBusy: (worker) => this.#isOnlyBusy(worker),
      grown: (worker) => this.#replace(worker),
      lost: () => {
        this.#restarts++;
        this.#dispatch(); // a spare steps in
        this.#refill();
        this.#changes.changed();
      },
      ended: (worker) => this.#ended(worker),
      finished: (worker, unit, item, count, ms, hasFailed) => {
        this.#earlyDeaths = 0;
        this.#events.finished(worker, unit, item, count, ms, hasFailed);
      },
    };
    this.#set = new WorkerSet(
      sizes,
      () => new Worker({ ...making, events: this.#listener }),
      (worker) => events.workerStarted(worker),
    );
  }

  /** The workers that have not ended. */
  get workers(): readonly Worker[] {
    return ArrayPrototypeSlice(this.#set.list);
  }

  /** The number of units that wait for a worker. */
  get waiting(): number {
    return this.#backlog.size;
  }

  /** The number of units that may run at once. */
  get size(): number {
    return this.#sizes.processes * this.#sizes.concurrency;
  }

  /** The number of workers that were started in the place of others. */
  get restarts(): number {
    return this.#restarts;
  }

  get broken(): BrokenPoolError | undefined {
    return this.#broken;
  }

  /** Whether nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.#outstanding === 0;
  }

  // Sizes

  /** Whether all workers have ended and no unit is outstanding. */
  get hasEnded(): boolean {
    return this.#set.list.length === 0 && this.#outstanding === 0;
  }

  /** Starts the workers of the beginning. */
  begin(): void {
    this.#fill();
  }

  /** Starts workers, as far as there is work for them. */
  #fill(): void {
    if (this.#isTerminated || this.#broken !== undefined) return;
    if (this.#isClosed && this.#outstanding === 0) return;
    this.#set.startMissing(this.#backlog.size);
  }

  /**
   * Starts workers in the place of others: where spares have stepped in, a while later, since a start blocks the
   * thread and would hold up the results of the next tasks.
   */
  #refill(): void {
    if (!this.#set.isAtStrength || this.#isClosed) return this.#fill();
    if (this.#refillTimer !== undefined) return;
    this.#refillTimer = setTimeout(() => {
      this.#refillTimer = undefined;
      this.#fill();
    }, REFILL_MS);
    Deno.unrefTimer(this.#refillTimer as unknown as number);
  }

  #stopRefilling(): void {
    clearTimeout(this.#refillTimer);
    this.#refillTimer = undefined;
  }

  /** Changes the number of workers. */
  resize(processes: number): void {
    for (const worker of each(this.#set.resize(processes))) this.#retire(worker);
    this.#fill();
    this.#dispatch();
  }

  /**
   * Lets a worker finish its units, and starts another one now.
   *
   * @param takesBack whether units that the worker has not begun go to others
   */
  #replace(worker: Worker, takesBack = true): void {
    if (worker.state !== "ready" && worker.state !== "loading") return;
    this.#retire(worker, takesBack);
    this.#restarts++;
    this.#refill();
  }

  #retire(worker: Worker, takesBack = true): void {
    const back = takesBack ? worker.revokeAll() : [];
    // A worker that leaves still runs the units that are for it alone.
    while (worker.own.length > 0 && worker.hasSlot) {
      this.#give(worker, ArrayPrototypeShift(worker.own)!);
    }
    worker.retire();
    if (back.length > 0) this.#backlog.pushFront(back);
  }

  /** Replaces all workers by new ones; the old ones finish their units. */
  async recycle(signal?: AbortSignal): Promise<void> {
    for (const worker of each(this.#set.alive)) {
      // The old worker leaves only when the new one has loaded.
      while (!await this.#startAnother(signal));
      this.#retire(worker);
      this.#fill();
      this.#dispatch();
    }
  }

  /** Starts a worker and waits until it has loaded; false if it has ended instead. */
  async #startAnother(signal?: AbortSignal): Promise<boolean> {
    const fresh = this.#set.start();
    try {
      await this.#changes.until(() => fresh.state !== "loading" || this.#isClosed, signal);
    } catch (error) {
      this.#retire(fresh); // it would be one too many
      this.#fill();
      throw error;
    }
    if (this.#broken !== undefined) throw this.#broken;
    return this.#isClosed || fresh.state !== "stopped" && fresh.state !== "ended";
  }

  /** Whether as many workers have loaded as there should be. */
  get isReady(): boolean {
    return this.#set.isReady;
  }

  /** Resolves when isSo() is true. */
  until(isSo: () => boolean, signal?: AbortSignal): Promise<void> {
    return this.#changes.until(isSo, signal);
  }

  // Work

  /** Accepts a unit. */
  submit(unit: Unit): void {
    this.#outstanding++;
    const refusal = this.#broken ?? (this.#isTerminated ? terminated() : undefined);
    if (refusal !== undefined) return queueMicrotask(() => failAll([unit], refusal));
    if (!this.#holds) this.#hold();
    const worker = this.#backlog.size === 0 ? this.#choose(unit) : undefined;
    if (worker === undefined) {
      this.#backlog.push(unit);
      return this.#dispatch();
    }
    this.#give(worker, unit, unit.since);
    if (this.#backlog.size > 0) this.#dispatch(); // it could not be sent, or not all of it
    else this.#set.watchIdle();
  }

  #hold(): void {
    this.#holds = true;
    keepAlive();
    if (this.#lookTimer !== undefined) return;
    this.#lookTimer = setInterval(this.#look, LOOK_MS);
    Deno.unrefTimer(this.#lookTimer as unknown as number);
  }

  /** A worker that has done short items and then begins a long one has not told of the short ones. */
  readonly #look = (): void => {
    if (!this.#holds) return this.#stopLooking();
    for (const worker of each(this.#set.list)) worker.look();
  };

  #stopLooking(): void {
    clearInterval(this.#lookTimer);
    this.#lookTimer = undefined;
  }

  /** Accepts one unit for each worker that is loading or ready. */
  submitToAll(units: (worker: Worker) => Unit): void {
    for (const worker of each(this.workers)) {
      if (worker.state !== "ready" && worker.state !== "loading") continue;
      this.#outstanding++;
      ArrayPrototypePush(worker.own, units(worker));
    }
    if (this.#outstanding > 0 && !this.#holds) this.#hold();
    this.#dispatch();
  }

  /** Called when each item of a unit that submit() accepted has an outcome. */
  settled(_unit: Unit): void {
    this.#outstanding--;
    if (this.#outstanding > 0) return;
    if (this.#holds) {
      this.#holds = false;
      letExit();
    }
    this.#events.drained();
    this.#leaveIfClosed();
    this.#changes.changed();
  }

  /** Ends a unit, waiting or running. */
  cancel(unit: Unit, reason: unknown): void {
    unit.drop();
    const parts = setOf(unit.remains);
    this.#backlog.remove((waiting) => parts.has(waiting));
    if (unit.pinned !== undefined) this.#takeOwn(unit, unit.pinned as Worker);
    for (const part of parts) {
      for (const worker of each(this.#set.list)) {
        if (worker.revoke(part)) this.#free(worker);
        else worker.stop(part, reason);
      }
    }
    this.#roomMade();
  }

  /** Takes a unit of a broadcast from those that its worker was not given yet. */
  #takeOwn(unit: Unit, { own }: Worker): void {
    const at = ArrayPrototypeIndexOf(own, unit);
    if (at >= 0) ArrayPrototypeSplice(own, at, 1);
  }

  #roomMade(): void {
    this.#events.roomMade();
    this.#changes.changed();
  }

  /** Takes back, and returns, the parts of these units that have not begun. */
  drop(units: readonly Unit[]): Unit[] {
    const unwanted = setOf(ArrayPrototypeFlatMap(units, (unit) => unit.remains));
    const back = this.#backlog.remove((unit) => unwanted.has(unit));
    for (const worker of each(this.#set.list)) {
      for (const unit of unwanted) if (worker.revoke(unit)) ArrayPrototypePush(back, unit);
    }
    this.#roomMade();
    return back;
  }

  /** The consumer of a generator has room for so many more values. */
  credit(unit: Unit, count: number): void {
    for (const part of each(unit.remains)) {
      for (const worker of each(this.#set.list)) worker.credit(part, count);
    }
  }

  /** Asks a generator to return; false if it has not begun. */
  closeStream(unit: Unit): boolean {
    if (!this.isRunning(unit)) return false;
    for (const part of each(unit.remains)) {
      for (const worker of each(this.#set.list)) worker.close(part);
    }
    return true;
  }

  isRunning(unit: Unit): boolean {
    const parts = unit.remains;
    return ArrayPrototypeSome(this.#set.list, (worker) => {
      return ArrayPrototypeSome(parts, (part) => worker.isRunning(part));
    });
  }

  #dispatch(): void {
    const { list } = this.#set;
    for (let i = 0; i < list.length; i++) if (list[i].own.length > 0) this.#giveOwn(list[i]);
    while (this.#backlog.size > 0) {
      const worker = this.#choose(this.#backlog.peek());
      if (worker === undefined) break;
      this.#give(worker, this.#backlog.shift()!);
    }
    if (this.#backlog.size > 0) this.#fill();
    else this.#stealSoon();
    this.#set.watchIdle();
  }

  /** The worker with the fewest units that has room, for this unit if one is given. */
  #choose(unit?: Unit): Worker | undefined {
    const { list } = this.#set;
    let chosen: Worker | undefined, busy = 0, isOneLoading = false;
    for (let i = 0; i < list.length; i++) {
      if (list[i].isBusy) busy++;
      if (list[i].state === "loading") isOneLoading = true;
    }
    for (let i = 0; i < list.length; i++) {
      const worker = list[i];
      if (unit === undefined ? worker.room <= 0 : !worker.accepts(unit)) continue;
      if (chosen !== undefined && chosen.load <= worker.load) continue;
      // The end of a task beside one that waits costs both, so the place beside it is the last choice.
      if (isOneLoading && worker.isNesting && worker.load > 0) continue;
      // A spare gets work only in the place of another worker.
      if (worker.load === 0 && busy >= this.#sizes.processes) continue;
      chosen = worker;
    }
    return chosen;
  }

  #giveOwn(worker: Worker): void {
    while (worker.own.length > 0 && worker.state === "ready" && worker.room > 0) {
      this.#give(worker, ArrayPrototypeShift(worker.own)!);
    }
  }

  #give(worker: Worker, unit: Unit, now = performance.now()): void {
    const left = this.#sizes.maxTasksPerChild - worker.given;
    let part = unit;
    if (unit.pinned === undefined && unit.items.length > left) {
      part = unit.slice(0, left);
      this.#backlog.pushFront([unit.slice(left, unit.items.length)]);
    }
    this.#calls.note(unit.call);
    try {
      worker.give(part, now);
    } catch (error) {
      this.#failed(part, error, worker);
      return;
    }
    const isLast = unit.pinned === undefined && worker.given >= this.#sizes.maxTasksPerChild;
    // It still runs what it was given: taken back, the unit would go from worker to worker without being run.
    // The others are told then only: they may submit more, and this worker takes no more.
    if (isLast) this.#replace(worker, false);
    this.#events.dispatched(worker, part, now);
    this.#events.roomMade();
  }

  /** Handles a unit that could not be sent. */
  #failed(unit: Unit, cause: unknown, worker: Worker): void {
    // The worker has ended. Its units are settled when its end is noticed, where its messages are received.
    if (worker.state !== "ready" || cause instanceof BrokenPipeError) {
      if (unit.pinned === undefined) this.#backlog.pushFront([unit]);
      else ArrayPrototypePush(worker.own, unit);
      worker.giveUp();
      return;
    }
    if (unit.items.length === 1) return failUnsent(unit, cause);
    // One of the items can't be sent; the others can.
    const half = unit.items.length >> 1;
    this.#backlog.pushFront([unit.slice(0, half), unit.slice(half, unit.items.length)]);
    queueMicrotask(() => this.#dispatch());
  }

  #free(worker: Worker): void {
    if (this.#backlog.size > 0 || worker.own.length > 0) this.#dispatch();
    else if (worker.load === 0) {
      this.#stealSoon();
      this.#set.watchIdle();
    }
    this.#changes.changed();
  }

  /** Steals after this turn of the program's code, which may submit more. */
  #stealSoon(): void {
    if (this.#stealsSoon || !this.#isUneven()) return;
    this.#stealsSoon = true;
    setImmediate(this.#stealNow);
  }

  readonly #stealNow = (): void => {
    this.#stealsSoon = false;
    this.balance();
  };

  /** Whether a worker has nothing to do, and another one more than it can run now. */
  #isUneven(): boolean {
    const { list } = this.#set;
    let isIdle = false, isAhead = false;
    for (let i = 0; i < list.length; i++) {
      const { load } = list[i];
      if (load > 1) isAhead = true;
      else if (load === 0 && list[i].state === "ready") isIdle = true;
    }
    return isIdle && isAhead;
  }

  /** Gives idle workers what waits at others. A thread that blocks calls this in its turns. */
  balance(): void {
    if (this.#backlog.size === 0 && this.#isUneven()) this.#steal();
  }

  /** Work stealing: units that were sent ahead to a slow worker go to an idle one. */
  #steal(): void {
    for (;;) {
      const idle = this.#choose();
      if (idle === undefined || idle.load > 0) return;
      let from: Worker | undefined;
      for (const worker of each(this.#set.list)) {
        if (worker.load > 1 && (from === undefined || worker.load > from.load)) from = worker;
      }
      const units = from?.revokeAll() ?? [];
      if (units.length === 0) return;
      this.#give(idle, ArrayPrototypeShift(units)!);
      this.#backlog.pushFront(units);
      if (units.length > 0) {
        while (this.#backlog.size > 0) {
          const next = this.#choose(this.#backlog.peek());
          if (next === undefined) break;
          this.#give(next, this.#backlog.shift()!);
        }
        return;
      }
    }
  }

  #isOnlyBusy(worker: Worker): boolean {
    if (worker.load === 0) return false;
    for (const other of each(this.#set.list)) {
      if (other !== worker && other.load > 0) return false;
    }
    return true;
  }

  // Ends

  #ended(worker: Worker): void {
    this.#set.remove(worker);
    abandonOwn(worker);
    this.#events.workerEnded(worker);
    const isEarly = !worker.hasBegun && !worker.isUnwanted && worker.exitCode !== 0 &&
      !this.#isTerminated;
    if (isEarly && ++this.#earlyDeaths >= MAX_EARLY_DEATHS) {
      this.#break(worker, worker.cause ?? new Error(`it exited with code ${worker.exitCode}`));
    }
    this.#dispatch(); // the place of the worker is free
    this.#refill();
    this.#leaveIfClosed();
    this.#changes.changed();
  }

  #break(worker: Worker, cause: unknown): void {
    if (this.#broken !== undefined) return;
    this.#broken = new BrokenPoolError(
      `The pool can't work: ${worker.name} ${
        cause instanceof Error
          ? `failed before its first task: ${cause.message}`
          : "failed before its first task."
      }`,
      { cause },
    );
    const waiting = this.#backlog.remove(() => true);
    for (const other of each(this.#set.list)) {
      for (const unit of each(other.units)) {
        if (other.revoke(unit)) ArrayPrototypePush(waiting, unit);
      }
      for (const unit of each(ArrayPrototypeSplice(other.own, 0))) {
        ArrayPrototypePush(waiting, unit);
      }
    }
    for (const other of each(this.#set.list)) other.terminate();
    failAll(waiting, this.#broken);
    this.#changes.changed();
  }

  /** Accepts no more units; the workers end when all units are done. */
  close(): void {
    this.#isClosed = true;
    this.#set.stopWatching();
    this.#stopRefilling();
    this.#leaveIfClosed();
    this.#changes.changed();
  }

  #leaveIfClosed(): void {
    if (!this.#isClosed || this.#outstanding > 0) return;
    this.#stopLooking();
    for (const worker of each(this.#set.list)) worker.leave();
  }

  /** Ends all workers now. */
  terminate(): void {
    this.#isClosed = this.#isTerminated = true;
    this.#set.stopWatching();
    this.#stopRefilling();
    this.#stopLooking();
    this.#backlog.remove(() => true);
    for (const worker of each(this.#set.list)) worker.terminate();
    this.#changes.changed();
  }
}

function terminated(): InvalidStateError {
  return new InvalidStateError("The pool was terminated. Use it before that, or make a new Pool.");
}
