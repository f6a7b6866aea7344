// Mutual exclusion between processes, what Lock and RLock are made of: a word that names the holder.
//
//   HOLDER          0, or the token of the process that holds it, with WAITED where somebody may be
//                   asleep; FREE_RESERVED when it is free, but for whom RESERVED names
//   AGAIN           how often its holder has acquired it once more (RLock); only he writes it
//   RESERVED        of a process that has waited too long: see reservation.ts
//   DEATHS          how many holders were found dead; before the lock is free again
//
// After Drepper, "Futexes Are Tricky" (2011), mutex2: where nobody waits, taking is one
// compare-and-swap of HOLDER from 0 and releasing one back to 0, so a process can be killed at any
// instant: it holds the lock or it doesn't. Who goes to sleep sets WAITED first; who has waited takes
// the lock with WAITED set, because others may wait still. Releasing clears WAITED and wakes one
// waiter; in its place another may take the lock, without WAITED, before that one is awake. So a waiter
// that was woken and doesn't want the lock any more sets WAITED again (Gate.passOn()). Who finds a holder dead (roster.ts) swaps
// its token for 0, and whoever does that, and nobody else, reports it.
//
// Whoever comes takes a lock that is free, also before those who have been asleep: handing it to a
// sleeper would let it lie for the 50 µs of his waking up. But one who has waited for milliseconds
// reserves it, and then the others wait until he has had it.

import { AbandonedLockError, InvalidStateError } from "../errors.ts";
import { Gate, GATE_WORDS, WAIT } from "../wait/gate.ts";
import type { Operation } from "../wait/operation.ts";
import { Reservation, RESERVATION_WORDS } from "./reservation.ts";
import { type Owner, ownerOf, type Shared } from "./shared.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, performance } = primordials;

const HOLDER = 0, AGAIN = 1, RESERVED = 2, DEATHS = RESERVED + RESERVATION_WORDS;
const GATE = 16;
/** Words it takes. */
export const MUTUAL_WORDS = GATE + GATE_WORDS;

/** A bit of HOLDER beside the token. */
const WAITED = 1 << 30;
const FREE_RESERVED = -1;

/** One process's view of a lock at words[at…at + MUTUAL_WORDS). */
export class Mutual {
  readonly #shared: Shared;
  readonly #words: Int32Array;
  readonly #token: number;
  readonly #at: number;
  readonly #reservation: Reservation;
  readonly gate: Gate;
  /** What it is called in messages. */
  readonly #name: string;

