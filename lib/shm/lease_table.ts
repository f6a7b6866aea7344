// The table of leases of a queue: records that processes have taken from the queue's ring (mpmc_ring.ts) and not
// finished. A record stays in shared memory, in a row of its own, until it is finished. When its process gives
// the record back, or ends, the record is taken again, before those in the ring; or, after so many leases,
// it goes to another ring, that of the dead letters.
//
//   STATE     what the row holds, and how often its record was leased, in one word
//   TOKEN     the process that has the lease
//   NUMBER    how many records were taken from the ring before this one: with TOKEN and the count in STATE, the
//             name of a lease; and of several records that have come back, the oldest is taken first
//   AT, ROOM  where the row's stretch of the heap is, and how long, in units of 8 bytes; a row keeps its stretch
//   LENGTH    the length of the record there
//   BURIED    how many records the other ring had got before this one
//
//   FREE ─ TAKING ─ LEASED ─┬─ FREE, and finished
//                           ├─ READY ─┬─ LEASED
//                           │         └─ FREE: a get took it
//                           └─ DYING ─ BURYING ─ FREE, and finished
//
// From the first lease on, every take from the ring happens under LOCK (LEASING in mpmc_ring.ts): so whether a
// record that is TAKING was taken shows by the count of the ring, and whether one that is BURYING was put by the
// count of the other ring, whose only producer is this table. To finish a record counts it and frees the row: the
// new count and the row are written down first and take effect by the one store to FINISHING; the next holder of
// LOCK does the rest, once more if need be. Each other change is one store to STATE. So a process that ends
// between any two stores has done its step or nothing, or has left it to the next holder of LOCK.
//
// The heap only grows. Stretches have few different lengths, so that a free row fits another record.

import { ownProcessTable, type Place, placeIn } from "../liveness/membership.ts";
import { arrivedMemory, checkAttempts, corrupted } from "../validate/corruption.ts";
import { EMPTY, type MpmcRing, RETRY } from "./mpmc_ring.ts";
import { ensureScratch, LENGTH_BYTES, type Scratch } from "./scratch.ts";
import { MAX_ROWS, newSlotTable, SLOT_TABLE_WORDS, SlotTable } from "./slot_table.ts";
import { viewOf } from "./shared_state.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Atomics,
  Int32Array,
  Math,
  RangeError,
  SharedArrayBuffer,
  SharedArrayBufferPrototypeGrow,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;

const FINISHING = SLOT_TABLE_WORDS, NEXT_FINISHED = FINISHING + 1;
/** Units of the heap that belong to rows. */
const HEAP_USED = FINISHING + 2;
/** The most leases of one record; 0 for no bound. */
const ATTEMPTS = FINISHING + 3;
const FIRST = 16;
const STATE = 0, TOKEN = 1, NUMBER = 2, AT = 3, ROOM = 4, LENGTH = 5, BURIED = 6, STRIDE = 8;

const FREE = 0, TAKING = 1, TAKEN = 2, READY = 3, DYING = 4, BURYING = 5;
/** STATE is one of these, and above its bits the number of leases so far. */
const STATE_BITS = 3, STATE_MASK = (1 << STATE_BITS) - 1;
/** The largest number of leases that is counted. */
export const MAX_ATTEMPTS: number = 2 ** 28 - 1;

/** The answer of #newRow() where the memory for another row can't be had. */
const NO_MEMORY = -2;

const UNIT = 8;
/** The shortest stretch; up to LARGE_UNITS, lengths are powers of two, and then multiples of STEP_UNITS. */
const LEAST_UNITS = 8, LARGE_UNITS = 1 << 17, STEP_UNITS = 1 << 13;
/** A record goes into a stretch of at most so many times its length. */
const MOST_WASTE = 4;
const FIRST_HEAP_BYTES = 4096, LEAST_HEAP_BYTES = 2 ** 26;

/** The parts of a table that are handed to another process. */
export interface LeaseTableShares {
  rows: SharedArrayBuffer;
  heap: SharedArrayBuffer;
  /** The id of the process table. */
  program: string;
}

/** A record that was leased. */
export interface LeasedRecord {
  row: number;
  number: number;
  /** How often the record was leased, this time included. */
  attempt: number;
  length: number;
}

/** How many records there are: to be taken again, leased, and that will not be taken again. */
export interface Census {
  ready: number;
  leased: number;
  dying: number;
}

