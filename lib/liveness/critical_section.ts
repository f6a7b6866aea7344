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
// Sections don't nest, are short, and contain nothing that can throw, but for one thing: any call, even one
// of Atomics, throws when the user's recursion has filled the stack. So where a section begins there is
// room for what it calls: a call with very many arguments stands there. It is never made while the
// process lives, but its registers are part of the frame that V8 checks the stack for, as it enters the
// function, in whichever tier. That costs optimised code nothing: there the check is one comparison.

import { InvalidStateError } from "../errors.ts";
import { type ControlBlock, ownControl } from "./control_block.ts";

/**
 * Raises the flag; doesn't return if this process is being killed. Throws a RangeError when there are not 2 KiB
 * of stack left. The flag may be up then: who calls this lowers it, and has room for that.
 */
export function enter(): void {
  const control = ownControl();
  control.raiseFlag();
  if (control.isKilled()) {
    // deno-fmt-ignore
    stopHere(control,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    );
  }
}

/** Lowers the flag; doesn't return if this process is being killed. */
export function leave(): void {
  const control = ownControl();
  control.lowerFlag();
  if (control.isKilled()) stopHere(control);
}

/** Lowers the flag after an error: what threw in the section goes on to its caller. */
export function leaveAfterError(): void {
  ownControl().lowerFlag();
}

/** Does `work` as a critical section. */
export function withoutKill(work: () => void): void {
  try {
    enter();
    work();
    leave();
  } catch (error) {
    leaveAfterError();
    throw error;
  }
}

/** Whether this process is being killed. */
export function isKilled(): boolean {
  return ownControl().isKilled();
}

/** For waits: doesn't return if this process is being killed. */
export function stopIfKilled(): void {
  const control = ownControl();
  if (control.isKilled()) stopHere(control);
}

/** In ms: the host's order takes less than one to reach a process that sleeps here. */
const ORDER_ARRIVES = 100;
/** Of a process whose host can't reach it before it has unwound to the event loop. */
const NEVER_ARRIVES = 0;
let orderArrives = ORDER_ARRIVES;

/** Called in a process whose code the host can't interrupt. */
export function unwindWhenKilled(): void {
  orderArrives = NEVER_ARRIVES;
}

/** In ms: how often a process that sleeps here looks whether the order was given. */
const LOOK = 20;

/**
 * Sleeps until the host ends this isolate. The host's order can get lost: Deno clears it when
 * it interrupts certain built-in functions (platform/interruptible_console.ts), and the code goes on. Then all that is left is to
 * unwind to the event loop, where Deno notices.
 */
function stopHere(control: ControlBlock, ..._room: 0[]): never {
  control.lowerFlag();
  control.announceFlag();
  while (!control.isStopped()) control.park(LOOK);
  control.park(orderArrives);
  throw new InvalidStateError("This process was ended by another.");
}
