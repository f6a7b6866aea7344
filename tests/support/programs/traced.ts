// A program that is traced into a file, and ends in the way that its first argument says.

import process from "node:process";
import { Lock, Process, Queue, trace } from "../../../mod.ts";

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
  if (how === "handled" || how === "on") {
    if (how === "on") process.on("unhandledRejection", () => {});
    else addEventListener("unhandledrejection", (event) => event.preventDefault());
    const lock = new Lock();
    await lock.acquire();
    const waiting = lock.acquire();
    for (let i = 0; i < 3; i++) {
      Promise.reject(new Error("on purpose"));
      await new Promise((wake) => setTimeout(wake));
    }
    lock.release();
    await waiting;
    lock.release();
    new Queue<number>({ name: "later" }).putNowait(1);
    await running.flush();
    console.log((await running.stop()).processes);
  }
  if (how === "stopped") console.log((await running.stop()).processes);
  if (how === "thrown") throw new Error("on purpose");
  if (how === "exit") Deno.exit(3);
}
