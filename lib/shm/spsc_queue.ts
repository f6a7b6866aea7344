// A queue of messages in shared memory from a single producer to a single consumer (SPSC), in order, without
// a lock: each side writes its own counter and reads the counter of the other side (Lamport, 1983). Unlike the
// MPMC ring (mpmc_ring.ts), the queue gives memory back.
//
// A record is a 4-byte length (of the record without the padding, this length included) and the bytes of one
// message, padded to whole units of 8 bytes. A record never wraps around. Records lie in a segment, a buffer
// used as a ring. Where a record doesn't fit before the end of the segment, SKIP stands in its place. Where the
// segment is full, NEXT stands, and the number of another segment, which the producer has sent by other means;
// from there on neither side uses the old segment, and its memory is freed, unless the producer needs another one
// before garbage is collected: then it sends the old one again, under another number. So after a burst was received,
// one segment of at most MAX_SEGMENT_UNITS, or four of its longest records, remains of it. A long record has a segment
// for itself.
//
// Positions count units since the queue was made, modulo 2 ** 32, through all segments.
//
// Invariants
// 1. A put becomes true by the one store to PUT_COUNT, a take by the one store to GOT_COUNT. Whatever
//    was written before that store has no effect without it, so a step that fails half-way has done nothing
//    (a SKIP or NEXT without a record after it is only read once there is a record).
// 2. The producer writes only from its position up to the consumer's GOT_POSITION one round later,
//    and keeps one unit free, for NEXT.
// 3. State that only one side needs is in the fields of the object of that side. The fields go along when
//    that end of the queue moves to another process.

import { enter, leave, leaveAfterError } from "../liveness/critical_section.ts";
import { arrivedMemory, corrupted } from "../validate/corruption.ts";
import { noteGrowth } from "./growth.ts";
import { EMPTY, FULL } from "./mpmc_ring.ts";
import { copyWords, ensureScratch, LENGTH_BYTES, type Scratch } from "./scratch.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypePush,
  ArrayPrototypeShift,
  Atomics,
  Int32Array,
  Math,
  RangeError,
  SharedArrayBuffer,
  TypedArrayPrototypeSet,
  TypedArrayPrototypeSubarray,
  Uint8Array,
  WeakRef,
  WeakRefPrototypeDeref,
} = primordials;

// Header words, by cache line: settings, producer, consumer.
const MAX_SIZE = 0, MAX_UNITS = 1, MAX_BYTES = 2;
const PUT_COUNT = 16, PUT_UNITS = 17, ENDED = 18;
const GOT_COUNT = 32, GOT_UNITS = 33, GOT_POSITION = 34, REFUSED = 35;
/** The first header word that is free for a structure that builds on the queue. */
export const SPSC_QUEUE_WORDS = 48;

const UNIT = 8;
/**
 * Units of the first segment, of the largest that short records need, and of the longest record that shares a segment
 * with others: 1 MiB of bytes, and what stands before them.
 */
const FIRST_UNITS = 512, MAX_SEGMENT_UNITS = 1 << 17, LONG_UNITS = (1 << 17) + 8;
/** A segment has room for so many of its largest records. */
const MIN_RECORDS = 4;
/** Up to this many units, a word-by-word loop copies faster than TypedArray.set with its view. */
const LOOP_UNITS = 64;

/** Markers that stand in place of a record's length. */
const SKIP = -1, NEXT = -2;
/** The most markers there can be before a record. */
const MAX_STEPS = 4;

/** The way of segments from the producer to the consumer: each has a number. */
export interface SegmentPost {
  /** Sends a segment and returns its number. */
  send(segment: SharedArrayBuffer): number;
  /** The segment that was sent under this number. */
  receive(number: number): SharedArrayBuffer;
}

/** The state of one side of a queue, to hand to another process. */
export interface SpscQueueShares {
  header: SharedArrayBuffer;
  segment: SharedArrayBuffer;
  /** The position at which the segment begins. */
  base: number;
  /** This side's next position, its unit in the segment, and its count. */
  position: number;
  offset: number;
  count: number;
}

