// The stand-in for a connection in a process of the operating system: each call is done by the keeper, on the
// connection itself.

import { BufferTooShort, EOFError } from "../errors.ts";
import type { ConnectionStatistics, SendBytesOptions } from "../pipe/connection.ts";
import type { MaxLengthOption, OffsetOption } from "../pipe/connection.ts";
import { checkBytes, checkMaxLength, checkRoom } from "../pipe/message_input.ts";
import * as primordials from "../platform/primordials.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import { cannotClone } from "../transfer/transferable.ts";
import { checkNames, option } from "../validate/options.ts";
import { blockingTimeoutOf, type BlockOptions, type WaitOptions } from "../wait/options.ts";
import { iterate, readableOf, type Source, writableOf } from "../wait/streams.ts";
import { type Readiness, readiness } from "../wait/waitable.ts";
import type { BridgeClient } from "./client.ts";
import { first, Remote } from "./stand_in.ts";

const { PromisePrototypeThen, Symbol, TypedArrayPrototypeSet, TypeError } = primordials;

type Bytes = Uint8Array<ArrayBuffer>;

const one = (message: unknown) => [message];

const SEND_BYTES = "sendBytes(bytes, { offset: 8, size: 4 })";

/** Stands for a Connection. */
export class ConnectionStandIn<R = unknown, S = R> implements AsyncIterable<R>, Disposable {
  readonly #remote: Remote;
  #readable: ReadableStream<R> | undefined;
  #writable: WritableStream<S> | undefined;

  constructor(client: BridgeClient, at: number) {
    this.#remote = new Remote(client, at, "The connection");
  }

  get closed(): boolean {
    return this.#remote.isClosed;
  }

