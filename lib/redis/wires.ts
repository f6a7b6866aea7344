// The connections of a hub over time: made anew when they break, with an epoch of their own each time. Whoever
// has something in the server is a member: it listens to a channel, says hello in each epoch, and beats.

import { InvalidStateError, TimeoutError } from "./core.ts";
import process from "node:process";
import { type Arg, type Beat, isReply, Link, type Reply } from "./driver.ts";
import { Interrupted } from "./errors.ts";
import { Helper } from "./helper.ts";
import type { Checked } from "./options.ts";
import { publicUrl } from "./options.ts";
import type { ScriptName } from "./scripts.ts";

/** What has a channel, and things in the server that are kept by beats. */
export interface Member {
  readonly channel: string;
  /** Called with each message of the channel. */
  message(message: Uint8Array): void;
  /** Begins an epoch: in a new connection, or where the server has taken the client for dead. */
  hello(link: Link): Promise<void>;
  /** Undefined where there is nothing to keep. */
  beat(): Beat | undefined;
  /** It can't go on. */
  fail(error: unknown): void;
  /** Gives back what it holds, and goes. */
  leave(): Promise<void>;
}

const SHORTEST_DELAY = 20, LONGEST_DELAY = 1000, LONGEST_BEAT = 5000;
/** Refusals that waiting doesn't mend: of the password, of the user, and by a server that is too old. */
const LASTING = ["WRONGPASS", "NOAUTH", "NOPERM", "ERR unknown command", "NOPROTO"];
/** How long an idle hub may keep the program alive, in ms. */
const LINGER = 20;

const open = new Set<Wires>();
process.on("beforeExit", () => Promise.all([...open].map((wires) => wires.close())));

/** A random name that no other client has. */
export function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(9))]
    .map((byte) => byte.toString(36).padStart(2, "0")).join("");
}

/** The connections of a hub. */
export class Wires {
  readonly url: string;
  readonly options: Checked;
  readonly client: string = randomId();
  #clients = 0;
  readonly #members = new Set<Member>();
  /** Members to be, which are told when the hub is closed. */
  readonly #expected = new Set<Member>();
  /** The link in which each member has begun its epoch last. */
  readonly #joined = new WeakMap<Member, Link>();
  #link: Link | undefined;
  #up = Promise.withResolvers<Link>();
  #closed: Promise<void> | undefined;
  #beats: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #wakeRetry: (() => void) | undefined;
  #busy = 0;
  #isKept = true;
  #linger: ReturnType<typeof setTimeout> | undefined;
  /** Whether the server writes what it is told to a file. */
  isPersistent: boolean | undefined;
  #helper: Helper | undefined;
  #isWithoutHelper = false;
  #sharedBeats = "";
  /** Whether there was a connection. */
  #wasUp = false;
  /** Errors that no caller could be given. */
  fatal: unknown;

  constructor(url: string, options: Checked) {
    this.url = url;
    this.options = options;
    this.#up.promise.catch(() => {});
    open.add(this);
  }

