// A child fails with a message of the length given as argument, and main doesn't ask for its result.

import { Process } from "@multiproc/multiprocessing";

export function fail(length: number) {
  throw new Error(`begin ${"漢".repeat(length)} end`);
}

if (import.meta.main) {
  new Process({ target: fail, args: [Number(Deno.args[0])] }).start();
}
