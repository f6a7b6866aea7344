// A process with only the permissions it was given, in a program that may have more.

import { Process, Queue } from "@multiproc/multiprocessing";

export async function attempt(queue: Queue<string>, path: string) {
  try {
    await Deno.readTextFile(path);
  } catch (error) {
    await queue.put((error as Error).name);
  }
  return Deno.permissions.querySync({ name: "net" }).state === "granted";
}

if (import.meta.main) {
  const queue = new Queue<string>();
  const args: [Queue<string>, string] = [queue, "deno.json"];
  const process = new Process({ target: attempt, args, permissions: "none" });
  process.start();
  console.log(await queue.get());
  console.log(await process.result());
}