/** Makes the shared memory of a table. @param attempts the most leases of one record; 0 for no bound */
export function newLeaseTable(maxBytes: number, attempts: number): LeaseTableShares {
  const { words } = newSlotTable(FIRST, STRIDE);
  words[ATTEMPTS] = attempts;
  const most = Math.max(LEAST_HEAP_BYTES, 2 * maxBytes);
  const heap = new SharedArrayBuffer(0, { maxByteLength: most - most % (STEP_UNITS * UNIT) });
  return { rows: words.buffer, heap, program: ownProcessTable().id };
}

/** One process's view of a table. */
export class LeaseTable {
  readonly shares: LeaseTableShares;
  readonly #table: SlotTable;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #ring: MpmcRing;
  #heap: Scratch;
  #place: Place | undefined;
  /** The record that the last take() has leased. */
  leased: LeasedRecord = { row: -1, number: 0, attempt: 0, length: 0 };
  /** How many records this process has seen come back since this was last set to 0. */
  cameBack = 0;
  /** Whether a record is to become a dead letter. */
  hasDying = false;
  #tooLarge = 0;
  #failure: unknown;

  constructor(shares: LeaseTableShares, ring: MpmcRing) {
    this.shares = shares;
    const words = this.#words = viewOf(arrivedMemory(shares.rows, (FIRST + STRIDE) * 4));
    this.#table = new SlotTable({ words }, FIRST, STRIDE, true);
    this.#ring = ring;
    this.#heap = heapOf(arrivedMemory(shares.heap, 0));
  }

  get #attempts(): number {
    return Atomics.load(this.#words, ATTEMPTS);
  }

  /** This process among those of the program; undefined for a worker that isn't one of them. */
  get place(): Place | undefined {
    return this.#place ??= placeIn(this.shares.program);
  }

