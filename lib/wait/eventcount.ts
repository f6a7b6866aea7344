// The eventcount (Vyukov's): where waiters sleep until trying again may succeed. A few words of shared
// memory and, in each isolate, a list of the tasks that wait there.
//
//   EPOCH          bumped at every notify; sleepers sleep on it
//   HOT_EPOCH      bumped with it; the sleeper in the hot slot sleeps on this one instead
//   HOT_SLOT       1 while the hot slot is taken
//   ARRIVALS       counted up by every waiter that is about to sleep
//   SERVED_TICKET  the count of arrivals at the last notify that found no sleeper left
//   SPINNER        until when (ms) an awake waiter spins, so that no sleeper need be woken
//
// Waiter                                     Notifier (after its change is made)
//   e = load EPOCH                             a = load ARRIVALS
//   add ARRIVALS                               if a === load SERVED_TICKET: done, no waiter sleeps
//   attempt; done if it succeeds               add EPOCH
//   sleep while EPOCH === e; again             if notify(n) woke fewer than n: store SERVED_TICKET = a
//
// (EPOCH stands for the pair EPOCH and HOT_EPOCH: a waiter reads both and sleeps on one of them, a
// notifier bumps both before it wakes sleepers on the one and then on the other.)
//
// No wake-up is lost (all operations are sequentially consistent). Either the attempt sees the
// change, or the notifier, whose change came later, sees the arrival. If a ≠ SERVED_TICKET, the notifier
// bumps EPOCH: the waiter, which read e before it arrived, either isn't asleep yet and then won't
// fall asleep, or is asleep and can be woken. If a === SERVED_TICKET, an earlier notifier had
// counted this arrival, and bumped EPOCH after counting and so after e was read: the waiter was
// awake or was woken, and arrives anew before it sleeps again. There is no count of sleepers that
// a killed process could leave wrong: its arrival is served by the next notify.
//
// A wake-up given to an isolate that dies, or is busy, moves on: deaths are announced on the broadcast
// channel and every waiter tries again; without any announcement, once a second, blocked threads
// every SLICE_MS.
//
// The hot slot. A futex wakes its sleepers in the order they came, so with many sleepers every
// item would go to the one whose caches are coldest. The waiter that finds the hot slot free takes it and is
// woken first; once served it sits there again. HOT_SLOT is only a hint: a slot whose sleeper died
// is found empty by the next notify.
//
// A waiter that was woken and leaves without using the wake-up (its time was up, its attempt threw, it was
// another waiter's turn) passes it on to the next sleeper, if trying may succeed now. If not, the next
// notifier wakes one; but some notify only if a mark says that there is a waiter, and clear the mark as they
// do, as Drepper's mutex2 does. At such an eventcount, the waiter that leaves sets the mark again.
//
// Spinning. Waking costs about 50 µs, so a waiter that has reason to expect its wake-up within
// that time spins instead of sleeping, one per eventcount. Notifiers then skip the wake-up: the spinner
// takes what comes, clears SPINNER and, if it leaves empty-handed, tries once more before it
// sleeps. SPINNER is a time of expiry, so a process killed while spinning blocks nothing.
//
// Napping. A sleep of a task ends by a turn of the event loop, which costs more than the wake-up itself, and where
// the other side has no core of its own, a spin only keeps it from running. So a task whose spin was in vain, or
// which doesn't spin any more, blocks its thread for a moment before it sleeps, if that has been worth it lately.

import {
  announce,
  isBroken,
  keepAlive,
  letExit,
  listen,
  onAnnouncement,
  onBroken,
} from "./broadcast.ts";
import { stopIfKilled } from "../liveness/critical_section.ts";
import { checkStack } from "../liveness/stack_guard.ts";
import { WAIT } from "./attempt.ts";
import { AsyncWaiter, type Notified } from "./async_waiter.ts";
import { lookAtAll, noteLag } from "./wait_records.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeIndexOf,
  ArrayPrototypePush,
  ArrayPrototypeSplice,
  Atomics,
  clearInterval,
  clearTimeout,
  Date,
  Deno,
  each,
  listOf,
  Math,
  performance,
  SafeSet,
  setInterval,
  setTimeout,
} = primordials;