  constructor(shared: Shared, name: string, at = 0) {
    this.#shared = shared;
    this.#words = shared.words;
    this.#token = shared.token;
    this.#at = at;
    this.#name = name;
    this.#reservation = new Reservation(shared.words, at + RESERVED, shared.token);
    this.gate = new Gate(shared.words, at + GATE, () => this.isFree, () => this.#markWaited());
  }

  get isFree(): boolean {
    const holder = Atomics.load(this.#words, this.#at + HOLDER);
    return holder === 0 || holder === FREE_RESERVED;
  }

  /** Whether this process holds it. */
  get isMine(): boolean {
    return (Atomics.load(this.#words, this.#at + HOLDER) & ~WAITED) === this.#token;
  }

  /** Who holds it now, as it is printed. */
  get owner(): Owner | { owner: null } {
    const holder = Atomics.load(this.#words, this.#at + HOLDER);
    if (holder === 0 || holder === FREE_RESERVED) return { owner: null };
    return ownerOf(this.#shared.roster, holder & ~WAITED);
  }

  /** Takes it if it is free and nobody has reserved it; throws if its holder has died. */
  tryTake(): boolean {
    const holder = Atomics.compareExchange(this.#words, this.#at + HOLDER, 0, this.#token);
    return holder === 0 || this.#tryTakeFrom(holder);
  }

  #tryTakeFrom(found: number): boolean {
    const words = this.#words, at = this.#at;
    if (found === FREE_RESERVED) {
      if (this.#reservation.isForAnother()) return false;
      const taken = this.#token | WAITED;
      if (Atomics.compareExchange(words, at + HOLDER, FREE_RESERVED, taken) !== FREE_RESERVED) {
        return false;
      }
      this.#reservation.end();
      return true;
    }
    this.#buryIfDead(found);
    return false;
  }

  /**
   * Throws if its holder has died, unless another reports that: for one who isn't about to take it. Returns
   * how many there were.
   */
  reportDeath(): number {
    const words = this.#words, at = this.#at;
    const found = Atomics.load(words, at + HOLDER);
    if (found !== 0 && found !== FREE_RESERVED) this.#buryIfDead(found);
    return Atomics.load(words, at + DEATHS);
  }

  #buryIfDead(found: number): void {
    const holder = found & ~WAITED;
    if (holder !== this.#token && !this.#shared.roster.isTokenAlive(holder)) {
      this.#bury(found, holder);
    }
  }

  /** As tryTake(), for one who waits; where it can't be taken, its holder is told that he does. */
  #tryTakeOrMark(hasWaited: boolean): boolean {
    const words = this.#words, at = this.#at + HOLDER;
    const taken = hasWaited ? this.#token | WAITED : this.#token;
    for (;;) {
      const holder = Atomics.compareExchange(words, at, 0, taken);
      if (holder === 0 || this.#tryTakeFrom(holder)) return true;
      if (holder === FREE_RESERVED || (holder & WAITED) !== 0) return false;
      if (Atomics.compareExchange(words, at, holder, holder | WAITED) === holder) return false;
    }
  }

  /** Has whoever holds it now wake one when releasing it; true if nobody holds it. */
  #markWaited(): boolean {
    const words = this.#words, at = this.#at + HOLDER;
    for (;;) {
      const holder = Atomics.load(words, at);
      if (holder === 0 || holder === FREE_RESERVED) return true;
      if ((holder & WAITED) !== 0) return false;
      if (Atomics.compareExchange(words, at, holder, holder | WAITED) === holder) return false;
    }
  }

  /** Frees it of a holder that has died, and reports that, unless another does. */
  #bury(found: number, holder: number): void {
    const words = this.#words, at = this.#at;
    const name = this.#shared.roster.nameOf(holder);
    const again = Atomics.load(words, at + AGAIN);
    // Only the holder may clear AGAIN, so he is buried by becoming it for a moment.
    const mine = this.#token | WAITED;
    if (Atomics.compareExchange(words, at + HOLDER, found, mine) !== found) return;
    Atomics.store(words, at + AGAIN, 0);
    Atomics.add(words, at + DEATHS, 1);
    Atomics.store(words, at + HOLDER, 0);
    this.gate.open(1);
    const times = again > 0 ? ` ${again + 1} times` : "";
    throw new AbandonedLockError(
      `${name} has ended while it held the ${this.#name}${times}. What the ${this.#name} protects ` +
        "may be half changed: put it right, and acquire it again; it is free now.",
    );
  }

  /** Takes it, when that is possible. */
  taking(): Operation<boolean> {
    let since = 0;
    const attempt = () => {
      if (this.#tryTakeOrMark(since !== 0)) return true;
      if (since === 0) since = performance.now();
      else this.#reservation.ask(since);
      return WAIT;
    };
    return {
      gate: this.gate,
      attempt,
      expired: () => false,
      abandoned: () => this.#giveUp(),
    };
  }

  /** One who doesn't wait any more. */
  #giveUp(): void {
    if (!this.#reservation.end()) return;
    const words = this.#words, at = this.#at;
    if (Atomics.compareExchange(words, at + HOLDER, FREE_RESERVED, 0) === FREE_RESERVED) {
      this.gate.open(1);
    }
  }

  /** Gives it back; throws if this process doesn't hold it. */
  release(): void {
    const token = this.#token;
    const holder = Atomics.compareExchange(this.#words, this.#at + HOLDER, token, 0);
    if (holder !== token) this.#releaseTo(holder);
  }

  #releaseTo(holder: number): void {
    if (holder !== (this.#token | WAITED)) this.checkMine("release");
    // One who has reserved it may be any of the sleepers.
    const reserved = this.#reservation.isForAnother();
    Atomics.store(this.#words, this.#at + HOLDER, reserved ? FREE_RESERVED : 0);
    this.gate.open(reserved ? Infinity : 1);
  }

  /** Throws if this process doesn't hold it; `what` it was that a method was called on. */
  checkMine(
    call: string,
    what = `${this.#name === "RLock" ? "an" : "a"} ${this.#name} that`,
  ): void {
    if (this.isMine) return;
    const holder = Atomics.load(this.#words, this.#at + HOLDER) & ~WAITED;
    const who = this.isFree ? "nobody holds it" : `${this.#shared.roster.nameOf(holder)} holds it`;
    throw new InvalidStateError(
      `${call}() was called on ${what} this process doesn't hold: ${who}. Acquire it first.`,
    );
  }

  /** How often its holder has acquired it once more; only for the holder. */
  get again(): number {
    return this.#words[this.#at + AGAIN];
  }

  set again(times: number) {
    this.#words[this.#at + AGAIN] = times;
  }
}
