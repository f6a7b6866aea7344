// A process in a worker of this isolate, from its start until nothing of it is left. Whoever hosts a
// process writes the last words of its control block, and tells everybody who waits.
//
// A process that was started with permissions of its own may be hostile. What it says to its host
// over its port, or writes into the words it shares, can at most hurt itself: its host believes
// only what was there before, and waits for nothing without an end.

import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import {
  CRITICAL,
  END_GATE,
  EXIT,
  FINISHED,
  isControl,
  KILL,
  LIMIT,
  LOADED,
  MEMORY_LIMIT,
  readCode,
  STOPPED,
  TIME_LIMIT,
  writeCode,
} from "../memory/control.ts";
import { mayEndAnywhere } from "../memory/mutex.ts";
import { ownRoster } from "../memory/roster.ts";
import { addChore, Gate, lookEverywhere, removeChore } from "../wait/gate.ts";
import { LONGEST_TIMER } from "../wait/options.ts";
import type { Body, StartBody } from "./body.ts";
import { startJail } from "./jail.ts";
import type { Birth, Launch, Nested, Request } from "./messages.ts";
import { startSandbox } from "./sandbox.ts";
import { startThread } from "./thread.ts";

/** A worker killed while its main module is still loading leaks what it had loaded; so much patience has the killer, in ms. */
const LOADING = 2000;

/** A critical section takes microseconds, the longest of 2 GB under a second; one never left is a crash. In ms. */
const OUTSIDE = 2000;

/** A worker that was stopped is gone within a millisecond or two; with its thread blocked, the host waits so long, in ms. */
const GOING = 50;

/** So long it waits where it would hear of the end, or where the worker may be in the middle of something. In ms. */
const LONGEST_GOING = 2000;

/** What a worker has that ran out of memory. */
const OUT_OF_MEMORY = "ERR_WORKER_OUT_OF_MEMORY";

/** Values of KILL: the signals of Python's terminate() and kill(). */
export const TERMINATED = 15, KILLED = 9;

/** The processes that run here, by pid. */
export const hosted: Map<number, Hosted> = new Map();

/** The gate that opens when the process of a control block has ended. */
export function endGate(control: Int32Array): Gate {
  return new Gate(control, END_GATE, () => readCode(control, EXIT) !== null);
}

/** Writes that a process has ended, and tells everybody who waits. */
export function markEnded({ control, ref }: Pick<Launch, "control" | "ref">, code: number): void {
  writeCode(control, EXIT, code);
  ownRoster().strikeAll(ref);
  endGate(control).open(Infinity);
  lookEverywhere();
}

/** Asks a process to end; false if somebody had asked before. */
export function requestStop(control: Int32Array, signal: number): boolean {
  return Atomics.compareExchange(control, KILL, 0, signal) === 0;
}

/** What an isolate does with what its processes ask for. */
export interface Wishes {
  /** Does what a process asks for that has the same rights as this one. */
  serve(request: Request): void;
  /** Is told of the end, and of the error of a worker that couldn't run. */
  whenEnded?(error: unknown): void;
}

/** A process in a worker of this isolate. */
export class Hosted {
  readonly #launch: Launch;
  readonly #wishes: Wishes;
  readonly #body: Body;
  readonly #requests: MessagePort;
  /** What runs in its worker, directly or in each other. */
  readonly #nested = new Map<number, Nested>();
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  #stopAsked = 0;
  #limitTimer: ReturnType<typeof setTimeout> | undefined;
  /** When its time is up, once it is loaded. */
  #deadline: number | undefined;
  #isExiting = false;
  /** Why the worker couldn't run; what the target throws doesn't come here. */
  #error: unknown;

