// A program in which every process waits, and nothing will come: awaited, or with main blocked.

import { detectDeadlocks, Process, Queue } from "../../../mod.ts";

export async function eat(dishes: Queue<string>) {
  for await (const _ of dishes);
}

if (import.meta.main) {
  const dishes = new Queue<string>({ name: "dishes" });
  const child = new Process({ target: eat, args: [dishes], name: "eater" });
  child.start();
  if (Deno.args[0] === "off") detectDeadlocks({ idle: "off" });
  if (Deno.args[0] === "limited") dishes.get({ timeout: 1_000_000 }).catch(() => {});
  if (Deno.args[0] === "server") Deno.serve({ port: 0, onListen() {} }, () => new Response());
  if (Deno.args[0] === "signal") Deno.addSignalListener("SIGUSR2", () => {});
  if (Deno.args[0] === "blocked") child.joinSync();
  else await child.join();
}
