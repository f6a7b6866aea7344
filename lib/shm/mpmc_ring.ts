// A bounded queue of records in shared memory, for any number of producers and consumers (MPMC), first in,
// first out. Vyukov's bounded MPMC queue gives each slot a sequence number and needs no lock, but its slots
// are of one size, and a producer that is killed between taking a slot and publishing it blocks the queue for
// ever. Here records have any length and a killed process leaves nothing half done; so there are two locks, one
// for producers and one for consumers, as in Michael and Scott's two-lock queue (1996).
//
// Two buffers: a header of words that never moves, and a growable one for the records. A record
// is a 4-byte length (its own bytes, this length included) and the bytes of one item, padded to
// whole units of 8 bytes; it never wraps around. Positions count units. Where a record didn't fit
// before the end, a skip stands instead: minus the number of units to the end, as it was then.
//
// Invariants
// 1. Consumers hold HEAD_LOCK, producers TAIL_LOCK; growing takes TAIL_LOCK, then HEAD_LOCK. So one
//    producer and one consumer never wait for each other, and each side's words are on a cache line of
//    its own. What a side needs to know of the other it copies to its own line when its copy says
//    "empty" or "full", and not before: an old copy is only ever too cautious.
// 2. A put becomes true by the one store to PUT_COUNT, a take by the one store to GOT_COUNT, growing and
//    dropping all records by one store to CAPACITY. TAIL and PUT_UNITS, HEAD and GOT_UNITS belong to a
//    count, and stand there twice: the lowest bit of the count says which of the two are valid, and the
//    next step writes the others before it stores the count. So a process that ends between any two stores
//    has done its step or nothing, and leaves nothing to repair. (LIMIT stands there once: whatever LIMIT
//    says, a put checks it against TAIL.)
// 3. PUT_COUNT === GOT_COUNT: empty. A put never makes TAIL reach HEAD.
// 4. The units from TAIL to LIMIT are free, and only producers use them.
// 5. The records use at most maxBytes. The buffer may grow to twice that, so that a record always
//    finds a stretch in one piece: what is skipped at the end is shorter than one record.
// 6. The buffer at least doubles when it grows, so that the records which move up go to where nothing
//    was: what lies at the old place stays valid until CAPACITY is stored.
//
// Between lock and unlock there is only copying and counting. Taking a record of more than
// LOOP_UNITS makes one view there, and growing two; neither has changed anything before it did.

import { enter, leave, leaveAfterError } from "../liveness/critical_section.ts";
import { arrivedMemory, checkAttempts, corrupted } from "../validate/corruption.ts";
import { Mutex } from "../liveness/mutex.ts";
import { copyWords, ensureScratch, LENGTH_BYTES, type Scratch } from "./scratch.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  Int32Array,
  Math,
  RangeError,
  SharedArrayBuffer,
  SharedArrayBufferPrototypeGrow,
  TypedArrayPrototypeCopyWithin,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;

// Header words, by cache line: settings, producers, consumers, the count of what is finished. CAPACITY is
// four times the number of units, and two bits: DROPPED, and FLIP, which every growth changes. FLIP and
// the lowest bit of GOT_COUNT together say which HEAD and GOT_UNITS are valid.
const CAPACITY = 0, MAX_UNITS = 1, MAX_SIZE = 2, MAX_BYTES = 3, CLOSED = 4;
/** Header words: the locks of the producers and of the consumers. */
export const TAIL_LOCK = 16, HEAD_LOCK = 32;
/** Of TAIL and PUT_UNITS there are two each. */
const PUT_COUNT = 17, TAIL = 18, PUT_UNITS = 20;
/** The producers' copies of what the consumers have done, and how far TAIL may go. */
const GOT_COUNT_SEEN = 22, GOT_UNITS_SEEN = 23, LIMIT = 24;
/** Of HEAD and GOT_UNITS there are two each. */
const GOT_COUNT = 33, HEAD = 34, GOT_UNITS = 36;
/** The consumers' copy of what the producers have done. */
const PUT_COUNT_SEEN = 38;
const FINISHED = 48;
/** The first header word that is free for whoever builds on the ring. */
export const MPMC_RING_WORDS = 64;

