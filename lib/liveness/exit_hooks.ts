// Exit hooks (Python's atexit): what a started process does in its last step, so that others learn of its
// end at once and not only from its host. A process that is killed runs none of them.

import * as primordials from "../platform/primordials.ts";

const { SafeSet } = primordials;

const hooks = new SafeSet<(exitCode: number) => void>();
let isStarted = false;

/** Has `work` done in the last step of this process, if the process was started by this library. */
export function onExit(work: (exitCode: number) => void): void {
  hooks.add(work);
}

/** Called once in a started process, first of all. */
export function expectExit(): void {
  isStarted = true;
}

/** Whether this process runs exit hooks when it ends: the main process just ends. */
export function willRunExitHooks(): boolean {
  return isStarted;
}

/** Runs the hooks, in the order in which they were given. */
export function runExitHooks(exitCode: number): void {
  for (const work of hooks) {
    try {
      work(exitCode);
    } catch {
      // The stack is full. The process table tells of the end all the same.
    }
  }
}
