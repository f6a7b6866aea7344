// Process, the public face: the life of a process as its starter sees it.

import type { MessagePort } from "node:worker_threads";
import { howItEnded } from "../validate/describe.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import { checkName } from "../validate/options.ts";
import { InvalidStateError, ProcessError, TimeoutError } from "../errors.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { cannotClone } from "../transfer/transferable.ts";
import { type EventCount, WAIT } from "../wait/eventcount.ts";
import { blocking, eventually, now, type Operation } from "../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../wait/options.ts";
import { type Readiness, readiness } from "../wait/waitable.ts";
import { addChild, removeChild } from "./children.ts";
import { checkNotImporting, nextIdentity, ownIdentity } from "./current.ts";
import { callers } from "../target/callers.ts";
import { dismiss, stopHosted } from "../host/spawn.ts";
import { KILLED, TERMINATED } from "../host/supervisor.ts";
import { errorLeft } from "../protocol/crash_report.ts";
import { exitEvent } from "../protocol/exit_event.ts";
import { askHost } from "../protocol/host_port.ts";
import type { Identity } from "../protocol/identity.ts";
import { receive } from "../protocol/outcome.ts";
import { read } from "../protocol/result_buffer.ts";
import {
  type Bounds,
  boundsOf,
  checkDaemon,
  checkProcessOptions,
  preloadOf,
  type ProcessOptions,
  type ProcessParameters,
} from "./options.ts";
import { ownPermissions, type ProcessPermissions } from "./permissions.ts";
import { canDelegate, type Started, startProcess } from "./start.ts";
import { headlineOf, recreateFailure } from "../transfer/recreate_error.ts";
import type { CurrentProcess } from "./process_info.ts";
import type { Target } from "../target/target.ts";
import type { TargetParameters, TargetResult } from "../target/target_types.ts";
import * as primordials from "../platform/primordials.ts";

const {
  abortReason,
  addAbortListener,
  hasValue,
  isAborted,
  PromisePrototypeThen,
  Reflect,
  removeAbortListener,
  throwIfAborted,
  ToObject,
  TypeError,
} = primordials;

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
 * What every object of {@linkcode Process} has.
 *
 * @typeParam A the target's parameters
 * @typeParam R what the target returns, or its promise resolves to
 *
 * @example
 * ```ts
 * import { Process, type ProcessObject } from "@multiproc/multiprocessing";
 *
 * const codes = (processes: ProcessObject[]) => processes.map(({ exitCode }) => exitCode);
 *
 * const process = new Process({ target: () => Deno.exit(3) });
 * process.start();
 * await process.join();
 * console.log(codes([process])); // [ 3 ]
 * ```
 */
