// A small bakery under the eyes of a monitor. It works for three seconds, and prints where the page is:
//
//   deno run --allow-net=127.0.0.1 examples/monitor.ts
//
// With "stay" it works until Ctrl-C, so that there is time to look at the page:
//
//   deno run --allow-net=127.0.0.1 examples/monitor.ts stay

import { Lock, Pool, Process, Queue, sleep } from "../mod.ts";
import { serveMonitor } from "../monitor.ts";

/** Puts orders into a queue that holds ten. */
export async function takeOrders(orders: Queue<string>) {
  for (let i = 1;; i++) {
    await orders.put(`order ${i}`);
    await sleep(30 + 40 * Math.random());
  }
}

/** There is one oven. */
export async function bake(orders: Queue<string>, loaves: Queue<string>, oven: Lock) {
  for await (const order of orders) {
    using _held = await oven.hold();
    await sleep(60 + 60 * Math.random());
    await loaves.put(order);
  }
}

/** Weighing a loaf takes some computing. */
export function weigh(loaf: string): number {
  const end = performance.now() + 5 + 40 * Math.random() ** 3;
  while (performance.now() < end);
  return loaf.length;
}

if (import.meta.main) {
  // Where there is a terminal, Deno asks.
  const { state } = await Deno.permissions.request({ name: "net", host: "127.0.0.1" });
  await using monitor = state === "granted" ? await serveMonitor() : undefined;
  if (monitor !== undefined) console.log("The monitor is at", monitor.url);
  else console.log("No monitor: run it with --allow-net=127.0.0.1. The bakery works without.");

  const orders = new Queue<string>({ name: "orders", maxSize: 10 });
  const loaves = new Queue<string>({ name: "loaves" });
  const oven = new Lock();
  const start = (target: (...args: never[]) => Promise<void>, name: string, args: unknown[]) => {
    const process = new Process({ target, name, args: args as never[], daemon: true });
    process.start();
    return process;
  };
  start(takeOrders, "counter", [orders]);
  for (const name of ["Ada", "Bob", "Cyd"]) start(bake, name, [orders, loaves, oven]);

  await using scales = new Pool({ processes: 2, name: "scales" });
  const end = Deno.args.includes("stay") ? Infinity : performance.now() + 3000;
  let baked = 0;
  while (performance.now() < end) {
    const loaf = await loaves.get();
    const weight = scales.apply(weigh, [loaf]);
    weight.catch(() => {}); // it may be on the scales at the end
    baked++;
  }
  console.log(baked > 0 ? "loaves were baked" : "no loaf was baked");
}
