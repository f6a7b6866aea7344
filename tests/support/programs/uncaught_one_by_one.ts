// Processes fail one after another, as many as the argument says; each is joined, and nothing else.

import { Process } from "@multiproc/multiprocessing";

export function fail(number: number) {
  throw new Error(`number ${number}`);
}

if (import.meta.main) {
  const count = Number(Deno.args[0]);
  for (let number = 0; number < count; number++) {
    const process = new Process({ target: fail, args: [number] });
    process.start();
    await process.join();
  }
  console.log("main done");
}