const EPOCH = 0, ARRIVALS = 1, SERVED_TICKET = 2, SPINNER = 3, HOT_EPOCH = 4, HOT_SLOT = 5;
/** Words that an eventcount takes. */
export const EVENTCOUNT_WORDS = 6;

export { WAIT };

/** Milliseconds after which a blocked thread tries again, and does chores. */
const SLICE_MS = 20;
/** Milliseconds after which waiting tasks try again unasked: with a working broadcast channel, and without. */
const RECHECK_MS = 1000, RECHECK_WITHOUT_BROADCAST_MS = 50;
/** Milliseconds that a SPINNER mark is valid, well over the longest spin. */
const SPIN_MARK_MS = 2;
/** Microseconds of the longest spin: the price of a wake-up there and one back. */
const MAX_SPIN_US = 120;
/** The next spin may take this, in µs, and so many times what the last one took that was worth it. */
const MIN_SPIN_US = 32, SPIN_FACTOR = 4;
/** Milliseconds of a nap: a wake-up there, a short answer, and the way back, where they share a core. */
const NAP_MS = 0.25;
/** Naps in vain, one after the other, after which an eventcount has none for a while. */
const MAX_VAIN_NAPS = 2;
/** The same of an isolate, after which it has none at a new eventcount. */
const MAX_VAIN_NAPS_ANYWHERE = 4;
/** The most checks of a spin, should the clock stand still: several times as many as it has time for. */
const MAX_LOOKS = 10_000;
/** Sleeps after which spinning is tried again, in case the times have changed. */
const RETRY_SPIN = 16;
/** The most sleeps between two retries: their number doubles after each retry that was in vain. */
const MAX_RETRY_SPIN = 256;

/** Rounds within which a waiter falls asleep, unless the eventcount is notified all the while. */
const MAX_ROUNDS = 1000;

/** A task that waits at an eventcount. */
export interface Waiter {
  /** Tries; true if the task is done, whether it succeeded or failed for good. */
  attempt(): boolean;
}

/** Chores: work to do now and then while this thread is blocked; see block(). */
const chores = new SafeSet<() => void>();

/** Registers a chore, which is done every SLICE_MS while a blocking wait keeps the event loop from doing it. */
export function addChore(chore: () => void): void {
  chores.add(chore);
}

/** Ends what addChore() began. */
export function removeChore(chore: () => void): void {
  chores.delete(chore);
}

/** Does the chores, which the event loop would do if it had its turn. */
export function doChores(): void {
  for (const chore of each(listOf(chores))) chore();
}

/** The most nested calls that the beginning of a wait takes. */
const STACK_NEEDED = 1000;

/** The eventcounts of this isolate at which a task waits. */
const busy = new SafeSet<EventCount>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Lets all waiting tasks of this isolate try again. */
export function recheck(): void {
  for (const eventcount of each(listOf(busy))) eventcount.pump();
}
const LOOK = "look";
onAnnouncement(LOOK, recheck);
onBroken(lookRegularly);

/** Lets all waiters of other isolates try again. */
export function lookElsewhere(): void {
  announce({ type: LOOK });
}

/** Lets all waiters, here and elsewhere, try again: because a process has ended, for instance. */
export function recheckEverywhere(): void {
  lookElsewhere();
  recheck();
}

/** The number of busy eventcounts whose waiters keep this isolate alive. */
let loud = 0;

function began(eventcount: EventCount): void {
  // Deno loads timers and channels at their first use, and a failure then is final.
  if (busy.size === 0) checkStack(STACK_NEEDED);
  busy.add(eventcount);
  if (eventcount.isQuiet) listen();
  else if (++loud === 1) keepAlive();
  if (busy.size === 1) lookRegularly();
}

/** When the next look of waiting tasks is due, in ms. */
let dueAt = 0;

function tick(): void {
  recheck();
  const now = performance.now();
  if (now < dueAt) return;
  noteLag(now - dueAt);
  dueAt = now + RECHECK_MS;
  lookAtAll();
}

function lookRegularly(): void {
  clearInterval(timer);
  if (busy.size === 0) return;
  dueAt = performance.now() + RECHECK_MS;
  timer = setInterval(tick, isBroken() ? RECHECK_WITHOUT_BROADCAST_MS : RECHECK_MS);
  // Only the channel keeps this isolate alive, if anything does.
  Deno.unrefTimer(timer as unknown as number);
}

