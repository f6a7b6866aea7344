// The shared state of a Barrier: which parties have arrived, and which processes take part.
//
//   BROKEN    1 while the barrier is broken; REASON says why, and WHO is the token of the process that broke it
//   COUNT     parties that have arrived in this round; all of them while the action runs
//   PARTIES   parties that must arrive
//   ERA       counts resets; a process that takes part does so until the next reset
//   ENDS      counts the rounds that have ended, by passing or otherwise
//   STEP      while all rows of a round change, the kind of change; else 0; STEP_… are its details
//   rows      STATE, the token of the process, its ERA, and why its round was broken
//
// A row's STATE goes from FREE to WAITING when a party arrives, or to ACTING when the last party arrives,
// which runs the action; then, for all rows of the round at once, to PASSED or WAS_BROKEN; and when its owner
// has seen that, to MEMBER or FREE. So a party that is late to look still sees how its own round ended, and
// there is no draining to wait for (a state of Python's threading.Barrier): the next round can begin at once.
//
// A process that is a member and has ended doesn't come again, and the first process that notices breaks the
// barrier: a waiter when it rechecks, as every waiter does after a death, or a party that arrives. A process
// that ends by returning normally gives up its rows first.
//
// All of it changes under the table's lock (shm/slot_table.ts). Where many words change together, their new
// values are written down first, and take effect by the one store to STEP (a redo record, as in write-ahead
// logging). The next holder of the table's lock completes an unfinished step, so a process that ends in the
// middle has ended the round for all.

import { onExit, willRunExitHooks } from "../liveness/exit_hooks.ts";
import { type BrokenBarrierError, TimeoutError } from "../errors.ts";
import { EventCount, WAIT } from "../wait/eventcount.ts";
import type { Operation } from "../wait/operation.ts";
import {
  ABORTED,
  ACTION,
  brokenError,
  DIED,
  LEFT,
  RESET,
  SIGNAL,
  TOO_LONG,
} from "./broken_barrier.ts";
import type { SharedState } from "../shm/shared_state.ts";
import { checkAttempts } from "../validate/corruption.ts";
import { newSlotTable, SLOT_TABLE_WORDS, SlotTable } from "../shm/slot_table.ts";
import { AWAIT, BARRIER, numberIn, type Subject } from "../wait/subject.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, isAborted, SafeSet } = primordials;

const BROKEN = SLOT_TABLE_WORDS, REASON = BROKEN + 1, WHO = BROKEN + 2, COUNT = BROKEN + 3;
const PARTIES = BROKEN + 4, ERA = BROKEN + 5, ENDS = BROKEN + 6;
const STEP = BROKEN + 7, STEP_REASON = STEP + 1, STEP_WHO = STEP + 2, STEP_ENDS = STEP + 3;
const STEP_ERA = STEP + 4;
/** Values of STEP. */
const PASS = 1, BREAK = 2, START_ANEW = 3;
const NUMBER = 15;
const ROUND_ENDED = 16, ENTRY_OPEN = 32, FIRST = 48;

const STATE = 0, TOKEN = 1, ROW_ERA = 2, ROW_REASON = 3, ROW_WHO = 4, STRIDE = 8;
const FREE = 0, WAITING = 1, ACTING = 2, PASSED = 3, WAS_BROKEN = 4, MEMBER = 5;

/** New shared memory of a barrier. */
export function newBarrierState(parties: number): SharedState {
  const shared = newSlotTable(FIRST, STRIDE);
  shared.words[PARTIES] = parties;
  return shared;
}

/** One party's arrival in a round, and how that round ended for it. */
export class Arrival {
  /** The number of parties that arrived before. */
  index = -1;
  /** Whether this party arrived last: it runs the action, and then calls pass() or fail(). */
  isLast = false;
  row = -1;
  /**
   * Whether the end of the round was seen; `reason` and `who` then say why, and by which process, it was
   * broken, if it was.
   */
  isOver = false;
  reason = 0;
  who = 0;
}

/** The barriers that this process takes part in and leaves at its end. */
const joined = new SafeSet<BarrierState>();

// This process ends by returning normally: the other parties can go on without it.
onExit((exitCode) => {
  if (exitCode === 0) { for (const parties of joined) parties.leave(); }
});