/**
 * Makes the shared memory of a queue, with room for `words` header words. Both sides are made from it.
 *
 * @param maxSize the most records in the queue; 0 for no bound
 * @param maxBytes the most bytes that these records take
 */
export function newSpscQueue(maxSize: number, maxBytes: number, words: number): SpscQueueShares {
  const header = new SharedArrayBuffer(words * 4);
  const view = new Int32Array(header);
  view[MAX_SIZE] = maxSize;
  view[MAX_UNITS] = Math.ceil((maxBytes + LENGTH_BYTES) / UNIT);
  view[MAX_BYTES] = maxBytes;
  const segment = new SharedArrayBuffer(FIRST_UNITS * UNIT);
  return { header, segment, base: 0, position: 0, offset: 0, count: 0 };
}

/** The base class of both sides. */
class Side {
  /** The header, also for the words of a structure that builds on the queue. */
  readonly header: Int32Array;
  protected readonly post: SegmentPost;
  #segment!: SharedArrayBuffer;
  protected words!: Int32Array;
  protected bytes!: Uint8Array;
  protected units = 0;
  protected base = 0;
  protected position = 0;
  protected offset = 0;
  protected count: number;

  constructor(shares: SpscQueueShares, post: SegmentPost) {
    this.header = new Int32Array(arrivedMemory(shares.header, SPSC_QUEUE_WORDS * 4));
    this.post = post;
    this.count = shares.count;
    this.adopt(shares.segment, shares.base);
    this.position = shares.position;
    this.offset = shares.offset;
  }

  /** Continues at the beginning of a segment; changes nothing if it throws. */
  protected adopt(segment: SharedArrayBuffer, base: number): void {
    arrivedMemory(segment, UNIT);
    const words = new Int32Array(segment), bytes = new Uint8Array(segment);
    this.#segment = segment;
    this.words = words;
    this.bytes = bytes;
    this.units = segment.byteLength / UNIT;
    this.base = this.position = base;
    this.offset = 0;
  }

  get shares(): SpscQueueShares {
    const { base, position, offset, count } = this;
    const header = this.header.buffer as SharedArrayBuffer;
    return { header, segment: this.#segment, base, position, offset, count };
  }

  /** The count, before it, of the last record that this side put or took: for traces. */
  get last(): number {
    return (this.count - 1) | 0;
  }

  /** Records put and not yet taken. */
  get size(): number {
    const got = Atomics.load(this.header, GOT_COUNT);
    return Math.max(0, (Atomics.load(this.header, PUT_COUNT) - got) | 0);
  }

  /** Bytes that the records put and not yet taken use, lengths and padding included. */
  get usedBytes(): number {
    const got = Atomics.load(this.header, GOT_UNITS);
    return Math.max(0, (Atomics.load(this.header, PUT_UNITS) - got) | 0) * UNIT;
  }

  /** Bytes of the segment in use. */
  get capacityBytes(): number {
    return this.units * UNIT;
  }

  /** Whether the producer has said that no more records will come. */
  get hasEnded(): boolean {
    return Atomics.load(this.header, ENDED) !== 0;
  }

  /** Whether the consumer has said that it takes no more records. */
  get isRefused(): boolean {
    return Atomics.load(this.header, REFUSED) !== 0;
  }
}

/** A segment that was sent. */
interface Segment {
  buffer: SharedArrayBuffer;
  number: number;
}

/** A segment that the producer has left: free for other records once the consumer's position is after `next`. */
interface LeftSegment {
  /** Weak: what the consumer doesn't need any more goes with the next collection of garbage. */
  buffer: WeakRef<SharedArrayBuffer>;
  /** The position at which the segment after it begins. */
  next: number;
}

/** The producer's side. */
export class SpscProducer extends Side {
  /** The consumer's position, as it was when there was last too little room. */
  #gotPosition: number;
  /** Units of all records put. */
  #sent: number;
  /** After a long record: the segment that NEXT leads to, until this side has moved on to it. */
  #following: Segment | undefined;
  /** The oldest first. */
  readonly #left: LeftSegment[] = [];

