// Tells of the objects that are made in this isolate, for a monitor (lib/monitor). Only a program that imports the
// monitor has a listener; in all others nothing is done.

import type { Subject } from "./subject.ts";

/** A queue, a lock or a semaphore, as it is shown. */
export interface Made extends Subject {
  /** Its shared memory, in a form that crosses to another isolate. */
  readonly content: unknown;
}

/** Is told of each object; undefined where there is no listener. */
export let noteMade: ((object: object) => void) | undefined;

/** Has a function called with each queue, lock, semaphore and pool that is made here from now on. */
export function onMade(listener: (object: object) => void): void {
  noteMade = listener;
}
