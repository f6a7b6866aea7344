// A bounded queue of records in shared memory, first in, first out, for any number of producers and consumers
// (MPMC). The queue has two locks, one for producers and one for consumers (Michael & Scott's two-lock queue,
// 1996). The bounded MPMC queue of Vyukov gives each slot a sequence number and needs no lock, but its slots
// are of one size, and a producer that is killed between taking a slot and publishing it blocks the queue for
// ever. Here records have any length, and a killed process leaves nothing half done.
//
// The queue has two buffers: a header of words that never moves, and a growable one for the records. A record
// is a 4-byte length (of the record without the padding, this length included) and the bytes of one item,
// padded to whole units of 8 bytes. A record never wraps around. Positions count units. Where a record didn't
// fit before the end, a skip stands in its place: minus the number of units to the end, as it was then.
//
// Invariants
// 1. Consumers hold HEAD_LOCK, producers TAIL_LOCK; growing takes TAIL_LOCK, then HEAD_LOCK. So one
//    producer and one consumer never wait for each other, and each side's words are on a cache line of
//    their own. Each side keeps there a copy of what it needs to know of the other side, and renews the copy
//    only when the copy says "empty" or "full": an old copy is only ever too cautious.
// 2. A put becomes true by the one store to PUT_COUNT, a take by the one store to GOT_COUNT; growing and
//    dropping all records become true by one store to CAPACITY. TAIL and PUT_UNITS belong to PUT_COUNT, HEAD
//    and GOT_UNITS to GOT_COUNT, and each has two words: the lowest bit of the count says which of the two are
//    valid, and the next step writes the others before it stores the count. So a process that ends between any
//    two stores has done its step or nothing, and leaves nothing to repair. A step of several records takes an odd
//    number of them, so that the lowest bit changes. (LIMIT has one word: whatever LIMIT says, a put checks it
//    against TAIL.)
// 3. PUT_COUNT === GOT_COUNT: empty. A put never makes TAIL reach HEAD.
// 4. The units from TAIL to LIMIT are free, and only producers use them.
// 5. The records use at most maxBytes. The buffer may grow to twice that, so that a record always
//    finds a stretch in one piece: a skip at the end is shorter than one record.
// 6. The buffer at least doubles when it grows, so that the records that move up go to where there were none:
//    the records at the old place stay valid until CAPACITY is stored.
//
// Between lock and unlock there is only copying and counting. Taking a record of more than
// LOOP_UNITS makes one view there, and growing makes two; both make them before any change.

import { enter, leave, leaveAfterError } from "../liveness/critical_section.ts";
import { arrivedMemory, checkAttempts, corrupted, isHeldTooLong } from "../validate/corruption.ts";
import { reserve } from "../validate/reservations.ts";
import { Mutex } from "../liveness/mutex.ts";
import { noteGrowth } from "./growth.ts";
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

// Header words, by cache line: settings, producers, consumers, the count of finished records. CAPACITY is
// four times the number of units, and two bits: DROPPED, and FLIP, which every growth changes. FLIP and
// the lowest bit of GOT_COUNT together say which HEAD and GOT_UNITS are valid.
const CAPACITY = 0, MAX_UNITS = 1, MAX_SIZE = 2, MAX_BYTES = 3, CLOSED = 4;
/** Header words: the locks of the producers and of the consumers. */
export const TAIL_LOCK = 16, HEAD_LOCK = 32;
/** TAIL and PUT_UNITS are two words each. */
const PUT_COUNT = 17, TAIL = 18, PUT_UNITS = 20;
/** The producers' copies of the words of the consumers, and how far TAIL may go. */
const GOT_COUNT_SEEN = 22, GOT_UNITS_SEEN = 23, LIMIT = 24;
/** HEAD and GOT_UNITS are two words each. */
const GOT_COUNT = 33, HEAD = 34, GOT_UNITS = 36;
/** The consumers' copy of PUT_COUNT. */
const PUT_COUNT_SEEN = 38;
/** 1 once records are leased (lease_table.ts): from then on only the table of leases takes records. */
const LEASING = 39;
const FINISHED = 48;
/** Records that were leased, and are finished. */
const LEASES_FINISHED = 49;
/** The first header word that is free for a structure that builds on the ring. */
export const MPMC_RING_WORDS = 64;