  send(message: S, options?: WaitOptions): Promise<void> {
    try {
      return this.#remote.wait("send", [message], withoutTransfer(options));
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  sendNowait(message: S, options?: object): void {
    withoutTransfer(options);
    this.#remote.now("sendNowait", [message]);
  }

  sendSync(message: S, options?: BlockOptions): void {
    this.#remote.block("send", [message], withoutTransfer(options));
  }

  recv(options?: WaitOptions): Promise<R> {
    return this.#remote.take<R>("recv", [], options, one, first<R>);
  }

  recvNowait(): R {
    return this.#remote.takeSync<R>("recvNowait", [], 0, first<R>);
  }

  recvSync(options?: BlockOptions): R {
    return this.#remote.takeSync<R>("recv", [], blockingTimeoutOf(options), first<R>);
  }

  poll(options?: WaitOptions): Promise<boolean> {
    if (this.#remote.left > 0) return primordials.Promise.resolve(true);
    return this.#remote.wait("poll", [], options);
  }

  pollNowait(): boolean {
    return this.#remote.left > 0 || this.#remote.now<boolean>("pollNowait");
  }

  pollSync(options?: BlockOptions): boolean {
    return this.#remote.left > 0 || this.#remote.block<boolean>("poll", [], options);
  }

  sendBytes(
    bytes: AllowSharedBufferSource,
    options: WaitOptions & SendBytesOptions = {},
  ): Promise<void> {
    try {
      const names = ["offset", "size", "timeout", "signal"];
      const { offset, size, ...waiting } = checkNames(options, names, SEND_BYTES);
      return this.#remote.wait("sendBytes", [copyOf(bytes, offset, size)], waiting);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  sendBytesNowait(bytes: AllowSharedBufferSource, options: SendBytesOptions = {}): void {
    const { offset, size } = checkNames(options, ["offset", "size"], SEND_BYTES);
    this.#remote.now("sendBytesNowait", [copyOf(bytes, offset, size)]);
  }

  sendBytesSync(
    bytes: AllowSharedBufferSource,
    options: BlockOptions & SendBytesOptions = {},
  ): void {
    const names = ["offset", "size", "timeout"];
    const { offset, size, ...waiting } = checkNames(options, names, SEND_BYTES);
    this.#remote.block("sendBytes", [copyOf(bytes, offset, size)], waiting);
  }

  recvBytes(options?: WaitOptions & MaxLengthOption): Promise<Bytes> {
    try {
      const most = checkMaxLength(option(options, "maxLength"));
      return this.#remote.take<Bytes>("recvBytes", [most], options, one, first<Bytes>);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  recvBytesNowait(options?: MaxLengthOption): Bytes {
    const most = checkMaxLength(option(options, "maxLength"));
    return this.#remote.takeSync<Bytes>("recvBytesNowait", [most], 0, first<Bytes>);
  }

  recvBytesSync(options?: BlockOptions & MaxLengthOption): Bytes {
    const most = checkMaxLength(option(options, "maxLength"));
    const timeout = blockingTimeoutOf(options);
    return this.#remote.takeSync<Bytes>("recvBytes", [most], timeout, first<Bytes>);
  }

  recvBytesInto(
    buffer: AllowSharedBufferSource,
    options: WaitOptions & OffsetOption = {},
  ): Promise<number> {
    try {
      const { offset, ...waiting } = checkInto(options, ["offset", "timeout", "signal"]);
      const room = checkRoom(buffer, offset);
      return PromisePrototypeThen(this.recvBytes(waiting), (bytes) => into(room, bytes));
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  recvBytesIntoNowait(buffer: AllowSharedBufferSource, options: OffsetOption = {}): number {
    const { offset } = checkInto(options, ["offset"]);
    return into(checkRoom(buffer, offset), this.recvBytesNowait());
  }

  recvBytesIntoSync(
    buffer: AllowSharedBufferSource,
    options: BlockOptions & OffsetOption = {},
  ): number {
    const { offset, ...waiting } = checkInto(options, ["offset", "timeout"]);
    return into(checkRoom(buffer, offset), this.recvBytesSync(waiting));
  }

  statistics(): ConnectionStatistics {
    return this.#remote.now<ConnectionStatistics>("statistics");
  }

  close(): void {
    if (this.#remote.isClosed) return;
    this.#remote.now("close");
    this.#remote.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<R> {
    return iterate(this.#source);
  }

  get readable(): ReadableStream<R> {
    return this.#readable ??= readableOf(this.#source);
  }

  get writable(): WritableStream<S> {
    return this.#writable ??= writableOf({
      put: (message, signal) => this.send(message, { signal }),
      end: () => this.close(),
    });
  }

  get #source(): Source<R> {
    return {
      take: (signal) => this.recv({ signal }),
      takeFor: (use, signal) =>
        PromisePrototypeThen(this.recv({ signal }), (message) => {
          use(message);
          return message;
        }),
      isEnd: (error) => error instanceof EOFError,
    };
  }

  [readiness](): Readiness {
    this.#remote.checkOpen();
    return this.#remote.readiness;
  }

  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { closed } = this;
    return print(this, ["Connection", ConnectionStandIn], () => ({ closed }), inspect, options);
  }

  get [cannotClone](): string {
    return "a connection of another process, which only the process that was given it can use";
  }
}

function withoutTransfer<O extends object>(options: O | undefined): O | undefined {
  if (option(options as { transfer?: unknown[] } | undefined, "transfer") === undefined) {
    return options;
  }
  throw new TypeError(
    "transfer can't be used in a process of the operating system: its messages are copied. Leave it out.",
  );
}

/** The bytes to send, in memory of their own. */
function copyOf(bytes: unknown, offset: unknown, size: unknown): Uint8Array {
  return primordials.TypedArrayPrototypeSlice(checkBytes(bytes, offset, size));
}

function checkInto<O extends object>(options: O, names: readonly string[]): O {
  return checkNames(options, names, "recvBytesInto(buffer, { offset: 8 })");
}

function into(room: Uint8Array, bytes: Bytes): number {
  if (bytes.length > room.length) {
    throw new BufferTooShort(
      `The message has ${bytes.length} bytes, and there is room for ${room.length}. ` +
        "The error's bytes are the whole message.",
      bytes,
    );
  }
  TypedArrayPrototypeSet(room, bytes);
  return bytes.length;
}
