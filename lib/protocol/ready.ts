// How a process tells that its target is about to run: a flag in its control block, and the eventcount that also opens
// at its end. For a process with permissions of its own, which doesn't see that eventcount, the host notifies it.

import type { ControlBlock } from "../liveness/control_block.ts";
import { exitEvent } from "./exit_event.ts";

/** Sets the flag of this process, and tells all waiters. */
export function announceReady(control: ControlBlock, readiness: number): void {
  control.markReady(readiness);
  exitEvent(control.exitRecord()).notify(Infinity);
}