  constructor(shares: SpscQueueShares, post: SegmentPost) {
    super(shares, post);
    this.#gotPosition = this.base;
    this.#sent = Atomics.load(this.header, PUT_UNITS);
  }

  override get shares(): SpscQueueShares {
    if (this.#following !== undefined) this.#moveOn(this.#following);
    return super.shares;
  }

  get maxSize(): number {
    return this.header[MAX_SIZE];
  }

  /** The longest record, in bytes. */
  get maxBytes(): number {
    return this.header[MAX_BYTES] >>> 0;
  }

  /** Whether a record of `units` (a short one without the argument) is within the bounds now. */
  hasRoom(units = 2, most = Infinity): boolean {
    const header = this.header;
    const maxSize = Math.min(header[MAX_SIZE] || Infinity, most);
    if (((this.count - Atomics.load(header, GOT_COUNT)) | 0) >= maxSize) return false;
    const used = (this.#sent - Atomics.load(header, GOT_UNITS)) | 0;
    return used === 0 || used + units <= header[MAX_UNITS];
  }

  /**
   * Puts the record at source[at, at + length), whose first four bytes are left free for the
   * length. `beforehand` and the put happen both or not at all. Returns 1 or FULL; throws a
   * RangeError when the memory for the record can't be had.
   *
   * @param most the most records in the queue, where that is less than the queue's own bound
   */
  tryPut(
    source: Scratch,
    at: number,
    length: number,
    most?: number,
    beforehand?: () => void,
  ): number {
    const units = (length + 7) >>> 3;
    if (!this.hasRoom(units, most)) return FULL;
    const following = this.#makeRoom(units);
    const word = at >>> 2;
    source.words[word] = length;
    const offset = this.offset;
    if (units > LOOP_UNITS) {
      TypedArrayPrototypeSet(
        this.bytes,
        TypedArrayPrototypeSubarray(source.bytes, at, at + length),
        offset * UNIT,
      );
    } else {
      copyWords(source.words, word, this.words, offset * 2, units * 2);
    }
    this.#put(units, following, beforehand);
    return 1;
  }

  /**
   * Puts a record of the byte `first` and of `bytes`, which begin at the record's second unit: bytes
   * at an odd address of shared memory are copied one at a time, six times as slowly (Deno 2.9.6).
   * Returns and throws as tryPut().
   */
  tryPutBytes(first: number, bytes: Uint8Array): number {
    const length = UNIT + bytes.length;
    const units = (length + 7) >>> 3;
    if (!this.hasRoom(units)) return FULL;
    const following = this.#makeRoom(units);
    const offset = this.offset;
    this.words[offset * 2] = length;
    this.words[offset * 2 + 1] = first;
    TypedArrayPrototypeSet(this.bytes, bytes, (offset + 1) * UNIT);
    this.#put(units, following);
    return 1;
  }

  /** Makes sure that `units` units are free at `offset`. Returns the segment that follows a long record. */
  #makeRoom(units: number): Segment | undefined {
    if (this.#following !== undefined) this.#moveOn(this.#following);
    if (units > LONG_UNITS) {
      const own = this.#newSegment(units + 1), next = this.#newSegment(FIRST_UNITS);
      this.#goOnIn(this.#send(own));
      const following = this.#send(next);
      this.#writeNext(units, following);
      return following;
    }
    if (!this.#findRoom(units)) this.#goOnIn(this.#nextSegment(units));
    return undefined;
  }

  /** Publishes the record that was written at `offset`. */
  #put(units: number, following: Segment | undefined, beforehand?: () => void): void {
    try {
      enter();
      beforehand?.();
      this.#commit(units);
      this.#following = following;
      leave();
    } catch (error) {
      leaveAfterError();
      throw error;
    }
    if (following !== undefined) this.#moveOn(following);
  }

  /** Makes sure that a short record finds room in the segment, so that putting the record can't fail. */
  reserve(length: number): void {
    const units = (length + 7) >>> 3;
    if (this.#following !== undefined) this.#moveOn(this.#following);
    if (!this.#findRoom(units)) this.#goOnIn(this.#nextSegment(units));
  }

  /** Sends the next segment, for a short record of `units`. */
  #nextSegment(units: number): Segment {
    const many = MIN_RECORDS * units, most = Math.max(MAX_SEGMENT_UNITS, many);
    return this.#send(this.#newSegment(Math.min(Math.max(2 * this.units, many), most)));
  }

  /** A segment of `units` at least: one that both sides have left, since its memory was touched before, or a new one. */
  #newSegment(units: number): SharedArrayBuffer {
    const left = this.#left, bytes = units * UNIT;
    const got = left.length === 0 ? 0 : Atomics.load(this.header, GOT_POSITION);
    while (left.length > 0 && ((got - left[0].next) | 0) > 0) {
      const buffer = WeakRefPrototypeDeref((ArrayPrototypeShift(left) as LeftSegment).buffer);
      if (buffer === undefined) continue;
      if (buffer.byteLength >= bytes && buffer.byteLength <= 2 * bytes) return buffer;
    }
    noteGrowth(this, bytes);
    return newSegment(units);
  }

  /** The bytes of the records on their way. */
  heldBytes(): number {
    return (this.#sent - Atomics.load(this.header, GOT_UNITS) | 0) * UNIT;
  }

  #commit(units: number): void {
    const header = this.header;
    const end = this.offset + units;
    this.offset = end === this.units ? 0 : end;
    this.position = (this.position + units) | 0;
    this.#sent = (this.#sent + units) | 0;
    this.count = (this.count + 1) | 0;
    Atomics.store(header, PUT_UNITS, this.#sent);
    Atomics.store(header, PUT_COUNT, this.count);
  }

  /** Whether `units` units, and one more for NEXT, are free in one piece, from `offset` on or after a SKIP. */
  #findRoom(units: number): boolean {
    const rest = this.units - this.offset;
    const need = (units <= rest ? units : rest + units) + 1;
    if (!this.#isFree(need)) {
      const got = Atomics.load(this.header, GOT_POSITION);
      // The consumer may still be in an older segment.
      if (((got - this.base) | 0) > 0) this.#gotPosition = got;
      if (!this.#isFree(need)) return false;
    }
    if (units > rest) {
      this.words[this.offset * 2] = SKIP;
      this.position = (this.position + rest) | 0;
      this.offset = 0;
    }
    return true;
  }

  #isFree(units: number): boolean {
    return ((this.position - this.#gotPosition) >>> 0) + units <= this.units;
  }

  #send(buffer: SharedArrayBuffer): Segment {
    return { buffer, number: this.post.send(buffer) };
  }

  #writeNext(offset: number, { number }: Segment): void {
    this.words[offset * 2 + 1] = number;
    this.words[offset * 2] = NEXT;
  }

  /** Writes NEXT at `offset`, and continues in that segment. */
  #goOnIn(segment: Segment): void {
    this.#writeNext(this.offset, segment);
    this.#moveOn(segment);
  }

  /** Continues in another segment, to which NEXT leads. */
  #moveOn({ buffer }: Segment): void {
    const left = this.words.buffer as SharedArrayBuffer, next = (this.position + 1) | 0;
    this.adopt(buffer, next);
    ArrayPrototypePush(this.#left, { buffer: new WeakRef(left), next });
    this.#gotPosition = this.base;
    this.#following = undefined;
  }

  /** Says that no more records will come. */
  end(): void {
    Atomics.store(this.header, ENDED, 1);
  }
}

function newSegment(units: number): SharedArrayBuffer {
  const bytes = units * UNIT;
  try {
    return new SharedArrayBuffer(bytes);
  } catch (error) {
    throw new RangeError(
      `Another ${bytes} bytes for messages on their way can't be had. ` +
        "Set maxBytes or maxSize so that send waits for the receiver.",
      { cause: error },
    );
  }
}

/** The consumer's side. */
export class SpscConsumer extends Side {
  /** The copy of PUT_COUNT, from when this side last had to read it. */
  #putCount: number;
  /** Units of all records taken. */
  #taken: number;

