// Nobody is killed inside a critical section. A process raises its flag before it takes a lock
// word of anything others use and lowers it after; who wants to kill it sets KILL and then waits
// for the flag to be down. Both sides write their own word and then read the other's, and Atomics
// are sequentially consistent, so at least one of the two sees the other:
//
//   process:  CRITICAL = 1; read KILL       killer:  KILL = n; read CRITICAL
//
// A process that sees KILL takes no further step: it lowers the flag and sleeps until its host
// ends it. So a killer that saw the flag down may end the host at any later instant.
//
// Sections don't nest, are short, and contain nothing that can throw.

import { CRITICAL, KILL, NEVER, ownControl } from "./control.ts";

/** Raises the flag; doesn't return if this process is being killed. */
export function enter(): void {
  const control = ownControl();
  Atomics.store(control, CRITICAL, 1);
  if (Atomics.load(control, KILL) !== 0) stopHere(control);
}

/** Lowers the flag; doesn't return if this process is being killed. */
export function leave(): void {
  const control = ownControl();
  Atomics.store(control, CRITICAL, 0);
  if (Atomics.load(control, KILL) !== 0) stopHere(control);
}

/** For waits: doesn't return if this process is being killed. */
export function stopIfKilled(): void {
  const control = ownControl();
  if (Atomics.load(control, KILL) !== 0) stopHere(control);
}

function stopHere(control: Int32Array): never {
  Atomics.store(control, CRITICAL, 0);
  Atomics.notify(control, CRITICAL);
  for (;;) Atomics.wait(control, NEVER, 0);
}