function ended(eventcount: EventCount): void {
  if (!busy.delete(eventcount)) return;
  if (!eventcount.isQuiet && --loud === 0) letExit();
  if (busy.size === 0) clearInterval(timer);
}

/** The naps of this isolate that were in vain since the last one that was not. */
let vainNaps = 0;

/** The clock of SPINNER: milliseconds, in the 30 bits that stay a small integer. */
function clock(): number {
  return Date.now() & 0x3fffffff;
}

function spinnerWatches(mark: number): boolean {
  if (mark === 0) return false;
  const left = mark - clock();
  return left >= 0 && left <= SPIN_MARK_MS;
}

/** One isolate's view of an eventcount at words[at…at + EVENTCOUNT_WORDS). */
export class EventCount implements Notified {
  readonly #words: Int32Array;
  readonly #epoch: number;
  readonly #ready: () => boolean;
  readonly #mark: (() => boolean) | undefined;
  readonly #waiters: Waiter[] = [];
  /** The async waiter, which sleeps for the tasks, and perhaps longer; made when first needed. */
  #asyncWaiter: AsyncWaiter | undefined;
  #pumping = false;
  /** The time (performance.now()) at which waiters try again unasked, and the timer of tasks for that. */
  #due = Infinity;
  #dueTimer: ReturnType<typeof setTimeout> | undefined;
  /** The longest time of the next spin, in microseconds: by what the last took, halved by each that was in vain. */
  #spin = MAX_SPIN_US;
  /** The naps in vain that it may still have. */
  #naps = MAX_VAIN_NAPS;
  /** Whether naps here have been tried, or are to be tried again. */
  #knowsNaps = false;
  /** The sleeps since the last nap in vain, and after how many a nap is tried again: doubled each time. */
  #sleepsWithoutNap = 0;
  #napAfter = RETRY_SPIN >> 1;
  #sleeps = 0;
  #retryAfter = RETRY_SPIN;
  #retrying = false;
  /** Whether waiting here doesn't keep the isolate alive. Set before the first wait. */
  isQuiet = false;

  /**
   * @param ready whether an attempt made now is likely to succeed; cheap, and never throws
   * @param mark for an eventcount whose notifiers notify only if a mark says that there is a waiter: sets the
   *   mark, or answers true if there is nothing to mark, since an attempt may succeed now
   */
  constructor(words: Int32Array, at: number, ready: () => boolean, mark?: () => boolean) {
    this.#words = words;
    this.#epoch = at;
    this.#ready = ready;
    this.#mark = mark;
  }

  /** The number of tasks of this isolate that wait here. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** Whether a waiter of any process may be asleep here. */
  get isWanted(): boolean {
    const words = this.#words, epoch = this.#epoch;
    return Atomics.load(words, epoch + ARRIVALS) !== Atomics.load(words, epoch + SERVED_TICKET);
  }

  /** Opens the eventcount for `count` sleepers (Infinity: for all), after the change they wait for. */
  notify(count: number): void {
    const words = this.#words, epoch = this.#epoch;
    const arrivals = Atomics.load(words, epoch + ARRIVALS);
    if (arrivals === Atomics.load(words, epoch + SERVED_TICKET)) return;
    if (count === 1 && spinnerWatches(Atomics.load(words, epoch + SPINNER))) return;
    this.#notify(count, arrivals);
  }

