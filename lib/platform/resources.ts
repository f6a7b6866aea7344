// What an isolate can say of itself with no permission, also in a worker.
//
//   timers            process.getActiveResourcesInfo() lists the timers that keep the isolate alive ("Timeout"), and
//                     servers of node; of no other work that may go on does it know.
//   processor time    process.threadCpuUsage() is that of the thread, in steps of 10 ms.

//   what may wake it  Deno's core lists its resources by name: "http" (Deno.serve), listeners, connections, "signal"
//                     for a listener of signals, "child" for a subprocess (Deno 2.9.6). That is no public API.

import process from "node:process";
import * as primordials from "./primordials.ts";

const { Reflect, RegExpPrototypeTest } = primordials;

interface Asked {
  getActiveResourcesInfo(): string[];
  threadCpuUsage(): { user: number; system: number };
}
const { getActiveResourcesInfo, threadCpuUsage } = process as unknown as Asked;

/** The number of timers and servers that may wake this isolate; 0 where that isn't known. */
export function pendingResources(): number {
  try {
    return Reflect.apply(getActiveResourcesInfo, process, []).length;
  } catch {
    return 0;
  }
}

const WAKERS = /^(?:http|fetch|webSocket|tcp|tls|unix|udp|signal|child$|fsEvents)/;

interface Core {
  resources?(): Record<string, string>;
}

/** Deno's core, where it can be reached. */
function findCore(): Core | undefined {
  try {
    const deno = globalThis.Deno as unknown as Record<PropertyKey, { core?: Core }>;
    return deno[deno.internal as unknown as symbol]?.core;
  } catch {
    return undefined;
  }
}
const core = "Deno" in globalThis ? findCore() : undefined;

/** The number of servers, connections, listeners for signals and the like that may wake this isolate; 0 if unknown. */
export function outsideResources(): number {
  try {
    const names = primordials.Object.values(core?.resources?.() ?? {});
    let count = 0;
    for (let i = 0; i < names.length; i++) if (RegExpPrototypeTest(WAKERS, names[i])) count++;
    return count;
  } catch {
    return 0;
  }
}

/** The processor time of this thread, in milliseconds; 0 where it isn't known. */
export function processorMilliseconds(): number {
  try {
    const { user, system } = Reflect.apply(threadCpuUsage, process, []);
    return (user + system) / 1000;
  } catch {
    return 0;
  }
}
