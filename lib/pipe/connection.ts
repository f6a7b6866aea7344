// Connection: the public faces of an end of a pipe (lib/pipe/endpoint.ts).

import { EOFError } from "../errors.ts";
import { checkNames, option } from "../validate/options.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import {
  cannotClone,
  constructFrom,
  moved,
  receivedParts,
  registerTransferable,
  serialize,
  type Serialized,
} from "../transfer/transferable.ts";
import type { Ref } from "../liveness/process_table.ts";
import { blocking, done, eventually, now, type Operation } from "../wait/operation.ts";
import { type BlockOptions, signalOf, timeoutOf, type WaitOptions } from "../wait/options.ts";
import { type Readiness, readiness } from "../wait/waitable.ts";
import { sourceOf } from "../wait/source.ts";
import { iterate, readableOf, type Source, writableOf } from "../wait/streams.ts";
import { CONNECTION, Endpoint, type EndpointContent } from "./endpoint.ts";
import { checkBytes, checkMaxLength, checkRoom, checkTransfer } from "./message_input.ts";
import { type ConnectionMessage, contentOf, messageOf } from "./foreign_worker.ts";
import * as primordials from "../platform/primordials.ts";

const {
  FinalizationRegistry,
  FinalizationRegistryPrototypeRegister,
  FinalizationRegistryPrototypeUnregister,
  TypeError,
} = primordials;

/**
 * Options of a send: how long to wait for room, and what to move instead of copying it.
 *
 * @example
 * ```ts
 * import { Pipe, type SendOptions } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe<Uint8Array>();
 * const bytes = new Uint8Array(1000);
 * const options: SendOptions = { transfer: [bytes.buffer], timeout: 100 };
 * await here.send(bytes, options);
 * console.log(bytes.length); // 0
 * console.log((await there.recv()).length); // 1000
 * ```
 */
export interface SendOptions extends WaitOptions {
  /**
   * The objects that are moved to the other side instead of being copied: ArrayBuffers (in no time, however
   * large), MessagePorts, web streams. They can't be used here any more once they were sent.
   */
  transfer?: Transferable[];
}

/**
 * As {@linkcode SendOptions}, for a send that doesn't wait.
 *
 * @example
 * ```ts
 * import { Pipe, type SendNowaitOptions } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe<ArrayBuffer>();
 * const buffer = new ArrayBuffer(1000);
 * const options: SendNowaitOptions = { transfer: [buffer] };
 * here.sendNowait(buffer, options);
 * console.log(there.recvNowait().byteLength); // 1000
 * ```
 */
export interface SendNowaitOptions {
  /** The objects that are moved to the other side instead of being copied. */
  transfer?: Transferable[];
}

/**
 * As {@linkcode SendOptions}, for a send that blocks the thread.
 *
 * @example
 * ```ts
 * import { Pipe, type SendSyncOptions } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe<ArrayBuffer>();
 * const buffer = new ArrayBuffer(1000);
 * const options: SendSyncOptions = { transfer: [buffer], timeout: 100 };
 * here.sendSync(buffer, options);
 * console.log(there.recvSync().byteLength); // 1000
 * ```
 */
export interface SendSyncOptions extends BlockOptions {
  /** The objects that are moved to the other side instead of being copied. */
  transfer?: Transferable[];
}

/**
 * How long a message of bytes may be. Python's `maxlength`.
 *
 * @example
 * ```ts
 * import { type MaxLengthOption, Pipe } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe();
 * await here.sendBytes(new Uint8Array(1000));
 * const limit: MaxLengthOption = { maxLength: 100 };
 * await there.recvBytes(limit).catch((error) => console.log(error.name)); // RangeError
 * console.log((await there.recvBytes()).length); // 1000
 * ```
 */
export interface MaxLengthOption {
  /**
   * The most bytes to accept, from 0 up; a longer message stays where it is. Default: no bound.
   */
  maxLength?: number;
}

