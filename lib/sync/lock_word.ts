// The lock word: mutual exclusion between processes, the state of Lock and RLock. It names its owner, as the
// word of a robust futex does.
//
//   HOLDER          the state: 0 where it is free; the token of the owner, with WAITED where a waiter may be
//                   asleep; FREE_MARKED where it is free, and RESERVED or TOLD say more
//   RECURSION       how often the owner has acquired it once more (RLock); only the owner writes it
//   RESERVED        the reservation of a process that has waited too long: see fairness.ts
//   DEATHS          how many owners were found dead; counted before the lock is free again
//   NUMBER          its number, once it was waited for (lib/wait/subject.ts)
//   TOLD, DEAD      the process that was told of such a death and hasn't acknowledged it yet
//                   (acknowledge.ts), and the owner that died; 0 if there is none
//
// After Drepper, "Futexes Are Tricky" (2011), mutex2: where no process waits, acquiring is one
// compare-and-swap of HOLDER from 0 and releasing one back to 0, so a process can be killed at any
// instant: it holds the lock or it doesn't. A waiter sets WAITED before it sleeps, and acquires the lock
// with WAITED set, because others may wait still. A release clears WAITED and wakes one
// waiter; before that one is awake, another process may acquire the lock, without WAITED. So a waiter
// that was woken and doesn't want the lock any more sets WAITED again (EventCount.passOn()). A waiter that
// finds the owner dead (liveness/process_table.ts) swaps the owner's token for its own; the one process
// whose swap succeeds frees the lock and reports the death.
//
// A free lock goes to the first process that tries to acquire it, also before waiters that sleep (barging):
// handing it to a sleeper would let it lie for the 50 µs that waking up takes. But a waiter that has waited
// for milliseconds reserves it, and then the others wait until that waiter has had it.

import { AbandonedLockError, InvalidStateError } from "../errors.ts";
import { EventCount, EVENTCOUNT_WORDS, WAIT } from "../wait/eventcount.ts";
import { ABANDONED, ACQUIRED, RELEASED } from "../liveness/event_rings.ts";
import { recorder } from "../liveness/recorder.ts";
import type { Operation } from "../wait/operation.ts";
import { acknowledgeSoon } from "./acknowledge.ts";
import { Reservation, RESERVATION_WORDS } from "./fairness.ts";
import { contentOf, type Owner, ownerOf, type SharedState } from "../shm/shared_state.ts";
import { ACQUIRE, LOCK, numberIn, RLOCK, type Subject } from "../wait/subject.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, performance } = primordials;

const HOLDER = 0, RECURSION = 1, RESERVED = 2, DEATHS = RESERVED + RESERVATION_WORDS;
const TOLD = DEATHS + 1, DEAD = DEATHS + 2;
const NUMBER = 15, EVENTCOUNT = 16;
/** Words that a lock takes. */
export const LOCK_WORDS = EVENTCOUNT + EVENTCOUNT_WORDS;

/** A bit of HOLDER beside the token. */
const WAITED = 1 << 30;
const FREE_MARKED = -1;

/** One process's view of a lock at words[at…at + LOCK_WORDS). */
export class LockWord implements Subject {
  readonly #shared: SharedState;
  readonly #words: Int32Array;
  readonly #token: number;
  readonly #at: number;
  readonly #reservation: Reservation;
  readonly eventcount: EventCount;
  /** The name of its class, for messages. */
  readonly #name: string;

  constructor(shared: SharedState, name: string, at = 0) {
    this.#shared = shared;
    this.#words = shared.words;
    this.#token = shared.token;
    this.#at = at;
    this.#name = name;
    this.#reservation = new Reservation(shared.words, at + RESERVED, shared.token);
    this.eventcount = new EventCount(
      shared.words,
      at + EVENTCOUNT,
      () => this.isFree,
      () => this.#markWaited(),
    );
  }

  get kind(): number {
    return this.#name === "RLock" ? RLOCK : LOCK;
  }

