// The shared state of Semaphore and BoundedSemaphore: permits that processes take and give back.
//
//   VALUE     free permits
//   INITIAL   permits there were at first
//   RETURNED  permits that were freed of dead holders, and for which release() hasn't been called yet
//   RESERVED  the reservation of the last permit, by a process that has waited too long: see fairness.ts
//   RECLAIMING while permits of a dead holder are freed, one more than its row; else 0
//   NEXT_…    the values that VALUE and RETURNED get by that, and how many permits are FREED
//   rows      how many permits a process holds, its token, and for a dead process the one that was TOLD
//
// The process that releases need not be the one that acquired: in Python's terms a semaphore has no owner,
// and one process may acquire what another releases, as a signal. So the rows are only an estimate of what is
// missing when a process dies, and no more than INITIAL is counted. The permits of a dead holder are freed as
// far as permits are missing: INITIAL less VALUE less the permits of living holders. Permits that other
// processes have released in its place aren't freed again, and a release in its place afterwards doesn't
// count (RETURNED). So a death never makes permits out of nothing.
//
// All of it changes under the table's lock (shm/slot_table.ts), and a process that ends between any two
// stores there leaves a state that is right or that the next holder completes. Permits are taken from VALUE
// last and given back to it first: a process that dies in between holds, by its row, a permit that isn't
// missing, and none is freed. The freeing of a dead holder's permits is written down first and takes effect
// by the one store to RECLAIMING (a redo record, as in barrier_state.ts); the next holder of the table's lock
// does the rest, once more if need be. Then the row holds minus the number of permits that were freed until
// the process that was TOLD has acknowledged that (acknowledge.ts); if it dies before, another is told.

import { AbandonedLockError } from "../errors.ts";
import { ABANDONED, ACQUIRED, RELEASED as WAS_RELEASED } from "../liveness/event_rings.ts";
import { recorder } from "../liveness/recorder.ts";
import { EventCount, WAIT } from "../wait/eventcount.ts";
import type { Operation } from "../wait/operation.ts";
import { Reservation, RESERVATION_WORDS } from "./fairness.ts";
import { acknowledgeSoon } from "./acknowledge.ts";
import { contentOf, type SharedState } from "../shm/shared_state.ts";
import { newSlotTable, SLOT_TABLE_WORDS, SlotTable } from "../shm/slot_table.ts";
import { ACQUIRE, numberIn, SEMAPHORE, type Subject } from "../wait/subject.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, Math, performance } = primordials;

const VALUE = SLOT_TABLE_WORDS, INITIAL = VALUE + 1, RETURNED = VALUE + 2, RESERVED = VALUE + 3;
const RECLAIMING = RESERVED + RESERVATION_WORDS, FREED = RECLAIMING + 1;
const NUMBER = 15;
const NEXT_VALUE = RECLAIMING + 2, NEXT_RETURNED = RECLAIMING + 3;
const EVENTCOUNT = 16, FIRST = 32;
const HELD = 0, TOKEN = 1, TOLD = 2, STRIDE = 4;

/** The most permits there can be. */
export const MAX_PERMITS = 2 ** 31 - 1;

/** Answers of release(). */
export const RELEASED = 0, TOO_MANY = 1;

/** New shared memory of a semaphore with `count` permits. */
export function newSemaphoreState(count: number): SharedState {
  const shared = newSlotTable(FIRST, STRIDE);
  shared.words[VALUE] = shared.words[INITIAL] = count;
  return shared;
}

/** One process's view of the permits of a semaphore. */
export class SemaphoreState implements Subject {
  readonly #shared: SharedState;
  readonly #table: SlotTable;
  readonly #reservation: Reservation;
  readonly eventcount: EventCount;
  /** The name of its class, for messages. */
  readonly #name: string;
  // The results of the last #survey().
  #mine = -1;
  #dead = -1;
  #held = 0;