  constructor(launch: Launch, wishes: Wishes) {
    this.#launch = launch;
    this.#wishes = wishes;
    const { control, port, identity, giveUp, grants, memoryLimitMb } = launch;
    const { port1, port2 } = new MessageChannel();
    const isMemoryLimited = memoryLimitMb !== undefined;
    const birth: Birth = {
      ...{ control, port, host: port2, giveUp, isMemoryLimited },
      // Deno ends the workers of a worker with it.
      mayEndAnywhere: isMemoryLimited || grants !== undefined || mayEndAnywhere(),
    };
    this.#requests = port1;
    this.#body = kindOf(launch)(launch, birth, {
      failed: (error) => this.#failed(error),
      exited: (code) => this.#exited(code),
    });
    port1.on("message", this.#hear);
    if (!this.#body.knowsEnd) port1.once("close", () => this.#exited(0));
    port1.unref();
    addChore(this.#lookBlocked);
    hosted.set(identity.pid, this);
    if (launch.timeLimit !== undefined) this.#limitTime();
  }

  /** Who started it. */
  get owner(): number {
    return this.#launch.owner;
  }

  /** Whether it ends with who started it. */
  get daemon(): boolean {
    return this.#launch.identity.daemon;
  }

  /** While this isolate is blocked, its processes are looked after between two slices. */
  readonly #lookBlocked = (): void => {
    for (;;) {
      const received = receiveMessageOnPort(this.#requests);
      if (received === undefined) break;
      this.#hear(received.message);
    }
    this.#body.look();
    if (Atomics.load(this.#launch.control, LOADED) !== 0) this.#checkTime();
  };

  readonly #hear = (message: unknown): void => {
    const { type } = Object(message) as Partial<Request>;
    if (type === "nested") this.#addNested((message as { nested: unknown }).nested);
    if (type === undefined || this.#launch.grants !== undefined) return;
    try {
      this.#wishes.serve(message as Request);
    } catch {
      // What only looks like a request is none.
    }
  };

  /** Takes down what runs in its worker, if it does. */
  #addNested(message: unknown): void {
    const { pid, by, control, ref } = Object(message) as Nested;
    if (by !== this.#launch.identity.pid && !this.#nested.has(by)) return;
    if (!isControl(control) || typeof pid !== "number") return;
    try {
      if (!ownRoster().belongsTo(ref, this.#launch.ref)) return;
    } catch {
      return; // no such entry
    }
    for (const [pid, { control }] of this.#nested) {
      if (readCode(control, EXIT) !== null) this.#nested.delete(pid);
    }
    this.#nested.set(pid, { pid, by, control, ref });
  }

  /** Stops the worker as soon as it is outside of critical sections; KILL is set. */
  readonly stop = (): void => {
    if (this.#isExiting) return;
    const { control } = this.#launch;
    if (this.#stopAsked === 0) {
      this.#stopAsked = performance.now();
      addChore(this.stop);
    }
    clearTimeout(this.#stopTimer);
    const asked = performance.now() - this.#stopAsked;
    const isLoading = Atomics.load(control, LOADED) === 0 && asked < LOADING;
    // Deno ends the workers of this worker with it: they must be outside, too.
    this.#lookBlocked();
    if (this.#isExiting) return;
    for (const { control } of this.#nested.values()) requestStop(control, TERMINATED);
    const all = [control, ...[...this.#nested.values()].map(({ control }) => control)];
    const areOutside = all.every(isOutside) ||
      this.#launch.grants !== undefined && asked > OUTSIDE;
    if (isLoading || !areOutside) {
      this.#stopTimer = setTimeout(this.stop, 1);
      return;
    }
    Atomics.store(control, STOPPED, 1);
    this.#body.terminate();
  };

  /** The worker has nothing more to do; what its user's "unload" listeners do may be critical. */
  dismiss(): void {
    requestStop(this.#launch.control, TERMINATED);
    this.stop();
  }

  /** At the end of this isolate, which Deno ends all its workers with, wherever they are. */
  endNow(): void {
    const { control, ref } = this.#launch;
    requestStop(control, TERMINATED);
    const patience = performance.now() + OUTSIDE;
    while (Atomics.load(control, CRITICAL) !== 0 && performance.now() < patience);
    Atomics.store(control, STOPPED, 1);
    this.#body.terminate();
    ownRoster().strikeAll(ref);
  }

  #failed(error: unknown): void {
    this.#error = error;
    if ((Object(error) as { code?: unknown }).code !== OUT_OF_MEMORY) return;
    Atomics.compareExchange(this.#launch.control, LIMIT, 0, MEMORY_LIMIT);
  }

  /** Ends it when its time is up. */
  async #limitTime(): Promise<void> {
    const loading = Atomics.waitAsync(this.#launch.control, LOADED, 0);
    if (loading.async) await loading.value;
    this.#checkTime();
  }

  #checkTime(): void {
    const { timeLimit } = this.#launch;
    if (this.#isExiting || timeLimit === undefined || timeLimit === Infinity) return;
    this.#deadline ??= performance.now() + timeLimit;
    clearTimeout(this.#limitTimer);
    const left = this.#deadline - performance.now();
    if (left > 0) {
      this.#limitTimer = setTimeout(() => this.#checkTime(), Math.min(left + 1, LONGEST_TIMER));
      Deno.unrefTimer(this.#limitTimer as unknown as number);
      return;
    }
    const { control } = this.#launch;
    if (!requestStop(control, KILLED)) return;
    Atomics.store(control, LIMIT, TIME_LIMIT);
    this.stop();
  }

  /**
   * The worker is ending. One that was stopped in the middle of something goes on for a moment after
   * terminate(), and until it is really gone nobody may take what it holds: its port closes then.
   */
  #exited(workerCode: number): void {
    if (this.#isExiting) return;
    this.#isExiting = true;
    clearTimeout(this.#stopTimer);
    clearTimeout(this.#limitTimer);
    removeChore(this.stop);
    removeChore(this.#lookBlocked);
    this.#lookBlocked();
    const { control } = this.#launch;
    // Ends the wait for its being loaded.
    Atomics.notify(control, LOADED);
    if (Atomics.load(control, KILL) === 0 || readCode(control, FINISHED) !== null) {
      // What woke it up in its last moments is lost, so everybody looks once more.
      this.#requests.once("close", () => lookEverywhere());
      this.#ended(workerCode);
      return;
    }
    const gone = () => {
      clearTimeout(timer);
      removeChore(lookBlocked);
      this.#ended(workerCode);
    };
    const told = performance.now();
    // A blocked thread hears of no port, and goes by the clock.
    const going = this.#body.isInterruptible ? GOING : LONGEST_GOING;
    const lookBlocked = () => {
      if (performance.now() - told > going) gone();
    };
    const timer = setTimeout(gone, LONGEST_GOING);
    addChore(lookBlocked);
    this.#requests.once("close", gone);
  }

  #ended(workerCode: number): void {
    const { control, identity } = this.#launch;
    if (!hosted.delete(identity.pid)) return;
    this.#body.dispose();
    const kill = Atomics.load(control, LIMIT) === MEMORY_LIMIT
      ? KILLED
      : Atomics.load(control, KILL);
    markEnded(this.#launch, readCode(control, FINISHED) ?? (kill === 0 ? workerCode : -kill));
    for (const nested of this.#nested.values()) {
      if (readCode(nested.control, EXIT) === null) markEnded(nested, -TERMINATED);
    }
    this.#wishes.whenEnded?.(this.#error);
    // What it started and nobody is to wait for ends with it.
    for (const other of hosted.values()) {
      if (other.owner === identity.pid && other.daemon) other.dismiss();
    }
  }
}

/** Which kind of worker a process needs. */
function kindOf({ grants, memoryLimitMb, timeLimit }: Launch): StartBody {
  if (grants === undefined) return startThread;
  return memoryLimitMb === undefined && timeLimit === undefined ? startSandbox : startJail;
}

/** Looks for a microsecond or so whether the process is outside of critical sections. */
function isOutside(control: Int32Array): boolean {
  for (let i = 0; i < 100; i++) if (Atomics.load(control, CRITICAL) === 0) return true;
  return false;
}
