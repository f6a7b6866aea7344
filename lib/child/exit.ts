// How a started process ends by itself: its target returned or threw, it called Deno.exit, or its memory is
// full. The last step writes the exit code into the control block, for waiters that are blocked and get no
// message from the host. From then on other processes may take what this one holds, so the last step comes
// after all code of the user's that runs at the end.

import process from "node:process";
import { ownControl } from "../liveness/control_block.ts";
import { isKilled } from "../liveness/critical_section.ts";
import { ENDED } from "../liveness/event_rings.ts";
import { recorder } from "../liveness/recorder.ts";
import { expectExit, runExitHooks } from "../liveness/exit_hooks.ts";
import { ownProcessTable, ownRef } from "../liveness/membership.ts";
import { mayEndAnywhere, setMayEndAnywhere } from "../liveness/mutex.ts";
import { endAllHosted } from "../host/spawn.ts";
import { KILLED } from "../host/supervisor.ts";
import { ownIdentity } from "../process/current.ts";
import { exitEvent } from "../protocol/exit_event.ts";
import * as primordials from "../platform/primordials.ts";

const {
  addEventListener,
  ArrayPrototypeMap,
  Deno,
  Reflect,
  removeEventListener,
  whenAll,
} = primordials;

/**
 * Called once in a started process, before its target runs.
 *
 * @param print prints an error thrown by a listener that runs at the very end
 */
export function expectToLeave(print: (thrown: unknown) => void): void {
  expectExit();
  const lastStep = () => {
    if (isKilled()) return;
    if (!isFinished) emitExit(print);
    finish(Deno.exitCode);
  };
  addEventListener("unload", lastStep);
  leave = (code) => {
    try {
      // After the user's own listeners, if there are any.
      removeEventListener("unload", lastStep);
      addEventListener("unload", lastStep);
    } catch {
      // The program has replaced functions that Deno's own code uses for this: its listeners may run later.
    }
    return Deno.exit(code);
  };
  globalThis.Deno.exit = leave;
  // In a web Worker, the original close() would end the process without its last step.
  if ("close" in globalThis) globalThis.close = () => leave();
}

/** Deno.exit of a started process, also where the program has replaced Deno.exit. */
export let leave: (code?: number) => never = Deno.exit;

/** node's process, with the flag that "exit" has been emitted, which process.exit() sets as well. */
const node: typeof process & { _exiting?: boolean } = process;
let isFinished = false;

/**
 * Runs the listeners of node's "exit", as at the end of main. They may set the exit code; a listener that
 * throws sets it to 1.
 */
function emitExit(print: (thrown: unknown) => void): void {
  if (node._exiting) return;
  node._exiting = true;
  try {
    node.emit("exit", Deno.exitCode);
  } catch (thrown) {
    globalThis.Deno.exitCode = 1;
    print(thrown);
  }
}

/**
 * Runs the listeners of node's "beforeExit", as when main has nothing more to do. What they return is awaited,
 * because timers and the like keep no started process from ending. Throws what a listener throws.
 */
export async function emitBeforeExit(): Promise<void> {
  const listeners = node.rawListeners("beforeExit");
  if (listeners.length === 0) return;
  await whenAll(
    ArrayPrototypeMap(listeners, (listener) => Reflect.apply(listener, node, [Deno.exitCode])),
  );
}

function finish(exitCode: number): void {
  isFinished = true;
  if (recorder !== undefined) recorder.event(ENDED, ownIdentity().pid, exitCode);
  ownProcessTable().noteExit(ownRef(), exitCode);
  endAllHosted();
  runExitHooks(exitCode);
  // From here on the process table says that no live process has the mark that this one has had.
  if (mayEndAnywhere()) setMayEndAnywhere(true);
  ownProcessTable().reap(ownRef());
  const control = ownControl();
  if (control.finish(exitCode)) exitEvent(control.exitRecord()).notify(Infinity);
}

/** Ends a process whose memory is full. There is no memory left for anything but the last step. */
export function runOutOfMemory(): void {
  if (isKilled()) return;
  ownControl().exitRecord().reach("memoryLimitMb");
  try {
    finish(-KILLED);
  } finally {
    Deno.exit();
  }
}
