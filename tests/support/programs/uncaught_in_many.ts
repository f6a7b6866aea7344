// Many processes fail while main is still starting them; then main asks for all results.

import { Process } from "@multiproc/multiprocessing";

export function fail(number: number) {
  throw new Error(`number ${number}`);
}

if (import.meta.main) {
  // A confined process waits only so long for somebody to ask, before it prints its error itself.
  for (const [permissions, length] of [["inherit", 6], ["none", 2]] as const) {
    const all = Array.from({ length }, (_, number) => {
      const process = new Process({ target: fail, args: [number], permissions });
      process.start();
      return process;
    });
    const results = await Promise.allSettled(all.map((process) => process.result()));
    console.log(results.map(({ status }) => status).join());
  }
}
