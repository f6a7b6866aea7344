// Calls that block the thread: a thread beside it runs their scripts.

import { InvalidStateError } from "./core.ts";
import type { Buffer } from "node:buffer";
import type { Arg } from "./driver.ts";
import { entriesOf, type Entry } from "./entry.ts";
import { Interrupted } from "./errors.ts";
import { type Helper, HelperReply } from "./helper.ts";
import { type Host, MAX_ASKED, MAX_CALL_BYTES, MAX_ENTRIES, POLL } from "./host.ts";
import type { Puts } from "./puts.ts";
import { emptyError, fullError, shutDownError, unanswered } from "./queue_errors.ts";
import type { ScriptName } from "./scripts.ts";
import type { Takes } from "./takes.ts";
import { PATIENCE } from "./waiter.ts";

/** Whether a later epoch has begun. */
function isOld(error: unknown): boolean {
  return error instanceof HelperReply && error.message.startsWith("MPOLD");
}

/** In whose name a blocked thread calls scripts. */
interface Blocked {
  client: string;
  /** A call of its has had no answer: what the server did of it is only known after a hello. */
  isLate: boolean;
  epoch(): number;
  /** Begins an epoch. */
  hello(helper: Helper): void;
}

/** The queue, as these calls use it. */
export interface BlockingHost extends Host {
  /** Makes sure that it is open, blocking until it is. */
  openSync(helper: () => Helper): void;
  /** Begins an epoch, and returns its number. */
  nextEpoch(): number;
  /** The server has lost it: nobody can go on. Returns the error. */
  lost(): Error;
}

/** The calls of a queue that block. */
export class BlockingCalls {
  readonly #host: BlockingHost;
  readonly #takes: Takes;
  readonly #puts: Puts;

  constructor(host: BlockingHost, takes: Takes, puts: Puts) {
    this.#host = host;
    this.#takes = takes;
    this.#puts = puts;
  }

