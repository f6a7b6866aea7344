// While a task waits for other tasks of a pool, its place in the worker is free: otherwise tasks that all wait for
// others would leave no worker to run those.

import type { CurrentTask } from "./current_task.ts";

/** Told that a task waits for one more unit, or for one less. */
export type NestedWaits = (task: CurrentTask, by: 1 | -1) => void;

let tell: NestedWaits = () => {};

/** Called once in a worker of a pool. */
export function onNestedWait(listener: NestedWaits): void {
  tell = listener;
}

/** Says that a task waits for one more unit, or for one less. */
export function countNestedWait(task: CurrentTask, by: 1 | -1): void {
  tell(task, by);
}