export class ProcessObject<A extends unknown[] = unknown[], R = unknown>
  implements CurrentProcess, AsyncDisposable {
  /** What it runs; let go of when it has been started. */
  #target: Target | undefined;
  #args: Readonly<A> | undefined;
  /** Let go of when it has ended. */
  #signal: AbortSignal | undefined;
  readonly #identity: Identity;
  readonly #bounds: Bounds;
  /** What is shared with it, from its start until it is closed. */
  #shared: Shared | undefined;
  /** The starter's end of the port to the child, until it was emptied after the end. */
  #port: MessagePort | undefined;
  #outcome: { value: unknown } | Failed | undefined;
  #closed = false;
  /** Whether its end was ordered here. */
  #isStopped = false;
  /** Why, where its signal did it. */
  #abortReason: { cause: unknown } | undefined;
  /** Whether it is the process this code runs in: an object of a subclass, in the child. */
  readonly #isSelf: boolean = false;

  /**
   * Makes a process; `start()` starts it.
   *
   * @throws {TypeError} if an option has the wrong type, or a permission a name Deno doesn't know
   * @throws {RangeError} if a limit is 0, negative or NaN, or memoryLimitMb less than 16
   */
  constructor(...{ 0: given = {} }: ProcessParameters<A, R>) {
    const { [revived]: identity } = ToObject(given) as Partial<RevivedOptions>;
    if (identity !== undefined) {
      this.#identity = identity;
      this.#bounds = {};
      this.#isSelf = true;
      return;
    }
    const options = checkProcessOptions(given);
    this.#bounds = boundsOf(options);
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
      module: module === undefined ? undefined : `${module}`,
      callers: callers(),
      by,
      preload: preloadOf(options),
    };
    this.#args = args;
    this.#signal = signal;
    this.#identity = nextIdentity(name, daemon ?? ownIdentity().daemon);
  }

  /**
   * Its name: the one given, or one like "Process-1". It can be set before it is started.
   *
   * @throws {TypeError} when it is set to what is not a string, or is empty
   * @throws {InvalidStateError} when it is set after it was started or closed
   */
  get name(): string {
    return this.#identity.name;
  }

  set name(name: string) {
    checkName(name);
    this.#checkNew("name");
    this.#identity.name = name;
  }

  /** A number unique in the program, once it was started. It is larger than any of the operating system's. */
  get pid(): number | undefined {
    return this.#identity.pid || undefined;
  }

  /**
   * Whether the program ends without waiting for it. It can be set before it is started.
   *
   * @throws {TypeError} when it is set to what is neither true nor false
   * @throws {InvalidStateError} when it is set after it was started; if it was closed
   */
  get daemon(): boolean {
    this.#checkOpen("daemon");
    return this.#identity.daemon;
  }

  set daemon(daemon: boolean) {
    checkDaemon(daemon);
    this.#checkNew("daemon");
    this.#identity.daemon = daemon;
  }

  /**
   * null before it was started and while it lives; 0 when its target returned; 1 when it threw; n
   * after `Deno.exit(n)`; -15 after `terminate()`; -9 after `kill()`, or when it reached a limit. As
   * Python's `exitcode`.
   *
   * @throws {InvalidStateError} if it was closed
   */
  get exitCode(): number | null {
    this.#checkOpen("exitCode");
    return this.#code;
  }

  get #code(): number | null {
    return this.#shared === undefined ? null : codeOf(this.#shared);
  }

  /**
   * What it may do; once it was started, no one can change that.
   *
   * @throws {InvalidStateError} if it was closed
   */
  get permissions(): ProcessPermissions {
    this.#checkOpen("permissions");
    return ownPermissions(this.#bounds.grants);
  }

  /** @ignore */
  set permissions(_permissions: never) {
    throw new InvalidStateError(
      `The permissions of ${this.name} are given to its constructor and can't be changed. Make a new ` +
        'Process: new Process({ target, permissions: "none" }).',
    );
  }

  /**
   * Whether it has been started and has not ended. Python's `is_alive()`.
   *
   * @throws {InvalidStateError} if it was closed
   */
  isAlive(): boolean {
    this.#checkOpen("isAlive()");
    return this.#isRunning;
  }

  get #isRunning(): boolean {
    return this.#isSelf || this.#shared !== undefined && this.#code === null;
  }

  /**
   * What a subclass runs in the child; the process's result is what it returns. As Python's `run()`.
   *
   * @example
   * ```ts
   * import { Process } from "@multiproc/multiprocessing";
   *
   * export class Greeter extends Process {
   *   whom = "nobody";
   *
   *   override run(): string {
   *     return `hello ${this.whom}`;
   *   }
   * }
   *
   * if (import.meta.main) {
   *   const process = new Greeter();
   *   process.whom = "world";
   *   process.start();
   *   console.log(await process.result()); // hello world
   * }
   * ```
   */
  run(): unknown {
    return undefined;
  }

  /**
   * Starts it. The arguments are copied before this returns; queues and the like among them are
   * handed over. It doesn't wait for the child to come up (about 30 ms). What was given as the target
   * and its arguments, this object then lets go of.
   *
   * @throws {TypeError} if an argument can't cross, naming the place (`args[1].onDone is a
   *   function`), or the target can't travel, or not in the way it is to: the message says why
   * @throws {InvalidStateError} if it was started or closed before, or if the module of a target starts
   *   processes while the child imports it
   * @throws {Deno.errors.NotCapable} if its permissions are more than this process has itself; the
   *   message says which, and what this process has
   * @throws the reason of its `signal`, if that has been aborted
   *
   * @example
   * ```ts
   * import { Process } from "@multiproc/multiprocessing";
   *
   * export function work(task: { done: () => void }) {
   *   task.done();
   * }
   *
   * if (import.meta.main) {
   *   const process = new Process({ target: work, args: [{ done: () => {} }] });
   *   try {
   *     process.start();
   *   } catch (error) {
   *     console.log(error instanceof TypeError); // true
   *   }
   * }
   * ```
   */
  start(): void {
    this.#checkNew("start()");
    checkNotImporting();
    if (this.#signal !== undefined) throwIfAborted(this.#signal);
    const target = this.#target!, value = target.isClass ? this : this.#args ?? [];
    const started = startProcess(this.#identity, target, value, this.#bounds, this.#replacePort);
    const { control, exit, port, result, crashReport } = started;
    this.#shared = { control, exit, eventcount: exitEvent(exit), result, crashReport };
    this.#port = port;
    this.#target = this.#args = undefined;
    addChild(this);
    // Not a function that is made here: that would keep the arguments as long as the process lives.
    PromisePrototypeThen(exit.untilExited(), this.#noticeEnd);
    if (this.#signal !== undefined) addAbortListener(this.#signal, this.#aborted);
    // A getter among the arguments may have aborted it.
    if (this.#signal !== undefined && isAborted(this.#signal)) this.#aborted();
  }

  readonly #replacePort = (port: MessagePort): void => {
    this.#port?.close();
    this.#port = port;
  };

  readonly #noticeEnd = (): void => this.#ended();

  readonly #aborted = (): void => {
    if (!this.#isStopped) this.#abortReason = { cause: abortReason(this.#signal!) };
    this.terminate();
  };

  /**
   * Waits until it has ended, however it did: true then, false if that took more than `timeout`
   * ms. Never rejects because of what the target did.
   *
   * @throws {InvalidStateError} if it was not started
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  join(options?: WaitOptions): Promise<boolean> {
    try {
      return eventually(this.#joining("join", canDelegate()), options);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Process.join}, but blocks the thread while it waits: for CPU-bound code. This is
   * what Python's `join` does.
   *
   * @throws what `join` does
   */
  joinSync(options?: BlockOptions): boolean {
    return blocking(this.#joining("joinSync", true), options);
  }

  /**
   * Waits for what the target returned, or the promise it returned resolved to. Python's Process has
   * nothing like it: there, results go through a queue.
   *
   * With it a process can hand over queues and the like, unless it has permissions of its own: then it
   * returns a value, as through a queue, of at most `maxResultBytes`.
   *
   * @throws {ProcessError} if it returned nothing: the target threw (`cause` is the error, with its
   *   class, name, message, stack, causes and properties), it exited, was terminated or killed, or its
   *   `signal` was aborted (`cause` is the signal's reason). Each call throws a new one, which shows the
   *   line of the call
   * @throws {TimeoutError} if it didn't end in `timeout` ms
   * @throws {InvalidStateError} if it was not started
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  result(options?: WaitOptions): Promise<R> {
    try {
      return eventually(this.#finishing("result", canDelegate()), options);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Process.result}, if it has ended.
   *
   * @throws {TimeoutError} if it has not; the others as `result`
   */
  resultNowait(): R {
    return now(this.#finishing("resultNowait", true));
  }

  /**
   * Like {@linkcode Process.result}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws {TimeoutError} if it didn't end in `timeout` ms; the others as `result`
   */
  resultSync(options?: BlockOptions): R {
    return blocking(this.#finishing("resultSync", true), options);
  }

  /**
   * Asks it to end now: its exit code becomes -15. Code in the middle of a computation is stopped
   * there, and no `finally` runs. What others use is never left half changed. Does nothing once it
   * has ended.
   *
   * @throws {InvalidStateError} if it was not started
   *
   * @example
   * ```ts
   * import { Process } from "@multiproc/multiprocessing";
   *
   * export function spin() {
   *   while (true) {}
   * }
   *
   * if (import.meta.main) {
   *   const process = new Process({ target: spin });
   *   process.start();
   *   console.log(await process.join({ timeout: 100 })); // false
   *   process.terminate();
   *   console.log(await process.join(), process.exitCode); // true -15
   * }
   * ```
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
   * Gives back what it holds, once it has ended: its result, its port and its shared memory. Afterwards
   * only its name and its number are there, and whatever else is asked of it throws an
   * InvalidStateError. One that was not started can be closed, too, and then isn't started any more.
   * Closing it again does nothing. Python's `close()`.
   *
   * @throws {InvalidStateError} if it is alive
   *
   * @example
   * ```ts
   * import { Process } from "@multiproc/multiprocessing";
   *
   * const process = new Process({ target: () => "x".repeat(1000), by: "source" });
   * process.start();
   * console.log((await process.result()).length); // 1000
   * process.close();
   * console.log(process.name); // Process-1
   * ```
   */
  close(): void {
    if (this.#closed) return;
    this.#checkNotSelf("close()");
    if (this.#isRunning) {
      throw new InvalidStateError(`${this.name} is alive. Join or terminate it before close().`);
    }
    if (this.#shared !== undefined) this.#ended();
    this.#closed = true;
    this.#target = this.#args = this.#signal = undefined;
    this.#shared = this.#outcome = this.#abortReason = undefined;
  }

  /**
   * Terminates it if it is alive, and joins it: `await using process = new Process(…)`.
   *
   * @example
   * ```ts
   * import { activeChildren, Process, sleep } from "@multiproc/multiprocessing";
   *
   * export const target = () => sleep(Infinity);
   *
   * if (import.meta.main) {
   *   {
   *     await using process = new Process({ target });
   *     process.start();
   *   }
   *   console.log(activeChildren().length); // 0
   * }
   * ```
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#shared === undefined) return;
    this.terminate();
    await this.join();
  }

  /** @ignore */
  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => {
      const { name, pid } = this;
      if (this.#closed) return { name, pid, closed: true };
      return { name, pid, daemon: this.#identity.daemon, exitCode: this.#code };
    };
    return print(this, ["Process", Process], state, inspect, options);
  }

  /** @ignore */
  [readiness](): Readiness {
    const shared = this.#started("wait");
    return { eventcount: shared.eventcount, isReady: () => codeOf(shared) !== null };
  }

  /** @ignore */
  get [cannotClone](): string {
    return "a Process, which only its starter can hold. Send its name or what you need of it";
  }

  /** Throws once it was closed; `use` is what was to be called, or read. */
  #checkOpen(use: string): void {
    if (!this.#closed) return;
    const wayOut = use === "start()" ? "Make a new Process" : `Use ${use} before close()`;
    throw new InvalidStateError(
      `${this.name} was closed, and only its name and pid are left. ${wayOut}.`,
    );
  }

  #checkNotSelf(use: string): void {
    if (!this.#isSelf) return;
    throw new InvalidStateError(
      `${use} was called on ${this.name}, the process this code runs in. ` +
        "Call it in the process that has started it.",
    );
  }

  /** Throws unless it can still be started. */
  #checkNew(use: string): void {
    this.#checkOpen(use);
    this.#checkNotSelf(use);
    if (this.#shared === undefined) return;
    throw new InvalidStateError(
      use === "start()"
        ? `${this.name} was started before, and a process is started once. Make a new Process.`
        : `${this.name} was started, with its ${use}. Set that before start().`,
    );
  }

  /** What is shared with a process that was started and not closed. */
  #started(call: string): Shared {
    this.#checkOpen(`${call}()`);
    this.#checkNotSelf(`${call}()`);
    if (this.#shared === undefined) {
      throw new InvalidStateError(`${this.name} was not started. Call start() before ${call}().`);
    }
    return this.#shared;
  }

  /**
   * @param isEarly whether the wait ends with the last step of the process, which the process notes itself
   *   where its host may be blocked; otherwise it ends when the host has noted the end
   */
  #joining(call: string, isEarly: boolean): Operation<boolean> {
    const shared = this.#started(call);
    const attempt = () => {
      const code = codeOf(shared);
      if (code === null) return WAIT;
      // A process that says it has ended doesn't live on.
      dismiss(this.#identity.pid);
      if (!isEarly && shared.exit.exitCode() === null) return WAIT;
      this.#ended();
      return true;
    };
    return { eventcount: shared.eventcount, attempt, onTimeout: () => false };
  }

  #finishing(call: string, isEarly: boolean): Operation<R> {
    this.#started(call).control.markAsked();
    const { eventcount, attempt } = this.#joining(call, isEarly);
    return {
      eventcount,
      attempt: () => attempt() === WAIT ? WAIT : this.#answer(),
      onTimeout: () => {
        throw new TimeoutError(`${this.name} has not ended in time. Wait longer, or terminate it.`);
      },
    };
  }

  #answer(): R {
    this.#fetchOutcome();
    const outcome = this.#outcome;
    if (outcome === undefined) throw new InvalidStateError(`${this.name} was closed.`);
    if (hasValue(outcome)) return outcome.value as R;
    // A new one for each call, whose line it shows.
    throw new ProcessError(outcome.message, outcome.exitCode, outcome.options);
  }

  #stop(call: string, signal: number): void {
    const { control } = this.#started(call);
    const { pid } = this.#identity;
    if (this.#code !== null) return dismiss(pid);
    this.#isStopped = true;
    if (stopHosted(pid, signal)) return;
    // Its host ends it; until then it is not to go on either.
    withoutKill(() => {
      askHost({ type: "stop", pid, signal });
      control.requestKill(signal);
    });
  }

  /** Its end has come, and perhaps was noticed before. */
  #ended(): void {
    if (this.#closed) return;
    removeChild(this);
    if (this.#signal !== undefined) removeAbortListener(this.#signal, this.#aborted);
    this.#signal = undefined;
    // Bytes of a process that may be hostile are read when somebody asks for the result.
    if (this.#shared?.result === undefined) this.#fetchOutcome();
    this.#port?.close();
    this.#port = undefined;
  }

  /** The child has sent its outcome before its end, if it has. */
  #fetchOutcome(): void {
    const port = this.#port, shared = this.#shared;
    if (this.#outcome !== undefined || shared === undefined) return;
    const { result: buffer } = shared;
    if (port === undefined && buffer === undefined) return;
    const exitCode = this.#code ?? 0;
    const failed = (what: string, options: Failed["options"] = {}) => {
      this.#outcome = { message: `${this.name} ${what}`, exitCode, options };
    };
    try {
      const result = buffer === undefined ? receive(port!) : read(buffer);
      if (result === undefined) {
        const { 0: what, 1: options } = this.#howItFailed(exitCode, shared);
        failed(what, options);
      } else if ("failure" in result) {
        const cause = recreateFailure(result.failure);
        failed(`failed: ${headlineOf(result.failure)}`, withCause(cause));
      } else this.#outcome = result;
    } catch (cause) {
      // It was hostile.
      failed("has sent what is no result.", { cause });
    }
    shared.result = shared.crashReport = undefined;
  }

  /** What is told of it where nothing has come of it. */
  #howItFailed(
    exitCode: number,
    { exit, crashReport }: Shared,
  ): [what: string, options: Failed["options"]] {
    const limit = exit.limit();
    if (limit !== undefined) {
      const unit = limit === "timeLimit" ? "ms" : "MB";
      const reached = `${limit} of ${this.#bounds[limit]} ${unit}`;
      return [`was killed: it reached its ${reached}.`, { limit }];
    }
    const what = `${howItEnded(exitCode)} before its target returned`;
    const reason = exitCode === -TERMINATED ? this.#abortReason : undefined;
    if (reason === undefined) return [`${what}.`, withCause(crashReport && errorLeft(crashReport))];
    return [`${what}: its signal was aborted.`, withCause(reason.cause)];
  }
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
export interface Process<A extends unknown[] = unknown[], R = unknown>
  extends ProcessObject<A, R> {}

/**
 * What makes a {@linkcode Process}, and what its subclasses extend.
 *
 * @example
 * ```ts
 * import { Process, type ProcessConstructor } from "@multiproc/multiprocessing";
 *
 * // A test can hand in a class of its own.
 * async function run(Class: ProcessConstructor): Promise<number> {
 *   const process = new Class({ target: (n: number) => n * n, args: [7] });
 *   process.start();
 *   return await process.result();
 * }
 *
 * console.log(await run(Process)); // 49
 * ```
 */
export interface ProcessConstructor {
  /** What the objects have in common. */
  readonly prototype: Process;
  /** Makes a process; `start()` starts it. */
  new <A extends unknown[] = unknown[], R = unknown>(
    ...parameters: ProcessParameters<A, R>
  ): Process<A, R>;
  /** The same for a target that is one of several functions, or is overloaded. */
  new <F extends (...args: never[]) => unknown>(
    options:
      & Omit<ProcessOptions, "target">
      & { target: F }
      & ([] extends TargetParameters<F> ? { args?: Readonly<TargetParameters<F>> }
        : { args: Readonly<TargetParameters<F>> }),
  ): Process<TargetParameters<F>, TargetResult<F>>;
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
export const Process: ProcessConstructor = ProcessObject as ProcessConstructor;
Reflect.defineProperty(Process, "name", { value: "Process" });

/** What a process that was started shares with its starter. */
interface Shared extends Pick<Started, "control" | "exit"> {
  /** Opens when the process has ended. */
  readonly eventcount: EventCount;
  /** What tells what became of it, until somebody has looked. */
  result: SharedArrayBuffer | undefined;
  crashReport: SharedArrayBuffer | undefined;
}

/** The exit code of a process, or null while it lives. */
function codeOf({ control, exit }: Shared): number | null {
  return exit.exitCode() ?? control.finishedCode();
}

/** What the errors say of a process that returned nothing. */
interface Failed {
  message: string;
  exitCode: number;
  options: ErrorOptions & { limit?: ProcessError["limit"] };
}

/** Without one there is no such property, which would be printed. */
function withCause(cause: unknown): ErrorOptions {
  return cause === undefined ? {} : { cause };
}
