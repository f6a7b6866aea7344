// One end of a pipe: a lane in, a lane out, and a port. Messages lie in the lanes, in shared memory,
// as bytes; what can't be bytes (buffers that are moved, shared memory, objects that are handed over)
// and the lanes' new segments go through the port, and a marker in the lane says when it is their
// turn. The port is never started: it is only read from, with receiveMessageOnPort, where a marker
// says that something is there. So all that decides is in the lane, and a blocked thread sees it too.
//
// Whether the other end is alive stands in the roster (lib/liveness/process_table.ts). The order matters: who
// finds the lane empty looks whether the other end is alive, and if it isn't, at the lane again.

import type { MessagePort as NodePort } from "node:worker_threads";
import { howItEnded } from "../validate/describe.ts";
import {
  BrokenPipeError,
  BufferTooShort,
  EOFError,
  InvalidStateError,
  TimeoutError,
} from "../errors.ts";
import {
  capture,
  type Captured,
  type Cargo,
  commit,
  discardMessage,
  type Load,
  pack,
  post,
  postAlone,
  receivePosted,
  unpackMessage,
} from "../transfer/message.ts";
import { decode } from "../codec/decode.ts";
import { type Beside, type Encoder, freeEncoder } from "../codec/encode.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { exposeAll, type Serialized } from "../transfer/transferable.ts";
import { checkAttempts, corrupted } from "../validate/corruption.ts";
import { isExposed } from "../liveness/tainted_memory.ts";
import { onExit } from "../liveness/exit_hooks.ts";
import {
  newSpscQueue,
  type SegmentPost,
  SPSC_QUEUE_WORDS,
  SpscConsumer,
  SpscProducer,
  type SpscQueueShares,
} from "../shm/spsc_queue.ts";
import { EMPTY } from "../shm/mpmc_ring.ts";
import { placeIn } from "../liveness/membership.ts";
import type { ProcessTable, Ref } from "../liveness/process_table.ts";
import { LENGTH_BYTES, type Scratch, taken, trimTaken } from "../shm/scratch.ts";
import { checkStack } from "../liveness/stack_guard.ts";
import { closeQuietly } from "../platform/ports.ts";
import { doChores, EventCount, EVENTCOUNT_WORDS, WAIT } from "../wait/eventcount.ts";
import type { Operation } from "../wait/operation.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayBuffer,
  ArrayPrototypeFilter,
  ArrayPrototypeMap,
  each,
  Int32Array,
  listOf,
  MessagePort,
  PromisePrototypeThen,
  queueMicrotask,
  RangeError,
  ReadableStream,
  SafeSet,
  setOf,
  TransformStream,
  TypedArrayPrototypeSlice,
  TypeError,
  Uint8Array,
  WritableStream,
} = primordials;

/** Where the eventcounts are in a lane's header: each on a cache line of its own. */
const NOT_EMPTY = SPSC_QUEUE_WORDS, NOT_FULL = SPSC_QUEUE_WORDS + 16;
const HEADER_WORDS = NOT_FULL + EVENTCOUNT_WORDS;

// What a record is, by the first byte after its length: 0 and 1 begin what the codec wrote.
const BYTES = 2, POSTED = 3;
/** Where the bytes begin in a record of BYTES. */
const BYTES_AT = 8;
/** A marker: the length, POSTED, the number of what was posted. */
const MARKER_BYTES = 12, NUMBER_WORD = 2;
const marker: Scratch = (() => {
  const buffer = new ArrayBuffer(16);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
})();
marker.bytes[LENGTH_BYTES] = POSTED;

/** The kind of parcel in which an end crosses. */
export const CONNECTION = "Connection";

/** What an end consists of, to hand to another process. */
export interface EndpointContent {
  /** The id of the roster that both ends are in. */
  program: string;
  self: Ref;
  peer: Ref;
  port: NodePort;
  incoming: SpscQueueShares | undefined;
  outgoing: SpscQueueShares | undefined;
  /** Of the last message posted. */
  number: number;
}

/** What goes through the port. */
interface Posted {
  number: number;
  cargo?: Cargo;
  /** What of the user's moves with it. */
  moved?: readonly object[];
  segment?: SharedArrayBuffer;
}

