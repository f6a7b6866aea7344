// What an isolate can say of itself with no permission, also in a worker.
//
//   timers            process.getActiveResourcesInfo() lists the timers that keep the isolate alive ("Timeout"), and
//                     servers of node; of no other work that may go on does it know.
//   processor time    process.threadCpuUsage() is that of the thread, in steps of 10 ms.

import process from "node:process";
import * as primordials from "./primordials.ts";

const { Reflect } = primordials;

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

/** The processor time of this thread, in milliseconds; 0 where it isn't known. */
export function processorMilliseconds(): number {
  try {
    const { user, system } = Reflect.apply(threadCpuUsage, process, []);
    return (user + system) / 1000;
  } catch {
    return 0;
  }
}
