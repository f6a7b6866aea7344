// The processes that run inside the worker of another process. Deno ends the workers of a worker together with
// it, wherever they are. So a host that ends the outer process first asks the inner ones to end, and waits
// until all of them are outside of critical sections.

import { ControlBlock } from "../liveness/control_block.ts";
import { exitEvent } from "../protocol/exit_event.ts";
import type { Nested } from "../protocol/messages.ts";
import * as primordials from "../platform/primordials.ts";

const { SafeMap } = primordials;

/** How often isOutside() reads the flag: this takes about a microsecond. */
const SPINS = 100;

/** Whether a process is outside of critical sections, or leaves one within a microsecond. */
export function isOutside(control: ControlBlock): boolean {
  for (let i = 0; i < SPINS; i++) if (!control.isCritical()) return true;
  return false;
}

/** The processes that run in one worker, directly or nested in each other. */
export class NestedProcesses {
  readonly #blocks = new SafeMap<number, ControlBlock>();

  /** Adds a process, and forgets the processes that have ended. */
  add({ pid, control: words }: Nested): void {
    for (const { 0: pid, 1: control } of this.#blocks) {
      if (control.exitRecord().exitCode() !== null) this.#blocks.delete(pid);
    }
    const control = ControlBlock.arrived(words);
    if (control !== undefined) this.#blocks.set(pid, control);
  }

  /** Asks all of them to end. */
  requestKill(signal: number): void {
    for (const control of this.#blocks.values()) {
      control.requestKill(signal);
      control.announceKill();
    }
  }

  /** Whether all of them are outside of critical sections. */
  areOutside(): boolean {
    for (const control of this.#blocks.values()) if (!isOutside(control)) return false;
    return true;
  }

  /** Writes into the exit records that all of them have ended with this exit code. */
  markExited(code: number): void {
    for (const control of this.#blocks.values()) {
      const record = control.exitRecord();
      record.writeExitCode(code);
      exitEvent(record).notify(Infinity);
    }
  }
}
