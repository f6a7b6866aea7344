// While a task waits for other tasks of a pool, its place in the worker is free. Otherwise tasks that wait for
// other tasks could occupy every place, and the tasks they wait for would never run (a deadlock).

import type { CurrentTask } from "./current_task.ts";

/** A listener: a task waits for one more unit, or for one less. */
export type NestedWaits = (task: CurrentTask, by: 1 | -1) => void;

let tell: NestedWaits = () => {};

/** Sets the listener; called once in a worker of a pool. */
export function onNestedWait(listener: NestedWaits): void {
  tell = listener;
}

/** Tells the listener that a task waits for one more unit, or for one less. */
export function countNestedWait(task: CurrentTask, by: 1 | -1): void {
  tell(task, by);
}
