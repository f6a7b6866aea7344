// RemoteLock: a lock in a server, with a lease and a fencing number.

import {
  cannotClone,
  constructFrom,
  customInspect,
  type Inspect,
  InvalidStateError,
  print,
  receivedParts,
  signalOf,
  TimeoutError,
  timeoutOf,
  type WaitOptions,
} from "./core.ts";
import type { Beat, Link } from "./driver.ts";
import { LeaseLostError } from "./errors.ts";
import { Waiter, type Ward } from "./waiter.ts";
import { type Member, randomId, type Wires } from "./wires.ts";

/** How often those that wait ask again, in ms. */
const POLL = 1000;
/** After how many ms without use a lock gives up its channel. */
const IDLE = 2000;

/** A call that waits for the lock. */
class Acquirer extends Waiter<boolean, Acquirer> {
  isAsked = false;
}

/**
 * A held {@linkcode RemoteLock}, released at the end of the block: `await using held = await lock.hold()`.
 *
 * @example
 * ```ts ignore
 * import { connect, type RemoteHeld } from "@multiproc/multiprocessing/redis";
 *
 * async function write(held: RemoteHeld, text: string) {
 *   held.signal.throwIfAborted(); // the lock is another's by now
 *   await Promise.resolve(`fence ${typeof held.fence}: ${text}`); // what is locked refuses lower numbers
 * }
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * await using held = await hub.lock("report").hold();
 * await write(held, "a line");
 * ```
 */
export interface RemoteHeld extends AsyncDisposable {
  /**
   * A number larger than that of every earlier holder. Send it along with what the lock protects, so that the
   * resource can refuse a holder that was cut off and doesn't know it.
   */
  readonly fence: number;
  /** Aborted, with a LeaseLostError, when this client learns that the lock is no longer its own. */
  readonly signal: AbortSignal;
  /** Whether it was released. */
  readonly released: boolean;
  /** Releases it before the end of the block; a second call does nothing. */
  release(): Promise<void>;
}

/**
 * A lock in a Redis server, from {@linkcode Hub.lock}: one task of one program on one machine holds it at a time.
 * It is leased: when its holder's program ends, in whatever way, it is free after the hub's `leaseTime`.
 *
 * @example
 * ```ts ignore
 * import { connect } from "@multiproc/multiprocessing/redis";
 *
 * await using hub = await connect("redis://127.0.0.1:6379");
 * const lock = hub.lock("an example");
 * {
 *   await using held = await lock.hold();
 *   console.log(held.released); // false
 * }
 * console.log(await lock.acquire({ timeout: 0 })); // true
 * await lock.release();
 * ```
 */
export class RemoteLock {
  readonly #wires: Wires;
  readonly #name: string;
  readonly #base: string;
  readonly #token: string = randomId();
  readonly #member: Member;
  readonly #line: Acquirer[] = [];
  #joined: Promise<void> | undefined;
  /** How often the server was asked for it. */
  #asked = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #retiring: Promise<void> | undefined;
  #isAsking = false;
  /** The number of messages so far: one may overtake the answer of the call that it comes of. */
  #messages = 0;
  #fence = 0;
  /** The release that the server may not have run yet. */
  #releasing: Promise<unknown> | undefined;
  #lost = new AbortController();
  #failure: { error: unknown } | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;