  #notify(count: number, arrivals: number): void {
    const words = this.#words, epoch = this.#epoch;
    Atomics.add(words, epoch + EPOCH, 1);
    Atomics.add(words, epoch + HOT_EPOCH, 1);
    const first = Atomics.exchange(words, epoch + HOT_SLOT, 0) !== 0 ? HOT_EPOCH : EPOCH;
    let left = count - Atomics.notify(words, epoch + first, count);
    // Whatever HOT_SLOT says, no waiter is left asleep on either word before this counts as served: a waiter
    // that took the hot slot may have fallen asleep just after an earlier notifier cleared it.
    if (left > 0) left -= Atomics.notify(words, epoch + (first ^ HOT_EPOCH), left);
    if (left > 0) Atomics.store(words, epoch + SERVED_TICKET, arrivals);
  }

  /** Takes the hot slot if it is free; returns whether it did. */
  #takeHotSlot(): boolean {
    return Atomics.compareExchange(this.#words, this.#epoch + HOT_SLOT, 0, 1) === 0;
  }

  /**
   * Called by a waiter that leaves and may have had a wake-up: wakes the next sleeper if trying may succeed
   * now, else makes sure that the next notifier will.
   */
  passOn(): void {
    const words = this.#words, epoch = this.#epoch;
    const arrivals = Atomics.load(words, epoch + ARRIVALS);
    if (arrivals === Atomics.load(words, epoch + SERVED_TICKET)) return;
    if (this.#ready() || this.#mark?.()) this.#notify(1, arrivals);
  }

  /**
   * Spins for a moment, if spinning has been worth it lately and no other waiter spins here. Returns true if
   * an attempt may succeed; then the caller tries, and calls passOn() whether it succeeded or not.
   */
  spin(): boolean {
    if (this.#spin === 0) return false;
    const words = this.#words, spinner = this.#epoch + SPINNER;
    const mark = Atomics.load(words, spinner);
    if (spinnerWatches(mark)) return false;
    if (Atomics.compareExchange(words, spinner, mark, clock() + SPIN_MARK_MS) !== mark) {
      return false;
    }
    const begun = performance.now(), end = begun + this.#spin / 1000;
    let seen = false, now = begun;
    // Reading the clock takes 0.1 µs: time in which the other side can write, as this loop doesn't take its
    // cache line away all the while.
    let looks = 0;
    do seen = this.#ready(); while (
      !seen && ++looks < MAX_LOOKS && (now = performance.now()) < end
    );
    Atomics.store(words, spinner, 0);
    // A notifier that came until now relied on this check.
    seen ||= this.#ready();
    if (seen) {
      this.#spin = Math.min(MIN_SPIN_US + SPIN_FACTOR * 1000 * (now - begun), MAX_SPIN_US) | 0;
      this.#retryAfter = RETRY_SPIN;
    } else if (this.#retrying) {
      this.#spin = 0;
      this.#retryAfter = Math.min(2 * this.#retryAfter, MAX_RETRY_SPIN);
    } else this.#spin = this.#spin > 8 ? this.#spin >> 1 : 0;
    this.#retrying = false;
    return seen;
  }

  /**
   * Whether nap() may be worth it. Where a task of this isolate sleeps here still, as it was given up, it is woken in
   * place of the thread.
   */
  mayNap(): boolean {
    if (this.#naps === 0 || this.#asyncWaiter?.isAsleep) return false;
    return this.#knowsNaps || vainNaps < MAX_VAIN_NAPS_ANYWHERE;
  }

  /**
   * Tries, blocks this thread for a moment if that was in vain, and tries again. Then the caller calls passOn(),
   * whatever came of it.
   */
  nap(attempt: () => boolean): void {
    const words = this.#words, epoch = this.#epoch;
    const seen = Atomics.load(words, epoch + EPOCH);
    const seenFront = Atomics.load(words, epoch + HOT_EPOCH);
    Atomics.add(words, epoch + ARRIVALS, 1);
    if (attempt()) return;
    this.#countSleep();
    this.#knowsNaps = true;
    if (this.#takeHotSlot()) Atomics.wait(words, epoch + HOT_EPOCH, seenFront, NAP_MS);
    else Atomics.wait(words, epoch + EPOCH, seen, NAP_MS);
    stopIfKilled();
    if (attempt()) {
      this.#naps = MAX_VAIN_NAPS;
      this.#napAfter = RETRY_SPIN >> 1;
      vainNaps = 0;
      return;
    }
    vainNaps++;
    if (--this.#naps > 0) return;
    this.#sleepsWithoutNap = 0;
    this.#napAfter = Math.min(2 * this.#napAfter, MAX_RETRY_SPIN);
  }

  /** Called before every sleep: lets spins and naps be tried again from time to time. */
  #countSleep(): void {
    if (this.#naps === 0 && ++this.#sleepsWithoutNap >= this.#napAfter) {
      this.#naps = Math.min(1, MAX_VAIN_NAPS);
      this.#knowsNaps = true;
    }
    if (++this.#sleeps < this.#retryAfter) return;
    this.#sleeps = 0;
    this.#retrying = this.#spin === 0;
    this.#spin = MAX_SPIN_US;
  }

  /** Adds a waiting task, at the end of this isolate's list. */
  add(waiter: Waiter): void {
    ArrayPrototypePush(this.#waiters, waiter);
    if (this.#waiters.length === 1) began(this);
    try {
      this.pump();
    } catch (error) { // the stack is full
      this.remove(waiter);
      throw error;
    }
  }

  /** Removes a waiting task. */
  remove(waiter: Waiter): void {
    const at = ArrayPrototypeIndexOf(this.#waiters, waiter);
    if (at < 0) return;
    ArrayPrototypeSplice(this.#waiters, at, 1);
    if (this.#waiters.length > 0) return;
    ended(this);
    clearTimeout(this.#dueTimer);
    this.#dueTimer = undefined;
  }

  /** Lets the waiting tasks try, in their order, and makes sure that a sleeper is left for the rest. */
  pump(): void {
    if (this.#pumping) return;
    const words = this.#words, epoch = this.#epoch;
    for (let rounds = 0; this.#waiters.length > 0; rounds++) {
      if (rounds > MAX_ROUNDS) {
        // The eventcount is notified again and again, by hostile code perhaps: other work has its turn in
        // between.
        setTimeout(this.#pumpLater, 1);
        return;
      }
      const seen = Atomics.load(words, epoch + EPOCH);
      const seenFront = Atomics.load(words, epoch + HOT_EPOCH);
      Atomics.add(words, epoch + ARRIVALS, 1);
      this.#due = Infinity;
      this.#attemptAll();
      if (this.#waiters.length === 0) return;
      if (this.#due < Infinity) this.#lookWhenDue();
      this.#asyncWaiter ??= new AsyncWaiter(this, words, epoch + EPOCH, epoch + HOT_EPOCH);
      if (this.#asyncWaiter.isAsleep) return;
      this.#countSleep();
      if (this.#asyncWaiter.sleep(this.#takeHotSlot(), seen, seenFront)) return;
    }
  }

  /**
   * Called by an attempt that answers WAIT for a reason that ends by itself, without a notify: waiters try
   * again after `ms` milliseconds.
   */
  recheckIn(ms: number): void {
    this.#due = performance.now() + ms;
  }

  #lookWhenDue(): void {
    if (this.#dueTimer !== undefined) return;
    this.#dueTimer = setTimeout(() => {
      this.#dueTimer = undefined;
      this.pump();
    }, Math.max(1, this.#due - performance.now()));
  }

  readonly #pumpLater = (): void => this.pump();

  #attemptAll(): void {
    this.#pumping = true;
    try {
      for (;;) {
        const first = this.#waiters[0];
        if (first === undefined || !first.attempt()) return;
        this.remove(first);
      }
    } finally {
      this.#pumping = false;
    }
  }

  /**
   * Called when the async waiter was woken: the part of the wake-up that this isolate doesn't use goes to the
   * next sleeper.
   */
  woken(): void {
    this.pump();
    if (this.#waiters.length === 0) this.passOn();
  }

  /**
   * Blocks this thread until `attempt` returns true or the time is up; returns false if it was. Every `slice`
   * ms the thread tries again, because no message of a death reaches a blocked thread, and does the chores.
   *
   * @param watch is told before each sleep, and may end the wait by throwing
   */
  block(
    attempt: () => boolean,
    timeout: number,
    slice = SLICE_MS,
    watch?: { sleeping(now: number): void },
  ): boolean {
    const words = this.#words, epoch = this.#epoch;
    const end = performance.now() + timeout;
    try {
      for (;;) {
        const seen = Atomics.load(words, epoch + EPOCH);
        const seenFront = Atomics.load(words, epoch + HOT_EPOCH);
        Atomics.add(words, epoch + ARRIVALS, 1);
        this.#due = Infinity;
        if (attempt()) return true;
        const now = performance.now();
        if (end <= now) return false;
        if (watch !== undefined) watch.sleeping(now);
        const left = Math.min(end - now, slice, Math.max(1, this.#due - now));
        this.#countSleep();
        if (this.#takeHotSlot()) Atomics.wait(words, epoch + HOT_EPOCH, seenFront, left);
        else Atomics.wait(words, epoch + EPOCH, seen, left);
        stopIfKilled();
        AsyncWaiter.relay(this.#asyncWaiter);
        doChores();
      }
    } finally {
      this.passOn();
    }
  }
}