  constructor(shares: SpscQueueShares, post: SegmentPost) {
    super(shares, post);
    this.#putCount = this.count;
    this.#taken = Atomics.load(this.header, GOT_UNITS);
  }

  get isEmpty(): boolean {
    return this.count === Atomics.load(this.header, PUT_COUNT);
  }

  /** The length of the oldest record, or EMPTY. */
  peek(): number {
    if (this.count === this.#putCount) {
      this.#putCount = Atomics.load(this.header, PUT_COUNT);
      if (this.count === this.#putCount) return EMPTY;
    }
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const length = this.words[this.offset * 2];
      if (length >= LENGTH_BYTES && this.offset + ((length + 7) >>> 3) <= this.units) return length;
      if (length === SKIP) {
        this.position = (this.position + this.units - this.offset) | 0;
        this.offset = 0;
      } else if (length === NEXT) this.#follow();
      else break;
    }
    throw corrupted("pipe");
  }

  /** The first byte of the oldest record, which must exist. */
  peekByte(): number {
    this.peek();
    return this.bytes[this.offset * UNIT + LENGTH_BYTES];
  }

  /** Continues in the segment that NEXT leads to. */
  #follow(): void {
    const segment = this.post.receive(this.words[this.offset * 2 + 1]);
    this.adopt(segment, (this.position + 1) | 0);
  }

