// Whether the isolate of a process is still there, for a host whose thread is blocked and who hears of
// no end. The isolate lies down on a word, by Atomics.waitAsync, many times; V8 drops all that with the
// isolate, and not before its code has stopped. Who looks wakes one: if there is none left that should
// be there, the isolate is gone. It lies down anew at its next turn. As it may have none for long, the
// host looks less and less often.

import { BEATS, PULSE } from "../liveness/control_block.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics, Math, performance, PromisePrototypeThen } = primordials;

/** How often it lies down at first. */
const FIRST = 16;
/** The pause between two looks at one that has turns, in ms. */
const OFTEN = 100;

/** Called once in a started process: from now on its end can be seen. */
export function beat(control: Int32Array): void {
  const lieDown = () => {
    const sleep = Atomics.waitAsync(control, PULSE, 0);
    // Not before it sleeps: who looks counts on it.
    Atomics.add(control, BEATS, 1);
    if (sleep.async) PromisePrototypeThen(sleep.value, lieDown);
  };
  for (let i = 0; i < FIRST; i++) lieDown();
}

/** What a host has seen of a process. */
export class Pulse {
  readonly #control: Int32Array;
  #looks = 0;
  #beats = 0;
  /** From one look to the next, in ms; and when that one is. */
  #pause = 0;
  #next = 0;

  constructor(control: Int32Array) {
    this.#control = control;
  }

  /** Whether it ever beat. If not, and it has been told to stop, it runs nothing and holds nothing. */
  get hasBegun(): boolean {
    return Atomics.load(this.#control, BEATS) !== 0;
  }

  /** From now on it is looked at again after `pause` ms, and after twice as long each time. */
  expect(pause: number): void {
    this.#pause = pause;
    this.#next = performance.now();
  }

  /** Whether the isolate is gone, as far as can be told now. */
  isGone(): boolean {
    const now = performance.now(), beats = Atomics.load(this.#control, BEATS);
    if (now < this.#next || this.#looks >= beats) return false;
    // It has had a turn since.
    if (beats !== this.#beats) this.#pause = Math.min(this.#pause, OFTEN);
    this.#beats = beats;
    this.#looks++;
    this.#next = now + this.#pause;
    this.#pause *= 2;
    return Atomics.notify(this.#control, PULSE, 1) === 0;
  }
}
