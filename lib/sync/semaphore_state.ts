// Permits that processes take and give back, what Semaphore and BoundedSemaphore are made of.
//
//   VALUE     permits there are to take
//   INITIAL   permits there were at first
//   RETURNED  permits that were freed of dead holders, and for which nobody has called release() yet
//   RESERVED  the last permit, of a process that has waited too long: see fairness.ts
//   RECLAIMING while permits of a dead holder are freed, one more than its row; else 0
//   NEXT_…    what VALUE and RETURNED become by that, and how many are FREED
//   rows      how many permits a process holds, its token, and of a dead one who was told
//
// Who releases need not be who acquired: in Python's terms a semaphore has no owner, and one process
// may acquire what another releases, as a signal. So what stands in the rows is only a guess at who
// must be missed when he dies, and more than INITIAL isn't counted. What a dead holder held is freed as
// far as permits are missing: INITIAL less VALUE less what the living hold. What others have released in his place isn't freed again, nor
// does it count when they do so afterwards (RETURNED). So a death never makes permits out of nothing.
//
// All of it changes under the table's lock (shm/slot_table.ts), and a process that ends between any two stores
// there leaves what is right or put right. Permits are taken from VALUE last and given back to it first:
// a process that dies in between holds, by its row, a permit that isn't missing, and none is freed.
// What is freed of a dead holder is written down first and becomes true by the one store to RECLAIMING;
// whoever has the table's lock next does the rest, once more if need be. Then the row holds minus the
// number of permits that were freed until the process that was TOLD has acknowledged that
// (acknowledge.ts); if it dies before, another is told.

import { AbandonedLockError } from "../errors.ts";
import { EventCount, WAIT } from "../wait/eventcount.ts";
import type { Operation } from "../wait/operation.ts";
import { Reservation, RESERVATION_WORDS } from "./fairness.ts";
import { acknowledgeSoon } from "./acknowledge.ts";
import type { SharedState } from "../shm/shared_state.ts";
import { newSlotTable, SLOT_TABLE_WORDS, SlotTable } from "../shm/slot_table.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, Math, performance } = primordials;

const VALUE = SLOT_TABLE_WORDS, INITIAL = VALUE + 1, RETURNED = VALUE + 2, RESERVED = VALUE + 3;
const RECLAIMING = RESERVED + RESERVATION_WORDS, FREED = RECLAIMING + 1;
const NEXT_VALUE = RECLAIMING + 2, NEXT_RETURNED = RECLAIMING + 3;
const EVENTCOUNT = 16, FIRST = 32;
const HELD = 0, TOKEN = 1, TOLD = 2, STRIDE = 4;

/** The most permits there can be. */
export const MAX_PERMITS = 2 ** 31 - 1;

/** What release() did. */
export const RELEASED = 0, TOO_MANY = 1;

/** New shared memory for so many permits. */
export function newSemaphoreState(count: number): SharedState {
  const shared = newSlotTable(FIRST, STRIDE);
  shared.words[VALUE] = shared.words[INITIAL] = count;
  return shared;
}

/** One process's view of the permits of a semaphore. */
export class SemaphoreState {
  readonly #shared: SharedState;
  readonly #table: SlotTable;
  readonly #reservation: Reservation;
  readonly eventcount: EventCount;
  /** What it is called in messages. */
  readonly #name: string;
  // What a survey found.
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

  /** Permits there are to take. */
  get value(): number {
    return Atomics.load(this.#shared.words, VALUE);
  }

  /** Permits there were at first. */
  get initial(): number {
    return Atomics.load(this.#shared.words, INITIAL);
  }

  /** Takes one if there is one and nobody has reserved it; throws if a holder has died. */
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
    // One of whom nothing is missing has abandoned nothing.
    do this.#table.section(work); while (dead !== 0 && freed === 0);
    if (dead !== 0) this.#report(dead, freed);
    if (took) this.#reservation.end();
    else if (reserved > 0) this.eventcount.recheckIn(reserved);
    return took;
  }

  /**
   * Under the table's lock: this process's row and what the living hold; the row of a dead process of
   * which nobody alive was told.
   */
  #survey(): void {
    const { token, roster } = this.#shared;
    const { used } = this.#table;
    this.#mine = this.#dead = -1;
    this.#held = 0;
    for (let row = 0; row < used; row++) {
      const held = this.#table.get(row, HELD);
      if (held === 0) continue;
      if (held < 0) {
        const told = this.#table.get(row, TOLD);
        if (told !== token && !roster.isTokenAlive(told)) this.#dead = row;
        continue;
      }
      const who = this.#table.get(row, TOKEN);
      if (who === token) this.#mine = row;
      if (who === token || roster.isTokenAlive(who)) this.#held += held;
      else this.#dead = row;
    }
  }

  /** Under the table's lock, after a survey: frees what is missing of the dead one; how many. */
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

  /** Under the table's lock: what follows from RECLAIMING, however much of it was done before. */
  #finishReclaiming(): void {
    const { words } = this.#shared;
    const row = Atomics.load(words, RECLAIMING) - 1;
    Atomics.store(words, VALUE, Atomics.load(words, NEXT_VALUE));
    Atomics.store(words, RETURNED, Atomics.load(words, NEXT_RETURNED));
    this.#table.set(row, HELD, -Atomics.load(words, FREED));
    Atomics.store(words, RECLAIMING, 0);
  }

  /** Under the table's lock, after a survey. */
  #take(value: number): boolean {
    const { words, token } = this.#shared;
    const initial = this.initial;
    // A mere signal isn't held.
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
    const name = this.#shared.roster.nameOf(dead);
    this.eventcount.notify(freed);
    acknowledgeSoon(this.#acknowledge);
    const permits = freed === 1 ? "a permit" : `${freed} permits`;
    throw new AbandonedLockError(
      `${name} has ended while it held ${permits} of the ${this.#name}. What the ${this.#name} ` +
        "protects may be half changed: put it right, and acquire it again; what it held is free now.",
    );
  }

  /** This process knows of the deaths that it was told of. */
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

  /** Takes one, when that is possible. */
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
    };
  }

  /** Gives one back, or does nothing if there would be more than `most`. */
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
    // One who has reserved it may be any of the sleepers.
    if (isMore) this.eventcount.notify(this.#reservation.isForAnother() ? Infinity : 1);
    return result;
  }
}
