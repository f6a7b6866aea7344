// A spare: a thread that has loaded this package and waits for the process that it is to run. A spare that has waited
// for too long ends by itself. One word of shared memory decides whether it has ended or was taken: a compare-and-swap
// by the host, or by the spare.

import * as primordials from "../platform/primordials.ts";
import type { WorkerData } from "./spawn_request.ts";

const { Atomics, Int32Array, SharedArrayBuffer } = primordials;

/** READY is 1 once the spare has loaded the package; DECIDED says who has ended the wait. */
const READY = 0, DECIDED = 1, WORDS = 2;

/** Values of DECIDED. */
const WAITING = 0, TAKEN = 1, LEFT = 2;

/** The data that a spare's worker is given. */
export interface SpareData {
  words: Int32Array;
  /** The URL of this package's first module in a child. */
  library: string;
  /** Whether the spare is to define the entry points of the package, for targets by reference. */
  hasEntryPoints: boolean;
}

/** The message by which a spare becomes a process. */
export interface SpareMessage {
  data: WorkerData;
  /** The data: URL of the process's main module. */
  main: string;
}

/** The words that a spare shares with its host. */
export class SpareState {
  /** The shared memory, which crosses to the spare. */
  readonly words: Int32Array;

  constructor(words: Int32Array = new Int32Array(new SharedArrayBuffer(WORDS * 4))) {
    this.words = words;
  }

  /** Takes the spare for a process; false if it has ended. Called by the host. */
  take(): boolean {
    return Atomics.compareExchange(this.words, DECIDED, WAITING, TAKEN) === WAITING;
  }

  /** Decides that the spare ends; false if it was taken. Called by the spare. */
  leave(): boolean {
    return Atomics.compareExchange(this.words, DECIDED, WAITING, LEFT) === WAITING;
  }

  /** Notes that the package is loaded. */
  markReady(): void {
    Atomics.store(this.words, READY, 1);
    Atomics.notify(this.words, READY);
  }

  isReady(): boolean {
    return Atomics.load(this.words, READY) !== 0;
  }

  /** Blocks until the package is loaded, for `ms` at most. */
  awaitReady(ms: number): void {
    Atomics.wait(this.words, READY, 0, ms);
  }
}
