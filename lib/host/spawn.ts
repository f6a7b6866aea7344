// What an isolate does as a host: it runs processes, for itself and for the processes it hosts, and ends them.

import { BY_MAIN, ControlBlock } from "../liveness/control_block.ts";
import { withoutKill } from "../liveness/critical_section.ts";
import { ownProcessTable, ownRef } from "../liveness/membership.ts";
import { askHost, isHosted } from "../protocol/host_port.ts";
import type { Request } from "../protocol/messages.ts";
import type { SpawnRequest } from "../protocol/spawn_request.ts";
import { hosted, markGone, Supervisor, TERMINATED } from "./supervisor.ts";

/** Does what a hosted process asks for, on its own behalf or for another process. */
function serve(asked: Request): void {
  if (asked.type === "stop") {
    stopHosted(asked.pid, asked.signal);
    return;
  }
  if (asked.type === "nested") {
    askHost(asked);
    return;
  }
  const { request } = asked;
  if (!new ControlBlock(request.child.control).claim(BY_MAIN)) {
    request.port.close();
    return;
  }
  try {
    spawn(request);
  } catch {
    markGone(request, 1);
  }
}

/** Ends all processes that run here, at the end of this isolate. */
export function endAllHosted(): void {
  for (const process of hosted.values()) process.endNow();
}

/** Runs a process here, unless it was ended before it began. */
export function spawn(request: SpawnRequest): void {
  const { self, identity: { pid }, control: words } = request.child;
  const processTable = ownProcessTable(), control = new ControlBlock(words);
  // From now on the process belongs to the isolate it runs in, and doesn't outlive it.
  withoutKill(() => processTable.reparent(self, ownRef()));
  if (isHosted()) askHost({ type: "nested", nested: { pid, control: words } });
  const kill = control.killSignal();
  // A process is no longer in the table if its starter ended while starting it.
  if (kill === 0 && processTable.isAlive(self) && !hosted.has(pid)) {
    new Supervisor(request, serve);
  } else {
    request.port.close();
    markGone(request, -(kill || TERMINATED));
  }
}

/**
 * Ends the worker of a process that has taken its last step, or has noted that in its control block. Only the
 * teardown is left, and nothing needs to wait for its notice (2 ms). Does nothing if the process doesn't run
 * here.
 */
export function dismiss(pid: number): void {
  hosted.get(pid)?.dismiss();
}

/** Ends a process that runs here. Returns false if the process doesn't run here. */
export function stopHosted(pid: number, signal: number): boolean {
  const found = hosted.get(pid);
  found?.stop(signal);
  return found !== undefined;
}
