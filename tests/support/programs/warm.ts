// A program that ends while a spare waits; with "revoke", it gives up a permission first and starts a process in that spare.

import { Process, sleep } from "../../../mod.ts";

export function tell(): [origin: number, state: string] {
  return [performance.timeOrigin, Deno.permissions.querySync({ name: "env" }).state];
}

async function start(): Promise<[isWarm: boolean, state: string]> {
  const process = new Process({ target: tell });
  const before = performance.timeOrigin + performance.now();
  process.start();
  const [origin, state] = await process.result();
  return [origin < before, state];
}

if (import.meta.main) {
  while (!(await start())[0]) await sleep(100);
  console.log("a process has started warm");
  await sleep(300);
  if (Deno.args[0] === "revoke") {
    Deno.permissions.revokeSync({ name: "env" });
    console.log((await start()).join(" "));
  } else console.log(Date.now());
}
