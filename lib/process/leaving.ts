// How a started process ends by itself: its target returned or threw, it called Deno.exit, or its memory
// is full. Its last step is written down in shared memory for those who wait with their thread blocked
// and can't hear its host. Once that is written nobody need respect what it holds, so it comes after
// whatever the user has to do at the end.

import {
  FINISHED,
  LIMIT,
  MEMORY_LIMIT,
  NO_LIMIT,
  ownControl,
  writeCode,
} from "../memory/control.ts";
import { isKilled } from "../memory/critical.ts";
import { expectEnd, sayFarewell } from "../memory/farewell.ts";
import { ownRef, ownRoster } from "../memory/roster.ts";
import { endAllHosted } from "./host.ts";
import { endGate, KILLED } from "./hosted.ts";

/** Called once in a started process, before its target runs. */
export function expectToLeave(): void {
  expectEnd();
  globalThis.addEventListener("unload", lastStep);
  const { exit } = Deno;
  Deno.exit = (code?: number): never => {
    // After the user's own listeners, if there are any.
    globalThis.removeEventListener("unload", lastStep);
    globalThis.addEventListener("unload", lastStep);
    return exit(code);
  };
  // In a web Worker. It would end without a word.
  if ("close" in globalThis) globalThis.close = () => Deno.exit();
}

function lastStep(): void {
  if (!isKilled()) finish(Deno.exitCode);
}

function finish(exitCode: number): void {
  endAllHosted();
  sayFarewell(exitCode);
  ownRoster().strikeAll(ownRef());
  const control = ownControl();
  if (writeCode(control, FINISHED, exitCode)) endGate(control).open(Infinity);
}

/** There is no memory left for anything else. */
export function runOutOfMemory(): void {
  if (isKilled()) return;
  Atomics.compareExchange(ownControl(), LIMIT, NO_LIMIT, MEMORY_LIMIT);
  finish(-KILLED);
  Deno.exit();
}
