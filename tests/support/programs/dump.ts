// A program that installs the dump, and whose main is blocked then.

import { inspect, installDump, Process, Queue, sleep } from "../../../mod.ts";

export async function eat(dishes: Queue<string>) {
  // Until main is blocked, and has looked at what it waits for.
  while (!inspect().processes[0].waits.some(({ blocking, at }) => blocking && at)) await sleep(10);
  console.log("blocked");
  for await (const _ of dishes);
}

if (import.meta.main) {
  const dump = installDump();
  await dump.ready;
  const dishes = new Queue<string>({ name: "dishes" });
  new Process({ target: eat, args: [dishes], name: "eater" }).start();
  if (Deno.args[0] === "disposed") await dump[Symbol.asyncDispose]();
  dishes.getSync();
}
