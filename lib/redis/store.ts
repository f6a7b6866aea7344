// A queue in the server, as a client sees it: the calls that wait in this process, what the server has leased to
// it, and the calls of scripts. One call of `put` and one of `take` are under way at a time, for all that wait.

import { InvalidStateError, QueueEmpty, QueueFull, QueueShutDown, TimeoutError } from "./core.ts";
import type { Buffer } from "node:buffer";
import type { Arg, Beat, Link } from "./driver.ts";
import { isReply } from "./driver.ts";
import { entriesIn, entriesOf, type Entry } from "./entry.ts";
import { Interrupted, LeaseLostError } from "./errors.ts";
import { type Helper, HelperReply } from "./helper.ts";
import type { Properties } from "./options.ts";
import { publicUrl } from "./options.ts";
import type { ScriptName } from "./scripts.ts";
import { PATIENCE, Waiter, type Ward } from "./waiter.ts";
import { type Member, randomId, type Wires } from "./wires.ts";

/** The most entries of one call, the most bytes, and the most items to ask for. */
const MAX_ENTRIES = 2000, MAX_CALL_BYTES = 2 ** 22, MAX_ASKED = 2000;
/** How often those that wait ask again, in ms: a message may have been lost. */
const POLL = 1000;
/** How long an acknowledgement waits for the next take, in ms. */
const ACK_DELAY = 2;

/** Waits for items. */
class Getter extends Waiter<unknown, Getter> {
  readonly max: number;
  readonly use: (entries: Entry[]) => unknown;
  isAsked = false;

  constructor(
    store: Ward<Getter>,
    max: number,
    use: (entries: Entry[]) => unknown,
    timeout: number,
    signal: AbortSignal | undefined,
  ) {
    super(store, timeout, signal);
    this.max = max;
    this.use = use;
  }
}

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

/** Waits until all is done. */
class Joiner extends Waiter<boolean, Joiner> {
  isAsked = false;
}

/** Items that are to be reported done, "" for anybody's. */
interface Ending {
  tag: number | "";
  resolve(answer: string): void;
  reject(error: unknown): void;
}

/** In whose name a blocked thread calls scripts. */
interface Blocked {
  client: string;
  epoch(): number;
  /** Begins an epoch. */
  hello(helper: Helper): void;
}

/** The figures of a queue, as the server has them. */
export interface Look {
  size: number;
  put: number;
  got: number;
  done: number;
  isShut: boolean;
  leased: number;
  dead: number;
}

/** A queue in the server. */
export class Store implements Member {
  readonly wires: Wires;
  readonly name: string;
  readonly base: string;
  readonly channel: string;
  readonly wanted: Properties;
  /** Drawn when the queue was made: a queue of that name that was made later has another. */
  id: string;
  maxSize: number;
  attempts: number;
  isCounted: boolean;
  #epoch = 0;
  #hello: Promise<void> | undefined;
  /** Why it can't be used any more. */
  #failure: { error: unknown } | undefined;
  readonly opened: Promise<void>;
  #refuse: (error: unknown) => void = () => {};
  /** Called when it can't be used any more. */
  failed: ((error: unknown) => void) | undefined;
  #isOpen = false;

  // What the server has leased to this client.
  /** All tags about which the server and this client may not agree yet, or do. */
  readonly #known = new Set<number>();
  /** Not yet handed to a call. */
  #stock: Entry[] = [];
  /** Handed out as leases; called if one is lost. */
  readonly #held = new Map<number, () => void>();
  /** Known before their message has come. */
  readonly #early = new Set<number>();

  readonly #getters: Getter[] = [];
  #isTaking = false;
  #isRegistered = false;
  #unwaits = 0;
  #acks: number[] = [];
  #ackTimer: ReturnType<typeof setTimeout> | undefined;

  readonly #putters: Putter[] = [];
  #isPutting = false;
  /** The server has said that there is no room. */
  #isBlocked = false;
  #nextNumber = 1;

  readonly #joiners: Joiner[] = [];
  #isJoining = false;

  #endings: Ending[] = [];
  #isEnding = false;
  #endingNumber = 0;

  #poll: ReturnType<typeof setInterval> | undefined;