/**
 * Which bytes to send. Python's `offset` and `size`.
 *
 * @example
 * ```ts
 * import { Pipe, type SendBytesOptions } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe();
 * const middle: SendBytesOptions = { offset: 1, size: 2 };
 * await here.sendBytes(Uint8Array.of(1, 2, 3, 4), middle);
 * console.log((await there.recvBytes()).join()); // 2,3
 * ```
 */
export interface SendBytesOptions {
  /** The first byte to send, of the buffer or of what a view shows; from 0, the default, to its length. */
  offset?: number;
  /** How many bytes to send; by default all from `offset` on. */
  size?: number;
}

/** A call with right options, for messages. */
const SEND_BYTES = "sendBytes(bytes, { offset: 8, size: 4 })";

/**
 * Where in the buffer a message of bytes goes. Python's `offset`.
 *
 * @example
 * ```ts
 * import { type OffsetOption, Pipe } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe();
 * await here.sendBytes(Uint8Array.of(1, 2));
 * const bytes = new Uint8Array(4), place: OffsetOption = { offset: 1 };
 * console.log(await there.recvBytesInto(bytes, place), bytes.join()); // 2 0,1,2,0
 * ```
 */
export interface OffsetOption {
  /** The byte of the buffer, or of what a view shows, to begin at; from 0, the default, to its length. */
  offset?: number;
}

/**
 * The statistics of a {@linkcode Connection}: the answer of {@linkcode Connection.statistics}.
 *
 * @example
 * ```ts
 * import { type ConnectionStatistics, Pipe } from "@multiproc/multiprocessing";
 *
 * const [here, there] = Pipe<string>();
 * await here.send("one");
 * await here.send("two");
 * const { toReceive, sent }: ConnectionStatistics = there.statistics();
 * console.log(toReceive, sent); // 2 0
 * ```
 */
export interface ConnectionStatistics {
  /** Messages on their way to this end. */
  toReceive: number;
  /** Messages on their way to the other end. */
  sent: number;
  /** Bytes of shared memory that the messages on their way take, both ways. */
  bytes: number;
  /** Bytes of shared memory that this end holds, both ways. It shrinks when messages are received. */
  capacity: number;
  /** Tasks of this process that wait to receive or for room to send. */
  waiting: number;
}

/** The most messages that wait to be received when they come through a writable stream. */
const STREAM_MESSAGES = 16;
const NOTHING: readonly object[] = [];

/** Connections that can't be reached any more are closed, as Python closes them. */
const forgotten = new FinalizationRegistry<Endpoint>((end) => {
  try {
    end.close();
  } catch {
    // This process is being ended, and so is the end. V8 would print the error.
  }
});

/** The endpoint of a connection: for rooms that build on pipes and need no public faces. */
export let endpointOf: (connection: Connection) => Endpoint;

/** Makes the connection of an end of a pipe. */
export function connect<R, S>(content: EndpointContent): Connection<R, S> {
  return constructFrom(Connection<R, S>, content);
}

/**
 * One of the two ends that {@linkcode Pipe} makes. Each message sent on one end is received on the other, in
 * the same order, once. The names and their meaning are those of Python's
 * `multiprocessing.connection.Connection`; times are milliseconds.
 *
 * Messages are copied, as by `structuredClone`: Map, Set, Date, BigInt, typed arrays, errors, cycles … A
 * SharedArrayBuffer is shared, and the objects named in `transfer` are moved. Queues, connections and
 * everything else of this package that may be handed over can be in a message, at any depth of plain objects,
 * arrays, Maps and Sets.
 *
 * An end is in one process at a time. Giving it to a process, or sending it through another pipe, moves it:
 * the old object then says where it went. When a process ends, however it does, the ends it has are closed;
 * so is an end that nothing refers to any more.
 *
 * @example
 * ```ts
 * import { type Connection, Pipe, Process } from "@multiproc/multiprocessing";
 *
 * export async function double(connection: Connection<number>) {
 *   for await (const n of connection) await connection.send(2 * n);
 * }
 *
 * if (import.meta.main) {
 *   const [here, there] = Pipe<number>();
 *   new Process({ target: double, args: [there] }).start();
 *   await here.send(21);
 *   console.log(await here.recv()); // 42
 *   here.close();
 * }
 * ```
 *
 * @typeParam R the type of the messages it receives
 * @typeParam S the type of the messages it sends
 */