/** New shared memory of a lane with its eventcounts. */
export function newShares(maxSize: number, maxBytes: number): SpscQueueShares {
  return newSpscQueue(maxSize, maxBytes, HEADER_WORDS);
}

/** The ends in use here: closed when this isolate ends. */
const open = new SafeSet<Endpoint>();

// So that the other ends needn't wait to learn of it.
onExit(() => {
  for (const end of each(listOf(open))) end.close();
});

/** A lane to receive from, with its eventcounts. */
interface Incoming {
  lane: SpscConsumer;
  notEmpty: EventCount;
  notFull: EventCount;
}

/** A lane to send to, with its eventcounts. */
interface Outgoing {
  lane: SpscProducer;
  notEmpty: EventCount;
  notFull: EventCount;
}

/** An end, as the process sees it that has it. */
export class Endpoint {
  readonly #roster: ProcessTable;
  readonly #self: Ref;
  readonly #peer: Ref;
  readonly #port: NodePort;
  readonly #incoming: Incoming | undefined;
  readonly #outgoing: Outgoing | undefined;
  #number: number;
  /** Why it can't be used any more. */
  #gone: string | undefined;
  /** Where it went. */
  #movedHow: string | undefined;
  /** Between its port and its lane: a getter of the message may run there. */
  #isPosting = false;
  /** Called before the first message that may hold objects that are handed over. */
  onFirstPost: (() => void) | undefined;

  constructor(content: EndpointContent) {
    const place = placeIn(content.program);
    if (place === undefined) {
      throw new TypeError("A connection has arrived from a program this worker knows nothing of.");
    }
    this.#roster = place.roster;
    this.#self = content.self;
    this.#peer = content.peer;
    this.#port = content.port;
    this.#number = content.number;
    withoutKill(() => place.roster.reparent(content.self, place.self));
    if (content.incoming !== undefined) this.#incoming = this.#receiving(content.incoming);
    if (content.outgoing !== undefined) this.#outgoing = this.#sending(content.outgoing);
    open.add(this);
  }

  #receiving(shares: SpscQueueShares): Incoming {
    const lane = new SpscConsumer(shares, this.#segments);
    const isReady = () => !lane.isEmpty || this.#isOver(lane);
    return {
      lane,
      notEmpty: new EventCount(lane.header, NOT_EMPTY, isReady),
      notFull: new EventCount(lane.header, NOT_FULL, () => true),
    };
  }

  #sending(shares: SpscQueueShares): Outgoing {
    const lane = new SpscProducer(shares, this.#segments);
    const isReady = () => lane.hasRoom() || lane.isRefused || !this.#roster.isAlive(this.#peer);
    return {
      lane,
      notEmpty: new EventCount(lane.header, NOT_EMPTY, () => true),
      notFull: new EventCount(lane.header, NOT_FULL, isReady),
    };
  }

  readonly #segments: SegmentPost = {
    send: (segment) => {
      const number = this.#nextNumber();
      postAlone(this.#port, { number, segment } satisfies Posted);
      return number;
    },
    receive: (number) => {
      checkStack(STACK_NEEDED);
      return this.#fetch(number).segment!;
    },
  };

