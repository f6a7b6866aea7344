// Process, the public face: its options, its life as its starter sees it.

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { describe } from "../describe.ts";
import { InvalidStateError, ProcessError, TimeoutError } from "../errors.ts";
import { load, post, receivePosted, settle, unload } from "../memory/cargo.ts";
import { ASKED, EXIT, FINISHED, newControl, readCode } from "../memory/control.ts";
import { uninterrupted } from "../memory/critical.ts";
import { cannotClone } from "../memory/crossing.ts";
import { ownRef, ownRoster } from "../memory/roster.ts";
import { type Gate, WAIT } from "../wait/gate.ts";
import { blocking, eventually, now, type Operation } from "../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../wait/options.ts";
import { type Readiness, readiness } from "../wait/ready.ts";
import {
  addChild,
  checkNotImporting,
  inheritance,
  nextIdentity,
  ownIdentity,
  type ProcessInfo,
  removeChild,
} from "./current.ts";
import { delegate } from "./delegate.ts";
import { recreateError } from "./failure.ts";
import { dismiss, endGate, host, KILLED, requestStop, stopHosted, TERMINATED } from "./host.ts";
import { askHost, isHosted } from "./host_port.ts";
import type { Identity, Init, Launch, Outcome } from "./messages.ts";
import { callingModule, plan, type Target } from "./target.ts";

/** What a new {@linkcode Process} runs, and how. */
export interface ProcessOptions<A extends unknown[] = unknown[], R = unknown> {
  /**
   * What it runs: a function, or the name of a function that `module` exports. A function either
   * travels by reference, and then has to be exported, or by source: see `by`.
   */
  target?: ((...args: A) => R | PromiseLike<R>) | string;
  /** Its name, for people. Default: "Process-1", or "Process-1:2" for a child's second child. */
  name?: string;
  /**
   * Whether the program ends without waiting for it, and ends it then. Default: as the process
   * that starts it.
   */
  daemon?: boolean;
  /** The URL of the module that exports `target`. Default: the module that calls the constructor. */
  module?: string | URL;
  /**
   * How the target travels. "reference": the child imports its module and finds it by its name,
   * so its imports and helpers are there. "source": its own text; it may use its arguments, the
   * globals and this package's exports. Default: by reference where the module may be read, or is
   * remote, by source otherwise.
   */
  by?: "reference" | "source";
  /** Ends the process, as `terminate()`, when aborted. */
  signal?: AbortSignal;
  /** Not supported yet, except "inherit". */
  permissions?: "inherit" | "none" | Deno.PermissionOptionsObject;
  /** Not supported yet. */
  memoryLimitMb?: number;
  /** Not supported yet. */
  timeLimit?: number;
}

/**
 * The parameters of the constructor of {@linkcode Process}: `args` may be left out only where the
 * target takes none.
 */
export type ProcessParameters<A extends unknown[], R> = [] extends A
  ? [options?: ProcessOptions<A, R> & { args?: A }]
  : [options: ProcessOptions<A, R> & { args: A }];

/** What the constructor gets in the child for an object of a subclass. */
const revived = Symbol("revived");
interface RevivedOptions {
  [revived]: Identity;
}

/** Makes, in the child, the object of a subclass whose run() it is to run. */
export function revive(subclass: typeof Process, identity: Identity): Process {
  const options: RevivedOptions = { [revived]: identity };
  return Reflect.construct(Process, [options], subclass) as Process;
}

/**
 * A function running in parallel, in an isolate of its own, with the names and meanings of
 * Python's `multiprocessing.Process`. It is a Deno Worker that acts as a process: it shares
 * nothing but what it is given, can be ended at any instant, even in the middle of
 * `while (true) {}`, and has an exit code.
 *
 * A subclass with a `run()` method runs that in the child, on a copy of the object: its own
 * properties cross as arguments do.
 *
 * The process ends when its target has returned, or the promise it returned has settled. Like a
 * Python process it then waits for the processes it has started itself, except daemons.
 *
 * @example
 * ```ts
 * import { Process } from "@multiproc/multiprocessing";
 *
 * export function add(a: number, b: number): number {
 *   return a + b;
 * }
 *
 * if (import.meta.main) {
 *   const process = new Process({ target: add, args: [1, 2] });
 *   process.start();
 *   console.log(await process.result()); // 3
 * }
 * ```
 *
 * @typeParam A the target's parameters
 * @typeParam R what the target returns, or its promise resolves to
 */
