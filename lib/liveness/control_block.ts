// The control block of a process: a few words of shared memory that the process, its starter and its
// host (the isolate that runs its worker) all see. The words are changed and read without messages, so
// they work while a thread is blocked. Each word has one kind of writer:
//
//   EXIT       the host, once: the exit code, when the process has ended; 0 while it is alive
//   LIMIT      the host, once: the limit that ended the process; the process itself, when its memory is full
//   EXIT_EVENT  the host opens this eventcount when it has written EXIT; so does the process after FINISHED
//   FINISHED   the process, once: its exit code, as its last step
//   KILL       a killer (the starter, the host, the thread that enforces a limit), once: the signal
//   STOPPED    the host, when it orders the end of the worker, after KILL
//   CRITICAL   the process: 1 while it is in a critical section
//   BOOTED     the process: 1 once this library is loaded in it
//   LOADED     the process: 1 once its modules are loaded
//   CLAIM      main or the starter, by compare-and-swap: which of the two hosts the process
//   READY      the process: how far its start has come, see READINESS
//   ASKED      the starter: 1 once the program has asked for the result; 2 once it has asked for READY
//   BEATS      the process: the number of waits for a probe of the host that it has begun
//              (lib/protocol/heartbeat.ts)
//   HEARTBEAT  no writer: the waits for a probe are at this word
//   PARKED     no writer: a process that is being killed sleeps on this word
//
// EXIT, LIMIT and EXIT_EVENT are the exit record, a part of the control block. A process with permissions of
// its own may be hostile: its exit record is in memory that the process doesn't see.
//
// Exit codes: the word is 0 while there is no exit code; a code from 0 up is written as one more.

import { PerIsolate } from "./per_isolate.ts";
import * as primordials from "../platform/primordials.ts";

const {
  ArrayPrototypeIndexOf,
  Atomics,
  Int32Array,
  Math,
  SharedArrayBuffer,
  TypedArrayPrototypeSubarray,
} = primordials;

const EXIT = 0,
  FINISHED = 1,
  KILL = 2,
  LOADED = 3,
  CLAIM = 4,
  ASKED = 5,
  STOPPED = 6,
  LIMIT = 7,
  BEATS = 8,
  BOOTED = 9,
  READY = 10;
/** On a cache line of its own: the process writes it twice an operation. */
const CRITICAL = 16;
const EXIT_EVENT = 32, EXIT_EVENT_END = 48;
const PARKED = 48, HEARTBEAT = 49;
const WORDS = 64;

/** The words by which processes are killed, for the explorer (tests/explore). */
export const KILL_WORDS = { CRITICAL, KILL };

/** Values of CLAIM. */
const UNCLAIMED = 0;
export const BY_MAIN = 1, BY_STARTER = 2;

/**
 * Values of READY: the target of this process is about to run; so is that of the process of the operating system
 * which this one keeps (lib/bridge/keeper.ts).
 */
export const READINESS = { own: 1, kept: 2 };

/** Values of ASKED, which are added up. */
const FOR_RESULT = 1, FOR_READY = 2;

/** A limit that has ended a process, by the name of its option. */
export type Limit = "timeLimit" | "memoryLimitMb";
/** Values of LIMIT: 1 and 2. */
const LIMITS: readonly Limit[] = ["timeLimit", "memoryLimitMb"];

function newWords(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(WORDS * 4));
}

function readCode(words: Int32Array, word: number): number | null {
  const value = Atomics.load(words, word);
  return value === 0 ? null : value > 0 ? value - 1 : value;
}

/** Writes an exit code, if there is none; whether it did. */
function writeCode(words: Int32Array, word: number, code: number): boolean {
  const value = code < 0 ? code : Math.min(code, 2 ** 31 - 2) + 1;
  return Atomics.compareExchange(words, word, 0, value) === 0;
}

/** The exit record of a process: how it ended, written by its host. */
export class ExitRecord {
  /** The shared memory, which crosses to other isolates. */
  readonly words: Int32Array;

  constructor(words: Int32Array) {
    this.words = words;
  }

  /** Makes an exit record outside of any control block. */
  static make(): ExitRecord {
    return new ExitRecord(newWords());
  }

  /** The exit code; null until the process has ended. */
  exitCode(): number | null {
    return readCode(this.words, EXIT);
  }

