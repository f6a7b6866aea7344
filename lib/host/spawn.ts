// What an isolate does as a host: it starts processes, for itself and for those it hosts, and ends
// them.

import { BY_MAIN, CLAIM, KILL, UNCLAIMED } from "../liveness/control_block.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { ownRef, ownRoster } from "../liveness/membership.ts";
import { askHost, isHosted } from "../protocol/host_port.ts";
import { Hosted, hosted, markEnded, TERMINATED } from "./supervisor.ts";
import type { Launch, Request } from "../protocol/messages.ts";
import * as primordials from "../platform/primordials.ts";

const { Atomics } = primordials;

/** Does what a process asks of its host, for itself or others. */
function serve(request: Request): void {
  if (request.type === "stop") {
    stopHosted(request.pid, request.signal);
    return;
  }
  if (request.type === "nested") {
    askHost(request);
    return;
  }
  const { launch } = request;
  if (Atomics.compareExchange(launch.control, CLAIM, UNCLAIMED, BY_MAIN) !== UNCLAIMED) {
    launch.port.close();
    return;
  }
  try {
    host(launch);
  } catch {
    markEnded(launch, 1);
  }
}

/** Ends all that runs here, at the end of this isolate. */
export function endAllHosted(): void {
  for (const process of hosted.values()) process.endNow();
}

/** Runs a process here, unless it was ended before it began. */
export function host(launch: Launch, whenEnded?: (error: unknown) => void): void {
  const { control, ref, identity: { pid } } = launch;
  const roster = ownRoster();
  // It lives no longer than the isolate it runs in.
  withoutKill(() => roster.reparent(ref, ownRef()));
  if (isHosted()) askHost({ type: "nested", nested: { pid, control } });
  const kill = Atomics.load(control, KILL);
  // Struck off: its starter has ended in the middle of starting it.
  if (kill === 0 && roster.isAlive(ref) && !hosted.has(pid)) {
    new Hosted(launch, { serve, whenEnded });
  } else {
    launch.port.close();
    markEnded(launch, -(kill || TERMINATED));
  }
}

/**
 * Ends the worker of a process that has taken its last step, or says so; what is left of it is the
 * teardown, of which nobody need wait for the notice (2 ms). Does nothing if it doesn't run here.
 */
export function dismiss(pid: number): void {
  hosted.get(pid)?.dismiss();
}

/** Ends a process that runs here; false if it doesn't. */
export function stopHosted(pid: number, signal: number): boolean {
  const found = hosted.get(pid);
  found?.stop(signal);
  return found !== undefined;
}