/** Bits of CAPACITY: nothing is there to be taken any more, whatever the counts say; see above. */
const DROPPED = 2, FLIP = 1;

const UNIT = 8;
const FIRST_UNITS = 512;
/** Up to so many units a word-by-word loop copies faster than TypedArray.set with its view. */
const LOOP_UNITS = 64;
/** What one locking moves at most when many records are put or taken together. */
const BATCH_RECORDS = 128, BATCH_UNITS = 8192;

/** What a ring consists of, to hand to another process. */
export interface MpmcRingShares {
  header: SharedArrayBuffer;
  records: SharedArrayBuffer;
}

/** Answers of an attempt that did nothing. */
export const FULL = -1, EMPTY = -2, SHUT_DOWN = -3;

/** Makes the shared memory of a ring, with room for `words` header words. */
export function newMpmcRing(maxSize: number, maxBytes: number, words: number): MpmcRingShares {
  const maxUnits = Math.ceil((maxBytes + LENGTH_BYTES) / UNIT), most = 2 * maxUnits + 2;
  const units = 2 * FIRST_UNITS > most ? most : FIRST_UNITS;
  const header = new SharedArrayBuffer(words * 4);
  const records = new SharedArrayBuffer(units * UNIT, { maxByteLength: most * UNIT });
  const view = new Int32Array(header);
  view[CAPACITY] = units << 2;
  view[MAX_UNITS] = maxUnits;
  view[MAX_SIZE] = maxSize;
  view[MAX_BYTES] = maxBytes;
  return { header, records };
}

/** One process's view of a ring. */
export class MpmcRing {
  readonly shares: MpmcRingShares;
  /** The header, also for the words of whoever builds on the ring. */
  readonly header: Int32Array;
  readonly #tailLock: Mutex;
  readonly #headLock: Mutex;
  /** CAPACITY, when the views were made, and the units it stands for. */
  #seen = 0;
  #capacity = 0;
  #words!: Int32Array;
  #bytes!: Uint8Array;

  constructor(shares: MpmcRingShares) {
    this.shares = shares;
    this.header = new Int32Array(arrivedMemory(shares.header, MPMC_RING_WORDS * 4));
    this.#tailLock = new Mutex(this.header, TAIL_LOCK);
    this.#headLock = new Mutex(this.header, HEAD_LOCK);
    arrivedMemory(shares.records, UNIT);
    this.#renew();
  }

