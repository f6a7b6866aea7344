// Getting: the calls that wait for items in this process, what the server has leased to it, and what becomes of
// that. One call of `take` is under way at a time, for all that wait.

import { entriesOf, type Entry, isOwn } from "./entry.ts";
import { type Host, MAX_ASKED, MAX_CALL_BYTES, MAX_ENTRIES } from "./host.ts";
import { emptyError, shutDownError, unanswered } from "./queue_errors.ts";
import { Waiter, type Ward } from "./waiter.ts";

/** How long an acknowledgement waits for the next take, in ms. */
const ACK_DELAY = 2;
/** After how many ms acknowledgements that the server has refused are sent again, where no take does so before. */
const ACK_AGAIN = 1000;

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

/** Items that are to be reported done, "" for anybody's. */
interface Ending {
  tag: number | "";
  resolve(answer: string): void;
  reject(error: unknown): void;
}

/** What a client gets of a queue. */
export class Takes {
  readonly #host: Host;
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
  #taking: Promise<void> | undefined;
  /** The hub is being closed: what still comes goes back when this client leaves. */
  #isStopped = false;
  #isRegistered = false;
  #unwaits = 0;
  #acks: number[] = [];
  #ackTimer: ReturnType<typeof setTimeout> | undefined;

  #endings: Ending[] = [];
  #isEnding = false;
  #endingNumber = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whether a call waits. */
  get isIdle(): boolean {
    return this.#getters.length === 0;
  }

