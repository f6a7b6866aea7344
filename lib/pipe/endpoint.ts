// One end of a pipe: an SPSC queue in, an SPSC queue out (shm/spsc_queue.ts), and a port. Messages lie in the
// SPSC queues, in shared memory, as bytes; what can't be bytes (buffers that are moved, shared memory,
// objects that are handed over) and the queues' new segments go through the port, and a marker in the queue
// says when it is their turn. The port is never started: it is only read from, with receiveMessageOnPort,
// where a marker says that a message is there. So all that decides is in the SPSC queue, and a blocked thread
// sees it too.
//
// Whether the other end is alive stands in the process table (lib/liveness/process_table.ts). The order
// matters: a receiver that finds the SPSC queue empty looks whether the other end is alive, and if it isn't,
// at the queue again.

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
  commit,
  discardMessage,
  isMessage,
  type Message,
  pack,
  type PackedMessage,
  post,
  postAlone,
  receivePosted,
  unpackMessage,
} from "../transfer/message.ts";
import { decode } from "../codec/decode.ts";
import { type Beside, type Encoder, freeEncoder } from "../codec/encode.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { exposeAll, type Serialized } from "../transfer/transferable.ts";
import { corrupted } from "../validate/corruption.ts";
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
import { RECV as RECEIVED, SEND as SENT } from "../liveness/event_rings.ts";
import { placeIn } from "../liveness/membership.ts";
import type { ProcessTable, Ref } from "../liveness/process_table.ts";
import { recorder } from "../liveness/recorder.ts";
import { LENGTH_BYTES, type Scratch, taken, trimTaken } from "../shm/scratch.ts";
import { checkStack } from "../liveness/stack_guard.ts";
import { closeQuietly } from "../platform/ports.ts";
import { PipeSubject } from "./pipe_subject.ts";
import { CONNECTION as CONNECTION_KIND, POLL, RECV, SEND } from "../wait/subject.ts";
import { doChores, EventCount, EVENTCOUNT_WORDS, WAIT } from "../wait/eventcount.ts";
import type { Operation } from "../wait/operation.ts";
import * as primordials from "../platform/primordials.ts";

