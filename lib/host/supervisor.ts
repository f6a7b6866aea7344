// A process in a worker of this isolate, from its start until nothing of it is left. Whoever hosts a
// process writes the last words of its control block, and tells everybody who waits.
//
// A process has ended in two senses. To those who wait for it, when nothing more will come of it. To
// those who share something with it, when its thread is gone, or will never take another step: before
// that nobody may take what it holds. Mostly these are one moment; but a thread that was stopped in the
// middle of one long call of V8's goes on until that returns.
//
// A process that was started with permissions of its own may be hostile. Its host reads nothing of what
// it sends, and keeps for itself what must be true; what such a process writes into the words it shares
// can at most hurt itself.

import { MessageChannel, type MessagePort } from "node:worker_threads";
import {
  ASKED,
  CRITICAL,
  END_GATE,
  EXIT,
  FINISHED,
  isControl,
  KILL,
  LIMIT,
  LOADED,
  MEMORY_LIMIT,
  NEVER,
  NO_LIMIT,
  readCode,
  STOPPED,
  TIME_LIMIT,
  writeCode,
} from "../liveness/control_block.ts";
import { mayEndAnywhere } from "../liveness/mutex.ts";
import { ownRoster } from "../liveness/membership.ts";
import { closeStarted, takeMessage } from "../platform/ports.ts";
import { isOutOfMemory } from "../platform/threads.ts";
import { addChore, EventCount, recheckEverywhere, removeChore } from "../wait/eventcount.ts";
import { MAX_TIMER_MS } from "../wait/options.ts";
import type { Body, StartBody } from "./workers/worker.ts";
import { ServedDesk } from "./table_broker.ts";
import { isHosted } from "../protocol/host_port.ts";
import { startJail } from "./workers/sandboxed_thread.ts";
import type { Birth, Launch, Nested, Request } from "../protocol/messages.ts";
import { newLastWords, wordsLeft } from "../protocol/outcome.ts";
import { Pulse } from "../protocol/heartbeat.ts";
import { startSandbox } from "./workers/sandbox.ts";
import { startThread } from "./workers/thread.ts";
import { withoutAdded } from "../platform/added.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeConcat,
  ArrayPrototypeEvery,
  Atomics,
  clearTimeout,
  console,
  Deno,
  listOf,
  Math,
  performance,
  SafeMap,
  setTimeout,
} = primordials;

// How long a host waits for what should come at once, in ms.
/** A worker killed while its main module is still loading leaks what it had loaded. */
const LOADING = 2000;
/** Time runs from then on, whatever the process says. */
const LONGEST_LOADING = 5000;
/** A critical section takes microseconds, the longest of 2 GB under a second. */
const OUTSIDE = 2000;
/** A worker that was stopped is gone within a millisecond or two; nothing more will come of it. */
const GOING = 2000;
/** Longer than a call of V8's: what isn't gone by then burns on until the program ends. */
const ENDLESS = 30_000;
/** At the end of this isolate, for the threads in it. */
const AT_THE_END = 50;
/** With its thread blocked, the host looks so long after for the first time; see protocol/heartbeat.ts. */
const LOOK = 100, LOOK_FOR_END = 5;

/** Values of KILL: the signals of Python's terminate() and kill(). */
export const TERMINATED = 15, KILLED = 9;

/** The processes that run here, by pid. */
export const hosted: Map<number, Hosted> = new SafeMap();

/** The eventcount that opens when a process has ended, by its fate. */
export function endGate(fate: Int32Array): EventCount {
  return new EventCount(fate, END_GATE, () => readCode(fate, EXIT) !== null);
}

/** Ends a process for those who wait for it. */
function markExit(fate: Int32Array, code: number): void {
  writeCode(fate, EXIT, code);
  endGate(fate).notify(Infinity);
}

/** Writes that a process has ended and is gone, and tells everybody who waits. */
export function markEnded({ fate, ref }: Pick<Launch, "fate" | "ref">, code: number): void {
  ownRoster().noteExit(ref, code);
  ownRoster().reap(ref);
  markExit(fate, code);
  recheckEverywhere();
}