  get #token(): number {
    const { place } = this;
    return place === undefined ? 0 : place.processTable.token(place.self);
  }

  #isAlive(token: number): boolean {
    return this.place?.processTable.isTokenAlive(token) ?? true;
  }

  /** Calls `look` for the rows that aren't free, without LOCK, until it answers true; whether it has. */
  #any(look: (state: number, row: number) => boolean): boolean {
    if (!this.#ring.isLeasing) return false;
    const table = this.#table;
    table.renew();
    const { used } = table;
    for (let row = 0; row < used; row++) {
      const state = table.get(row, STATE) & STATE_MASK;
      if (state !== FREE && look(state, row)) return true;
    }
    return false;
  }

  #isAbandoned(state: number, row: number): boolean {
    return (state === TAKEN || state === TAKING) && !this.#isAlive(this.#table.get(row, TOKEN));
  }

  /** How many records there are of each kind, without LOCK. In the next moment it may be another number. */
  census(): Census {
    const census = { ready: 0, leased: 0, dying: 0 };
    const most = this.#attempts, { isDropped } = this.#ring;
    this.#any((state, row) => {
      const attempt = this.#table.get(row, STATE) >>> STATE_BITS;
      const isLast = most > 0 && attempt >= most;
      if (state === DYING || state === BURYING) census.dying++;
      else if (state === READY || this.#isAbandoned(state, row)) {
        if (isDropped || state !== READY && isLast) census.dying++;
        else if (state !== TAKING) census.ready++;
      } else if (state === TAKEN) census.leased++;
      return false;
    });
    return census;
  }

  /** Whether a take would find a record that has come back. */
  get isReady(): boolean {
    return this.#any((state, row) => state === READY || this.#isAbandoned(state, row));
  }

  /** Whether there is something to do for reap(), or for bury(). */
  get isReapable(): boolean {
    const { isDropped } = this.#ring;
    return this.#any((state, row) =>
      state === DYING || state === BURYING || state === READY && isDropped ||
      this.#isAbandoned(state, row)
    );
  }

  /** Whether a record that another process has may come back. */
  get mayComeBack(): boolean {
    if (this.#ring.isDropped) return false;
    const token = this.#token;
    return this.#any((state, row) =>
      state === READY || (state === TAKEN || state === TAKING) &&
        this.#table.get(row, TOKEN) !== token
    );
  }

  /** Does `work` under LOCK, after what the last holder has left. */
  #section(work: () => void): void {
    this.#table.section(() => {
      if (Atomics.load(this.#words, FINISHING) !== 0) this.#applyFinishing();
      work();
    });
  }

  /**
   * Takes the oldest record: one that has come back, or that of the ring. A lease's is described by `leased`;
   * any other's is copied to `into` and leaves the table. Returns its length or EMPTY.
   */
  take(asLease: boolean, into: Scratch): number {
    const ring = this.#ring;
    if (asLease && !ring.isLeasing) ring.beginLeasing();
    for (let attempts = 0;; attempts++) {
      checkAttempts(attempts, "queue");
      let length = EMPTY;
      this.#failure = undefined;
      this.#tooLarge = 0;
      this.#section(() => {
        const row = this.#reap();
        if (asLease) length = row < 0 ? this.#leaseNext() : this.#leaseAgain(row);
        else length = row < 0 ? this.#takeNext(into) : this.#takeReturned(row, into);
      });
      if (this.#failure !== undefined) throw noMemory(this.#failure);
      if (this.#tooLarge > 0) ensureScratch(into, this.#tooLarge);
      else if (length === RETRY) ring.prepare(0);
      else return length;
    }
  }

  /** Ends the leases of dead processes. */
  reap(): void {
    this.#section(() => void this.#reap());
  }

  /**
   * Under LOCK: completes what a dead process has left in the rows, and ends its leases. Returns the row of the
   * oldest record that has come back, or -1.
   */
  #reap(): number {
    const table = this.#table, { used } = table, isDropped = this.#ring.isDropped;
    let oldest = -1, known = this.#token;
    for (let row = 0; row < used; row++) {
      if (table.get(row, STATE) === FREE) continue;
      if (this.#state(row) === TAKING) this.#completeTaking(row);
      if (this.#state(row) === TAKEN) {
        const token = table.get(row, TOKEN);
        if (token === known || this.#isAlive(token)) known = token;
        else this.#end(row);
      }
      const state = this.#state(row);
      if (state === DYING || state === BURYING) this.hasDying = true;
      if (state !== READY) continue;
      if (isDropped) this.#finish(row);
      else if (oldest < 0 || (table.get(row, NUMBER) - table.get(oldest, NUMBER) | 0) < 0) {
        oldest = row;
      }
    }
    return oldest;
  }

  #state(row: number): number {
    return this.#table.get(row, STATE) & STATE_MASK;
  }

  /** Under LOCK: whether a record that was TAKING has left the ring. */
  #completeTaking(row: number): void {
    const isTaken = (this.#ring.gotCount - this.#table.get(row, NUMBER) | 0) > 0;
    this.#table.set(row, STATE, isTaken ? stateOf(TAKEN, 1) : FREE);
  }

  /** Under LOCK: ends a lease whose record isn't finished. */
  #end(row: number): void {
    const attempt = this.#table.get(row, STATE) >>> STATE_BITS;
    const most = this.#attempts;
    if (this.#ring.isDropped) this.#finish(row);
    else if (most > 0 && attempt >= most) {
      this.#table.set(row, STATE, stateOf(DYING, attempt));
      this.hasDying = true;
    } else {
      this.#table.set(row, STATE, stateOf(READY, attempt));
      this.cameBack++;
    }
  }

  /** Under LOCK: counts a record as finished, and frees its row. */
  #finish(row: number): void {
    Atomics.store(this.#words, NEXT_FINISHED, (this.#ring.leasesFinished + 1) | 0);
    Atomics.store(this.#words, FINISHING, row + 1);
    this.#applyFinishing();
  }

  /** Under LOCK: carries out FINISHING; idempotent, as any part of it may have been done before. */
  #applyFinishing(): void {
    const row = Atomics.load(this.#words, FINISHING) - 1;
    if (row >>> 0 >= this.#table.used) throw corrupted("queue");
    this.#ring.leasesFinished = Atomics.load(this.#words, NEXT_FINISHED);
    this.#table.set(row, STATE, FREE);
    Atomics.store(this.#words, FINISHING, 0);
  }

  /** Under LOCK: takes the oldest record of the ring, and leases it. */
  #leaseNext(): number {
    const ring = this.#ring, table = this.#table;
    const length = ring.nextLength();
    if (length === EMPTY || length === RETRY) return length;
    const row = this.#rowFor(length);
    if (row < 0) return EMPTY;
    const number = ring.gotCount | 0;
    table.set(row, TOKEN, this.#token);
    table.set(row, NUMBER, number);
    table.set(row, LENGTH, length);
    table.set(row, STATE, TAKING);
    const taken = ring.takeNext(this.#heap, table.get(row, AT) * UNIT);
    table.set(row, STATE, taken < 0 ? FREE : stateOf(TAKEN, 1));
    this.leased = { row, number, attempt: 1, length };
    return taken;
  }

  /** Under LOCK: leases a record that has come back. */
  #leaseAgain(row: number): number {
    const table = this.#table;
    const attempt = Math.min(MAX_ATTEMPTS, (table.get(row, STATE) >>> STATE_BITS) + 1);
    const length = table.get(row, LENGTH);
    table.set(row, TOKEN, this.#token);
    table.set(row, STATE, stateOf(TAKEN, attempt));
    this.leased = { row, number: table.get(row, NUMBER), attempt, length };
    return length;
  }

  /** Under LOCK: takes the oldest record of the ring, without a lease. */
  #takeNext(into: Scratch): number {
    const length = this.#ring.nextLength();
    if (length < 0) return length;
    if (this.#isTooLarge(length, into)) return EMPTY;
    return this.#ring.takeNext(into, 0);
  }

  /** Under LOCK: takes a record that has come back, without a lease. */
  #takeReturned(row: number, into: Scratch): number {
    const length = this.#table.get(row, LENGTH);
    if (this.#isTooLarge(length, into)) return EMPTY;
    this.#copy(row, length, into);
    this.#table.set(row, STATE, FREE);
    return length;
  }

  #isTooLarge(length: number, into: Scratch): boolean {
    this.#tooLarge = length > into.bytes.length ? length : 0;
    return this.#tooLarge > 0;
  }

  /** Copies the record of a row. */
  #copy(row: number, length: number, into: Scratch): void {
    const at = this.#table.get(row, AT) * UNIT;
    if (at + length > this.#heap.bytes.length) this.#heap = heapOf(this.shares.heap);
    if (!(at >= 0 && length >= LENGTH_BYTES && at + length <= this.#heap.bytes.length)) {
      throw corrupted("queue");
    }
    TypedArrayPrototypeSet(
      into.bytes,
      TypedArrayPrototypeSubarray(this.#heap.bytes, at, at + length),
    );
  }

  /** Copies the record of a lease of this process. */
  read({ row, length }: LeasedRecord, into: Scratch): void {
    ensureScratch(into, length);
    this.#copy(row, length, into);
  }

  /** Under LOCK: a free row with room for a record; -1 if there is none, and then the work must change nothing. */
  #rowFor(length: number): number {
    const table = this.#table, { used } = table;
    const units = (length + UNIT - 1) >>> 3;
    let best = -1, room = Infinity;
    for (let row = 0; row < used; row++) {
      if (table.get(row, STATE) !== FREE) continue;
      const has = table.get(row, ROOM);
      if (has < units || has >= room) continue;
      best = row;
      room = has;
    }
    if (room > MOST_WASTE * Math.max(units, LEAST_UNITS)) {
      const row = this.#newRow(stretchFor(units));
      // A stretch that is much too long is better than none.
      if (row !== NO_MEMORY) return row;
      if (best < 0) return -1;
      this.#failure = undefined;
    }
    const end = (table.get(best, AT) + table.get(best, ROOM)) * UNIT;
    if (end > this.#heap.bytes.length) this.#heap = heapOf(this.shares.heap);
    if (table.get(best, AT) < 0 || end > this.#heap.bytes.length) throw corrupted("queue");
    return best;
  }

  /** Under LOCK: a new row with a stretch of the heap; NO_MEMORY, or -1 if the table must grow. */
  #newRow(room: number): number {
    const { heap } = this.shares, table = this.#table;
    const at = Atomics.load(this.#words, HEAP_USED);
    const needed = (at + room) * UNIT;
    try {
      if (table.used >= MAX_ROWS) throw new RangeError(`There are ${MAX_ROWS} leases.`);
      if (heap.byteLength < needed) {
        const wanted = Math.max(needed, FIRST_HEAP_BYTES, 2 * heap.byteLength);
        SharedArrayBufferPrototypeGrow(
          heap,
          Math.max(needed, Math.min(wanted, heap.maxByteLength)),
        );
      }
      if (this.#heap.bytes.length < needed) this.#heap = heapOf(heap);
    } catch (error) {
      this.#failure = error;
      return NO_MEMORY;
    }
    const row = table.append();
    if (row < 0) return -1;
    // A process that ends in between has used up the stretch.
    Atomics.store(this.#words, HEAP_USED, at + room);
    table.set(row, AT, at);
    table.set(row, ROOM, room);
    return row;
  }

  /** Under LOCK: whether this process still has a lease. */
  #has({ row, number, attempt }: LeasedRecord): boolean {
    const table = this.#table;
    return row < table.used && table.get(row, STATE) === stateOf(TAKEN, attempt) &&
      table.get(row, NUMBER) === number && table.get(row, TOKEN) === this.#token;
  }

  /** Counts the record of a lease as finished; false if this process no longer has the lease. */
  finish(record: LeasedRecord): boolean {
    let has = false;
    this.#section(() => {
      has = this.#has(record);
      if (has) this.#finish(record.row);
    });
    return has;
  }

  /** Gives the record of a lease back; false if this process no longer has the lease. */
  giveBack(record: LeasedRecord): boolean {
    let has = false;
    this.#section(() => {
      has = this.#has(record);
      if (has) this.#end(record.row);
    });
    return has;
  }

  /** Drops the records that have come back; called after those in the ring were dropped. */
  drop(): void {
    if (this.#ring.isLeasing) this.#section(() => void this.#reap());
  }

  /** Copies the oldest record that is to become a dead letter; undefined if there is none. */
  readDying(dead: MpmcRing, into: Scratch): LeasedRecord | undefined {
    for (let attempts = 0;; attempts++) {
      checkAttempts(attempts, "queue");
      let found: LeasedRecord | undefined;
      this.#section(() => {
        const table = this.#table, { used } = table;
        this.#tooLarge = 0;
        found = undefined;
        for (let row = 0; row < used; row++) {
          if (this.#state(row) === BURYING) this.#completeBurying(row, dead);
          if (this.#state(row) !== DYING) continue;
          const number = table.get(row, NUMBER);
          if (found !== undefined && (number - found.number | 0) > 0) continue;
          const attempt = table.get(row, STATE) >>> STATE_BITS, length = table.get(row, LENGTH);
          found = { row, number, attempt, length };
        }
        this.hasDying = found !== undefined;
        if (found === undefined || this.#isTooLarge(found.length, into)) return;
        this.#copy(found.row, found.length, into);
      });
      if (this.#tooLarge === 0) return found;
      ensureScratch(into, this.#tooLarge);
    }
  }

  /** Under LOCK: whether a record that was BURYING is in the other ring. */
  #completeBurying(row: number, dead: MpmcRing): void {
    if ((dead.putCount | 0) !== this.#table.get(row, BURIED)) this.#finish(row);
    else this.#table.set(row, STATE, stateOf(DYING, this.#table.get(row, STATE) >>> STATE_BITS));
  }

  /**
   * Puts the letter into the other ring and counts the record as finished, unless another process has done that;
   * without a letter, it only counts. Returns 1 or what the ring answers.
   */
  bury(record: LeasedRecord, dead: MpmcRing, letter: Scratch | undefined, length: number): number {
    const { row, number, attempt } = record, table = this.#table;
    for (let attempts = 0;; attempts++) {
      checkAttempts(attempts, "queue");
      let answer = 1;
      this.#section(() => {
        answer = 1;
        if (row >= table.used || table.get(row, STATE) !== stateOf(DYING, attempt)) return;
        if (table.get(row, NUMBER) !== number) return;
        if (letter === undefined || dead.isShut) return this.#finish(row);
        table.set(row, BURIED, dead.putCount | 0);
        table.set(row, STATE, stateOf(BURYING, attempt));
        answer = dead.putNext(letter, length);
        if (answer === 1) this.#finish(row);
        else table.set(row, STATE, stateOf(DYING, attempt));
      });
      if (answer !== RETRY) return answer;
      dead.prepare(length);
    }
  }
}

function stateOf(state: number, attempt: number): number {
  return attempt << STATE_BITS | state;
}

/** The length of a stretch for so many units. */
function stretchFor(units: number): number {
  if (units > LARGE_UNITS) return Math.ceil(units / STEP_UNITS) * STEP_UNITS;
  let room = LEAST_UNITS;
  while (room < units) room *= 2;
  return room;
}

/** Fixed-length views: V8's length-tracking ones are 10 to 70 times slower an element. */
function heapOf(heap: SharedArrayBuffer): Scratch {
  const bytes = heap.byteLength;
  return { bytes: new Uint8Array(heap, 0, bytes), words: new Int32Array(heap, 0, bytes >> 2) };
}

function noMemory(cause: unknown): RangeError {
  return new RangeError(
    "The memory for another leased item can't be had. Finish some leases first, or lease smaller items.",
    { cause },
  );
}
