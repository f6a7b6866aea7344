// Main ends by an error ("throw"), by an error in a timer ("throw later"), by an unhandled
// rejection ("reject") or by Deno.exit(3) ("exit"), while its children are in an endless loop,
// blocked, and waiting.

import { Process, Queue } from "@multiproc/multiprocessing";

export function spin(ready: Queue<string>) {
  ready.putSync("spinning");
  for (;;);
}

export function block(ready: Queue<string>, queue: Queue<string>) {
  ready.putSync("blocked");
  queue.getSync();
}

export async function wait(ready: Queue<string>, queue: Queue<string>) {
  await ready.put("waiting");
  await queue.get();
}

if (import.meta.main) {
  const ready = new Queue<string>(), queue = new Queue<string>();
  new Process({ target: spin, args: [ready] }).start();
  new Process({ target: block, args: [ready, queue] }).start();
  new Process({ target: wait, args: [ready, queue] }).start();
  for (let i = 0; i < 3; i++) await ready.get();
  console.log("main about to end");
  if (Deno.args[0] === "exit") Deno.exit(3);
  if (Deno.args[0] === "throw") throw new RangeError("main has had enough");
  if (Deno.args[0] === "reject") Promise.reject(new RangeError("main has had enough"));
  setTimeout(() => {
    throw new RangeError("main has had enough");
  }, 1);
}
