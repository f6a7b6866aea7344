// Fairness: a waiter that has waited too long reserves what it waits for, and the others wait until that
// waiter has had it. So a lock lets newcomers barge in before those that sleep, which is what makes it fast,
// and still starves no process.
//
// A reservation is a mark with a time of expiry, so a process that reserves and then dies, or is busy with
// something else, holds the others up for milliseconds. No waiter is told when a reservation expires: a
// waiter that finds a free thing reserved tries again at that time (EventCount.recheckIn()).
//
// The time runs from when the thing becomes free: a waiter that reserves while another process holds it for longer
// than a reservation lasts would come away empty-handed each time. And it grows with the time that the waiter has
// waited: on a busy machine a waiter that was woken may have to wait for a processor longer than any fixed time.
//
//   WHO     0, or the token of the process that has reserved
//   UNTIL   when (ms) the reservation ends
//   LASTS   for how long (ms) it lasts from when the thing becomes free

import * as primordials from "../platform/primordials.ts";

const { Atomics, Date, Math, performance } = primordials;

const WHO = 0, UNTIL = 1, LASTS = 2;
/** Words that a reservation takes. */
export const RESERVATION_WORDS = 3;

/** The time after which a waiter reserves. */
const RESERVE_AFTER_MS = 2;
/** How long a reservation lasts: this part of the time that its process has waited, within bounds. */
const PART_OF_WAIT = 1 / 8, MIN_RESERVATION_MS = 5, MAX_RESERVATION_MS = 500;

/** One process's view of a reservation at words[at…at + RESERVATION_WORDS). */
export class Reservation {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #token: number;

  constructor(words: Int32Array, at: number, token: number) {
    this.#words = words;
    this.#at = at;
    this.#token = token;
  }

  /** Called as the thing becomes free: a reservation of another process lasts from now on. Whether there is one. */
  beginForAnother(): boolean {
    const words = this.#words, at = this.#at;
    const who = Atomics.load(words, at + WHO);
    if (who === 0 || who === this.#token) return false;
    const lasts = Math.min(Math.max(0, Atomics.load(words, at + LASTS)), MAX_RESERVATION_MS);
    Atomics.store(words, at + UNTIL, (clock() + lasts) | 0);
    return true;
  }

  /** The ms for which it is still reserved for another process; 0 if it isn't. */
  timeForAnother(): number {
    const words = this.#words, at = this.#at;
    const who = Atomics.load(words, at + WHO);
    if (who === 0 || who === this.#token) return 0;
    const left = (Atomics.load(words, at + UNTIL) - clock()) | 0;
    if (left >= 0 && left <= MAX_RESERVATION_MS) return left + 1;
    Atomics.compareExchange(words, at + WHO, who, 0);
    return 0;
  }

  /**
   * Reserves for a waiter that has woken in vain and lost patience; `since` is when (performance.now()) it
   * began to wait.
   */
  ask(since: number): void {
    const waited = performance.now() - since;
    if (waited <= RESERVE_AFTER_MS) return;
    const words = this.#words, at = this.#at;
    const who = Atomics.compareExchange(words, at + WHO, 0, this.#token);
    if (who !== 0 && who !== this.#token) return;
    const lasts =
      Math.max(MIN_RESERVATION_MS, Math.min(waited * PART_OF_WAIT, MAX_RESERVATION_MS)) | 0;
    Atomics.store(words, at + LASTS, lasts);
    Atomics.store(words, at + UNTIL, (clock() + lasts) | 0);
  }

  /** Ends this process's reservation, as it has got the thing or gives up; returns whether there was one. */
  end(): boolean {
    return Atomics.compareExchange(this.#words, this.#at + WHO, this.#token, 0) === this.#token;
  }
}

/** The time in milliseconds, as a word. */
function clock(): number {
  return Date.now() | 0;
}
