// A queue in the server, as a client sees it: opened, in an epoch of its own with each connection, until it fails or
// is removed. What it does is in takes.ts, puts.ts, joins.ts and blocking.ts.

import { InvalidStateError } from "./core.ts";
import type { Buffer } from "node:buffer";
import { BlockingCalls, type BlockingHost } from "./blocking.ts";
import type { Arg, Beat, Link } from "./driver.ts";
import { isReply } from "./driver.ts";
import { entriesIn, entriesOf } from "./entry.ts";
import type { Helper } from "./helper.ts";
import { POLL } from "./host.ts";
import { Joins } from "./joins.ts";
import type { Properties } from "./options.ts";
import { publicUrl } from "./options.ts";
import { Puts } from "./puts.ts";
import type { ScriptName } from "./scripts.ts";
import { Takes } from "./takes.ts";
import { type Member, randomId, type Wires } from "./wires.ts";

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
export class Store implements Member, BlockingHost {
  readonly wires: Wires;
  readonly name: string;
  readonly base: string;
  readonly client: string;
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

  readonly takes: Takes = new Takes(this);
  readonly puts: Puts = new Puts(this);
  readonly joins: Joins = new Joins(this);
  readonly blocking: BlockingCalls = new BlockingCalls(this, this.takes, this.puts);

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
    this.client = wires.newClient();
    this.channel = `${base}:w:${this.client}`;
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
      const { id, maxSize, attempts } = await this.#ask(this.wanted, this.id);
      if (this.id !== "" && this.id !== id) throw this.#lostError();
      this.id = id;
      this.maxSize = maxSize;
      this.attempts = attempts;
      await this.wires.add(this);
      this.#isOpen = true;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Asks for the queue, which is made if need be, and checks that it is what is wanted. */
  async #ask({ maxSize, counted, attempts, expireAfter }: Properties, wantedId: string) {
    const text = (n: number | undefined) => n === undefined ? "" : String(n);
    const args = [text(maxSize), counted ? "1" : "0", text(attempts), text(expireAfter), wantedId];
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
    return { id: String(id), maxSize: Number(max), attempts: Number(most) };
  }

  /** Whether this is, still, the queue that another handle of the hub wants. Throws where that wants another kind. */
  async isWanted(wanted: Properties): Promise<boolean> {
    return this.#isOpen && this.#failure === undefined &&
      (await this.#ask(wanted, "")).id === this.id;
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

  async call(script: ScriptName, args: () => Arg[] = () => []): Promise<unknown> {
    if (!this.#isOpen) await this.opened;
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return await this.wires.run(
        script,
        this.base,
        () => [this.id, this.client, String(this.#epoch), ...args()],
        (link) => this.#helloAgain(link),
      );
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #explained(error: unknown): unknown {
    return isReply(error, "MPLOST") ? this.lost() : error;
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.wires.isClosed) throw this.wires.closedError();
  }

  fail(error: unknown): void {
    if (isReply(error, "MPLOST")) error = this.#lostError();
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#refuse(error);
    for (const part of [this.takes, this.puts, this.joins]) part.fail(error);
    clearInterval(this.#poll);
    this.failed?.(error);
  }

  // Epochs.

  #helloAgain(link: Link): Promise<void> {
    return this.#hello ??= this.hello(link).finally(() => this.#hello = undefined);
  }

  async hello(link: Link): Promise<void> {
    const { leaseTime } = this.wires.options;
    let reply: unknown;
    while (reply === undefined) {
      const args = [this.id, this.client, String(++this.#epoch), String(leaseTime)];
      try {
        reply = await link.run("hello", this.base, args);
      } catch (error) {
        // A blocking call has begun a later epoch meanwhile.
        if (!isReply(error, "MPOLD") || this.#failure !== undefined) throw error;
      }
    }
    const own = entriesOf(reply as unknown[], 0);
    this.puts.unblock();
    this.takes.greeted(own);
    await this.greeted?.(link);
    this.#pumpAll();
  }

  /** Called in each epoch, once the server knows the client in it. */
  greeted: ((link: Link) => Promise<void>) | undefined;

  get epoch(): number {
    return this.#epoch;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  beat(): Beat | undefined {
    if (this.#failure !== undefined || this.#epoch === 0) return undefined;
    const { leaseTime } = this.wires.options;
    const args = [this.id, this.client, String(this.#epoch), String(leaseTime)];
    return { script: "beat", base: this.base, args };
  }

  async leave(): Promise<void> {
    if (this.#failure !== undefined || this.id === "") return;
    // First of all: what comes from now on goes back, and must not be handed out as well.
    await this.takes.stop(this.wires.closedError());
    await this.takes.sendAcks();
    await this.wires.run(
      "leave",
      this.base,
      () => [this.id, this.client, String(this.#epoch)],
    );
  }

  #messages = 0;

  get messages(): number {
    return this.#messages;
  }

  message(message: Uint8Array): void {
    this.#messages++;
    switch (message[0]) {
      case 0x69: // i: items
        this.takes.woken();
        this.takes.adopt(entriesIn(message as Buffer, this.#epoch), true);
        this.takes.pump();
        break;
      case 0x67: // g: an item is ready
        this.takes.woken();
        this.takes.pump();
        break;
      case 0x70: // p: there is room
        this.puts.woken();
        break;
      case 0x6a: // j: all is done
        this.joins.pump();
        break;
      default: // shutdown, or removed
        this.#pumpAll();
    }
  }

  /** Asks the server for all that wait, whatever it has said before. */
  #pumpAll(): void {
    if (this.#failure !== undefined) return;
    this.takes.woken();
    this.puts.unblock();
    this.takes.pump();
    this.puts.pump();
    this.joins.pump();
  }

  get #isIdle(): boolean {
    return this.takes.isIdle && this.puts.isIdle && this.joins.isIdle;
  }

  watch(): void {
    this.#poll ??= setInterval(() => {
      if (this.#isIdle) this.unwatch();
      else this.#pumpAll();
    }, POLL);
  }

  unwatch(): void {
    if (!this.#isIdle) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  // Blocking.

  openSync(helper: () => Helper): void {
    if (this.#isOpen) return;
    this.wires.enlist(this);
    const thread = helper();
    if (this.id !== "") return;
    const { maxSize, counted } = this.wanted;
    const args = [randomId(), maxSize === undefined ? "" : String(maxSize), counted ? "1" : "0"];
    const reply = thread.runSync("open", this.base, [...args, "", "", ""]) as unknown[];
    this.id = String(reply[0]);
    this.maxSize = Number(reply[1]);
  }

  nextEpoch(): number {
    // The answers that are under way to this thread must not count any more.
    this.wires.breakLink();
    return ++this.#epoch;
  }

  lost(): Error {
    const lost = this.#lostError();
    this.fail(lost);
    return lost;
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
