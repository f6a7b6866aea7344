// Process, the public class: the life of a process as its starter sees it.

import type { MessagePort } from "node:worker_threads";
import { howItEnded } from "../validate/describe.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import { checkName } from "../validate/options.ts";
import { InvalidStateError, ProcessError, TimeoutError } from "../errors.ts";
import { READINESS } from "../liveness/control_block.ts";
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
import { type ProcessStatistics, statisticsOf } from "./process_statistics.ts";
import type { Target } from "../target/target.ts";
import { beginSpan, endSpan, isTracing, traceparentOf } from "../telemetry/spans.ts";
import type { Span } from "../platform/telemetry.ts";
import type { TargetParameters, TargetResult } from "../target/target_types.ts";
import { JOIN, PROCESS, RESULT } from "../wait/subject.ts";
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

/** The key of the constructor's argument in the child, for an object of a subclass. */
const revived = Symbol("revived");
interface RevivedOptions {
  [revived]: Identity;
}

/** Makes, in the child, the object of a subclass whose run() the child is to run. */
export function revive(subclass: typeof Process, identity: Identity): Process {
  const options: RevivedOptions = { [revived]: identity };
  return Reflect.construct(Process, [options], subclass) as Process;
}

/**
 * The members of every {@linkcode Process}.
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
  /** The code that the process runs; dropped once it has been started. */
  #target: Target | undefined;
  #args: Readonly<A> | undefined;
  /** Dropped when the process has ended. */
  #signal: AbortSignal | undefined;
  readonly #identity: Identity;
  readonly #bounds: Bounds;
  /** What starter and process share, from the start until close(). */
  #shared: Shared | undefined;
  /** The starter's end of the port to the child, until the port is emptied after the end. */
  #port: MessagePort | undefined;
  #outcome: { value: unknown } | Failed | undefined;
  #closed = false;
  /** The span of the process, until it has ended. */
  #span: Span | undefined;
  /** Whether the end of the process was ordered here. */
  #isStopped = false;
  /** The reason of the signal, where the signal ordered the end. */
  #abortReason: { cause: unknown } | undefined;
  /** Whether this is the process this code runs in: an object of a subclass, in the child. */
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
   * The name of the process: the one given, or one like "Process-1". It can be set before the process is
   * started.
   *
   * @throws {TypeError} when it is set to a value that is not a string, or is empty
   * @throws {InvalidStateError} when it is set after the process was started or closed
   */
  get name(): string {
    return this.#identity.name;
  }

  set name(name: string) {
    checkName(name);
    this.#checkNew("name");
    this.#identity.name = name;
  }

  /** A number unique in the program, once the process was started. It is larger than any of the operating system's. */
  get pid(): number | undefined {
    return this.#identity.pid || undefined;
  }

  /**
   * Whether the program ends without waiting for the process. It can be set before the process is started.
   *
   * @throws {TypeError} when it is set to a value that is neither true nor false
   * @throws {InvalidStateError} when it is set after the process was started, or when the process was closed
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
   * The exit code: null before the process is started and while it lives; 0 when its target returned; 1 when it
   * threw; n after `Deno.exit(n)`; -15 after `terminate()`; -9 after `kill()`, or when it reached a limit. As
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
   * The permissions of the process. Once it was started, nothing can change them.
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
   * Whether the process has been started and has not ended. Python's `is_alive()`.
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
   * A snapshot of its figures: when it was started, its processor time, its heap. Python has nothing like it.
   *
   * @throws {InvalidStateError} if it was closed
   */
  statistics(): ProcessStatistics {
    this.#checkOpen("statistics()");
    return statisticsOf(this.#isRunning ? this.pid : undefined);
  }

  /**
   * The code that a subclass runs in the child; its return value is the process's result. As Python's `run()`.
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
   * Starts the process. The arguments are copied before this returns; queues and the like among them are handed
   * over. start() doesn't wait for the child to come up (about 30 ms). Afterwards this object drops its
   * references to the target and the arguments.
   *
   * @throws {TypeError} if an argument can't cross, naming the place (`args[1].onDone is a function`), or if
   *   the target can't travel, or not in the way that `by` asks for: the message says why
   * @throws {InvalidStateError} if the process was started or closed before, or if the module of a target
   *   starts processes while the child imports it
   * @throws {Deno.errors.NotCapable} if its permissions are more than this process has itself; the message says
   *   which, and what this process has
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
    const span = isTracing ? beginSpan(`process ${this.name}`, {}) : undefined;
    let started: Started;
    try {
      const traceparent = span && traceparentOf(span);
      started = startProcess(
        this.#identity,
        target,
        value,
        this.#bounds,
        this.#replacePort,
        traceparent,
      );
    } catch (error) {
      if (span !== undefined) endSpan(span, {}, "it could not be started");
      throw error;
    }
    this.#span = span;
    const { control, exit, port, result, crashReport } = started;
    this.#shared = { control, exit, eventcount: exitEvent(exit), result, crashReport };
    this.#port = port;
    this.#target = this.#args = undefined;
    addChild(this);
    // No closure that is made here: it would keep the arguments alive as long as the process lives.
    PromisePrototypeThen(exit.untilExited(), this.#noticeEnd);
    if (this.#signal !== undefined) addAbortListener(this.#signal, this.#aborted);
    // A getter among the arguments may have aborted the signal.
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
   * Waits until the process has ended, however it did. Resolves to true then, and to false if that took more
   * than `timeout` ms. Never rejects because of what the target did.
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
   * Waits until the process is up: its modules are loaded, and its target is about to run. Resolves to true then,
   * and at once if that was so at any time before; to false if it took more than `timeout` ms. A time limit counts
   * from when the modules are loaded.
   *
   * @throws {ProcessError} if the process ended before: a module of the target threw, say, or the process was
   *   killed; as `result` does
   * @throws {InvalidStateError} if it was not started
   * @throws {RangeError} if `timeout` is negative or NaN
   *
   * @example
   * ```ts
   * import { Process, sleep } from "@multiproc/multiprocessing";
   *
   * await using process = new Process({ target: () => sleep(Infinity) });
   * process.start();
   * console.log(await process.ready()); // true
   * ```
   */
  ready(options?: WaitOptions): Promise<boolean> {
    try {
      return eventually(this.#loading("ready"), options);
    } catch (error) {
      return primordials.Promise.reject(error);
    }
  }

  /**
   * Like {@linkcode Process.ready}, but blocks the thread while it waits.
   *
   * @throws what `ready` does
   */
  readySync(options?: BlockOptions): boolean {
    return blocking(this.#loading("readySync"), options);
  }

  /**
   * Waits for the value that the target returned, or that its promise resolved to. Python's Process has nothing
   * like it: there, results go through a queue.
   *
   * A process can also hand over queues and the like as its result, unless it has permissions of its own: then
   * it returns a value, as through a queue, of at most `maxResultBytes`.
   *
   * @throws {ProcessError} if there is no result: the target threw (`cause` is the error, with its class, name,
   *   message, stack, causes and properties), the process exited, was terminated or killed, or its `signal` was
   *   aborted (`cause` is the signal's reason). Each call throws a new error, which shows the line of the call
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
   * Like {@linkcode Process.result}, without waiting: for a process that has ended.
   *
   * @throws {TimeoutError} if the process has not ended; the others as `result`
   */
  resultNowait(): R {
    return now(this.#finishing("resultNowait", true));
  }

  /**
   * Like {@linkcode Process.result}, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws {TimeoutError} if the process didn't end in `timeout` ms; the others as `result`
   */
  resultSync(options?: BlockOptions): R {
    return blocking(this.#finishing("resultSync", true), options);
  }

  /**
   * Asks the process to end now, with -15 as its exit code. Code in the middle of a computation is stopped
   * there, and no `finally` runs. Objects that other processes use are never left half changed. Does nothing
   * once the process has ended.
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
   * Releases what the object holds, once the process has ended: its result, its port and its shared memory.
   * Afterwards only its name and its pid are left, and any other use throws an InvalidStateError. A process
   * that was not started can be closed, too, and then can't be started any more. Closing it again does nothing.
   * Python's `close()`.
   *
   * @throws {InvalidStateError} if the process is alive
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
   * Terminates the process if it is alive, and joins it: `await using process = new Process(…)`.
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

  /** Throws once the process was closed; `use` is the member that was called or read. */
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

  /** Throws unless the process can still be started. */
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

  /** What starter and process share, if the process was started and not closed; throws otherwise. */
  #started(call: string): Shared {
    this.#checkOpen(`${call}()`);
    this.#checkNotSelf(`${call}()`);
    if (this.#shared === undefined) {
      throw new InvalidStateError(`${this.name} was not started. Call start() before ${call}().`);
    }
    return this.#shared;
  }

  /**
   * @param isEarly whether the wait ends with the last step of the process, which the process itself notes, for
   *   the case that its host is blocked; otherwise it ends when the host has noted the end
   */
  #joining(call: string, isEarly: boolean): Operation<boolean> {
    const shared = this.#started(call);
    const attempt = () => {
      const code = codeOf(shared);
      if (code === null) return WAIT;
      // A process that has noted its end is not left running.
      dismiss(this.#identity.pid);
      if (!isEarly && shared.exit.exitCode() === null) return WAIT;
      this.#ended();
      return true;
    };
    const subject = { kind: PROCESS, number: this.pid ?? 0, subjectName: this.name };
    return { eventcount: shared.eventcount, attempt, onTimeout: () => false, subject, verb: JOIN };
  }

  #loading(call: string): Operation<boolean> {
    const shared = this.#started(call), { control, eventcount } = shared;
    const wanted = this.#bounds.isolation === "os" ? READINESS.kept : READINESS.own;
    control.markAskedForReady();
    const attempt = () => {
      if (control.isReady(wanted)) return true;
      if (codeOf(shared) === null) return WAIT;
      this.#ended();
      this.#answer();
      return true;
    };
    return { eventcount, attempt, onTimeout: () => false };
  }

  #finishing(call: string, isEarly: boolean): Operation<R> {
    this.#started(call).control.markAsked();
    const { eventcount, attempt, subject } = this.#joining(call, isEarly);
    return {
      eventcount,
      subject,
      verb: RESULT,
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
    // A new error for each call, because it shows the line of the call.
    throw new ProcessError(outcome.message, outcome.exitCode, outcome.options);
  }

  #stop(call: string, signal: number): void {
    const { control } = this.#started(call);
    const { pid } = this.#identity;
    if (this.#code !== null) return dismiss(pid);
    this.#isStopped = true;
    if (stopHosted(pid, signal)) return;
    // The host ends the process; until then the kill request keeps the process from going on.
    withoutKill(() => {
      askHost({ type: "stop", pid, signal });
      control.requestKill(signal);
    });
  }

  /** Releases what only a running process needs. Called when the end is noticed, perhaps more than once. */
  #ended(): void {
    if (this.#closed) return;
    this.#endSpan();
    removeChild(this);
    if (this.#signal !== undefined) removeAbortListener(this.#signal, this.#aborted);
    this.#signal = undefined;
    // The bytes of a process that may be hostile are read only when a call asks for the result.
    if (this.#shared?.result === undefined) this.#fetchOutcome();
    this.#port?.close();
    this.#port = undefined;
  }

  #endSpan(): void {
    const span = this.#span, exitCode = this.#code;
    if (span === undefined || exitCode === null) return;
    this.#span = undefined;
    const attributes = {
      "multiprocessing.process.pid": this.pid,
      "multiprocessing.process.exit_code": exitCode,
    };
    endSpan(span, attributes, exitCode === 0 ? undefined : howItEnded(exitCode));
  }

  /** Takes the outcome, which the child has sent before its end, if it has sent any. */
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
      // The process was hostile.
      failed("has sent what is no result.", { cause });
    }
    shared.result = shared.crashReport = undefined;
  }

  /** The words and options of the error for a process that has sent no outcome. */
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
 * The constructor of {@linkcode Process}, which its subclasses extend.
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
  /** The prototype of the objects. */
  readonly prototype: Process;
  /** Makes a process; `start()` starts it. */
  new <A extends unknown[] = unknown[], R = unknown>(
    ...parameters: ProcessParameters<A, R>
  ): Process<A, R>;
  /** Makes a process for a target that is one of several functions, or is overloaded. */
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

/** What a started process shares with its starter. */
interface Shared extends Pick<Started, "control" | "exit"> {
  /** The eventcount that is notified when the process has ended. */
  readonly eventcount: EventCount;
  /** The memory that holds the outcome, until it has been read. */
  result: SharedArrayBuffer | undefined;
  crashReport: SharedArrayBuffer | undefined;
}

/** The exit code of a process, or null while it lives. */
function codeOf({ control, exit }: Shared): number | null {
  return exit.exitCode() ?? control.finishedCode();
}

/** The parts of the ProcessError for a process that returned nothing. */
interface Failed {
  message: string;
  exitCode: number;
  options: ErrorOptions & { limit?: ProcessError["limit"] };
}

/** The error option for a cause. Without a cause there is no such property, because it would be printed. */
function withCause(cause: unknown): ErrorOptions {
  return cause === undefined ? {} : { cause };
}
