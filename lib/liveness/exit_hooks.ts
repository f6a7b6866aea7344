// Exit hooks (Python's atexit): functions that a started process calls in its last step, so that others learn of
// its end at once and not only from its host. A process that is killed runs none of them.

import * as primordials from "../platform/primordials.ts";

const { SafeSet } = primordials;

const hooks = new SafeSet<(exitCode: number) => void>();
let isStarted = false;

/** Registers `work` for the last step of this process; only a process that this library started runs it. */
export function onExit(work: (exitCode: number) => void): void {
  hooks.add(work);
}

/** Called once in a started process, first of all. */
export function expectExit(): void {
  isStarted = true;
}

/** Whether this process runs exit hooks when it ends; the main process runs none. */
export function willRunExitHooks(): boolean {
  return isStarted;
}

/** Runs the hooks, in the order in which they were registered. */
export function runExitHooks(exitCode: number): void {
  for (const work of hooks) {
    try {
      work(exitCode);
    } catch {
      // The stack is full. Others learn of the end from the process table all the same.
    }
  }
}
