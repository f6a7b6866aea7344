// The process's side of the bridge: calls methods of objects that are in the keeper.

import { decode } from "../codec/decode.ts";
import { freeEncoder } from "../codec/encode.ts";
import * as primordials from "../platform/primordials.ts";
import type { Failure } from "../transfer/remote_error.ts";
import { recreateFailure } from "../transfer/recreate_error.ts";
import { CALL, CANCEL, FrameReader, REPLY, writeNumber } from "./frames.ts";
import type { CallFrame, ReplyFrame } from "./methods.ts";
import { Input } from "./reader.ts";
import { MAX_CALL_BYTES, MAX_CALLS } from "./limits.ts";

const {
  addAbortListener,
  abortReason,
  clearInterval,
  isAborted,
  RangeError,
  removeAbortListener,
  SafeMap,
  setInterval,
  TypedArrayPrototypeSlice,
  Uint8Array,
} = primordials;

/** How often the timer fires that keeps the process alive, in ms: never, for practical purposes. */
const FOREVER_MS = 2 ** 30;

/** What becomes of the answer to a call. */
interface Pending {
  returned(value: unknown): void;
  threw(error: unknown): void;
  bytes: number;
}

/** Calls methods of objects in the keeper. */
export class BridgeClient {
  readonly #input = new Input();
  readonly #frames = new FrameReader(Infinity);
  readonly #maxBytes: number;
  readonly #send: (kind: number, body: Uint8Array) => void;
  readonly #pending = new SafeMap<number, Pending>();
  #bytes = 0;
  #last = 0;
  #keepsAlive: ReturnType<typeof setInterval> | undefined;

  /**
   * @param maxBytes the most bytes of a call
   * @param send sends a frame to the keeper
   */
  constructor(maxBytes: number, send: (kind: number, body: Uint8Array) => void) {
    this.#maxBytes = maxBytes;
    this.#send = send;
    this.#listen();
  }

  async #listen(): Promise<void> {
    for (;;) {
      await this.#input.untilThere();
      this.#drain();
    }
  }

  #drain(): void {
    for (let chunk = this.#input.take(); chunk !== undefined; chunk = this.#input.take()) {
      this.#frames.add(chunk);
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        if (frame.kind === REPLY) this.#settle(frame.body);
      }
    }
  }

  #settle(body: Uint8Array): void {
    const { 0: id, 1: hasReturned, 2: value } = decode(body, 0, body.length) as ReplyFrame;
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#bytes -= pending.bytes;
    if (this.#pending.size === 0) {
      clearInterval(this.#keepsAlive);
      this.#keepsAlive = undefined;
    }
    if (hasReturned) pending.returned(value);
    else pending.threw(recreateFailure(value as Failure));
  }

  /** Sends a call, and returns its number. */
  #call(
    at: number,
    method: string,
    args: unknown[],
    timeout: number,
    settled: Omit<Pending, "bytes">,
  ): number {
    const id = this.#last = (this.#last + 1) >>> 0;
    const encoder = freeEncoder();
    const length = encoder.encode([id, at, method, args, timeout] satisfies CallFrame, 0, method);
    const body = TypedArrayPrototypeSlice(encoder.bytes, 0, length), { weight } = encoder;
    encoder.trim();
    if (length > this.#maxBytes || weight > this.#maxBytes) {
      throw new RangeError(
        `${method}() takes ${
          length > this.#maxBytes ? length : weight
        } bytes, and a process of the operating system ` +
          `sends at most ${this.#maxBytes} at once. Start it with a larger maxResultBytes, or send less.`,
      );
    }
    if (this.#pending.size >= MAX_CALLS || this.#bytes + length > MAX_CALL_BYTES) {
      throw new RangeError(
        `${method}() is one call too many: ${this.#pending.size} calls wait for an answer. Await some of them first.`,
      );
    }
    this.#bytes += length;
    this.#pending.set(id, { ...settled, bytes: length });
    this.#keepsAlive ??= setInterval(() => {}, FOREVER_MS);
    this.#send(CALL, body);
    return id;
  }

  /**
   * Calls a method, and waits for the answer.
   *
   * @param unwanted gets what the call returned after `signal` had ended the wait
   */
  ask<T>(
    at: number,
    method: string,
    args: unknown[],
    timeout: number,
    signal?: AbortSignal,
    unwanted: (value: T) => void = () => {},
  ): Promise<T> {
    return new primordials.Promise<T>((resolve, reject) => {
      if (signal !== undefined && isAborted(signal)) return reject(abortReason(signal));
      let isOver = false;
      const aborted = () => {
        isOver = true;
        removeAbortListener(signal!, aborted);
        const body = new Uint8Array(4);
        writeNumber(body, 0, id);
        this.#send(CANCEL, body);
        reject(abortReason(signal!));
      };
      const end = () => {
        if (signal !== undefined) removeAbortListener(signal, aborted);
      };
      const id = this.#call(at, method, args, timeout, {
        returned: (value) => {
          end();
          if (isOver) unwanted(value as T);
          else resolve(value as T);
        },
        threw: (error) => {
          end();
          reject(error);
        },
      });
      if (signal !== undefined) addAbortListener(signal, aborted);
    });
  }

  /** Calls a method, and blocks the thread until the answer is there. */
  askSync<T>(at: number, method: string, args: unknown[], timeout = Infinity): T {
    let answer: { value: T } | { error: unknown } | undefined;
    this.#call(at, method, args, timeout, {
      returned: (value) => answer = { value: value as T },
      threw: (error) => answer = { error },
    });
    for (;;) {
      this.#drain();
      const given = answer as { value: T } | { error: unknown } | undefined;
      if (given === undefined) this.#input.block();
      else if ("error" in given) throw given.error;
      else return given.value;
    }
  }
}