  /** Writes the exit code, if there is none, and wakes untilExited(). */
  writeExitCode(code: number): void {
    writeCode(this.words, EXIT, code);
    Atomics.notify(this.words, EXIT);
  }

  /** Resolves when there is an exit code. This wait doesn't keep the program alive. */
  async untilExited(): Promise<void> {
    const wait = Atomics.waitAsync(this.words, EXIT, 0);
    if (wait.async) await wait.value;
  }

  /** The limit that has ended the process, if one has. */
  limit(): Limit | undefined {
    return LIMITS[Atomics.load(this.words, LIMIT) - 1];
  }

  /** Notes the limit that the process reached, unless one was noted before. */
  reach(limit: Limit): void {
    Atomics.compareExchange(this.words, LIMIT, 0, ArrayPrototypeIndexOf(LIMITS, limit) + 1);
  }

  /** The words of the eventcount that opens when the process has ended. */
  eventWords(): Int32Array {
    return TypedArrayPrototypeSubarray(this.words, EXIT_EVENT, EXIT_EVENT_END);
  }
}

/** The words that the host hands to the thread which watches a process in a sandbox; each is element 0 of a view. */
export interface SharedWords {
  readonly kill: Int32Array;
  readonly critical: Int32Array;
  readonly stopped: Int32Array;
  readonly loaded: Int32Array;
  readonly limit: Int32Array;
}

/** The control block of a process. */
export class ControlBlock {
  /** The shared memory, which crosses to other isolates. */
  readonly words: Int32Array;

  constructor(words: Int32Array = newWords()) {
    this.words = words;
  }

  /** The control block whose words another process has sent; undefined if these are no control block. */
  static arrived(words: unknown): ControlBlock | undefined {
    const isOne = words instanceof Int32Array && words.buffer instanceof SharedArrayBuffer &&
      words.length === WORDS;
    return isOne ? new ControlBlock(words as Int32Array) : undefined;
  }

  /** The exit record in this block. */
  exitRecord(): ExitRecord {
    return new ExitRecord(this.words);
  }

  // Critical sections; see critical_section.ts

  /** Raises the flag: the process is in a critical section. */
  raiseFlag(): void {
    Atomics.store(this.words, CRITICAL, 1);
  }

  /** Lowers the flag. */
  lowerFlag(): void {
    Atomics.store(this.words, CRITICAL, 0);
  }

  isCritical(): boolean {
    return Atomics.load(this.words, CRITICAL) !== 0;
  }

  /** Blocks while the process is in a critical section, for `ms` at most. */
  awaitFlag(ms: number): void {
    Atomics.wait(this.words, CRITICAL, 1, ms);
  }

  /** Wakes the killer that waits for the flag to be lowered. */
  announceFlag(): void {
    Atomics.notify(this.words, CRITICAL);
  }

  // Being killed

  /** Writes the signal by which the process is to end, unless one was written before. */
  requestKill(signal: number): void {
    Atomics.compareExchange(this.words, KILL, 0, signal);
  }

  /** Ends the wait of untilKilled(). */
  announceKill(): void {
    Atomics.notify(this.words, KILL);
  }

  /** Resolves once announceKill() is called after requestKill(). This wait doesn't keep the program alive. */
  async untilKilled(): Promise<void> {
    const wait = Atomics.waitAsync(this.words, KILL, 0);
    if (wait.async) await wait.value;
  }

  /** The signal by which the process is being ended; 0 while it isn't. */
  killSignal(): number {
    return Atomics.load(this.words, KILL);
  }

  isKilled(): boolean {
    return Atomics.load(this.words, KILL) !== 0;
  }

  /** Notes that the end of the worker has been ordered. */
  markStopped(): void {
    Atomics.store(this.words, STOPPED, 1);
  }

  isStopped(): boolean {
    return Atomics.load(this.words, STOPPED) !== 0;
  }

  /** Blocks the thread for `ms`: the sleep of a process that is being killed. */
  park(ms: number): void {
    Atomics.wait(this.words, PARKED, 0, ms);
  }

  // From the start to the end

  /** Notes that this library is loaded in the process, and begins. */
  markBooted(): void {
    Atomics.store(this.words, BOOTED, 1);
  }

  hasBooted(): boolean {
    return Atomics.load(this.words, BOOTED) !== 0;
  }

  /** Notes that the modules of the process are loaded. */
  markLoaded(): void {
    Atomics.store(this.words, LOADED, 1);
    Atomics.notify(this.words, LOADED);
  }

