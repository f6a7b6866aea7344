// Many processes fail while main is still starting them; then main asks for all results.

import { Process } from "@multiproc/multiprocessing";

export function fail(number: number) {
  throw new Error(`number ${number}`);
}

if (import.meta.main) {
  for (const permissions of ["inherit", "none"] as const) {
    const all = Array.from({ length: 6 }, (_, number) => {
      const process = new Process({ target: fail, args: [number], permissions });
      process.start();
      return process;
    });
    const results = await Promise.allSettled(all.map((process) => process.result()));
    console.log(results.map(({ status }) => status).join());
  }
}