/** Asks a process to end. */
export function requestStop(control: Int32Array, signal: number): void {
  Atomics.compareExchange(control, KILL, 0, signal);
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
  readonly #pulse: Pulse;
  readonly #mayEndAnywhere: boolean;
  readonly #started = performance.now();
  /** The control blocks of what runs in its worker, directly or in each other, by pid. */
  readonly #nested = new SafeMap<number, Int32Array>();
  /** The signal it was told to end with, first of all. */
  #order = 0;
  #orderedAt = 0;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  #limitTimer: ReturnType<typeof setTimeout> | undefined;
  #isLoaded = false;
  /** Whether it says that it takes its last step. */
  #isLeaving = false;
  /** When its time is up. */
  #deadline: number | undefined;
  /** When its worker was seen to be ending. */
  #endingSince: number | undefined;
  #endTimer: ReturnType<typeof setTimeout> | undefined;
  /** Whether its port has closed; and how long it is waited for the reason. */
  #isClosed = false;
  #closedTimer: ReturnType<typeof setTimeout> | undefined;
  #exitCode = 0;
  #hasEnded = false;
  #isGone = false;
  /** Why the worker couldn't run; what the target throws doesn't come here. */
  #error: unknown;
  readonly #desk: ServedDesk | undefined;
  /** The error to be printed if nobody asks for the result. None from a process that may be hostile. */
  readonly #lastWords: SharedArrayBuffer | undefined;

  constructor(launch: Launch, wishes: Wishes) {
    this.#launch = launch;
    this.#wishes = wishes;
    const { control, port, identity, giveUp, memoryLimitMb } = launch;
    const isMemoryLimited = memoryLimitMb !== undefined;
    // Deno ends the workers of a worker with it.
    this.#mayEndAnywhere = isMemoryLimited || this.#isConfined || mayEndAnywhere() || isHosted();
    if (!this.#isConfined) this.#lastWords = newLastWords();
    this.#pulse = new Pulse(control);
    this.#pulse.expect(LOOK);
    const { port1, port2 } = new MessageChannel();
    this.#requests = port1;
    const birth: Birth = {
      ...{ control, port, host: port2, giveUp, isMemoryLimited },
      isLimited: isMemoryLimited || launch.timeLimit !== undefined,
      mayEndAnywhere: this.#mayEndAnywhere,
      lastWords: this.#lastWords,
    };
    this.#body = kindOf(launch)(launch, birth, {
      failed: (error) => this.#failed(error),
      exited: (code) => this.#exited(code),
      timeIsUp: () => this.#timeIsUp(),
    });
    withoutAdded(() => {
      if (!this.#isConfined) port1.on("message", this.#hear);
      port1.once("close", () => this.#closed());
    });
    port1.start();
    port1.unref();
    addChore(this.#lookBlocked);
    if (launch.desk !== undefined) this.#desk = new ServedDesk(launch.desk, launch.ref);
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

  get #isConfined(): boolean {
    return this.#launch.grants !== undefined;
  }

  /** The signal that ends it; 0 if none does. Others than its host can order the end of one they trust. */
  get #signal(): number {
    return this.#isConfined ? this.#order : Atomics.load(this.#launch.control, KILL);
  }

  // What it asks for

  readonly #hear = (message: unknown): void => {
    try {
      const request = message as Request;
      if (request.type === "nested") this.#addNested(request.nested);
      this.#wishes.serve(request);
    } catch {
      // What only looks like a request is none.
    }
  };

  #addNested({ pid, control }: Nested): void {
    for (const { 0: pid, 1: control } of this.#nested) {
      if (readCode(control, EXIT) !== null) this.#nested.delete(pid);
    }
    if (isControl(control)) this.#nested.set(pid, control);
  }

  #drainRequests(): void {
    if (this.#isConfined) return;
    for (;;) {
      const received = takeMessage(this.#requests);
      if (received === undefined) return;
      this.#hear(received.message);
    }
  }

  /** While this isolate is blocked, its processes are looked after between two slices. */
  readonly #lookBlocked = (): void => {
    this.#drainRequests();
    this.#body.look();
    if (!this.#isLeaving && readCode(this.#launch.control, FINISHED) !== null) {
      this.#isLeaving = true;
      this.#pulse.expect(LOOK_FOR_END);
    }
    const isGone = this.#pulse.isGone();
    if (this.#endingSince === undefined) {
      if (isGone) this.#vanished();
      else this.#checkTime();
      return;
    }
    if (isGone || !this.#pulse.hasBegun) this.#gone();
    else this.#checkEnding();
  };

  // How it is stopped

  /** Stops the worker as soon as it is outside of critical sections. */
  stop(signal: number): void {
    if (this.#order === 0) {
      this.#order = signal;
      this.#orderedAt = performance.now();
      addChore(this.#stop);
    }
    requestStop(this.#launch.control, this.#order);
    this.#stop();
  }

  readonly #stop = (): void => {
    if (this.#endingSince !== undefined) return;
    const { control } = this.#launch;
    clearTimeout(this.#stopTimer);
    const patience = performance.now() - this.#orderedAt;
    // Deno ends the workers of this worker with it: they must be outside, too.
    this.#drainRequests();
    for (const nested of this.#nested.values()) requestStop(nested, TERMINATED);
    const all = ArrayPrototypeConcat([control], listOf(this.#nested.values()));
    const mustWait = !this.#hasLoaded() && patience < LOADING ||
      !ArrayPrototypeEvery(all, isOutside) && !(this.#mayEndAnywhere && patience > OUTSIDE);
    if (mustWait) {
      this.#stopTimer = setTimeout(this.#stop, 1);
      return;
    }
    Atomics.store(control, STOPPED, 1);
    this.#body.terminate();
  };

  /** The worker has nothing more to do; what its user's "unload" listeners do may be critical. */
  dismiss(): void {
    this.stop(TERMINATED);
  }

  /** At the end of this isolate, which Deno ends all its workers with, wherever they are. */
  endNow(): void {
    const { control, ref } = this.#launch;
    requestStop(control, TERMINATED);
    for (let left = OUTSIDE; left > 0; left--) {
      const critical = Atomics.load(control, CRITICAL);
      if (critical === 0) break;
      Atomics.wait(control, CRITICAL, critical, 1);
    }
    Atomics.store(control, STOPPED, 1);
    this.#body.terminate();
    if (this.#body.isInterruptible && this.#pulse.hasBegun) {
      this.#pulse.expect(1);
      for (let left = AT_THE_END; left > 0 && !this.#pulse.isGone(); left--) {
        Atomics.wait(control, NEVER, 0, 1);
      }
    }
    ownRoster().noteExit(ref, -TERMINATED);
    ownRoster().reap(ref);
  }

  // Its limits

  #hasLoaded(): boolean {
    return this.#isLoaded ||= Atomics.load(this.#launch.control, LOADED) !== 0;
  }

  /** Ends it when its time is up. */
  async #limitTime(): Promise<void> {
    const loading = Atomics.waitAsync(this.#launch.control, LOADED, 0);
    if (loading.async) await loading.value;
    this.#isLoaded = true;
    this.#checkTime();
  }

  #checkTime(): void {
    const { timeLimit } = this.#launch;
    const isOver = this.#endingSince !== undefined || this.#order !== 0;
    if (isOver || timeLimit === undefined || timeLimit === Infinity) return;
    const now = performance.now();
    if (!this.#hasLoaded() && now - this.#started < LONGEST_LOADING) return;
    this.#deadline ??= now + timeLimit;
    clearTimeout(this.#limitTimer);
    const left = this.#deadline - now;
    if (left > 0) {
      this.#limitTimer = setTimeout(() => this.#checkTime(), Math.min(left + 1, MAX_TIMER_MS));
      Deno.unrefTimer(this.#limitTimer as unknown as number);
      return;
    }
    this.#timeIsUp();
  }

  #timeIsUp(): void {
    if (this.#signal !== 0 || this.#endingSince !== undefined) return;
    this.#reach(TIME_LIMIT);
    this.stop(KILLED);
  }

  #failed(error: unknown): void {
    this.#error = error;
    if (isOutOfMemory(error)) this.#reach(MEMORY_LIMIT);
  }

  #reach(limit: number): void {
    Atomics.compareExchange(this.#launch.fate, LIMIT, NO_LIMIT, limit);
  }

  // How it ends

  /** Its port has closed: its isolate is gone; or it is hostile, and is ended. */
  #closed(): void {
    this.#isClosed = true;
    // The limit it has reached, or its error, is told on another way, and may come later than that.
    this.#body.look();
    const isUnexplained = readCode(this.#launch.control, FINISHED) === null && this.#signal === 0;
    const mayComeLater = this.#endingSince === undefined && this.#body.knowsEnd && isUnexplained;
    if (mayComeLater) this.#closedTimer = setTimeout(() => this.#endClosed(), GOING);
    else this.#endClosed();
  }

  #endClosed(): void {
    this.#exited(1);
    this.#gone();
  }

  /** Without a word, and its host blocked: as does one that Deno ends because of its memory. */
  #vanished(): void {
    const { control, memoryLimitMb } = this.#launch;
    // It may have reached its time limit since.
    this.#body.look();
    const isUnexplained = readCode(control, FINISHED) === null && this.#signal === 0;
    if (isUnexplained && memoryLimitMb !== undefined) this.#reach(MEMORY_LIMIT);
    this.#exited(1);
    this.#gone();
  }

  /**
   * The worker is ending.
   *
   * @param code where nothing else says how
   */
  #exited(code: number): void {
    if (this.#endingSince !== undefined) return;
    this.#endingSince = performance.now();
    this.#pulse.expect(LOOK_FOR_END);
    clearTimeout(this.#stopTimer);
    clearTimeout(this.#limitTimer);
    clearTimeout(this.#closedTimer);
    removeChore(this.#stop);
    this.#drainRequests();
    this.#exitCode = code;
    const { control } = this.#launch;
    // Ends the wait for its being loaded.
    Atomics.notify(control, LOADED);
    // One that ends by itself has said farewell, and will not go on.
    if (readCode(control, FINISHED) !== null) this.#ended();
    if (this.#isClosed) this.#gone();
    if (!this.#hasEnded) this.#endTimer = setTimeout(() => this.#checkEnding(), GOING + 1);
  }

  /** Whether it has been ending for too long. */
  #checkEnding(): void {
    const ending = performance.now() - this.#endingSince!;
    if (ending > GOING) this.#ended();
    if (ending > (this.#body.isInterruptible ? ENDLESS : GOING)) this.#gone();
  }

  /** Nothing more will come of it. */
  #ended(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#endTimer);
    const { control, fate, identity } = this.#launch;
    if (hosted.get(identity.pid) === this) hosted.delete(identity.pid);
    this.#body.dispose();
    const hasFinished = readCode(control, FINISHED) !== null;
    if (!this.#isGone) {
      if (!hasFinished && this.#body.isInterruptible) this.#awaitGone();
      else this.#strike();
    }
    markExit(fate, this.#code());
    for (const nested of this.#nested.values()) markExit(nested, -TERMINATED);
    recheckEverywhere();
    // Not before: who starts many and then asks for all their results is still starting, perhaps.
    if (Atomics.load(control, ASKED) === 0) this.#printLastWords();
    this.#wishes.whenEnded?.(this.#error);
    // What it started and nobody is to wait for ends with it.
    for (const other of hosted.values()) {
      if (other.owner === identity.pid && other.daemon) other.dismiss();
    }
  }

  /** The exit code, once its worker is ending. */
  #code(): number {
    const { control, fate, memoryLimitMb } = this.#launch;
    // As it has noticed itself.
    const isFull = Atomics.load(control, LIMIT) === MEMORY_LIMIT;
    if (isFull && memoryLimitMb !== undefined) this.#reach(MEMORY_LIMIT);
    const kill = Atomics.load(fate, LIMIT) === MEMORY_LIMIT ? KILLED : this.#signal;
    return readCode(control, FINISHED) ?? (kill === 0 ? this.#exitCode : -kill);
  }

  #printLastWords(): void {
    const words = this.#lastWords && wordsLeft(this.#lastWords);
    if (words !== undefined) console.error(words);
  }

  /** It is in the middle of something that can't be interrupted: it keeps what it holds so long. */
  #awaitGone(): void {
    this.#endTimer = setTimeout(() => this.#gone(), ENDLESS - GOING);
    Deno.unrefTimer(this.#endTimer as unknown as number);
  }

  /** Its thread takes no further step. */
  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    removeChore(this.#lookBlocked);
    closeStarted(this.#requests);
    this.#strike();
    if (this.#hasEnded) clearTimeout(this.#endTimer);
    else this.#ended();
    // What woke it up in its last moments is lost, so everybody looks once more.
    recheckEverywhere();
  }

  /** What it held is free. */
  #strike(): void {
    this.#desk?.close();
    ownRoster().noteExit(this.#launch.ref, this.#code());
    ownRoster().reap(this.#launch.ref);
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
