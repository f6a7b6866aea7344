// How a started process ends by itself: its target returned or threw, it called Deno.exit, or its memory
// is full. The last step writes the exit code into the control block, for waiters that are blocked and hear
// nothing from the host. From then on others may take what the process holds, so this comes after
// everything that code of the user's does at the end.

import process from "node:process";
import { ownControl } from "../liveness/control_block.ts";
import { isKilled } from "../liveness/critical_section.ts";
import { expectExit, runExitHooks } from "../liveness/exit_hooks.ts";
import { ownRef, ownRoster } from "../liveness/membership.ts";
import { endAllHosted } from "../host/spawn.ts";
import { KILLED } from "../host/supervisor.ts";
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
 * @param print prints what a listener has thrown that runs at the very end
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
      // The program has replaced what Deno's own code uses for it: its listeners may run later.
    }
    return Deno.exit(code);
  };
  globalThis.Deno.exit = leave;
  // In a web Worker, where the original would end the process without its last step.
  if ("close" in globalThis) globalThis.close = () => leave();
}

/** What Deno.exit does in a started process, whatever its code has put in the place of that. */
export let leave: (code?: number) => never = Deno.exit;

/** node's process, with the mark that its "exit" has been emitted, as process.exit() sets it itself. */
const node: typeof process & { _exiting?: boolean } = process;
let isFinished = false;

/**
 * As at the end of main, listeners of node's "exit" run, and may set the exit code. A listener that throws
 * makes that 1.
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
 * As when main has nothing more to do, listeners of node's "beforeExit" run; what they return is awaited,
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
  ownRoster().noteExit(ownRef(), exitCode);
  endAllHosted();
  runExitHooks(exitCode);
  ownRoster().reap(ownRef());
  const control = ownControl();
  if (control.finish(exitCode)) exitEvent(control.exitRecord()).notify(Infinity);
}

/** There is no memory left for anything else. */
export function runOutOfMemory(): void {
  if (isKilled()) return;
  ownControl().exitRecord().reach("memoryLimitMb");
  try {
    finish(-KILLED);
  } finally {
    Deno.exit();
  }
}