  /** @param id that of the queue that is to be opened; "" for any of that name, which is made if need be */
  constructor(
    wires: Wires,
    name: string,
    base: string,
    wanted: Properties,
    id: string | Promise<string> = "",
  ) {
    this.wires = wires;
    this.name = name;
    this.base = base;
    this.channel = `${base}:w:${wires.client}`;
    this.wanted = wanted;
    this.id = typeof id === "string" ? id : "";
    this.maxSize = wanted.maxSize ?? 0;
    this.attempts = wanted.attempts ?? 0;
    this.isCounted = wanted.counted;
    this.opened = new Promise((resolve, reject) => {
      this.#refuse = reject;
      this.#open(id).then(resolve, reject);
    });
    wires.expect(this);
    this.opened.finally(() => wires.expected(this)).catch(() => {});
  }

  // Opening.

  async #open(given: string | Promise<string>): Promise<void> {
    try {
      if (typeof given !== "string") this.id = await given;
      const { maxSize, counted, attempts, expireAfter } = this.wanted;
      const text = (n: number | undefined) => n === undefined ? "" : String(n);
      const args = [text(maxSize), counted ? "1" : "0", text(attempts), text(expireAfter), this.id];
      const [id, max, isCounted, most, expire] = await this.wires.run(
        "open",
        this.base,
        () => [randomId(), ...args],
      ) as unknown[];
      this.#checkSame("maxSize", maxSize, Number(max));
      this.#checkSame("attempts", attempts, Number(most));
      this.#checkSame("expireAfter", expireAfter, expire === null ? 0 : Number(expire));
      if (String(isCounted) !== args[1]) {
        const [is, method] = counted ? ["queue", "queue"] : ["joinable queue", "joinableQueue"];
        throw new InvalidStateError(
          `The queue "${this.name}" is there as a ${is}. Open it by hub.${method}("${this.name}"), ` +
            "or choose another name.",
        );
      }
      if (this.id !== "" && this.id !== String(id)) throw this.#lostError();
      this.id = String(id);
      this.maxSize = Number(max);
      this.attempts = Number(most);
      await this.wires.add(this);
      this.#isOpen = true;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  #checkSame(what: string, wanted: number | undefined, is: number): void {
    if (wanted === undefined || wanted === is) return;
    throw new InvalidStateError(
      `The queue "${this.name}" has ${is === 0 ? "no" : `a`} ${what}${
        is === 0 ? "" : ` of ${is}`
      }, not ` +
        `${wanted}. Leave ${what} out to open it as it is, or choose another name.`,
    );
  }

