// A child ends itself with Deno.exit(4): only the child.

import { Process } from "@multiproc/multiprocessing";

export function exit() {
  try {
    Deno.exit(4);
  } finally {
    console.log("never printed");
  }
}

if (import.meta.main) {
  const process = new Process({ target: exit });
  process.start();
  await process.join();
  console.log(`child: ${process.exitCode}`);
}
