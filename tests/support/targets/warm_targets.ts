// What warm_test.ts runs: how a process that started warm looks from inside.

import { Process, sleep } from "../../../mod.ts";

export const here: string = import.meta.url;

/** When this isolate was made, in ms since 1970. */
export function tellOrigin(): number {
  return performance.timeOrigin;
}

/** Starts children, one after the other, until the isolate of one is older than its start. */
export async function startUntilWarm(): Promise<void> {
  for (let isWarm = false; !isWarm; await sleep(100)) {
    const process = new Process({ target: tellOrigin, module: here });
    const before = performance.timeOrigin + performance.now();
    process.start();
    isWarm = await process.result() < before;
  }
}

/** What code can see of the thread that it runs in, except for names and numbers of its own. */
export async function look(): Promise<Record<string, unknown>> {
  const threads = await import("node:worker_threads");
  const { default: process } = await import("node:process");
  const keys = (object: object) => Reflect.ownKeys(object).map(String).sort();
  return {
    globals: keys(globalThis),
    deno: keys(Deno),
    argv: process.argv.map((text) => text.slice(0, 100)),
    execArgv: process.execArgv,
    events: process.eventNames(),
    main: String(Deno.mainModule).slice(0, 50),
    name: Object.getOwnPropertyDescriptor(globalThis, "name"),
    data: keys(threads.workerData as object),
    port: keys(threads.parentPort as object),
    limits: threads.resourceLimits,
    marks: performance.getEntries().length,
    stack: new Error("here").stack?.replaceAll(/data:[^:]*/g, "data").split("\n").length,
  };
}

export function spin(): void {
  for (;;);
}
