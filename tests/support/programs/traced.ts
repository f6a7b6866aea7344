// A program that is traced into a file, and ends in the way that its first argument says.

import { Process, Queue, trace } from "../../../mod.ts";

const [how, file] = Deno.args;
if (import.meta.main) {
  const running = trace({ file });
  const queue = new Queue<number>({ name: "numbers" });
  const child = new Process({
    target: async (queue: Queue<number>) => await queue.put(1),
    args: [queue],
  });
  child.start();
  console.log(await queue.get());
  await child.join();
  if (how === "stopped") console.log((await running.stop()).processes);
  if (how === "thrown") throw new Error("on purpose");
  if (how === "exit") Deno.exit(3);
}