  #open(): void {
    this.#host.openSync(() => this.#blocking());
  }

  /** The helper, where this thread may block. */
  #blocking(): Helper {
    this.#host.check();
    const helper = this.#host.wires.helper();
    if (helper !== undefined) {
      // While this thread is blocked, nobody else beats.
      this.#host.wires.shareBeats();
      return helper;
    }
    throw new InvalidStateError(
      "This process can have no threads, and so can't block. Use the methods that return promises.",
    );
  }

  /** Runs a script by the helper, in an epoch of the caller's, until the server has answered. */
  #runSync(script: ScriptName, who: Blocked, args: Arg[], end: number): unknown {
    const helper = this.#blocking();
    for (;;) {
      try {
        if (who.isLate || who.epoch() === 0) who.hello(helper);
        who.isLate = false;
        const own = [this.#host.id, who.client, String(who.epoch()), ...args];
        return helper.runSync(script, this.#host.base, own);
      } catch (error) {
        if (error instanceof Interrupted || isOld(error)) who.isLate = true;
        if (error instanceof HelperReply) {
          if (error.message.startsWith("MPLOST")) {
            throw this.#host.lost();
          }
          if (!isOld(error)) throw error;
        } else if (!(error instanceof Interrupted)) throw error;
        if (performance.now() > end + PATIENCE) throw unanswered(this.#host.wires.url);
        helper.waitSync(`${this.#host.base}:w:nobody`, 0);
      }
    }
  }

  /** Items are leased to this client, as those that it waits for by promises. */
  readonly #taker: Blocked = {
    ...{ client: "", isLate: false },
    epoch: () => this.#host.epoch,
    hello: (helper) => {
      const epoch = this.#host.nextEpoch();
      const { id, client, wires: { options } } = this.#host;
      const args = [id, client, String(epoch), String(options.leaseTime)];
      const own = helper.runSync("hello", this.#host.base, args) as unknown[];
      this.#takes.stock(entriesOf(own, 0));
    },
  };

  #putEpoch = 0;
  #putNumber = 1;
  /** Items are put by a client of their own, so that they don't get between those under way. */
  readonly #giver: Blocked = {
    ...{ client: "", isLate: false },
    epoch: () => this.#putEpoch,
    hello: (helper) => {
      this.#putEpoch++;
      const { id, client, wires: { options } } = this.#host;
      const args = [id, `${client}!`, String(this.#putEpoch), String(options.leaseTime)];
      helper.runSync("hello", this.#host.base, args);
    },
  };

  get(max: number, use: (entries: Entry[]) => unknown, timeout: number): unknown {
    this.#open();
    this.#taker.client = this.#host.client;
    const helper = this.#blocking();
    const end = performance.now() + timeout, channel = `${this.#host.channel}!`;
    const { leaseTime, maxItemBytes } = this.#host.wires.options;
    helper.waitSync(channel, 0);
    for (let isWaiting = false;;) {
      const left = end - performance.now();
      const acks = this.#takes.takeAcks();
      const args = [
        ...[
          String(Math.min(max, MAX_ASKED)),
          left > 0 ? "2" : "0",
          String(leaseTime),
        ],
        ...[String(Math.min(MAX_CALL_BYTES, maxItemBytes)), ...acks.map(String)],
      ];
      let reply: unknown[];
      try {
        reply = this.#runSync("take", this.#taker, args, end) as unknown[];
      } catch (error) {
        this.#takes.untakeAcks(acks);
        throw error;
      }
      this.#takes.forget(acks);
      if (reply[0] === 1) this.#takes.stock(entriesOf(reply, 1));
      const taken = this.#takes.unstock(max);
      if (taken.length > 0) return use(taken);
      if (reply[0] === -1) throw shutDownError("is empty");
      if (left <= 0) {
        if (isWaiting) this.#passOn("unwaitget", this.#taker, ["!"]);
        throw emptyError();
      }
      isWaiting = true;
      helper.waitSync(channel, Math.max(1, Math.min(left, POLL)));
    }
  }

  put(entries: Buffer[], isMany: boolean, timeout: number): void {
    this.#open();
    const helper = this.#blocking();
    this.#giver.client = `${this.#host.client}!`;
    const end = performance.now() + timeout, channel = `${this.#host.channel}!`;
    helper.waitSync(channel, 0);
    if (timeout === 0 && this.#puts.hasLine) {
      throw fullError(this.#host.maxSize, 0, entries.length, isMany);
    }
    for (let put = 0, hasWaited = false; put < entries.length;) {
      const part: Buffer[] = [];
      for (let bytes = 0; put + part.length < entries.length && bytes < MAX_CALL_BYTES;) {
        const entry = entries[put + part.length];
        bytes += entry.length;
        if (part.push(entry) >= MAX_ENTRIES) break;
      }
      const left = end - performance.now();
      const first = this.#putNumber;
      this.#putNumber += part.length;
      const isWaiting = timeout > 0 && left > 0;
      const args = [String(first), isWaiting ? "1" : "0", ...part];
      const reply = this.#runSync("put", this.#giver, args, end) as number[];
      put += reply[1];
      if (reply[0] === -1) throw shutDownError("takes no more items");
      if (put === entries.length) return;
      if (reply[0] === 1) continue;
      if (!isWaiting) {
        if (hasWaited) this.#passOn("unwaitput", this.#giver, []);
        throw fullError(this.#host.maxSize, put, entries.length, isMany);
      }
      hasWaited = true;
      helper.waitSync(channel, Math.max(1, Math.min(left, POLL)));
    }
  }

  /** A call no longer waits: what has woken it, or would, is for the next one. */
  #passOn(script: "unwaitget" | "unwaitput", who: Blocked, args: Arg[]): void {
    try {
      this.#runSync(script, who, args, -Infinity);
    } catch { // the server is away, and will have forgotten it
    }
  }

  join(timeout: number): boolean {
    this.#open();
    this.#taker.client = this.#host.client;
    const helper = this.#blocking();
    const end = performance.now() + timeout, channel = `${this.#host.base}:w:nobody`;
    helper.waitSync(channel, 0);
    for (let pause = 1;; pause = Math.min(2 * pause, 50)) {
      if (this.#runSync("join", this.#taker, ["0"], end) === 1) return true;
      const left = end - performance.now();
      if (left <= 0) return false;
      helper.waitSync(channel, Math.max(1, Math.min(left, pause)));
    }
  }
}
