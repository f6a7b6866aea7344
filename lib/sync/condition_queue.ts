// The wait queue of a condition: the waiters, in the order they came, and which of them were notified.
//
//   TICKETS    counts the waiters that have come
//   NOTIFIED   how many rows are in the state IS_NOTIFIED; never too few, and too many only by the number of
//              processes that have ended between two stores
//   PASSING    while a notification is passed on, one more than the row that had it; else 0
//   NEXT_ROW   the row that gets it
//   rows       STATE, the token of the process, its ticket, BEFORE and an eventcount
//
// A row's STATE goes from FREE to WAITING (join), to IS_NOTIFIED (notify), and back to FREE when its waiter
// has reacquired the lock and goes on; or at once from WAITING, when the waiter has given up. Each waiter
// sleeps at the eventcount of its row, so exactly the notified waiters are woken. A process that has given up
// may still sleep there when the row has another waiter, so the eventcount opens for all.
//
// No notification is lost with a waiter that dies or is aborted after it was notified: until that waiter has
// reacquired the lock, its notification passes to the next waiter that was waiting when it was given, whose
// ticket is before BEFORE. Other waiters pass it on when they recheck, as they do after every death. (Once
// the waiter has reacquired the lock, the lock reports its death.)
//
// All of it changes under the table's lock (shm/slot_table.ts); the caller of join() and notify() holds the
// user's lock, too. Each row changes by the one store to its STATE. A notification passes from one row to
// another by the one store to PASSING, which the next holder of the table's lock completes. (A process that
// ends while it notifies is found dead as the holder of the user's lock, and then all waiters wake up.)

import { EventCount, WAIT } from "../wait/eventcount.ts";
import type { Operation } from "../wait/operation.ts";
import type { SharedState } from "../shm/shared_state.ts";
import { newSlotTable, SLOT_TABLE_WORDS, SlotTable } from "../shm/slot_table.ts";
import { AWAIT, CONDITION, numberIn, type Subject } from "../wait/subject.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, SafeMap } = primordials;

const TICKETS = SLOT_TABLE_WORDS,
  NOTIFIED = TICKETS + 1,
  PASSING = TICKETS + 2,
  NEXT_ROW = TICKETS + 3;
const NUMBER = 15, FIRST = 16;
const STATE = 0, TOKEN = 1, TICKET = 2, BEFORE = 3, EVENTCOUNT = 8, STRIDE = 16;
const FREE = 0, WAITING = 1, IS_NOTIFIED = 2;

/** New shared memory of a wait queue. */
export function newConditionQueue(): SharedState {
  return newSlotTable(FIRST, STRIDE);
}

/** A waiter's place in the queue. */
export interface Place {
  /** Waits to be notified: answers true, or false if that took too long. */
  readonly waiting: Operation<boolean>;
  /** The wait was aborted: a notification that came before passes to another waiter. */
  refuse(): void;
  /** The wait is over, and the lock reacquired. */
  leave(): void;
}

/** One process's view of a wait queue. */
export class ConditionQueue implements Subject {
  readonly #shared: SharedState;
  readonly #table: SlotTable;
  /** The eventcounts by row: an eventcount has one async waiter in an isolate, however many tasks wait. */
  readonly #eventcounts = new SafeMap<number, EventCount>();

  constructor(shared: SharedState) {
    this.#shared = shared;
    this.#table = new SlotTable(shared, FIRST, STRIDE);
  }

  get kind(): number {
    return CONDITION;
  }

  get number(): number {
    return numberIn(this.#shared.words, NUMBER, CONDITION);
  }

  #eventcount(row: number): EventCount {
    let eventcount = this.#eventcounts.get(row);
    if (eventcount === undefined) {
      const { words } = this.#table;
      eventcount = new EventCount(
        words,
        this.#table.at(row, EVENTCOUNT),
        () => this.#table.get(row, STATE) === IS_NOTIFIED,
      );
      this.#eventcounts.set(row, eventcount);
    }
    return eventcount;
  }

  /** The number of waiters that were not notified. */
  get waiting(): number {
    const table = this.#table;
    table.renew();
    let count = 0;
    for (let row = 0; row < table.used; row++) {
      if (this.#table.get(row, STATE) === WAITING && this.#isAlive(row)) count++;
    }
    return count;
  }

  /** Gets a place at the end of the queue. The caller holds the user's lock, and then releases it. */
  join(): Place {
    const { words, token } = this.#shared;
    const table = this.#table;
    let row = -1;
    this.#passOnFromDead();
    this.#section(() => {
      row = table.free();
      if (row < 0) return;
      this.#table.set(row, TOKEN, token);
      this.#table.set(row, TICKET, Atomics.add(words, TICKETS, 1));
      this.#table.set(row, STATE, WAITING);
    }, () => this.#reclaim());
    return this.#place(row);
  }

  /** Under the table's lock: frees the rows of dead waiters. */
  #reclaim(): boolean {
    const table = this.#table;
    let reclaimed = false;
    for (let row = 0; row < table.used; row++) {
      const wasWaiting = this.#table.get(row, STATE) === WAITING;
      if (wasWaiting && !this.#isWaiting(row)) reclaimed = true;
    }
    return reclaimed;
  }