  get number(): number {
    return numberIn(this.#words, this.#at + NUMBER, this.kind);
  }

  /** Its shared memory, for another isolate: see receivedState(). */
  get content(): unknown {
    return contentOf(this.#shared);
  }

  /** The token of the holder; 0 while it is free. */
  get holderToken(): number {
    const holder = Atomics.load(this.#words, this.#at + HOLDER);
    return holder === FREE_MARKED ? 0 : holder & ~WAITED;
  }

  get isFree(): boolean {
    const holder = Atomics.load(this.#words, this.#at + HOLDER);
    return holder === 0 || holder === FREE_MARKED;
  }

  /** Whether this process holds the lock. */
  get isMine(): boolean {
    return (Atomics.load(this.#words, this.#at + HOLDER) & ~WAITED) === this.#token;
  }

  /** The current holder, as it is printed. */
  get owner(): Owner | { owner: null } {
    const holder = Atomics.load(this.#words, this.#at + HOLDER);
    if (holder === 0 || holder === FREE_MARKED) return { owner: null };
    return ownerOf(this.#shared.processTable, holder & ~WAITED);
  }

  /** Acquires the lock if it is free and not reserved for another process; throws if its holder has died. */
  tryTake(): boolean {
    const holder = Atomics.compareExchange(this.#words, this.#at + HOLDER, 0, this.#token);
    if (holder !== 0 && !this.#tryTakeFrom(holder, true)) return false;
    if (recorder !== undefined) recorder.event(ACQUIRED, this.kind, this.number);
    return true;
  }

  #tryTakeFrom(found: number, acknowledges: boolean): boolean {
    const words = this.#words, at = this.#at;
    if (found !== FREE_MARKED) {
      this.#reclaimIfDead(found, acknowledges);
      return false;
    }
    this.#tellInPlaceOfDead(acknowledges);
    const reserved = this.#reservation.timeForAnother();
    if (reserved > 0) {
      this.eventcount.recheckIn(reserved);
      return false;
    }
    const taken = this.#token | WAITED;
    if (Atomics.compareExchange(words, at + HOLDER, FREE_MARKED, taken) !== FREE_MARKED) {
      return false;
    }
    this.#reservation.end();
    return true;
  }

  /**
   * Throws if its holder has died, unless another process reports that; for a caller that isn't about to
   * acquire the lock. Returns how many holders have died so far.
   */
  reportDeath(): number {
    const words = this.#words, at = this.#at;
    const found = Atomics.load(words, at + HOLDER);
    if (found === FREE_MARKED) this.#tellInPlaceOfDead(false);
    else if (found !== 0) this.#reclaimIfDead(found, false);
    return Atomics.load(words, at + DEATHS);
  }

  #reclaimIfDead(found: number, acknowledges: boolean): void {
    const holder = found & ~WAITED;
    if (holder === this.#token || this.#shared.processTable.isTokenAlive(holder)) return;
    const again = Atomics.load(this.#words, this.#at + RECURSION);
    if (this.#becomeHolder(found)) this.#report(holder, again, acknowledges);
  }

  /**
   * Of a free lock: reports a death again if the process that was told of it has died before it acknowledged
   * that.
   */
  #tellInPlaceOfDead(acknowledges: boolean): void {
    const words = this.#words, at = this.#at;
    const told = Atomics.load(words, at + TOLD);
    if (told === 0 || told === this.#token || this.#shared.processTable.isTokenAlive(told)) return;
    const dead = Atomics.load(words, at + DEAD);
    if (this.#becomeHolder(FREE_MARKED)) this.#report(dead, 0, acknowledges);
  }

  /**
   * Like tryTake(), for a waiter; where the lock can't be acquired, WAITED tells its holder that there is a
   * waiter.
   */
  #tryTakeOrMark(hasWaited: boolean, acknowledges: boolean): boolean {
    const words = this.#words, at = this.#at + HOLDER;
    const taken = hasWaited ? this.#token | WAITED : this.#token;
    for (;;) {
      const holder = Atomics.compareExchange(words, at, 0, taken);
      if (holder === 0 || this.#tryTakeFrom(holder, acknowledges)) return true;
      if (holder === FREE_MARKED || (holder & WAITED) !== 0) return false;
      if (Atomics.compareExchange(words, at, holder, holder | WAITED) === holder) return false;
    }
  }

  /** Has the present holder wake a waiter when it releases the lock; true if there is no holder. */
  #markWaited(): boolean {
    const words = this.#words, at = this.#at + HOLDER;
    for (;;) {
      const holder = Atomics.load(words, at);
      if (holder === 0 || holder === FREE_MARKED) return true;
      if ((holder & WAITED) !== 0) return false;
      if (Atomics.compareExchange(words, at, holder, holder | WAITED) === holder) return false;
    }
  }

  /**
   * Becomes the holder in place of a dead one, to free the lock: only the holder may write RECURSION. False
   * if another process was quicker.
   */
  #becomeHolder(found: number): boolean {
    const mine = this.#token | WAITED;
    return Atomics.compareExchange(this.#words, this.#at + HOLDER, found, mine) === found;
  }

  /**
   * Called as the holder: frees the lock of a dead process, and reports the death. If this process dies
   * before that is acknowledged, it is found dead as the holder, or as the process in TOLD, and another
   * process reports the death.
   */
  #report(dead: number, again: number, acknowledges: boolean): never {
    const words = this.#words, at = this.#at;
    const name = this.#shared.processTable.nameOf(dead);
    Atomics.store(words, at + DEAD, dead);
    Atomics.store(words, at + TOLD, this.#token);
    Atomics.store(words, at + RECURSION, 0);
    Atomics.add(words, at + DEATHS, 1);
    this.#free();
    if (acknowledges) acknowledgeSoon(this.#acknowledge);
    if (recorder !== undefined) recorder.event(ABANDONED, this.kind, this.number);
    const times = again > 0 ? ` ${again + 1} times` : "";
    throw new AbandonedLockError(
      `${name} has ended while it held the ${this.#name}${times}. What the ${this.#name} protects ` +
        "may be half changed: put it right, and acquire it again; it is free now.",
    );
  }

  /** Acknowledges the death that this process was told of. */
  readonly #acknowledge = (): void => {
    if (Atomics.load(this.#words, this.#at + TOLD) !== this.#token) return;
    Atomics.compareExchange(this.#words, this.#at + TOLD, this.#token, 0);
  };

  /**
   * Acquires the lock, when that is possible.
   *
   * @param acknowledges whether an error reaches the caller of this library as soon as it is thrown
   */
  taking(acknowledges = true): Operation<boolean> {
    let since = 0;
    const attempt = () => {
      if (this.#tryTakeOrMark(since !== 0, acknowledges)) {
        if (since !== 0) this.#reservation.end();
        if (recorder !== undefined) recorder.event(ACQUIRED, this.kind, this.number);
        return true;
      }
      if (since === 0) since = performance.now();
      else this.#reservation.ask(since);
      return WAIT;
    };
    return {
      eventcount: this.eventcount,
      attempt,
      onTimeout: () => false,
      onCancel: () => this.#giveUp(),
      subject: this,
      verb: ACQUIRE,
      isNoVictim: !acknowledges,
    };
  }

  /** A waiter of this process gives up: its reservation ends, and another waiter is woken. */
  #giveUp(): void {
    if (this.#reservation.end() && this.isFree) this.eventcount.notify(1);
  }

  /** Releases the lock; throws if this process doesn't hold it. */
  release(): void {
    const token = this.#token;
    if (recorder !== undefined && this.isMine) recorder.event(RELEASED, this.kind, this.number);
    const holder = Atomics.compareExchange(this.#words, this.#at + HOLDER, token, 0);
    if (holder !== token) this.#releaseTo(holder);
  }

  #releaseTo(holder: number): void {
    if (holder !== (this.#token | WAITED)) this.checkMine("release");
    this.#acknowledge();
    this.#free();
  }

  /** Called as the holder: frees the lock, and wakes a waiter. */
  #free(): void {
    const words = this.#words, at = this.#at;
    const isReserved = this.#reservation.beginForAnother();
    const isMarked = isReserved || Atomics.load(words, at + TOLD) !== 0;
    Atomics.store(words, at + HOLDER, isMarked ? FREE_MARKED : 0);
    // The process that has reserved it may be any of the sleepers.
    this.eventcount.notify(isReserved ? Infinity : 1);
  }

  /** Throws if this process doesn't hold the lock; `what` names the object whose method was called. */
  checkMine(
    call: string,
    what = `${this.#name === "RLock" ? "an" : "a"} ${this.#name} that`,
  ): void {
    if (this.isMine) return;
    const holder = Atomics.load(this.#words, this.#at + HOLDER) & ~WAITED;
    const who = this.isFree
      ? "nobody holds it"
      : `${this.#shared.processTable.nameOf(holder)} holds it`;
    throw new InvalidStateError(
      `${call}() was called on ${what} this process doesn't hold: ${who}. Acquire it first.`,
    );
  }

  /** How often the holder has acquired the lock once more; only for the holder. */
  get recursion(): number {
    return this.#words[this.#at + RECURSION];
  }

  set recursion(times: number) {
    this.#words[this.#at + RECURSION] = times;
  }
}