const {
  Array,
  ArrayBuffer,
  ArrayBufferPrototypeSlice,
  ArrayPrototypeConcat,
  ArrayPrototypeFilter,
  ArrayPrototypeIncludes,
  ArrayPrototypeMap,
  ArrayPrototypePush,
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

/** The positions of the eventcounts in an SPSC queue's header: each on a cache line of its own. */
const NOT_EMPTY = SPSC_QUEUE_WORDS, NOT_FULL = SPSC_QUEUE_WORDS + 16;
const HEADER_WORDS = NOT_FULL + EVENTCOUNT_WORDS;

// The kind of a record, by the first byte after its length: 0 and 1 begin a record that the codec wrote.
const BYTES = 2, POSTED = 3;
/** The position of the bytes in a record of BYTES. */
const BYTES_AT = 8;
/** The most messages in a row that were posted in vain: more than as many processes that ended as they sent. */
const MOST_IN_VAIN = 1000;
/** A marker: the length, POSTED, the number of what was posted. */
const MARKER_BYTES = 12, NUMBER_WORD = 2;
const marker: Scratch = (() => {
  const buffer = new ArrayBuffer(16);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
})();
marker.bytes[LENGTH_BYTES] = POSTED;

/** Numbers the directions of a pipe. */
function numberOf(...sides: readonly ({ subject: PipeSubject } | undefined)[]): void {
  for (const side of each(sides)) side?.subject.number;
}

/** The kind under which an end is serialized. */
export const CONNECTION = "Connection";

/** The parts of an end that are handed to another process. */
export interface EndpointContent {
  /** The id of the process table that both ends are in. */
  program: string;
  self: Ref;
  peer: Ref;
  port: NodePort;
  incoming: SpscQueueShares | undefined;
  outgoing: SpscQueueShares | undefined;
  /** The number of the last message posted. */
  number: number;
}

/** A message that goes through the port. */
interface Posted {
  number: number;
  message?: Message;
  /** The user's objects that move with it. */
  moved?: readonly object[];
  segment?: SharedArrayBuffer;
}

/** New shared memory of an SPSC queue with its eventcounts. */
export function newShares(maxSize: number, maxBytes: number): SpscQueueShares {
  return newSpscQueue(maxSize, maxBytes, HEADER_WORDS);
}

/** The ends in use here: closed when this isolate ends. */
const open = new SafeSet<Endpoint>();

// The ends are closed here so that the other ends needn't wait to learn of it.
onExit(() => {
  for (const end of each(listOf(open))) end.close();
});

/** An SPSC queue to receive from, with its eventcounts. */
interface Incoming {
  queue: SpscConsumer;
  notEmpty: EventCount;
  notFull: EventCount;
  subject: PipeSubject;
}

/** An SPSC queue to send to, with its eventcounts. */
interface Outgoing {
  queue: SpscProducer;
  notEmpty: EventCount;
  notFull: EventCount;
  subject: PipeSubject;
}

/** An end, as seen by the process that has it. */
export class Endpoint {
  readonly #processTable: ProcessTable;
  readonly #self: Ref;
  readonly #peer: Ref;
  readonly #port: NodePort;
  readonly #incoming: Incoming | undefined;
  readonly #outgoing: Outgoing | undefined;
  #number: number;
  /** Why this end can't be used any more. */
  #gone: string | undefined;
  /** How this end has moved, if it has. */
  #movedHow: string | undefined;
  /** Whether a message is between the port and the SPSC queue: a getter of the message may run then. */
  #isPosting = false;
  /** Called before the first message that may hold objects that are handed over. */
  onFirstPost: (() => void) | undefined;
  #isCorked = false;
  /** Whether messages were sent that the receiver was not woken for. */
  #owesWake = false;
  /**
   * Buffers of more bytes are copied once and posted, instead of being copied into shared memory and out of it. The
   * pipe's maxBytes doesn't count them.
   */
  largestBuffer = Infinity;
  /** Whether messages are recorded where the program is traced. */
  #isRecorded = true;

  constructor(content: EndpointContent) {
    const place = placeIn(content.program);
    if (place === undefined) {
      throw new TypeError("A connection has arrived from a program this worker knows nothing of.");
    }
    this.#processTable = place.processTable;
    this.#self = content.self;
    this.#peer = content.peer;
    this.#port = content.port;
    this.#number = content.number;
    withoutKill(() => place.processTable.reparent(content.self, place.self));
    if (content.incoming !== undefined) this.#incoming = this.#receiving(content.incoming);
    if (content.outgoing !== undefined) this.#outgoing = this.#sending(content.outgoing);
    open.add(this);
  }

  #receiving(shares: SpscQueueShares): Incoming {
    const queue = new SpscConsumer(shares, this.#segments);
    const isReady = () => !queue.isEmpty || this.#isOver(queue);
    return {
      queue,
      notEmpty: new EventCount(queue.header, NOT_EMPTY, isReady),
      notFull: new EventCount(queue.header, NOT_FULL, () => true),
      subject: new PipeSubject(queue, this.#processTable, this.#peer),
    };
  }

  #sending(shares: SpscQueueShares): Outgoing {
    const queue = new SpscProducer(shares, this.#segments);
    const isReady = () =>
      queue.hasRoom() || queue.isRefused || !this.#processTable.isAlive(this.#peer);
    return {
      queue,
      notEmpty: new EventCount(queue.header, NOT_EMPTY, () => true),
      notFull: new EventCount(queue.header, NOT_FULL, isReady),
      subject: new PipeSubject(queue, this.#processTable, this.#peer),
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

  /** The message that was posted under a number; messages before it were posted in vain. */
  #fetch(number: number): Posted {
    for (let inVain = 0;; inVain++) {
      if (inVain > MOST_IN_VAIN) throw corrupted("pipe");
      const posted = receivePosted(this.#port) as Posted | undefined;
      if (typeof posted !== "object" || posted === null) throw corrupted("pipe");
      if (posted.number === number) return posted;
      dropPosted(posted);
    }
  }

  /** The SPSC queue to receive from; throws if there is none, or this end is gone. */
  #receiver(): Incoming {
    this.checkOpen();
    if (this.#incoming !== undefined) return this.#incoming;
    throw new InvalidStateError(
      "This end of a one-way pipe only sends. Receive on the other end, or make a duplex pipe.",
    );
  }

  /** The SPSC queue to send to; throws if there is none, or no process will receive, or this end is gone. */
  #sender(): Outgoing {
    this.checkOpen();
    this.checkNotPosting("another send");
    const outgoing = this.#outgoing;
    if (outgoing === undefined) {
      throw new InvalidStateError(
        "This end of a one-way pipe only receives. Send on the other end, or make a duplex pipe.",
      );
    }
    if (outgoing.queue.hasEnded) {
      throw new InvalidStateError(
        "The writable stream of this connection was closed. Send before that.",
      );
    }
    if (outgoing.queue.isRefused || !this.#processTable.isAlive(this.#peer)) {
      throw new BrokenPipeError(
        `Nobody will receive it: ${this.#whyOver(outgoing.queue.isRefused)}. Make a new pipe.`,
      );
    }
    return outgoing;
  }

  /** The state as it is printed. */
  get state(): Record<string, unknown> {
    if (this.#gone !== undefined) {
      return this.#movedHow === undefined
        ? { closed: true }
        : { closed: true, moved: this.#movedHow };
    }
    const received = this.#incoming?.queue, sent = this.#outgoing?.queue;
    return {
      readable: received !== undefined,
      writable: sent !== undefined,
      ...received && { toReceive: received.size },
      ...sent && { sent: sent.size },
      ...!this.#processTable.isAlive(this.#peer) && { peerClosed: true },
    };
  }

  /**
   * Why the other end can't be sent to or received from any more.
   *
   * @param isStreamOver whether a web stream of the other end was closed or cancelled
   */
  #whyOver(isStreamOver: boolean): string {
    if (isStreamOver && this.#processTable.isAlive(this.#peer)) {
      return "the stream at the other end has ended";
    }
    const process = this.#processTable.processOf(this.#peer);
    if (process === undefined) return "the other end was closed, or its process has ended";
    const { name, exitCode, isAlive, index } = process;
    if (exitCode !== undefined) {
      const code = exitCode < 0 ? ` (exit code ${exitCode})` : "";
      return `${name}, which had the other end, ${howItEnded(exitCode)}${code}`;
    }
    if (!isAlive) return `${name}, which had the other end, has ended`;
    const isOwn = index === placeIn(this.#processTable.id)?.self.index;
    return `the other end was closed${isOwn ? "" : ` by ${name}`}`;
  }

  checkOpen(): void {
    if (this.#gone !== undefined) throw new InvalidStateError(this.#gone);
  }

  /** Refuses what a getter of a message might do while the message is being sent. */
  checkNotPosting(what: string): void {
    if (!this.#isPosting) return;
    throw new InvalidStateError(
      `A message is just being sent on this connection, and a getter of it attempts ${what}. Do that afterwards.`,
    );
  }

  get isOpen(): boolean {
    return this.#gone === undefined;
  }

  /** Whether no messages will come beside those that are there. */
  #isOver(queue: SpscConsumer): boolean {
    return queue.hasEnded || queue.isRefused || !this.#processTable.isAlive(this.#peer);
  }

  /**
   * Receives a message, when there is one.
   *
   * @param check may refuse the message before it is taken
   * @param read makes the answer from the message
   */
  receiving(
    check?: (queue: SpscConsumer) => void,
    read: (queue: SpscConsumer, length: number) => unknown = this.#read,
  ): Operation<unknown> {
    const attempt = () => {
      const { queue, notFull, subject } = this.#receiver();
      if (check !== undefined && !queue.isEmpty) check(queue);
      let length = queue.peek();
      if (length === EMPTY) {
        if (!this.#isOver(queue)) return WAIT;
        length = queue.peek();
        if (length === EMPTY) throw ended(this.#whyOver(queue.hasEnded));
      }
      const message = read(queue, length);
      // The message is taken only after it was read: it is still there if the stack was too full for that.
      queue.take(length);
      if (recorder !== undefined) this.#record(RECEIVED, subject, queue.last);
      notFull.notify(1);
      return message;
    };
    const { notEmpty, subject } = this.#receiver();
    return { eventcount: notEmpty, attempt, onTimeout: throwNothing, subject, verb: RECV };
  }

  /** Like receiving(), for messages that sendBytes() has sent. */
  receivingBytes(most: number): Operation<unknown> {
    return this.receiving((queue) => {
      checkIsBytes(queue);
      const length = queue.peek() - BYTES_AT;
      if (length > most) {
        throw new RangeError(
          `The next message is ${length} bytes long, more than maxLength, ${most}. ` +
            "It is still there: allow more.",
        );
      }
    });
  }

  /**
   * Like receivingBytes(), but writes the bytes to a buffer and answers how many there were.
   *
   * @param room the place of the bytes, as the buffer is at that time; throws if there can be none
   */
  receivingBytesInto(room: () => Uint8Array): Operation<number> {
    const check = (queue: SpscConsumer) => {
      checkIsBytes(queue);
      room();
    };
    const receiving = this.receiving(check, (queue, length) => {
      const count = length - BYTES_AT, into = room();
      if (count > into.length) return tooShort(into.length, queue.copyBytes(length));
      queue.copyBytesTo(into, length);
      return count;
    });
    const attempt = () => {
      const result = receiving.attempt() as number | BufferTooShort | typeof WAIT;
      if (result instanceof BufferTooShort) throw result;
      return result;
    };
    return { ...receiving, attempt, onTimeout: throwNothing };
  }

  readonly #read = (queue: SpscConsumer, length: number): unknown => {
    const kind = queue.peekByte();
    if (kind === BYTES) return queue.copyBytes(length);
    queue.copy(taken);
    if (kind === POSTED) {
      // A message that was fetched from the port can't be put back.
      checkStack(STACK_NEEDED);
      const message = this.#fetch(taken.words[NUMBER_WORD]).message!;
      if (isExposed(queue.header.buffer) && isMessage(message)) exposeAll(message.serialized);
      return unpackMessage(message);
    }
    const message = decode(taken.bytes, LENGTH_BYTES, length);
    trimTaken();
    return message;
  };

  /** Waits until receiving would not have to wait. */
  get polling(): Operation<boolean> {
    const { queue, notEmpty, subject } = this.#receiver();
    const attempt = () => {
      this.checkOpen();
      return !queue.isEmpty || this.#isOver(queue) || WAIT;
    };
    return { eventcount: notEmpty, attempt, onTimeout: () => false, subject, verb: POLL };
  }

  /**
   * Sends a message if there is room and no task of this process waits to send before it. Otherwise returns
   * the operation that sends it.
   *
   * @param transfer the objects to be moved instead of copied, checked
   * @param most the most messages on their way, where that is less than the pipe's own bound
   */
  trySend(
    message: unknown,
    transfer: readonly object[],
    most?: number,
  ): Operation<void> | undefined {
    lookNowAndThen();
    const outgoing = this.#sender();
    const { largestBuffer } = this;
    const beside = transfer.length === 0 && largestBuffer === Infinity
      ? ALL_COPIED
      : { moving: transfer.length === 0 ? NOTHING : setOf(transfer), largestBuffer };
    const encoder = freeEncoder();
    const length = encoder.encode(message, LENGTH_BYTES, "message", beside);
    if (transfer.length > 0 || encoder.hasLeftOut) {
      const captured = copyLarge(capture(encoder, LENGTH_BYTES, length, transfer));
      this.checkOpen(); // a getter of the message may have closed it
      return this.#tryPost(outgoing, captured, most);
    }
    this.checkOpen();
    return this.#tryPut(outgoing, encoder, length, most);
  }

  /** Called for pipes of pools: where the program is traced, their tasks are recorded, and not what is sent. */
  beInternal(): void {
    this.#isRecorded = false;
    for (const side of each([this.#incoming, this.#outgoing])) {
      if (side !== undefined) side.subject.isInternal = true;
    }
  }

  /** From now on a message that has been sent wakes the receiver only at uncork(): one wake-up for many messages. */
  cork(): void {
    this.#isCorked = true;
  }

  /** Ends what cork() began, and wakes the receiver for messages that were sent since; false if it wasn't corked. */
  uncork(): boolean {
    if (!this.#isCorked) return false;
    this.#isCorked = false;
    if (this.#owesWake) this.#outgoing?.notEmpty.notify(1);
    this.#owesWake = false;
    return true;
  }

  /** Like trySend(), for bytes as they are. */
  trySendBytes(bytes: Uint8Array): Operation<void> | undefined {
    lookNowAndThen();
    const { queue, notEmpty, notFull } = this.#sender();
    checkLength(queue, LENGTH_BYTES + 1 + bytes.length);
    if (notFull.waiting > 0) notFull.pump();
    if (notFull.waiting === 0 && queue.tryPutBytes(BYTES, bytes) === 1) {
      if (recorder !== undefined) this.#recordSent();
      notEmpty.notify(1);
      return undefined;
    }
    const copy = TypedArrayPrototypeSlice(bytes);
    const attempt = () => {
      const { queue, notEmpty } = this.#sender();
      if (queue.tryPutBytes(BYTES, copy) !== 1) return WAIT;
      if (recorder !== undefined) this.#recordSent();
      notEmpty.notify(1);
    };
    return {
      eventcount: notFull,
      attempt,
      onTimeout: () => throwFull(queue),
      subject: this.#outgoing?.subject,
      verb: SEND,
    };
  }

  #tryPut(
    { queue, notEmpty, notFull }: Outgoing,
    encoder: Encoder,
    length: number,
    most?: number,
  ): Operation<void> | undefined {
    try {
      checkLength(queue, length);
    } catch (error) {
      encoder.trim();
      throw error;
    }
    if (notFull.waiting > 0) notFull.pump();
    if (notFull.waiting === 0 && queue.tryPut(encoder, 0, length, most) === 1) {
      encoder.trim();
      if (recorder !== undefined) this.#recordSent();
      if (this.#isCorked) this.#owesWake = true;
      else notEmpty.notify(1);
      return undefined;
    }
    const bytes = TypedArrayPrototypeSlice(encoder.bytes, 0, (length + 7) & ~7);
    encoder.trim();
    const record = { bytes, words: new Int32Array(bytes.buffer) };
    const attempt = () => {
      this.#sender();
      if (queue.tryPut(record, 0, length, most) !== 1) return WAIT;
      if (recorder !== undefined) this.#recordSent();
      notEmpty.notify(1);
    };
    return {
      eventcount: notFull,
      attempt,
      onTimeout: () => throwFull(queue),
      subject: this.#outgoing?.subject,
      verb: SEND,
    };
  }

  #tryPost(
    { queue, notFull }: Outgoing,
    captured: Captured,
    most?: number,
  ): Operation<void> | undefined {
    const { onFirstPost } = this;
    this.onFirstPost = undefined;
    onFirstPost?.();
    const attempt = () => {
      this.#sender();
      if (!queue.hasRoom(MARKER_BYTES >> 2, most)) return WAIT;
      this.#post(captured);
    };
    if (notFull.waiting > 0) notFull.pump();
    if (notFull.waiting === 0) {
      if (attempt() !== WAIT) return undefined;
    }
    // A fault of the message is reported now, not when there is room.
    this.#pack(captured);
    return {
      eventcount: notFull,
      attempt,
      onTimeout: () => throwFull(queue),
      subject: this.#outgoing?.subject,
      verb: SEND,
    };
  }

  #pack(captured: Captured): PackedMessage {
    const packed = pack(captured, "message", this.#processTable.id);
    for (const object of each(packed.message.serialized)) {
      if (object.kind === CONNECTION) this.#checkCarries(object.content as EndpointContent);
    }
    return packed;
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

  /** Posts a message and puts its marker, for which there is room. */
  #post(captured: Captured): void {
    const { queue, notEmpty } = this.#sender();
    const packed = this.#pack(captured), { transfer } = captured;
    queue.reserve(MARKER_BYTES);
    this.#isPosting = true;
    try {
      const number = this.#nextNumber();
      const moved = ArrayPrototypeFilter(transfer, (object) => !(object instanceof ArrayBuffer));
      // The receiver of this pipe may be hostile code, or hand the message on to such.
      if (isExposed(queue.header.buffer)) exposeAll(packed.message.serialized);
      const posted: Posted = { number, message: packed.message, moved };
      post(this.#port, posted, packed, "message");
      marker.words[NUMBER_WORD] = number;
      const arrives = () => commit(packed, this.#peer, "sent through a pipe");
      queue.tryPut(marker, 0, MARKER_BYTES, undefined, arrives);
    } finally {
      this.#isPosting = false;
    }
    if (recorder !== undefined) this.#recordSent();
    notEmpty.notify(1);
  }

  #record(type: number, subject: PipeSubject, position: number): void {
    if (this.#isRecorded) recorder?.items(type, CONNECTION_KIND, subject.number, position, 1);
  }

  #recordSent(): void {
    const { subject, queue } = this.#outgoing!;
    this.#record(SENT, subject, queue.last);
  }

  /** Ends sending: no more messages will be sent from this end. */
  finish(): void {
    if (this.#gone !== undefined || this.#outgoing === undefined) return;
    this.#outgoing.queue.end();
    this.#outgoing.notEmpty.notify(Infinity);
    this.#outgoing.notFull.pump();
  }

  /** Ends receiving: no more messages will be received at this end. */
  refuse(): void {
    if (this.#gone !== undefined || this.#incoming === undefined) return;
    this.#incoming.queue.refuse();
    this.#incoming.notFull.notify(Infinity);
    this.#incoming.notEmpty.pump();
  }

  close(): void {
    if (this.#gone !== undefined) return;
    this.checkNotPosting("close()");
    this.#processTable.remove(this.#self);
    this.#leave("This connection was closed. Use it before close(), or make a new pipe.");
    for (let posted, left = MAX_POSTED; left > 0; left--) {
      posted = receivePosted(this.#port);
      if (posted === undefined) break;
      if (typeof posted === "object" && posted !== null) dropPosted(posted as Posted);
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

  /** Lets tasks that wait here learn that this end is gone. */
  #pump(): void {
    this.#incoming?.notEmpty.pump();
    this.#outgoing?.notFull.pump();
  }

  /** The serialized form of this end. */
  get serialized(): Serialized {
    this.checkOpen();
    this.checkNotPosting("handing it over");
    // A process with permissions of its own can't number it.
    if (recorder !== undefined) numberOf(this.#incoming, this.#outgoing);
    const content: EndpointContent = {
      program: this.#processTable.id,
      self: this.#self,
      peer: this.#peer,
      port: this.#port,
      incoming: this.#incoming?.queue.shares,
      outgoing: this.#outgoing?.queue.shares,
      number: this.#number,
    };
    return { kind: CONNECTION, content, ports: [this.#port], program: this.#processTable.id };
  }

  /** Gives this end to another owner; called in a critical section. */
  moved(owner: Ref, how: string): void {
    this.#processTable.reparent(this.#self, owner);
    this.#movedHow = how;
    this.#leave(
      `This connection was ${how}, and can only be used there. Use its other end, or another pipe.`,
    );
    queueMicrotask(() => this.#pump());
  }

  /** The SPSC queues of this end, and the number of tasks that wait at it. */
  get statistics(): { received?: SpscConsumer; sent?: SpscProducer; waiting: number } {
    return {
      received: this.#incoming?.queue,
      sent: this.#outgoing?.queue,
      waiting: (this.#incoming?.notEmpty.waiting ?? 0) + (this.#outgoing?.notFull.waiting ?? 0),
    };
  }
}

/** What goes beside the bytes of a message: only what can't be bytes. */
const NOTHING: ReadonlySet<object> = new SafeSet<object>();
const ALL_COPIED: Beside = { moving: NOTHING, largestBuffer: Infinity };

/**
 * Copies the buffers that are posted for their size, and moves the copies: for 1 MiB that takes a third of the
 * time that a clone takes in Deno 2.9.6. A clone keeps a resizable buffer resizable.
 */
function copyLarge(captured: Captured): Captured {
  const copies: ArrayBuffer[] = [];
  const posted = ArrayPrototypeMap(captured.posted, (object) => {
    if (!(object instanceof ArrayBuffer) || object.resizable) return object;
    if (ArrayPrototypeIncludes(captured.transfer, object)) return object;
    const copy = ArrayBufferPrototypeSlice(object, 0);
    ArrayPrototypePush(copies, copy);
    return copy;
  });
  if (copies.length === 0) return captured;
  return { ...captured, posted, transfer: ArrayPrototypeConcat<object>(captured.transfer, copies) };
}

/** Sends after which the chores of the event loop are done: a loop of sends keeps it from its turn. */
const LOOK_EVERY = 1024;
let sends = 0;

function lookNowAndThen(): void {
  if (++sends % LOOK_EVERY === 0) doChores();
}

/** A sealed process has no global of that name. */
const WebPort = MessagePort;

/** The most posted messages that close() reads: another process may post without end. */
const MAX_POSTED = 100_000;

/** The most nested calls that receiving a posted message takes. */
const STACK_NEEDED = 200;

/** Discards a posted message that will not be received: ends the ports and streams in it. */
function dropPosted({ message, moved = [] }: Posted): void {
  discardMessage(message);
  // Hostile code may have posted anything, also a list without an end.
  if (!Array.isArray(moved)) return;
  const ignore = () => {};
  for (const object of each(moved)) {
    if (typeof object !== "object") return;
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

function checkIsBytes(queue: SpscConsumer): void {
  if (queue.peekByte() === BYTES) return;
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

function checkLength(queue: SpscProducer, length: number): void {
  if (length - LENGTH_BYTES <= queue.maxBytes) return;
  throw new RangeError(
    `The message takes ${length - LENGTH_BYTES} bytes, more than the pipe's maxBytes of ` +
      `${queue.maxBytes}. Make a pipe with a larger maxBytes, send it in parts, or transfer ` +
      "its buffers.",
  );
}

function throwFull(queue: SpscProducer): never {
  const bound = queue.maxSize > 0 && queue.size >= queue.maxSize
    ? `its maxSize is ${queue.maxSize}`
    : queue.hasRoom()
    ? "other sends wait before this one"
    : `its maxBytes is ${queue.maxBytes}`;
  throw new TimeoutError(
    `The pipe is full: ${bound}. The message was not sent; wait longer, or see that messages are received.`,
  );
}
