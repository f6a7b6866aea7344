// What a process knows of itself and of its starter.

import { cannotClone } from "../transfer/transferable.ts";
import { ownProcessTable } from "../liveness/membership.ts";
import type { Ref } from "../liveness/process_table.ts";
import { customInspect, type Inspect, print } from "../printing.ts";
import { EventCount, EVENTCOUNT_WORDS, WAIT } from "../wait/eventcount.ts";
import { blocking, eventually, type Operation } from "../wait/operation.ts";
import type { BlockOptions, WaitOptions } from "../wait/options.ts";
import { type Readiness, readiness, type Waitable } from "../wait/waitable.ts";
import type { Identity } from "../protocol/identity.ts";
import { ownPermissions, type ProcessPermissions } from "./permissions.ts";
import * as primordials from "../platform/primordials.ts";

const { Int32Array, SharedArrayBuffer } = primordials;

/**
 * What a process can see of another process, or of itself.
 *
 * @example
 * ```ts
 * import { parentProcess, type ProcessInfo } from "@multiproc/multiprocessing";
 *
 * const starter: ProcessInfo | null = parentProcess();
 * console.log(starter); // null
 * ```
 */
export interface ProcessInfo {
  /** "MainProcess", or the name that was given, or one like "Process-1:2". */
  readonly name: string;
  /** A number unique in the program. It is larger than any of the operating system's. */
  readonly pid: number | undefined;
  /** Whether the program ends without waiting for the process. */
  readonly daemon: boolean;
  /**
   * The exit code of a process that was started here and has ended; null while it lives. Always null for this
   * process itself and for its parent, as in Python.
   */
  readonly exitCode: number | null;
  /** Whether the process has been started and has not ended. */
  isAlive(): boolean;
}

/**
 * What a process knows of itself.
 *
 * @example
 * ```ts
 * import { currentProcess, type CurrentProcess } from "@multiproc/multiprocessing";
 *
 * const me: CurrentProcess = currentProcess();
 * console.log(me.isAlive()); // true
 * ```
 */
export interface CurrentProcess extends ProcessInfo {
  /** The permissions that the process has now. */
  readonly permissions: ProcessPermissions;
}

/**
 * What a process sees of its starter. It can wait for the starter's end: a process that was killed leaves its
 * children behind, unless they are daemons, and these may want to know. (A process that ends by itself waits
 * for its children first.) Python's `multiprocessing.parent_process()`.
 *
 * @example
 * ```ts
 * import { type ParentProcess, parentProcess } from "@multiproc/multiprocessing";
 *
 * const parent: ParentProcess | null = parentProcess();
 * console.log(parent); // null
 * ```
 */
export interface ParentProcess extends ProcessInfo {
  /**
   * Waits until the parent has ended, however it did. Resolves to true then, and to false if that took more
   * than `timeout` ms.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  join(options?: WaitOptions): Promise<boolean>;
  /**
   * Like `join`, but blocks the thread while it waits: for CPU-bound code.
   *
   * @throws {RangeError} if `timeout` is negative or NaN
   */
  joinSync(options?: BlockOptions): boolean;
}

/** The process that this isolate is. */
export class ThisProcess implements CurrentProcess {
  readonly #identity: Identity;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  get name(): string {
    return this.#identity.name;
  }

  get pid(): number {
    return this.#identity.pid;
  }

  get daemon(): boolean {
    return this.#identity.daemon;
  }

  get exitCode(): null {
    return null;
  }

  get permissions(): ProcessPermissions {
    return ownPermissions();
  }

  isAlive(): boolean {
    return true;
  }

  get [cannotClone](): string {
    return "what currentProcess() returns, which means this process only. Send its name or its pid";
  }

  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const { name, pid, daemon, exitCode } = this;
    const state = { name, pid, daemon, exitCode };
    return print(this, ["CurrentProcess", ThisProcess], () => state, inspect, options);
  }
}

/** The process that has started this one. */
export class Starter implements ParentProcess, Waitable {
  readonly #identity: Identity;
  readonly #ref: Ref;
  /** Never notified: a waiter checks whenever any process has ended. */
  #eventcount: EventCount | undefined;

  constructor(identity: Identity, ref: Ref) {
    this.#identity = identity;
    this.#ref = ref;
  }

  get name(): string {
    return this.#identity.name;
  }

  get pid(): number {
    return this.#identity.pid;
  }

  get daemon(): boolean {
    return this.#identity.daemon;
  }

  get exitCode(): null {
    return null;
  }

  isAlive(): boolean {
    return ownProcessTable().isAlive(this.#ref);
  }

  join(options?: WaitOptions): Promise<boolean> {
    return eventually(this.#ending, options);
  }

  joinSync(options?: BlockOptions): boolean {
    return blocking(this.#ending, options);
  }

  get #ending(): Operation<boolean> {
    const { eventcount, isReady } = this[readiness]();
    return { eventcount, attempt: () => isReady() || WAIT, onTimeout: () => false };
  }

  [readiness](): Readiness {
    const isReady = () => !this.isAlive();
    this.#eventcount ??= new EventCount(
      new Int32Array(new SharedArrayBuffer(EVENTCOUNT_WORDS * 4)),
      0,
      isReady,
    );
    return { eventcount: this.#eventcount, isReady };
  }

  get [cannotClone](): string {
    return "what parentProcess() returns, which means the parent of this process only. Send its " +
      "name or its pid";
  }

  [customInspect](inspect: Inspect, options: Deno.InspectOptions): string {
    const state = () => {
      const { name, pid, daemon } = this;
      return { name, pid, daemon, alive: this.isAlive() };
    };
    return print(this, ["ParentProcess", Starter], state, inspect, options);
  }
}