  /** A name for a client of its own in the server. */
  newClient(): string {
    return `${this.client}.${++this.#clients}`;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  /** Connects for the first time. */
  async connect(timeout: number, signal?: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    const abort = () => aborted.reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    const end = performance.now() + timeout;
    try {
      for (let delay = SHORTEST_DELAY;; delay = Math.min(2 * delay, LONGEST_DELAY)) {
        const left = end - performance.now();
        try {
          await Promise.race([
            this.#open(Math.max(1, Math.min(left, 2 ** 31 - 1))),
            aborted.promise,
          ]);
          return;
        } catch (error) {
          if (!(error instanceof Interrupted)) throw error;
          if (performance.now() + delay >= end) {
            throw new TimeoutError(
              `No Redis server answers at ${publicUrl(this.url)} in ${timeout} ms ` +
                `(${
                  error.message || "no connection"
                }). Start one there, or give the URL of another.`,
              { cause: error.cause } as never,
            );
          }
        }
        await Promise.race([new Promise((resolve) => setTimeout(resolve, delay)), aborted.promise]);
      }
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Connects in the background, and goes on until it has succeeded. */
  connectLater(): void {
    this.#reconnect(0);
  }

  /** Makes a link, and lets all members begin an epoch in it. */
  async #open(connectTimeout: number): Promise<void> {
    let isUp = false;
    const link: Link = await Link.open(this.url, { ...this.options, connectTimeout }, () => {
      if (isUp) this.#lost();
    }).catch((error) => {
      throw this.#refusal(error);
    });
    try {
      await this.#check(link);
      await link.load();
      for (const member of this.#members) {
        await this.#join(member, link).catch((error) => {
          if (error instanceof Interrupted) throw error;
          member.fail(error);
        });
      }
      if (this.isClosed) throw this.closedError();
      if (link.isBroken) throw new Interrupted("The connection has ended.");
    } catch (error) {
      link.break(error);
      throw this.#refusal(error);
    }
    isUp = this.#wasUp = true;
    this.#link = link;
    if (!this.#isKept) link.keepAlive(false);
    this.#up.resolve(link);
    this.#beats ??= this.#startBeats();
  }

  /** Lets a member begin an epoch in a link, once. */
  async #join(member: Member, link: Link): Promise<void> {
    if (this.#joined.get(member) === link) return;
    this.#joined.set(member, link);
    await link.subscribe(member.channel, (message) => {
      if (!link.isBroken) member.message(message);
    });
    await member.hello(link);
  }

  #refusal(error: unknown): unknown {
    if (isReply(error, "WRONGPASS") || isReply(error, "NOAUTH")) {
      return new InvalidStateError(
        `The server at ${publicUrl(this.url)} refuses the user or the password ` +
          `(${(error as Error).message}). Give both in the URL: redis://user:password@host:6379.`,
        { cause: error } as never,
      );
    }
    if (isReply(error, "ERR unknown command") || isReply(error, "NOPROTO")) {
      return new InvalidStateError(
        `The server at ${publicUrl(this.url)} is too old (${(error as Error).message}). ` +
          "Use Redis 7.0 or later, or Valkey.",
        { cause: error } as never,
      );
    }
    if (isReply(error, "")) {
      return new InvalidStateError(
        `The server at ${publicUrl(this.url)} refuses this client (${(error as Error).message}). ` +
          "Give the URL of another server or database, or a user who may do more.",
        { cause: error } as never,
      );
    }
    return error;
  }