export class Process<A extends unknown[] = unknown[], R = unknown>
  implements ProcessInfo, AsyncDisposable {
  readonly #target: Target;
  readonly #args: A | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #identity: Identity;
  #control: Int32Array | undefined;
  #end: Gate | undefined;
  /** The starter's end of the port to the child, until it was emptied after the end. */
  #port: MessagePort | undefined;
  #outcome: { value: unknown } | { error: ProcessError } | undefined;
  #closed = false;

  /**
   * Makes a process; `start()` starts it.
   *
   * @throws {TypeError} if an option has the wrong type
   */
  constructor(...[options = {}]: ProcessParameters<A, R>) {
    if (typeof options !== "object" || options === null) {
      throw new TypeError(
        `The options are ${
          describe(options)
        }. Give an object, as in new Process({ target, args }).`,
      );
    }
    if (revived in options) {
      this.#identity = options[revived] as Identity;
      this.#target = { code: "", isClass: false, module: undefined, by: undefined };
      return;
    }
    checkOptions(options);
    const { target, args, name, daemon, module, by, signal } = options;
    const isClass = this.run !== Process.prototype.run;
    if (isClass ? target !== undefined : target === undefined) {
      throw new TypeError(
        isClass
          ? `The class ${this.constructor.name} has its own run() and was given a target too. Use one of them.`
          : "The process has nothing to run. Give it a target, or make a subclass with a run() method.",
      );
    }
    this.#target = {
      code: target ?? (this.constructor as new () => object),
      isClass,
      module: module === undefined ? callingModule() : `${module}`,
      by,
    };
    this.#args = args;
    this.#signal = signal;
    this.#identity = nextIdentity(name, daemon ?? ownIdentity().daemon);
  }

  /** Its name: the one given, or one like "Process-1". */
  get name(): string {
    return this.#identity.name;
  }

  /** A number unique in the program, once it was started. It is not one of the operating system's. */
  get pid(): number | undefined {
    return this.#identity.pid || undefined;
  }

  /** Whether the program ends without waiting for it. */
  get daemon(): boolean {
    return this.#identity.daemon;
  }

  /**
   * null before it was started and while it lives; 0 when its target returned; 1 when it threw; n
   * after `Deno.exit(n)`; -15 after `terminate()`; -9 after `kill()`. As Python's.
   */
  get exitCode(): number | null {
    const control = this.#control;
    return control === undefined ? null : readCode(control, EXIT) ?? readCode(control, FINISHED);
  }

  /** Whether it has been started and has not ended. */
  isAlive(): boolean {
    return this.#control !== undefined && this.exitCode === null;
  }

  /** What a subclass runs in the child; the process's result is what it returns. */
  run(): unknown {
    return undefined;
  }

  /**
   * Starts it. The arguments are copied before this returns; queues and the like among them are
   * handed over. It doesn't wait for the child to come up (about 30 ms).
   *
   * @throws {TypeError} if an argument can't cross, naming the place (`args[1].onDone is a
   *   function`), or the target can't travel
   * @throws {InvalidStateError} if it was started before, or if the module of a target starts
   *   processes while the child imports it
   */
  start(): void {
    if (this.#control !== undefined) {
      throw new InvalidStateError(
        `${this.name} was started before, and a process is started once. Make a new Process.`,
      );
    }
    checkNotImporting();
    this.#signal?.throwIfAborted();
    const { travel, main } = plan(this.#target);
    const isClass = this.#target.isClass;
    const root = isClass ? "this" : "args";
    const loaded = load(isClass ? { ...this } : this.#args ?? [], root);
    const identity = this.#identity;
    const roster = ownRoster(), ref = roster.enrollProcess(identity.name, ownRef());
    const { cargo } = loaded;
    const init: Init = { identity, travel, cargo, self: ref, ...inheritance() };
    const { port1, port2 } = new MessageChannel();
    identity.pid = roster.newPid();
    const control = newControl();
    const launch: Launch = { identity, ref, owner: ownIdentity().pid, control, main, port: port2 };
    try {
      post(port1, init, loaded, root);
      uninterrupted(() => settle(loaded, ref, `given to ${identity.name}`));
      if (isHosted()) {
        // What has moved can't be sent twice.
        const kept = loaded.transfer.length === 0 ? init : undefined;
        delegate(launch, kept, (port) => this.#replacePort(port));
      } else host(launch, (error) => this.#ended(error));
    } catch (error) {
      identity.pid = 0;
      roster.strikeAll(ref);
      port1.close();
      throw error;
    }
    this.#control = control;
    this.#port = port1;
    this.#end = endGate(control);
    addChild(this);
    this.#signal?.addEventListener("abort", this.#aborted);
    // A getter among the arguments may have aborted it.
    if (this.#signal?.aborted) this.terminate();
  }

  #replacePort(port: MessagePort): void {
    this.#port?.close();
    this.#port = port;
  }

  readonly #aborted = (): void => this.terminate();

  /**
   * Waits until it has ended, however it did: true then, false if that took more than `timeout`
   * ms. Never rejects because of what the target did.
   *
   * @throws {InvalidStateError} if it was not started
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  join(options?: WaitOptions): Promise<boolean> {
    try {
      return eventually(this.#joining("join", this.#lastWord), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Like {@linkcode Process.join}, but blocks the thread while it waits. */
  joinSync(options?: BlockOptions): boolean {
    return blocking(this.#joining("joinSync", FINISHED), options);
  }

  /**
   * Waits for what the target returned, or the promise it returned resolved to.
   *
   * @throws {ProcessError} if it returned nothing: the target threw (`cause` is the error, with
   *   its class name, message and stack), it exited, was terminated or killed
   * @throws {TimeoutError} if it didn't end in `timeout` ms
   * @throws {InvalidStateError} if it was not started
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  result(options?: WaitOptions): Promise<R> {
    try {
      return eventually(this.#finishing("result", this.#lastWord), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Like {@linkcode Process.result}, but throws TimeoutError if it has not ended now. */
  resultNowait(): R {
    return now(this.#finishing("resultNowait", FINISHED));
  }

  /** Like {@linkcode Process.result}, but blocks the thread while it waits. */
  resultSync(options?: BlockOptions): R {
    return blocking(this.#finishing("resultSync", FINISHED), options);
  }

  /**
   * Asks it to end now: its exit code becomes -15. Code in the middle of a computation is stopped
   * there, and no `finally` runs. What others use is never left half changed. Does nothing once it
   * has ended.
   *
   * @throws {InvalidStateError} if it was not started
   */
  terminate(): void {
    this.#stop("terminate", TERMINATED);
  }

  /**
   * As `terminate()`, with -9 as the exit code.
   *
   * @throws {InvalidStateError} if it was not started
   */
  kill(): void {
    this.#stop("kill", KILLED);
  }

  /**
   * Gives back what it holds, once it has ended; afterwards only its name and number are there.
   *
   * @throws {InvalidStateError} if it is alive
   */
  close(): void {
    if (this.isAlive()) {
      throw new InvalidStateError(`${this.name} is alive. Join or terminate it before close().`);
    }
    if (this.#control !== undefined) this.#ended();
    this.#closed = true;
    this.#outcome = undefined;
  }

  /** Terminates it if it is alive, and joins it: `await using process = new Process(…)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#control === undefined || this.#closed) return;
    this.terminate();
    await this.join();
  }

  /** @ignore */
  [readiness](): Readiness {
    const { gate } = this.#started("wait");
    return { gate, isReady: () => this.exitCode !== null };
  }

  /** @ignore */
  get [cannotClone](): string {
    return "a Process, which only its starter can hold. Send its name or what you need of it";
  }

  /** The control block, of a process that was started and not closed. */
  #started(call: string): { control: Int32Array; gate: Gate } {
    if (this.#closed) {
      throw new InvalidStateError(`${this.name} was closed. Call ${call}() before close().`);
    }
    if (this.#control === undefined || this.#end === undefined) {
      throw new InvalidStateError(`${this.name} was not started. Call start() before ${call}().`);
    }
    return { control: this.#control, gate: this.#end };
  }

  /**
   * The word to wait for. Where the worker runs in this isolate, EXIT: then the worker is gone, too.
   * Elsewhere FINISHED, which the child writes itself: its host may be blocked.
   */
  get #lastWord(): number {
    return isHosted() ? FINISHED : EXIT;
  }

  /** @param word the word that says it has ended: EXIT always does, FINISHED for this wait */
  #joining(call: string, word: number): Operation<boolean> {
    const { control, gate } = this.#started(call);
    const attempt = () => {
      if (readCode(control, FINISHED) !== null) dismiss(this.#identity.pid);
      if (readCode(control, EXIT) === null && readCode(control, word) === null) return WAIT;
      this.#ended();
      return true;
    };
    return { gate, attempt, expired: () => false };
  }

  #finishing(call: string, word: number): Operation<R> {
    const { control } = this.#started(call);
    Atomics.store(control, ASKED, 1);
    const { gate, attempt } = this.#joining(call, word);
    return {
      gate,
      attempt: () => attempt() === WAIT ? WAIT : this.#answer(),
      expired: () => {
        throw new TimeoutError(`${this.name} has not ended in time. Wait longer, or terminate it.`);
      },
    };
  }

  #answer(): R {
    this.#fetchOutcome();
    const outcome = this.#outcome;
    if (outcome === undefined || "error" in outcome) {
      throw outcome?.error ?? new InvalidStateError(`${this.name} was closed.`);
    }
    return outcome.value as R;
  }

  #stop(call: string, signal: number): void {
    const { control } = this.#started(call);
    const { pid } = this.#identity;
    if (this.exitCode !== null || !requestStop(control, signal)) return;
    if (!stopHosted(pid)) askHost({ type: "stop", pid });
  }

  /** Its end has come, and perhaps was noticed before. */
  #ended(error?: unknown): void {
    removeChild(this);
    this.#signal?.removeEventListener("abort", this.#aborted);
    this.#fetchOutcome(error);
    this.#port?.close();
    this.#port = undefined;
  }

  /** The child has sent its outcome before its end, if it has. */
  #fetchOutcome(error?: unknown): void {
    if (this.#outcome !== undefined || this.#port === undefined) return;
    const outcome = receivePosted(this.#port) as Outcome | undefined;
    const exitCode = this.exitCode ?? 0;
    if (outcome?.type === "returned") {
      this.#outcome = { value: unload(outcome.cargo) };
      return;
    }
    const cause = outcome === undefined ? error : recreateError(outcome.failure);
    const message = outcome === undefined
      ? `${this.name} ${howItEnded(exitCode)} before its target returned.`
      : `${this.name} failed: ${cause}`;
    this.#outcome = { error: new ProcessError(message, exitCode, { cause }) };
  }
}

function howItEnded(exitCode: number): string {
  if (exitCode === -TERMINATED) return "was terminated";
  if (exitCode === -KILLED) return "was killed";
  return `exited with code ${exitCode}`;
}

/** What each option must be. */
function checkOptions<A extends unknown[], R>(options: ProcessOptions<A, R> & { args?: A }): void {
  const { target, args, name, daemon, module, by, signal, permissions } = options;
  const check = (what: string, value: unknown, ok: boolean, expected: string) => {
    if (value === undefined || ok) return;
    throw new TypeError(`${what} is ${describe(value)}. Give ${expected}.`);
  };
  check(
    "target",
    target,
    typeof target === "function" || typeof target === "string",
    "a function, or the name of one that module exports",
  );
  check("args", args, Array.isArray(args), "an array of the target's arguments");
  check("name", name, typeof name === "string" && name !== "", "a string that isn't empty");
  check("daemon", daemon, typeof daemon === "boolean", "true or false");
  check(
    "module",
    module,
    typeof module === "string" && URL.canParse(module) || module instanceof URL,
    "the URL of a module, as import.meta.url",
  );
  check("by", by, by === "reference" || by === "source", '"reference" or "source"');
  check("signal", signal, signal instanceof AbortSignal, "an AbortSignal");
  const later = {
    permissions: permissions === "inherit" ? undefined : permissions,
    memoryLimitMb: options.memoryLimitMb,
    timeLimit: options.timeLimit,
  };
  for (const [option, value] of Object.entries(later)) {
    if (value !== undefined) {
      throw new TypeError(
        `${option} is not supported yet. Leave it out: the process then inherits all rights and has no limits.`,
      );
    }
  }
}