  #nextNumber(): number {
    return this.#number = (this.#number + 1) | 0;
  }

  /** What was posted under a number; what comes before it was posted in vain. */
  #fetch(number: number): Posted {
    for (let inVain = 0;; inVain++) {
      checkAttempts(inVain, "pipe");
      const posted = receivePosted(this.#port) as Posted | undefined;
      if (posted === undefined) throw corrupted("pipe");
      if (posted.number === number) return posted;
      dropPosted(posted);
    }
  }

  /** The lane to receive from; throws if there is none, or this end is gone. */
  #receiver(): Incoming {
    this.checkOpen();
    if (this.#incoming !== undefined) return this.#incoming;
    throw new InvalidStateError(
      "This end of a one-way pipe only sends. Receive on the other end, or make a duplex pipe.",
    );
  }

  /** The lane to send to; throws if there is none, or nobody will receive, or this end is gone. */
  #sender(): Outgoing {
    this.checkOpen();
    this.checkNotPosting("another send");
    const outgoing = this.#outgoing;
    if (outgoing === undefined) {
      throw new InvalidStateError(
        "This end of a one-way pipe only receives. Send on the other end, or make a duplex pipe.",
      );
    }
    if (outgoing.lane.hasEnded) {
      throw new InvalidStateError(
        "The writable stream of this connection was closed. Send before that.",
      );
    }
    if (outgoing.lane.isRefused || !this.#roster.isAlive(this.#peer)) {
      throw new BrokenPipeError(
        `Nobody will receive it: ${this.#whyOver(outgoing.lane.isRefused)}. Make a new pipe.`,
      );
    }
    return outgoing;
  }

  /** How it is now, as it is printed. */
  get state(): Record<string, unknown> {
    if (this.#gone !== undefined) {
      return this.#movedHow === undefined
        ? { closed: true }
        : { closed: true, moved: this.#movedHow };
    }
    const received = this.#incoming?.lane, sent = this.#outgoing?.lane;
    return {
      readable: received !== undefined,
      writable: sent !== undefined,
      ...received && { toReceive: received.size },
      ...sent && { sent: sent.size },
      ...!this.#roster.isAlive(this.#peer) && { peerClosed: true },
    };
  }

  /**
   * Why the other end is no partner any more.
   *
   * @param isStreamOver whether a web stream of it was closed or cancelled
   */
  #whyOver(isStreamOver: boolean): string {
    if (isStreamOver && this.#roster.isAlive(this.#peer)) {
      return "the stream at the other end has ended";
    }
    const process = this.#roster.processOf(this.#peer);
    if (process === undefined) return "the other end was closed, or its process has ended";
    const { name, exitCode, isAlive, index } = process;
    if (exitCode !== undefined) {
      const code = exitCode < 0 ? ` (exit code ${exitCode})` : "";
      return `${name}, which had the other end, ${howItEnded(exitCode)}${code}`;
    }
    if (!isAlive) return `${name}, which had the other end, has ended`;
    const isOwn = index === placeIn(this.#roster.id)?.self.index;
    return `the other end was closed${isOwn ? "" : ` by ${name}`}`;
  }

  checkOpen(): void {
    if (this.#gone !== undefined) throw new InvalidStateError(this.#gone);
  }

  /** What a getter of a message might do while the message is being sent. */
  checkNotPosting(what: string): void {
    if (!this.#isPosting) return;
    throw new InvalidStateError(
      `A message is just being sent on this connection, and a getter of it attempts ${what}. Do that afterwards.`,
    );
  }

  get isOpen(): boolean {
    return this.#gone === undefined;
  }

  /** Whether no more will come than what is there. */
  #isOver(lane: SpscConsumer): boolean {
    return lane.hasEnded || lane.isRefused || !this.#roster.isAlive(this.#peer);
  }

  /**
   * Receives a message, when there is one.
   *
   * @param check may refuse it before it is taken
   * @param read makes of it what is answered
   */
  receiving(
    check?: (lane: SpscConsumer) => void,
    read: (lane: SpscConsumer, length: number) => unknown = this.#read,
  ): Operation<unknown> {
    const attempt = () => {
      const { lane, notFull } = this.#receiver();
      if (check !== undefined && !lane.isEmpty) check(lane);
      let length = lane.peek();
      if (length === EMPTY) {
        if (!this.#isOver(lane)) return WAIT;
        length = lane.peek();
        if (length === EMPTY) throw ended(this.#whyOver(lane.hasEnded));
      }
      const message = read(lane, length);
      // Not before it was read: it is still there if the stack was too full for that.
      lane.take(length);
      notFull.notify(1);
      return message;
    };
    return { eventcount: this.#receiver().notEmpty, attempt, onTimeout: throwNothing };
  }

  /** Like receiving(), of what sendBytes() has sent. */
  receivingBytes(most: number): Operation<unknown> {
    return this.receiving((lane) => {
      checkIsBytes(lane);
      const length = lane.peek() - BYTES_AT;
      if (length > most) {
        throw new RangeError(
          `The next message is ${length} bytes long, more than maxLength, ${most}. ` +
            "It is still there: allow more.",
        );
      }
    });
  }

  /**
   * Like receivingBytes(), writes them to a buffer and answers how many there were.
   *
   * @param room where they go, as the buffer is at that time; throws if they can't go there at all
   */
  receivingBytesInto(room: () => Uint8Array): Operation<number> {
    const check = (lane: SpscConsumer) => {
      checkIsBytes(lane);
      room();
    };
    const receiving = this.receiving(check, (lane, length) => {
      const count = length - BYTES_AT, into = room();
      if (count > into.length) return tooShort(into.length, lane.copyBytes(length));
      lane.copyBytesTo(into, length);
      return count;
    });
    const attempt = () => {
      const result = receiving.attempt() as number | BufferTooShort | typeof WAIT;
      if (result instanceof BufferTooShort) throw result;
      return result;
    };
    return { eventcount: receiving.eventcount, attempt, onTimeout: throwNothing };
  }

  readonly #read = (lane: SpscConsumer, length: number): unknown => {
    const kind = lane.peekByte();
    if (kind === BYTES) return lane.copyBytes(length);
    lane.copy(taken);
    if (kind === POSTED) {
      // What was fetched from the port can't be put back.
      checkStack(STACK_NEEDED);
      const cargo = this.#fetch(taken.words[NUMBER_WORD]).cargo!;
      if (isExposed(lane.header.buffer)) exposeAll(cargo.parcels);
      return unpackMessage(cargo);
    }
    const message = decode(taken.bytes, LENGTH_BYTES, length);
    trimTaken();
    return message;
  };

  /** Waits until receiving would not have to wait. */
  get polling(): Operation<boolean> {
    const { lane, notEmpty } = this.#receiver();
    const attempt = () => {
      this.checkOpen();
      return !lane.isEmpty || this.#isOver(lane) || WAIT;
    };
    return { eventcount: notEmpty, attempt, onTimeout: () => false };
  }

  /**
   * Sends a message if there is room and nobody of this process waits to send before it. Otherwise
   * returns the operation that sends it.
   *
   * @param transfer what is to be moved instead of copied, checked
   * @param most the most messages on their way, where that is less than the pipe's own bound
   */
  trySend(
    message: unknown,
    transfer: readonly object[],
    most?: number,
  ): Operation<void> | undefined {
    lookNowAndThen();
    const outgoing = this.#sender();
    const beside = transfer.length === 0 ? ALL_COPIED : { ...ALL_COPIED, moving: setOf(transfer) };
    const encoder = freeEncoder();
    const length = encoder.encode(message, LENGTH_BYTES, "message", beside);
    if (transfer.length > 0 || encoder.hasLeftOut) {
      const captured = capture(encoder, LENGTH_BYTES, length, transfer);
      this.checkOpen(); // a getter of the message may have closed it
      return this.#tryPost(outgoing, captured, most);
    }
    this.checkOpen();
    return this.#tryPut(outgoing, encoder, length, most);
  }

  /** Like trySend(), of bytes as they are. */
  trySendBytes(bytes: Uint8Array): Operation<void> | undefined {
    lookNowAndThen();
    const { lane, notEmpty, notFull } = this.#sender();
    checkLength(lane, LENGTH_BYTES + 1 + bytes.length);
    if (notFull.waiting > 0) notFull.pump();
    if (notFull.waiting === 0 && lane.tryPutBytes(BYTES, bytes) === 1) {
      notEmpty.notify(1);
      return undefined;
    }
    const copy = TypedArrayPrototypeSlice(bytes);
    const attempt = () => {
      const { lane, notEmpty } = this.#sender();
      if (lane.tryPutBytes(BYTES, copy) !== 1) return WAIT;
      notEmpty.notify(1);
    };
    return { eventcount: notFull, attempt, onTimeout: () => throwFull(lane) };
  }

  #tryPut(
    { lane, notEmpty, notFull }: Outgoing,
    encoder: Encoder,
    length: number,
    most?: number,
  ): Operation<void> | undefined {
    try {
      checkLength(lane, length);
    } catch (error) {
      encoder.trim();
      throw error;
    }
    if (notFull.waiting > 0) notFull.pump();
    if (notFull.waiting === 0 && lane.tryPut(encoder, 0, length, most) === 1) {
      encoder.trim();
      notEmpty.notify(1);
      return undefined;
    }
    const bytes = TypedArrayPrototypeSlice(encoder.bytes, 0, (length + 7) & ~7);
    encoder.trim();
    const record = { bytes, words: new Int32Array(bytes.buffer) };
    const attempt = () => {
      this.#sender();
      if (lane.tryPut(record, 0, length, most) !== 1) return WAIT;
      notEmpty.notify(1);
    };
    return { eventcount: notFull, attempt, onTimeout: () => throwFull(lane) };
  }

  #tryPost(
    { lane, notFull }: Outgoing,
    captured: Captured,
    most?: number,
  ): Operation<void> | undefined {
    const { onFirstPost } = this;
    this.onFirstPost = undefined;
    onFirstPost?.();
    const attempt = () => {
      this.#sender();
      if (!lane.hasRoom(MARKER_BYTES >> 2, most)) return WAIT;
      this.#post(captured);
    };
    if (notFull.waiting > 0) notFull.pump();
    if (notFull.waiting === 0) {
      if (attempt() !== WAIT) return undefined;
    }
    // What is wrong with it is said now, not when there is room.
    this.#pack(captured);
    return { eventcount: notFull, attempt, onTimeout: () => throwFull(lane) };
  }

  #pack(captured: Captured): Load {
    const loaded = pack(captured, "message", this.#roster.id);
    for (const parcel of each(loaded.cargo.parcels)) {
      if (parcel.kind === CONNECTION) this.#checkCarries(parcel.content as EndpointContent);
    }
    return loaded;
  }

  #checkCarries({ self }: EndpointContent): void {
    const { 0: isSelf, 1: isPeer } = ArrayPrototypeMap(
      [this.#self, this.#peer],
      (ref) => ref.index === self.index,
    );
    if (isSelf || isPeer) {
      throw new TypeError(
        `The message holds ${isSelf ? "this end" : "the other end"} of the very pipe it is sent ` +
          "through, where nobody could receive it. Send it through another pipe.",
      );
    }
  }

  /** There is room for the marker. */
  #post(captured: Captured): void {
    const { lane, notEmpty } = this.#sender();
    const loaded = this.#pack(captured), { transfer } = captured;
    lane.reserve(MARKER_BYTES);
    this.#isPosting = true;
    try {
      const number = this.#nextNumber();
      const moved = ArrayPrototypeFilter(transfer, (object) => !(object instanceof ArrayBuffer));
      // Whoever gets it through this pipe can hand it on to hostile code, or is that.
      if (isExposed(lane.header.buffer)) exposeAll(loaded.cargo.parcels);
      const posted: Posted = { number, cargo: loaded.cargo, moved };
      post(this.#port, posted, loaded, "message");
      marker.words[NUMBER_WORD] = number;
      const arrives = () => commit(loaded, this.#peer, "sent through a pipe");
      lane.tryPut(marker, 0, MARKER_BYTES, undefined, arrives);
    } finally {
      this.#isPosting = false;
    }
    notEmpty.notify(1);
  }

  /** No more will be sent. */
  finish(): void {
    if (this.#gone !== undefined || this.#outgoing === undefined) return;
    this.#outgoing.lane.end();
    this.#outgoing.notEmpty.notify(Infinity);
    this.#outgoing.notFull.pump();
  }

  /** No more will be received. */
  refuse(): void {
    if (this.#gone !== undefined || this.#incoming === undefined) return;
    this.#incoming.lane.refuse();
    this.#incoming.notFull.notify(Infinity);
    this.#incoming.notEmpty.pump();
  }

  close(): void {
    if (this.#gone !== undefined) return;
    this.checkNotPosting("close()");
    this.#roster.remove(this.#self);
    this.#leave("This connection was closed. Use it before close(), or make a new pipe.");
    for (let posted, left = MAX_POSTED; left > 0; left--) {
      posted = receivePosted(this.#port);
      if (posted === undefined) break;
      dropPosted(posted as Posted);
    }
    closeQuietly(this.#port);
    this.#incoming?.notFull.notify(Infinity);
    this.#outgoing?.notEmpty.notify(Infinity);
    this.#pump();
  }

  #leave(why: string): void {
    this.#gone = why;
    open.delete(this);
  }

  /** Those who wait here learn that it is gone. */
  #pump(): void {
    this.#incoming?.notEmpty.pump();
    this.#outgoing?.notFull.pump();
  }

  /** What crosses in its place. */
  get parcel(): Serialized {
    this.checkOpen();
    this.checkNotPosting("handing it over");
    const content: EndpointContent = {
      program: this.#roster.id,
      self: this.#self,
      peer: this.#peer,
      port: this.#port,
      incoming: this.#incoming?.lane.shares,
      outgoing: this.#outgoing?.lane.shares,
      number: this.#number,
    };
    return { kind: CONNECTION, content, ports: [this.#port], program: this.#roster.id };
  }

  /** It is somebody else's now; in a critical section. */
  moved(owner: Ref, how: string): void {
    this.#roster.reparent(this.#self, owner);
    this.#movedHow = how;
    this.#leave(
      `This connection was ${how}, and can only be used there. Use its other end, or another pipe.`,
    );
    queueMicrotask(() => this.#pump());
  }

  /** What is in the lanes now. */
  get statistics(): { received?: SpscConsumer; sent?: SpscProducer; waiting: number } {
    return {
      received: this.#incoming?.lane,
      sent: this.#outgoing?.lane,
      waiting: (this.#incoming?.notEmpty.waiting ?? 0) + (this.#outgoing?.notFull.waiting ?? 0),
    };
  }
}

/** What goes beside the bytes of a message: what must. */
const ALL_COPIED: Beside = { moving: new SafeSet(), largestBuffer: Infinity };

/** Sends between two looks at what the event loop would do: a loop of them keeps it from its turn. */
const LOOK_EVERY = 1024;
let sends = 0;

function lookNowAndThen(): void {
  if (++sends % LOOK_EVERY === 0) doChores();
}

/** A sealed process has no global of that name. */
const WebPort = MessagePort;

/** Nobody goes on to read what another posts without end. */
const MAX_POSTED = 100_000;

/** Calls that receiving what was posted takes at most, one in the other. */
const STACK_NEEDED = 200;

/** Ends what nobody will receive. */
function dropPosted({ cargo, moved = [] }: Posted): void {
  if (cargo !== undefined) discardMessage(cargo);
  const ignore = () => {};
  for (const object of each(moved)) {
    if (object instanceof WebPort) object.close();
    else if (object instanceof ReadableStream) {
      PromisePrototypeThen(object.cancel(), undefined, ignore);
    } else if (object instanceof WritableStream) {
      PromisePrototypeThen(object.abort(), undefined, ignore);
    } else if (object instanceof TransformStream) {
      PromisePrototypeThen(object.readable.cancel(), undefined, ignore);
      PromisePrototypeThen(object.writable.abort(), undefined, ignore);
    }
  }
}

function checkIsBytes(lane: SpscConsumer): void {
  if (lane.peekByte() === BYTES) return;
  throw new TypeError("The next message is not bytes: send() has sent it. Receive it with recv().");
}

function tooShort(room: number, bytes: Uint8Array<ArrayBuffer>): BufferTooShort {
  return new BufferTooShort(
    `The message is ${bytes.length} bytes long, and the buffer has room for ${room}. ` +
      "It is in this error's bytes; give a larger buffer, or call recvBytes().",
    bytes,
  );
}

function ended(why: string): EOFError {
  return new EOFError(`Nothing more will come: ${why}, and all it sent was received.`);
}

function throwNothing(): never {
  throw new TimeoutError("No message came in time. Wait longer, or see that one is sent.");
}

function checkLength(lane: SpscProducer, length: number): void {
  if (length - LENGTH_BYTES <= lane.maxBytes) return;
  throw new RangeError(
    `The message takes ${length - LENGTH_BYTES} bytes, more than the pipe's maxBytes of ` +
      `${lane.maxBytes}. Make a pipe with a larger maxBytes, send it in parts, or transfer ` +
      "its buffers.",
  );
}

function throwFull(lane: SpscProducer): never {
  const bound = lane.maxSize > 0 && lane.size >= lane.maxSize
    ? `its maxSize is ${lane.maxSize}`
    : lane.hasRoom()
    ? "other sends wait before this one"
    : `its maxBytes is ${lane.maxBytes}`;
  throw new TimeoutError(
    `The pipe is full: ${bound}. The message was not sent; wait longer, or see that messages are received.`,
  );
}