/** Bits of CAPACITY. DROPPED: there is no record to take any more, whatever the counts say. FLIP: see above. */
const DROPPED = 2, FLIP = 1;

const UNIT = 8;
const FIRST_UNITS = 512;
/** Up to this many units, a word-by-word loop copies faster than TypedArray.set with its view. */
const LOOP_UNITS = 64;
/** The most that is moved under one locking when many records are put or taken together. */
const BATCH_RECORDS = 1024, BATCH_UNITS = 8192;

/** The shared memory of a ring, to hand to another process. */
export interface MpmcRingShares {
  header: SharedArrayBuffer;
  records: SharedArrayBuffer;
}

/** Results of an attempt that did nothing. LEASED: records are taken through the table of leases. */
export const FULL = -1, EMPTY = -2, SHUT_DOWN = -3, LEASED = -7;

/** Makes the shared memory of a ring, with room for `words` header words. */
export function newMpmcRing(maxSize: number, maxBytes: number, words: number): MpmcRingShares {
  const maxUnits = Math.ceil((maxBytes + LENGTH_BYTES) / UNIT), most = 2 * maxUnits + 2;
  const units = 2 * FIRST_UNITS > most ? most : FIRST_UNITS;
  const header = new SharedArrayBuffer(words * 4);
  const maxByteLength = most * UNIT;
  const records = reserve(
    maxByteLength,
    () => new SharedArrayBuffer(units * UNIT, { maxByteLength }),
  );
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
  /** The header, also for the words of a structure that builds on the ring. */
  readonly header: Int32Array;
  readonly #tailLock: Mutex;
  readonly #headLock: Mutex;
  /** CAPACITY when the views were made, and the number of units it stands for. */
  #seen = 0;
  /** LEASES_FINISHED when finishOne() last read it: of those that it counts, all were put before. */
  #leasesSeen = 0;
  #capacity = 0;
  #words!: Int32Array;
  #bytes!: Uint8Array;
  /** The counts, before them, of the last record that this process put, and of the last that it took: for traces. */
  lastPut = 0;
  lastGot = -1;
  /** The same of the first of the last many; the others of these follow each other up to the last. */
  firstPut = 0;
  firstGot = 0;

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
    // Read without a lock: the result may be that of a moment ago, or of a moment later.
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

  /** The most bytes that the items may use, and so the length of the longest item. */
  get maxBytes(): number {
    return this.header[MAX_BYTES] >>> 0;
  }

  /** Whether the ring is shut: no further record is put. */
  get isShut(): boolean {
    return Atomics.load(this.header, CLOSED) !== 0;
  }

  get #isDropped(): boolean {
    return (Atomics.load(this.header, CAPACITY) & DROPPED) !== 0;
  }

  /** Whether a put of a small record need not wait now: there is room, or the ring is shut. */
  get hasRoom(): boolean {
    const header = this.header;
    if (Atomics.load(header, CLOSED) !== 0) return true;
    const maxSize = header[MAX_SIZE];
    if (maxSize !== 0 && this.size >= maxSize) return false;
    return this.usedBytes < header[MAX_UNITS] * UNIT;
  }

  /**
   * Records that were put, not dropped, and not yet counted as finished. They have no counter of their own: the
   * one store to PUT_COUNT that puts a record also counts it here.
   */
  get unfinished(): number {
    const finished = Atomics.load(this.header, FINISHED);
    return this.#unfinishedAfter(finished);
  }

  /** The same, after FINISHED was read: every record that `finished` counts was put by then. */
  #unfinishedAfter(finished: number): number {
    // Before the count of all: whatever is counted as finished was put by then.
    const leased = Atomics.load(this.header, LEASES_FINISHED);
    const all = Atomics.load(this.header, this.#isDropped ? GOT_COUNT : PUT_COUNT);
    return (all - finished - leased) | 0;
  }

  /** Counts one record as finished and returns how many are left; -1, with no effect, if all were finished. */
  finishOne(): number {
    const { header } = this;
    for (;;) {
      const finished = Atomics.load(header, FINISHED);
      const all = Atomics.load(header, this.#isDropped ? GOT_COUNT : PUT_COUNT);
      const left = (all - finished - this.#leasesSeen) | 0;
      if (left <= 0) return -1;
      const before = Atomics.compareExchange(header, FINISHED, finished, (finished + 1) | 0);
      if (before !== finished) continue;
      // Read after that store: whoever finishes a lease stores its count and then reads this one, so that one of
      // the two sees that all are finished. And clear() may have dropped records meanwhile.
      const leased = Atomics.load(header, LEASES_FINISHED);
      if (leased === this.#leasesSeen && !this.#isDropped) return left - 1;
      this.#leasesSeen = leased;
      const now = this.unfinished;
      if (now >= 0 || this.#isDropped) return Math.max(0, now);
      Atomics.sub(header, FINISHED, 1);
      return -1;
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
   * Puts as many of the records source[begins[i], begins[i] + lengths[i]) as there is room for, from number
   * `from` on. The first begins at 0, each other where the one before it ends, at the next multiple of 8. Returns
   * how many (0: full), or SHUT_DOWN.
   */
  tryPutMany(
    source: Scratch,
    begins: readonly number[],
    lengths: readonly number[],
    from: number,
  ): number {
    const first = this.tryPut(source, begins[from], lengths[from]);
    if (first !== 1) return first === FULL ? 0 : first;
    this.firstPut = this.lastPut;
    const header = this.header;
    const last = Math.min(lengths.length, from + BATCH_RECORDS);
    for (let i = from + 1; i < last; i++) source.words[begins[i] >>> 2] = lengths[i];
    let next = from + 1;
    if (next >= last || Atomics.load(header, CAPACITY) !== this.#seen) return 1;
    try {
      this.#tailLock.withLockNoKill(() => {
        for (let put = 1; put > 0 && next < last; next += put) {
          put = this.#putRun(source, begins, lengths, next, last);
        }
      });
    } catch (error) {
      // The caller is told of the records that were put; its next attempt meets the error again.
      if (!(error instanceof RangeError) && !isHeldTooLong(error)) throw error;
    }
    return next - from;
  }

  /**
   * Under TAIL_LOCK: puts some of the records from number `from` up to `last` by one store of PUT_COUNT. That is an
   * odd number of records, because the lowest bit of PUT_COUNT has to change. Returns how many.
   */
  #putRun(
    source: Scratch,
    begins: readonly number[],
    lengths: readonly number[],
    from: number,
    last: number,
  ): number {
    const header = this.header;
    let units = (lengths[from] + 7) >>> 3;
    if (units > LOOP_UNITS) return 0;
    const position = this.#place(units);
    if (position < 0) return 0;
    const put = header[PUT_COUNT], maxSize = header[MAX_SIZE];
    const slots = maxSize === 0 ? last : from + maxSize - ((put - header[GOT_COUNT_SEEN]) | 0);
    const used = (header[PUT_UNITS + (put & 1)] - header[GOT_UNITS_SEEN]) | 0;
    const most = Math.min(header[LIMIT] - position, header[MAX_UNITS] - used);
    const end = Math.min(slots, last);
    let count = 1;
    for (let next = from + 1, sum = units; next < end; next++) {
      const more = (lengths[next] + 7) >>> 3;
      sum += more;
      if (more > LOOP_UNITS || sum > most) break;
      if (((next - from) & 1) !== 0) continue;
      count = next - from + 1;
      units = sum;
    }
    copyWords(source.words, begins[from] >>> 2, this.#words, position * 2, units * 2);
    this.#commitPut(position, units, count);
    return count;
  }

  /** Under TAIL_LOCK: the position for a record, or FULL, SHUT_DOWN, GROW or STALE. */
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

  /** Under TAIL_LOCK: whether one more record is within maxSize and maxBytes, by the producers' copies. */
  #isWithinBounds(units: number): boolean {
    const header = this.header, put = header[PUT_COUNT];
    const maxSize = header[MAX_SIZE];
    if (maxSize !== 0 && ((put - header[GOT_COUNT_SEEN]) | 0) >= maxSize) return false;
    const used = (header[PUT_UNITS + (put & 1)] - header[GOT_UNITS_SEEN]) | 0;
    return used + units <= header[MAX_UNITS];
  }

  /**
   * Under TAIL_LOCK, while consumers go on: copies GOT_COUNT and GOT_UNITS, and returns the HEAD that belongs
   * to them; STALE after MAX_LOOKS attempts. A consumer writes to these words again only after it has stored the
   * next count, so words that were read between two reads of the same count are those that this count made
   * valid (the reader of a seqlock does the same). Each attempt fails only because a record was taken.
   *
   * A consumer writes GOT_UNITS by a plain store. Where a machine makes that store visible before the count,
   * a producer finds room within maxBytes a moment too early; HEAD, whose stores are in order, then shows the
   * producer that there is no room yet.
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

  /** Under TAIL_LOCK: reads where HEAD is now, and wraps around to the beginning if necessary. */
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

  /** Under TAIL_LOCK: publishes the records, an odd number of them, of which the first is at `position`. */
  #commitPut(position: number, units: number, count = 1): void {
    const header = this.header;
    const put = header[PUT_COUNT], valid = put & 1, next = valid ^ 1;
    const end = position + units;
    if (end === this.#capacity) header[TAIL + next] = header[LIMIT] = 0;
    else header[TAIL + next] = end;
    header[PUT_UNITS + next] = (header[PUT_UNITS + valid] + units) | 0;
    Atomics.store(header, PUT_COUNT, (put + count) | 0);
    this.lastPut = (put + count - 1) | 0;
  }

  /**
   * Doubles the buffer, or more if a record of `units` needs it; where that would be more than half of the
   * maximum, the buffer grows to the maximum. Where the records wrap around, the older ones move up to the new
   * end; a skip among them then leads to the new end, as it led to the old one.
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
          // A process that ended here may have enlarged the buffer already.
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
    noteGrowth(this, 0);
  }

  /** The bytes of the buffer. */
  heldBytes(): number {
    return this.shares.records.byteLength;
  }

  /**
   * Takes the oldest record into `into`, which grows as needed; its bytes are then
   * into[LENGTH_BYTES, length). Returns the length, EMPTY or LEASED.
   */
  tryTake(into: Scratch): number {
    const header = this.header;
    for (let attempts = 0;; attempts++) {
      checkAttempts(attempts, "queue");
      // Read without the lock and not atomically: atomic reads would cost 4 % of a get. Whatever values are seen
      // only decide whether isEmpty, which reads atomically, is asked first, or the lock is taken at once.
      if (header[PUT_COUNT_SEEN] === header[GOT_COUNT] && this.isEmpty) return EMPTY;
      if (Atomics.load(header, CAPACITY) !== this.#seen) this.#renew();
      let length = EMPTY, held = false;
      try {
        enter();
        this.#headLock.lock();
        held = true;
        length = header[LEASING] !== 0 ? LEASED : this.#takeOne(into, 0);
        this.#headLock.unlock();
        held = false;
        leave();
      } catch (error) {
        if (held && Atomics.exchange(header, HEAD_LOCK, 0) !== 0) Atomics.notify(header, HEAD_LOCK);
        leaveAfterError();
        // A record that was taken goes to the caller, even where the stack is too full for the calls after it.
        if (length < 0 || !(error instanceof RangeError)) throw error;
      }
      if (length >= 0 || length === EMPTY || length === LEASED) return length;
      if (length === DAMAGED) throw corrupted("queue");
      if (length !== STALE) ensureScratch(into, TOO_SMALL - length);
    }
  }

  /**
   * Takes up to `most` records into `into` (the first under a locking of its own, the others under one), each
   * beginning at a multiple of 8; writes the beginning of each to `begins` and its length to `lengths`. Returns
   * how many.
   */
  tryTakeMany(into: Scratch, most: number, begins: number[], lengths: number[]): number {
    ensureScratch(into, BATCH_UNITS * UNIT);
    const first = this.tryTake(into);
    if (first < 0) return 0;
    this.firstGot = this.lastGot;
    begins[0] = 0;
    lengths[0] = first;
    let count = 1;
    try {
      if (most === 1 || this.isEmpty) return 1;
      const limit = Math.min(most, BATCH_RECORDS);
      begins.length = lengths.length = limit;
      this.#headLock.withLockNoKill(() => {
        if (this.header[LEASING] !== 0) return;
        for (let taken = 1; taken > 0 && count < limit; count += taken) {
          taken = this.#takeRun(into, begins, lengths, count, limit);
        }
      });
    } catch (error) {
      // The stack is full, or the lock is held. The records that were taken go to the caller; the others stay.
      if (!(error instanceof RangeError) && !isHeldTooLong(error)) throw error;
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
    // This store is a release: a producer that sees this HEAD may overwrite the record that was copied.
    Atomics.store(header, HEAD + next, end === capacity ? 0 : end);
    Atomics.store(header, GOT_COUNT, (got + 1) | 0);
    this.lastGot = got;
    return length;
  }

  /**
   * Under HEAD_LOCK: copies some of the oldest records into `into`, after the `from` records that are there, and
   * takes them by one store of GOT_COUNT: an odd number of them, because its lowest bit has to change. Returns how
   * many; 0 if there is none, or none that finds room, up to `limit` in all.
   */
  #takeRun(
    into: Scratch,
    begins: number[],
    lengths: number[],
    from: number,
    limit: number,
  ): number {
    const header = this.header, seen = this.#seen, capacity = this.#capacity, words = this.#words;
    if (Atomics.load(header, CAPACITY) !== seen || (seen & DROPPED) !== 0) return 0;
    const got = header[GOT_COUNT];
    if (got === header[PUT_COUNT_SEEN]) {
      const putNow = Atomics.load(header, PUT_COUNT);
      if (got === putNow) return 0;
      header[PUT_COUNT_SEEN] = putNow;
    }
    const other = (got ^ seen) & FLIP ^ 1, valid = other ^ 1;
    let head = header[HEAD + valid];
    const skip = words[head * 2];
    if (skip < 0) head = head - skip === capacity ? 0 : head - skip;
    const there = (header[PUT_COUNT_SEEN] - got) | 0, most = Math.min(there, limit - from);
    const begin = begins[from - 1] + ((lengths[from - 1] + 7) >>> 3) * UNIT;
    const room = (into.bytes.length - begin) / UNIT;
    let count = 0, units = 0;
    for (let i = 0, sum = 0; i < most; i++) {
      // Behind the end there is no record, and no length.
      const length = words[(head + sum) * 2];
      if (!(length >= LENGTH_BYTES)) break;
      begins[from + i] = begin + sum * UNIT;
      lengths[from + i] = length;
      sum += (length + 7) >>> 3;
      if (sum > room || head + sum > capacity) break;
      if ((i & 1) !== 0) continue;
      count = i + 1;
      units = sum;
    }
    if (count === 0) return 0;
    copyWords(words, head * 2, into.words, begin >>> 2, units * 2);
    const end = head + units;
    header[GOT_UNITS + other] = (header[GOT_UNITS + valid] + units) | 0;
    // A release, as in #takeOne().
    Atomics.store(header, HEAD + other, end === capacity ? 0 : end);
    Atomics.store(header, GOT_COUNT, (got + count) | 0);
    this.lastGot = (got + count - 1) | 0;
    return count;
  }

  // What follows is for the table of leases, which takes and puts records in its own critical sections.

  /** Whether records are leased: then only the table of leases takes records. */
  get isLeasing(): boolean {
    return Atomics.load(this.header, LEASING) !== 0;
  }

  /** Lets only the table of leases take records, from now on. */
  beginLeasing(): void {
    this.#headLock.withLockNoKill(() => Atomics.store(this.header, LEASING, 1));
  }

  /** Records that were leased and are finished; the table of leases changes it, under its lock. */
  get leasesFinished(): number {
    return Atomics.load(this.header, LEASES_FINISHED);
  }

  set leasesFinished(count: number) {
    Atomics.store(this.header, LEASES_FINISHED, count);
  }

  /** Whether all records were dropped. */
  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** In a critical section, while no other process takes: the length of the oldest record, EMPTY or RETRY. */
  nextLength(): number {
    const seen = this.#seen, { header } = this;
    let length = EMPTY;
    this.#headLock.withLock(() => {
      if (Atomics.load(header, CAPACITY) !== seen) length = STALE;
      else if (!this.isEmpty) length = this.#words[this.#headPosition() * 2];
    });
    if (length === STALE) return RETRY;
    if (length < LENGTH_BYTES && length !== EMPTY) throw corrupted("queue");
    return length;
  }

  /** Under HEAD_LOCK: the position of the oldest record, after a skip. */
  #headPosition(): number {
    const valid = (this.header[GOT_COUNT] ^ this.#seen) & FLIP;
    const head = this.header[HEAD + valid], length = this.#words[head * 2];
    if (length >= 0) return head;
    return head - length === this.#capacity ? 0 : head - length;
  }

  /** In a critical section: takes the oldest record to into[at…]. Returns the length, EMPTY or RETRY. */
  takeNext(into: Scratch, at: number): number {
    let length = EMPTY;
    this.#headLock.withLock(() => length = this.#takeOne(into, at));
    // While no other process takes, the record is no longer than nextLength() has said.
    if (length === DAMAGED || length <= TOO_SMALL) throw corrupted("queue");
    return length === STALE ? RETRY : length;
  }

  /** In a critical section: puts the record at the beginning of `source`. Returns 1, FULL, SHUT_DOWN or RETRY. */
  putNext(source: Scratch, length: number): number {
    const units = (length + 7) >>> 3;
    source.words[0] = length;
    let position = STALE;
    this.#tailLock.withLock(() => {
      position = this.#place(units);
      if (position < 0) return;
      TypedArrayPrototypeSet(
        this.#bytes,
        TypedArrayPrototypeSubarray(source.bytes, 0, length),
        position * UNIT,
      );
      this.#commitPut(position, units);
    });
    return position >= 0 ? 1 : position === FULL || position === SHUT_DOWN ? position : RETRY;
  }

  /** Before the next try of an operation that returned RETRY: renews the views, or makes room for a record. */
  prepare(length: number): void {
    if (Atomics.load(this.header, CAPACITY) !== this.#seen) this.#renew();
    else if (length > 0) this.#grow((length + 7) >>> 3);
  }

  /** Shuts the ring: from now on puts return SHUT_DOWN. Records that were put before stay. */
  shut(): void {
    this.#tailLock.withLockNoKill(() => Atomics.store(this.header, CLOSED, 1));
  }

  /** Shuts the ring and drops all records, which then count as finished. */
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

// Results that never leave this file. GROW: the buffer must grow first. STALE: the views show an older
// capacity. DAMAGED: there is no valid record at HEAD. TOO_SMALL - n: the scratch needs n bytes.
const GROW = -4, STALE = -5, DAMAGED = -6, TOO_SMALL = -16;
/** The result of an operation in another's critical section that is to be tried again after prepare(). */
export const RETRY = -8;
/** Attempts in a row, to read the consumers' words, that honest consumers can make fail. */
const MAX_LOOKS = 1000;