  isLoaded(): boolean {
    return Atomics.load(this.words, LOADED) !== 0;
  }

  /** Resolves when the modules are loaded, or when endLoading() is called. */
  async untilLoaded(): Promise<void> {
    const wait = Atomics.waitAsync(this.words, LOADED, 0);
    if (wait.async) await wait.value;
  }

  /** Ends the waits for the modules, without their being loaded. */
  endLoading(): void {
    Atomics.notify(this.words, LOADED);
    Atomics.notify(this.words, READY);
  }

  /** Notes how far the start has come. */
  markReady(readiness: number): void {
    Atomics.store(this.words, READY, readiness);
    Atomics.notify(this.words, READY);
  }

  isReady(readiness: number): boolean {
    return Atomics.load(this.words, READY) >= readiness;
  }

  /** Resolves when the target is about to run, or when endLoading() is called. */
  async untilReady(): Promise<void> {
    const wait = Atomics.waitAsync(this.words, READY, 0);
    if (wait.async) await wait.value;
  }

  /** Claims the process for one of its possible hosts; false if a host has claimed it. */
  claim(by: number): boolean {
    return Atomics.compareExchange(this.words, CLAIM, UNCLAIMED, by) === UNCLAIMED;
  }

  isClaimed(): boolean {
    return Atomics.load(this.words, CLAIM) !== UNCLAIMED;
  }

  /** Notes that the program has asked for the result. */
  markAsked(): void {
    Atomics.or(this.words, ASKED, FOR_RESULT);
    Atomics.notify(this.words, ASKED);
  }

  /** Notes that the program waits until the target is about to run. */
  markAskedForReady(): void {
    Atomics.or(this.words, ASKED, FOR_READY);
  }

  /** Whether the program learns the outcome: who waits for the start learns why that failed. */
  wasAsked(): boolean {
    const asked = Atomics.load(this.words, ASKED);
    return (asked & FOR_RESULT) !== 0 || asked !== 0 && Atomics.load(this.words, READY) === 0;
  }

  /** Blocks until the program has asked for the result; false if it hasn't after `ms`. */
  awaitAsked(ms: number): boolean {
    return Atomics.wait(this.words, ASKED, 0, ms) !== "timed-out";
  }

  /** Writes the exit code, as the last step of the process; false if it was written before. */
  finish(code: number): boolean {
    return writeCode(this.words, FINISHED, code);
  }

  /** The exit code that the process itself has written; null until its last step. */
  finishedCode(): number | null {
    return readCode(this.words, FINISHED);
  }

  hasFinished(): boolean {
    return Atomics.load(this.words, FINISHED) !== 0;
  }

  /** Whether the process may take no further step: it has taken its last step, or is being killed. */
  isOver(): boolean {
    return this.hasFinished() || this.isKilled();
  }

  // Heartbeat; see lib/protocol/heartbeat.ts

  /** Begins a wait for a probe of the host, and counts it. */
  beat(): ReturnType<typeof Atomics.waitAsync> {
    const wait = Atomics.waitAsync(this.words, HEARTBEAT, 0);
    // After the wait has begun, not before: the host relies on this order.
    Atomics.add(this.words, BEATS, 1);
    return wait;
  }

  /** The number of waits that were begun so far. */
  beats(): number {
    return Atomics.load(this.words, BEATS);
  }

  /** Ends one of the waits; false if there was none. */
  probe(): boolean {
    return Atomics.notify(this.words, HEARTBEAT, 1) !== 0;
  }

  /** The words for the thread that watches a process in a sandbox. */
  sharedWords(): SharedWords {
    const word = (at: number) => TypedArrayPrototypeSubarray(this.words, at, at + 1);
    return {
      kill: word(KILL),
      critical: word(CRITICAL),
      stopped: word(STOPPED),
      loaded: word(LOADED),
      limit: word(LIMIT),
    };
  }
}

const perIsolate = new PerIsolate<Int32Array>("control-block");

let own = new ControlBlock(perIsolate.getOr(newWords));

/** The control block of the process that this isolate is. */
export function ownControl(): ControlBlock {
  return own;
}

/** Called once in a sealed process, so that no other code in the isolate finds the control block. */
export function hideControl(): void {
  perIsolate.hide();
}

/** Called once, as the first step of a started process. */
export function adoptControl(words: Int32Array): void {
  own = new ControlBlock(perIsolate.set(words));
}