  /** @ignore */
  constructor() {
    const parts = receivedParts<[Wires, string]>(new.target);
    if (parts === undefined) {
      throw new TypeError('A lock in a server is not constructed. Get it by hub.lock("name").');
    }
    [this.#wires, this.#name] = parts;
    this.#base = `${this.#wires.options.prefix}:{${this.#name}}:lock`;
    this.#member = {
      channel: `${this.#base}:w:${this.#token}`,
      message: () => {
        this.#messages++;
        if (this.#line.length === 0 && !this.#isAsking && this.#fence === 0) this.#passOn();
        else this.#pump();
      },
      hello: (link) => this.#hello(link),
      beat: () => this.#beat(),
      fail: (error) => this.#fail(error),
      leave: () => this.#leave(),
    };
  }

  /** Its name in the server. */
  get name(): string {
    return this.#name;
  }

  /** Whether a task of this process holds it by this object, as far as is known here. */
  get locked(): boolean {
    return this.#fence > 0;
  }

  /** The fencing number, while it is held: larger than that of every earlier holder. */
  get fence(): number | undefined {
    return this.#fence || undefined;
  }

  readonly #ward: Ward<Acquirer> = {
    isKnownToWait: (waiter) => waiter.isAsked || !this.#wires.isConnected,
    timedOut: (waiter) => this.#leaveLine(waiter, () => waiter.resolve(false)),
    unanswered: (waiter) =>
      this.#leaveLine(
        waiter,
        () => waiter.reject(new TimeoutError("The server doesn't answer. Try again.")),
      ),
    aborted: (waiter) => {
      this.#leaveLine(waiter, () => waiter.reject(waiter.reason!.value));
      return true;
    },
  };

  /**
   * Acquires it, waiting until that is possible; resolves to true, or to false if that took more than `timeout`
   * ms. Tasks of one process are served in their order.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   * @throws {TimeoutError} if the server doesn't answer within 5 s after `timeout` ms
   * @throws {InvalidStateError} if the hub is closed
   */
  async acquire(options?: WaitOptions): Promise<boolean> {
    const timeout = timeoutOf(options), signal = signalOf(options);
    this.#check();
    const waiter = new Acquirer(this.#ward, timeout, signal);
    this.#line.push(waiter);
    this.#pump();
    return await waiter.promise;
  }

  /** Acquires it if that is possible now; else false. */
  async tryAcquire(): Promise<boolean> {
    return await this.acquire({ timeout: 0 });
  }

  /**
   * Releases it.
   *
   * @throws {InvalidStateError} if it isn't held by this object
   * @throws {LeaseLostError} if its lease had ended before
   */
  async release(): Promise<void> {
    if (this.#fence === 0 && !this.#lost.signal.aborted) throw this.#notHeldError();
    const wasLost = this.#lost.signal.aborted;
    this.#fence = 0;
    this.#lost = new AbortController();
    const mine = wasLost ? 0 : await this.#free();
    this.#pump();
    this.#rest();
    if (mine === 0) throw this.#lostError();
  }

  /**
   * Acquires it until the end of the block: `await using held = await lock.hold()`.
   *
   * @throws {TimeoutError} if that took more than `timeout` ms, or the server doesn't answer; other errors as
   * `acquire`
   */
  async hold(options?: WaitOptions): Promise<RemoteHeld> {
    if (!await this.acquire(options)) {
      throw new TimeoutError(
        `The lock "${this.#name}" wasn't free in time. Wait longer, or look who holds it.`,
      );
    }
    const fence = this.#fence, { signal } = this.#lost;
    let released = false;
    const release = async () => {
      if (released) return;
      released = true;
      // By now another task may hold the lock by this object: that one's stays.
      if (this.#lost.signal === signal) await this.release();
      else throw signal.aborted ? this.#lostError() : this.#notHeldError();
    };
    return {
      fence,
      signal,
      get released() {
        return released;
      },
      release,
      [Symbol.asyncDispose]: () =>
        release().catch((error) => {
          // The holder has been told by the signal.
          if (!(error instanceof LeaseLostError)) throw error;
        }),
    };
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#wires.isClosed) throw this.#wires.closedError();
  }

  #notHeldError(): InvalidStateError {
    return new InvalidStateError(
      `The lock "${this.#name}" isn't held by this object. Acquire it first, and release it once.`,
    );
  }

  #lostError(): LeaseLostError {
    return new LeaseLostError(
      `The lease of the lock "${this.#name}" had ended, and another one may hold it. ` +
        "Connect with a longer leaseTime if that happens without a broken connection.",
    );
  }

  async #run(script: "acquire" | "release", args: string[]): Promise<unknown> {
    return await this.#wires.run(script, this.#base, () => [this.#token, ...args]);
  }

  /** Frees it. What asks for it next waits for this, so that a release that is repeated can't come after that. */
  #free(): Promise<unknown> {
    const releasing = this.#run("release", []).finally(() => {
      if (this.#releasing === releasing) this.#releasing = undefined;
    });
    return this.#releasing = releasing;
  }

  /** It is free, and nobody here wants it: wakes the next one that waits. */
  #passOn(): void {
    this.#free().catch(() => {});
  }

  #pump(): void {
    if (this.#isAsking || this.#fence > 0 || this.#line.length === 0) return;
    if (this.#failure !== undefined) return;
    this.#isAsking = true;
    this.#ask().catch((error) => {
      for (const waiter of this.#line.splice(0)) waiter.reject(error);
    }).finally(() => {
      this.#isAsking = false;
      if (this.#line.some(({ isAsked, isLast }) => !isAsked || isLast)) this.#pump();
      this.#rest();
    });
  }

  async #ask(): Promise<void> {
    this.#asked++;
    if (this.#retiring !== undefined) await this.#retiring;
    await (this.#joined ??= this.#wires.add(this.#member));
    if (this.#releasing !== undefined) await this.#releasing.catch(() => {});
    const asked = this.#line.slice(), messages = this.#messages;
    const isWaiting = asked.some(({ isLast }) => !isLast);
    const { leaseTime } = this.#wires.options;
    const fence = await this.#run("acquire", [String(leaseTime), isWaiting ? "1" : "0"]) as number;
    if (fence > 0) {
      const next = this.#line.shift();
      if (next === undefined) return void await this.#free();
      this.#fence = fence;
      this.#lost = new AbortController();
      this.#wires.startHelper();
      next.resolve(true);
    }
    for (const waiter of asked) {
      if (waiter.isOver) continue;
      waiter.isAsked = messages === this.#messages;
      if (waiter.isLast) this.#leaveLine(waiter, () => waiter.resolve(false));
    }
    if (this.#line.length === 0 && this.#fence === 0 && messages !== this.#messages) this.#passOn();
    if (this.#line.length > 0) {
      this.#poll ??= setInterval(() => {
        if (this.#line.length === 0) return this.#unwatch();
        this.#pump();
      }, POLL);
    }
  }

  #unwatch(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  #leaveLine(waiter: Acquirer, settle: () => void): void {
    const at = this.#line.indexOf(waiter);
    if (at >= 0) this.#line.splice(at, 1);
    settle();
    if (this.#line.length > 0) return;
    this.#unwatch();
    this.#rest();
  }

  get #isResting(): boolean {
    return this.#line.length === 0 && this.#fence === 0 && !this.#isAsking &&
      this.#releasing === undefined;
  }

  /** A program may have a lock for each of its requests: none that isn't used keeps anything. */
  #rest(): void {
    if (this.#idle !== undefined || !this.#isResting || this.#failure !== undefined) return;
    const asked = this.#asked;
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      // Used meanwhile: one timer for each release would cost more.
      if (asked !== this.#asked) return this.#rest();
      if (!this.#isResting || this.#joined === undefined) return;
      this.#joined = undefined;
      this.#retiring = this.#wires.remove(this.#member);
    }, IDLE);
    Deno.unrefTimer(this.#idle as unknown as number);
  }

  async #hello(link: Link): Promise<void> {
    if (this.#fence > 0) {
      const args = [this.#token, String(this.#wires.options.leaseTime)];
      if (await link.run("keep", this.#base, args) === 0) this.#lose();
    }
    this.#pump();
  }

  #lose(): void {
    this.#fence = 0;
    this.#lost.abort(this.#lostError());
  }

  #beat(): Beat | undefined {
    const fence = this.#fence;
    if (fence === 0) return undefined;
    const args = [this.#token, String(this.#wires.options.leaseTime)];
    return {
      script: "keep",
      base: this.#base,
      args,
      answered: (reply: unknown) => {
        if (reply === 0 && this.#fence === fence) this.#lose();
      },
    };
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiter of this.#line.splice(0)) waiter.reject(error);
    this.#unwatch();
    clearTimeout(this.#idle);
  }

  async #leave(): Promise<void> {
    this.#unwatch();
    clearTimeout(this.#idle);
    await this.#run("release", []);
  }

  /** @ignore */
  get [cannotClone](): string {
    return "a RemoteLock, a place in a server. Open it there by its name";
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { name, locked } = this;
    return print(this, ["RemoteLock", RemoteLock], () => ({ name, locked }), inspect, options);
  }
}

/** The lock of this name. */
export function lockOf(wires: Wires, name: string): RemoteLock {
  return constructFrom(RemoteLock, [wires, name]);
}
