// What a started process does in its last step, so that others learn of its end at once and not only
// from its host. Rooms say here what they have to do; a process that is killed does none of it.

import * as primordials from "../platform/primordials.ts";

const { SafeSet } = primordials;

const hooks = new SafeSet<(exitCode: number) => void>();
let isStarted = false;

/** Has `work` done in the last step of this process, if it is one that was started. */
export function onExit(work: (exitCode: number) => void): void {
  hooks.add(work);
}

/** Called once in a started process, first of all. */
export function expectExit(): void {
  isStarted = true;
}

/** Whether this process will say farewell: the main process, for one, just ends. */
export function willRunExitHooks(): boolean {
  return isStarted;
}

/** Does what was asked for. */
export function runExitHooks(exitCode: number): void {
  for (const work of hooks) {
    try {
      work(exitCode);
    } catch {
      // The stack is full. The roster tells of the end all the same.
    }
  }
}