export class Connection<R = unknown, S = R> implements AsyncIterable<R>, Disposable {
  readonly #end: Endpoint;
  #receiving: Operation<R> | undefined;
  #readable: ReadableStream<R> | undefined;
  #writable: WritableStream<S> | undefined;

  /** @ignore */
  constructor(_content?: unknown) {
    const content = receivedParts<EndpointContent>(new.target);
    if (content === undefined) {
      throw new TypeError("A connection is one end of a pipe. Make both with Pipe().");
    }
    this.#end = new Endpoint(content);
    FinalizationRegistryPrototypeRegister(forgotten, this, this.#end, this.#end);
  }

  static {
    endpointOf = (connection) => connection.#end;
    const contentIs = (content: unknown) => content as EndpointContent;
    registerTransferable(
      CONNECTION,
      (content) => connect(contentIs(content)),
      (content) => new Endpoint(contentIs(content)).close(),
    );
  }

  /** Whether this object can't be used any more: it was closed, or the end has moved. */
  get closed(): boolean {
    return !this.#end.isOpen;
  }

  /**
   * Sends a message. The message has been copied when this returns, and the objects in `transfer` have been
   * moved, unless it has to wait: a pipe with bounds makes it wait for room. The objects in `transfer`, and
   * objects that are handed over, then move only when there is room: leave them as they are until then.
   *
   * @throws {BrokenPipeError} if the other end was closed, or its process has ended
   * @throws {TimeoutError} if there was no room in `timeout` ms; nothing was sent
   * @throws {TypeError} if the message can't be cloned, naming the place, or `transfer` is wrong
   * @throws {RangeError} if the message takes more than the pipe's `maxBytes`, or `timeout` is
   *   negative or NaN
   * @throws {InvalidStateError} if this end was closed, has moved, or only receives
   *
   * @example
   * ```ts
   * import { type Connection, Pipe, Process, Queue } from "@multiproc/multiprocessing";
   *
   * export async function answer(connection: Connection<Queue<string>>) {
   *   const queue = await connection.recv();
   *   await queue.put("I have your queue");
   * }
   *
   * if (import.meta.main) {
   *   const [here, there] = Pipe<Queue<string>>();
   *   new Process({ target: answer, args: [there] }).start();
   *   const queue = new Queue<string>();
   *   await here.send(queue);
   *   console.log(await queue.get()); // I have your queue
   * }
   * ```
   */
  send(message: S, options?: SendOptions): Promise<void> {
    try {
      if (options === undefined) return this.#sent(this.#end.trySend(message, NOTHING));
      timeoutOf(options);
      signalOf(options);
      return this.#sent(
        this.#end.trySend(message, checkTransfer(option(options, "transfer"))),
        options,
      );
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Connection.send}, if there is room now.
   *
   * @throws {TimeoutError} if there is none; other errors as `send`
   */
  sendNowait(message: S, options?: SendNowaitOptions): void {
    this.#end.trySend(message, checkTransfer(option(options, "transfer")))?.onTimeout();
  }

  /**
   * Like {@linkcode Connection.send}, but blocks the thread while it waits: for CPU-bound code.
   * This is what Python's `send` does.
   *
   * @throws {TimeoutError} if there was no room in `timeout` ms; other errors as `send`
   */
  sendSync(message: S, options?: SendSyncOptions): void {
    timeoutOf(options);
    const left = this.#end.trySend(message, checkTransfer(option(options, "transfer")));
    if (left !== undefined) blocking(left, options);
  }

  /**
   * Receives the next message, waiting for one if there is none.
   *
   * @throws {EOFError} if none will come: the other end was closed, or its process has ended, and
   *   all it sent was received
   * @throws {TimeoutError} if none came in `timeout` ms; the next call gets it
   * @throws {RangeError} if `timeout` is negative or NaN
   * @throws {InvalidStateError} if this end was closed, has moved, or only sends
   */
  recv(options?: WaitOptions): Promise<R> {
    try {
      return eventually(this.#recv(), options);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Connection.recv}, if there is a message now.
   *
   * @throws {TimeoutError} if there is none; other errors as `recv`
   */
  recvNowait(): R {
    return now(this.#recv());
  }

  /**
   * Like {@linkcode Connection.recv}, but blocks the thread while it waits: for CPU-bound code.
   * This is what Python's `recv` does.
   *
   * @throws {TimeoutError} if none came in `timeout` ms; other errors as `recv`
   */
  recvSync(options?: BlockOptions): R {
    return blocking(this.#recv(), options);
  }

  /**
   * Waits until `recv` would not have to wait; resolves to true, also when `recv` would throw EOFError, or to
   * false if that took more than `timeout` ms. Takes nothing. Python's `poll()` doesn't wait: here that is
   * `pollNowait()`.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   * @throws {InvalidStateError} if this end was closed, has moved, or only sends
   *
   * @example
   * ```ts
   * import { Pipe } from "@multiproc/multiprocessing";
   *
   * const [here, there] = Pipe<string>();
   * console.log(await there.poll({ timeout: 10 })); // false
   * await here.send("hello");
   * console.log(await there.poll()); // true
   * console.log(await there.recv()); // hello
   * ```
   */
  poll(options?: WaitOptions): Promise<boolean> {
    try {
      return eventually(this.#holding(this.#end.polling), options);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Connection.poll}, but doesn't wait: Python's `poll()`.
   *
   * @throws {InvalidStateError} if this end was closed, has moved, or only sends
   */
  pollNowait(): boolean {
    return now(this.#end.polling);
  }

  /**
   * Like {@linkcode Connection.poll}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws the errors that `poll` throws
   */
  pollSync(options?: BlockOptions): boolean {
    return blocking(this.#end.polling, options);
  }

  /**
   * Sends bytes as a message of their own kind, for {@linkcode Connection.recvBytes}: faster than `send` for
   * long messages. The bytes have been copied when this returns. Python's `send_bytes`.
   *
   * @param bytes an ArrayBuffer, a typed array or a DataView; of a view, the bytes it shows
   * @param options beside how long to wait, which of the bytes to send: see {@linkcode SendBytesOptions}
   * @throws {TypeError} if `bytes` is none of these; other errors as `send`
   * @throws {RangeError} if `offset` or `size` is not a whole number, or they are not within the bytes
   *
   * @example
   * ```ts
   * import { Pipe } from "@multiproc/multiprocessing";
   *
   * const [here, there] = Pipe();
   * await here.sendBytes(new TextEncoder().encode("hello"));
   * console.log(new TextDecoder().decode(await there.recvBytes())); // hello
   * ```
   */
  sendBytes(
    bytes: AllowSharedBufferSource,
    options?: WaitOptions & SendBytesOptions,
  ): Promise<void> {
    try {
      if (options === undefined) return this.#sent(this.#end.trySendBytes(checkBytes(bytes)));
      const names = ["offset", "size", "timeout", "signal"];
      const { offset, size, ...waiting } = checkNames(options, names, SEND_BYTES);
      timeoutOf(waiting);
      signalOf(waiting);
      return this.#sent(this.#end.trySendBytes(checkBytes(bytes, offset, size)), waiting);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Connection.sendBytes}, if there is room now.
   *
   * @param bytes an ArrayBuffer, a typed array or a DataView; of a view, the bytes it shows
   * @throws {TimeoutError} if there is none; other errors as `sendBytes`
   */
  sendBytesNowait(bytes: AllowSharedBufferSource, options: SendBytesOptions = {}): void {
    const { offset, size } = checkNames(options, ["offset", "size"], SEND_BYTES);
    this.#end.trySendBytes(checkBytes(bytes, offset, size))?.onTimeout();
  }

  /**
   * Like {@linkcode Connection.sendBytes}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @param bytes an ArrayBuffer, a typed array or a DataView; of a view, the bytes it shows
   * @throws {TimeoutError} if there was no room in `timeout` ms; other errors as `sendBytes`
   */
  sendBytesSync(
    bytes: AllowSharedBufferSource,
    options: BlockOptions & SendBytesOptions = {},
  ): void {
    const names = ["offset", "size", "timeout"];
    const { offset, size, ...waiting } = checkNames(options, names, SEND_BYTES);
    timeoutOf(waiting);
    const left = this.#end.trySendBytes(checkBytes(bytes, offset, size));
    if (left !== undefined) blocking(left, waiting);
  }

  /**
   * Receives a message that `sendBytes` has sent, waiting for it if none is there. (`recv` receives such a
   * message too, as the same Uint8Array.) Python's `recv_bytes`.
   *
   * @throws {TypeError} if the next message was sent by `send`; it is still there
   * @throws {RangeError} if the next message is longer than `maxLength`; it is still there. Or if
   *   `maxLength` or `timeout` is negative or NaN
   * @throws {EOFError} if none will come; other errors as `recv`
   */
  recvBytes(options?: WaitOptions & MaxLengthOption): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return eventually(this.#recvBytes(options), options);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Connection.recvBytes}, if there is a message now.
   *
   * @throws {TimeoutError} if there is none; other errors as `recvBytes`
   */
  recvBytesNowait(options?: MaxLengthOption): Uint8Array<ArrayBuffer> {
    return now(this.#recvBytes(options));
  }

  /**
   * Like {@linkcode Connection.recvBytes}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws {TimeoutError} if none came in `timeout` ms; other errors as `recvBytes`
   */
  recvBytesSync(options?: BlockOptions & MaxLengthOption): Uint8Array<ArrayBuffer> {
    return blocking(this.#recvBytes(options), options);
  }

  /**
   * Receives a message that `sendBytes` has sent and writes it to a buffer, waiting for it if none is there;
   * resolves to the number of bytes. Python's `recv_bytes_into`.
   *
   * @param buffer an ArrayBuffer, a SharedArrayBuffer, a typed array or a DataView; of a view, the part it
   *   shows is written to, from `offset` on, in bytes. While this waits the buffer can be used: it is written
   *   to when a message has come, in one step
   * @throws {BufferTooShort} if the message is longer than the room from `offset` on; it was received
   *   then, is in the error's `bytes`, and nothing was written
   * @throws {TypeError} if `buffer` is none of these, or detached, or `offset` is not a number; or if the
   *   next message was sent by `send`: it is still there
   * @throws {RangeError} if `offset` is not a whole number from 0 to the length of the buffer, or
   *   `timeout` is negative or NaN
   * @throws {EOFError} if none will come; other errors as `recv`
   *
   * @example
   * ```ts
   * import { Pipe } from "@multiproc/multiprocessing";
   *
   * const [here, there] = Pipe();
   * await here.sendBytes(new TextEncoder().encode("hello"));
   * const buffer = new Uint8Array(1000);
   * const length = await there.recvBytesInto(buffer);
   * console.log(new TextDecoder().decode(buffer.subarray(0, length))); // hello
   * ```
   */
  recvBytesInto(
    buffer: AllowSharedBufferSource,
    options?: WaitOptions & OffsetOption,
  ): Promise<number> {
    try {
      const names = ["offset", "timeout", "signal"];
      const { 0: operation, 1: waitOptions } = this.#recvBytesInto(buffer, options, names);
      return eventually(operation, waitOptions);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Connection.recvBytesInto}, if there is a message now.
   *
   * @throws {TimeoutError} if there is none; other errors as `recvBytesInto`
   */
  recvBytesIntoNowait(buffer: AllowSharedBufferSource, options?: OffsetOption): number {
    return now(this.#recvBytesInto(buffer, options, ["offset"])[0]);
  }

  /**
   * Like {@linkcode Connection.recvBytesInto}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws {TimeoutError} if none came in `timeout` ms; other errors as `recvBytesInto`
   */
  recvBytesIntoSync(
    buffer: AllowSharedBufferSource,
    options?: BlockOptions & OffsetOption,
  ): number {
    const { 0: operation, 1: waitOptions } = this.#recvBytesInto(buffer, options, [
      "offset",
      "timeout",
    ]);
    return blocking(operation, waitOptions);
  }

  /**
   * A snapshot of its figures. Python has nothing like it.
   *
   * @throws {InvalidStateError} if this end was closed or has moved
   */
  statistics(): ConnectionStatistics {
    this.#end.checkOpen();
    const { received, sent, waiting } = this.#end.statistics;
    return {
      toReceive: received?.size ?? 0,
      sent: sent?.size ?? 0,
      bytes: (received?.usedBytes ?? 0) + (sent?.usedBytes ?? 0),
      capacity: (received?.capacityBytes ?? 0) + (sent?.capacityBytes ?? 0),
      waiting,
    };
  }

  /**
   * Ends the use of this end: the other end gets EOFError once it has received what was sent, and
   * BrokenPipeError when it sends. Messages on their way here are dropped. Tasks of this process that wait
   * get an InvalidStateError. Calling it again does nothing.
   */
  close(): void {
    this.#end.close();
    FinalizationRegistryPrototypeUnregister(forgotten, this.#end);
  }

  /** Closes it: `using [connection] = …` isn't possible, `using connection = pair[0]` is. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Iterates over messages as they are received, until the other end was closed or its process has ended.
   *
   * @throws {InvalidStateError} if this end was closed, has moved, or only sends
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<R> {
    return iterate(this.#source);
  }

  /**
   * A stream of the messages received, one after the other as it is read, never one ahead; it closes at
   * EOFError. Cancelling it tells the other side, whose sends then throw BrokenPipeError.
   *
   * @throws {InvalidStateError} if this end was closed, has moved, or only sends
   *
   * @example
   * ```ts
   * import { Pipe } from "@multiproc/multiprocessing";
   *
   * const [receiver, sender] = Pipe<string>({ duplex: false });
   * const sending = ReadableStream.from(["one", "two"]).pipeTo(sender.writable);
   * for await (const message of receiver.readable) console.log(message); // one, then two
   * await sending;
   * ```
   */
  get readable(): ReadableStream<R> {
    return this.#readable ??= readableOf(this.#source, () => this.#end.refuse());
  }

  /**
   * A stream that sends what is written to it. It takes the next chunk when fewer than 16 messages
   * wait to be received, so that a slow receiver slows down the writer. Closing or aborting it tells
   * the other side: it gets EOFError after what was sent. The other direction stays open.
   */
  get writable(): WritableStream<S> {
    return this.#writable ??= writableOf({
      put: (message, signal) => {
        try {
          return this.#sent(this.#end.trySend(message, NOTHING, STREAM_MESSAGES), { signal });
        } catch (error) {
          return primordials.Promise.reject(error);
        }
      },
      end: () => this.#end.finish(),
    });
  }

  /**
   * Moves this end into a message for a worker that this library did not start, made with
   * `new Worker` or node's: `worker.postMessage(...connection.toMessage())`. There,
   * {@linkcode Connection.fromMessage} makes a connection of it. The message may also be a part of
   * one of your own. Post it once.
   *
   * When the worker ends, the other end learns of it as of the end of a process. While the thread that called
   * this is blocked, the other end doesn't learn that a worker ended without `close()`.
   *
   * @returns the message, and what has to be transferred with it
   * @throws {InvalidStateError} if this end was closed or has moved
   *
   * @example
   * ```ts
   * import { Pipe } from "@multiproc/multiprocessing";
   *
   * const [here, there] = Pipe<string>();
   * const text = `
   *   import { Connection } from "@multiproc/multiprocessing";
   *   addEventListener("message", async ({ data }) => {
   *     using connection = Connection.fromMessage(data);
   *     await connection.send("hello from a plain worker");
   *   }, { once: true });`;
   * const url = `data:text/javascript,${encodeURIComponent(text)}`;
   * const worker = new Worker(url, { type: "module" });
   * worker.postMessage(...there.toMessage());
   * console.log(await here.recv()); // hello from a plain worker
   * worker.terminate();
   * ```
   */
  toMessage(): [message: ConnectionMessage, transfer: Transferable[]] {
    return messageOf(this[serialize](), (owner, how) => this[moved](owner, how));
  }

  /**
   * Makes, in a worker that this library did not start, the connection that {@linkcode Connection.toMessage}
   * has put into a message. Call it before anything else of this package, so that the worker becomes a part
   * of the program that has sent the message. There is an example of both at
   * {@linkcode Connection.toMessage}.
   *
   * @throws {TypeError} if the message isn't one, or was used before
   */
  static fromMessage<R = unknown, S = R>(message: ConnectionMessage): Connection<R, S> {
    return connect<R, S>(contentOf(message));
  }

  #recv(): Operation<R> {
    return this.#receiving ??= this.#holding(this.#end.receiving()) as Operation<R>;
  }

  #recvBytes(options: MaxLengthOption | undefined): Operation<Uint8Array<ArrayBuffer>> {
    const operation = this.#end.receivingBytes(checkMaxLength(option(options, "maxLength")));
    return this.#holding(operation) as Operation<Uint8Array<ArrayBuffer>>;
  }

  /** The operation, and how long it may wait. */
  #recvBytesInto(
    buffer: unknown,
    options: WaitOptions & OffsetOption = {},
    names: readonly string[],
  ): [Operation<number>, WaitOptions] {
    const example = "recvBytesInto(buffer, { offset: 8 })";
    const { offset, ...waiting } = checkNames(options, names, example);
    const room = () => checkRoom(buffer, offset);
    room();
    return [this.#holding(this.#end.receivingBytesInto(room)), waiting];
  }

  /** Sends now, or when there is room. */
  #sent(left: Operation<void> | undefined, options?: WaitOptions): Promise<void> {
    return left === undefined ? done(undefined) : eventually(this.#holding(left), options);
  }

  /** Keeps the connection in reach while a task waits, so that it isn't closed as forgotten. */
  #holding<T>(operation: Operation<T>): Operation<T> & { connection: Connection<R, S> } {
    return { ...operation, connection: this };
  }

  get #source(): Source<R> {
    return sourceOf(this.#recv(), (error) => error instanceof EOFError);
  }

  /** @ignore */
  [readiness](): Readiness {
    const { eventcount, attempt } = this.#end.polling;
    return { eventcount, isReady: () => attempt() === true };
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    return print(this, ["Connection", Connection], () => this.#end.state, inspect, options);
  }

  /** @ignore */
  get [cannotClone](): string {
    return `a Connection, which ${
      this.closed
        ? "was closed or has moved and can't be handed over any more. Make a new pipe"
        : "is handed over, not copied. Give it to a process in args, or send it through a pipe, " +
          "at any depth of plain objects, arrays, Maps and Sets"
    }`;
  }

  /** @ignore */
  [serialize](): Serialized {
    return this.#end.serialized;
  }

  /** @ignore */
  [moved](owner: Ref, how: string): void {
    FinalizationRegistryPrototypeUnregister(forgotten, this.#end);
    this.#end.moved(owner, how);
  }
}
