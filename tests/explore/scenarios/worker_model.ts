// Models of what a host starts processes with. A worker is a simulated process that starts when it is
// made; terminate() gives the order, which the explorer carries out at any later step.

import type { Body, Listener } from "../../../lib/host/workers/worker.ts";
import type { Birth, Launch } from "../../../lib/protocol/messages.ts";
import type { Simulation } from "../kernel/scenario.ts";

declare const sim: Simulation;

/** A thread: its number is the pid. */
export function startThread(launch: Launch, birth: Birth, listener: Listener): Body {
  const { pid } = launch.identity;
  sim.objects[`birth ${pid}`] = birth;
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
export const startJail = startThread;

/** Where the error would be left that nobody asks about: there is none. */
export function newLastWords(): SharedArrayBuffer {
  return new SharedArrayBuffer(4);
}

export function wordsLeft(): undefined {
  return undefined;
}
