// The state of a queue between processes: an MPMC ring of records, three eventcounts in its header (an item
// is there; there is room; all is done) and the codec. Here are the attempts and the operations;
// lib/queue/shared/queue.ts gives them their public faces. Items lie in shared memory and every take is
// decided there; the BroadcastChannel only announces (lib/wait/broadcast.ts).

import { InvalidStateError, QueueEmpty, QueueFull, QueueShutDown } from "../../errors.ts";
import { decode, decodeInt32 } from "../../codec/decode.ts";
import { type Encoder, freeEncoder, INT32_BYTES, isInt32 } from "../../codec/encode.ts";
import {
  EMPTY,
  MPMC_RING_WORDS,
  MpmcRing,
  type MpmcRingShares,
  newMpmcRing,
  SHUT_DOWN,
} from "../../shm/mpmc_ring.ts";
import { CLEARED, GET as GOT, NAMED, PUT as WAS_PUT } from "../../liveness/event_rings.ts";
import { type Recorder, recorder } from "../../liveness/recorder.ts";
import { isMeasuring, measure } from "../../telemetry/queue_metrics.ts";
import { LENGTH_BYTES, renewLent, type Scratch, taken, trimTaken } from "../../shm/scratch.ts";
import { EventCount, EVENTCOUNT_WORDS, lookElsewhere, WAIT } from "../../wait/eventcount.ts";
import { blocking, done, eventually, type Operation } from "../../wait/operation.ts";
import {
  blockingTimeoutOf,
  type BlockOptions,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "../../wait/options.ts";
import { noteMade } from "../../wait/made.ts";
import { GET, JOIN, numberIn, PUT, QUEUE, type Subject } from "../../wait/subject.ts";
import type { Readiness } from "../../wait/waitable.ts";
import type { LeaseTableShares } from "../../shm/lease_table.ts";
import { isHeldTooLong } from "../../validate/corruption.ts";
import * as primordials from "../../platform/primordials.ts";

const {
  ArrayPrototypeShift,
  each,
  Error,
  Int32Array,
  listOf,
  Promise,
  RangeError,
  RegExpPrototypeTest,
  TypedArrayPrototypeSlice,
} = primordials;

/** The positions of the eventcounts in the ring's header: each on a cache line of its own. */
const NOT_EMPTY = MPMC_RING_WORDS, NOT_FULL = MPMC_RING_WORDS + 16, ALL_DONE = MPMC_RING_WORDS + 32;
/** Its number, once it was waited for. */
const NUMBER = NOT_EMPTY + 15;
const HEADER_WORDS = ALL_DONE + EVENTCOUNT_WORDS;

const begins: number[] = [], lengths: number[] = [];

/** While at most one part in AMPLE of its bytes is in use, a queue very likely has room for whatever waits. */
const AMPLE = 8;
/** The most bytes of the items of one putMany(): they are counted in words, by 30 bits. */
const MAX_AT_ONCE = 2 ** 32 - 8;

/** Items as bytes, one after the other, on their way into a ring. */
export interface Records extends Scratch {
  begins: number[];
  lengths: number[];
}

/** A record that was taken, its place in `bytes`, and why it could not be decoded: undefined if that wasn't tried. */
interface Kept {
  bytes: Uint8Array;
  at: number;
  end: number;
  error: unknown;
}

/** One process's view of the shared parts of a queue. */
export class Store<T> implements Subject {
  readonly ring: MpmcRing;
  readonly name: string | undefined;
  readonly notEmpty: EventCount;
  readonly notFull: EventCount;
  readonly allDone: EventCount;
  /** Gets an item, when there is one. */
  readonly get: Operation<T>;
  /** Records that were taken and could not be decoded, because the stack was too full: the next gets return them. */
  readonly #kept: Kept[] = [];
  /** True once this process has closed its queue. */
  closed = false;
  /** The recorder that knows its name, and its number then. */
  #knownTo: Recorder | undefined;
  #number = 0;
  /** The leases of its items, once there can be any: in a joinable queue from the first on, or when it is shared. */
  leases: StoreLeases | undefined;
  /** The most leases of one item, in a joinable queue; 0 for no bound. */
  attempts = 0;
  /** The leases whose dead letters are its items, if they are. */
  source: StoreLeases | undefined;

  private constructor(shares: MpmcRingShares, name: string | undefined) {
    const ring = this.ring = new MpmcRing(shares);
    this.name = name;
    this.notEmpty = new EventCount(ring.header, NOT_EMPTY, () => this.isReady);
    this.notFull = new EventCount(ring.header, NOT_FULL, () => ring.hasRoom);
    this.allDone = new EventCount(ring.header, ALL_DONE, () => ring.unfinished <= 0);
    this.get = {
      eventcount: this.notEmpty,
      attempt: () => this.#tryGet(),
      onTimeout: throwEmpty,
      subject: this,
      verb: GET,
    };
  }

  get kind(): number {
    return QUEUE;
  }

  get number(): number {
    return numberIn(this.ring.header, NUMBER, QUEUE);
  }

  get subjectName(): string | undefined {
    return this.name;
  }

  /** Records for a trace that items were put or got: the first of the last many, and those up to the last. */
  #record(type: number, first: number, last: number, count: number): void {
    if (this.#knownTo !== recorder) this.#beKnown();
    if (recorder === undefined) return;
    recorder.items(type, QUEUE, this.#number, first, 1);
    if (count > 1) recorder.items(type, QUEUE, this.#number, (last - count + 2) | 0, count - 1);
  }

  /** The same of the item that was got last. */
  recordGot(): void {
    if (recorder !== undefined) this.#record(GOT, this.ring.lastGot, 0, 1);
  }

  #beKnown(): void {
    if (this.#knownTo === recorder || recorder === undefined) return;
    this.#knownTo = recorder;
    this.#number = this.number;
    const name = this.name === undefined ? 0 : recorder.text(this.name);
    recorder.event(NAMED, QUEUE, this.#number, name, this.ring.gotCount);
  }

  get amount(): number {
    return this.ring.size;
  }

  get capacity(): number {
    return this.ring.maxSize;
  }

  /** New shared memory. */
  static make<T>(maxSize: number, maxBytes: number, name: string | undefined): Store<T> {
    const store = new Store<T>(newMpmcRing(maxSize, maxBytes, HEADER_WORDS), name);
    if (noteMade !== undefined) noteMade(store);
    if (isMeasuring) measure(store);
    return store;
  }

  /** A store on the same shared memory, in another process. */
  static arrived<T>(content: StoreContent): Store<T> {
    return new Store<T>(content.ring, content.name);
  }

  get content(): StoreContent {
    // A process with permissions of its own can't number it.
    this.#beKnown();
    const { ring, name, leases } = this;
    return {
      ring: ring.shares,
      name,
      ...leases !== undefined && { leases: leases.content },
    };
  }

  /** The number of items that this process can still get. */
  get size(): number {
    return this.ring.size + this.#kept.length + this.#returning;
  }

  /** Items that aren't in the ring: those that have come back from a lease, or are due as dead letters. */
  get #returning(): number {
    const { leases, source } = this;
    if (leases !== undefined) return leases.census().ready;
    return source === undefined ? 0 : source.census().dying;
  }

  /** Items that were put and aren't finished. */
  get unfinished(): number {
    const { ring, leases } = this;
    return ring.unfinished - (leases === undefined ? 0 : leases.census().dying);
  }

  checkOpen(): void {
    if (this.closed) {
      throw new InvalidStateError(
        "This process has closed the queue. Use it before close(), or in another process.",
      );
    }
  }

  #checkPut(): void {
    this.checkOpen();
    if (this.source === undefined) return;
    throw new InvalidStateError(
      "These are the dead letters of a queue, and only the queue puts items there. Put it into the queue.",
    );
  }

  /** Whether a get would not have to wait. */
  get isReady(): boolean {
    const { ring, leases } = this;
    return this.closed || !ring.isEmpty || this.#kept.length > 0 ||
      ring.isShut && !leases?.mayComeBack || leases?.isReady ||
      this.source !== undefined && this.source.census().dying > 0;
  }

  /** The state as it is printed; a property that rarely applies is left out where it doesn't. */
  get state(): Record<string, unknown> {
    return {
      ...this.name !== undefined && { name: this.name },
      size: this.size,
      maxSize: this.ring.maxSize,
      ...this.ring.isShut && { shutDown: true },
      ...this.closed && { closed: true },
    };
  }

  /** Says when a get would not have to wait; throws if this process has closed the queue. */
  get readiness(): Readiness {
    const isReady = () => {
      this.checkOpen();
      return this.isReady;
    };
    isReady();
    return { eventcount: this.notEmpty, isReady };
  }

  #tryGet(): T | typeof WAIT {
    this.checkOpen();
    if (this.#hasKept()) return this.#getKept();
    const { ring } = this;
    renewLent(taken);
    // In this order: nothing is put after the shutdown, so a queue that is empty after it is empty for good.
    const shut = ring.isShut;
    let length = ring.tryTake(taken), isNew = true;
    if (length < 0) {
      const before = ring.lastGot;
      length = this.#tryTakeElsewhere();
      if (length === EMPTY) return this.#nothing(shut);
      isNew = ring.lastGot !== before;
    }
    try {
      if (isNew && recorder !== undefined) this.#record(GOT, ring.lastGot, 0, 1);
      this.madeRoom(1);
      const item = decode(taken.bytes, LENGTH_BYTES, length) as T;
      trimTaken();
      return item;
    } catch (error) {
      // No call: there may be no room for one on the stack.
      taken.isLent = true;
      const { bytes } = taken;
      this.#kept[this.#kept.length] = { bytes, at: LENGTH_BYTES, end: length, error };
      throw error;
    }
  }

  /** Takes what isn't to be had from the ring alone. Returns its length, or EMPTY. */
  #tryTakeElsewhere(): number {
    if (this.leases !== undefined) return this.leases.tryTake(taken);
    return this.source?.settle() ? this.ring.tryTake(taken) : EMPTY;
  }

  /** What a get answers when there is nothing, and the ring was shut before that, or not. */
  #nothing(shut: boolean): typeof WAIT {
    if (shut && !this.leases?.mayComeBack) throw shutDownError("is empty");
    return WAIT;
  }

  /** Whether a record was taken already that may be decoded at another try. */
  #hasKept(): boolean {
    const kept = this.#kept;
    while (kept.length > 0 && !isWorthAnotherTry(kept[0].error)) ArrayPrototypeShift(kept);
    return kept.length > 0;
  }

  #getKept(): T {
    const { 0: { bytes, at, end } } = this.#kept;
    const item = decode(bytes, at, end) as T;
    ArrayPrototypeShift(this.#kept);
    return item;
  }

  /** Gets as many items as are there, `most` at most, when there is one. */
  getMany(most: number): Operation<T[]> {
    const attempt = () => {
      this.checkOpen();
      const shut = this.ring.isShut;
      const items: T[] = [];
      try {
        this.#getUpTo(most, items);
      } catch (error) {
        // What was got by then goes to the caller; the next call meets the error again.
        if (items.length === 0) throw error;
      }
      return items.length > 0 ? items : this.#nothing(shut);
    };
    return { eventcount: this.notEmpty, attempt, onTimeout: throwEmpty, subject: this, verb: GET };
  }

  #getUpTo(most: number, items: T[]): void {
    while (items.length < most && this.#hasKept()) items[items.length] = this.#getKept();
    while (items.length < most) {
      renewLent(taken);
      // The first call compiles the decoder, before there is anything to lose on a full stack.
      this.#decodeAll(0, items, false);
      const { ring } = this;
      let count = ring.tryTakeMany(taken, most - items.length, begins, lengths), isNew = true;
      if (count === 0) {
        const before = ring.lastGot;
        const length = this.#tryTakeElsewhere();
        if (length === EMPTY) return;
        isNew = ring.lastGot !== before;
        ring.firstGot = ring.lastGot;
        begins[0] = 0;
        lengths[0] = length;
        count = 1;
      }
      if (!this.#decodeAll(count, items, isNew)) return;
    }
  }

  /**
   * Decodes the records that were taken; false if only some could be decoded, and then there is at least one
   * item.
   *
   * @param isNew whether they come from the ring, and not back from a lease
   */
  #decodeAll(count: number, items: T[], isNew: boolean): boolean {
    const { bytes } = taken;
    let i = 0;
    try {
      if (count > 0) {
        if (isNew && recorder !== undefined) {
          this.#record(GOT, this.ring.firstGot, this.ring.lastGot, count);
        }
        this.madeRoom(count);
      }
      for (; i < count; i++) {
        const at = begins[i] + LENGTH_BYTES, end = begins[i] + lengths[i];
        // The decoder takes 25 ns to begin.
        const integer = decodeInt32(bytes, at, end);
        items[items.length] = (integer === undefined ? decode(bytes, at, end) : integer) as T;
      }
      trimTaken();
      return true;
    } catch (error) {
      taken.isLent = true;
      for (let first: unknown = error; i < count; i++, first = undefined) {
        const at = begins[i] + LENGTH_BYTES, end = begins[i] + lengths[i];
        this.#kept[this.#kept.length] = { bytes, at, end, error: first };
      }
      if (items.length === 0) throw error;
      return false;
    }
  }

  /**
   * Wakes the puts that may go on now: as many as have room where only the number of items was the bound, all
   * where the bytes may be the bound, since one put may need more room than there is and the next one less.
   */
  madeRoom(count: number): void {
    const { ring, notFull } = this;
    if (!notFull.isWanted) return;
    const wasFull = ring.maxSize !== 0 && ring.size + count >= ring.maxSize;
    const hasAmpleBytes = AMPLE * ring.usedBytes <= ring.maxBytes;
    notFull.notify(wasFull && hasAmpleBytes ? count : Infinity);
  }

  /**
   * Puts one item if there is room and no task of this process waits to put before it. Otherwise returns the
   * item's bytes, for the operation that `put` makes.
   *
   * @param mayWait whether the caller then waits, and so may try again where a lock is held too long
   */
  tryPut(item: T, mayWait = true): Records | undefined {
    this.#checkPut();
    const encoder = freeEncoder();
    const length = this.#encode(encoder, item, 0, "item");
    const { notFull } = this;
    if (notFull.waiting > 0) notFull.pump();
    if (notFull.waiting === 0) {
      let answer = 0;
      try {
        answer = this.ring.tryPut(encoder, 0, length);
      } catch (error) {
        if (!mayWait || !isHeldTooLong(error)) throw error;
      }
      if (answer === 1) {
        encoder.trim();
        if (recorder !== undefined) this.#record(WAS_PUT, this.ring.lastPut, 0, 1);
        this.notEmpty.notify(1);
        return undefined;
      }
      if (answer === SHUT_DOWN) throw shutDownError("takes no more items");
    } else if (this.ring.isShut) throw shutDownError("takes no more items");
    const bytes = TypedArrayPrototypeSlice(encoder.bytes, 0, (length + 7) & ~7);
    encoder.trim();
    return { bytes, words: new Int32Array(bytes.buffer), begins: [0], lengths: [length] };
  }

  /** Puts one item when there is room. */
  putItem(item: T, options: WaitOptions | undefined): Promise<void> {
    try {
      if (options !== undefined) {
        timeoutOf(options);
        signalOf(options);
      }
      const left = this.tryPut(item, true);
      if (left === undefined) return done(undefined);
      return eventually(this.put(left, false), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Puts one item, or throws if there is no room now. */
  putItemNowait(item: T): void {
    if (this.tryPut(item, false) !== undefined) throw fullError(this.ring, false);
  }

  /** Puts one item, blocking the thread until there is room. */
  putItemSync(item: T, options: BlockOptions | undefined): void {
    blockingTimeoutOf(options);
    const left = this.tryPut(item, true);
    if (left !== undefined) blocking(this.put(left, false), options);
  }

  /** All the items as bytes, before any is put: an item that can't be cloned stops them all. */
  encodeAll(items: Iterable<T>): Records {
    this.#checkPut();
    const encoder = freeEncoder();
    const records: Records = {
      bytes: encoder.bytes,
      words: encoder.words,
      begins: [],
      lengths: [],
    };
    let at = 0;
    // The iterable is the user's code and may use the encoder: it runs to its end first.
    const all = listOf(items);
    const { begins, lengths } = records, takesInt32 = this.ring.maxBytes >= INT32_BYTES;
    for (let index = 0; index < all.length; index++) {
      const item = all[index];
      const length = takesInt32 && isInt32(item)
        ? encoder.encodeInt32(item, at + LENGTH_BYTES) - at
        : this.#encode(encoder, item, at, `items[${index}]`);
      begins[index] = at;
      lengths[index] = length;
      at += (length + 7) & ~7;
      if (at > MAX_AT_ONCE) {
        throw new RangeError(
          `items[${index}] is where the items together take more than ${MAX_AT_ONCE} bytes, the most that can be ` +
            "put in one call. Put them in several.",
        );
      }
    }
    records.bytes = TypedArrayPrototypeSlice(encoder.bytes, 0, at);
    records.words = new Int32Array(records.bytes.buffer);
    encoder.trim();
    return records;
  }

  /** Puts the records, as far as there is room, again and again until all are in. */
  put(records: Records, many: boolean): Operation<void> {
    const total = records.lengths.length;
    let next = 0;
    const attempt = () => {
      this.checkOpen();
      while (next < total) {
        const count = this.ring.tryPutMany(records, records.begins, records.lengths, next);
        if (count === SHUT_DOWN) throw shutDownError("takes no more items");
        if (count === 0) return WAIT;
        next += count;
        if (recorder !== undefined) {
          this.#record(WAS_PUT, this.ring.firstPut, this.ring.lastPut, count);
        }
        this.notEmpty.notify(count);
      }
    };
    const onTimeout = () => {
      throw fullError(this.ring, many, next, total);
    };
    return { eventcount: this.notFull, attempt, onTimeout, subject: this, verb: PUT };
  }

  #encode(encoder: Encoder, item: T, at: number, root: string): number {
    const end = encoder.encode(item, at + LENGTH_BYTES, root);
    const length = end - at;
    const { maxBytes } = this.ring;
    if (length - LENGTH_BYTES > maxBytes) {
      encoder.trim();
      throw new RangeError(
        `${root} takes ${length - LENGTH_BYTES} bytes, more than the queue's maxBytes of ` +
          `${maxBytes}. Make a queue with a larger maxBytes, or put it in parts.`,
      );
    }
    return length;
  }

  /** Counts one item as finished. */
  taskDone(): void {
    this.checkOpen();
    const left = this.ring.finishOne();
    if (left < 0) {
      throw new RangeError(
        "taskDone() was called more often than there were items. Call it once for each item got.",
      );
    }
    if (left === 0) this.allDone.notify(Infinity);
  }

  /** Waits until all items are finished. */
  get join(): Operation<boolean> {
    const attempt = () => {
      this.checkOpen();
      this.leases?.settle();
      return this.ring.unfinished <= 0 || WAIT;
    };
    return {
      eventcount: this.allDone,
      attempt,
      onTimeout: () => false,
      subject: this,
      verb: JOIN,
    };
  }

  /** Sets the most items there may be; tasks that wait for room try again. */
  setMaxSize(maxSize: number): void {
    this.checkOpen();
    this.ring.maxSize = maxSize;
    this.notFull.notify(Infinity);
    this.notFull.pump();
  }

  shutdown(immediate: boolean): void {
    this.checkOpen();
    try {
      if (immediate) {
        this.ring.clear();
        this.#kept.length = 0;
        this.leases?.drop();
        this.#beKnown();
        if (recorder !== undefined) recorder.event(CLEARED, QUEUE, this.#number);
      } else this.ring.shut();
    } finally {
      for (const eventcount of each([this.notEmpty, this.notFull, this.allDone])) {
        eventcount.notify(Infinity);
        eventcount.pump();
      }
      lookElsewhere();
    }
  }

  close(): void {
    this.closed = true;
    for (const eventcount of each([this.notEmpty, this.notFull, this.allDone])) eventcount.pump();
  }
}

/** The leases of the items of a store, as the store sees them: see leases.ts. */
export interface StoreLeases {
  readonly content: LeasesContent;
  /** The content of the store whose leases they are. */
  readonly storeContent: StoreContent;
  /** How many items have come back and can be got, how many are leased, and will become dead letters. */
  census(): { ready: number; leased: number; dying: number };
  /** The figures for statistics(): as census(), and how many dead letters there are. */
  readonly figures: { ready: number; leased: number; dead: number };
  /** Whether a get or a lease would find an item that has come back. */
  readonly isReady: boolean;
  /** Whether an item that another process has leased may come back. */
  readonly mayComeBack: boolean;
  /** Takes an item's record without a lease: returns its length, or EMPTY. */
  tryTake(into: Scratch): number;
  /** Ends the leases of processes that have died; true if there were any, or letters to be written. */
  settle(): boolean;
  /** Drops the items that have come back, after the others were dropped. */
  drop(): void;
}

/** The leases of a queue, as they are handed to another process. */
export interface LeasesContent {
  table: LeaseTableShares;
  attempts: number;
  dead: StoreContent;
}

/** The parts of a store that are handed to another process. */
export interface StoreContent {
  ring: MpmcRingShares;
  name: string | undefined;
  leases?: LeasesContent;
}

/** Whether decoding has failed only for want of stack, or wasn't tried. */
export function isWorthAnotherTry(error: unknown): boolean {
  if (error === undefined) return true;
  const cause = error instanceof Error ? error.cause ?? error : error;
  return cause instanceof RangeError && RegExpPrototypeTest(/call stack/, cause.message);
}

export function throwEmpty(): never {
  throw new QueueEmpty("The queue is empty. Wait longer, or put an item.");
}

/** The error of a put for which there was no room in time. */
function fullError(ring: MpmcRing, many: boolean, put = 0, total = 1): QueueFull {
  const bound = ring.maxSize > 0 && ring.size >= ring.maxSize
    ? `maxSize is ${ring.maxSize}`
    : `maxBytes is ${ring.maxBytes}`;
  const progress = many ? ` ${put} of ${total} items were put.` : "";
  return new QueueFull(
    `The queue is full: its ${bound}.${progress} Wait longer, or get items out of it.`,
    put,
  );
}

export function shutDownError(state: string): QueueShutDown {
  return new QueueShutDown(`The queue was shut down and ${state}. Make a new queue.`);
}