  /** It can't go on. */
  fail(error: unknown): void {
    for (const getter of this.#getters.splice(0)) getter.reject(error);
    for (const ending of this.#endings.splice(0)) ending.reject(error);
    for (const lose of this.#held.values()) lose();
    this.#held.clear();
    clearTimeout(this.#ackTimer);
  }

  /** Hands out nothing more, and waits for what the server has been asked. */
  async stop(error: unknown): Promise<void> {
    this.#isStopped = true;
    for (const getter of this.#getters.splice(0)) getter.reject(error);
    await this.#taking;
  }

  /** An epoch begins, in which the server has leased these items to this client. */
  greeted(own: Entry[]): void {
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
    this.adopt(own);
  }

  /** The server no longer knows that this client waits. */
  woken(): void {
    this.#isRegistered = false;
  }

  /** Keeps what the server has leased to a thread that blocks, until that takes it. */
  stock(entries: Entry[]): void {
    for (const { tag, bytes } of entries) {
      if (this.#known.has(tag)) continue;
      this.#known.add(tag);
      this.#keep({ tag, bytes });
    }
  }

  #keep(entry: Entry): void {
    if (isOwn(entry.bytes)) this.#stock.push(entry);
    else this.#setAside(entry.tag);
  }

  /** Something else has written this entry: at the head of the queue it would fail every call. */
  #setAside(tag: number): void {
    this.#host.call("setAside", () => [String(tag)]).then((list) => {
      this.#known.delete(tag);
      console.error(
        `The queue "${this.#host.name}" had an entry that this library didn't write. ` +
          `It is in the list ${list} of the server now.`,
      );
    }).catch(() => {}); // it goes back to the queue when this client leaves
  }

  /** Takes up to `max` of what was kept, for a thread that blocks; the rest goes back. */
  unstock(max: number): Entry[] {
    const taken = this.#stock.splice(0, max);
    if (this.#stock.length > 0) this.giveBack(this.#stock.splice(0).map(({ tag }) => tag), true);
    return taken;
  }

  readonly #ward: Ward<Getter> = {
    isKnownToWait: (getter) => getter.isAsked || !this.#host.wires.isConnected,
    timedOut: (getter) => this.#leaveGets(getter, emptyError()),
    unanswered: (getter) =>
      this.#leaveGets(getter, getter.reason?.value ?? unanswered(this.#host.wires.url)),
    aborted: (getter) => {
      this.#leaveGets(getter, getter.reason!.value);
      return true;
    },
  };

  /** Waits for up to `max` entries, and gives them to `use` in the step in which they are taken. */
  get(
    max: number,
    use: (entries: Entry[]) => unknown,
    timeout: number,
    signal?: AbortSignal,
  ): Promise<unknown> {
    this.#host.check();
    const getter = new Getter(this.#ward, max, use, timeout, signal);
    this.#getters.push(getter);
    if (!this.#host.isOpen) this.#host.opened.then(() => this.pump(), () => {});
    else this.pump();
    return getter.promise;
  }

  get waiting(): number {
    return this.#getters.filter(({ isWaiting }) => isWaiting).length;
  }

  #leaveGets(getter: Getter, error: unknown): void {
    const at = this.#getters.indexOf(getter);
    if (at >= 0) this.#getters.splice(at, 1);
    getter.reject(error);
    if (this.#getters.length > 0) return;
    this.#host.unwatch();
    if (this.#isRegistered || this.#isTaking) this.#unwait();
  }

  /** The server is no longer to send items; it may have sent some. */
  #unwait(): void {
    this.#unwaits++;
    this.#isRegistered = false;
    this.#host.call("unwaitget").then((reply) => {
      const unknown = entriesOf(reply as unknown[], 0).filter(({ tag }) => !this.#known.has(tag));
      for (const { tag } of unknown) this.#early.add(tag);
      this.adopt(unknown);
    }).catch(() => {});
  }

  /** Asks the server for those that wait, unless it knows. */
  pump(): void {
    if (this.#isTaking || this.#getters.length === 0 || !this.#host.isOpen) return;
    if (this.#isRegistered && !this.#getters.some(({ isLast }) => isLast)) {
      for (const getter of this.#getters) getter.isAsked = true;
      return;
    }
    this.#isTaking = true;
    this.#taking = this.#take().catch((error) => {
      for (const getter of this.#getters.splice(0)) getter.reject(error);
    }).finally(() => {
      this.#isTaking = false;
      if (!this.#host.hasFailed) this.pump();
      this.#host.unwatch();
    });
  }

  async #take(): Promise<void> {
    const asked = this.#getters.slice();
    let n = 0;
    for (const { max } of asked) n = Math.min(MAX_ASKED, n + max);
    const isWaiting = asked.some(({ isLast }) => !isLast);
    const { leaseTime, maxItemBytes } = this.#host.wires.options;
    const acks = this.takeAcks();
    const unwaits = this.#unwaits, messages = this.#host.messages;
    const bytes = Math.min(MAX_CALL_BYTES, maxItemBytes);
    const args = [String(n), isWaiting ? "1" : "0", String(leaseTime), String(bytes)];
    const tags = acks.map(String);
    let reply: unknown[];
    try {
      reply = await this.#host.call("take", () => [...args, ...tags]) as unknown[];
    } catch (error) {
      this.untakeAcks(acks);
      throw error;
    }
    for (const tag of acks) this.#known.delete(tag);
    if (reply[0] === 1) return this.adopt(entriesOf(reply, 1));
    for (const getter of asked) {
      if (getter.isOver) continue;
      getter.isAsked = true;
      if (reply[0] === -1) this.#leaveLine(getter, shutDownError("is empty"));
      else if (getter.isLast) this.#leaveLine(getter, emptyError());
    }
    if (reply[0] !== 0 || unwaits !== this.#unwaits || !isWaiting) return;
    // Woken already, perhaps by what this call has registered for: it asks again where more are wanted.
    this.#isRegistered = messages === this.#host.messages;
    if (this.#getters.length === 0) this.#unwait();
    else this.#host.watch();
  }

  #leaveLine(getter: Getter, error: unknown): void {
    const at = this.#getters.indexOf(getter);
    if (at >= 0) this.#getters.splice(at, 1);
    getter.reject(error);
  }

  /** Adds what the server has leased, and hands it to those that wait; the rest goes back. */
  adopt(entries: Entry[], isMessage = false): void {
    if (this.#isStopped) return;
    for (const entry of entries) {
      if (isMessage && this.#early.delete(entry.tag)) continue;
      if (this.#known.has(entry.tag)) continue;
      this.#known.add(entry.tag);
      this.#keep(entry);
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
    return this.#host.call("giveBack", () => [isUntouched ? "1" : "0", ...tags.map(String)]).then(
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
    if (this.#acks.length > MAX_ASKED) return void this.sendAcks();
    this.#ackTimer ??= setTimeout(this.#ackTime, ACK_DELAY);
  }

  /** The timer isn't cleared where a call takes the acknowledgements along: making one for each item costs more. */
  readonly #ackTime = (): void => {
    this.#ackTimer = undefined;
    if (this.#acks.length === 0) return;
    if (this.#acksTaken === this.#acksTakenBefore) return void this.sendAcks();
    this.#acksTakenBefore = this.#acksTaken;
    this.#ackTimer = setTimeout(this.#ackTime, ACK_DELAY);
  };

  /** How often acknowledgements were taken along, now and when the timer was started last. */
  #acksTaken = 0;
  #acksTakenBefore = 0;

  /** The acknowledgements that the next call takes along. */
  takeAcks(): number[] {
    const acks = this.#acks;
    // A list of its own in any case: items that are got while the call is under way must not get into it.
    this.#acks = [];
    if (acks.length > 0) this.#acksTaken++;
    return acks;
  }

  /** The call that took these along has failed: they are sent again. */
  untakeAcks(acks: number[]): void {
    if (acks.length === 0 || this.#host.hasFailed) return;
    this.#acks = acks.concat(this.#acks);
    if (this.#ackTimer !== undefined) return;
    this.#ackTimer = setTimeout(() => {
      this.#ackTimer = undefined;
      this.sendAcks();
    }, ACK_AGAIN);
    // The end of the program sends them once more.
    Deno.unrefTimer(this.#ackTimer as unknown as number);
  }

  /** Sends the acknowledgements by themselves. */
  async sendAcks(): Promise<void> {
    const acks = this.takeAcks();
    if (acks.length === 0 || this.#host.hasFailed) return;
    const tags = acks.map(String);
    try {
      await this.#sendEndings(tags);
    } catch {
      return this.untakeAcks(acks);
    }
    for (const tag of acks) this.#known.delete(tag);
  }

  // Leases.

  /** Keeps an item until it is done or given back. */
  hold(entry: Entry, lose: () => void): void {
    this.#held.set(entry.tag, lose);
    this.#host.wires.startHelper();
  }

  /** An item is about to be reported done, or given back: from here on nobody is told that its lease was lost. */
  letGo(tag: number): void {
    this.#held.delete(tag);
  }

  /** The server no longer has these items. */
  forget(tags: readonly number[]): void {
    for (const tag of tags) this.#known.delete(tag);
  }

  /** Gives an item back that was in somebody's hands. */
  async release(tag: number): Promise<void> {
    const lose = this.#held.get(tag);
    if (lose === undefined) return;
    this.#held.delete(tag);
    try {
      await this.giveBack([tag], false);
    } catch (error) {
      this.#holdAgain(tag, lose);
      throw error;
    }
  }

  /** Reports an item done; "" stands for one of anybody's. Answers as the script does. */
  async end(tag: number | ""): Promise<string> {
    this.#host.check();
    const lose = tag === "" ? undefined : this.#held.get(tag);
    if (tag !== "") {
      if (lose === undefined) return "0";
      this.#held.delete(tag);
    }
    const answer = new Promise<string>((resolve, reject) => {
      this.#endings.push({ tag, resolve, reject });
    });
    this.#pumpEndings();
    try {
      return await answer;
    } catch (error) {
      if (tag !== "") this.#holdAgain(tag, lose!);
      throw error;
    }
  }

  /** The server has refused to end a lease, which goes on. */
  #holdAgain(tag: number, lose: () => void): void {
    if (this.#host.hasFailed) lose();
    else this.#held.set(tag, lose);
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
      return String(await this.#host.call("done", () => [number, ...tags]));
    };
    const sent = this.#lastEnding.then(send, send);
    this.#lastEnding = sent.catch(() => {});
    return sent;
  }
}
