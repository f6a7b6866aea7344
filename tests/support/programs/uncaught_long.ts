// A child fails with a message of the length that the argument says, which nobody asks for.

import { Process } from "@multiproc/multiprocessing";

export function fail(length: number) {
  throw new Error(`begin ${"漢".repeat(length)} end`);
}

if (import.meta.main) {
  new Process({ target: fail, args: [Number(Deno.args[0])] }).start();
}