  #lostError(): InvalidStateError {
    return new InvalidStateError(
      `The server at ${
        publicUrl(this.wires.url)
      } has lost the queue "${this.name}": it was deleted, or the ` +
        "server came back without its data. Open it anew; what was in it is gone.",
    );
  }

  /** Runs a script in the epoch that counts. */
  async call(script: ScriptName, args: () => Arg[] = () => []): Promise<unknown> {
    if (!this.#isOpen) await this.opened;
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return await this.wires.run(
        script,
        this.base,
        () => [this.id, this.wires.client, String(this.#epoch), ...args()],
        (link) => this.#helloAgain(link),
      );
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #explained(error: unknown): unknown {
    if (!isReply(error, "MPLOST")) return error;
    const lost = this.#lostError();
    this.fail(lost);
    return lost;
  }

  /** Throws if it can't be used any more. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.wires.isClosed) throw this.wires.closedError();
  }

  fail(error: unknown): void {
    if (isReply(error, "MPLOST")) error = this.#lostError();
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#refuse(error);
    for (const line of [this.#getters, this.#putters, this.#joiners]) {
      for (const waiter of line.splice(0)) waiter.reject(error);
    }
    for (const ending of this.#endings.splice(0)) ending.reject(error);
    for (const lose of this.#held.values()) lose();
    this.#held.clear();
    clearTimeout(this.#ackTimer);
    clearInterval(this.#poll);
    this.failed?.(error);
  }

  // Epochs.

  #helloAgain(link: Link): Promise<void> {
    return this.#hello ??= this.hello(link).finally(() => this.#hello = undefined);
  }

  async hello(link: Link): Promise<void> {
    this.#epoch++;
    const { client, options } = this.wires;
    const args = [this.id, client, String(this.#epoch), String(options.leaseTime)];
    const own = entriesOf(await link.run("hello", this.base, args) as unknown[], 0);
    this.#early.clear();
    const tags = new Set(own.map(({ tag }) => tag));
    for (const [tag, lose] of this.#held) {
      if (tags.has(tag)) continue;
      this.#held.delete(tag);
      this.#known.delete(tag);
      lose();
    }
    const kept = this.#stock.filter(({ tag }) => tags.has(tag));
    for (const { tag } of this.#stock) if (!tags.has(tag)) this.#known.delete(tag);
    this.#stock = kept;
    this.#isRegistered = false;
    this.#isBlocked = false;
    this.#adopt(own);
    await this.greeted?.(link);
    this.#pumpAll();
  }

  /** Called in each epoch, once the server knows the client in it. */
  greeted: ((link: Link) => Promise<void>) | undefined;

  get epoch(): number {
    return this.#epoch;
  }

  beat(): Beat | undefined {
    if (this.#failure !== undefined || this.#epoch === 0) return undefined;
    const { client, options } = this.wires;
    const args = [this.id, client, String(this.#epoch), String(options.leaseTime)];
    return { script: "beat", base: this.base, args };
  }

  async leave(): Promise<void> {
    if (this.#failure !== undefined || this.id === "") return;
    clearTimeout(this.#ackTimer);
    if (this.#acks.length > 0) await this.#sendAcks();
    await this.wires.run(
      "leave",
      this.base,
      () => [this.id, this.wires.client, String(this.#epoch)],
    );
  }

  /** The number of messages so far: one may overtake the answer of the call that it comes of. */
  #messages = 0;

  message(message: Uint8Array): void {
    this.#messages++;
    switch (message[0]) {
      case 0x69: // i: items
        this.#isRegistered = false;
        this.#adopt(entriesIn(message as Buffer, this.#epoch), true);
        this.#pumpGets();
        break;
      case 0x67: // g: an item is ready
        this.#isRegistered = false;
        this.#pumpGets();
        break;
      case 0x70: // p: there is room
        if (this.#putters.length === 0 && !this.#isPutting) this.#passOn();
        this.#isBlocked = false;
        this.#pumpPuts();
        break;
      case 0x6a: // j: all is done
        this.#pumpJoins();
        break;
      default: // shutdown, or removed
        this.#isRegistered = this.#isBlocked = false;
        this.#pumpAll();
    }
  }

  #pumpAll(): void {
    if (this.#failure !== undefined) return;
    this.#pumpGets();
    this.#pumpPuts();
    this.#pumpJoins();
  }

  /** Asks now and then, as long as something waits. */
  #watch(): void {
    this.#poll ??= setInterval(() => {
      if (this.#getters.length + this.#putters.length + this.#joiners.length === 0) {
        clearInterval(this.#poll);
        this.#poll = undefined;
        return;
      }
      this.#isRegistered = this.#isBlocked = false;
      this.#pumpAll();
    }, POLL);
  }

  #unwatch(): void {
    if (this.#getters.length + this.#putters.length + this.#joiners.length > 0) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  // Getting.

  readonly #gets: Ward<Getter> = {
    isKnownToWait: (getter) => getter.isAsked || !this.wires.isConnected,
    timedOut: (getter) => this.#leaveGets(getter, emptyError()),
    unanswered: (getter) => this.#leaveGets(getter, getter.reason?.value ?? this.#unanswered()),
    aborted: (getter) => {
      this.#leaveGets(getter, getter.reason!.value);
      return true;
    },
  };

  #unanswered(): TimeoutError {
    return new TimeoutError(
      `The server at ${
        publicUrl(this.wires.url)
      } doesn't answer. Try again, or look after the server.`,
    );
  }

  /** Waits for up to `max` entries, and gives them to `use` in the step in which they are taken. */
  get(
    max: number,
    use: (entries: Entry[]) => unknown,
    timeout: number,
    signal?: AbortSignal,
  ): Promise<unknown> {
    this.check();
    const getter = new Getter(this.#gets, max, use, timeout, signal);
    this.#getters.push(getter);
    if (!this.#isOpen) this.opened.then(() => this.#pumpGets(), () => {});
    else this.#pumpGets();
    return getter.promise;
  }

  get waitingToGet(): number {
    return this.#getters.filter(({ isWaiting }) => isWaiting).length;
  }

  #leaveGets(getter: Getter, error: unknown): void {
    const at = this.#getters.indexOf(getter);
    if (at >= 0) this.#getters.splice(at, 1);
    getter.reject(error);
    if (this.#getters.length > 0) return;
    this.#unwatch();
    if (this.#isRegistered || this.#isTaking) this.#unwait();
  }

  /** The server is no longer to send items; it may have sent some. */
  #unwait(): void {
    this.#unwaits++;
    this.#isRegistered = false;
    this.call("unwaitget").then((reply) => {
      const unknown = entriesOf(reply as unknown[], 0).filter(({ tag }) => !this.#known.has(tag));
      for (const { tag } of unknown) this.#early.add(tag);
      this.#adopt(unknown);
    }).catch(() => {});
  }

  #pumpGets(): void {
    if (this.#isTaking || this.#getters.length === 0 || !this.#isOpen) return;
    if (this.#isRegistered && !this.#getters.some(({ isLast }) => isLast)) {
      for (const getter of this.#getters) getter.isAsked = true;
      return;
    }
    this.#isTaking = true;
    this.#take().catch((error) => {
      for (const getter of this.#getters.splice(0)) getter.reject(error);
    }).finally(() => {
      this.#isTaking = false;
      if (this.#failure === undefined) this.#pumpGets();
      this.#unwatch();
    });
  }

  async #take(): Promise<void> {
    const asked = this.#getters.slice();
    let n = 0;
    for (const { max } of asked) n = Math.min(MAX_ASKED, n + max);
    const isWaiting = asked.some(({ isLast }) => !isLast);
    const { leaseTime, maxItemBytes } = this.wires.options;
    const acks = this.#takeAcks();
    const unwaits = this.#unwaits, messages = this.#messages;
    const bytes = Math.min(MAX_CALL_BYTES, maxItemBytes);
    const args = [String(n), isWaiting ? "1" : "0", String(leaseTime), String(bytes)];
    const tags = acks.map(String);
    const reply = await this.call("take", () => [...args, ...tags]) as unknown[];
    for (const tag of acks) this.#known.delete(tag);
    if (reply[0] === 1) return this.#adopt(entriesOf(reply, 1));
    for (const getter of asked) {
      if (getter.isOver) continue;
      getter.isAsked = true;
      if (reply[0] === -1) this.#leaveLine(getter, shutDownError("is empty"));
      else if (getter.isLast) this.#leaveLine(getter, emptyError());
    }
    if (reply[0] !== 0 || unwaits !== this.#unwaits || !isWaiting) return;
    // Woken already, perhaps by what this call has registered for: it asks again where more are wanted.
    this.#isRegistered = messages === this.#messages;
    if (this.#getters.length === 0) this.#unwait();
    else this.#watch();
  }

  #leaveLine(getter: Getter, error: unknown): void {
    const at = this.#getters.indexOf(getter);
    if (at >= 0) this.#getters.splice(at, 1);
    getter.reject(error);
  }

  /** Adds what the server has leased, and hands it to those that wait; the rest goes back. */
  #adopt(entries: Entry[], isMessage = false): void {
    for (const entry of entries) {
      if (isMessage && this.#early.delete(entry.tag)) continue;
      if (this.#known.has(entry.tag)) continue;
      this.#known.add(entry.tag);
      this.#stock.push(entry);
    }
    while (this.#stock.length > 0 && this.#getters.length > 0) {
      const getter = this.#getters.shift()!;
      const taken = this.#stock.splice(0, getter.max);
      try {
        getter.resolve(getter.use(taken));
      } catch (error) {
        this.#stock.unshift(...taken);
        getter.reject(error);
      }
    }
    if (this.#stock.length > 0) this.giveBack(this.#stock.splice(0).map(({ tag }) => tag), true);
  }

  /** Gives items back to the head of the queue. */
  giveBack(tags: number[], isUntouched: boolean): Promise<void> {
    tags.sort((a, b) => a - b);
    return this.call("giveBack", () => [isUntouched ? "1" : "0", ...tags.map(String)]).then(
      () => {
        for (const tag of tags) this.#known.delete(tag);
      },
      (error) => {
        if (!isUntouched) throw error;
      },
    );
  }

  /** Acknowledges items that were handed to the program, with the next call. */
  acknowledge(entries: readonly Entry[]): void {
    for (const { tag } of entries) this.#acks.push(tag);
    if (this.#acks.length > MAX_ASKED) return void this.#sendAcks();
    this.#ackTimer ??= setTimeout(this.#ackTime, ACK_DELAY);
  }

  /** The timer isn't cleared where a call takes the acknowledgements along: making one for each item costs more. */
  readonly #ackTime = (): void => {
    this.#ackTimer = undefined;
    if (this.#acks.length === 0) return;
    if (this.#acksTaken === this.#acksTakenBefore) return void this.#sendAcks();
    this.#acksTakenBefore = this.#acksTaken;
    this.#ackTimer = setTimeout(this.#ackTime, ACK_DELAY);
  };

  /** How often acknowledgements were taken along, now and when the timer was started last. */
  #acksTaken = 0;
  #acksTakenBefore = 0;

  #takeAcks(): number[] {
    const acks = this.#acks;
    if (acks.length === 0) return acks;
    this.#acks = [];
    this.#acksTaken++;
    return acks;
  }

  async #sendAcks(): Promise<void> {
    const acks = this.#takeAcks();
    if (acks.length === 0 || this.#failure !== undefined) return;
    const tags = acks.map(String);
    await this.#sendEndings(tags).catch(() => {});
    for (const tag of acks) this.#known.delete(tag);
  }

  // Leases.

  /** Keeps an item until it is done or given back. */
  hold(entry: Entry, lose: () => void): void {
    this.#held.set(entry.tag, lose);
    this.wires.startHelper();
  }

  /** An item is about to be reported done, or given back: from here on nobody is told that its lease was lost. */
  letGo(tag: number): void {
    this.#held.delete(tag);
  }

  /** The server no longer has these items. */
  forget(tags: readonly number[]): void {
    for (const tag of tags) this.#known.delete(tag);
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Gives an item back that was in somebody's hands. */
  async release(tag: number): Promise<void> {
    if (!this.#held.delete(tag)) return;
    await this.giveBack([tag], false);
  }

  /** Reports an item done; "" stands for one of anybody's. Answers as the script does. */
  async end(tag: number | ""): Promise<string> {
    this.check();
    if (tag !== "" && !this.#held.delete(tag)) return "0";
    const answer = new Promise<string>((resolve, reject) => {
      this.#endings.push({ tag, resolve, reject });
    });
    this.#pumpEndings();
    return await answer;
  }

  #pumpEndings(): void {
    if (this.#isEnding || this.#endings.length === 0) return;
    this.#isEnding = true;
    const endings = this.#endings.splice(0, MAX_ENTRIES);
    this.#sendEndings(endings.map(({ tag }) => String(tag))).then((answers) => {
      endings.forEach(({ tag, resolve }, i) => {
        if (tag !== "") this.#known.delete(tag);
        resolve(answers[i]);
      });
    }, (error) => {
      for (const { reject } of endings) reject(error);
    }).finally(() => {
      this.#isEnding = false;
      this.#pumpEndings();
    });
  }

  /** One after the other, as the server remembers the last one only. */
  #lastEnding: Promise<unknown> = Promise.resolve();
  #sendEndings(tags: string[]): Promise<string> {
    const send = async () => {
      const number = String(++this.#endingNumber);
      return String(await this.call("done", () => [number, ...tags]));
    };
    const sent = this.#lastEnding.then(send, send);
    this.#lastEnding = sent.catch(() => {});
    return sent;
  }

  // Putting.

  readonly #puts: Ward<Putter> = {
    isKnownToWait: (putter) => putter.sent === 0 && (putter.isAsked || this.#isBlocked),
    timedOut: (putter) => this.#leavePuts(putter, this.#fullError(putter)),
    unanswered: (putter) => {
      const error = putter.reason?.value ?? new TimeoutError(
        `The server at ${
          publicUrl(this.wires.url)
        } doesn't answer, so what was to be put may be in the queue, ` +
          "or come to be. Look after the server.",
      );
      this.#leavePuts(putter, error);
    },
    aborted: (putter) => {
      // What is under way may be put: its answer tells.
      if (putter.sent > 0 && this.wires.isConnected) return false;
      this.#leavePuts(putter, putter.reason!.value);
      return true;
    },
  };

  #fullError(putter: Putter): QueueFull {
    return fullError(this.maxSize, putter.put, putter.entries.length, putter.isMany);
  }

  /** Puts entries, waiting for room. */
  put(entries: Buffer[], isMany: boolean, timeout: number, signal?: AbortSignal): Promise<void> {
    this.check();
    if (entries.length === 0) return Promise.resolve();
    const putter = new Putter(this.#puts, entries, isMany, timeout, signal);
    if (timeout === 0 && this.#isBlocked && this.#putters.length > 0) {
      putter.reject(this.#fullError(putter));
      return putter.promise;
    }
    this.#putters.push(putter);
    if (!this.#isOpen) this.opened.then(() => this.#pumpPuts(), () => {});
    else this.#pumpPuts();
    return putter.promise;
  }

  get waitingToPut(): number {
    return this.#putters.filter(({ isWaiting }) => isWaiting).length;
  }

  #leavePuts(putter: Putter, error: unknown): void {
    const at = this.#putters.indexOf(putter);
    if (at >= 0) this.#putters.splice(at, 1);
    putter.reject(error);
    if (this.#putters.length > 0) return;
    this.#unwatch();
    if (this.#isBlocked) this.#passOn();
    this.#isBlocked = false;
  }

  /** This client no longer waits for room: the next one may go on. */
  #passOn(): void {
    this.call("unwaitput").catch(() => {});
  }

  #pumpPuts(): void {
    if (this.#isPutting || this.#putters.length === 0 || !this.#isOpen) return;
    if (this.#isBlocked && !this.#putters.some(({ isLast }) => isLast)) return;
    this.#isPutting = true;
    this.#putNext().catch((error) => {
      for (const putter of this.#putters.splice(0)) putter.reject(error);
    }).finally(() => {
      this.#isPutting = false;
      if (this.#failure === undefined) this.#pumpPuts();
      this.#unwatch();
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
    const first = this.#nextNumber, messages = this.#messages;
    this.#nextNumber += entries.length;
    let reply: number[];
    try {
      const args = [String(first), isWaiting ? "1" : "0", ...entries];
      reply = await this.call("put", () => args) as number[];
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
    this.#isBlocked = messages === this.#messages;
    if (this.#putters.length > 0) this.#watch();
    else if (isWaiting) {
      this.#isBlocked = false;
      this.#passOn();
    }
  }

  // Blocking.

  /** The helper, where this thread may block. */
  #blocking(): Helper {
    this.check();
    const helper = this.wires.helper();
    if (helper !== undefined) {
      // While this thread is blocked, nobody else beats.
      this.wires.shareBeats();
      return helper;
    }
    throw new InvalidStateError(
      "This process can have no threads, and so can't block. Use the methods that return promises.",
    );
  }

  /** Runs a script by the helper, in an epoch of the caller's, until the server has answered. */
  #runSync(script: ScriptName, who: Blocked, args: Arg[], end: number): unknown {
    const helper = this.#blocking();
    for (let isLate = false;; isLate = true) {
      try {
        if (isLate || who.epoch() === 0) who.hello(helper);
        const own = [this.id, who.client, String(who.epoch()), ...args];
        return helper.runSync(script, this.base, own);
      } catch (error) {
        if (error instanceof HelperReply) {
          if (error.message.startsWith("MPLOST")) {
            const lost = this.#lostError();
            this.fail(lost);
            throw lost;
          }
          if (!error.message.startsWith("MPOLD")) throw error;
        } else if (!(error instanceof Interrupted)) throw error;
        if (performance.now() > end + PATIENCE) throw this.#unanswered();
        helper.waitSync(`${this.base}:w:nobody`, 0);
      }
    }
  }

  /** Makes sure that it is open, blocking until it is. */
  #openSync(): void {
    if (this.#isOpen) return;
    this.wires.enlist(this);
    const helper = this.#blocking();
    if (this.id === "") {
      const { maxSize, counted } = this.wanted;
      const args = [randomId(), maxSize === undefined ? "" : String(maxSize), counted ? "1" : "0"];
      const reply = helper.runSync("open", this.base, [...args, "", "", ""]) as unknown[];
      this.id = String(reply[0]);
      this.maxSize = Number(reply[1]);
    }
  }

  /** Items are leased to this client, as those that it waits for by promises. */
  readonly #taker: Blocked = {
    client: "",
    epoch: () => this.#epoch,
    hello: (helper) => {
      // The answers that are under way to this thread must not count any more.
      this.wires.breakLink();
      this.#epoch++;
      const { client, options } = this.wires;
      const args = [this.id, client, String(this.#epoch), String(options.leaseTime)];
      const own = entriesOf(helper.runSync("hello", this.base, args) as unknown[], 0);
      for (const entry of own) {
        if (this.#known.has(entry.tag)) continue;
        this.#known.add(entry.tag);
        this.#stock.push({ tag: entry.tag, bytes: entry.bytes });
      }
    },
  };

  #putEpoch = 0;
  #putNumber = 1;
  /** Items are put by a client of their own, so that they don't get between those under way. */
  readonly #giver: Blocked = {
    client: "",
    epoch: () => this.#putEpoch,
    hello: (helper) => {
      this.#putEpoch++;
      const { client, options } = this.wires;
      const args = [this.id, `${client}!`, String(this.#putEpoch), String(options.leaseTime)];
      helper.runSync("hello", this.base, args);
    },
  };

  getSync(max: number, use: (entries: Entry[]) => unknown, timeout: number): unknown {
    this.#openSync();
    this.#taker.client = this.wires.client;
    const helper = this.#blocking();
    const end = performance.now() + timeout, channel = `${this.channel}!`;
    const { leaseTime, maxItemBytes } = this.wires.options;
    helper.waitSync(channel, 0);
    for (;;) {
      const left = end - performance.now();
      const acks = this.#acks;
      const args = [
        ...[
          String(Math.min(max, MAX_ASKED)),
          timeout > 0 && left > 0 ? "2" : "0",
          String(leaseTime),
        ],
        ...[String(Math.min(MAX_CALL_BYTES, maxItemBytes)), ...acks.map(String)],
      ];
      const reply = this.#runSync("take", this.#taker, args, end) as unknown[];
      this.#acks = [];
      for (const tag of acks) this.#known.delete(tag);
      if (reply[0] === 1) {
        for (const { tag, bytes } of entriesOf(reply, 1)) {
          this.#known.add(tag);
          this.#stock.push({ tag, bytes });
        }
      }
      if (this.#stock.length > 0) {
        const taken = this.#stock.splice(0, max);
        if (this.#stock.length > 0) {
          this.giveBack(this.#stock.splice(0).map(({ tag }) => tag), true);
        }
        return use(taken);
      }
      if (reply[0] === -1) throw shutDownError("is empty");
      if (timeout === 0 || left <= 0) throw emptyError();
      helper.waitSync(channel, Math.max(1, Math.min(left, POLL)));
    }
  }

  putSync(entries: Buffer[], isMany: boolean, timeout: number): void {
    this.#openSync();
    const helper = this.#blocking();
    this.#giver.client = `${this.wires.client}!`;
    const end = performance.now() + timeout, channel = `${this.channel}!`;
    helper.waitSync(channel, 0);
    if (this.#isBlocked && this.#putters.length > 0 && timeout === 0) {
      throw fullError(this.maxSize, 0, entries.length, isMany);
    }
    for (let put = 0; put < entries.length;) {
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
      if (!isWaiting) throw fullError(this.maxSize, put, entries.length, isMany);
      helper.waitSync(channel, Math.max(1, Math.min(left, POLL)));
    }
  }

  joinSync(timeout: number): boolean {
    this.#openSync();
    this.#taker.client = this.wires.client;
    const helper = this.#blocking();
    const end = performance.now() + timeout, channel = `${this.base}:w:nobody`;
    helper.waitSync(channel, 0);
    for (let pause = 1;; pause = Math.min(2 * pause, 50)) {
      if (this.#runSync("join", this.#taker, ["0"], end) === 1) return true;
      const left = end - performance.now();
      if (left <= 0) return false;
      helper.waitSync(channel, Math.max(1, Math.min(left, pause)));
    }
  }

  // Joining.

  readonly #joins: Ward<Joiner> = {
    isKnownToWait: (joiner) => joiner.isAsked || !this.wires.isConnected,
    timedOut: (joiner) => this.#leaveJoins(joiner, () => joiner.resolve(false)),
    unanswered: (joiner) =>
      this.#leaveJoins(joiner, () => joiner.reject(joiner.reason?.value ?? this.#unanswered())),
    aborted: (joiner) => {
      this.#leaveJoins(joiner, () => joiner.reject(joiner.reason!.value));
      return true;
    },
  };

  join(timeout: number, signal?: AbortSignal): Promise<boolean> {
    this.check();
    const joiner = new Joiner(this.#joins, timeout, signal);
    this.#joiners.push(joiner);
    if (!this.#isOpen) this.opened.then(() => this.#pumpJoins(), () => {});
    else this.#pumpJoins();
    return joiner.promise;
  }

  get waitingToJoin(): number {
    return this.#joiners.filter(({ isWaiting }) => isWaiting).length;
  }

  #leaveJoins(joiner: Joiner, settle: () => void): void {
    const at = this.#joiners.indexOf(joiner);
    if (at >= 0) this.#joiners.splice(at, 1);
    settle();
    this.#unwatch();
  }

  #pumpJoins(): void {
    if (this.#isJoining || this.#joiners.length === 0 || !this.#isOpen) return;
    this.#isJoining = true;
    const asked = this.#joiners.slice(), messages = this.#messages;
    const isWaiting = asked.some(({ isLast }) => !isLast);
    this.call("join", () => [isWaiting ? "1" : "0"]).then((answer) => {
      for (const joiner of asked) {
        if (joiner.isOver) continue;
        joiner.isAsked = messages === this.#messages;
        if (answer === 1) this.#leaveJoins(joiner, () => joiner.resolve(true));
        else if (joiner.isLast) this.#leaveJoins(joiner, () => joiner.resolve(false));
      }
      if (this.#joiners.length > 0) this.#watch();
    }, (error) => {
      for (const joiner of this.#joiners.splice(0)) joiner.reject(error);
    }).finally(() => {
      this.#isJoining = false;
      if (
        this.#failure === undefined &&
        this.#joiners.some(({ isAsked, isLast }) => !isAsked || isLast)
      ) {
        this.#pumpJoins();
      }
      this.#unwatch();
    });
  }

  // Looking, and ending.

  async look(): Promise<Look> {
    const [size, put, got, done, shut, leased, dead] = await this.call("look") as number[];
    return { size, put, got, done, isShut: shut === 1, leased, dead };
  }

  async shutdown(isImmediate: boolean): Promise<void> {
    await this.call("shutdown", () => [isImmediate ? "1" : "0"]);
  }

  async remove(): Promise<void> {
    await this.call("remove");
    this.fail(
      new InvalidStateError(
        `The queue "${this.name}" was deleted. Open it anew to use the name again.`,
      ),
    );
    this.wires.remove(this);
  }
}

function emptyError(): QueueEmpty {
  return new QueueEmpty("The queue is empty. Wait longer, or put an item.");
}

function fullError(maxSize: number, put: number, total: number, isMany: boolean): QueueFull {
  const progress = isMany ? ` ${put} of ${total} items were put.` : "";
  return new QueueFull(
    `The queue is full: its maxSize is ${maxSize}.${progress} Wait longer, or get items out of it.`,
    put,
  );
}

function shutDownError(state: string): QueueShutDown {
  return new QueueShutDown(`The queue was shut down and ${state}. Make a new queue.`);
}

/** The error of whoever reports an item that is no longer its own. */
export function leaseLostError(name: string): LeaseLostError {
  return new LeaseLostError(
    `The lease of an item of the queue "${name}" had ended before it was done, and another consumer gets the ` +
      "item. Connect with a longer leaseTime if that happens without a broken connection.",
  );
}
