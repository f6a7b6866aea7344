// A target in the module whose URL is the argument.

import { Process } from "@multiproc/multiprocessing";

if (import.meta.main) {
  const process = new Process({ target: "doubled", args: [5], module: Deno.args[0] });
  process.start();
  console.log(await process.result());
}