  constructor(shared: SharedState, name: string) {
    const { words, token } = shared;
    this.#shared = shared;
    this.#table = new SlotTable(shared, FIRST, STRIDE);
    this.#reservation = new Reservation(words, RESERVED, token);
    this.eventcount = new EventCount(words, EVENTCOUNT, () => this.value > 0);
    this.#name = name;
  }

  get kind(): number {
    return SEMAPHORE;
  }

  get number(): number {
    return numberIn(this.#shared.words, NUMBER, SEMAPHORE);
  }

  /** Its shared memory, for another isolate: see receivedState(). */
  get content(): unknown {
    return contentOf(this.#shared);
  }

  get amount(): number {
    return this.value;
  }

  get capacity(): number {
    return this.initial;
  }

  /** Free permits. */
  get value(): number {
    return Atomics.load(this.#shared.words, VALUE);
  }

  /** Permits there were at first. */
  get initial(): number {
    return Atomics.load(this.#shared.words, INITIAL);
  }

  /** Takes a permit if one is free and not reserved for another process; throws if a holder has died. */
  tryTake(): boolean {
    const { words } = this.#shared;
    let took = false, dead = 0, freed = 0, reserved = 0;
    const work = () => {
      if (Atomics.load(words, RECLAIMING) !== 0) this.#finishReclaiming();
      this.#survey();
      const value = Atomics.load(words, VALUE);
      dead = this.#dead < 0 ? 0 : this.#table.get(this.#dead, TOKEN);
      if (dead !== 0) freed = this.#reclaimFromDead(value);
      else if (value > 0) {
        reserved = value > 1 ? 0 : this.#reservation.timeForAnother();
        if (reserved === 0) took = this.#take(value);
      }
    };
    // A dead holder of which no permit is missing has abandoned nothing.
    do this.#table.section(work); while (dead !== 0 && freed === 0);
    if (dead !== 0) this.#report(dead, freed);
    if (took) {
      this.#reservation.end();
      if (recorder !== undefined) recorder.event(ACQUIRED, SEMAPHORE, this.number);
    }
    if (!took && reserved > 0) this.eventcount.recheckIn(reserved);
    return took;
  }

  /**
   * Under the table's lock: finds this process's row, the number of permits that living processes hold, and
   * the row of a dead process of which no living process was told.
   */
  #survey(): void {
    const { token, processTable } = this.#shared;
    const { used } = this.#table;
    this.#mine = this.#dead = -1;
    this.#held = 0;
    for (let row = 0; row < used; row++) {
      const held = this.#table.get(row, HELD);
      if (held === 0) continue;
      if (held < 0) {
        const told = this.#table.get(row, TOLD);
        if (told !== token && !processTable.isTokenAlive(told)) this.#dead = row;
        continue;
      }
      const who = this.#table.get(row, TOKEN);
      if (who === token) this.#mine = row;
      if (who === token || processTable.isTokenAlive(who)) this.#held += held;
      else this.#dead = row;
    }
  }

  /** Under the table's lock, after a survey: frees the missing permits of the dead process; returns how many. */
  #reclaimFromDead(value: number): number {
    const { words, token } = this.#shared;
    const initial = this.initial, row = this.#dead;
    const held = this.#table.get(row, HELD);
    if (held < 0) { // freed already, and the process that was told of it has died
      this.#table.set(row, TOLD, token);
      return -held;
    }
    const freed = Math.min(held, initial - value - this.#held);
    if (freed <= 0) {
      this.#table.set(row, HELD, 0);
      return 0;
    }
    this.#table.set(row, TOLD, token);
    Atomics.store(words, FREED, freed);
    Atomics.store(words, NEXT_VALUE, value + freed);
    const returned = Math.min(initial, Atomics.load(words, RETURNED) + freed);
    Atomics.store(words, NEXT_RETURNED, returned);
    Atomics.store(words, RECLAIMING, row + 1);
    this.#finishReclaiming();
    return freed;
  }

  /** Under the table's lock: carries out RECLAIMING; idempotent, as any part of it may have been done before. */
  #finishReclaiming(): void {
    const { words } = this.#shared;
    const row = Atomics.load(words, RECLAIMING) - 1;
    Atomics.store(words, VALUE, Atomics.load(words, NEXT_VALUE));
    Atomics.store(words, RETURNED, Atomics.load(words, NEXT_RETURNED));
    this.#table.set(row, HELD, -Atomics.load(words, FREED));
    Atomics.store(words, RECLAIMING, 0);
  }

  /** Under the table's lock, after a survey: takes a permit. */
  #take(value: number): boolean {
    const { words, token } = this.#shared;
    const initial = this.initial;
    // The permits of a signal (INITIAL is 0) have no holder.
    const row = this.#mine >= 0 ? this.#mine : initial === 0 ? 0 : this.#table.free();
    if (row < 0) return false;
    const held = Math.min(initial, this.#table.get(row, HELD) + 1);
    if (initial > 0) {
      this.#table.set(row, TOKEN, token);
      this.#table.set(row, HELD, held);
    }
    Atomics.store(words, VALUE, value - 1);
    return true;
  }

  #report(dead: number, freed: number): never {
    const name = this.#shared.processTable.nameOf(dead);
    this.eventcount.notify(freed);
    acknowledgeSoon(this.#acknowledge);
    if (recorder !== undefined) recorder.event(ABANDONED, SEMAPHORE, this.number);
    const permits = freed === 1 ? "a permit" : `${freed} permits`;
    throw new AbandonedLockError(
      `${name} has ended while it held ${permits} of the ${this.#name}. What the ${this.#name} ` +
        "protects may be half changed: put it right, and acquire it again; what it held is free now.",
    );
  }

  /** Acknowledges the deaths that this process was told of. */
  readonly #acknowledge = (): void => {
    const { words, token } = this.#shared;
    this.#table.section(() => {
      if (Atomics.load(words, RECLAIMING) !== 0) this.#finishReclaiming();
      const { used } = this.#table;
      for (let row = 0; row < used; row++) {
        if (this.#table.get(row, HELD) >= 0) continue;
        if (this.#table.get(row, TOLD) === token) this.#table.set(row, HELD, 0);
      }
    });
  };

  /** Takes a permit, when that is possible. */
  taking(): Operation<boolean> {
    let since = 0;
    const attempt = () => {
      if (this.tryTake()) return true;
      if (since === 0) since = performance.now();
      else this.#reservation.ask(since);
      return WAIT;
    };
    return {
      eventcount: this.eventcount,
      attempt,
      onTimeout: () => false,
      onCancel: () => {
        if (this.#reservation.end()) this.eventcount.notify(1);
      },
      subject: this,
      verb: ACQUIRE,
    };
  }

  /** Gives a permit back, or does nothing if there would be more than `most`. */
  release(most: number): typeof RELEASED | typeof TOO_MANY {
    const { words, token } = this.#shared;
    const table = this.#table;
    let result: typeof RELEASED | typeof TOO_MANY = RELEASED;
    let isMore = false;
    table.section(() => {
      if (Atomics.load(words, RECLAIMING) !== 0) this.#finishReclaiming();
      const { used } = table;
      let mine = -1;
      for (let row = 0; row < used && mine < 0; row++) {
        if (this.#table.get(row, HELD) > 0 && this.#table.get(row, TOKEN) === token) {
          mine = row;
        }
      }
      const returned = Atomics.load(words, RETURNED);
      if (mine < 0 && returned > 0) {
        Atomics.store(words, RETURNED, returned - 1);
        return;
      }
      if (Atomics.load(words, VALUE) >= most) {
        result = TOO_MANY;
        return;
      }
      Atomics.add(words, VALUE, 1);
      if (mine >= 0) this.#table.add(mine, HELD, -1);
      isMore = true;
    });
    // The process that has reserved it may be any of the sleepers.
    if (isMore && recorder !== undefined) recorder.event(WAS_RELEASED, SEMAPHORE, this.number);
    if (isMore) this.eventcount.notify(this.#reservation.beginForAnother() ? Infinity : 1);
    return result;
  }
}