  #place(row: number): Place {
    let wasNotified: boolean | undefined;
    const isNotified = () => this.#table.get(row, STATE) === IS_NOTIFIED;
    const giveUp = () => wasNotified ??= !this.#withdraw(row);
    const attempt = () => {
      if (!isNotified()) this.#passOnFromDead();
      return isNotified() ? wasNotified = true : WAIT;
    };
    const refuse = () => {
      if (giveUp()) this.#pass(row);
      wasNotified = false;
    };
    const leave = () => {
      if (wasNotified) this.#free(row);
    };
    const waiting = {
      eventcount: this.#eventcount(row),
      attempt,
      onTimeout: giveUp,
      onCancel: giveUp,
      subject: this,
      verb: AWAIT,
    };
    return { waiting, refuse, leave };
  }

  /** Notifies the waiters that have waited longest. The caller holds the user's lock. */
  notify(count: number): void {
    const { words } = this.#shared;
    const table = this.#table;
    this.#section(() => {
      const tickets = Atomics.load(words, TICKETS);
      const all = count >= table.used;
      for (let left = count, row = 0; left > 0; left--) {
        // Notifying all needs no order, and no repeated search for the oldest.
        row = all ? this.#waitingFrom(row) : this.#oldest(tickets);
        if (row < 0) return;
        this.#mark(row, tickets);
      }
    });
    this.#wake();
  }

  /** Under the table's lock. */
  #mark(row: number, before: number): void {
    this.#table.set(row, BEFORE, before);
    Atomics.add(this.#shared.words, NOTIFIED, 1);
    this.#table.set(row, STATE, IS_NOTIFIED);
  }

  /** Under the table's lock: the next row, from `row` on, whose waiter is alive; or -1. */
  #waitingFrom(row: number): number {
    for (; row < this.#table.used; row++) if (this.#isWaiting(row)) return row;
    return -1;
  }

  /** Under the table's lock: the row that has waited longest of those with a ticket before `before`; or -1. */
  #oldest(before: number): number {
    const { used } = this.#table;
    let oldest = -1, age = 0;
    for (let row = 0; row < used; row++) {
      const older = (before - this.#table.get(row, TICKET)) | 0;
      if (older > age && this.#isWaiting(row)) {
        oldest = row;
        age = older;
      }
    }
    return oldest;
  }

  /** Under the table's lock: whether a living waiter waits in a row; the row of a dead one is freed. */
  #isWaiting(row: number): boolean {
    if (this.#table.get(row, STATE) !== WAITING) return false;
    if (this.#isAlive(row)) return true;
    this.#table.set(row, STATE, FREE);
    return false;
  }

  #isAlive(row: number): boolean {
    return this.#shared.processTable.isTokenAlive(this.#table.get(row, TOKEN));
  }

  /** Wakes the notified waiters. */
  #wake(): void {
    const table = this.#table;
    table.renew();
    for (let row = 0; row < table.used; row++) {
      if (this.#table.get(row, STATE) === IS_NOTIFIED) {
        this.#eventcount(row).notify(Infinity);
      }
    }
  }

  /** Gives up a place; false if its waiter was notified before. */
  #withdraw(row: number): boolean {
    let gaveUp = false;
    this.#section(() => {
      gaveUp = this.#table.get(row, STATE) === WAITING;
      if (gaveUp) this.#table.set(row, STATE, FREE);
    });
    return gaveUp;
  }

  #free(row: number): void {
    const { words } = this.#shared;
    this.#section(() => {
      this.#table.set(row, STATE, FREE);
      Atomics.sub(words, NOTIFIED, 1);
    });
  }

  /** Passes the notification of a waiter that doesn't go on to another waiter. */
  #pass(row: number): void {
    this.#section(() => this.#passUnderLock(row));
    this.#wake();
  }

  #passUnderLock(row: number): void {
    const { words } = this.#shared;
    const before = this.#table.get(row, BEFORE);
    const next = this.#oldest(before);
    if (next < 0) {
      this.#table.set(row, STATE, FREE);
      Atomics.sub(words, NOTIFIED, 1);
      return;
    }
    this.#table.set(next, BEFORE, before);
    Atomics.store(words, NEXT_ROW, next);
    Atomics.store(words, PASSING, row + 1);
    this.#finishPassing();
  }

  /** Under the table's lock: carries out PASSING; idempotent, as any part of it may have been done before. */
  #finishPassing(): void {
    const { words } = this.#shared;
    const row = Atomics.load(words, PASSING) - 1;
    this.#table.set(Atomics.load(words, NEXT_ROW), STATE, IS_NOTIFIED);
    this.#table.set(row, STATE, FREE);
    Atomics.store(words, PASSING, 0);
  }

  /** Does `work` under the table's lock, after completing a step that another process left unfinished. */
  #section(work: () => void, reclaim?: () => boolean): void {
    this.#table.section(() => {
      if (Atomics.load(this.#shared.words, PASSING) !== 0) this.#finishPassing();
      work();
    }, reclaim);
  }

  /** Passes on the notifications of dead waiters. */
  #passOnFromDead(): void {
    const { words } = this.#shared;
    const table = this.#table;
    if (Atomics.load(words, NOTIFIED) === 0) return;
    table.renew();
    for (let row = 0; row < table.used; row++) {
      if (!this.#isNotifiedAndDead(row)) continue;
      this.#section(() => this.#isNotifiedAndDead(row) && this.#passUnderLock(row));
      this.#wake();
    }
  }

  #isNotifiedAndDead(row: number): boolean {
    return this.#table.get(row, STATE) === IS_NOTIFIED && !this.#isAlive(row);
  }
}
