// The heartbeat tells a host whether the isolate of a process still exists (a failure detector: Chandra &
// Toueg), also where the host's thread is blocked and gets no events. The process keeps many waitAsync calls
// pending on one word of its control block. V8 drops them with the isolate, and not before its code has
// stopped. Each probe of the host notifies one of them. If none was pending although one should be, the isolate
// is gone. The process calls waitAsync again at its next turn of the event loop. As it may have no turn for
// long, the host probes less and less often.

import type { ControlBlock } from "../liveness/control_block.ts";
import * as primordials from "../platform/primordials.ts";

const { Math, performance, PromisePrototypeThen } = primordials;

/** How many waitAsync calls are pending at first. */
const FIRST_WAITS = 16;
/** The longest pause between two probes of a process that has turns. */
const MAX_PAUSE_MS = 100;
/** The first pause between two probes of a process that is ending. */
const END_PAUSE_MS = 5;

/** Starts the heartbeat. Called once in a started process. */
export function beat(control: ControlBlock): void {
  const wait = () => {
    const probe = control.beat();
    if (probe.async) PromisePrototypeThen(probe.value, wait);
  };
  for (let i = 0; i < FIRST_WAITS; i++) wait();
}

/** The host's view of the heartbeat of one process. */
export class HeartbeatMonitor {
  readonly #control: ControlBlock;
  #probes = 0;
  #beats = 0;
  /** The pause between two probes, in ms, and the time of the next probe. */
  #pause = 0;
  #next = 0;
  #nearsEnd = false;

  constructor(control: ControlBlock) {
    this.#control = control;
  }

  /** Whether there ever was a beat. A stopped process without one runs nothing and holds nothing. */
  get hasBegun(): boolean {
    return this.#control.beats() !== 0;
  }

  /** Probes the process at once, then after `pause` ms, and after twice as long each time. */
  expect(pause: number): void {
    this.#pause = pause;
    this.#next = performance.now();
  }

  /** Called when the process is ending: probes it often at first. */
  expectEnd(): void {
    this.#nearsEnd = true;
    this.expect(END_PAUSE_MS);
  }

  /** Probes the process, if it is time to. True if the probe has shown that the isolate is gone. */
  isGone(): boolean {
    const now = performance.now();
    if (!this.#nearsEnd && this.#control.hasFinished()) {
      this.#nearsEnd = true;
      this.#pause = Math.min(this.#pause, END_PAUSE_MS);
      this.#next = now;
    }
    const beats = this.#control.beats();
    if (now < this.#next || this.#probes >= beats) return false;
    // The process has had a turn since.
    if (beats !== this.#beats) this.#pause = Math.min(this.#pause, MAX_PAUSE_MS);
    this.#beats = beats;
    this.#probes++;
    this.#next = now + this.#pause;
    this.#pause *= 2;
    return !this.#control.probe();
  }
}
