// Models of the workers that a host starts. A worker is a simulated process that starts when it is
// made; terminate() gives the order, which the explorer carries out at any later step.

import type { Listener, ProcessWorker } from "../../../lib/host/workers/worker.ts";
import type { SpawnRequest, WorkerData } from "../../../lib/protocol/spawn_request.ts";
import type { Simulation } from "../kernel/scenario.ts";

declare const sim: Simulation;

/** A thread: its number is the pid. */
export function startThread(
  request: SpawnRequest,
  data: WorkerData,
  listener: Listener,
): ProcessWorker {
  const { pid } = request.child.identity;
  sim.objects[`worker data ${pid}`] = data;
  sim.start(pid, () => listener.exited(0));
  return {
    isInterruptible: true,
    knowsEnd: true,
    terminate() {
      sim.terminate(pid);
      listener.exited(0);
    },
    dispose() {},
    look() {},
  };
}

export const startSandbox = startThread;
export const startSandboxedThread = startThread;

/** Where the error would be left that nobody asks about: there is none. */
export function wordsLeft(): undefined {
  return undefined;
}

export function leaveError(): void {}
