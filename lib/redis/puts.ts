// Putting: the calls that wait for room in this process. One call of `put` is under way at a time, for all.

import { type QueueFull, TimeoutError } from "./core.ts";
import type { Buffer } from "node:buffer";
import { type Host, MAX_CALL_BYTES, MAX_ENTRIES } from "./host.ts";
import { publicUrl } from "./options.ts";
import { fullError, shutDownError } from "./queue_errors.ts";
import { Waiter, type Ward } from "./waiter.ts";

/** Waits for room. */
class Putter extends Waiter<void, Putter> {
  readonly entries: Buffer[];
  readonly isMany: boolean;
  /** How many of its entries are in the queue, and how many in the call under way. */
  put = 0;
  sent = 0;
  isAsked = false;

  constructor(
    store: Ward<Putter>,
    entries: Buffer[],
    isMany: boolean,
    timeout: number,
    signal: AbortSignal | undefined,
  ) {
    super(store, timeout, signal);
    this.entries = entries;
    this.isMany = isMany;
  }
}

/** What a client puts into a queue. */
export class Puts {
  readonly #host: Host;
  readonly #putters: Putter[] = [];
  #isPutting = false;
  /** The server has said that there is no room. */
  #isBlocked = false;
  #nextNumber = 1;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whether no call waits. */
  get isIdle(): boolean {
    return this.#putters.length === 0;
  }

  /** Whether others wait for room before whoever comes now. */
  get hasLine(): boolean {
    return this.#isBlocked && this.#putters.length > 0;
  }

  /** It can't go on. */
  fail(error: unknown): void {
    for (const putter of this.#putters.splice(0)) putter.reject(error);
  }

  /** There may be room: the server has said so, or is asked anew. */
  unblock(): void {
    this.#isBlocked = false;
  }

  /** The server has said that there is room. */
  woken(): void {
    if (this.#putters.length === 0 && !this.#isPutting) this.#passOn();
    this.#isBlocked = false;
    this.pump();
  }

  readonly #ward: Ward<Putter> = {
    isKnownToWait: (putter) => putter.sent === 0 && (putter.isAsked || this.#isBlocked),
    timedOut: (putter) => this.#leavePuts(putter, this.#fullError(putter)),
    unanswered: (putter) => {
      const error = putter.reason?.value ?? new TimeoutError(
        `The server at ${
          publicUrl(this.#host.wires.url)
        } doesn't answer, so what was to be put may be in the queue, ` +
          "or come to be. Look after the server.",
      );
      this.#leavePuts(putter, error);
    },
    aborted: (putter) => {
      // What is under way may be put: its answer tells.
      if (putter.sent > 0 && this.#host.wires.isConnected) return false;
      this.#leavePuts(putter, putter.reason!.value);
      return true;
    },
  };

  #fullError(putter: Putter): QueueFull {
    return fullError(this.#host.maxSize, putter.put, putter.entries.length, putter.isMany);
  }

  /** Puts entries, waiting for room. */
  put(entries: Buffer[], isMany: boolean, timeout: number, signal?: AbortSignal): Promise<void> {
    this.#host.check();
    if (entries.length === 0) return Promise.resolve();
    const putter = new Putter(this.#ward, entries, isMany, timeout, signal);
    if (timeout === 0 && this.hasLine) {
      putter.reject(this.#fullError(putter));
      return putter.promise;
    }
    this.#putters.push(putter);
    if (!this.#host.isOpen) this.#host.opened.then(() => this.pump(), () => {});
    else this.pump();
    return putter.promise;
  }

  get waiting(): number {
    return this.#putters.filter(({ isWaiting }) => isWaiting).length;
  }

  #leavePuts(putter: Putter, error: unknown): void {
    const at = this.#putters.indexOf(putter);
    if (at >= 0) this.#putters.splice(at, 1);
    putter.reject(error);
    if (this.#putters.length > 0) return;
    this.#host.unwatch();
    if (this.#isBlocked) this.#passOn();
    this.#isBlocked = false;
  }

  /** This client no longer waits for room: the next one may go on. */
  #passOn(): void {
    this.#host.call("unwaitput").catch(() => {});
  }

  /** Sends what waits, unless there is no room. */
  pump(): void {
    if (this.#isPutting || this.#putters.length === 0 || !this.#host.isOpen) return;
    if (this.#isBlocked && !this.#putters.some(({ isLast }) => isLast)) return;
    this.#isPutting = true;
    this.#putNext().catch((error) => {
      for (const putter of this.#putters.splice(0)) putter.reject(error);
    }).finally(() => {
      this.#isPutting = false;
      if (!this.#host.hasFailed) this.pump();
      this.#host.unwatch();
    });
  }

  async #putNext(): Promise<void> {
    const entries: Buffer[] = [], parts: Putter[] = [];
    let bytes = 0, isWaiting = false;
    for (const putter of this.#putters) {
      if (entries.length >= MAX_ENTRIES || bytes >= MAX_CALL_BYTES) break;
      parts.push(putter);
      for (let i = putter.put; i < putter.entries.length; i++) {
        if (entries.length >= MAX_ENTRIES || bytes >= MAX_CALL_BYTES) break;
        entries.push(putter.entries[i]);
        bytes += putter.entries[i].length;
        putter.sent++;
      }
      isWaiting ||= !putter.isLast;
    }
    const first = this.#nextNumber, messages = this.#host.messages;
    this.#nextNumber += entries.length;
    let reply: number[];
    try {
      const args = [String(first), isWaiting ? "1" : "0", ...entries];
      reply = await this.#host.call("put", () => args) as number[];
    } catch (error) {
      // Refused as a whole: the memory of the server is full, for example.
      for (const putter of parts) {
        if (!putter.isOver) this.#leavePuts(putter, error);
      }
      return;
    }
    let left = reply[1];
    const isFull = left < entries.length;
    for (const putter of parts) {
      const put = Math.min(left, putter.sent);
      left -= put;
      putter.put += put;
      putter.sent = 0;
      if (putter.isOver) continue;
      putter.isAsked = isFull;
      const isAll = putter.put === putter.entries.length;
      if (isAll) {
        this.#putters.shift();
        putter.resolve();
      } else if (reply[0] === -1) this.#leavePuts(putter, shutDownError("takes no more items"));
      else if (putter.reason !== undefined) this.#leavePuts(putter, putter.reason.value);
      else if (putter.isLast && isFull) this.#leavePuts(putter, this.#fullError(putter));
    }
    if (!isFull || reply[0] === -1) return;
    this.#isBlocked = messages === this.#host.messages;
    if (this.#putters.length > 0) this.#host.watch();
    else if (isWaiting) {
      this.#isBlocked = false;
      this.#passOn();
    }
  }
}