  /** Refuses a server that can't do what is promised. */
  async #check(link: Link): Promise<void> {
    let info: string;
    try {
      info = String(await link.command(["INFO"]));
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      if (!isReply(error, "NOPERM")) throw error;
      console.warn(
        `The server at ${publicUrl(this.url)} doesn't let this user run INFO: ` +
          "whether it evicts or persists isn't checked.",
      );
      return;
    }
    const valueOf = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1];
    if (valueOf("loading") === "1") throw new Interrupted("The server loads its data.");
    const version = valueOf("redis_version") ?? "unknown";
    if (!(parseInt(version) >= 7)) {
      throw new InvalidStateError(
        `The server at ${publicUrl(this.url)} is Redis ${version}, which can't run these queues. ` +
          "Use Redis 7.0 or later, or Valkey.",
      );
    }
    const policy = valueOf("maxmemory_policy");
    if (policy !== undefined && policy !== "noeviction") {
      throw new InvalidStateError(
        `The server at ${publicUrl(this.url)} evicts data when its memory is full ` +
          `(maxmemory-policy is ${policy}), so items would be lost. ` +
          "Set it to noeviction: redis-cli config set maxmemory-policy noeviction.",
      );
    }
    this.isPersistent = valueOf("aof_enabled") === "1";
  }

  #lost(): void {
    if (this.#link === undefined) return;
    this.#link = undefined;
    this.#up = Promise.withResolvers();
    this.#up.promise.catch(() => {});
    if (!this.isClosed) this.#reconnect(0);
  }

  async #reconnect(first: number): Promise<void> {
    let delay = SHORTEST_DELAY;
    for (let wait = first; !this.isClosed; wait = delay * (0.5 + Math.random() / 2)) {
      if (wait > 0) await this.#sleep(wait);
      if (this.isClosed) return;
      delay = Math.min(2 * delay, LONGEST_DELAY);
      try {
        return await this.#open(LONGEST_BEAT);
      } catch (error) {
        if (error instanceof Interrupted || this.isClosed || this.#mayPass(error)) continue;
        // The server is no longer what it was, or refuses this client: all who wait are told.
        this.fatal = error;
        this.#up.reject(error);
        for (const member of this.#members) member.fail(error);
        return;
      }
    }
  }

  /** Whether a server that has taken this client before may do so again. */
  #mayPass(error: unknown): boolean {
    if (!this.#wasUp || !(error instanceof Error) || error.cause === undefined) return false;
    const { cause } = error;
    return isReply(cause, "") && !LASTING.some((begin) => isReply(cause, begin));
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeRetry = resolve;
      this.#retry = setTimeout(resolve, ms);
      if (!this.#isKept) Deno.unrefTimer(this.#retry as unknown as number);
    });
  }

  /** Beats for a member that hasn't been added yet, because its process blocks. */
  enlist(member: Member): void {
    this.#members.add(member);
  }

  /** A member will be added. */
  expect(member: Member): void {
    this.#expected.add(member);
  }

  /** A member was added, or won't be. */
  expected(member: Member): void {
    this.#expected.delete(member);
  }

  /** Adds a member, which says hello as soon as there is a connection. */
  async add(member: Member): Promise<void> {
    this.#members.add(member);
    for (;;) {
      const link = await this.link();
      try {
        return await this.#join(member, link);
      } catch (error) {
        if (error instanceof Interrupted) continue;
        this.#members.delete(member);
        throw error;
      }
    }
  }

  /** Removes a member that has left. */
  async remove(member: Member): Promise<void> {
    this.#members.delete(member);
    this.#joined.delete(member);
    await this.#link?.unsubscribe(member.channel).catch(() => {});
  }

  /** The connection, when there is one. */
  link(): Link | Promise<Link> {
    if (this.#link !== undefined) return this.#link;
    if (this.isClosed) throw this.closedError();
    if (this.fatal !== undefined) throw this.fatal;
    return this.#up.promise;
  }

  /**
   * Runs a script, again and again until the server has answered. The caller's arguments may change with the
   * epoch.
   */
  async run(
    script: ScriptName,
    base: string,
    args: () => Arg[],
    refused?: (link: Link) => Promise<void>,
  ): Promise<Reply> {
    this.hold();
    try {
      for (;;) {
        const link = this.#link ?? await this.link();
        try {
          return await link.run(script, base, args());
        } catch (error) {
          if (isReply(error, "MPOLD") && refused !== undefined) {
            await refused(link).catch((error) => {
              if (!(error instanceof Interrupted)) throw error;
            });
          } else if (!(error instanceof Interrupted)) throw error;
          else if (!link.isBroken) await this.#sleep(SHORTEST_DELAY * (1 + Math.random()));
          else if (this.isClosed) throw this.closedError();
        }
      }
    } finally {
      this.release();
    }
  }

  #startBeats(): ReturnType<typeof setInterval> {
    const period = Math.min(this.options.leaseTime / 3, LONGEST_BEAT);
    const deadline = Math.max(250, period);
    const timer = setInterval(() => {
      const link = this.#link;
      if (link === undefined) return;
      const answers: Promise<unknown>[] = [];
      for (const member of this.#members) {
        const beat = member.beat();
        if (beat !== undefined) answers.push(this.#beat(link, member, beat));
      }
      if (answers.length === 0) answers.push(link.ping());
      const giveUp = () => link.break(new Error(`The server hasn't answered for ${deadline} ms.`));
      // Once more where the time is up: the process may have been busy, and the answer is there.
      let late = setTimeout(() => {
        late = setTimeout(giveUp, 50);
        Deno.unrefTimer(late as unknown as number);
      }, deadline);
      Deno.unrefTimer(late as unknown as number);
      Promise.allSettled(answers).then(() => clearTimeout(late));
    }, period);
    Deno.unrefTimer(timer as unknown as number);
    return timer;
  }

  async #beat(link: Link, member: Member, { script, base, args, answered }: Beat): Promise<void> {
    try {
      const reply = await link.runBeside(script, base, args);
      answered?.(reply);
    } catch (error) {
      // Removed by another program: whoever waits for something else of this member's learns it here.
      if (isReply(error, "MPLOST")) member.fail(error);
      else throw error;
    }
  }

  /** Lets a thread of its own beat from now on, where the program can have one. */
  startHelper(): void {
    if (this.options.heartbeat === "thread" && this.helper() !== undefined) this.shareBeats();
  }

  /** The thread of this hub; undefined where there can't be one, as in a sealed process. */
  helper(): Helper | undefined {
    if (this.#helper === undefined && !this.#isWithoutHelper) {
      try {
        this.#helper = new Helper(this.url, this.options);
      } catch {
        this.#isWithoutHelper = true;
      }
    }
    return this.#helper;
  }

  /** Tells the thread what it is to keep, where that has changed. */
  shareBeats(): void {
    if (this.#helper === undefined) return;
    const beats = this.#allBeats();
    const text = JSON.stringify(beats);
    if (text === this.#sharedBeats) return;
    this.#sharedBeats = text;
    this.#helper.setBeats(JSON.parse(text));
  }

  #allBeats(): Beat[] {
    return [...this.#members].map((member) => member.beat()).filter((beat) => beat !== undefined);
  }

  /** Gives up the connections, and makes new ones. */
  breakLink(): void {
    this.#link?.break(new Error("A blocking call has begun anew."));
  }

  /** From now on until as many calls of release(), the hub keeps the program alive. */
  hold(): void {
    if (this.#busy++ > 0 || this.#isKept) return;
    this.#isKept = true;
    this.#link?.keepAlive(true);
    if (this.#retry !== undefined) Deno.refTimer(this.#retry as unknown as number);
  }

  /** Takes back a hold(). */
  release(): void {
    if (--this.#busy > 0 || this.#linger !== undefined || this.isClosed) return;
    this.#linger = setTimeout(() => {
      this.#linger = undefined;
      if (this.#busy > 0 || this.isClosed) return;
      this.#isKept = false;
      this.#link?.keepAlive(false);
      if (this.#retry !== undefined) Deno.unrefTimer(this.#retry as unknown as number);
    }, LINGER);
  }

  /** The error of whoever uses a closed hub. */
  closedError(): InvalidStateError {
    return new InvalidStateError(
      "This process has closed the hub. Use its queues and locks before close(), or connect anew.",
    );
  }

  /** All members leave, and the connections end. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    open.delete(this);
    const link = this.#link;
    const error = this.closedError();
    if (link !== undefined) {
      const leaving = [...this.#members].map((member) => member.leave().catch(() => {}));
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, 2000);
      await Promise.race([Promise.all(leaving), late.promise]);
      clearTimeout(timer);
    }
    for (const member of [...this.#members, ...this.#expected]) member.fail(error);
    clearInterval(this.#beats);
    clearTimeout(this.#retry);
    clearTimeout(this.#linger);
    this.#wakeRetry?.();
    this.#up.reject(error);
    if (link !== undefined && !link.isBroken) await link.close();
    this.#link = undefined;
    await this.#helper?.end();
  }
}