/** One process's view of the parties of a barrier. */
export class BarrierState implements Subject {
  readonly #shared: SharedState;
  readonly #table: SlotTable;
  readonly #roundEnded: EventCount;
  readonly #entryOpen: EventCount;
  /** The value of ENDS at the latest arrival in this isolate. */
  #arrivedAt = 0;

  constructor(shared: SharedState) {
    const { words } = shared;
    this.#shared = shared;
    this.#table = new SlotTable(shared, FIRST, STRIDE);
    const hasEnded = () => Atomics.load(words, ENDS) !== this.#arrivedAt;
    this.#roundEnded = new EventCount(words, ROUND_ENDED, hasEnded);
    this.#entryOpen = new EventCount(words, ENTRY_OPEN, () => this.count < this.parties);
  }

  get kind(): number {
    return BARRIER;
  }

  get number(): number {
    return numberIn(this.#shared.words, NUMBER, BARRIER);
  }

  get amount(): number {
    return this.count;
  }

  get capacity(): number {
    return this.parties;
  }

  /** The number of parties that must arrive. */
  get parties(): number {
    return Atomics.load(this.#shared.words, PARTIES);
  }

  /** The number of parties that have arrived. */
  get count(): number {
    return Atomics.load(this.#shared.words, COUNT);
  }

  /** Like isBroken, but doesn't wait for the table's lock, and so may miss a change that is under way. */
  get looksBroken(): boolean {
    this.#table.renew();
    return Atomics.load(this.#shared.words, BROKEN) !== 0 || this.#lost() !== 0;
  }

  get isBroken(): boolean {
    let isBroken = false;
    this.#section(() => {
      isBroken = Atomics.load(this.#shared.words, BROKEN) !== 0 || this.#lost() !== 0;
    });
    return isBroken;
  }

  /** Arrives; while another round's action is still running, waits for its end first. */
  entering(arrival: Arrival, signal?: AbortSignal): Operation<true> {
    const giveUp = () => this.#break(signal !== undefined && isAborted(signal) ? SIGNAL : TOO_LONG);
    return {
      eventcount: this.#entryOpen,
      attempt: () => this.#enter(arrival, false) || WAIT,
      onCancel: giveUp,
      onTimeout: () => {
        giveUp();
        throw this.#error();
      },
      subject: this,
      verb: AWAIT,
    };
  }

  /** Arrives if all other parties already wait. */
  enterLast(arrival: Arrival): void {
    if (this.#enter(arrival, true)) return;
    throw new TimeoutError(
      `Of the ${this.parties} parties of the barrier ${this.count} wait, and this would not be the ` +
        "last. Call wait(), which waits for the others.",
    );
  }

  #enter(arrival: Arrival, onlyLast: boolean, attempts = 0): boolean {
    const { words, token } = this.#shared;
    let isBroken = false, isMissing = false, entered = false;
    if (willRunExitHooks()) joined.add(this);
    this.#section(() => {
      isBroken = Atomics.load(words, BROKEN) !== 0;
      isMissing = this.#lost() !== 0;
      if (isBroken || isMissing) return;
      const count = Atomics.load(words, COUNT), parties = Atomics.load(words, PARTIES);
      const isLast = count + 1 === parties;
      if (count === parties || onlyLast && !isLast) return;
      const era = Atomics.load(words, ERA);
      const row = this.#freeRow(era);
      if (row < 0) return;
      this.#table.set(row, TOKEN, token);
      this.#table.set(row, ROW_ERA, era);
      this.#table.set(row, STATE, isLast ? ACTING : WAITING);
      Atomics.store(words, COUNT, count + 1);
      arrival.index = count;
      arrival.isLast = isLast;
      arrival.row = row;
      this.#arrivedAt = Atomics.load(words, ENDS);
      entered = true;
    }, () => this.#reclaim());
    if (isBroken) throw this.#error();
    if (!isMissing) return entered;
    this.#break(DIED);
    checkAttempts(attempts, "object");
    return this.#enter(arrival, onlyLast, attempts + 1);
  }

  /** Under the table's lock: a row for this process, or -1. */
  #freeRow(era: number): number {
    const { used } = this.#table;
    for (let row = 0; row < used; row++) {
      if (
        this.#table.get(row, STATE) === MEMBER && this.#table.get(row, ROW_ERA) === era &&
        this.#table.get(row, TOKEN) === this.#shared.token
      ) return row;
    }
    return this.#table.free();
  }

  /**
   * Under the table's lock: frees the rows of dead processes that no check needs any more: those of broken
   * rounds and of past eras.
   */
  #reclaim(): boolean {
    const { used } = this.#table;
    const { words, processTable } = this.#shared;
    let reclaimed = false;
    for (let row = 0; row < used; row++) {
      const state = this.#table.get(row, STATE);
      const isPast = this.#table.get(row, ROW_ERA) !== Atomics.load(words, ERA);
      if (state === FREE || processTable.isTokenAlive(this.#table.get(row, TOKEN))) continue;
      if (state !== WAS_BROKEN && !isPast) continue;
      this.#table.set(row, STATE, FREE);
      reclaimed = true;
    }
    return reclaimed;
  }

  /** The token of a participating process that has died, or 0. */
  #lost(): number {
    const { used } = this.#table;
    const { words, processTable } = this.#shared;
    const era = Atomics.load(words, ERA);
    for (let row = 0; row < used; row++) {
      const state = this.#table.get(row, STATE);
      if (state === FREE || state === WAS_BROKEN) continue;
      if (this.#table.get(row, ROW_ERA) !== era) continue;
      const token = this.#table.get(row, TOKEN);
      if (!processTable.isTokenAlive(token)) return token;
    }
    return 0;
  }

  /** Waits for the end of an arrival's round: answers its index. */
  passing(arrival: Arrival, signal?: AbortSignal): Operation<number> {
    const giveUp = () => this.giveUp(arrival, signal);
    const attempt = () => {
      if (this.#isWaiting(arrival.row)) {
        this.#table.renew();
        if (this.#lost() !== 0) this.#break(DIED);
        if (this.#isWaiting(arrival.row)) return WAIT;
      }
      return this.#result(arrival);
    };
    const onTimeout = () => {
      giveUp();
      return this.#result(arrival);
    };
    return {
      ...{ eventcount: this.#roundEnded, attempt, onCancel: giveUp, onTimeout },
      ...{ subject: this, verb: AWAIT },
    };
  }

  #stateOf(row: number): number {
    return this.#table.get(row, STATE);
  }

  #isWaiting(row: number): boolean {
    const state = this.#stateOf(row);
    return state === WAITING || state === ACTING;
  }

  /** Does `work` under the table's lock, after completing a step that another process left unfinished. */
  #section(work: () => void, reclaim?: () => boolean): void {
    this.#table.section(() => {
      if (Atomics.load(this.#shared.words, STEP) !== 0) this.#finishStep();
      work();
    }, reclaim);
  }

  /** Under the table's lock: ends the round for all waiting parties, by passing or otherwise. */
  #endRound(step: number, reason = 0, who = 0): void {
    const { words } = this.#shared;
    if (step !== PASS) {
      Atomics.store(words, STEP_REASON, reason);
      Atomics.store(words, STEP_WHO, who);
    }
    if (step === START_ANEW) Atomics.store(words, STEP_ERA, (Atomics.load(words, ERA) + 1) | 0);
    Atomics.store(words, STEP_ENDS, (Atomics.load(words, ENDS) + 1) | 0);
    Atomics.store(words, STEP, step);
    this.#finishStep();
  }

  /** Under the table's lock: carries out STEP; idempotent, as any part of it may have been done before. */
  #finishStep(): void {
    const { words } = this.#shared;
    const { used } = this.#table;
    const step = Atomics.load(words, STEP);
    const reason = Atomics.load(words, STEP_REASON), who = Atomics.load(words, STEP_WHO);
    for (let row = 0; row < used; row++) {
      const state = this.#table.get(row, STATE);
      if (state === MEMBER && step === START_ANEW) this.#table.set(row, STATE, FREE);
      if (state !== WAITING && state !== ACTING) continue;
      if (step === PASS) {
        this.#table.set(row, STATE, PASSED);
        continue;
      }
      this.#table.set(row, ROW_REASON, reason);
      this.#table.set(row, ROW_WHO, who);
      this.#table.set(row, STATE, WAS_BROKEN);
    }
    if (step === BREAK) {
      Atomics.store(words, REASON, reason);
      Atomics.store(words, WHO, who);
      Atomics.store(words, BROKEN, 1);
    } else if (step === START_ANEW) {
      Atomics.store(words, BROKEN, 0);
      Atomics.store(words, ERA, Atomics.load(words, STEP_ERA));
    }
    Atomics.store(words, COUNT, 0);
    Atomics.store(words, ENDS, Atomics.load(words, STEP_ENDS));
    Atomics.store(words, STEP, 0);
  }

