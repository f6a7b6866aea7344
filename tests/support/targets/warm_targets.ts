// What warm_test.ts runs: how a process that started warm looks from inside.

import { Process } from "../../../mod.ts";

export const here: string = import.meta.url;

/** When this isolate was made, in ms since 1970. */
export function tellOrigin(): number {
  return performance.timeOrigin;
}

/** As tellOrigin(), of a child of this process. */
export async function tellOriginOfChild(): Promise<[before: number, origin: number]> {
  const process = new Process({ target: tellOrigin, module: here });
  const before = performance.timeOrigin + performance.now();
  process.start();
  return [before, await process.result()];
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