  /** Fixed-length views: V8's length-tracking ones are 10 to 70 times slower an element. */
  #renew(): void {
    const seen = Atomics.load(this.header, CAPACITY), capacity = seen >>> 2;
    this.#words = new Int32Array(this.shares.records, 0, capacity * 2);
    this.#bytes = new Uint8Array(this.shares.records, 0, capacity * UNIT);
    this.#seen = seen;
    this.#capacity = capacity;
  }

  get isEmpty(): boolean {
    const { header } = this;
    return Atomics.load(header, GOT_COUNT) === Atomics.load(header, PUT_COUNT) || this.#isDropped;
  }

  /** Records put and not yet taken. */
  get size(): number {
    const got = Atomics.load(this.header, GOT_COUNT);
    const size = (Atomics.load(this.header, PUT_COUNT) - got) | 0;
    return size > 0 && !this.#isDropped ? size : 0;
  }

  /** Bytes that the records put and not yet taken use, lengths and padding included. */
  get usedBytes(): number {
    const { header } = this;
    // Looked at without a lock: it may be what was true a moment ago, or will be in a moment.
    const got = Atomics.load(header, GOT_COUNT) ^ Atomics.load(header, CAPACITY);
    const gotUnits = Atomics.load(header, GOT_UNITS + (got & FLIP));
    const put = Atomics.load(header, PUT_COUNT);
    const units = (Atomics.load(header, PUT_UNITS + (put & 1)) - gotUnits) | 0;
    return units > 0 && !this.#isDropped ? units * UNIT : 0;
  }

  /** Bytes of shared memory in use for records. */
  get capacityBytes(): number {
    return (Atomics.load(this.header, CAPACITY) >>> 2) * UNIT;
  }

  /** Records put since the beginning, modulo 2 ** 32. */
  get putCount(): number {
    return Atomics.load(this.header, PUT_COUNT) >>> 0;
  }

  /** Records taken since the beginning, modulo 2 ** 32. */
  get gotCount(): number {
    return Atomics.load(this.header, GOT_COUNT) >>> 0;
  }

  get maxSize(): number {
    return Atomics.load(this.header, MAX_SIZE);
  }

  /** Records beyond a smaller bound stay; producers find the ring full until enough are taken. */
  set maxSize(maxSize: number) {
    this.#tailLock.withLockNoKill(() => Atomics.store(this.header, MAX_SIZE, maxSize));
  }

  /** The most bytes its items may use, and so the longest item, in bytes. */
  get maxBytes(): number {
    return this.header[MAX_BYTES] >>> 0;
  }

  /** No further record is put once the ring is shut. */
  get isShut(): boolean {
    return Atomics.load(this.header, CLOSED) !== 0;
  }

  get #isDropped(): boolean {
    return (Atomics.load(this.header, CAPACITY) & DROPPED) !== 0;
  }

  /** Whether a small record would be put now. */
  get hasRoom(): boolean {
    const header = this.header;
    if (Atomics.load(header, CLOSED) !== 0) return true;
    const maxSize = header[MAX_SIZE];
    if (maxSize !== 0 && this.size >= maxSize) return false;
    return this.usedBytes < header[MAX_UNITS] * UNIT;
  }

  /**
   * Records put, and not dropped, of which nobody has yet said that they are finished. They aren't counted
   * by themselves: PUT_COUNT says how many there were, so that the one store to it counts a record, too.
   */
  get unfinished(): number {
    const finished = Atomics.load(this.header, FINISHED);
    return this.#unfinishedAfter(finished);
  }

  /** `finished` is read before: all it may count was put by then. */
  #unfinishedAfter(finished: number): number {
    const all = Atomics.load(this.header, this.#isDropped ? GOT_COUNT : PUT_COUNT);
    return (all - finished) | 0;
  }

  /** Counts one record as finished, and returns how many are left; -1, and nothing done, if all are. */
  finishOne(): number {
    const { header } = this;
    for (;;) {
      const finished = Atomics.load(header, FINISHED);
      const left = this.#unfinishedAfter(finished);
      if (left <= 0) return -1;
      const before = Atomics.compareExchange(header, FINISHED, finished, (finished + 1) | 0);
      if (before !== finished) continue;
      // Others may have been dropped just now.
      return this.#isDropped ? Math.max(0, this.unfinished) : left - 1;
    }
  }

  /**
   * Puts the record at source[at, at + length), whose first four bytes are left free for the
   * length. Returns 1, FULL or SHUT_DOWN. Throws a RangeError when the memory for it can't be had.
   */
  tryPut(source: Scratch, at: number, length: number): number {
    const header = this.header;
    const units = (length + 7) >>> 3;
    const word = at >>> 2;
    source.words[word] = length;
    const long = units > LOOP_UNITS
      ? TypedArrayPrototypeSubarray(source.bytes, at, at + length)
      : undefined;
    for (let attempts = 0;; attempts++) {
      checkAttempts(attempts, "queue");
      if (Atomics.load(header, CAPACITY) !== this.#seen) this.#renew();
      let position = STALE, held = false;
      try {
        enter();
        this.#tailLock.lock();
        held = true;
        position = this.#place(units);
        if (position >= 0) {
          if (long !== undefined) TypedArrayPrototypeSet(this.#bytes, long, position * UNIT);
          else copyWords(source.words, word, this.#words, position * 2, units * 2);
          this.#commitPut(position, units);
        }
        this.#tailLock.unlock();
        held = false;
        leave();
      } catch (error) {
        if (held && Atomics.exchange(header, TAIL_LOCK, 0) !== 0) Atomics.notify(header, TAIL_LOCK);
        leaveAfterError();
        throw error;
      }
      if (position >= 0) return 1;
      if (position === FULL || position === SHUT_DOWN) return position;
      if (position === GROW) this.#grow(units);
    }
  }

  /**
   * Puts as many of the records source[ends[i - 1], ends[i]) as there is room for, from number
   * `from` on, the first beginning at 0 and each beginning at a multiple of 8. Returns how many
   * (0: full), or SHUT_DOWN.
   */
  tryPutMany(
    source: Scratch,
    begins: readonly number[],
    lengths: readonly number[],
    from: number,
  ): number {
    const first = this.tryPut(source, begins[from], lengths[from]);
    if (first !== 1) return first === FULL ? 0 : first;
    const header = this.header;
    const last = Math.min(lengths.length, from + BATCH_RECORDS);
    for (let i = from + 1; i < last; i++) source.words[begins[i] >>> 2] = lengths[i];
    let next = from + 1;
    if (next >= last || Atomics.load(header, CAPACITY) !== this.#seen) return 1;
    this.#tailLock.withLockNoKill(() => {
      for (; next < last; next++) {
        const units = (lengths[next] + 7) >>> 3;
        if (units > LOOP_UNITS) break;
        const position = this.#place(units);
        if (position < 0) break;
        copyWords(source.words, begins[next] >>> 2, this.#words, position * 2, units * 2);
        this.#commitPut(position, units);
      }
    });
    return next - from;
  }

  /** Under TAIL_LOCK: the unit where a record goes, FULL, SHUT_DOWN, GROW or STALE. */
  #place(units: number): number {
    const header = this.header;
    if (Atomics.load(header, CAPACITY) !== this.#seen) return STALE;
    if (Atomics.load(header, CLOSED) !== 0) return SHUT_DOWN;
    if (!this.#isWithinBounds(units)) {
      if (this.#lookAtConsumers() === STALE) return STALE;
      if (!this.#isWithinBounds(units)) return FULL;
    }
    const tail = header[TAIL + (header[PUT_COUNT] & 1)];
    return tail + units <= header[LIMIT] ? tail : this.#findStretch(tail, units);
  }

  /** Under TAIL_LOCK: whether one more record is within maxSize and maxBytes, as far as is known. */
  #isWithinBounds(units: number): boolean {
    const header = this.header, put = header[PUT_COUNT];
    const maxSize = header[MAX_SIZE];
    if (maxSize !== 0 && ((put - header[GOT_COUNT_SEEN]) | 0) >= maxSize) return false;
    const used = (header[PUT_UNITS + (put & 1)] - header[GOT_UNITS_SEEN]) | 0;
    return used + units <= header[MAX_UNITS];
  }

  /**
   * Under TAIL_LOCK, while consumers go on: copies GOT_COUNT and GOT_UNITS, and returns the HEAD that belongs
   * to them. A consumer writes into these places again only after it has stored the next count, so what was
   * read between two looks at the same count is what that count made true. Each look in vain is a take.
   *
   * A consumer writes GOT_UNITS by a plain store. Where a machine lets that become visible before the count,
   * a producer finds room within maxBytes a moment too early, and in HEAD, whose stores are in order, that
   * there is none yet.
   */
  #lookAtConsumers(): number {
    const header = this.header;
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const got = Atomics.load(header, GOT_COUNT), valid = (got ^ this.#seen) & FLIP;
      const units = Atomics.load(header, GOT_UNITS + valid);
      const head = Atomics.load(header, HEAD + valid);
      if (Atomics.load(header, GOT_COUNT) !== got) continue;
      header[GOT_COUNT_SEEN] = got;
      header[GOT_UNITS_SEEN] = units;
      return head;
    }
    return STALE;
  }

  /** Under TAIL_LOCK: looks where HEAD is now, and goes on at the beginning if need be. */
  #findStretch(tail: number, units: number): number {
    const header = this.header, capacity = this.#capacity;
    const head = this.#lookAtConsumers();
    if (head === STALE) return STALE;
    if (tail < head) {
      header[LIMIT] = head - 1;
    } else if (tail + units <= capacity - (head === 0 ? 1 : 0)) {
      header[LIMIT] = capacity - (head === 0 ? 1 : 0);
    } else if (units < head) {
      this.#words[tail * 2] = tail - capacity;
      header[LIMIT] = head - 1;
      return 0;
    }
    return tail + units <= header[LIMIT] ? tail : GROW;
  }

  /** Under TAIL_LOCK: makes the record at `position` one that is there. */
  #commitPut(position: number, units: number): void {
    const header = this.header;
    const put = header[PUT_COUNT], valid = put & 1, next = valid ^ 1;
    const end = position + units;
    if (end === this.#capacity) header[TAIL + next] = header[LIMIT] = 0;
    else header[TAIL + next] = end;
    header[PUT_UNITS + next] = (header[PUT_UNITS + valid] + units) | 0;
    Atomics.store(header, PUT_COUNT, (put + 1) | 0);
  }

  /**
   * Doubles the room, or more if a record of `units` needs it, or if that would be more than half of what
   * there can be. Where the records wrap around, the older ones move up to the new end; a skip among
   * them then leads to the new end, as it did to the old one.
   */
  #grow(units: number): void {
    const { header, shares } = this;
    let failure: unknown;
    this.#tailLock.withLockNoKill(() =>
      this.#headLock.withLock(() => {
        const seen = Atomics.load(header, CAPACITY), capacity = seen >>> 2;
        if (seen !== this.#seen) return;
        try {
          const most = shares.records.maxByteLength / UNIT;
          const least = Math.max(capacity * 2, capacity + units + 1);
          const wanted = 2 * least > most ? most : least;
          // One that ended here may have made it larger already.
          if (shares.records.byteLength < wanted * UNIT) {
            SharedArrayBufferPrototypeGrow(shares.records, wanted * UNIT);
          }
          const valid = (header[GOT_COUNT] ^ seen) & FLIP, next = valid ^ 1;
          const head = header[HEAD + valid], up = wanted - capacity;
          const isWrapped = header[TAIL + (header[PUT_COUNT] & 1)] < head;
          if (isWrapped) {
            const words = new Int32Array(shares.records, 0, wanted * 2);
            TypedArrayPrototypeCopyWithin(words, (head + up) * 2, head * 2, capacity * 2);
          }
          Atomics.store(header, HEAD + next, isWrapped ? head + up : head);
          Atomics.store(header, GOT_UNITS + next, header[GOT_UNITS + valid]);
          header[LIMIT] = 0;
          Atomics.store(header, CAPACITY, wanted << 2 | (seen & FLIP) ^ FLIP);
        } catch (error) {
          failure = error;
        }
      })
    );
    if (failure !== undefined) {
      throw new RangeError(
        `The memory for another ${units * UNIT} bytes of queued items can't be had. ` +
          "Set maxBytes or maxSize so that put waits for the receivers.",
        { cause: failure },
      );
    }
  }

  /**
   * Takes the oldest record into `into`, which grows as needed; its bytes are then
   * into[LENGTH_BYTES, length). Returns the length, or EMPTY.
   */
  tryTake(into: Scratch): number {
    const header = this.header;
    for (let attempts = 0;; attempts++) {
      checkAttempts(attempts, "queue");
      // Read without the lock and not atomically, which costs 4 % of a get: whatever this sees, it
      // only decides whether isEmpty is asked, which looks properly, or the lock is taken.
      if (header[PUT_COUNT_SEEN] === header[GOT_COUNT] && this.isEmpty) return EMPTY;
      if (Atomics.load(header, CAPACITY) !== this.#seen) this.#renew();
      let length = EMPTY, held = false;
      try {
        enter();
        this.#headLock.lock();
        held = true;
        length = this.#takeOne(into, 0);
        this.#headLock.unlock();
        held = false;
        leave();
      } catch (error) {
        if (held && Atomics.exchange(header, HEAD_LOCK, 0) !== 0) Atomics.notify(header, HEAD_LOCK);
        leaveAfterError();
        // A record that was taken goes to the caller, though the stack is too full for the rest.
        if (length < 0 || !(error instanceof RangeError)) throw error;
      }
      if (length >= 0 || length === EMPTY) return length;
      if (length === DAMAGED) throw corrupted("queue");
      if (length !== STALE) ensureScratch(into, TOO_SMALL - length);
    }
  }

  /**
   * Takes up to `most` records into `into` under one lock, each beginning at a multiple of 8;
   * writes where each begins to `begins` and how long it is to `lengths`. Returns how many.
   */
  tryTakeMany(into: Scratch, most: number, begins: number[], lengths: number[]): number {
    ensureScratch(into, BATCH_UNITS * UNIT);
    const first = this.tryTake(into);
    if (first === EMPTY) return 0;
    begins[0] = 0;
    lengths[0] = first;
    let at = ((first + 7) >>> 3) * UNIT;
    let count = 1;
    try {
      if (most === 1 || this.isEmpty) return 1;
      const limit = Math.min(most, BATCH_RECORDS);
      begins.length = lengths.length = limit;
      this.#headLock.withLockNoKill(() => {
        while (count < limit) {
          const length = this.#takeOne(into, at);
          if (length < 0) break;
          begins[count] = at;
          lengths[count] = length;
          at += ((length + 7) >>> 3) * UNIT;
          count++;
        }
      });
    } catch (error) {
      // The stack is full. What was taken is given to the caller; the rest is still there.
      if (!(error instanceof RangeError)) throw error;
    }
    return count;
  }

  /** Under HEAD_LOCK: copies the oldest record to into[at…] and takes it. */
  #takeOne(into: Scratch, at: number): number {
    const header = this.header, seen = this.#seen, capacity = this.#capacity;
    if (Atomics.load(header, CAPACITY) !== seen) return STALE;
    const got = header[GOT_COUNT];
    if (got === header[PUT_COUNT_SEEN]) {
      const put = Atomics.load(header, PUT_COUNT);
      if (got === put) return EMPTY;
      header[PUT_COUNT_SEEN] = put;
    }
    if ((seen & DROPPED) !== 0) return EMPTY;
    const valid = (got ^ seen) & FLIP, next = valid ^ 1;
    let head = header[HEAD + valid];
    let length = this.#words[head * 2];
    if (length < 0) {
      head -= length;
      if (head === capacity) head = 0;
      length = this.#words[head * 2];
    }
    const units = (length + 7) >>> 3;
    if (!(length >= LENGTH_BYTES && head + units <= capacity)) return DAMAGED;
    if (at + units * UNIT > into.bytes.length) return TOO_SMALL - (at + units * UNIT);
    if (units > LOOP_UNITS) {
      TypedArrayPrototypeSet(
        into.bytes,
        TypedArrayPrototypeSubarray(this.#bytes, head * UNIT, head * UNIT + length),
        at,
      );
    } else {
      copyWords(this.#words, head * 2, into.words, at >>> 2, units * 2);
    }
    const end = head + units;
    header[GOT_UNITS + next] = (header[GOT_UNITS + valid] + units) | 0;
    // A release: a producer that sees this HEAD may write where the record was copied from.
    Atomics.store(header, HEAD + next, end === capacity ? 0 : end);
    Atomics.store(header, GOT_COUNT, (got + 1) | 0);
    return length;
  }

  /** From now on puts answer SHUT_DOWN; what was put before stays. */
  shut(): void {
    this.#tailLock.withLockNoKill(() => Atomics.store(this.header, CLOSED, 1));
  }

  /** Shuts it and drops all records, which then count as finished. */
  clear(): void {
    const { header } = this;
    this.#tailLock.withLockNoKill(() =>
      this.#headLock.withLock(() => {
        Atomics.store(header, CLOSED, 1);
        Atomics.or(header, CAPACITY, DROPPED);
      })
    );
  }
}

// Answers that never leave this file: the room must grow first; the views are of an older
// capacity; what is there is no record; TOO_SMALL minus the bytes the scratch needs.
const GROW = -4, STALE = -5, DAMAGED = -6, TOO_SMALL = -16;
/** Looks at what the consumers do, one after the other, that can be in vain by honest work. */
const MAX_LOOKS = 1000;
