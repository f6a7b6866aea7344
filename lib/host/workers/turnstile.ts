// Limits how many sandboxes load at once. While one is made the host's thread is blocked, for 10 ms on a free core and
// for as long as the scheduler likes on a busy one: sixty at once blocked it for 11 s (Deno 2.9.6, two cores). The
// others wait for their turn, and the host has a turn of its event loop between two of them.

import * as primordials from "../../platform/primordials.ts";

const {
  ArrayPrototypeFilter,
  ArrayPrototypePush,
  ArrayPrototypeShift,
  ArrayPrototypeSome,
  clearInterval,
  navigator,
  performance,
  setInterval,
} = primordials;

/** Most of the time a sandbox waits for Deno, so that some for each core keep all cores busy. */
const LOADING_PER_CORE = 4;
/** How often the turnstile looks whether another sandbox may be made, and the least time between two, in ms. */
const LOOK_MS = 5;

/** A sandbox that is made in its turn. */
export interface Making {
  make(): void;
  /** Whether it has loaded, or has ended. */
  isOver(): boolean;
}

let waiting: Making[] = [], loading: Making[] = [];
let lastMade = -Infinity;
let timer: ReturnType<typeof setInterval> | undefined;

/** Makes a sandbox: now if there is room, otherwise later. */
export function admit(making: Making): void {
  if (waiting.length === 0 && performance.now() - lastMade > LOOK_MS && hasRoom()) {
    return enter(making);
  }
  ArrayPrototypePush(waiting, making);
  // It keeps the program alive, as the sandbox would.
  timer ??= setInterval(turn, LOOK_MS);
}

/** Takes a sandbox out that was not made yet. */
export function withdraw(making: Making): void {
  waiting = ArrayPrototypeFilter(waiting, (other) => other !== making);
  rest();
}

/** Whether a sandbox was not made yet. */
export function isWaiting(making: Making): boolean {
  return ArrayPrototypeSome(waiting, (other) => other === making);
}

/** Makes one sandbox, if it is its turn. Also called where the host's thread is blocked. */
export function turn(): void {
  if (waiting.length > 0 && hasRoom()) {
    enter(ArrayPrototypeShift(waiting)!);
  }
  rest();
}

function enter(making: Making): void {
  ArrayPrototypePush(loading, making);
  try {
    making.make();
  } finally {
    lastMade = performance.now();
  }
}

function hasRoom(): boolean {
  loading = ArrayPrototypeFilter(loading, (making) => !making.isOver());
  return loading.length < LOADING_PER_CORE * navigator.hardwareConcurrency;
}

function rest(): void {
  if (waiting.length > 0) return;
  clearInterval(timer);
  timer = undefined;
}
