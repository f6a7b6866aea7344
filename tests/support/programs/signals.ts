// A child that asks for signals that end programs. The program waits for a signal as its argument says:
// with main awaiting or blocked, with the listener removed, the child ended, or main listening too.

import { Process, Queue } from "../../../mod.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

export async function listen(how: string, ready: Queue<string>) {
  const { default: process } = await import("node:process");
  const told = () => console.log("the child was told");
  let refused = 0;
  for (const signal of SIGNALS) {
    process.on(signal, told);
    process.once(signal, told);
    try {
      Deno.addSignalListener(signal, told);
    } catch {
      refused++;
    }
    if (how === "removed") process.removeAllListeners(signal);
  }
  if (how === "nested") {
    const child = new Process({ target: listen, args: ["child", ready] });
    child.start();
    await child.join();
  }
  await ready.put(`${refused} refused`);
  if (how !== "ended") await new Promise(() => {});
}

if (import.meta.main) {
  const [how] = Deno.args, ready = new Queue<string>();
  const child = new Process({ target: listen, args: [how, ready] });
  child.start();
  const told = await ready.get();
  if (how === "ended") await child.join();
  if (how === "main") {
    for (const signal of SIGNALS) {
      Deno.addSignalListener(signal, () => {
        console.log("main was told");
        Deno.exit(3);
      });
    }
  }
  console.log(told);
  if (how === "blocked") new Queue().getSync();
  setInterval(() => {}, 1000);
}