  /** Called by the last party, after the action: all parties go on. */
  pass(arrival: Arrival): number {
    this.#section(() => {
      if (this.#stateOf(arrival.row) === ACTING) this.#endRound(PASS);
    });
    this.#open();
    return this.#result(arrival);
  }

  /** The action has failed: breaks the barrier. */
  fail(arrival: Arrival): void {
    this.#endWait(arrival, ACTION);
  }

  /** An arrived party gives up its wait: breaks the barrier. */
  giveUp(arrival: Arrival, signal?: AbortSignal): void {
    this.#endWait(arrival, signal !== undefined && isAborted(signal) ? SIGNAL : TOO_LONG);
  }

  #endWait(arrival: Arrival, reason: number): void {
    if (arrival.row < 0 || arrival.isOver) return;
    if (this.#isWaiting(arrival.row)) this.#break(reason, arrival.row);
    this.#see(arrival);
  }

  /** The arrival's index, if its round has passed; throws if it was broken. */
  #result(arrival: Arrival): number {
    this.#see(arrival);
    if (arrival.reason === 0) return arrival.index;
    throw brokenError(arrival.reason, this.#shared.processTable.nameOf(arrival.who));
  }

  /** Notes how the round of an arrival has ended, which it must have, and releases what the row kept of that. */
  #see(arrival: Arrival): void {
    const { words } = this.#shared;
    if (arrival.isOver) return;
    this.#section(() => {
      const { row } = arrival;
      const hasPassed = this.#table.get(row, STATE) === PASSED;
      const isMember = hasPassed && this.#table.get(row, ROW_ERA) === Atomics.load(words, ERA);
      arrival.reason = hasPassed ? 0 : this.#table.get(row, ROW_REASON);
      arrival.who = this.#table.get(row, ROW_WHO);
      arrival.isOver = true;
      this.#table.set(row, STATE, isMember ? MEMBER : FREE);
    });
  }

  /**
   * Breaks the barrier, if it isn't broken.
   *
   * @param reason with DIED, the barrier breaks only if a participating process has died
   * @param of the row of a wait that gives up, if one does: the barrier breaks only if the row is still
   *   waiting
   */
  #break(reason: number, of = -1): void {
    const { words, token } = this.#shared;
    this.#section(() => {
      if (Atomics.load(words, BROKEN) !== 0 || of >= 0 && !this.#isWaiting(of)) return;
      const who = reason === DIED ? this.#lost() : token;
      if (who !== 0) this.#endRound(BREAK, reason, who);
    });
    this.#open();
  }

  /** Breaks the barrier on request. */
  abort(): void {
    this.#break(ABORTED);
  }

  /** Restores the initial state; waits under way throw a BrokenBarrierError. */
  reset(): void {
    this.#section(() => this.#endRound(START_ANEW, RESET, this.#shared.token));
    this.#open();
  }

  /** Ends the part of this process. If the process is waiting, the barrier breaks all the same. */
  leave(): void {
    const { token } = this.#shared;
    const table = this.#table;
    let waits = false;
    const leaveRows = (only: boolean) =>
      this.#section(() => {
        const { used } = table;
        for (let row = 0; row < used; row++) {
          if (this.#table.get(row, TOKEN) !== token) continue;
          const state = this.#table.get(row, STATE);
          if (state === WAITING || state === ACTING) waits = true;
          else if (!only) this.#table.set(row, STATE, FREE);
        }
      });
    leaveRows(true);
    if (waits) this.#break(LEFT);
    leaveRows(false);
  }

  #open(): void {
    this.#roundEnded.notify(Infinity);
    this.#entryOpen.notify(Infinity);
  }

  /** The error of a broken barrier. */
  #error(): BrokenBarrierError {
    const { words, processTable } = this.#shared;
    return brokenError(Atomics.load(words, REASON), processTable.nameOf(Atomics.load(words, WHO)));
  }
}