  /**
   * Copies the oldest record to `into`, which grows as needed; its bytes are then
   * into[LENGTH_BYTES, length). Returns the length, or EMPTY. The record stays in the queue until take().
   */
  copy(into: Scratch): number {
    const length = this.peek();
    if (length === EMPTY) return EMPTY;
    const units = (length + 7) >>> 3;
    ensureScratch(into, units * UNIT);
    const offset = this.offset;
    if (units > LOOP_UNITS) {
      TypedArrayPrototypeSet(
        into.bytes,
        TypedArrayPrototypeSubarray(this.bytes, offset * UNIT, offset * UNIT + length),
      );
    } else {
      copyWords(this.words, offset * 2, into.words, 0, units * 2);
    }
    return length;
  }

  /** A copy of the bytes of the oldest record, which was put by tryPutBytes(). */
  copyBytes(length: number): Uint8Array<ArrayBuffer> {
    const begin = this.offset * UNIT;
    // Made of an array, the copy isn't filled with zeros first.
    return new Uint8Array(TypedArrayPrototypeSubarray(this.bytes, begin + UNIT, begin + length));
  }

  /** Copies the same bytes to the beginning of `into`, which must have room for them. */
  copyBytesTo(into: Uint8Array, length: number): void {
    const begin = this.offset * UNIT;
    TypedArrayPrototypeSet(
      into,
      TypedArrayPrototypeSubarray(this.bytes, begin + UNIT, begin + length),
    );
  }

  /** Takes the oldest record, which has this length. */
  take(length: number): void {
    const units = (length + 7) >>> 3;
    const end = this.offset + units;
    this.offset = end === this.units ? 0 : end;
    this.position = (this.position + units) | 0;
    this.#taken = (this.#taken + units) | 0;
    this.count = (this.count + 1) | 0;
    const header = this.header;
    Atomics.store(header, GOT_UNITS, this.#taken);
    Atomics.store(header, GOT_POSITION, this.position);
    Atomics.store(header, GOT_COUNT, this.count);
    if (units > LONG_UNITS) this.#leaveLong();
  }

  /** Leaves the segment that a long record had for itself, so that its memory can be freed. */
  #leaveLong(): void {
    try {
      this.#follow();
    } catch {
      // The stack is full. peek() leaves the segment when there is another record.
    }
  }

  /** Says that this side takes no more records. */
  refuse(): void {
    Atomics.store(this.header, REFUSED, 1);
  }
}
